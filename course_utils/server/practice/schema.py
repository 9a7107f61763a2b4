"""Filling a JSON schema from a request, so that the result is always valid.

Layer 1: imports siblings and `wire`. Understands what pydantic and OpenAI's strict mode write: types, enums, const,
nested objects, arrays, anyOf with null, $ref/$defs, limits of length and value. Anything else is refused with 400,
as a provider does, rather than answered wrongly.
"""

from __future__ import annotations

import re
from typing import Any

from course_utils.server.practice import choices
from course_utils.server.practice.context import Context, plain_name
from course_utils.server.practice.fields import candidates
from course_utils.server.practice.fitting import FORMATS, MISSING, fitted, matching
from course_utils.server.practice.valid import is_valid, refuse, resolve
from course_utils.server.practice.words import content

DEEPEST = 8  # levels of nesting; a schema that refers to itself ends here
MOST_STEPS = 3000  # parts looked at; alternatives within alternatives multiply
LIST_PLAN = re.compile(r"\b(?:sub ?tasks?|steps?|plan|tasks?|sections?|outline|todos?|workers?)\b")
LIST_PRODUCTS = re.compile(r"\b(?:items?|products?|articles?|lines?|positions?)\b")


def fill(schema: dict[str, Any], context: Context, name: str = "") -> Any:
    """A value for the schema, made from the request.

    Raises:
        ApiError: 400, when the schema uses what is not understood, or nothing can satisfy it.
    """
    try:
        value = Filler(schema, context).value(schema, name, context, 0)
        if value is not MISSING and is_valid(value, schema, schema):
            return value
    except RecursionError:  # parts that refer to each other without an end, in a way that `DEEPEST` cannot see
        raise refuse("its references go round in a circle") from None
    raise refuse("no value that the practice model can make satisfies it")


class Filler:
    """Walks one schema; `root` is where its references point into."""

    def __init__(self, root: dict[str, Any], context: Context) -> None:
        self.root = root
        self.context = context
        self.steps = 0

    def value(self, schema: Any, name: str, context: Context, depth: int, *, needed: bool = True) -> Any:
        """A value, or MISSING when the text holds none and none is `needed`."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise refuse("it is too large")
        if depth > DEEPEST:
            return None if isinstance(schema, dict) and "null" in _kinds(schema) else MISSING
        schema = resolve(schema, self.root)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.option(schema["enum"], name, schema, context)
        if branches := schema.get("anyOf") or schema.get("oneOf"):
            return self.branch(branches, schema, name, context, depth, needed)
        kinds = _kinds(schema)
        if len(kinds) > 1:
            return self.branch([{**schema, "type": kind} for kind in kinds], {}, name, context, depth, needed)
        if kinds == ["object"]:
            return self.object(schema, context, depth, needed)
        if kinds == ["array"]:
            return self.array(schema, name, context, depth, needed)
        return self.scalar(schema, kinds[0] if kinds else "", name, context, needed)

    def option(self, options: list[Any], name: str, schema: dict[str, Any], context: Context) -> Any:
        if not options:
            return MISSING
        texts = [each for each in options if isinstance(each, str)]
        if texts and len(texts) >= len(options) - (None in options):
            return choices.choose(texts, plain_name(name), context)
        numbers = [each for each in options if isinstance(each, int | float) and not isinstance(each, bool)]
        wanted = [each for each in candidates(name, _about(schema), context) if isinstance(each, int | float)]
        if numbers and wanted:
            return min(numbers, key=lambda each: abs(each - wanted[0]))
        return options[0]

    def branch(
        self, branches: list[Any], schema: dict[str, Any], name: str, context: Context, depth: int, needed: bool
    ) -> Any:
        """The first alternative that the text holds a value for; else null, if allowed; else the first that works."""
        about = {key: schema[key] for key in ("description", "title") if key in schema}
        whole = [{**about, **each} if isinstance(each, dict) else each for each in branches]
        real = [each for each in whole if not _is_null(each, self.root)]
        for each in real:
            value = self.value(each, name, context, depth + 1, needed=False)
            if value is not MISSING and not self.misses(name):
                return value
        if len(real) < len(whole):
            return None
        made = [self.value(each, name, context, depth + 1, needed=True) for each in real] if needed else []
        return next((value for value in made if value is not MISSING), MISSING)

    def misses(self, name: str) -> bool:
        """True when the model overlooks a field that it may leave out."""
        return self.context.noise.chance(self.context.size.misses, "field", name)

    def object(self, schema: dict[str, Any], context: Context, depth: int, needed: bool) -> Any:
        properties = schema.get("properties", {})
        required = [each for each in schema.get("required", ()) if isinstance(each, str)]
        made: dict[str, Any] = {}
        for name, part in properties.items():
            is_required = name in required
            value = self.value(part, name, context, depth + 1, needed=is_required)
            if value is MISSING and is_required:
                return MISSING
            if value is not MISSING and (is_required or not self.misses(name)):
                made[name] = value
        extra = schema.get("additionalProperties", True)
        for name in required:
            if name not in made and extra is not False:
                made[name] = self.value(extra if isinstance(extra, dict) else {}, name, context, depth + 1)
        return made if needed or made else MISSING

    def array(self, schema: dict[str, Any], name: str, context: Context, depth: int, needed: bool) -> Any:
        least, most = schema.get("minItems", 0), schema.get("maxItems", 50)
        inner = resolve(schema.get("items", {}), self.root) if schema.get("items", True) is not False else {"not": {}}
        if "prefixItems" in schema:
            return [self.value(each, name, context, depth + 1) for each in schema["prefixItems"]][: max(most, 0)]
        found = self.items(inner, name, context, depth)
        if len(found) > max(1, least) and self.misses(name):
            found = found[:-1]
        if schema.get("uniqueItems"):
            found = [each for at, each in enumerate(found) if each not in found[:at]]
        while len(found) < min(least, 200):
            found.append(self.value(inner, name, context.at(len(found), f"Point {len(found) + 1}"), depth + 1))
        found = [each for each in found if each is not MISSING]
        return found[:most] if found or needed else MISSING

    def items(self, inner: dict[str, Any], name: str, context: Context, depth: int) -> list[Any]:
        """One value for each thing of this name that the request holds."""
        plain = plain_name(name)
        if texts := [each for each in inner.get("enum", ()) if isinstance(each, str)]:
            return choices.choose_many(texts, plain, context)[:3]
        kinds = _kinds(inner)
        if LIST_PLAN.search(plain) or (context.reading.skill == "plan" and depth <= 2 and not context.item):
            steps = candidates("subtasks", "", context)[0]
            if "object" in kinds or inner.get("anyOf"):
                return [self.value(inner, name, context.at(at, step), depth + 1) for at, step in enumerate(steps)]
            return [self.value(inner, "task", context.at(at, step), depth + 1) for at, step in enumerate(steps)]
        if "object" in kinds:
            named = candidates("product", "", context) if LIST_PRODUCTS.search(plain) else []
            return [self.value(inner, name, context.at(at, each), depth + 1) for at, each in enumerate(named)]
        found = candidates(name, _about(inner), context)
        flat = [part for each in found for part in (each if isinstance(each, list) else [each])]
        made = [fitted(each, inner, kinds[0] if kinds else "", self.root) for each in flat]
        return [each for each in made if each is not MISSING]

    def scalar(self, schema: dict[str, Any], kind: str, name: str, context: Context, needed: bool) -> Any:
        if kind == "null":
            return None
        about = _about(schema)
        if kind == "boolean":
            return choices.is_true(name, about, context)
        found = candidates(name, about, context)
        if kind == "string" and (pattern := schema.get("pattern")):
            found = matching(pattern, context.text) + found
        for each in found:
            value = fitted(each, schema, kind, self.root)
            if value is not MISSING:
                return value
        return self.fallback(schema, kind, name, context) if needed else MISSING

    def fallback(self, schema: dict[str, Any], kind: str, name: str, context: Context) -> Any:
        """A value for a required field that the text says nothing about."""
        if "default" in schema and is_valid(schema["default"], schema, self.root):
            return schema["default"]
        if kind in ("integer", "number"):
            return fitted(0, schema, kind, self.root)
        text = FORMATS.get(schema.get("format", ""), "")
        if not text and not name and content(context.text):
            text = context.write(context.reading.skill or "answer")
        return fitted(text, schema, "string", self.root)


def _kinds(schema: dict[str, Any]) -> list[str]:
    kind = schema.get("type")
    if kind is None:
        kind = (
            "object"
            if "properties" in schema or "required" in schema
            else "array"
            if "items" in schema or "prefixItems" in schema
            else []
        )
    return [kind] if isinstance(kind, str) else list(kind)


def _is_null(schema: Any, root: dict[str, Any]) -> bool:
    return isinstance(schema, dict) and resolve(schema, root).get("type") == "null"


def _about(schema: dict[str, Any]) -> str:
    return str(schema.get("description", ""))

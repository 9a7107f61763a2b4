"""The part of JSON Schema that the practice model understands: following references, and checking a value.

Layer 1: imports `wire` only. Written out here since importing the jsonschema package costs every server start 0.2 s.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from course_utils.server.wire import ApiError

UNKNOWN = frozenset(
    "not if then else dependentRequired dependentSchemas dependencies patternProperties propertyNames contains "
    "minContains maxContains unevaluatedItems unevaluatedProperties additionalItems $dynamicRef $recursiveRef".split()
)
NESTED = ("properties", "$defs", "definitions")
TYPES: dict[str, Any] = {
    "string": str, "integer": (int, float), "number": (int, float), "boolean": bool, "array": list,
    "object": dict, "null": type(None),
}  # fmt: skip
WHOLE = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")


def refuse(why: str, param: str = "response_format") -> ApiError:
    """The refusal of a schema, as OpenAI words it."""
    return ApiError(400, f"Invalid schema: {why}.", code="invalid_json_schema", param=param)


def check_schema(schema: Any, depth: int = 0) -> dict[str, Any]:
    """The schema itself, once everything in it is understood.

    Raises:
        ApiError: 400, it is no schema, or uses keywords beyond the practice model.
    """
    if schema is True:
        return {}
    if not isinstance(schema, dict) or depth > 40:
        raise refuse("it must be a JSON object" if depth <= 40 else "it is nested too deeply")
    if strange := sorted(UNKNOWN & schema.keys()):
        raise refuse(f"{strange[0]!r} is not permitted")
    _check_shapes(schema)
    for key in NESTED:
        for part in schema.get(key, {}).values():
            check_schema(part, depth + 1)
    for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for part in schema.get(key, ()):
            check_schema(part, depth + 1)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            check_schema(schema[key], depth + 1)
    return schema


def _check_shapes(schema: dict[str, Any]) -> None:
    """Each keyword has the kind of value that it needs."""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    fine = isinstance(kinds, list) and all(isinstance(kind, str) and kind in TYPES for kind in kinds)
    fine = fine and all(isinstance(schema.get(key, {}), dict) for key in NESTED)
    fine = fine and all(
        isinstance(schema.get(key, []), list) for key in ("anyOf", "oneOf", "allOf", "enum", "prefixItems", "required")
    )
    fine = fine and all(isinstance(schema.get(key, True), dict | bool) for key in ("items", "additionalProperties"))
    fine = fine and all(isinstance(schema.get(key, ""), str) for key in ("$ref", "pattern", "format", "description"))
    fine = fine and all(_is_whole(schema.get(key, 0)) for key in WHOLE)
    fine = fine and all(_is_number(schema.get(key, 1)) for key in NUMBERS) and schema.get("multipleOf", 1) > 0
    if not fine:
        raise refuse(f"a keyword of {sorted(schema)} has a value of the wrong kind")
    try:
        re.compile(schema.get("pattern", ""))
    except re.error:
        raise refuse(f"the pattern {schema['pattern']!r} is no regular expression") from None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100_000


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


def resolve(schema: Any, root: dict[str, Any]) -> dict[str, Any]:
    """The schema with its reference followed and its allOf parts merged."""
    schema = {} if schema is True else schema
    for _ in range(20):
        if not isinstance(schema, dict):
            raise refuse("a part of it allows nothing")
        if "$ref" in schema:
            rest = {key: part for key, part in schema.items() if key != "$ref"}
            schema = {**_target(schema["$ref"], root), **rest}
        elif "allOf" in schema:
            schema = _merged(schema, root)
        else:
            return schema
    raise refuse("its references go round in a circle")


def _target(reference: str, root: dict[str, Any]) -> dict[str, Any]:
    part: Any = root
    for step in reference.removeprefix("#").strip("/").split("/") if reference.strip("#/") else []:
        part = part.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(part, dict) else None
    if not reference.startswith("#") or not isinstance(part, dict):
        raise refuse(f"the reference {reference!r} leads nowhere")
    return part


def _merged(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    whole = {key: part for key, part in schema.items() if key != "allOf"}
    for each in schema["allOf"]:
        part = resolve(each, root)
        for key, value in part.items():
            if key == "properties":
                value = {**whole.get(key, {}), **value}
            elif key == "required":
                value = [*whole.get(key, []), *value]
            whole[key] = value
    return whole


def is_valid(value: Any, schema: Any, root: dict[str, Any]) -> bool:
    """True when the value satisfies the schema."""
    if schema is False:
        return False
    if isinstance(schema, dict) and not all(is_valid(value, each, root) for each in schema.get("allOf", ())):
        return False
    schema = resolve(schema, root)
    if "const" in schema and not _same(value, schema["const"]):
        return False
    if "enum" in schema and not any(_same(value, each) for each in schema["enum"]):
        return False
    if "anyOf" in schema and not any(is_valid(value, each, root) for each in schema["anyOf"]):
        return False
    if "oneOf" in schema and sum(is_valid(value, each, root) for each in schema["oneOf"]) != 1:
        return False
    kinds = schema.get("type")
    if kinds is not None and not any(is_kind(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        return False
    return _fits(value, schema, root)


def _same(one: Any, other: Any) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def is_kind(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, TYPES[kind]) and not (kind == "integer" and value != int(value))


def _fits(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """The limits that belong to the value's own kind."""
    if isinstance(value, str):
        pattern = schema.get("pattern")
        return _between(len(value), schema, "minLength", "maxLength") and (
            not pattern or bool(re.search(pattern, value))
        )
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int | float):
        return _fits_number(value, schema)
    if isinstance(value, list):
        return _fits_list(value, schema, root)
    properties, extra = schema.get("properties", {}), schema.get("additionalProperties", True)
    return (
        all(name in value for name in schema.get("required", ()))
        and all(is_valid(part, properties.get(name, extra), root) for name, part in value.items())
        and _between(len(value), schema, "minProperties", "maxProperties")
    )


def _fits_number(value: float, schema: dict[str, Any]) -> bool:
    return (
        _between(value, schema, "minimum", "maximum")
        and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
        and ("exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"])
        and (
            "multipleOf" not in schema or (Fraction(str(value)) / Fraction(str(schema["multipleOf"]))).denominator == 1
        )
    )


def _fits_list(value: list[Any], schema: dict[str, Any], root: dict[str, Any]) -> bool:
    prefix = schema.get("prefixItems", [])
    parts = [*prefix, *[schema.get("items", True)] * max(0, len(value) - len(prefix))]
    return (
        _between(len(value), schema, "minItems", "maxItems")
        and all(is_valid(each, part, root) for each, part in zip(value, parts, strict=False))
        and not (schema.get("uniqueItems") and any(each in value[:at] for at, each in enumerate(value)))
    )


def _between(value: float, schema: dict[str, Any], low: str, high: str) -> bool:
    return schema.get(low, value) <= value <= schema.get(high, value)

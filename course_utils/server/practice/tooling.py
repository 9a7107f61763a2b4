"""Calling tools: what the request demands, the arguments, and the answer when there is nothing left to call.

Layer 1: imports siblings and `wire`. Which tools are wanted is told by `wanting`. A call is never repeated, so every
agent loop ends.
"""

from __future__ import annotations

import re
from typing import Any

from course_utils.server.practice import facts
from course_utils.server.practice.answers import Answer, Call
from course_utils.server.practice.context import Context, plain_name
from course_utils.server.practice.results import from_results, parsed
from course_utils.server.practice.schema import fill
from course_utils.server.practice.valid import check_schema
from course_utils.server.practice.wanting import FIND, ORDER, order_key, overlap, parameters_of, wanted_now
from course_utils.server.wire import ApiError, ChatRequest

MOST_ROUNDS = 6
LETTER = re.compile(
    r"customer|support|service|\bdesk\b|ticket|client|letter|\brepl(?:y|ies)\b|e-?mail|section|paragraph", re.IGNORECASE
)


def functions_of(request: ChatRequest) -> list[dict[str, Any]]:
    """The functions that the request offers; with `tool_choice` "none", none.

    Raises:
        ApiError: 400, a tool is no function with a name.
    """
    if request.tool_choice == "none":
        return []
    found = []
    for at, tool in enumerate(request.tools or ()):
        function = tool.get("function")
        if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"]:
            raise ApiError(
                400,
                f"Missing required parameter: 'tools[{at}].function.name'.",
                code="missing_required_parameter",
                param="tools",
            )
        check_schema(function.get("parameters") or {})
        found.append(function)
    return found


def forced(request: ChatRequest, functions: list[dict[str, Any]]) -> str | None:
    """The name of the tool that must be called; "" when it may be any; None when none must.

    Raises:
        ApiError: 400, the choice names a tool that is not offered, or demands one where there is none.
    """
    choice = request.tool_choice
    if choice in (None, "auto", "none"):
        return None
    named = choice.get("function") if isinstance(choice, dict) else None
    name = named.get("name") if isinstance(named, dict) else None
    if choice in ("required", "any") and functions:
        return ""
    if any(function["name"] == name for function in functions):
        return str(name)
    raise ApiError(
        400,
        f"Invalid value for 'tool_choice': {choice!r} fits none of the tools.",
        code="invalid_value",
        param="tool_choice",
    )


def use_tools(request: ChatRequest, context: Context) -> Answer | None:
    """Tool calls, an answer from their results, or None when a skill has to write it."""
    functions = functions_of(request)
    must = forced(request, functions)
    if must:
        chosen = next(function for function in functions if function["name"] == must)
        return Answer(calls=(Call(must, _arguments(chosen, context)),))
    done = context.reading.results
    wanted = [] if len(done) >= MOST_ROUNDS or not functions else _calls(wanted_now(functions, context), context)
    wanted = [call for call in wanted if not _is_done(call, done)]
    if must == "" and not wanted and not done:
        best = max(functions, key=lambda each: (overlap(each, context.text), bool(FIND.search(each["name"]))))
        wanted = [Call(best["name"], _arguments(best, context))]
    if wanted:
        return Answer(calls=tuple(wanted if request.parallel_tool_calls else wanted[:1]))
    # A letter to a customer is more than the results: the drafting skill writes it.
    is_letter = context.reading.skill == "draft" and LETTER.search(context.reading.instruction)
    return Answer(from_results(context)) if done and not is_letter else None


def _calls(functions: list[dict[str, Any]], context: Context) -> list[Call]:
    """The calls of one round; each order number gets its own."""
    orders = facts.order_ids(context.text)[:4]
    calls: list[Call] = []
    for function in functions:
        key = order_key(function)
        if key and orders:
            calls += [Call(function["name"], {**_arguments(function, context), key: order}) for order in orders]
        else:
            calls.append(Call(function["name"], _arguments(function, context)))
    return _one_search(calls)


def _one_search(calls: list[Call]) -> list[Call]:
    """Of several searches for the same words, the first is enough."""
    seen: list[dict[str, Any]] = []
    kept = []
    for call in calls:
        if call.arguments and call.arguments in seen:
            continue
        seen.append(call.arguments)
        kept.append(call)
    return kept


def _arguments(function: dict[str, Any], context: Context) -> dict[str, Any]:
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    made = fill({"type": "object", **schema}, context)
    # A search without words, or a sum without figures, would be of no use: give the whole text.
    for name, part in parameters_of(function).items():
        if (
            made.get(name) == ""
            and isinstance(part, dict)
            and part.get("type") == "string"
            and not ORDER.search(plain_name(name))
        ):
            made[name] = context.text.strip()[: min(200, part.get("maxLength", 200))]
    return made


def _is_done(call: Call, done: tuple[tuple[str, str, str], ...]) -> bool:
    """True when this tool has been called for the same thing before."""
    for name, arguments, _ in done:
        if name != call.name:
            continue
        before = parsed(arguments)
        if not isinstance(before, dict) or before == call.arguments:
            return True
        orders = [key for key in call.arguments if ORDER.search(key)]
        if not orders or any(before.get(key) == call.arguments[key] for key in orders):
            return True
    return False

"""Choosing tools and their arguments, and answering from what they returned.

Layer 1: imports siblings and `wire`. A tool is wanted when its name, description and parameters meet the request: a
sum wants a calculator, an order number wants a tool with an order parameter, a question wants a search. A call is
never repeated, so every agent loop ends.
"""

from __future__ import annotations

import re
from typing import Any

from course_utils.server.practice import facts
from course_utils.server.practice.answers import Answer, Call
from course_utils.server.practice.arithmetic import find_expression
from course_utils.server.practice.context import Context, plain_name
from course_utils.server.practice.providers import open_parts
from course_utils.server.practice.results import from_results, parsed
from course_utils.server.practice.schema import fill
from course_utils.server.practice.valid import check_schema
from course_utils.server.practice.words import content
from course_utils.server.practice.writing import GREETING
from course_utils.server.wire import ApiError, ChatRequest

MOST_ROUNDS = 6
SUM = re.compile(r"calculat|arithmetic|math|expression|comput|multiply|add\b", re.IGNORECASE)
ORDER = re.compile(r"\border", re.IGNORECASE)
FIND = re.compile(r"search|look.?up|find|retriev|help|article|knowledge|faq|wiki|document|answer", re.IGNORECASE)
ASKS = re.compile(
    r"\?|\b(?:how|what|which|where|when|why|who|explain|tell me|find|search|look up|policy|help|can i|do you)\b",
    re.IGNORECASE,
)
STATE = re.compile(
    r"^\W*(?:where is|when (?:will|does)|what is the (?:status|state)|look up|show me)\b.{0,60}$|\bstatus\b",
    re.IGNORECASE | re.DOTALL,
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
    """Tool calls, an answer from their results, or None when no tool is wanted."""
    functions = functions_of(request)
    must = forced(request, functions)
    if must:
        chosen = next(function for function in functions if function["name"] == must)
        return Answer(calls=(Call(must, _arguments(chosen, context)),))
    done = context.reading.results
    if not functions:
        return Answer(from_results(context)) if done else None
    wanted = (
        [] if len(done) >= MOST_ROUNDS else [call for call in _wanted(functions, context) if not _is_done(call, done)]
    )
    if must == "" and not wanted and not done:
        best = max(functions, key=lambda each: (_overlap(each, context.text), bool(FIND.search(each["name"]))))
        wanted = [Call(best["name"], _arguments(best, context))]
    if wanted:
        return Answer(calls=tuple(wanted if request.parallel_tool_calls else wanted[:1]))
    return Answer(from_results(context)) if done else None


def _wanted(functions: list[dict[str, Any]], context: Context) -> list[Call]:
    """All calls that the request asks for, in the order of the tools."""
    text = context.text
    if GREETING.match(text):
        return []
    calls: list[Call] = []
    orders, expression = facts.order_ids(text), find_expression(text)
    for function in functions:
        words = f"{function['name']} {function.get('description', '')} {' '.join(_parameters(function))}".replace(
            "_", " "
        )
        key = next((name for name in _parameters(function) if ORDER.search(name)), "")
        if key and orders:
            calls += [Call(function["name"], {**_arguments(function, context), key: order}) for order in orders[:4]]
        elif (expression and SUM.search(words)) or (
            not key
            and not SUM.search(function["name"])
            and _needs_search(words, text, bool(orders or expression), function)
        ):
            calls.append(Call(function["name"], _arguments(function, context)))
    return _one_search(calls, functions)


def _needs_search(words: str, text: str, is_served: bool, function: dict[str, Any]) -> bool:
    """True when a tool that finds things is wanted; not when another tool already serves the whole request."""
    overlap = _overlap(function, text)
    if not FIND.search(words):
        return overlap >= 2
    rest = [part for part in open_parts(text) if not STATE.match(part)]
    return bool(content(text)) and any(ASKS.search(part) for part in (rest if is_served else [text]))


def _one_search(calls: list[Call], functions: list[dict[str, Any]]) -> list[Call]:
    """Of several searches for the same words, the first is enough."""
    seen: list[dict[str, Any]] = []
    kept = []
    for call in calls:
        if call.arguments and call.arguments in seen:
            continue
        seen.append(call.arguments)
        kept.append(call)
    return kept


def _overlap(function: dict[str, Any], text: str) -> int:
    own = content(f"{function['name'].replace('_', ' ')} {function.get('description', '')}")
    return len(set(own) & set(content(text)))


def _parameters(function: dict[str, Any]) -> dict[str, Any]:
    return (function.get("parameters") or {}).get("properties", {})


def _arguments(function: dict[str, Any], context: Context) -> dict[str, Any]:
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    made = fill({"type": "object", **schema}, context)
    # A search without words, or a sum without figures, would be of no use: give the whole text.
    for name, part in _parameters(function).items():
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

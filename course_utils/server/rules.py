"""Rules that OpenAI holds a chat request to beyond the types of its fields.

Layer 1: imports `records` and `wire`. Each rule returns nothing, or raises ApiError 400 naming the parameter at fault.
"""

from __future__ import annotations

import re
from typing import Any

from course_utils.records import text_of

from .wire import ApiError, ChatRequest

FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def wrong(message: str, param: str, code: str | None = "invalid_value") -> ApiError:
    """The refusal of one parameter."""
    return ApiError(400, message, param=param, code=code)


def check_options(request: ChatRequest) -> None:
    """Stream options need a stream, and there are at most four stop texts."""
    if request.stream_options is not None and not request.stream:
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise wrong(message, "stream_options", None)
    if len(request.stops) > 4:
        message = f"Invalid 'stop': array too long. Expected at most 4 items, but got {len(request.stops)} instead."
        raise wrong(message, "stop", "array_above_max_length")


def check_format(request: ChatRequest) -> None:
    """`response_format` is one of three, and a schema has a name; "json_object" must be spoken of in the messages."""
    form = request.response_format
    if form is None or form.get("type") == "text":
        return
    if form.get("type") == "json_schema":
        schema = form.get("json_schema")
        if not isinstance(schema, dict) or not isinstance(schema.get("name"), str):
            param = "response_format.json_schema" + (".name" if isinstance(schema, dict) else "")
            raise wrong(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")
    elif form.get("type") == "json_object":
        if not any("json" in text_of(message.content).lower() for message in request.messages):
            message = (
                "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
            )
            raise wrong(message, "messages", None)
    else:
        supported = "'text', 'json_object' and 'json_schema'"
        message = f"Invalid value: {form.get('type')!r}. Supported values are: {supported}."
        raise wrong(message, "response_format.type")


def check_tools(request: ChatRequest) -> None:
    """Every tool is a function with a usable name, and `tool_choice` names one of them."""
    names = []
    for index, tool in enumerate(request.tools or []):
        function = tool.get("function")
        name = function.get("name") if isinstance(function, dict) else None
        where = f"tools[{index}].function" + (".name" if isinstance(function, dict) else "")
        if name is None:
            raise wrong(f"Missing required parameter: '{where}'.", where, "missing_required_parameter")
        if not isinstance(name, str) or not FUNCTION_NAME.fullmatch(name):
            message = f"Invalid '{where}': string does not match pattern. Expected '^[a-zA-Z0-9_-]+$', 64 at most."
            raise wrong(message, where)
        names.append(name)
    choice = request.tool_choice
    if choice not in (None, "none") and not names:
        raise wrong("'tool_choice' is only allowed when 'tools' are specified.", "tool_choice", None)
    if isinstance(choice, str) and choice not in ("none", "auto", "required"):
        supported = "'none', 'auto', and 'required'"
        raise wrong(f"Invalid value: {choice!r}. Supported values are: {supported}.", "tool_choice")
    function = choice.get("function") if isinstance(choice, dict) else None
    if isinstance(function, dict) and function.get("name") not in names:
        message = f"Tool choice '{function.get('name')}' not found in 'tools' parameter."
        raise wrong(message, "tool_choice", None)


def check_messages(request: ChatRequest) -> None:
    """Every tool call is answered by a tool message right after it, and no tool message comes without a call."""
    due: list[Any] = []
    for index, message in enumerate(request.messages):
        if message.role == "tool":
            if message.tool_call_id not in due:
                said = "messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
                raise wrong(f"Invalid parameter: {said}", f"messages[{index}].role", None)
            due.remove(message.tool_call_id)
        else:
            _all_answered(due, index)
            due = [call.get("id") for call in message.tool_calls or []]
    _all_answered(due, len(request.messages))


def _all_answered(due: list[Any], index: int) -> None:
    if due:
        message = (
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(map(str, due))}"
        )
        raise wrong(message, f"messages[{index - 1}].tool_calls", None)


RULES = (check_options, check_format, check_tools, check_messages)

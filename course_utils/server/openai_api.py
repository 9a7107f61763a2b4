"""Reading a chat completion request the way OpenAI does, and refusing a wrong one in its words.

Layer 1: imports `rules` and `wire`. Everything here is a function from values to values.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json

from .rules import RULES, wrong
from .wire import ApiError, Backend, ChatRequest, Model

TYPES = {  # how OpenAI calls what pydantic found wrong
    "string_type": "a string", "int_type": "an integer", "int_parsing": "an integer", "int_from_float": "an integer",
    "float_type": "a number", "float_parsing": "a number", "bool_type": "a boolean", "bool_parsing": "a boolean",
    "list_type": "an array", "dict_type": "an object", "model_type": "an object",
    "model_attributes_type": "an object",
}  # fmt: skip


BOUNDS = {
    "greater_than_equal": ("integer_below_min_value", ">=", "ge"),
    "less_than_equal": ("integer_above_max_value", "<=", "le"),
}


def decode(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`; the parser bounds its depth.

    Raises:
        ApiError: 400, there is none.
    """
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        message = f"We could not parse the JSON body of your request: {error}."
        raise ApiError(400, message, code="invalid_json") from error
    if not isinstance(value, dict):
        raise ApiError(400, "The JSON body of your request must be an object.", code="invalid_json")
    return value


def parse(value: dict[str, Any]) -> ChatRequest:
    """The chat request that `value` is.

    Raises:
        ApiError: 400, naming the parameter at fault.
    """
    try:
        request = ChatRequest.model_validate(value)
    except ValidationError as error:
        raise refusal(error.errors(include_url=False)[0]) from error
    for rule in RULES:
        rule(request)
    return request


def refusal(detail: ErrorDetails) -> ApiError:
    """OpenAI's sentence for what pydantic found wrong."""
    # `content` may be a string or a list, so pydantic adds the name of the alternative to the path: not for readers.
    path = [part for part in detail["loc"] if not (isinstance(part, str) and re.search(r"^str$|[\[{]", part))]
    param = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    kind, given, limits = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        return wrong(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")
    if kind in TYPES:
        message = f"Invalid type for '{param}': expected {TYPES[kind]}, but got {named(given)} instead."
        return wrong(message, param, "invalid_type")
    if kind == "literal_error":
        return wrong(f"Invalid value: {given!r}. Supported values are: {limits['expected']}.", param, "invalid_value")
    if kind == "too_short":
        return wrong(f"Invalid '{param}': empty array. Expected at least 1 item.", param, "empty_array")
    if kind in BOUNDS:
        code, sign, limit = BOUNDS[kind]
        return wrong(f"Invalid '{param}': {given} given, expected a value {sign} {limits[limit]}.", param, code)
    return wrong(f"Invalid '{param}': {detail['msg']}.", param, "invalid_value")


def named(value: Any) -> str:
    """JSON's name for the type of `value`."""
    names = {str: "a string", bool: "a boolean", int: "an integer", float: "a decimal number", list: "an array"}
    return "null" if value is None else names.get(type(value), "an object")


def find_model(backend: Backend, id: str) -> Model:
    """The backend's model of this id; "small" and "large" name its model of that size.

    Raises:
        ApiError: 404 model_not_found.
    """
    for model in backend.models():
        if id in (model.id, model.size):
            return model
    if backend.accepts_any_model:
        return backend.model(id)
    message = f"The model `{id}` does not exist or you do not have access to it."
    raise ApiError(404, message, code="model_not_found")


def about(model: Model) -> dict[str, Any]:
    """The model as GET /v1/models shows it; what the course adds is under "course"."""
    extra = {"size": model.size, "context_tokens": model.context_tokens, "card": model.card}
    extra |= {"prompt_price": model.prompt_price, "completion_price": model.completion_price}
    return {"id": model.id, "object": "model", "created": 0, "owned_by": "course", "course": extra}


def context_exceeded(model: Model, tokens: int) -> ApiError:
    """The refusal of messages that leave no room in the model's context."""
    message = (
        f"This model's maximum context length is {model.context_tokens} tokens. However, your messages resulted "
        f"in {tokens} tokens. Please reduce the length of the messages."
    )
    return wrong(message, "messages", "context_length_exceeded")

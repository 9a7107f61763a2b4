"""The shapes that travel between a client, the server and a backend.

Layer 1: imports nothing from this package. `ChatRequest` is the body of POST /v1/chat/completions as OpenAI documents
it (platform reference, "Create chat completion"); `Piece` is what a backend answers with, one after the other;
`ApiError` is a refusal in OpenAI's shape. All are plain values.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field


class Message(BaseModel):
    model_config = ConfigDict(extra="allow")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[dict[str, Any]] | None = None
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None


class ChatRequest(BaseModel):
    """One chat completion request; fields that no backend uses are kept and ignored."""

    model_config = ConfigDict(extra="allow")

    model: str
    messages: list[Message] = Field(min_length=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    seed: int | None = None
    n: int = Field(default=1, ge=1, le=16)
    stop: str | list[str] | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool = True
    response_format: dict[str, Any] | None = None
    stream: bool = False
    stream_options: dict[str, Any] | None = None

    @property
    def token_limit(self) -> int | None:
        """The most tokens that the answer may have; None when the caller set no limit."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def stops(self) -> list[str]:
        """The texts at which the answer ends."""
        return [self.stop] if isinstance(self.stop, str) else self.stop or []


@dataclass(frozen=True, slots=True)
class Usage:
    prompt_tokens: int
    completion_tokens: int
    is_estimated: bool = False  # counted by us, because a provider sent none


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an answer. The last piece of each choice has a finish reason; the last of all has the usage."""

    text: str = ""
    choice: int = 0
    tool_call: dict[str, Any] | None = None  # an OpenAI tool-call delta: index, id, type, function{name, arguments}
    refusal: str | None = None
    finish_reason: str | None = None  # "stop", "length", "tool_calls", "content_filter"
    wait: float = 0.0  # seconds of simulated latency before this piece, on the course clock
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """What /v1/models says about one model."""

    id: str
    size: Literal["small", "large"] | None = None  # the name learners use, where there is one
    context_tokens: int = 8192  # prompt and answer together
    prompt_price: float = 0.0  # US dollars per million tokens
    completion_price: float = 0.0  # US dollars per million tokens
    card: dict[str, Any] = field(default_factory=dict)  # what it is and how good it is, in words and figures

    def price(self, usage: Usage) -> float:
        """US dollars for one request."""
        return (usage.prompt_tokens * self.prompt_price + usage.completion_tokens * self.completion_price) / 1e6


class Backend(Protocol):
    """Something that answers chat requests: the practice model, a script, a local model, a real provider."""

    name: str  # what learners call it: "practice", "local", "openai"
    accepts_any_model: bool  # True when `models` lists only some, and `model(id)` knows what there is to know of others

    def models(self) -> list[Model]: ...

    def stream(self, request: ChatRequest) -> AsyncIterator[Piece]:
        """The answer, piece by piece, also when the caller wants it whole.

        Raises:
            ApiError: The backend refuses; raised before the first piece.
        """
        ...


class ApiError(Exception):
    """A refusal as OpenAI words it: status, message, type, code, the parameter at fault, extra headers."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type
        self.code = code
        self.param = param
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """The JSON body: {"error": {...}}."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}

"""A backend that forwards: to OpenAI, or to anything that speaks its chat completions protocol.

Layer 1: imports `errors`, `meter` and `wire`. It never repeats a failed request, and passes the provider's refusals
on with their status and headers, so that a learner's own retries meet the real thing. The key is never shown.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import openai

from ..errors import CourseError
from . import meter
from .wire import ApiError, ChatRequest, Model, Piece, Usage

OPENAI = "https://api.openai.com/v1"
SMALL, LARGE = "gpt-4.1-mini", "gpt-4.1"  # they take a temperature, and do not think at the learner's cost
TIMEOUT = openai.Timeout(300.0, connect=10.0)  # real seconds
PASSED_ON = ("retry-after", "retry-after-ms", "x-request-id", "x-should-retry")  # and x-ratelimit-…
HTTPX = importlib.import_module(type(openai.DEFAULT_CONNECTION_LIMITS).__module__)  # httpx; httpx2 from openai 3 on

PRICES_OF = "2026-11"
# List prices in US dollars per million tokens (prompt, completion), and the context in tokens, without discounts for
# cached prompts or batches. Providers change them: check before you rely on them. Dated ids count as their family.
PRICES = {
    "gpt-4.1": (2.00, 8.00, 1_047_576),
    "gpt-4.1-mini": (0.40, 1.60, 1_047_576),
    "gpt-4o": (2.50, 10.00, 128_000),
    "gpt-4o-mini": (0.15, 0.60, 128_000),
    "gpt-5": (1.25, 10.00, 272_000),
    "gpt-5-mini": (0.25, 2.00, 272_000),
    "gpt-5-nano": (0.05, 0.40, 272_000),
    "gpt-5.4": (2.50, 15.00, 1_050_000),
    "gpt-5.4-mini": (0.75, 4.50, 272_000),
    "gpt-5.4-nano": (0.20, 1.25, 272_000),
}


class Upstream:
    """Forwards every request to `base_url`.

    Args:
        small: The model id that learners call "small".
        large: The model id that learners call "large"; any other id is passed through as it is.
    """

    accepts_any_model = True  # only the provider knows which ids it has
    name = "openai"

    def __init__(self, base_url: str, api_key: str, small: str = SMALL, large: str = LARGE) -> None:
        self.base_url = base_url.rstrip("/")
        self.small = small
        self.large = large
        self._key = api_key
        self._made: openai.AsyncOpenAI | None = None

    def __repr__(self) -> str:
        return f"Upstream({self.base_url!r}, small={self.small!r}, large={self.large!r})"

    def models(self) -> list[Model]:
        others = [id for id in PRICES if id not in (self.small, self.large)] if self.base_url == OPENAI else []
        sized = [self.model(self.small, "small"), self.model(self.large, "large")]
        return sized + [self.model(id) for id in others]

    def model(self, id: str, size: Any = None) -> Model:
        """What is known of one model id: its price is 0, and called unknown, when it is not in the table."""
        known = PRICES.get(_family(id))
        prompt, completion, context = known or (0.0, 0.0, 128_000)
        said = f"list price of {PRICES_OF}" if known else "unknown"
        card = {"provider": urlsplit(self.base_url).hostname, "price": said}
        return Model(id, size, context, prompt, completion, card)

    async def stream(self, request: ChatRequest) -> AsyncIterator[Piece]:
        texts: list[str] = []
        usage: Usage | None = None
        try:
            answer = await self._client().chat.completions.create(**self._body(request))
            async with answer:
                async for chunk in answer:
                    for piece in _pieces(chunk):
                        texts.append(piece.text or _called(piece))
                        yield piece
                    usage = self._usage(chunk, usage)
        except (openai.APIError, HTTPX.HTTPError, ValueError) as error:
            raise self._refusal(error) from error
        if not texts:
            raise ApiError(502, "The provider's answer was empty.", type="server_error", code="empty_answer")
        yield Piece(usage=usage or replace(meter.usage(request, "".join(texts)), is_estimated=True))

    def _body(self, request: ChatRequest) -> dict[str, Any]:
        """The request as it came, but always streamed, so that pieces can be passed on as they arrive."""
        body = request.model_dump(mode="json", exclude_unset=True)
        body["stream_options"] = {"include_usage": True}
        required = {"model": body.pop("model"), "messages": body.pop("messages")}
        body.pop("stream", None)
        return {**required, "stream": True, "extra_body": body}

    def _usage(self, chunk: Any, before: Usage | None) -> Usage | None:
        """The last usage counts: some providers send it with every chunk, counting up."""
        sent = chunk.usage
        return Usage(sent.prompt_tokens, sent.completion_tokens) if sent and sent.prompt_tokens is not None else before

    def _client(self) -> openai.AsyncOpenAI:
        """Made with the first request, on the server's event loop."""
        if self._made is None:
            nearby = (urlsplit(self.base_url).hostname or "") in ("127.0.0.1", "localhost", "::1")
            options: dict[str, Any] = {"trust_env": not nearby, "timeout": TIMEOUT}
            if nearby:  # a connection costs nothing there, and none is left open when the server ends
                options["limits"] = HTTPX.Limits(max_keepalive_connections=0)
            http = openai.DefaultAsyncHttpxClient(**options)
            self._made = openai.AsyncOpenAI(
                base_url=self.base_url, api_key=self._key, max_retries=0, timeout=TIMEOUT, http_client=http
            )
        return self._made

    def _refusal(self, error: Exception) -> ApiError:
        """The provider's own words where there are any; 502 and 504 where it could not be reached or understood."""
        if isinstance(error, openai.APIStatusError):
            sent = error.response.headers.items()
            headers = {name: value for name, value in sent if name in PASSED_ON or name.startswith("x-ratelimit-")}
            said = error.body.get("message") if isinstance(error.body, dict) else None
            return ApiError(
                error.status_code,
                self._without_key(str(said or error.message)),
                type=error.type or ("server_error" if error.status_code >= 500 else "invalid_request_error"),
                code=error.code,
                param=error.param,
                headers=headers,
            )
        if isinstance(error, (openai.APITimeoutError, HTTPX.TimeoutException)):
            return ApiError(504, "The provider did not answer in time.", type="server_error", code="upstream_timeout")
        if isinstance(error, ValueError):
            return ApiError(
                502, "The provider sent something that is not JSON.", type="server_error", code="upstream_malformed"
            )
        if isinstance(error, (openai.APIConnectionError, HTTPX.HTTPError)):
            host = urlsplit(self.base_url).hostname
            return ApiError(
                502, f"The provider at {host} cannot be reached.", type="server_error", code="upstream_unreachable"
            )
        return ApiError(502, self._without_key(str(error)), type="server_error", code=getattr(error, "code", None))

    def _without_key(self, text: str) -> str:
        """Some providers repeat a wrong key in their answer."""
        return text.replace(self._key, "…") if self._key else text


def from_environment(base_url: str | None = None) -> Upstream:
    """The provider that the environment names: OPENAI_API_KEY, OPENAI_BASE_URL, COURSE_SMALL_MODEL, COURSE_LARGE_MODEL.

    Raises:
        CourseError: There is no key, or the address is not one.
    """
    base_url = base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI
    if urlsplit(base_url).scheme not in ("http", "https") or not urlsplit(base_url).hostname:
        raise CourseError(f"{base_url!r} is not the address of a provider.", fix=f"give one like {OPENAI}.")
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not key:
        raise CourseError(
            "The openai model needs a key, and OPENAI_API_KEY is not set.",
            fix="set it where you start the server; a provider of your own that needs none takes any word.",
        )
    small, large = os.environ.get("COURSE_SMALL_MODEL") or SMALL, os.environ.get("COURSE_LARGE_MODEL") or LARGE
    return Upstream(base_url, key, small, large)


def _family(id: str) -> str:
    """The id without a date at its end: "gpt-4.1-2025-04-14" -> "gpt-4.1"."""
    stem, *date = id.rsplit("-", 3)
    return stem if len(date) == 3 and all(part.isdigit() for part in date) else id


def _pieces(chunk: Any) -> Iterator[Piece]:
    for choice in chunk.choices:
        delta = choice.delta
        text, refusal = (delta.content or "", getattr(delta, "refusal", None)) if delta else ("", None)
        calls = [call.model_dump(exclude_none=True) for call in (delta.tool_calls or ())] if delta else []
        for call in calls:
            yield Piece(choice=choice.index, tool_call=call)
        if text or refusal or choice.finish_reason:
            yield Piece(text, choice.index, refusal=refusal, finish_reason=choice.finish_reason)


def _called(piece: Piece) -> str:
    return str(piece.tool_call["function"]) if piece.tool_call and "function" in piece.tool_call else ""

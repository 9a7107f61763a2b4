"""Scripted models for judged cases: answers that are found by what a prompt holds, and answers that wait for others.

Layer 2: imports `server.cases` and `server.wire`. A script belongs to one case and to the server's event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from course_utils.records import text_of
from course_utils.server.wire import ApiError, ChatRequest, Piece

Reply = str | ApiError
PATIENCE = 3.0  # real seconds that a held answer waits; only answers that do not do what is asked for wait so long
STRAY = "Nobody asked for this."  # the answer to a prompt that holds none of the keys


@dataclass
class ByKey:
    """Answers by which key a prompt holds, after the wait that belongs to it.

    Args:
        replies: Key -> the answer to a prompt that holds it; a key that several prompts may hold comes last.
        waits: Key -> course seconds before its answer, beside the scene's latency.
        hold: Key -> other keys: the answer to it is held until all of them have been asked for. So whether B begins
            before A has ended is seen for certain, however busy the machine is. The course clock stands still
            meanwhile.
    """

    replies: Mapping[str, Reply]
    waits: Mapping[str, float] = field(default_factory=dict)
    hold: Mapping[str, Collection[str]] = field(default_factory=dict)
    _asked: dict[str, asyncio.Event] = field(default_factory=dict)

    async def __call__(self, request: ChatRequest, number: int) -> list[Piece] | ApiError:
        key = key_in(request, self.replies)
        self._event(key).set()
        if key in self.hold:
            await self._all_asked(self.hold[key])
        reply = self.replies.get(key, STRAY)
        return reply if isinstance(reply, ApiError) else said(reply, self.waits.get(key, 0.0))

    async def _all_asked(self, keys: Collection[str]) -> None:
        """Wait for these, once: after a wait in vain nothing is held any more."""
        try:
            async with asyncio.timeout(PATIENCE):
                for key in keys:
                    await self._event(key).wait()
        except TimeoutError:
            for key in keys:
                self._event(key).set()

    def _event(self, key: str) -> asyncio.Event:
        return self._asked.setdefault(key, asyncio.Event())


def key_in(request: ChatRequest, keys: Iterable[str]) -> str:
    """The first of these keys that the prompt holds; "" when it holds none."""
    prompt = prompt_of(request)
    return next((key for key in keys if key in prompt), "")


def prompt_of(request: ChatRequest) -> str:
    """All message texts of a request."""
    return "\n".join(text_of(message.content) for message in request.messages)


def said(text: str, wait: float = 0.0) -> list[Piece]:
    """A whole answer, after `wait` course seconds."""
    return [Piece(text, wait=wait), Piece(finish_reason="stop")]


async def never() -> NoReturn:
    """The answer that does not come as long as anybody waits for it: whoever asked is killed meanwhile."""
    await asyncio.Event().wait()
    raise AssertionError


def failure(status: int) -> ApiError:
    """An error as a provider sends it."""
    codes = {400: "invalid_value", 401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
    kind = {429: "requests"}.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return ApiError(
        status,
        f"The scripted model answers with status {status}.",
        type=kind,
        code=codes.get(status, "server_error"),
    )

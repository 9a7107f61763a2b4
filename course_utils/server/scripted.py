"""A backend that answers from a script: for judged cases and for tests.

Layer 1: imports `meter`, `openai_api`, the practice model's sizes and tokens, and `wire`.
One `Scripted` belongs to one scope and one event loop.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace

from .meter import of_prompt
from .openai_api import context_exceeded, find_model
from .practice.sizes import SIZES
from .practice.tokens import tokens
from .wire import ApiError, ChatRequest, Model, Piece, Usage

Reply = str | list[Piece] | ApiError
Script = Callable[[ChatRequest, int], Reply | Awaitable[Reply]]


class Scripted:
    """Answers what the script says.

    Args:
        replies: A callable (request, its number from 1) -> a text, a list of pieces or an ApiError, also as a
            coroutine; or a sequence of those, used in order of arrival. After the last one the answer is 410.
        latency: Course seconds before each answer.
        most: So many requests are answered; the next get 410, so that an endless loop comes to an end.
        together: The first answers are held until this many requests are open at once. So calls that are made
            side by side overlap for certain, however busy the machine is; calls made one by one cost
            `patience` once, and then nothing is held any more.
        patience: Real seconds that an answer is held at most.
        models: What it offers; the two practice models when None.
    """

    name = "script"
    accepts_any_model = False

    def __init__(
        self,
        replies: Script | Sequence[Reply],
        *,
        latency: float = 0.0,
        most: int = 50,
        together: int = 1,
        patience: float = 1.0,
        models: Sequence[Model] | None = None,
    ) -> None:
        self._replies = replies
        self._latency = latency
        self._most = most
        self._together = together
        self._patience = patience
        # The practice model's two by default, so that a judged case costs what the lesson said.
        self._models = list(models if models is not None else (size.model() for size in SIZES.values()))
        self._complete = asyncio.Event()
        if together <= 1:
            self._complete.set()
        self._held = 0
        self.number = 0  # requests so far

    def models(self) -> list[Model]:
        return self._models

    async def stream(self, request: ChatRequest) -> AsyncIterator[Piece]:
        self.number += 1
        reply = await self._reply(request, self.number)
        if isinstance(reply, ApiError):
            raise reply
        prompt, model = of_prompt(request), find_model(self, request.model)
        if prompt > model.context_tokens:
            raise context_exceeded(model, prompt)
        if not self._complete.is_set():
            await self._hold()
        said = reply if isinstance(reply, list) else spoken(reply, request)
        written = "".join(piece.text + _arguments(piece) for piece in said)
        usage = Usage(prompt, request.n * len(tokens(written)))
        pieces = (
            [replace(piece, choice=choice) for choice in range(request.n) for piece in said] if request.n > 1 else said
        )
        for index, piece in enumerate(pieces):
            wait = piece.wait + (self._latency if index == 0 else 0.0)
            last = usage if index == len(pieces) - 1 else None
            yield replace(piece, wait=wait, usage=piece.usage or last)

    async def _reply(self, request: ChatRequest, number: int) -> Reply:
        if number > self._most:
            message = f"This script ends after {self._most} requests, and this was request {number}: an endless loop?"
            return ApiError(410, message, code="script_ended")
        if callable(self._replies):
            reply = self._replies(request, number)
            return await reply if inspect.isawaitable(reply) else reply
        if number <= len(self._replies):
            return self._replies[number - 1]
        message = f"This script has {len(self._replies)} answers; this was request {number}."
        return ApiError(410, message, code="script_ended")

    async def _hold(self) -> None:
        """Wait for the others, once."""
        self._held += 1
        if self._held >= self._together:
            self._complete.set()
        try:
            await asyncio.wait_for(self._complete.wait(), self._patience)
        except TimeoutError:
            self._complete.set()
        finally:
            self._held -= 1


def spoken(text: str, request: ChatRequest) -> list[Piece]:
    """The pieces of a text: one for each token, up to the caller's stop texts and token limit."""
    ends = [at for stop in request.stops if stop and (at := text.find(stop)) >= 0]
    parts = tokens(text[: min(ends, default=len(text))])
    limit = request.token_limit
    is_long = limit is not None and len(parts) > limit
    pieces = [Piece(part) for part in (parts[:limit] if is_long else parts)]
    return [*pieces, Piece(finish_reason="length" if is_long else "stop")]


def _arguments(piece: Piece) -> str:
    return (piece.tool_call or {}).get("function", {}).get("arguments") or ""

"""The practice model as a backend: checks the request, asks for an answer, and cuts it into timed pieces.

Layer 1: imports `errors`-free siblings and `wire`. Holds no state between requests, so it is safe to share.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from itertools import zip_longest
from typing import Any

from course_utils.server.practice.answers import Answer
from course_utils.server.practice.noise import Noise, noise_of
from course_utils.server.practice.reply import answer
from course_utils.server.practice.sizes import SIZES, Size
from course_utils.server.practice.tokens import compact, count_prompt, tokens
from course_utils.server.wire import ApiError, ChatRequest, Model, Piece, Usage

Part = str | dict[str, Any]  # one token: a piece of text, or a tool-call delta


class PracticeModel:
    """A simulator of two language models, `practice-small` and `practice-large`.

    Args:
        seed: Another seed draws other mistakes for the same requests.
    """

    name = "practice"
    accepts_any_model = False

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def models(self) -> list[Model]:
        return [size.model() for size in SIZES.values()]

    async def stream(self, request: ChatRequest) -> AsyncIterator[Piece]:
        for piece in self.pieces(request):
            yield piece

    def pieces(self, request: ChatRequest) -> Iterator[Piece]:
        """The whole answer, without an event loop.

        Raises:
            ApiError: Unknown model, too many tokens, or a schema that cannot be met; before the first piece.
        """
        size = _known(request.model)
        prompt_tokens = count_prompt(request.messages, request.tools, request.response_format)
        _check_length(request, prompt_tokens, size)
        room = min(request.token_limit or size.context_tokens, size.context_tokens - prompt_tokens)
        choices = []
        for number in range(request.n):
            noise = noise_of(request, number, self.seed)
            choices.append(_choice(answer(request, size, noise), request, number, noise, room))
        yield from _timed(choices, size, prompt_tokens, noise_of(request, 0, self.seed))


def _known(model: str) -> Size:
    if model in SIZES:
        return SIZES[model]
    raise ApiError(
        404,
        f"The model `{model}` does not exist or you do not have access to it.",
        code="model_not_found",
        param="model",
    )


def _check_length(request: ChatRequest, prompt_tokens: int, size: Size) -> None:
    wanted = prompt_tokens + (request.token_limit or 1)
    if wanted <= size.context_tokens:
        return
    if prompt_tokens >= size.context_tokens:
        fact = f"your messages resulted in {prompt_tokens} tokens. Please reduce the length of the messages."
    else:
        fact = (
            f"you requested {wanted} tokens ({prompt_tokens} in the messages, {request.token_limit} in the "
            f"completion). "
            "Please reduce the length of the messages or completion."
        )
    raise ApiError(
        400,
        f"This model's maximum context length is {size.context_tokens} tokens. However, {fact}",
        code="context_length_exceeded",
        param="messages",
    )


def _choice(made: Answer, request: ChatRequest, choice: int, noise: Noise, room: int) -> tuple[list[Part], str]:
    """The tokens of one choice, and why it ends."""
    if made.calls:
        parts, reason = _call_parts(made, choice, noise), "tool_calls"
    else:
        text, reason = _until_stop(made.text, request.stops), "stop"
        parts = list[Part](tokens(text))
    return (parts, reason) if len(parts) <= room else (parts[:room], "length")


def _call_parts(made: Answer, choice: int, noise: Noise) -> list[Part]:
    """Tool-call deltas: first the name with an id, then the arguments bit by bit; each counts as one token."""
    parts: list[Part] = []
    for index, call in enumerate(made.calls):
        digest = hashlib.sha256(noise.key + f"{choice}:{index}".encode()).hexdigest()
        function = {"name": call.name, "arguments": ""}
        parts.append({"index": index, "id": f"call_{digest[:24]}", "type": "function", "function": function})
        for token in tokens(compact(call.arguments)):
            parts.append({"index": index, "function": {"arguments": token}})
    return parts


def _until_stop(text: str, stops: list[str]) -> str:
    ends = [at for stop in stops if stop and (at := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text


def _timed(choices: list[tuple[list[Part], str]], size: Size, prompt: int, noise: Noise) -> Iterator[Piece]:
    """All choices side by side, as a provider generates them; the usage rides on the very last piece."""
    spread = 90 + noise.below(21, "latency")  # per cent
    wait = round((size.first_token + prompt / size.prefill) * spread / 100, 4)
    step = round(100 / (size.speed * spread), 5)
    left = len(choices)
    usage = Usage(prompt, sum(len(parts) for parts, _ in choices))
    ends = [[*parts, None] for parts, _ in choices]
    for row in zip_longest(*ends, fillvalue=""):
        for choice, part in enumerate(row):
            if part is None:  # the end costs no time, except that of the prompt when nothing was said
                left -= 1
                first = wait if not choices[choice][0] else 0.0
                yield Piece("", choice, None, None, choices[choice][1], first, usage if left == 0 else None)
            elif part:
                text, call = (part, None) if isinstance(part, str) else ("", part)
                yield Piece(text, choice, call, None, None, wait)
                wait = 0.0
        wait = step

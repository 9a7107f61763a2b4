"""Mistakes and variety that look random and are not: all draws come from a hash of the request.

Layer 1: imports `records` and `wire`. Only SHA-256 and whole numbers, so that every machine draws the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TypeVar

from course_utils.records import text_of
from course_utils.server.wire import ChatRequest

SCALE = 10_000
T = TypeVar("T")


class Noise:
    """Draws for one answer. The same tag always gives the same draw; order of asking does not matter."""

    def __init__(self, key: str) -> None:
        self.key = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()

    def below(self, limit: int, *tag: object) -> int:
        """A whole number from 0 up to, not including, `limit`."""
        draw = hashlib.sha256(self.key + repr(tag).encode("utf-8", "backslashreplace")).digest()[:8]
        return int.from_bytes(draw) % limit

    def chance(self, share: float, *tag: object) -> bool:
        """True in about this share (0 to 1) of all draws."""
        return self.below(SCALE, *tag) < round(share * SCALE)

    def pick(self, options: Sequence[T], *tag: object) -> T:
        return options[self.below(len(options), *tag)]


def noise_of(request: ChatRequest, choice: int, seed: int) -> Noise:
    """The noise of one choice: at temperature 0 a function of the conversation, else also of seed and choice.

    Args:
        choice: Number of the choice, from 0.
        seed: The seed of the whole practice model.
    """
    draw = [0, 0] if request.temperature == 0 else [request.seed or 0, choice + 1]
    return Noise(f"{seed}|{draw}|{conversation_key(request)}")


def conversation_key(request: ChatRequest) -> str:
    """What a model can see of a request: no limits, no streaming, no ids."""
    turns = [
        [turn.role, text_of(turn.content), turn.name, [call.get("function") for call in turn.tool_calls or ()]]
        for turn in request.messages
    ]
    seen = [request.model, turns, request.tools, request.tool_choice, request.response_format]
    return json.dumps(seen, sort_keys=True)

"""An answer on its way to the caller: gathered from pieces, and written as one JSON object or as a stream of events.

Layer 1: imports `wire`. The shapes are OpenAI's "chat.completion" and "chat.completion.chunk".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from .wire import Piece, Usage

DONE = b"data: [DONE]\n\n"


@dataclass(slots=True)
class Choice:
    """One of an answer's choices, as far as it has come."""

    text: str = ""
    refusal: str | None = None
    tool_calls: dict[int, dict[str, Any]] = field(default_factory=dict)  # by index
    finish_reason: str | None = None

    def add(self, piece: Piece) -> None:
        """Let it grow."""
        self.text += piece.text
        if piece.refusal is not None:
            self.refusal = (self.refusal or "") + piece.refusal
        if piece.tool_call is not None:
            self._add_call(piece.tool_call)
        self.finish_reason = piece.finish_reason or self.finish_reason

    def _add_call(self, delta: dict[str, Any]) -> None:
        empty = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
        call = self.tool_calls.setdefault(delta.get("index", 0), empty)
        call["id"] = delta.get("id") or call["id"]
        for name in ("name", "arguments"):
            call["function"][name] += delta.get("function", {}).get(name) or ""

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The tool calls in order."""
        return [self.tool_calls[index] for index in sorted(self.tool_calls)]

    @property
    def said(self) -> str:
        """Everything in one text; tool calls as JSON."""
        return (self.text or self.refusal or "") + (to_json(self.calls).decode() if self.calls else "")

    def message(self) -> dict[str, Any]:
        """The message object."""
        content = None if not self.text and (self.calls or self.refusal) else self.text
        message = {"role": "assistant", "content": content, "refusal": self.refusal, "annotations": []}
        return message | ({"tool_calls": self.calls} if self.calls else {})


class Answer:
    """One answer, as far as it has come.

    Args:
        id: The completion's id; `created` is in seconds since 1970.
        count: Number of choices the caller asked for.
    """

    def __init__(self, id: str, model: str, created: int, count: int = 1) -> None:
        self.id, self.model, self.created = id, model, created
        self.choices = [Choice() for _ in range(count)]
        self.usage: Usage | None = None
        self._begun: set[int] = set()

    def add(self, piece: Piece) -> None:
        """Let it grow."""
        self.choices[piece.choice].add(piece)
        self.usage = piece.usage or self.usage

    @property
    def finish_reason(self) -> str:
        """The first choice's; "" while there is none."""
        return self.choices[0].finish_reason or ""

    @property
    def texts(self) -> list[str]:
        """What each choice has said so far, tool calls as JSON."""
        return [choice.said for choice in self.choices]

    @property
    def text(self) -> str:
        """What has been said so far; several choices one below the other."""
        return "\n".join(self.texts)

    def completion(self) -> dict[str, Any]:
        """The whole answer; a choice that was cut has the finish reason null."""
        choices = [
            {"index": index, "message": choice.message(), "logprobs": None, "finish_reason": choice.finish_reason}
            for index, choice in enumerate(self.choices)
        ]
        return self._head("chat.completion") | {"choices": choices, "usage": in_words(self.usage or Usage(0, 0))}

    def events(self, piece: Piece, *, with_usage: bool) -> bytes:
        """The events for one piece; the first of a choice announces the role, as OpenAI's does."""
        deltas: list[tuple[dict[str, Any], str | None]] = []
        if piece.choice not in self._begun:
            self._begun.add(piece.choice)
            deltas.append(({"role": "assistant", "content": "", "refusal": None}, None))
        if delta := difference(piece):
            deltas.append((delta, None))
        if piece.finish_reason:
            deltas.append(({}, piece.finish_reason))
        return b"".join(self._event(piece.choice, delta, end, with_usage) for delta, end in deltas)

    def last_events(self, *, with_usage: bool) -> bytes:
        """The end of a complete stream: the usage where it was asked for, in an event without choices, then [DONE]."""
        if not with_usage:
            return DONE
        head = self._head("chat.completion.chunk")
        return event(head | {"choices": [], "usage": in_words(self.usage or Usage(0, 0))}) + DONE

    def _event(self, choice: int, delta: dict[str, Any], end: str | None, with_usage: bool) -> bytes:
        body = self._head("chat.completion.chunk")
        body["choices"] = [{"index": choice, "delta": delta, "logprobs": None, "finish_reason": end}]
        if with_usage:
            body["usage"] = None
        return event(body)

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "service_tier": "default",
            "system_fingerprint": "course",
        }


def difference(piece: Piece) -> dict[str, Any]:
    """What the piece adds, as a delta; {} when it adds nothing."""
    delta: dict[str, Any] = {}
    if piece.text:
        delta["content"] = piece.text
    if piece.refusal is not None:
        delta["refusal"] = piece.refusal
    if piece.tool_call is not None:
        delta["tool_calls"] = [piece.tool_call]
    return delta


def event(body: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + to_json(body) + b"\n\n"


def in_words(usage: Usage) -> dict[str, int]:
    """The usage object."""
    total = usage.prompt_tokens + usage.completion_tokens
    told = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": total,
    }
    return told | ({"estimated": True} if usage.is_estimated else {})

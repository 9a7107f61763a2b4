"""What each planned fault does to an answer, as far as the answer's pieces can show it.

Layer 1: imports `faults`, `limits`, `meter`, `practice.tokens` and `wire`. Faults come in three sorts:
refusals (rate_limited, quota_exceeded, server_error, unavailable) are errors in OpenAI's shape;
bent answers (slow, cut, empty, says) are made here from the backend's pieces, or instead of them;
broken connections and bodies (timeout, dropped, malformed) happen where bytes are sent, in `chat`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from course_utils.faults import Fault

from .limits import rate_limited, seconds
from .meter import usage
from .practice.tokens import tokens
from .wire import ApiError, ChatRequest, Piece

BENT = ("slow", "cut")  # what `bent` changes
BROKEN = ("timeout", "dropped", "malformed")  # what `chat` does where bytes are sent


def refusal(fault: Fault) -> ApiError | None:
    """The error that this fault answers with, if it is a refusal."""
    if fault.kind == "rate_limited":
        said = "Rate limit reached for requests (planned fault). Please slow down."
        return rate_limited(said, retry_after=fault.retry_after)
    if fault.kind == "quota_exceeded":
        said = "You exceeded your current quota, please check your plan and billing details (planned fault)."
        return ApiError(429, said, type="insufficient_quota", code="insufficient_quota")
    if fault.kind == "server_error":
        said = "The server had an error while processing your request (planned fault)."
        return ApiError(500, said, type="server_error", code="server_error")
    if fault.kind == "unavailable":
        after = {} if fault.retry_after is None else {"retry-after": seconds(fault.retry_after)}
        said = "The server is currently overloaded (planned fault). Please try again later."
        return ApiError(503, said, type="server_error", code="service_unavailable", headers=after)
    return None


def spoken(fault: Fault) -> str | None:
    """The text that this fault puts in place of an answer, if it does."""
    return {"empty": "", "says": fault.text}.get(fault.kind)


def bent(fault: Fault | None, pieces: AsyncIterator[Piece], choices: int) -> AsyncIterator[Piece]:
    """The pieces as this fault changes them; `pieces` itself when it does not."""
    if fault is not None and fault.kind == "slow":
        return slow(pieces, fault.seconds)
    if fault is not None and fault.kind == "cut":
        return cut(pieces, fault.tokens, choices)
    return pieces


async def slow(pieces: AsyncIterator[Piece], delay: float) -> AsyncIterator[Piece]:
    """The same pieces, the first one `delay` course seconds later."""
    async for piece in pieces:
        yield replace(piece, wait=piece.wait + delay) if delay else piece
        delay = 0.0


async def cut(pieces: AsyncIterator[Piece], count: int, choices: int) -> AsyncIterator[Piece]:
    """The first `count` tokens of each choice, and then nothing more: no finish reason, no usage."""
    left = dict.fromkeys(range(choices), count)
    async for piece in pieces:
        room = left[piece.choice]
        if piece.tool_call:
            function = piece.tool_call.get("function", {})
            kept = tokens(function.get("arguments") or "")[:room]
            call = piece.tool_call | {"function": function | {"arguments": "".join(kept)}}
        else:
            kept, call = tokens(piece.text)[:room], None
        left[piece.choice] = room - len(kept)
        if kept:
            text = "" if call else "".join(kept)
            yield replace(piece, text=text, tool_call=call, finish_reason=None, usage=None)
        if not any(left.values()):
            return  # the backend need not go on


async def instead(text: str, request: ChatRequest) -> AsyncIterator[Piece]:
    """This text for every choice, at once, as a complete answer."""
    for choice in range(request.n):
        last = choice == request.n - 1
        yield Piece(text, choice, finish_reason="stop", usage=usage(request, [text] * request.n) if last else None)

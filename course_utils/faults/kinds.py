"""One misbehaviour of the course server, as a value that can be sent as JSON.

Layer 0: imports nothing from this package. Times are seconds on the course clock.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal[
    "rate_limited", "quota_exceeded", "server_error", "unavailable", "slow", "timeout",
    "cut", "dropped", "malformed", "empty", "says",
]  # fmt: skip


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Fault(Value):
    """One misbehaviour of the server. Make it with one of the functions below."""

    kind: Kind
    seconds: float = Field(default=0.0, ge=0, le=3600)  # slow: extra delay; timeout: how long nothing comes
    retry_after: float | None = Field(default=None, ge=0)  # seconds; sent as the retry-after header
    tokens: int = Field(default=0, ge=0)  # cut: how many tokens get through
    text: str = ""  # says: the whole answer


def rate_limited(retry_after: float | None = 1.0) -> Fault:
    """429 rate_limit_exceeded; `retry_after=None` sends no retry-after header."""
    return Fault(kind="rate_limited", retry_after=retry_after)


def quota_exceeded() -> Fault:
    """429 insufficient_quota: the same status, but no waiting helps."""
    return Fault(kind="quota_exceeded")


def server_error() -> Fault:
    """500: something broke on the server's side."""
    return Fault(kind="server_error")


def unavailable(retry_after: float | None = None) -> Fault:
    """503: the server is overloaded or down for a while."""
    return Fault(kind="unavailable", retry_after=retry_after)


def slow(seconds: float) -> Fault:
    """The right answer, `seconds` later than usual."""
    return Fault(kind="slow", seconds=seconds)


def timeout(seconds: float = 60.0) -> Fault:
    """No answer at all; the connection closes after `seconds` unless the caller leaves first."""
    return Fault(kind="timeout", seconds=seconds)


def cut(tokens: int = 3) -> Fault:
    """The answer breaks off after `tokens` tokens: no finish reason, and no error either."""
    return Fault(kind="cut", tokens=tokens)


def dropped() -> Fault:
    """The connection closes before any answer."""
    return Fault(kind="dropped")


def malformed() -> Fault:
    """Status 200 with a body that is not JSON."""
    return Fault(kind="malformed")


def empty() -> Fault:
    """Status 200, finish reason "stop", and an empty text."""
    return Fault(kind="empty")


def says(text: str) -> Fault:
    """Status 200 with exactly this text, whatever was asked."""
    return Fault(kind="says", text=text)

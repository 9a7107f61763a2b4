"""A rate limit as a token bucket, and how OpenAI tells callers about it.

Layer 1: imports `wire`. Time comes in as an argument (seconds on the scope's course clock), so the bucket
works the same on a real clock and on a virtual one. Not safe to share between threads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from .wire import ApiError


class Rate(BaseModel):
    """A rate limit: so many requests per second in the long run, and `burst` of them at one moment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_second: float = Field(gt=0, le=1e6)
    burst: int = Field(default=1, ge=1, le=1_000_000)


@dataclass
class Bucket:
    """Holds up to `rate.burst` tokens and gains `rate.per_second` of them; full at first."""

    rate: Rate
    filled_at: float = 0.0  # course seconds
    tokens: float = math.nan

    def __post_init__(self) -> None:
        if math.isnan(self.tokens):
            self.tokens = float(self.rate.burst)

    def take(self, now: float) -> float:
        """0 when a token was there and is taken; else the seconds until there is one. Refusals take none."""
        gained = max(0.0, now - self.filled_at) * self.rate.per_second
        self.tokens = min(float(self.rate.burst), self.tokens + gained)
        self.filled_at = max(now, self.filled_at)
        if self.tokens >= 1 - 1e-6:  # a caller who waited just as long as told may not fail by a rounding error
            self.tokens = max(0.0, self.tokens - 1)
            return 0.0
        return (1 - self.tokens) / self.rate.per_second

    def headers(self) -> dict[str, str]:
        """OpenAI's x-ratelimit headers, as of the last `take`."""
        full_in = (self.rate.burst - self.tokens) / self.rate.per_second
        return {
            "x-ratelimit-limit-requests": str(self.rate.burst),
            "x-ratelimit-remaining-requests": str(math.floor(self.tokens + 1e-6)),
            "x-ratelimit-reset-requests": duration(full_in),
        }


def too_many(wait: float, bucket: Bucket) -> ApiError:
    """The 429 for a caller who has to wait so many seconds for the next token."""
    return rate_limited(
        f"Rate limit reached: {bucket.rate.per_second:g} requests per second, burst {bucket.rate.burst}. "
        f"Please try again in {duration(wait)}.",
        retry_after=wait,
        headers=bucket.headers(),
    )


def rate_limited(message: str, *, retry_after: float | None, headers: dict[str, str] | None = None) -> ApiError:
    """OpenAI's refusal of a caller who is too fast."""
    after = {} if retry_after is None else {"retry-after": seconds(retry_after)}
    return ApiError(429, message, type="requests", code="rate_limit_exceeded", headers=after | (headers or {}))


def seconds(wait: float) -> str:
    """A retry-after value, rounded up to milliseconds so that waiting that long is enough.

    HTTP asks for whole seconds; a course clock needs finer ones, and the SDKs read decimals.

    >>> seconds(2.0), seconds(0.25), seconds(1 / 3)
    ('2', '0.25', '0.334')
    """
    return f"{math.ceil(round(wait * 1000, 6)) / 1000:.3f}".rstrip("0").rstrip(".")


def duration(wait: float) -> str:
    """A length of time as OpenAI's x-ratelimit-reset headers write it.

    >>> duration(0.02), duration(1.5), duration(360), duration(0)
    ('20ms', '1.5s', '6m0s', '0s')
    """
    milliseconds = math.ceil(round(wait * 1000, 6))
    if 0 < milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes}m{rest / 1000:g}s" if minutes else f"{rest / 1000:g}s"

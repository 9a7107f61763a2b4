"""How the course server misbehaves on request: faults, and plans that say when one strikes.

Layer 0. Everything here is a frozen pydantic value, so a plan can be composed in a notebook, sent to the server as
JSON, and printed. Times are seconds on the course clock.

    from course_utils import faults
    plan = faults.either(faults.first(2, faults.rate_limited(retry_after=1)), faults.every(5, faults.slow(2)))
"""

from course_utils.faults.kinds import (
    Fault,
    cut,
    dropped,
    empty,
    malformed,
    quota_exceeded,
    rate_limited,
    says,
    server_error,
    slow,
    timeout,
    unavailable,
)
from course_utils.faults.plans import (
    PLAN,
    Arrival,
    Plan,
    after,
    at,
    chance,
    during,
    either,
    every,
    first,
    never,
    on_model,
    on_step,
)

__all__ = [
    "PLAN",
    "Arrival",
    "Fault",
    "Plan",
    "after",
    "at",
    "chance",
    "cut",
    "dropped",
    "during",
    "either",
    "empty",
    "every",
    "first",
    "malformed",
    "never",
    "on_model",
    "on_step",
    "quota_exceeded",
    "rate_limited",
    "says",
    "server_error",
    "slow",
    "timeout",
    "unavailable",
]

"""Faults to choose from in a fault lab: ready sets, and the parts that a learner puts together.

Layer 0: imports `errors` and the faults. Every name says what happens, so that it can stand in a table.
"""

from __future__ import annotations

from collections.abc import Callable

from course_utils.errors import CourseError
from course_utils.faults import kinds, plans

USUAL: dict[str, plans.Plan] = {
    "no faults": plans.never(),
    "the first request: 503": plans.first(1, kinds.unavailable()),
    "every 3rd request: 503": plans.every(3, kinds.unavailable()),
    "every 3rd request: 3 s late": plans.every(3, kinds.slow(3)),
    "every 3rd request: cut off": plans.every(3, kinds.cut()),
    "all requests: 503": plans.after(0, kinds.unavailable()),
}
KINDS: dict[str, kinds.Fault] = {
    "503 unavailable": kinds.unavailable(),
    "500 server error": kinds.server_error(),
    "429 rate limited": kinds.rate_limited(),
    "429 quota exceeded": kinds.quota_exceeded(),
    "3 s late": kinds.slow(3),
    "no answer for 10 s": kinds.timeout(10),
    "cut off": kinds.cut(),
    "connection dropped": kinds.dropped(),
    "malformed JSON": kinds.malformed(),
    "an empty text": kinds.empty(),
}
OFTEN: dict[str, Callable[[kinds.Fault], plans.Plan]] = {
    "the first request": lambda fault: plans.first(1, fault),
    "the first 3 requests": lambda fault: plans.first(3, fault),
    "every 2nd request": lambda fault: plans.every(2, fault),
    "every 3rd request": lambda fault: plans.every(3, fault),
    "1 request in 5, by chance": lambda fault: plans.chance(0.2, fault),
    "all requests": lambda fault: plans.after(0, fault),
}


def mixed(kind: str, often: str, step: str = "") -> tuple[str, plans.Plan]:
    """A name and a plan from one of `KINDS` and one of `OFTEN`, for one step or for all.

    Raises:
        CourseError: There is no such choice.

    >>> mixed("cut off", "the first request", "draft")[0]
    'the first request of draft: cut off'
    """
    for given, choices in ((kind, KINDS), (often, OFTEN)):
        if given not in choices:
            raise CourseError(f"{given!r} is none of the choices.", fix=f"choose one of: {', '.join(choices)}.")
    plan = OFTEN[often](KINDS[kind])
    return f"{often}{f' of {step}' if step else ''}: {kind}", plans.on_step(step, plan) if step else plan

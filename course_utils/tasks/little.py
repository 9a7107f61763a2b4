"""Exercise 4, "Stay under the speed limit", warm-up: Little's law says how many workers keep a plan full.

Layer 2: imports `expect`, `texts` and `server.cases`. No model is asked: the number itself is judged.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import ceil, floor
from random import Random

from course_utils.server.cases import Case, Finding, Seen, Task
from course_utils.tasks import expect
from course_utils.tasks.texts import answers

CALL_ONLY = "that a worker's stay is its call; it waits for its turn as well."
PART = "that a part of a worker can be left out; then the plan is never quite full."
# But for a whole number, whoever rounds down and whoever leaves out the gap come to the same.
ROUND_UP = "a part of a worker is one worker more: round up. (You do? Then look at its stay: the gap belongs to it.)"
SLIPS: list[tuple[Callable[[float, float], float], str, str]] = [  # (rate, stay) -> a number, what to look at, belief
    (lambda rate, stay: floor(rate * stay), ROUND_UP, PART),
    (lambda rate, stay: ceil(rate * stay - 1), "how long does a worker stay from one start to its next?", CALL_ONLY),
    (lambda rate, stay: ceil(60 * rate * stay), "calls per second, times seconds: see that the units agree.", ""),
    (lambda rate, stay: floor(rate * stay) + 1, "a whole number needs no rounding: `math.ceil` leaves it alone.", ""),
    (lambda rate, stay: ceil(rate * stay - 1 + 1 / rate), "rate × (seconds + gap): mind the brackets.", ""),
    (lambda rate, stay: rate * stay, "round up to whole workers: `math.ceil`.", ""),
]


def workers_needed(per_minute: float, seconds: float) -> int:
    """So many workers keep the plan full when each call takes `seconds`, and each start waits for its turn."""
    rate = per_minute / 60
    return ceil(rate * (seconds + 1 / rate))


def little(rng: Random) -> list[Case]:
    return [
        little_case("a whole number", rng, 60, 0.0),  # first: here the slips that look alike elsewhere differ
        little_case("one call in two seconds", rng, 30, 0.5),  # second: here brackets show
        little_case("480 per minute", rng, 480, 0.5),
        little_case("a little more than a whole number", rng, 240, 0.25),
        little_case("a little less than a whole number", rng, 120, 0.75),
        little_case("one call in three seconds", rng, 20, 0.25, held_back=True),
        little_case("a whole number of quick calls", rng, 480, 0.0, held_back=True),
    ]


def little_case(name: str, rng: Random, per_minute: int, part: float, *, held_back: bool = False) -> Case:
    """A plan and a call whose product is a whole number and this part of one."""
    seconds = (rng.randint(2, 12) + part) * 60 / per_minute
    judge = partial(judge_little, per_minute=per_minute, seconds=seconds)
    return Case(name, {"per_minute": per_minute, "seconds": seconds}, answers(""), judge, held_back)


def judge_little(seen: Seen, *, per_minute: int, seconds: float) -> Finding | None:
    given = f"per_minute={per_minute}, seconds={seconds:g}"
    rate, wanted = per_minute / 60, workers_needed(per_minute, seconds)
    stay, needs = seconds + 1 / rate, f"a whole number of workers, here {wanted}"
    if found := expect.crashed(seen, given=given, needs=needs):
        return found
    got = seen.returned
    if isinstance(got, (int, float)) and not isinstance(got, bool) and got == wanted:
        return None
    what, fix, belief = f"your function gave {seen.outcome}", "L = λW, and then rounded up.", ""
    if got is None:
        fix = "`return` the number; printing it gives back None."
    for slip, look, why in SLIPS:
        if isinstance(got, (int, float)) and abs(got - slip(rate, stay)) < 1e-9:
            fix, belief = look, why
            break
    return Finding(given, what, needs, fix, belief)


TASK = Task(
    "limits.workers",
    "How many workers?",
    1,
    little,
    (
        "Little's law: what is open = how many start per second × how long one of them stays. What is a worker's stay?",
        "A worker stays for the call and for one gap, in which it waits for its turn.",
        "`return ceil(rate * (seconds + gap))`.",
    ),
    models={},
)

"""What a record block asks of the server: a fault plan, a rate limit, or both, as the JSON that the server takes.

Layer 2: imports `errors` and `faults`.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from course_utils.errors import CourseError
from course_utils.faults import PLAN, Plan
from course_utils.faults.plans import During, Either, OnModel, OnStep, plan_of

NONE: dict[str, Any] = {"plan": None, "rate": None}  # behave


def conditions(faults: Plan | None, rate: float | tuple[float, int] | None) -> dict[str, Any]:
    """The body of the request that sets them.

    Args:
        rate: Requests per second, or (requests per second, burst).

    Raises:
        CourseError: `faults` is no plan, or `rate` no rate.
    """
    return {"plan": None if faults is None else plan(faults), "rate": None if rate is None else limits(rate)}


def plan(faults: Any) -> dict[str, Any]:
    """The plan as JSON."""
    return PLAN.dump_python(plan_of(faults, "faults="), mode="json")


def steps(plan: Plan | None) -> set[str]:
    """The names of the steps that a plan lies in wait for."""
    match plan:
        case OnStep():
            return {plan.step}
        case OnModel() | During():
            return steps(plan.plan)
        case Either():
            return set().union(*map(steps, plan.plans))
    return set()


def misspelt(faults: Plan | None, seen: set[str]) -> str:
    """What to say of a step that the plan waits for, when only others came that look like it; "" when all is well.

    A step that never came is no mistake by itself: a gate may have stopped the workflow before it.
    """
    for step in sorted(steps(faults) - seen) if seen else ():
        if seen == {""}:
            return f"The fault plan waits for the step {step!r}, but no request named its step (step=…)."
        others = [other for other in seen - steps(faults) if re.findall(r"\d+", other) == re.findall(r"\d+", step)]
        alike = {other.lower(): other for other in sorted(others)}
        if close := get_close_matches(step.lower(), alike, n=1, cutoff=0.6):
            return f"The fault plan waits for the step {step!r}, and only {alike[close[0]]!r} came."
    return ""


def limits(rate: Any) -> dict[str, float]:
    """The rate limit as JSON."""
    try:
        per_second, burst = rate if isinstance(rate, tuple) else (rate, 1)
        return {"per_second": float(per_second), "burst": int(burst)}
    except (TypeError, ValueError):
        fact = f"rate={rate!r} is not a rate."
        raise CourseError(fact, fix="write requests per second, such as 2, or with a burst: (2, 5).") from None

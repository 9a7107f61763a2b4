"""When a fault strikes: rules that look at a request's number, step, model or moment, and combinations of them.

Layer 0: imports `errors` and `faults.kinds`. Numbers count from 1 since the plan was set.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, TypeAdapter

from course_utils.errors import CourseError
from course_utils.faults.kinds import Fault, Value


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a plan may look at: which request this is, counted from 1 since the plan was set."""

    number: int  # among all requests
    step: str = ""
    step_number: int = 0  # among the requests with the same step name
    model: str = ""
    model_number: int = 0  # among the requests for the same model
    at: float = 0.0  # course seconds since the plan was set


class First(Value):
    when: Literal["first"] = "first"
    count: int = Field(ge=0)
    fault: Fault

    def strikes(self, arrival: Arrival) -> Fault | None:
        return self.fault if arrival.number <= self.count else None


class Every(Value):
    when: Literal["every"] = "every"
    count: int = Field(ge=1)
    fault: Fault

    def strikes(self, arrival: Arrival) -> Fault | None:
        return self.fault if arrival.number % self.count == 0 else None


class At(Value):
    when: Literal["at"] = "at"
    numbers: tuple[int, ...]
    fault: Fault

    def strikes(self, arrival: Arrival) -> Fault | None:
        return self.fault if arrival.number in self.numbers else None


class After(Value):
    when: Literal["after"] = "after"
    count: int = Field(ge=0)
    fault: Fault

    def strikes(self, arrival: Arrival) -> Fault | None:
        return self.fault if arrival.number > self.count else None


class Chance(Value):
    when: Literal["chance"] = "chance"
    share: float = Field(ge=0, le=1)
    fault: Fault
    seed: int = 0

    def strikes(self, arrival: Arrival) -> Fault | None:
        draw = hashlib.sha256(f"{self.seed}:{arrival.number}".encode()).digest()[:8]
        return self.fault if int.from_bytes(draw) < self.share * 2**64 else None


class OnStep(Value):
    when: Literal["on_step"] = "on_step"
    step: str
    plan: Plan

    def strikes(self, arrival: Arrival) -> Fault | None:
        own = replace(arrival, number=arrival.step_number)
        return self.plan.strikes(own) if arrival.step == self.step else None


class OnModel(Value):
    when: Literal["on_model"] = "on_model"
    model: str
    plan: Plan

    def strikes(self, arrival: Arrival) -> Fault | None:
        own = replace(arrival, number=arrival.model_number)
        return self.plan.strikes(own) if arrival.model == self.model else None


class During(Value):
    when: Literal["during"] = "during"
    begin: float = Field(ge=0)  # course seconds since the plan was set
    end: float = Field(ge=0)
    plan: Plan

    def strikes(self, arrival: Arrival) -> Fault | None:
        return self.plan.strikes(arrival) if self.begin <= arrival.at < self.end else None


class Either(Value):
    when: Literal["either"] = "either"
    plans: tuple[Plan, ...] = ()

    def strikes(self, arrival: Arrival) -> Fault | None:
        return next((fault for plan in self.plans if (fault := plan.strikes(arrival))), None)


Plan = Annotated[First | Every | At | After | Chance | OnStep | OnModel | During | Either, Field(discriminator="when")]
for _model in (OnStep, OnModel, During, Either):
    _model.model_rebuild()
PLAN: TypeAdapter[Plan] = TypeAdapter(Plan)
PLANS = get_args(get_args(Plan)[0])


def plan_of(given: Any, before: str, behind: str = "") -> Plan:
    """`given`, if it is a plan; a fault alone does not say when it strikes, and is refused with the mend.

    Args:
        before, behind: What stands around the plan where it was given, for the message: "either(" and ")".

    Raises:
        CourseError: It is a fault, or something else that is no plan.
    """
    if isinstance(given, PLANS):
        return given
    if isinstance(given, Fault):
        fact = f"{given.kind} is a fault; a plan says when it strikes."
        raise CourseError(fact, fix=f"wrap it, as in {before}first(1, {given.kind}(…)){behind}.")
    name = getattr(given, "__name__", None) or repr(given)
    fix = f"make one, as in {before}first(1, rate_limited()){behind}."
    raise CourseError(f"{before}{name}{behind} is not a plan.", fix=fix)


def first(count: int, fault: Fault) -> First:
    """Misbehave on the first `count` requests, then behave."""
    return First(count=count, fault=fault)


def every(count: int, fault: Fault) -> Every:
    """Misbehave on request `count`, 2·`count`, 3·`count`, …"""
    return Every(count=count, fault=fault)


def at(*numbers: int, fault: Fault) -> At:
    """Misbehave on exactly these requests, counted from 1."""
    return At(numbers=numbers, fault=fault)


def after(count: int, fault: Fault) -> After:
    """Behave for `count` requests, then misbehave for ever."""
    return After(count=count, fault=fault)


def chance(share: float, fault: Fault, *, seed: int = 0) -> Chance:
    """Misbehave on about this `share` (0 to 1) of the requests: the same ones for the same seed."""
    return Chance(share=share, fault=fault, seed=seed)


def on_step(step: str, plan: Plan) -> OnStep:
    """Apply `plan` only to requests of one step, with its numbers counted within that step."""
    return OnStep(step=step, plan=plan_of(plan, f"on_step({step!r}, ", ")"))


def on_model(model: str, plan: Plan) -> OnModel:
    """Apply `plan` only to requests for one model id, with its numbers counted for that model."""
    return OnModel(model=model, plan=plan_of(plan, f"on_model({model!r}, ", ")"))


def during(begin: float, end: float, plan: Plan) -> During:
    """Apply `plan` only between these course seconds after it was set: an outage, whatever is tried meanwhile.

    The counts of `plan` go on outside. On a clock that ticks, a request at the edge may fall on either side.
    """
    return During(begin=begin, end=end, plan=plan_of(plan, f"during({begin!r}, {end!r}, ", ")"))


def either(*plans: Plan) -> Either:
    """The first of `plans` that has a fault for this request decides."""
    return Either(plans=tuple(plan_of(plan, "either(", ", …)") for plan in plans))


def never() -> Either:
    """Always behave."""
    return Either()

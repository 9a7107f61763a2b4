"""Fault plans: on which requests they strike, and that they survive a trip through JSON."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from course_utils.faults import (
    PLAN,
    Arrival,
    after,
    at,
    chance,
    cut,
    dropped,
    during,
    either,
    empty,
    every,
    first,
    malformed,
    never,
    on_model,
    on_step,
    quota_exceeded,
    rate_limited,
    says,
    server_error,
    slow,
    timeout,
    unavailable,
)  # fmt: skip

FAULTS = [
    rate_limited(2), rate_limited(None), quota_exceeded(), server_error(), unavailable(1), slow(2), timeout(3), cut(4),
    dropped(), malformed(), empty(), says("no"),
]  # fmt: skip


def arrivals(*calls):
    """The arrivals of these (step, model) calls, counted as the server counts them."""
    counts = Counter()
    for number, (step, model) in enumerate(calls, 1):
        counts.update([("step", step), ("model", model)])
        yield Arrival(number, step, counts["step", step], model, counts["model", model])


def struck(plan, *calls):
    """The numbers of the calls on which the plan strikes; plain calls when none are given."""
    calls = calls or (("", "m"),) * 10
    return [arrival.number for arrival in arrivals(*calls) if plan.strikes(arrival)]


@pytest.mark.parametrize(
    ("plan", "numbers"),
    [
        (first(2, server_error()), [1, 2]),
        (first(0, server_error()), []),
        (every(3, server_error()), [3, 6, 9]),
        (at(2, 5, fault=server_error()), [2, 5]),
        (after(8, server_error()), [9, 10]),
        (never(), []),
        (chance(1.0, server_error()), list(range(1, 11))),
        (chance(0.0, server_error()), []),
        (either(first(1, server_error()), every(5, slow(1))), [1, 5, 10]),
    ],
)
def test_plans_strike_where_they_say(plan, numbers):
    """Each plan strikes on exactly the requests that its name tells."""
    assert struck(plan) == numbers


def test_the_first_plan_with_a_fault_decides():
    """Where two plans strike the same request, the one named first wins."""
    plan = either(first(1, rate_limited(2)), every(1, server_error()))
    assert [plan.strikes(arrival).kind for arrival in arrivals(("", "m"), ("", "m"))] == [
        "rate_limited",
        "server_error",
    ]


def test_plans_on_a_step_count_within_it():
    """The second call of the step is struck, whatever comes between, and no other step."""
    calls = [("plan", "m"), ("draft", "m"), ("plan", "m"), ("draft", "m")]
    assert struck(on_step("plan", at(2, fault=server_error())), *calls) == [3]


def test_plans_on_a_model_count_within_it():
    """The first call to the model is struck, and no other model's."""
    calls = [("", "small"), ("", "large"), ("", "large")]
    assert struck(on_model("large", first(1, server_error())), *calls) == [2]


def test_plans_during_a_time_strike_in_it_alone():
    """From the first moment on and not at the last one, and a plan inside another one sees the same moment."""
    plan = during(10, 20, on_model("large", every(1, server_error())))
    calls = [(9.9, "large"), (10, "large"), (15, "small"), (19.9, "large"), (20, "large")]
    assert [at for at, model in calls if plan.strikes(Arrival(1, "", 1, model, 1, at))] == [10, 19.9]
    turned = on_model("large", during(10, 20, every(1, server_error())))
    assert [at for at, model in calls if turned.strikes(Arrival(1, "", 1, model, 1, at))] == [10, 19.9]


def test_plans_nest():
    """A plan on a step may hold a plan on a model; the counts are the inner one's."""
    calls = [("plan", "large"), ("draft", "small"), ("plan", "small"), ("plan", "small")]
    assert struck(on_step("plan", on_model("small", first(2, empty()))), *calls) == [3]


def test_chance_is_the_same_for_the_same_seed():
    """The draw depends on seed and number only, and hits about the share asked for."""
    calls = (("", "m"),) * 2000
    one, again, other = (struck(chance(0.3, empty(), seed=seed), *calls) for seed in (1, 1, 2))
    assert one == again != other
    assert 500 < len(one) < 700


@given(st.sampled_from(FAULTS), st.integers(0, 9), st.floats(0, 1), st.text(max_size=9))
def test_every_plan_survives_json(fault, count, share, name):
    """What is composed in a notebook arrives at the server as the same value."""
    parts = [first(count, fault), every(count + 1, fault), at(count, fault=fault), after(count, fault)]
    plan = either(
        on_step(name, either(*parts)),
        on_model(name, chance(share, fault, seed=count)),
        during(share, count, at(1, fault=fault)),
        never(),
    )
    assert PLAN.validate_json(PLAN.dump_json(plan)) == plan


@pytest.mark.parametrize(
    "wrong",
    [
        {"when": "first", "count": -1, "fault": {"kind": "empty"}},
        {"when": "every", "count": 0, "fault": {"kind": "empty"}},
        {"when": "chance", "share": 1.5, "fault": {"kind": "empty"}},
        {"when": "first", "count": 1, "fault": {"kind": "unheard_of"}},
        {"when": "first", "count": 1, "fault": {"kind": "slow", "seconds": -1}},
        {"when": "first", "count": 1, "fault": {"kind": "empty"}, "extra": 1},
        {"when": "never"},
        {"when": "during", "begin": -1, "end": 1, "plan": {"when": "first", "count": 1, "fault": {"kind": "empty"}}},
        {},
    ],
)
def test_a_wrong_plan_is_refused(wrong):
    """Neither a typing mistake nor an impossible number becomes a plan that quietly does nothing."""
    with pytest.raises(ValidationError):
        PLAN.validate_python(wrong)


def test_faults_are_values():
    """They can be compared, shared, and not be changed."""
    fault = slow(2)
    assert fault == slow(2) and hash(fault) == hash(slow(2))
    with pytest.raises(ValidationError):
        fault.seconds = 3

"""A fault plan and a rate limit on their way to the server, and what stands in their place by mistake."""

from __future__ import annotations

from typing import get_args

import pytest

from course_utils import faults
from course_utils.conditions import NONE, conditions, misspelt
from course_utils.errors import CourseError
from course_utils.faults.kinds import Fault, Kind
from course_utils.server import mischief


def test_nothing_asked_for_is_no_condition():
    """A plain record block lets the server behave."""
    assert conditions(None, None) == NONE


def test_a_plan_and_a_rate_become_json():
    """What the server gets can be read back as the same plan."""
    wanted = conditions(faults.first(2, faults.slow(3)), (2, 5))
    assert faults.PLAN.validate_python(wanted["plan"]) == faults.first(2, faults.slow(3))
    assert wanted["rate"] == {"per_second": 2.0, "burst": 5}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (faults.rate_limited(), "wrap it, as in faults=first(1, rate_limited(…))"),
        (faults.rate_limited, "faults=rate_limited is not a plan"),
        ([faults.first(1, faults.empty())], "is not a plan"),
    ],
)
def test_what_is_no_plan_is_refused_with_the_mend(wrong, words):
    """The commonest slip, a fault without a plan, gets its own sentence."""
    with pytest.raises(CourseError) as refused:
        conditions(wrong, None)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("compose", "fact", "fix"),
    [
        (
            lambda: faults.on_step("a", faults.slow(6)),
            "slow is a fault; a plan says when",
            "on_step('a', first(1, slow(…)))",
        ),
        (lambda: faults.on_model("m", faults.empty()), "empty is a fault", "on_model('m', first(1, empty(…)))"),
        (lambda: faults.during(0, 60, faults.cut()), "cut is a fault", "during(0, 60, first(1, cut(…)))"),
        (lambda: faults.either(faults.never(), faults.says("no")), "says is a fault", "either(first(1, says(…)), …)"),
        (
            lambda: faults.on_step("a", faults.slow),
            "on_step('a', slow) is not a plan",
            "on_step('a', first(1, rate_limited()))",
        ),
    ],
)
def test_a_fault_inside_a_plan_is_refused_in_the_same_words(compose, fact, fix):
    """A bare fault in a combination is told apart as in `record`, and the mend shows it where it was given."""
    with pytest.raises(CourseError) as refused:
        compose()
    assert (fact in refused.value.fact, fix in refused.value.fix) == (True, True), str(refused.value)


@pytest.mark.parametrize("wrong", [(1,), "fast", [2, 5], (2, None)])
def test_what_is_no_rate_is_refused(wrong):
    """A rate is a number, or a number and a burst."""
    with pytest.raises(CourseError, match="is not a rate"):
        conditions(None, wrong)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_of_fault_does_something(kind):
    """A kind that is only a name would be logged and change nothing."""
    fault = Fault(kind=kind)
    does = [mischief.refusal(fault) is not None, mischief.spoken(fault) is not None]
    assert any([*does, kind in mischief.BENT, kind in mischief.BROKEN])


@pytest.mark.parametrize(
    ("named", "seen", "words"),
    [
        ("repli", {"reply", "summarise"}, "'repli', and only 'reply' came"),
        ("Reply", {"reply"}, "'Reply', and only 'reply' came"),
        ("reply", {""}, "no request named its step"),
        ("vote 3", {"vote 1", "vote 2"}, ""),  # stopped before the third
        ("reply", {"summarise"}, ""),  # a gate held
        ("reply", {"reply"}, ""),
        ("reply", set(), ""),
    ],
)
def test_a_misspelt_step_is_told_from_one_that_was_not_reached(named, seen, words):
    """Only a name that looks like one that came, or that could not come, is spoken of."""
    inner = faults.on_step(named, faults.first(1, faults.slow(1)))
    plan = faults.either(faults.during(0, 60, faults.on_model("small", inner)))
    said = misspelt(plan, seen)
    assert (words in said) if words else not said

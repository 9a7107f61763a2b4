"""Numbers of one's own: drawn from a seed, put into texts and cases, and judged."""

from __future__ import annotations

from random import Random

import pytest

from course_utils.errors import CourseError
from course_utils.server.cases import Task
from course_utils.server.own_numbers import exchanged, in_numbers, numbers_of, pairs
from course_utils.tasks import TASKS

OWN = {name: task for name, task in TASKS.items() if task.own}


def task(**own) -> Task:
    return Task("a.check", "A task", 1, lambda rng, **numbers: [], ("At most 20 words, price 7.",), own=own)


def test_without_a_seed_the_courses_numbers():
    """The first value of each is what the course's own text says."""
    assert numbers_of(task(most=(20, 17), price=(7, 9)), None) == {"most": 20, "price": 7}


def test_a_seed_decides_once_and_for_all():
    """The same learner has the same numbers every time; a class has many different ones."""
    one = task(most=(20, *range(12, 20)))
    assert numbers_of(one, 5) == numbers_of(one, 5)
    assert len({numbers_of(one, seed)["most"] for seed in range(100)}) == 9


def test_a_text_has_the_learners_numbers():
    """Every number of the task is replaced, at once: none of them twice."""
    swapped = task(most=(20, 7), price=(7, 20))
    seed = next(seed for seed in range(100) if numbers_of(swapped, seed) == {"most": 7, "price": 20})
    assert in_numbers(swapped.hints[0], swapped, seed) == "At most 7 words, price 20."
    assert in_numbers(swapped.hints[0], swapped, None) == swapped.hints[0]
    assert in_numbers("At most 20 words", task(), 5) == "At most 20 words"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("20", "17"),
        ("20 of 200, 120, 2.20, 20.5; 20.", "17 of 200, 120, 2.20, 20.5; 17."),
        ("x20 20x", "x20 20x"),
        ("<=20:", "<=17:"),
    ],
)
def test_only_a_number_that_stands_alone_is_replaced(text, found):
    """Digits inside other numbers and names stay."""
    assert exchanged(text, {"20": "17"}) == found


def test_two_numbers_that_look_alike_are_refused():
    """A text could not say which of them is meant."""
    with pytest.raises(CourseError, match="two numbers of its own that are the same"):
        pairs(task(most=(20, 17), price=(20, 9)), 5)


@pytest.mark.parametrize("name", OWN)
def test_every_value_makes_cases(name):
    """Whatever a learner is given, the task has its cases, always as many, and its numbers are in them."""
    own = OWN[name].own
    made = {number: OWN[name].cases(Random(1), **{key: number}) for key, values in own.items() for number in values}
    assert len({len(cases) for cases in made.values()}) == 1
    assert len(made) > 5


def test_some_tasks_have_numbers_of_their_own():
    """Otherwise the tests above would test nothing."""
    assert {"chain.gate", "routing.cascade"} <= set(OWN)

"""The numbers of a task's statement that every learner may have for themselves: the same skill, another answer.

Layer 1: imports `cases`. Without a seed a task has the course's own numbers, which stand in its source.
"""

from __future__ import annotations

import re
from random import Random

from course_utils.errors import CourseError
from course_utils.server.cases import Task


def numbers_of(task: Task, seed: int | None) -> dict[str, int]:
    """The task's own numbers by name, as `task.cases` takes them.

    Args:
        seed: The learner's; None for the course's numbers.
    """
    draw = Random(f"{seed}\0{task.check}").choice if seed is not None else lambda values: values[0]
    return {name: draw(values) for name, values in sorted(task.own.items())}


def in_numbers(text: str, task: Task, seed: int | None) -> str:
    """A text about this task, such as a hint, with the learner's numbers where it has the course's."""
    return exchanged(text, pairs(task, seed))


def pairs(task: Task, seed: int | None) -> dict[str, str]:
    """The course's numbers and what stands in their place.

    Raises:
        CourseError: Two of them are the same, so that a text cannot say which one is meant.
    """
    course, own = numbers_of(task, None), numbers_of(task, seed)
    if len(set(course.values())) < len(course):
        fact = f"{task.check} has two numbers of its own that are the same in the course."
        raise CourseError(fact, fix="give one of them another value.")
    return {str(course[name]): str(own[name]) for name in course}


def exchanged(text: str, numbers: dict[str, str]) -> str:
    """The text with each of these numbers replaced, where it stands alone.

    >>> exchanged("at most 20 words, not 200", {"20": "17"})
    'at most 17 words, not 200'
    """
    if not numbers:
        return text
    return re.sub(rf"(?<![\w.])({'|'.join(numbers)})(?!\w|\.\d)", lambda found: numbers[found[1]], text)

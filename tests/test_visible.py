"""Cutting held-back cases out of a module: what goes, what stays, and what cannot be cut."""

from __future__ import annotations

import pytest

from course_utils.errors import CourseError
from course_utils.release.visible import without_held_back

SHARED = '''"""A module."""
from other import SECRET, shown  # secrets
LIMIT = 3  # the hidden one is longer
HIDDEN = "only for graders"


def cases(rng):
    long, kept = rng.word(40), rng.word(4)
    longest = rng.word(80)
    return [
        case("seen", shown, kept),
        case("unseen", SECRET, long, held_back=True),
        case("also unseen", HIDDEN, helper(longest), held_back=True),
        case("seen too", LIMIT, held_back=False),
    ]


def helper(text):
    return text + "!"


def case(name, *rest, held_back=False):
    return Case(name, rest, held_back=held_back)
'''
OTHER = "SECRET, shown = 1, 2\n"


def test_cases_and_what_only_they_used_are_gone():
    """Calls, constants, helpers, imports, variables and comments; what is used stays."""
    text = without_held_back({"shared": SHARED, "other": OTHER})["shared"]
    assert [
        word for word in ("unseen", "SECRET", "HIDDEN", "graders", "helper", "longest", "80", "#") if word in text
    ] == []
    assert [word for word in ("'seen'", "'seen too'", "LIMIT", "shown", "kept") if word not in text] == []
    compile(text, "shared", "exec")


def test_a_module_that_holds_nothing_back_stays_as_it_is():
    """To the letter, comments included."""
    assert without_held_back({"other": OTHER, "more": "x = 1  # one\n"}) == {"other": OTHER, "more": "x = 1  # one\n"}


def test_what_nobody_used_before_stays():
    """Public names that other parts of the course import are none of ours."""
    text = without_held_back({"a": "TASKS = [case(held_back=True), 1]\nUNUSED = 2\n"})["a"]
    assert text == "TASKS = [1]\nUNUSED = 2\n"


@pytest.mark.parametrize(
    "line",
    [
        "CASES = [case(n, held_back=True) for n in names]",
        "CASE = case('unseen', held_back=True)",
        "CASES = [case('unseen', held_back=GRADING)]",
        "made = partial(case, held_back=True)",
        "CASES = [case('unseen', held_back=1)]",
        "CASES = [*map(partial(case, held_back=True), names)]",
        "CASES = {'a': case('unseen', held_back=True)}",
    ],
)
def test_what_cannot_be_cut_is_refused(line):
    """Rather no release than one that gives something away."""
    with pytest.raises(CourseError, match="a, line 2: a case is held back where it cannot be cut out"):
        without_held_back({"a": f"x = 1\n{line}\n"})

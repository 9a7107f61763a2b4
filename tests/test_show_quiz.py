"""Quizzes: every option explains itself, the first choice is remembered, and the bank is sound."""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files

import ipywidgets as widgets
import pytest

from course_utils.errors import CourseError
from course_utils.show import controls
from course_utils.show.quiz import Option, Quiz, quiz

BANK = json.loads(files("course_utils.show").joinpath("quiz_bank.json").read_text(encoding="utf-8"))
OPTIONS = [
    Option("401 Unauthorized", why="the key will still be wrong in a minute."),
    Option("`429` Too Many Requests", why="the limit resets; `Retry-After` says when.", right=True),
    Option("400 Bad Request", why="the same body will be refused again."),
]


def made(name: str) -> Quiz:
    return Quiz("Which refusal heals by waiting?", OPTIONS, name=name)


def buttons(root: widgets.Widget) -> list[widgets.Button]:
    inside = [found for child in getattr(root, "children", ()) for found in buttons(child)]
    return [root] if isinstance(root, widgets.Button) else inside


def texts(root: widgets.Widget) -> list[str]:
    inside = [found for child in getattr(root, "children", ()) for found in texts(child)]
    return [root.value] if isinstance(root, widgets.HTML) else inside


def test_every_choice_says_why():
    """Wrong ones read "Not yet", the right one "Right", each with its own reason; by option or by index."""
    assert made("a").choose(OPTIONS[0]) == "Not yet: the key will still be wrong in a minute."
    assert made("a").choose(1) == "Right: the limit resets; `Retry-After` says when."


def test_the_first_choice_is_remembered_over_a_second_run_of_the_cell():
    """Later tries are welcome, and do not change what was chosen first."""
    first = made("remember")
    assert (first.first, first.tries) == (None, [])
    first.choose(0)
    first.choose(1)
    again = made("remember")
    assert (again.first, again.tries) == (OPTIONS[0], OPTIONS[:2])
    assert made("another name").first is None


@pytest.mark.parametrize("option", [9, -1, Option("418", why="a teapot.")])
def test_a_choice_that_is_not_there_is_refused_and_forgotten(option):
    """What cannot be chosen leaves no trace, so the quiz goes on working."""
    one = made(f"gone {option}")
    with pytest.raises(CourseError, match="The quiz has no option") as caught:
        one.choose(option)
    assert (caught.value.fix, one.first, one.tries) == ("choose 0 to 2.", None, [])


def test_it_reads_without_widgets():
    """The static twin has the question, every option and every reason, in HTML that GitHub shows and in text."""
    bundle = made("static")._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/html"].count("<details><summary>") == 3
    assert "<code>429</code> Too Many Requests" in bundle["text/html"]
    assert bundle["text/plain"] == (
        "Quiz: Which refusal heals by waiting?\n"
        "  A. 401 Unauthorized\n  B. 429 Too Many Requests\n  C. 400 Bad Request\n"
        "Answers:\n"
        "  A. Not yet: the key will still be wrong in a minute.\n"
        "  B. Right: the limit resets; Retry-After says when.\n"
        "  C. Not yet: the same body will be refused again."
    )


def test_choosing_does_not_change_the_stored_output():
    """What nbval compares is the same before and after a learner has answered."""
    before = made("stored")
    stored = before._repr_mimebundle_()
    before.choose(2)
    assert made("stored")._repr_mimebundle_() == stored


def test_the_buttons_call_the_quiz_and_show_a_mark_and_a_reason():
    """Pressed wrong, then right: two reasons with marks, not colours, and the presses are counted once each."""
    asked = made("buttons")
    box = controls.quiz_controls(asked)
    wrong, right, other = buttons(box)
    wrong.click()
    right.click()
    assert [button.description[0] for button in (wrong, right, other)] == ["✗", "✓", "C"]
    assert [text for text in texts(box)[1:] if text] == [
        '<div class="course-words" role="status">✗ <strong>Not yet:</strong> '
        "the key will still be wrong in a minute.</div>",
        '<div class="course-words" role="status">✓ <strong>Right:</strong> the limit resets; '
        "<code>Retry-After</code> says when.</div>",
    ]
    assert asked.tries == OPTIONS[:2]


def test_a_widget_made_later_shows_what_was_chosen_before():
    """Running the cell again builds fresh buttons that already carry the marks."""
    made("later").choose(0)
    assert buttons(controls.quiz_controls(made("later")))[0].description == "✗ A.  401 Unauthorized"


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        (OPTIONS[:1], "does not have one right answer"),
        ([OPTIONS[0], OPTIONS[2]], "does not have one right answer"),
        ([OPTIONS[1], OPTIONS[1]], "does not have one right answer"),
        ([OPTIONS[1], Option("x", why="")], "does not say why"),
    ],
)
def test_an_unfair_quiz_is_refused(options, fact):
    """One right answer among several, and a reason for each."""
    with pytest.raises(CourseError, match=fact):
        Quiz("?", options)


@pytest.mark.parametrize("name", BANK)
def test_each_quiz_of_the_bank_can_be_asked(name):
    """It has three or four different options, one of them right, and each explains itself in a sentence."""
    asked = quiz(name)
    assert len({option.text for option in asked.options}) == len(asked.options) in (3, 4)
    assert all(option.why[-1] in ".)" for option in asked.options)
    assert not [option.why for option in asked.options if option.why.startswith(("Yes", "Right", "No,", "Wrong"))]


def test_the_place_of_an_answer_gives_nothing_away():
    """Right answers are spread evenly over the places, and are seldom the longest option."""
    places = Counter([option.right for option in quiz(name).options].index(True) for name in BANK)
    assert max(places.values()) <= 0.35 * len(BANK)
    assert min(places.values()) >= 0.15 * len(BANK)
    longest = [max(quiz(name).options, key=lambda option: len(option.text)).right for name in BANK]
    assert sum(longest) <= len(BANK) / 4


def test_an_unknown_id_names_the_known_ones():
    """A slip in the id is an error with a way out."""
    with pytest.raises(CourseError) as caught:
        quiz("q99")
    assert (caught.value.fact, caught.value.fix) == (
        "There is no quiz 'q99' in the bank.",
        "use an id of the bank, such as 'q29'.",
    )

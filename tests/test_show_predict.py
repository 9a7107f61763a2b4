"""Predictions: committed before, revealed after, and scored honestly."""

from __future__ import annotations

import ipywidgets as widgets
import pytest

from course_utils.errors import CourseError
from course_utils.show import controls
from course_utils.show import predict as module
from course_utils.show.predict import calibration, predict


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch):
    monkeypatch.setattr(module, "_kept", {})


def ask(name: str = "calls", **more):
    return predict("How many requests?", **{"name": name, "default": 4, **more})


def parts(root: widgets.Widget, kind: type) -> list:
    inside = [found for child in getattr(root, "children", ()) for found in parts(child, kind)]
    return [root] if isinstance(root, kind) else inside


def test_the_default_stands_in_until_something_is_said():
    """An unattended run has a guess, and the reveal says that nobody made it."""
    asked = ask()
    assert asked.guess == 4
    assert asked.reveal(2).sentence == "No prediction was made. The default is 4; the log shows 2: off by 2."
    asked.commit("3")
    assert asked.guess == 3
    assert asked.reveal(2).sentence == "You said 3; the log shows 2: off by 1."


@pytest.mark.parametrize(
    ("said", "measured", "verdict", "end"),
    [
        (2, 2, "exact", "exactly right."),
        (95, 100, "close", "within 10 %, off by 5."),
        (90, 100, "close", "within 10 %, off by 10."),
        (89, 100, "off", "off by 11."),
        (1, 0, "off", "off by 1."),
        (0.1, 0.3, "off", "off by 0.2."),
    ],
)
def test_how_near_it_was(said, measured, verdict, end):
    """Exact, within ten percent of the measured value, or off; the distance is said without noise."""
    asked = ask()
    asked.commit(said)
    revealed = asked.reveal(measured)
    assert (revealed.verdict, revealed.sentence.endswith(end)) == (verdict, True)


def test_what_is_not_in_the_log_names_its_source():
    """A simulated number does not pass for a logged one, in the sentence, the card and the score's head."""
    asked = ask()
    shown = asked.reveal(653, source="the simulation")
    assert shown.sentence == "No prediction was made. The default is 4; the simulation shows 653: off by 649."
    card = shown._repr_mimebundle_()["text/html"]
    assert ("the simulation shows" in card, "the log" in card) == (True, False)
    assert repr(calibration()).split()[:4] == ["prediction", "said", "shown", "result"]
    assert asked.reveal(653).sentence.endswith("the log shows 653: off by 649.")
    assert repr(calibration()).split()[:4] == ["prediction", "said", "log", "result"]


def test_a_choice_is_compared_as_it_is():
    """With options, the prediction is one of them, and so is the measurement."""
    asked = ask(default="draft", options=["classify", "draft"])
    asked.commit("classify")
    assert asked.reveal("draft").sentence == "You said classify; the log shows draft: not the same."


@pytest.mark.parametrize(
    ("more", "value", "fact", "fix"),
    [
        ({}, "abc", "'abc' is not a number.", "write digits, such as 4 or 0.5."),
        ({}, "", "'' is not a number.", "write digits, such as 4 or 0.5."),
        ({"low": 0}, "-1", "-1 is out of range.", "write a number of at least 0."),
        ({"low": 0, "high": 9}, "10", "10 is out of range.", "write a number of at least 0 and at most 9."),
        ({}, "nan", "nan is out of range.", "write a number of usual size."),
        ({"options": ["a", "b"]}, "c", "'c' is none of the answers.", "choose one of: a, b."),
    ],
)
def test_what_cannot_be_a_prediction_is_refused(more, value, fact, fix):
    """The field says what is wrong and what to write; nothing is stored."""
    asked = ask(**more)
    with pytest.raises(CourseError) as caught:
        asked.commit(value)
    assert (caught.value.fact, caught.value.fix, asked.said) == (fact, fix, None)


def test_numbers_are_read_as_people_write_them():
    """A decimal comma and blanks are fine; a whole number stays whole."""
    asked = ask(unit="requests")
    assert asked.commit(" 2,5 ") == "Noted: 2.5 requests. Now run the next cell."
    asked.commit("3.0")
    assert repr(asked.guess) == "3"


def test_running_the_cell_again_keeps_what_was_said():
    """The same question under the same name is the same prediction; another question begins anew."""
    ask().commit(7)
    assert ask().guess == 7
    assert predict("Another question?", name="calls", default=4).guess == 4


@pytest.mark.parametrize("change", [{"low": 1}, {"high": 20}, {"unit": "s"}, {"default": 4}])
def test_another_range_or_unit_is_another_question(change):
    """A cell that was edited asks anew: what was said before may not even be in range."""
    asked = {"name": f"changed {change}", "default": 3, "unit": "calls", "low": 0, "high": 10}
    first = predict("How many?", **asked)
    first.commit(5)
    second = predict("How many?", **asked | change)
    assert (predict("How many?", **asked | change) is second, second is first, second.said) == (True, False, None)


def test_calibration_counts_only_what_the_learner_said():
    """Defaults are named as such and never counted as right."""
    ask("right").commit(2)
    ask("near").commit(95)
    ask("far").commit(50)
    for name, measured in {"right": 2, "near": 100, "far": 100, "silent": 4, "quiet": 5}.items():
        ask(name).reveal(measured)
    ask("not yet revealed").commit(1)
    assert calibration().sentence == (
        "3 predictions of your own: 1 exactly right, 1 within 10 %, 1 off. 2 of 5 were left at the default."
    )
    assert repr(calibration()).splitlines()[:3] == [
        "prediction         said  log  result",
        "----------  -----------  ---  ------",
        "right                 2    2   exact",
    ]


def test_calibration_of_an_unattended_run():
    """It says that there is nothing to judge, the same every time."""
    assert calibration().sentence == "No prediction has been compared with a measurement yet."
    ask("a").reveal(4)
    ask("b").reveal(4)
    assert calibration().sentence == "2 predictions, all left at the default: nothing to judge yet."


def test_the_default_is_not_shown_before_the_answer():
    """Neither the static twin nor the field anchors the learner to a number."""
    asked = ask(default=37)
    box = controls.predict_controls(asked)
    shown = [*asked._repr_mimebundle_().values(), *(part.value for part in parts(box, (widgets.HTML, widgets.Text)))]
    assert not [text for text in shown if "37" in text]


@pytest.mark.parametrize("press", [False, True])
def test_enter_or_the_button_commits(press):
    """Typing a number and pressing Enter is enough; the button does the same, and a slip is explained."""
    asked = ask(unit="requests")
    box = controls.predict_controls(asked)
    field, button, reply = parts(box, widgets.Text)[0], parts(box, widgets.Button)[0], parts(box, widgets.HTML)[-1]
    button.click()
    assert "✗ '' is not a number. Try: write digits, such as 4 or 0.5." in reply.value
    field.value = "2"
    if press:
        button.click()
    assert asked.said == 2
    assert "✓ Noted: 2 requests. Now run the next cell." in reply.value


def test_radio_buttons_commit_a_choice():
    """Nothing is chosen at first; choosing is committing."""
    asked = ask(default="draft", options=["classify", "draft"])
    field = parts(controls.predict_controls(asked), widgets.RadioButtons)[0]
    assert (field.value, asked.said) == (None, None)
    field.value = "classify"
    assert asked.said == "classify"


def test_the_reveal_shows_both_values_and_the_sentence():
    """In HTML and in text, with a mark instead of a colour."""
    asked = ask(unit="requests")
    asked.commit(2)
    bundle = asked.reveal(2)._repr_mimebundle_()
    assert bundle["text/plain"] == "You said 2 requests; the log shows 2 requests: exactly right."
    assert bundle["text/html"].count("2 requests") == 4
    assert "✓" in bundle["text/html"]

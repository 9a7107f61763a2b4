"""Sliders above a picture: what moving one draws and says, and what stands in where nothing moves."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

from course_utils.errors import CourseError
from course_utils.show import controls, picture
from course_utils.show.curve import curve
from course_utils.show.sliders import explore

VIEW = "application/vnd.jupyter.widget-view+json"


def line(slope=2, top_end=1):
    """A line from 0 to `slope` times `top_end`."""
    return curve({"line": {0: 0, top_end: slope * top_end}}, x="x", y="y", title="A line")


def test_it_begins_at_the_defaults_and_says_what_it_shows():
    """The first picture is the one of the function's own defaults; its values stand before its caption."""
    explorer = explore(line, slope=[1, 2, 3])
    assert explorer.caption == "slope 2. A line: line, 0 at 0 to 2 at 1."
    assert repr(explorer) == "<Explorer: slope>"


def test_moving_one_slider_keeps_the_others():
    """Every call draws with all values as they stand."""
    explorer = explore(line, slope=[1, 2, 3], top_end=[1, 5])
    explorer.move(slope=3)
    assert explorer.move(top_end=5) == "slope 3, top end 5. A line: line, 0 at 0 to 15 at 5."


def test_without_a_default_it_begins_at_the_first_value():
    """An argument that has none is legal."""
    assert explore(lambda slope: line(slope), slope=[3, 1]).values == {"slope": 3}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: explore(line), "There is nothing to move."),
        (lambda: explore(line, slope=[]), "There is nothing to move."),
        (lambda: explore(line, slope=[1, 3]), "2 is none of the values of 'slope'."),
        (lambda: explore(line, slope=[1, 2]).move(slope=3), "3 is none of the values of 'slope'."),
        (lambda: explore(line, slope=[1, 2]).move(height=3), "There is no slider 'height'."),
        (lambda: explore(lambda slope: [slope], slope=[1]), "gave back list, which is no picture"),
    ],
)
def test_what_cannot_be_drawn_is_said(make, words):
    """A missing slider, a value beside the choices, and a function that draws nothing each get their sentence."""
    with pytest.raises(CourseError, match=words.replace(".", r"\.")):
        make()


def test_a_refused_value_changes_nothing():
    """After an error the old values and the old picture stand."""
    explorer = explore(line, slope=[1, 2])
    before = explorer.picture
    with pytest.raises(CourseError):
        explorer.move(slope=9)
    assert (explorer.values, explorer.picture) == ({"slope": 2}, before)


def parts(explorer):
    """The slider, the picture's HTML and the caption's of an explorer's widgets."""
    box, below = controls.explorer_controls(explorer)
    return box.children[1], box.children[-1], below.children[0]


def test_the_slider_draws_again_and_the_caption_is_announced():
    """Another value of the widget is another picture with its own alt text, and a caption that screen readers hear."""
    explorer = explore(line, slope=[1, 2, 3])
    slider, image, caption = parts(explorer)
    assert (slider.description, slider.value) == ("slope", 2)
    before = image.value
    slider.value = 3
    assert image.value != before
    assert 'alt="A line: line, 0 at 0 to 3 at 1.' in image.value
    assert 'role="status"' in caption.value
    assert "slope 3. A line: line, 0 at 0 to 3 at 1." in caption.value


def test_a_function_that_fails_says_so_below_the_picture():
    """The learner's own error is not lost in a log, and the next good value draws again."""
    explorer = explore(lambda slope=1: line(1 / slope), slope=[0, 1, 2])
    slider, image, caption = parts(explorer)
    before = image.value
    slider.value = 0
    assert ("✗ ZeroDivisionError: division by zero" in caption.value, image.value) == (True, before)
    slider.value = 2
    assert "slope 2. A line: line, 0 at 0 to 0.5 at 1." in caption.value


def test_what_is_drawn_for_sliders_is_not_shown_again_when_a_cell_ends(monkeypatch):
    """The picture is taken from the queue of the running cell."""
    waiting = []
    monkeypatch.setattr(picture, "_waiting", waiting)
    monkeypatch.setattr("course_utils.show.picture.show_when_cell_ends", waiting.append)
    explore(line, slope=[1, 2]).move(slope=1)
    assert waiting == []
    line()
    assert len(waiting) == 1


def test_a_notebook_keeps_a_still_with_alt_text_and_its_caption():
    """Beside each widget stands what GitHub and nbval see: the picture, and its words with how to move it."""
    source = """from course_utils import curve, explore
def line(slope=2):
    return curve({"line": {0: 0, 1: slope}}, x="x", y="y", title="A line")
explore(line, slope=[1, 2])"""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source), nbformat.v4.new_code_cell("1")])
    NotebookClient(made, timeout=120, kernel_name="python3", store_widget_state=False).execute()
    still, words = made.cells[0].outputs
    assert sorted(still.data) == sorted(["image/png", "text/plain", VIEW])
    assert sorted(words.data) == sorted(["text/html", "text/plain", VIEW])
    assert still.metadata["image/png"]["alt"].startswith("A line: line, 0 at 0 to 2 at 1.")
    assert (still.data["text/plain"], words.data["text/plain"]) == (
        "<Picture: curve>",
        "slope 2. A line: line, 0 at 0 to 2 at 1. Run this cell in JupyterLab to move it.",
    )
    assert [output.data["text/plain"] for output in made.cells[1].outputs] == ["1"]

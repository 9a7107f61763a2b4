"""States over time: stretches, calls, words without times."""

from __future__ import annotations

import pytest

from course_utils.errors import CourseError
from course_utils.show.states import states

BREAKER = [(0, "closed"), (12.5, "open"), (18, "half-open"), (18.5, "open"), (24, "half-open"), (24.1, "closed")]
ROWS = {"large model": [(0, "up"), (10, "down"), (20, "up")], "breaker": BREAKER}
CALLS = {"asked": [(1, True), (11, False), (12, False)]}


def test_each_state_is_a_stretch_that_ends_where_the_next_begins():
    """The last one ends at `until`."""
    ax = states(ROWS, 60, calls=CALLS)
    spans = [(bar.get_x(), round(bar.get_x() + bar.get_width(), 6)) for bar in ax.patches]
    assert spans[:3] == [(0, 10), (10, 20), (20, 60)]
    assert spans[3:] == [(0, 12.5), (12.5, 18), (18, 18.5), (18.5, 24), (24, 24.1), (24.1, 60)]


def test_states_differ_in_more_than_colour():
    """Each has its hatch and its name in the legend; a stretch that has room says its word."""
    ax = states(ROWS, 60, calls=CALLS)
    names = [text.get_text() for text in ax.figure.legends[0].get_texts()]
    assert names == ["up", "down", "closed", "open", "half-open", "answered", "failed"]
    assert {bar.get_hatch() for bar in ax.patches} == {"", "/////", ".."}
    assert [text.get_text() for text in ax.texts] == ["up", "down", "up", "closed", "open", "open", "closed"]


def test_unknown_states_get_looks_of_their_own():
    """Two names that this module does not know look different."""
    first, second = states({"desk": [(0, "day"), (1, "night")]}, 2).patches
    assert first.get_hatch() != second.get_hatch()


def test_calls_are_marked_by_how_they_ended():
    """A circle for an answer, a cross for a failure."""
    ax = states(ROWS, 60, calls=CALLS)
    assert [(line.get_marker(), list(line.get_xdata())) for line in ax.lines] == [("o", [1]), ("X", [11, 12])]


def test_words_hold_no_time():
    """The caption is compared by nbval; it has the states in order, and counts."""
    figure = states(ROWS, 60, calls=CALLS, title="Noon").figure
    assert figure.caption == (
        "Noon: large model, up, then down, then up; breaker, closed at first, open 2 times, half-open 2 times, "
        "closed at last; asked, 3 calls, 2 failed."
    )


def test_no_text_leaves_the_picture():
    """Long names of rows have their room."""
    figure = states({"a rather long name of a row that somebody chose": BREAKER}, 60, title="Noon").figure
    figure.draw_without_rendering()
    for text in (*figure.axes[0].texts, *figure.axes[0].get_yticklabels(), *figure.legends[0].get_texts()):
        place = text.get_window_extent()
        assert figure.bbox.x0 <= place.x0 and place.x1 <= figure.bbox.x1


@pytest.mark.parametrize(
    ("rows", "words"),
    [({}, "no state"), ({"breaker": []}, "no state"), ({"breaker": [(5, "open"), (1, "closed")]}, "out of order"),
     ({"breaker": [(90, "open")]}, "out of order")],
)  # fmt: skip
def test_what_cannot_be_drawn_is_said(rows, words):
    """Nothing, or time that runs backwards."""
    with pytest.raises(CourseError, match=words):
        states(rows, 60)

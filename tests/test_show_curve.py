"""The curve: every point is drawn, names never lie on each other, and the words hold no value that may change."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from course_utils.errors import CourseError
from course_utils.show.curve import curve, spread
from course_utils.show.style import INK

SURVIVORS = {1: 0.98, 2: 0.9, 3: 0.85}


def drawn(ax) -> list[tuple[list[float], list[float], str]]:
    """Each line's x and y values, and its marker."""
    return [(list(line.get_xdata()), list(line.get_ydata()), line.get_marker()) for line in ax.lines]


def names(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_measurements_have_markers_and_formulas_have_none():
    """A function is asked for the x values that were measured; its line is broken, and without markers."""
    ax = curve({"measured": SURVIVORS}, {"halves": lambda n: 0.5**n}, x="steps", y="share", is_share=True)
    assert drawn(ax) == [([1, 2, 3], [0.98, 0.9, 0.85], "o"), ([1, 2, 3], [0.5, 0.25, 0.125], "None")]
    assert [line.get_linestyle() for line in ax.lines] == ["-", "--"]


def test_points_are_drawn_in_the_order_of_x():
    """A dict may hold its points in any order."""
    ax = curve({"measured": {3: 9, 1: 1, 2: 4}}, x="n", y="squares")
    assert drawn(ax) == [([1, 2, 3], [1, 4, 9], "o")]


def test_a_formula_may_bring_its_own_points():
    """Where nothing was measured, a formula is given by its values."""
    ax = curve({}, {"law": {1: 1.0, 8: 4.7}}, x="workers", y="times as fast")
    assert drawn(ax) == [([1, 8], [1.0, 4.7], "None")]


def test_only_whole_x_values_are_asked_for():
    """A formula that is defined for whole numbers alone, such as one with binomials, does not break."""
    ax = curve({"votes": {1: 0.6, 3: 0.65}}, {"law": lambda n: [0, 0.6, 0, 0.648][n]}, x="votes", y="right")
    assert drawn(ax)[1][1] == [0.6, 0.648]


def test_lines_are_told_apart_without_colour():
    """Each line has a marker or a way of breaking of its own, and shows it beside its name."""
    measured = {name: {1: index, 2: index + 1} for index, name in enumerate("abcde")}
    ax = curve(measured, {"f": lambda n: n, "g": lambda n: n + 1, "h": lambda n: n + 2}, x="n", y="value")
    looks = [(line.get_marker(), line._dash_pattern) for line in ax.lines]  # matplotlib offers no other way to ask
    assert len({str(look) for look in looks}) == len({name.split()[0] for name in names(ax)}) == 8
    assert {text.get_color() for text in ax.texts} == {INK}


def test_a_name_ends_with_the_last_value():
    """The reader need not follow a grid line to read the end of a curve."""
    ax = curve({"tokens": {1: 53, 10: 5995}, "few": {1: 2, 10: 2.5}}, x="steps", y="tokens")
    assert names(ax) == ["● tokens: 5,995", "■ few: 2.5"]


def test_the_words_tell_where_lines_begin_and_end():
    """The caption is made for who cannot see the picture."""
    ax = curve({"measured": SURVIVORS}, {"half": lambda n: 0.5}, x="steps", y="share", title="Survivors", is_share=True)
    told = "Survivors: measured, 98 % at 1 to 85 % at 3; half (formula), 50 % at 1 to 50 % at 3."
    assert ax.figure.caption == told
    assert ax.figure.alt.startswith(told)


def test_what_changes_from_run_to_run_stays_out_of_the_words():
    """nbval compares the caption, so values that depend on a clock are not in it."""
    pictures = [
        curve({"measured": {1: 1.0, 2: 1.9 + wobble}}, {"law": lambda n: n}, x="n", y="gain", is_repeatable=False)
        for wobble in (0.0, 0.07)
    ]
    first, second = (ax.figure.caption for ax in pictures)
    assert first == second == "gain by n: measured, 2 points; law (formula), 1 at 1 to 2 at 2."


def test_pictures_with_the_same_most_have_the_same_axis():
    """A line that is drawn again for another value moves, instead of the axis; higher values still stretch it."""
    tops = [curve({}, {"law": {1: 1, 10: top}}, x="n", y="open", most=40).get_ylim() for top in (5, 40)]
    assert tops[0] == tops[1] == (0.0, pytest.approx(40 * 1.04))
    assert curve({}, {"law": {1: 1, 10: 80}}, x="n", y="open", most=40).get_ylim()[1] > 80


def test_a_single_point_is_a_line():
    """One point is drawn and told of."""
    ax = curve({"alone": {5: 2.0}}, x="n", y="value")
    assert (drawn(ax), ax.figure.caption) == ([([5], [2.0], "o")], "value by n: alone, 2 at 5.")


@pytest.mark.parametrize(("measured", "fact"), [({}, "nothing to draw"), ({"empty": {}}, "'empty' has no points")])
def test_no_points_is_an_error_that_says_what_to_give(measured, fact):
    """An empty picture is never drawn in silence."""
    with pytest.raises(CourseError, match=fact) as caught:
        curve(measured, x="n", y="value")
    assert "a dict of its points" in caught.value.fix


@settings(deadline=None)
@given(st.lists(st.floats(0, 2), min_size=1, max_size=8))
def test_names_keep_their_distance_and_their_order(wanted):
    """No two names are closer than a line, whatever the curves do, and none is above the picture."""
    places = spread(wanted, 0.2, 2.0)
    assert all(after - before >= 0.2 - 1e-5 for before, after in pairwise(sorted(places)))
    assert max(places) <= 2.0 + 1e-5
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    assert order == sorted(range(len(wanted)), key=places.__getitem__)


def test_axes_of_someone_else_are_drawn_on():
    """With `ax`, nothing is shown and the figure is not touched."""
    figure = Figure()
    ax = figure.add_subplot()
    assert curve({"a": {1: 1, 2: 2}}, x="n", y="value", ax=ax) is ax
    assert not hasattr(figure, "caption")


def test_the_picture_has_room_for_its_names():
    """Names end within the picture, however long they are; too long ones are shortened."""
    ax = curve({"short": {1: 1, 2: 2}, "a name that goes on and on for ever and a day": {1: 2, 2: 3}}, x="n", y="value")
    canvas = FigureCanvasAgg(ax.figure)
    edge = ax.figure.get_figwidth() * ax.figure.dpi
    assert all(text.get_window_extent(canvas.get_renderer()).x1 <= edge for text in ax.texts)
    assert names(ax)[1].endswith("…: 3")

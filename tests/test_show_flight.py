"""Open requests over time: every beginning and end is a step, and the mean is Little's product."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.errors import CourseError
from course_utils.records import Record, Trace
from course_utils.show.flight import factors, in_flight, steps


def request(start: float, stop: float | None, status: int | None = 200) -> Record:
    """One request with these times."""
    return Record(
        id=1, scope="s", step="label", model="m", attempt=1, start=start, stop=stop, course_start=start,
        course_stop=stop, in_flight=1, status=status,
    )  # fmt: skip


def test_every_beginning_and_end_is_a_step():
    """Two requests that overlap, and a third that begins when both have ended."""
    assert steps([request(10, 12), request(11, 14), request(14, 15)]) == ([0, 1, 2, 4, 5], [1, 2, 1, 1, 0])


def test_single_file_is_never_two():
    """A request that begins in the moment in which the one before it ends does not overlap it."""
    assert max(steps([request(0, 1), request(1, 2), request(2, 3)])[1]) == 1


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0.1, 20)), min_size=1, max_size=20))
def test_the_area_is_the_sum_of_all_durations(spans):
    """Little's law: the mean level times the length of the whole is what all requests took together."""
    moments, levels = steps([request(start, start + length) for start, length in spans])
    area = sum(level * (after - before) for before, after, level in zip(moments, moments[1:], levels, strict=False))
    assert area == pytest.approx(sum(length for _, length in spans))
    assert levels[-1] == 0


def test_the_mean_has_its_factors_beside_it():
    """Eight requests of half a second, within two seconds."""
    assert factors([request(0, 0.5)] * 8, 2) == ["mean 2", "= 4 per second", "× 0.5 s each"]


def test_the_mean_is_drawn_at_its_place():
    """Four requests of 2 s side by side and one alone: (4 * 2 + 2) / 4."""
    ax = in_flight(Trace([request(0, 2)] * 4 + [request(2, 4)]), title="Door")
    assert [list(line.get_ydata()) for line in ax.lines if line.get_linestyle() == "--"] == [[2.5, 2.5]]
    assert ax.texts[0].get_text() == "mean 2.5\n= 1.25 per second\n× 2 s each"


def test_words_hold_no_time():
    """The caption is compared by nbval; it counts, and names no second."""
    ax = in_flight(Trace([request(0, 2), request(0.5, 0.5, 429)]), title="Door")
    assert ax.figure.caption == "Door: 2 requests, 1 of them failed, open requests over time."
    assert "rises to 1" in ax.figure.alt


def test_two_pictures_can_share_a_scale():
    """`most` sets the end of the vertical axis."""
    assert in_flight(Trace([request(0, 2)]), most=10).get_ylim() == pytest.approx((0, 10.8))


def test_nothing_to_draw_is_said():
    """Refusals alone take no time."""
    with pytest.raises(CourseError, match="took any time"):
        in_flight(Trace([request(1, 1, 429), request(1, None, None)]))

"""The timeline: nothing hides, what went wrong is seen without colour, and its words hold no times."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from course_utils.records import CLIENT_LEFT, Record, Trace
from course_utils.show import bars
from course_utils.show.lanes import outcome_word, rows_of
from course_utils.show.style import SIZE, WIDTH
from course_utils.show.timeline import timeline


def record(number: int, step: str, start: float, stop: float | None, status: int | None = 200, **more) -> Record:
    more = {"attempt": 1, "prompt_tokens": 120, "completion_tokens": 45, **more}
    return Record(
        number, "main", step, "practice-small", more.pop("attempt"), start, stop, start, stop, 1, status, **more
    )


MIXED = Trace(
    [
        record(1, "classify", 0, 0.4),
        record(2, "retrieve", 0.42, 0.47, 429, fault="rate_limited"),
        record(3, "retrieve", 1.5, 1.53, 503, fault="unavailable", attempt=2),
        record(4, "retrieve", 3.4, 4.1, attempt=3),
        record(5, "draft", 4.2, 6.0),
        record(6, "draft", 4.3, 7.0, fault="slow"),
        record(7, "review", 7.1, 8.0, CLIENT_LEFT, fault="timeout"),
        record(8, "review", 8.1, None, None),
    ]
)


def spread(count: int, parallel: int, steps: int = 3) -> Trace:
    rounds = [(number, number // parallel) for number in range(count)]
    return Trace(
        [
            record(n + 1, f"step {n % steps}", turn, turn + 0.5 + (n % 7) / 16, 429 if n % 9 == 4 else 200)
            for n, turn in rounds
        ]
    )


def words(ax) -> list[str]:
    return [text.get_text() for text in ax.texts if text.get_text()]


def test_requests_that_overlap_lie_in_different_lanes():
    """Three at once take three lanes; the fourth, which begins later, takes the first lane again."""
    trace = Trace([record(1, "a", 0, 3), record(2, "a", 1, 4), record(3, "a", 2, 5), record(4, "a", 3, 6)])
    assert [bar.lane for bar in rows_of(trace)[0].bars] == [0, 1, 2, 0]


def test_requests_of_no_length_at_one_moment_do_not_hide_each_other():
    """On a virtual clock nothing takes time, and still each request has a place of its own."""
    trace = Trace([record(number, "a", 0.0, 0.0) for number in (1, 2, 3)] + [record(4, "a", 0.0, 1.0)])
    assert [bar.lane for bar in rows_of(trace)[0].bars] == [0, 1, 2, 3]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 50), st.none() | st.floats(0, 9)), max_size=40))
def test_no_lane_holds_two_requests_at_once(spans):
    """Whatever happened, two bars of one lane never overlap, and no request is lost."""
    trace = Trace(
        [
            record(n, step, start, None if d is None else start + d, None if d is None else 200)
            for n, (step, start, d) in enumerate(spans)
        ]
    )
    rows = rows_of(trace)
    assert sorted(bar.record.id for row in rows for bar in row.bars) == list(range(len(spans)))
    for row in rows:
        for lane in range(row.lanes):
            held = [bar for bar in row.bars if bar.lane == lane]
            assert all(before.stop <= after.start for before, after in pairwise(held))


def test_rows_stand_in_the_order_that_was_asked_for():
    """Steps that are passed come first, even when they never ran; the others follow as they appeared."""
    assert [row.step for row in rows_of(MIXED, ["review", "never", "classify"])] == [
        "review",
        "never",
        "classify",
        "retrieve",
        "draft",
    ]
    assert [label.get_text() for label in timeline(MIXED).get_yticklabels()] == [
        "classify",
        "retrieve",
        "draft",
        "review",
    ]


@pytest.mark.parametrize(
    ("status", "fault", "word"),
    [
        (200, "", ""), (200, "slow", "slow"), (200, "cut", "cut"), (429, "rate_limited", "429"), (503, "", "503"),
        (429, "quota_exceeded", "429 quota exceeded"), (CLIENT_LEFT, "timeout", "left"), (None, "", "running"),
    ],
)  # fmt: skip
def test_every_outcome_has_a_word(status, fault, word):
    """The status says it, or the fault does, and all is well only when nothing is said."""
    assert outcome_word(record(1, "a", 0, 1, status, fault=fault)) == word


def test_outcomes_differ_without_colour():
    """Each outcome has a hatch, a dashed line or a face of its own when the picture is printed in grey."""
    grey = {}
    for outcome, (face, edge, hatch) in bars.LOOK.items():
        red, green, blue = (int(face[place : place + 2], 16) for place in (1, 3, 5))
        grey[outcome] = (hatch, (0.299 * red + 0.587 * green + 0.114 * blue) > 128, edge == "#ffffff")
    assert len(set(grey.values())) == len(grey)


def test_what_went_wrong_is_marked_and_said():
    """Failures have a cross and their status, retries a diamond, a running request an open end."""
    ax = timeline(MIXED)
    marks = [line.get_marker() for line in ax.lines]
    assert {shape: marks.count(shape) for shape in "XD>"} == {"X": 3, "D": 2, ">": 1}
    assert {"429", "503, try 2", "slow", "1 × 429", "1 × 503", "1 × left", "1 × running"} <= set(words(ax))
    dashed = [patch for patch in ax.patches if patch.get_linestyle() not in ("solid", "-")]
    assert len(dashed) == 1


@pytest.mark.parametrize(
    ("count", "parallel"), [(0, 1), (1, 1), (2, 1), (10, 4), (60, 5), (200, 8), (200, 200), (200, 1)]
)
def test_it_reads_well_at_any_size(count, parallel):
    """Every request is a bar that can be seen, every text is large enough and on the page, which is not too wide."""
    trace = spread(count, parallel)
    ax = timeline(trace, title="A title")
    picture = ax.figure
    picture.draw_without_rendering()  # puts the axis label in its place
    drawn = [patch for patch in ax.patches if patch.get_zorder() >= 3]
    assert len(drawn) == count
    assert all(patch.get_window_extent().width >= 0.9 * bars.NARROWEST * picture.dpi for patch in drawn)
    texts = [text for text in picture.findobj(lambda artist: hasattr(artist, "get_fontsize")) if text.get_text()]
    assert min(text.get_fontsize() for text in texts) >= SIZE
    page = picture.bbox
    shown = [*ax.texts, ax.title, ax._left_title, ax.xaxis.label, *ax.get_yticklabels()]
    for text in (text for text in shown if text.get_text()):
        box = text.get_window_extent()
        assert page.x0 <= box.x0 <= box.x1 <= page.x1, text.get_text()
        assert page.y0 <= box.y0 <= box.y1 <= page.y1, text.get_text()
    assert picture.get_figwidth() <= WIDTH
    assert picture.get_figheight() <= 10.5


def test_the_caption_counts_and_never_times():
    """A slower run of the same requests has the same words, alt text included; the words name every trouble."""
    slower = Trace([dataclasses.replace(r, start=r.start * 1.7, course_start=r.course_start * 1.7,
                                        stop=r.stop and r.stop * 1.7, course_stop=r.course_stop and r.course_stop * 1.7)
                    for r in MIXED])  # fmt: skip
    first, second = timeline(MIXED, title="T").figure, timeline(slower, title="T").figure
    assert (first.caption, first.alt) == (second.caption, second.alt)
    assert first.caption == (
        "T: 8 requests in 4 steps (1 × 429, 1 × 503, 1 × left, 1 × running, 1 × slow, 2 retries): "
        "classify 1; retrieve 3 (1 × 429, 1 × 503); draft 2 (1 × slow); review 2 (1 × left, 1 × running)."
    )
    assert "At most 2 in flight." in first.alt
    assert timeline(Trace()).figure.caption == "Timeline: No requests."


def test_it_draws_on_the_axes_it_is_given():
    """With an Axes of one's own, that one is drawn on and returned, also where there is little room."""
    ax = Figure(figsize=(3, 1.6), layout="constrained").subplots()
    assert timeline(MIXED, ax=ax) is ax
    assert len([patch for patch in ax.patches if patch.get_zorder() >= 3]) == len(MIXED)


def test_a_picture_is_small_and_names_no_program():
    """Two hundred requests take less than 100 kB, at twice the displayed size, without software in the file."""
    png = timeline(spread(200, 8)).figure.png()
    assert len(png) < 100_000
    assert int.from_bytes(png[16:20]) == 1500
    assert b"atplotlib" not in png

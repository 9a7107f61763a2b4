"""The timeline: who worked when, one row per step, one bar per request.

Layer 1: imports `records`, `lanes`, `bars`, `style`, `picture`; matplotlib only when something is drawn. The horizontal
axis is the course clock in seconds, 0 being the first request's start; the vertical axis is in inches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from course_utils.records import Trace, count
from course_utils.show import style
from course_utils.show.bars import draw_bar, inches
from course_utils.show.lanes import Row, describe, rows_of, rows_until, troubles
from course_utils.show.style import ALARM, INK, MUTED, SIZE, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from course_utils.show.picture import Picture

TALLEST, LOWEST = 0.24, 0.034  # inches per lane, from few lanes to very many
ALL_LANES = 5.2  # inches that all lanes together may take before they get lower
PADDING = 0.06  # inches above and below the lanes of a row
LINE = SIZE / 72 * style.LINE  # inches
TOP, BOTTOM = 0.6, 0.5  # inches for title and axis


def timeline(trace: Trace, *, title: str = "", steps: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
    """Draw who worked when: one row per step, one bar per request; x = 0 is the first request's start.

    Requests of one row that overlap lie in lanes below each other. In a notebook the picture is shown when the
    cell ends; `ax.figure.caption` holds its text.

    Args:
        steps: The steps to begin with, from top to bottom; others follow in order of first appearance.
        ax: Draw here, and show nothing; without it a picture of its own is made.
    """
    rows = rows_of(trace, steps)
    lane, heights = _sizes(rows)
    own = ax is None
    ax = ax or _new_axes(rows, heights)
    _prepare(ax, trace, rows, heights, title)
    _draw_rows(ax, rows, heights, lane)
    _label_axis(ax, trace)
    if own:
        _finish(ax, trace, rows, title)
    return ax


def frame(trace: Trace, at: float, *, title: str = "", steps: Sequence[str] | None = None) -> Picture:
    """The timeline as it stood `at` seconds after the first request began, on the scale of the whole; not shown.

    What was in flight then is drawn as such, and a line marks the moment. The caller sets alt text and caption.
    """
    rows = rows_of(trace, steps)
    lane, heights = _sizes(rows)
    ax = _new_axes(rows, heights, f"{len(trace)} × running")
    _prepare(ax, trace, rows, heights, title, is_over=False)
    _draw_rows(ax, rows_until(rows, at), heights, lane)
    ax.axvline(at, color=INK, linewidth=1.2, linestyle=(0, (4, 2)), zorder=7)
    _label_axis(ax, trace, has_tokens=True)
    if "\n" in ax.get_xlabel():
        _grow(ax.figure, ax, LINE)
    return ax.figure


def _sizes(rows: Sequence[Row]) -> tuple[float, list[float]]:
    """The inches of a lane, and of each row."""
    lane = min(TALLEST, max(LOWEST, ALL_LANES / max(1, sum(row.lanes for row in rows))))
    return lane, [max(_least(row, len(rows)), row.lanes * lane) + 2 * PADDING for row in rows] or [0.5]


def _least(row: Row, rows: int) -> float:
    """Inches that the words beside a row need: all of them while there are few rows, else one line."""
    return LINE * min(3, 1 + len(troubles(bar.record for bar in row.bars))) if rows <= 12 else LINE


def _tops(heights: Sequence[float]) -> list[float]:
    return [sum(heights[:index]) for index in range(len(heights))]


def _new_axes(rows: Sequence[Row], heights: Sequence[float], note: str = "") -> Axes:
    """A picture's only Axes; right of it there is room for what each row says, and for `note`."""
    from course_utils.show.picture import Picture

    total = sum(heights) + TOP + BOTTOM
    picture = Picture(style.WIDTH, total, kind="timeline")
    left = 0.22 + max((text_width(_label(row)) for row in rows), default=0.0)
    notes = [note for row, height in zip(rows, heights, strict=bool(rows)) for note in _notes(row, height)]
    right = 0.22 + max(map(text_width, [*notes, note]))
    return picture.add_axes(
        (left / style.WIDTH, BOTTOM / total, 1 - (left + right) / style.WIDTH, sum(heights) / total)
    )


def _label(row: Row) -> str:
    return style.shorten(row.step or "(no step)", 1.5)


def _notes(row: Row, height: float) -> list[str]:
    """What stands right of a row `height` inches high: how many requests, and what went wrong if there is room."""
    lines, number, wrong = int((height - PADDING) / LINE), len(row.bars), troubles(bar.record for bar in row.bars)
    bad = sum(bar.outcome in ("failed", "faulted") for bar in row.bars)
    if bad and lines <= 1:
        return [f"{bad} of {number} in trouble"]
    if len(wrong) >= lines:
        wrong = [*wrong[: lines - 2], "and more"] if lines > 2 else [f"{bad} in trouble"] * (bad > 0 and lines > 1)
    return [count(number, "request"), *wrong]


def _prepare(
    ax: Axes, trace: Trace, rows: Sequence[Row], heights: Sequence[float], title: str, *, is_over: bool = True
) -> None:
    tops, end = _tops(heights), max((bar.stop for row in rows for bar in row.bars), default=0.0) or 1.0
    ax.set_xlim(-0.012 * end, end * 1.03)
    ax.set_ylim(sum(heights), 0)
    middles = [top + height / 2 for top, height in zip(tops, heights, strict=True)] if rows else []
    ax.set_yticks(middles, [_label(row) for row in rows], fontsize=SIZE, color=INK)
    ax.tick_params(axis="x", labelsize=SIZE, labelcolor=MUTED, color=style.GRID)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color=style.GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[:].set_visible(False)
    for index, (top, height) in enumerate(zip(tops, heights, strict=True)):
        if index % 2 == 0:
            ax.axhspan(top, top + height, color=style.BAND, linewidth=0, zorder=0)
    facts = f"{trace.makespan:.3g} s in total, at most {trace.peak} in flight" if trace else "no requests"
    ax.set_title(title or "Timeline", loc="left", fontsize=11, fontweight="bold", color=INK, pad=20)
    ax.annotate(facts * is_over, (0, 1), (0, 6), "axes fraction", "offset points", fontsize=SIZE, color=MUTED)


def _draw_rows(ax: Axes, rows: Sequence[Row], heights: Sequence[float], lane: float) -> None:
    for row, top, height in zip(rows, _tops(heights), heights, strict=bool(rows)):
        _draw_row(ax, row, top, height, lane)


def _draw_row(ax: Axes, row: Row, top: float, height: float, lane: float) -> None:
    first, scale = top + (height - row.lanes * lane) / 2, inches(ax)[1] / ax.get_ylim()[0]
    for index, bar in enumerate(row.bars):
        after = (other.start for other in row.bars[index + 1 :] if other.lane == bar.lane)
        draw_bar(ax, bar, first + (bar.lane + 0.5) * lane, lane, scale, next(after, ax.get_xlim()[1]))
    notes = _notes(row, height * scale)
    for number, note in enumerate(notes):
        offset = ((len(notes) - 1) / 2 - number) * LINE * 72
        color = ALARM if (number or "trouble" in note) and "running" not in note else MUTED
        ax.annotate(note, (1, top + height / 2), (6, offset), ax.get_yaxis_transform(), "offset points",
                    fontsize=SIZE, color=color, va="center_baseline", annotation_clip=False)  # fmt: skip


def _label_axis(ax: Axes, trace: Trace, *, has_tokens: bool = False) -> None:
    """Name the axis, and beside it those marks and figures that are really there, or will be."""
    key = ["◇ a retry"] * any(record.attempt > 1 for record in trace)
    key += ["✖ failed"] * any(record.failed for record in trace)
    key += ["prompt → completion tokens"] * (has_tokens or any("→" in text.get_text() for text in ax.texts))
    name, key = "seconds since the first request", "      ".join(key)
    gap = "      " if text_width(name + key) + 0.3 < inches(ax)[0] else "\n"
    ax.set_xlabel((name + gap + key).rstrip(), fontsize=SIZE, color=MUTED, loc="left")


def _finish(ax: Axes, trace: Trace, rows: Sequence[Row], title: str) -> None:
    from course_utils.show.picture import show_when_cell_ends

    picture = ax.figure
    if "\n" in ax.get_xlabel():
        _grow(picture, ax, LINE)
    picture.caption = f"{title or 'Timeline'}: {describe(trace, rows)}"
    picture.alt = (
        f"{picture.caption} One row per step, one bar per request, on a time axis. At most {trace.peak} in flight."
    )
    show_when_cell_ends(picture)


def _grow(picture: Picture, ax: Axes, more: float) -> None:
    """Make room for one more line below the axis."""
    left, bottom, width, height = ax.get_position().bounds
    old, new = picture.get_figheight(), picture.get_figheight() + more
    picture.set_figheight(new)
    ax.set_position((left, (bottom * old + more) / new, width, height * old / new))

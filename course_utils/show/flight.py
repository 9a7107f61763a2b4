"""How many requests were open at each moment, and how many on average: Little's law as a picture.

Layer 1: imports `records`, `style`, `picture`; matplotlib only when something is drawn. Times are seconds on the course
clock, 0 being the first request's start. What was open is a step line over a filled area, the mean a broken line.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from course_utils.errors import CourseError
from course_utils.records import Record, Trace, count
from course_utils.show import style
from course_utils.show.style import BLUE, GRID, INK, MUTED, PALE, SIZE, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT, TOP, BOTTOM, LEFT = 2.5, 0.42, 0.52, 0.62  # inches


def in_flight(trace: Trace, *, title: str = "", most: float | None = None, ax: Axes | None = None) -> Axes:
    """Draw the number of open requests over time, and its mean with Little's two factors beside it.

    Requests that were refused at once take no time, and so no part. In a notebook the picture is shown when the cell
    ends; `ax.figure.caption` holds its text.

    Args:
        most: Where the vertical axis ends, so that two pictures can be compared; without it at the trace's own peak.
        ax: Draw here, and show nothing; without it a picture of its own is made.

    Raises:
        CourseError: No request of the trace has ended.
    """
    ended = [record for record in trace if record.course_stop is not None and record.course_stop > record.course_start]
    if not ended:
        raise CourseError("No request of this trace took any time.", fix="record a block whose requests get answers.")
    moments, levels = steps(ended)
    words = factors(ended, moments[-1])
    own = ax is None
    ax = ax or _new_axes(words)
    _prepare(ax, moments[-1], most or max(levels), title)
    ax.fill_between(moments, levels, step="post", color=PALE[BLUE], linewidth=0, zorder=2)
    ax.step(moments, levels, where="post", color=BLUE, linewidth=1.4, zorder=3)
    mean = sum(_length(record) for record in ended) / moments[-1]
    ax.axhline(mean, color=INK, linestyle=(0, (5, 2.5)), linewidth=1.3, zorder=4)
    _say(ax, words, mean)
    if own:
        _finish(ax, trace, max(levels), title)
    return ax


def steps(records: Iterable[Record]) -> tuple[list[float], list[int]]:
    """The moments at which something began or ended, and how many were open from each of them on.

    At equal moments an end counts before a beginning, so that requests in single file are never two.
    """
    ends = [(record.course_stop or 0.0, -1) for record in records]
    changes = sorted([(record.course_start, 1) for record in records] + ends)
    zero = changes[0][0]
    moments, levels, now = [0.0], [0], 0
    for moment, change in changes:
        now += change
        if moment - zero > moments[-1]:
            moments.append(moment - zero)
            levels.append(now)
        levels[-1] = now
    return moments, levels


def factors(records: list[Record], length: float) -> list[str]:
    """Little's law of these requests in three lines, such as ["mean 1.4", "= 4 per second", "× 0.35 s each"]."""
    total = sum(map(_length, records))
    rate, duration = len(records) / length, total / len(records)
    return [f"mean {total / length:.3g}", f"= {rate:.3g} per second", f"× {duration:.3g} s each"]


def _length(record: Record) -> float:
    return (record.course_stop or record.course_start) - record.course_start


def _new_axes(words: list[str]) -> Axes:
    from course_utils.show.picture import Picture

    picture = Picture(style.WIDTH, HEIGHT, kind="in flight")
    right = 0.34 + max(map(text_width, words))
    box = (LEFT, BOTTOM, style.WIDTH - LEFT - right, HEIGHT - TOP - BOTTOM)
    return picture.add_axes(tuple(part / (style.WIDTH, HEIGHT)[at % 2] for at, part in enumerate(box)))


def _prepare(ax: Axes, length: float, most: float, title: str) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.set_xlim(0, length * 1.02)
    ax.set_ylim(0, most * 1.08)
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.tick_params(labelsize=SIZE, labelcolor=MUTED, color=GRID)
    ax.grid(color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("seconds since the first request", fontsize=SIZE, color=MUTED, loc="left")
    ax.set_ylabel("open requests", fontsize=SIZE, color=MUTED)
    ax.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK, pad=10)


def _say(ax: Axes, words: list[str], mean: float) -> None:
    """Three lines beside the mean, kept inside the picture where the mean lies at its edge."""
    low, high = ax.get_ylim()
    place = min(0.82, max(0.18, (mean - low) / (high - low)))
    ax.text(1.02, place, "\n".join(words), transform=ax.transAxes, fontsize=SIZE, color=INK, va="center")


def _finish(ax: Axes, trace: Trace, peak: int, title: str) -> None:
    from course_utils.show.picture import show_when_cell_ends

    picture = ax.figure
    refused = f", {trace.failed} of them failed" if trace.failed else ""
    picture.caption = f"{title or 'In flight'}: {count(len(trace), 'request')}{refused}, open requests over time."
    picture.alt = (
        f"{picture.caption} A step line that rises to {peak}, and a broken line at its mean, beside which stands "
        "the rate times the duration."
    )
    show_when_cell_ends(picture)

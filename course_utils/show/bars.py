"""How one request looks in a timeline: a bar, its marks, and the words that fit.

Layer 1: imports `lanes`, `style`; matplotlib only when something is drawn. Horizontal positions are seconds,
vertical ones the inches that the whole picture would like to have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from course_utils.show.lanes import Bar, outcome_word
from course_utils.show.style import ALARM, BLUE, INK, ORANGE, PALE, PAPER, SIZE, VERMILLION, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOOK = {  # outcome -> face, edge, hatch: they differ in grey, too
    "done": (BLUE, PAPER, ""),
    "faulted": (PALE[ORANGE], "#8a6000", "...."),
    "failed": (PALE[VERMILLION], VERMILLION, "/////"),
    "open": (PALE[BLUE], BLUE, ""),
}
NARROWEST = 0.025  # inches: no bar is drawn narrower


def draw_bar(ax: Axes, bar: Bar, y: float, lane: float, scale: float, free_until: float) -> None:
    """Draw one request, and its words where they fit before the next one in its lane.

    Args:
        scale: 1 in a picture of our own; less where an Axes that was passed in is too low for all lanes.
    """
    inch = _seconds_per_inch(ax)
    face, edge, hatch = LOOK[bar.outcome]
    width = max(bar.stop - bar.start, NARROWEST * inch)
    high = lane * scale
    if bar.outcome == "failed" and (width < 0.06 * inch or high < 0.06):
        face, hatch = edge, ""  # too small for a hatch
    patch = ax.barh(y, width, lane * 0.82, bar.start, color=face, edgecolor=edge, hatch=hatch, zorder=3)[0]
    patch.set(linewidth=0.3 if high < 0.06 else 0.8, hatch_linewidth=0.7, snap=False)
    mark = 2.6 if high < 0.06 else 4 if high < 0.12 else 6.5
    if bar.outcome == "failed":
        patch.set_zorder(4)
        _mark(ax, "X", bar.start + width, y, mark, 0.45, color=ALARM, markeredgecolor=PAPER, markeredgewidth=0.5)
    if bar.outcome == "open":
        patch.set_linestyle((0, (3, 2)))
        _mark(ax, ">", bar.start + width, y, mark, 0.5, color=BLUE)
    if bar.record.attempt > 1:
        _mark(ax, "D", bar.start, y, mark * 0.72, -0.4, color=PAPER, markeredgecolor=INK, markeredgewidth=mark / 7)
    if high >= 0.14:
        _write(ax, bar, y, width, free_until)


def _mark(ax: Axes, shape: str, x: float, y: float, size: float, shift: float, **look: object) -> None:
    """Set a marker beside `x`, shifted by a part of its size, so that a short bar's marks do not hide each other."""
    from matplotlib.transforms import ScaledTranslation

    beside = ax.transData + ScaledTranslation(shift * size / 72, 0, ax.figure.dpi_scale_trans)
    ax.plot(x, y, shape, markersize=size, transform=beside, zorder=6, clip_on=False, **look)


def _write(ax: Axes, bar: Bar, y: float, width: float, free_until: float) -> None:
    inch = _seconds_per_inch(ax)
    tokens = f"{bar.record.prompt_tokens} → {bar.record.completion_tokens}"
    retry = f"try {bar.record.attempt}" if bar.record.attempt > 1 else ""
    outcome = outcome_word(bar.record)
    inside = {"done": [f"{retry}   {tokens}".strip(), tokens, retry], "open": [outcome]}.get(bar.outcome, [])
    words = next((words for words in inside if text_width(words) + 0.2 < width / inch), "")
    color = PAPER if bar.outcome == "done" else INK
    ax.text(bar.start + width / 2, y, words, color=color, fontsize=SIZE, ha="center", va="center_baseline", zorder=5)
    words = ", ".join(filter(None, [outcome, retry]))
    if not inside and text_width(words) + 0.16 < (free_until - bar.start - width) / inch:
        ax.annotate(words, (bar.start + width, y), (8, 0), "data", "offset points", color=ALARM, fontsize=SIZE,
                    va="center_baseline", zorder=5)  # fmt: skip


def inches(ax: Axes) -> tuple[float, float]:
    """Width and height of the Axes."""
    extent = ax.get_window_extent()
    return extent.width / ax.figure.dpi, extent.height / ax.figure.dpi


def _seconds_per_inch(ax: Axes) -> float:
    left, right = ax.get_xlim()
    return (right - left) / inches(ax)[0]

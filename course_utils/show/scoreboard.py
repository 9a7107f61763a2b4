"""Runs side by side as bars: what the inputs came to, how long it took, what it cost.

Layer 1: imports `results`, `style`, `picture`, `static`, `records`; matplotlib only when something is drawn. Vertical
positions are inches from the top.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from course_utils.errors import CourseError
from course_utils.records import count
from course_utils.show import static, style
from course_utils.show.results import Result, Results
from course_utils.show.style import (
    ALARM,
    BLUE,
    FRAME,
    INK,
    MUTED,
    ORANGE,
    PALE,
    PAPER,
    SIZE,
    VERMILLION,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW, HEAD, TOP, BOTTOM, GAP = 0.27, 0.27, 0.7, 0.36, 0.2  # inches; GAP lies between a figure and the next panel
WIDEST = 2.5  # inches for the names
PARTS = (  # attribute, face, edge, hatch: they differ in grey, too
    ("succeeded", BLUE, PAPER, ""),
    ("degraded", PALE[ORANGE], "#8a6000", "...."),
    ("failed", PALE[VERMILLION], VERMILLION, "/////"),
)


def scoreboard(results: Results, *, title: str = "") -> Axes:
    """Draw one row of bars per run: inputs by outcome, seconds, US dollars; gives the first of the three Axes.

    Raises:
        CourseError: There are no results.
    """
    if not results:
        raise CourseError("Nothing has run yet.", fix="run the lab first, as in lab.run_all().")
    places, heads, high = _places(results)
    names = [row.workflow or row.faults for row in results]
    labels = _labels(names, places, heads)
    wide = min(WIDEST, max(label.shift + text_width(label.text, weight=label.weight) for label in labels))
    figures = [
        [f"{row.inputs} of {row.inputs}" for row in results],
        [_time(row) for row in results],
        [_dollars(row, results) for row in results],
    ]
    axes = _new_axes(high, wide, [max(map(text_width, each)) for each in figures])
    most = max(row.inputs for row in results)
    for ax, top in zip(axes, (most, *_tops(results)), strict=True):
        _prepare(ax, high, top)
    _write_labels(axes[0], labels, wide)
    for row, y in zip(results, places, strict=True):
        _draw_inputs(axes[0], row, y)
        _draw_amount(axes[1], row.seconds, _time(row), y)
        _draw_amount(axes[2], row.price, _dollars(row, results), y)
    for ax, name in zip(axes, ("inputs that succeeded", "time", "price"), strict=True):
        ax.set_title(name, loc="left", fontsize=SIZE, color=MUTED, pad=4)
    _finish(axes[0], results, title or "Fault lab")
    return axes[0]


def _tops(results: Results) -> tuple[float, float]:
    return max(row.seconds for row in results) or 1.0, max(row.price for row in results) or 1.0


def _time(row: Result) -> str:
    return f"{row.seconds:.3g} s"


def _dollars(row: Result, results: Results) -> str:
    return f"${row.price:,.{static.decimals(each.price for each in results)}f}"


def _places(results: Results) -> tuple[list[float], list[tuple[str, float]], float]:
    """The middles of the rows, the headings where several workflows share one set of faults, and the total height."""
    places, heads, here = [], [], 0.0
    has_heads = any(row.workflow for row in results)
    for name, group in groupby(results, key=lambda row: row.faults):
        if has_heads:
            heads.append((name, here + HEAD / 2))
            here += HEAD
        for _ in group:
            places.append(here + ROW / 2)
            here += ROW
        here += 0.1 * has_heads
    return places, heads, here


def _new_axes(high: float, names: float, figures: list[float]) -> list[Axes]:
    """Three panels with room for the names at the left, and for the longest figure right of each panel's bars."""
    from course_utils.show.picture import Picture

    total = high + TOP + BOTTOM
    picture = Picture(style.WIDTH, total, kind="scoreboard")
    left, axes = names + 0.3, []
    room = style.WIDTH - left - sum(figures) - 3 * GAP
    for share, figure in zip((0.44, 0.28, 0.28), figures, strict=True):
        box = (left / style.WIDTH, BOTTOM / total, room * share / style.WIDTH, high / total)
        axes.append(picture.add_axes(box))
        left += room * share + figure + GAP
    return axes


def _prepare(ax: Axes, high: float, most: float) -> None:
    ax.set_xlim(0, most)
    ax.set_ylim(high, 0)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    ax.spines["left"].set(visible=True, color=FRAME)


class Label(NamedTuple):
    """What stands left of a row, or above several."""

    text: str
    y: float
    shift: float  # inches to the right
    weight: str


def _labels(names: list[str], places: list[float], heads: list[tuple[str, float]]) -> list[Label]:
    shift = 0.14 if heads else 0.0
    rows = [
        Label(style.shorten(name, WIDEST - shift), y, shift, "normal") for name, y in zip(names, places, strict=True)
    ]
    return [*(Label(style.shorten(name, WIDEST), y, 0.0, "bold") for name, y in heads), *rows]


def _write_labels(ax: Axes, labels: list[Label], wide: float) -> None:
    for label in labels:
        offset = ((label.shift - wide - 0.15) * 72, 0)
        ax.annotate(label.text, (0, label.y), offset, ax.get_yaxis_transform(), "offset points", fontsize=SIZE,
                    color=INK, weight=label.weight, va="center_baseline", annotation_clip=False)  # fmt: skip


def _draw_inputs(ax: Axes, row: Result, y: float) -> None:
    left = 0
    for name, face, edge, hatch in PARTS:
        size = getattr(row, name)
        if size:
            bar = ax.barh(y, size, ROW * 0.66, left, color=face, edgecolor=edge, hatch=hatch)[0]
            bar.set(linewidth=0.8, hatch_linewidth=0.7)
        left += size
    _write(ax, left, f"{row.succeeded} of {row.inputs}", y, ALARM if row.succeeded < row.inputs else INK)


def _draw_amount(ax: Axes, amount: float, text: str, y: float) -> None:
    ax.barh(y, amount, ROW * 0.66, color=style.FRAME)
    _write(ax, amount, text, y, INK)


def _write(ax: Axes, x: float, text: str, y: float, color: str) -> None:
    ax.annotate(text, (x, y), (4, 0), "data", "offset points", fontsize=SIZE, color=color, va="center_baseline",
                annotation_clip=False)  # fmt: skip


def _finish(ax: Axes, results: Results, title: str) -> None:
    from matplotlib.patches import Patch

    from course_utils.show.picture import show_when_cell_ends

    picture = ax.figure
    high = picture.get_figheight()
    picture.text(0.15 / style.WIDTH, 1 - 0.14 / high, title, fontsize=11, weight="bold", color=INK, va="top")
    used = [part for part in PARTS if any(getattr(row, part[0]) for row in results)]
    keys = [Patch(facecolor=face, edgecolor=edge, hatch=hatch, label=name) for name, face, edge, hatch in used]
    picture.legend(handles=keys, loc="lower left", bbox_to_anchor=(0.1 / style.WIDTH, 0), ncols=3, frameon=False,
                   fontsize=SIZE, labelcolor=MUTED, borderaxespad=0.1)  # fmt: skip
    picture.caption = f"{title}: {_words(results)}."
    picture.alt = picture.caption + " One row of bars per run: inputs by outcome, time, price."
    show_when_cell_ends(picture)


def _words(results: Results) -> str:
    """The outcomes, one set of faults after the other; only how many there are when they would fill a page."""
    if len(results) > 12:
        return count(len(results), "run")
    return "; ".join(
        f"{name}: " + ", ".join(f"{row.workflow} {row.outcome}".strip() for row in group)
        for name, group in groupby(results, key=lambda row: row.faults)
    )

"""What each of several things was, and when: a row of coloured stretches for each, with the calls that it met below.

Layer 1: imports `errors`, `style`, `picture`, `records`; matplotlib only when something is drawn. The horizontal axis
is in whatever unit the caller counts, the vertical one is in inches. A state has a colour, a hatch and a word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING

from course_utils.errors import CourseError
from course_utils.records import count
from course_utils.show import style
from course_utils.show.style import ALARM, BLUE, GREEN, INK, MUTED, ORANGE, PALE, PURPLE, SIZE, VERMILLION, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from course_utils.show.picture import Picture

Changes = Sequence[tuple[float, str]]  # (from when on, the state), in order
Calls = Sequence[tuple[float, bool]]  # (when, True when it was answered)

ROW, TOP, BOTTOM, LEGEND = 0.34, 0.42, 0.5, 0.3  # inches
CALM, WRONG, BETWEEN = (PALE[GREEN], "#00694d", ""), (PALE[VERMILLION], ALARM, "/////"), (PALE[ORANGE], "#8a6000", "..")
KNOWN = {"up": CALM, "closed": CALM, "down": WRONG, "open": WRONG, "half-open": BETWEEN}
OTHERS = ((PALE[BLUE], BLUE, ""), (PALE[PURPLE], "#8a4a6c", "\\\\\\"), (style.BAND, MUTED, "xx"))


def states(
    rows: Mapping[str, Changes],
    until: float,
    *,
    calls: Mapping[str, Calls] | None = None,
    x: str = "seconds",
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the states of one or more things over time, and below them the calls that were made meanwhile.

    In a notebook the picture is shown when the cell ends; `ax.figure.caption` holds its text, which names no time.

    Args:
        rows: For each thing its states in order: (from when on, the state).
        until: When the last state ends.
        calls: For each row of calls (when, True when it was answered).
        x: What the axis counts.
        ax: Draw here, and show nothing; without it a picture of its own is made.

    Raises:
        CourseError: There is no state to draw, or a row's changes are out of order.
    """
    calls = calls or {}
    _check(rows, until)
    own = ax is None
    ax = ax or _new_axes([*rows, *calls])
    _prepare(ax, [*rows, *calls], min(changes[0][0] for changes in rows.values()), until, x, title)
    looks = _looks(rows)
    for place, changes in enumerate(rows.values()):
        _draw_states(ax, changes, until, place, looks)
    for place, row in enumerate(calls.values(), len(rows)):
        _draw_calls(ax, row, place)
    _draw_legend(ax, looks, any(calls.values()))
    if own:
        _finish(ax.figure, rows, calls, title or "States")
    return ax


def _check(rows: Mapping[str, Changes], until: float) -> None:
    if not rows or not all(rows.values()):
        raise CourseError(
            "There is no state to draw.", fix='give each row its changes, as in {"breaker": [(0, "closed")]}.'
        )
    for name, changes in rows.items():
        moments = [moment for moment, _ in changes] + [until]
        if moments != sorted(moments):
            raise CourseError(
                f"The changes of {name!r} are out of order.", fix="sort them, all of them before `until`."
            )


def _looks(rows: Mapping[str, Changes]) -> dict[str, tuple[str, str, str]]:
    """A face, an edge and a hatch for each state, in order of first appearance."""
    names = dict.fromkeys(state for changes in rows.values() for _, state in changes)
    others = cycle(OTHERS)
    return {name: KNOWN.get(name) or next(others) for name in names}


def _new_axes(names: Sequence[str]) -> Axes:
    from course_utils.show.picture import Picture

    total = len(names) * ROW + TOP + BOTTOM + LEGEND
    picture = Picture(style.WIDTH, total, kind="states")
    left = 0.25 + max(map(text_width, names))
    box = (left, BOTTOM + LEGEND, style.WIDTH - left - 0.25, len(names) * ROW)
    return picture.add_axes(tuple(part / (style.WIDTH, total)[at % 2] for at, part in enumerate(box)))


def _prepare(ax: Axes, names: Sequence[str], begin: float, until: float, x: str, title: str) -> None:
    ax.set_xlim(begin, until)
    ax.set_ylim(len(names) * ROW, 0)
    ax.set_yticks([(place + 0.5) * ROW for place in range(len(names))], names, fontsize=SIZE, color=INK)
    ax.tick_params(axis="x", labelsize=SIZE, labelcolor=MUTED, color=style.GRID)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color=style.GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[:].set_visible(False)
    ax.set_xlabel(x, fontsize=SIZE, color=MUTED, loc="left")
    ax.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK, pad=10)


def _draw_states(ax: Axes, changes: Changes, until: float, place: int, looks: dict[str, tuple[str, str, str]]) -> None:
    """One stretch for each state; its word stands in it where there is room."""
    ends = [moment for moment, _ in changes[1:]] + [until]
    scale = ax.get_position().width * ax.figure.get_figwidth() / (ax.get_xlim()[1] - ax.get_xlim()[0])
    for (begin, state), end in zip(changes, ends, strict=True):
        face, edge, hatch = looks[state]
        bar = ax.barh((place + 0.5) * ROW, end - begin, ROW * 0.72, begin, color=face, edgecolor=edge, hatch=hatch)[0]
        bar.set(linewidth=0.8, hatch_linewidth=0.6, zorder=3)
        if (end - begin) * scale > text_width(state) + 0.16:
            box = {"facecolor": face, "edgecolor": "none", "pad": 1.2}
            ax.text((begin + end) / 2, (place + 0.5) * ROW, state, fontsize=SIZE, color=INK, ha="center",
                    va="center_baseline", zorder=4, bbox=box if hatch else None)  # fmt: skip


def _draw_calls(ax: Axes, row: Calls, place: int) -> None:
    for answered, marker, color in ((True, "o", BLUE), (False, "X", ALARM)):
        moments = [moment for moment, ok in row if ok is answered]
        ax.plot(moments, [(place + 0.5) * ROW] * len(moments), marker, color=color, markersize=5, linestyle="",
                markerfacecolor="none" if answered else color, clip_on=False, zorder=5)  # fmt: skip


def _draw_legend(ax: Axes, looks: dict[str, tuple[str, str, str]], has_calls: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    keys: list[Patch | Line2D] = [
        Patch(facecolor=face, edgecolor=edge, hatch=hatch, label=name) for name, (face, edge, hatch) in looks.items()
    ]
    if has_calls:
        keys += [
            Line2D([], [], marker="o", linestyle="", markerfacecolor="none", color=BLUE, label="answered"),
            Line2D([], [], marker="X", linestyle="", color=ALARM, label="failed"),
        ]
    figure = ax.figure
    figure.legend(handles=keys, loc="lower left", bbox_to_anchor=(0.1 / figure.get_figwidth(), 0), ncols=len(keys),
                  frameon=False, fontsize=SIZE, labelcolor=MUTED, borderaxespad=0.2, handletextpad=0.4,
                  columnspacing=1.2)  # fmt: skip


def _finish(picture: Picture, rows: Mapping[str, Changes], calls: Mapping[str, Calls], title: str) -> None:
    from course_utils.show.picture import show_when_cell_ends

    told = [f"{name}, {_words(changes)}" for name, changes in rows.items()]
    told += [f"{name}, {count(len(row), 'call')}, {sum(not ok for _, ok in row)} failed" for name, row in calls.items()]
    picture.caption = f"{title}: {'; '.join(told)}."
    picture.alt = f"{picture.caption} One row of stretches for each, one mark for each call, on a time axis."
    show_when_cell_ends(picture)


def _words(changes: Changes) -> str:
    """The states in order; of many the way between the first and the last.

    >>> _words([(0, "up"), (10, "down"), (40, "up")])
    'up, then down, then up'
    >>> _words([(0, "closed"), (1, "open"), (2, "half-open"), (3, "open"), (4, "half-open"), (5, "closed")])
    'closed at first, open 2 times, half-open 2 times, closed at last'
    """
    names = [state for _, state in changes]
    if len(names) <= 4:
        return ", then ".join(names)
    between = [f"{name} {count(names[1:-1].count(name), 'time')}" for name in dict.fromkeys(names[1:-1])]
    return ", ".join([f"{names[0]} at first", *between, f"{names[-1]} at last"])

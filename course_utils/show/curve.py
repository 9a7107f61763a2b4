"""Curves: how one number grows with another, as measured and as a formula has it.

Layer 1: imports `errors`, `style`, `picture`; matplotlib only when something is drawn. What was measured is a solid
line with a marker at every point, a formula is a broken line without markers; each line has its name at its right end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

from course_utils.errors import CourseError
from course_utils.show import style
from course_utils.show.style import BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, SIZE, VERMILLION, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = Mapping[float, float]  # x -> y

HEIGHT, TOP, BOTTOM, LEFT = 3.1, 0.42, 0.52, 0.78  # inches
LABEL_GAP, WIDEST = 0.2, 2.6  # inches between two names at the right; the most that one may take
LOOKS = ((BLUE, "o", "●"), (VERMILLION, "s", "■"), (GREEN, "^", "▲"), (PURPLE, "D", "◆"), (ORANGE, "v", "▼"))
BREAKS = (((5, 2.5), "╌"), ((1.5, 2), "┈"), ((9, 2, 1.5, 2), "┄"))  # on and off, in line widths; and in a name


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the picture; its points in order of x."""

    name: str
    points: tuple[tuple[float, float], ...]
    is_formula: bool
    look: dict[str, Any]  # as matplotlib's `plot` takes it
    sign: str  # the line's marker or break, to stand before its name

    @property
    def last(self) -> float:
        """Where it ends."""
        return self.points[-1][1]


def curve(
    measured: Mapping[str, Points],
    formulas: Mapping[str, Points | Callable[[float], float]] | None = None,
    *,
    x: str,
    y: str,
    title: str = "",
    is_share: bool = False,
    is_repeatable: bool = True,
    most: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw lines through points, and formulas beside them.

    In a notebook the picture is shown when the cell ends; `ax.figure.caption` holds its text.

    Args:
        measured: For each line its name and its points, x -> y.
        formulas: The same; or functions, which are asked for every x that was measured.
        x, y: What the axes count, with the unit.
        is_share: The y values are shares of 1; the axis shows per cent.
        is_repeatable: False when another run measures other values, such as times: the caption then leaves them out.
        most: The y axis reaches at least so far, so that two pictures, or one that is drawn again, can be compared.
        ax: Draw here, and show nothing; without it a picture of its own is made.

    Raises:
        CourseError: There is no point to draw.
    """
    lines = _lines(measured, formulas or {})
    own = ax is None
    names = [_label(line, is_share) for line in lines]
    ax = ax or _new_axes(names)
    _prepare(ax, lines, title, x, y, is_share, most or 0.0)
    for line in lines:
        ax.plot(*zip(*line.points, strict=True), **line.look)
    _name_lines(ax, lines, names)
    if own:
        _finish(ax, lines, title or f"{y} by {x}", x, is_share, is_repeatable)
    return ax


def _lines(measured: Mapping[str, Points], formulas: Mapping[str, Points | Callable[[float], float]]) -> list[Line]:
    places = sorted({place for points in measured.values() for place in points})
    lines = []
    for (name, points), (color, marker, sign) in zip(measured.items(), cycle(LOOKS), strict=False):
        look = {"color": color, "marker": marker, "markersize": 5.5, "linewidth": 1.8, "zorder": 3, "clip_on": False}
        lines.append(Line(name, tuple(sorted(points.items())), False, look, sign))
    for (name, formula), (breaks, sign) in zip(formulas.items(), cycle(BREAKS), strict=False):
        points = {place: formula(place) for place in places} if callable(formula) else formula
        look = {"color": INK, "linestyle": (0, breaks), "linewidth": 1.3, "zorder": 2}
        lines.append(Line(name, tuple(sorted(points.items())), True, look, sign * 2))
    empty = [line.name for line in lines if not line.points]
    if empty or not lines:
        raise CourseError(
            f"{empty[0]!r} has no points to draw." if empty else "There is nothing to draw.",
            fix='give each line a dict of its points, such as {"measured": {1: 0.95, 2: 0.9}}.',
        )
    return lines


def _figure(value: float, is_share: bool) -> str:
    """A value as people write it.

    >>> _figure(0.5987, True), _figure(12345.0, False), _figure(2.50, False)
    ('59.9 %', '12,345', '2.5')
    """
    if is_share:
        return f"{100 * value:.3g} %"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _label(line: Line, is_share: bool) -> str:
    """What stands at a line's end; a long name gives way, the value does not."""
    value = f": {_figure(line.last, is_share)}"
    return style.shorten(f"{line.sign} {line.name}", WIDEST - text_width(value)) + value


def _new_axes(names: list[str]) -> Axes:
    from course_utils.show.picture import Picture

    picture = Picture(style.WIDTH, HEIGHT, kind="curve")
    right = 0.34 + max(map(text_width, names))
    box = (LEFT, BOTTOM, style.WIDTH - LEFT - right, HEIGHT - TOP - BOTTOM)
    return picture.add_axes(tuple(part / (style.WIDTH, HEIGHT)[at % 2] for at, part in enumerate(box)))


def _prepare(ax: Axes, lines: list[Line], title: str, x: str, y: str, is_share: bool, most: float) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    xs, ys = zip(*(point for line in lines for point in line.points), strict=True)
    wide, high = (max(xs) - min(xs)) or 1.0, (1.0 if is_share else max(*ys, most, 0.0) or 1.0)
    ax.set_xlim(min(xs) - 0.02 * wide, max(xs) + 0.02 * wide)
    ax.set_ylim(min(*ys, 0.0), high * 1.04)
    ax.xaxis.set_major_locator(
        MaxNLocator(10, integer=all(float(each).is_integer() for each in xs), steps=[1, 2, 5, 10])
    )
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _figure(value, is_share)))
    ax.tick_params(labelsize=SIZE, labelcolor=MUTED, color=style.GRID)
    ax.grid(color=style.GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[:].set_visible(False)
    ax.set_xlabel(x, fontsize=SIZE, color=MUTED, loc="left")
    ax.set_ylabel(y, fontsize=SIZE, color=MUTED)
    ax.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK, pad=10)


def _name_lines(ax: Axes, lines: list[Line], names: list[str]) -> None:
    """Put each line's name beside its end, no two on top of each other; a thin line leads to a name that gave way."""
    low, high = ax.get_ylim()
    tall = ax.get_position().height * ax.figure.get_figheight()
    ends = [(line.last - low) / (high - low) * tall for line in lines]
    leader = {"arrowstyle": "-", "color": style.FRAME, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0, "relpos": (0, 0.5)}
    for line, name, end, place in zip(lines, names, ends, spread(ends, LABEL_GAP, tall), strict=True):
        ax.annotate(name, (line.points[-1][0], line.last), (1.03, place / tall), "data", "axes fraction",
                    fontsize=SIZE, color=INK, va="center_baseline", annotation_clip=False,
                    arrowprops=leader if abs(place - end) > 0.03 else None)  # fmt: skip


def spread(wanted: list[float], gap: float, most: float) -> list[float]:
    """Places as near to the wanted ones as can be, at least `gap` apart, and none above `most` while there is room.

    >>> spread([1.0, 1.05, 0.2], 0.2, 2.0)
    [1.0, 1.2, 0.2]
    """
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    places: list[float] = []
    for index in order:
        places.append(max(wanted[index], places[-1] + gap) if places else wanted[index])
    limit = most
    for at in reversed(range(len(places))):
        places[at] = min(places[at], limit)
        limit = places[at] - gap
    found = dict(zip(order, places, strict=True))
    return [round(found[index], 6) for index in range(len(wanted))]


def _finish(ax: Axes, lines: list[Line], title: str, x: str, is_share: bool, is_repeatable: bool) -> None:
    from course_utils.show.picture import show_when_cell_ends

    picture = ax.figure
    picture.caption = f"{title}: " + "; ".join(_words(line, x, is_share, is_repeatable) for line in lines) + "."
    picture.alt = picture.caption + " Measured lines are solid with a marker at each point, formulas are broken lines."
    show_when_cell_ends(picture)


def _words(line: Line, x: str, is_share: bool, is_repeatable: bool) -> str:
    """One line of the picture in words: where it begins, where it ends."""
    kind = f"{line.name} (formula)" if line.is_formula else line.name
    if not (is_repeatable or line.is_formula):
        return f"{kind}, {len(line.points)} points"
    ends = [line.points[0], *islice(reversed(line.points), int(len(line.points) > 1))]
    return f"{kind}, " + " to ".join(f"{_figure(value, is_share)} at {place:g}" for place, value in ends)

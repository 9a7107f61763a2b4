"""The confusion matrix: what was true, what was answered instead, with every count in its cell.

Layer 1: imports `errors`, `style`, `picture`; matplotlib only when something is drawn. A row is a true label, a column
an answer. Right answers lie on the diagonal, framed and blue; mistakes are vermillion, the darker the more of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from course_utils.errors import CourseError
from course_utils.show import style
from course_utils.show.style import BLUE, INK, MUTED, PAPER, SIZE, VERMILLION, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE, NARROW, TALL = 0.98, 0.62, 0.46  # inches: the widest and the narrowest cell, and how high each is
TOP, BOTTOM, EDGE, SUM = 0.98, 0.62, 0.2, 0.95
DARKEST = 0.5  # how much colour the fullest cell has; dark ink still reads well on it
LONGEST = 1.6  # inches that a label may take at the left


@dataclass(frozen=True, slots=True)
class Matrix:
    """How often each answer was given for each true label."""

    rows: tuple[str, ...]  # the true labels
    columns: tuple[str, ...]  # the same, in the same order, then whatever else was answered
    counts: Counter[tuple[str, str]]  # (true, answered) -> how often

    def row(self, true: str) -> int:
        return sum(self.counts[true, answer] for answer in self.columns)

    def column(self, answer: str) -> int:
        return sum(self.counts[true, answer] for true in self.rows)

    @property
    def right(self) -> int:
        return sum(self.counts[label, label] for label in self.rows)

    @property
    def mistakes(self) -> list[tuple[int, str, str]]:
        """(how often, true, answered), the most frequent first."""
        wrong = [(number, *pair) for pair, number in self.counts.items() if number and pair[0] != pair[1]]
        return sorted(wrong, key=lambda each: (-each[0], self.rows.index(each[1]), self.columns.index(each[2])))


def confusion(
    true: Sequence[object],
    answered: Sequence[object],
    *,
    labels: Sequence[str] = (),
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw which label was taken for which: one row for each true label, one column for each answer.

    In a notebook the picture is shown when the cell ends; `ax.figure.caption` holds its text.

    Args:
        true, answered: The right label and the given one of each case, in the same order. An answer that is no
            label, such as None, gets a column of its own at the right.
        labels: The order of the labels; without it they come as they first appear.
        ax: Draw here, and show nothing; without it a picture of its own is made.

    Raises:
        CourseError: There is no case, or the two sequences are not equally long.
    """
    matrix = count(true, answered, labels)
    own = ax is None
    ax = ax or _new_axes(matrix)
    _draw_cells(ax, matrix)
    _draw_sums(ax, matrix)
    _prepare(ax, matrix, title)
    if own:
        _finish(ax, matrix, title or "Confusion matrix")
    return ax


def count(true: Sequence[object], answered: Sequence[object], labels: Sequence[str] = ()) -> Matrix:
    """The counts behind the picture.

    >>> count(["a", "a", "b"], ["a", "b", None]).mistakes
    [(1, 'a', 'b'), (1, 'b', 'none')]
    """
    if len(true) != len(answered) or not len(true):
        raise CourseError(
            f"There are {len(true)} true labels and {len(answered)} answers.",
            fix="give both for every case, in the same order, and at least one case.",
        )
    pairs = [(_name(one), _name(other)) for one, other in zip(true, answered, strict=True)]
    rows = tuple(dict.fromkeys([*labels, *(one for one, _ in pairs)]))
    return Matrix(rows, tuple(dict.fromkeys([*rows, *(other for _, other in pairs)])), Counter(pairs))


def _name(label: object) -> str:
    return "none" if label is None else str(label) or "(empty)"


def _new_axes(matrix: Matrix) -> Axes:
    from course_utils.show.picture import Picture

    left = 0.75 + min(LONGEST, max(map(text_width, matrix.rows)))
    room = (style.WIDTH - left - SUM - EDGE) / len(matrix.columns)
    wide, tall = max(NARROW, min(WIDE, room)) * len(matrix.columns), TALL * len(matrix.rows)
    width, height = left + wide + SUM + EDGE, TOP + tall + BOTTOM
    picture = Picture(width, height, kind="confusion")
    return picture.add_axes((left / width, BOTTOM / height, wide / width, tall / height))


def _draw_cells(ax: Axes, matrix: Matrix) -> None:
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Rectangle

    most = {True: 1, False: 1}  # is it right? -> the fullest cell of that kind
    for (true, answer), number in matrix.counts.items():
        most[true == answer] = max(most[true == answer], number)
    colors = []
    for true in matrix.rows:
        shares = [matrix.counts[true, answer] / most[true == answer] for answer in matrix.columns]
        hues = [to_rgb(BLUE if true == answer else VERMILLION) for answer in matrix.columns]
        colors.append([_mixed(hue, DARKEST * share) for hue, share in zip(hues, shares, strict=True)])
    ax.imshow(colors, aspect="auto")
    for row, true in enumerate(matrix.rows):
        ax.add_patch(Rectangle((row - 0.46, row - 0.43), 0.92, 0.86, fill=False, edgecolor=INK, linewidth=1.5))
        for column, answer in enumerate(matrix.columns):
            number = matrix.counts[true, answer]
            look = {"color": INK, "fontweight": "bold"} if row == column else {"color": INK if number else MUTED}
            ax.text(column, row, f"{number:,}", ha="center", va="center_baseline", fontsize=11, **look)


def _mixed(hue: tuple[float, float, float], share: float) -> tuple[float, ...]:
    """White with a share of a colour in it."""
    return tuple(1 - share * (1 - part) for part in hue)


def _draw_sums(ax: Axes, matrix: Matrix) -> None:
    look = {"fontsize": SIZE, "color": MUTED, "va": "center_baseline", "clip_on": False}
    edge, foot = len(matrix.columns) - 0.42, len(matrix.rows) - 0.12
    for row, true in enumerate(matrix.rows):
        ax.text(edge, row, f"{matrix.counts[true, true]} of {matrix.row(true)}", ha="left", **look)
    for column, answer in enumerate(matrix.columns):
        right, told = matrix.counts[answer, answer], matrix.column(answer)
        ax.text(column, foot, f"{right} of {told}", ha="center", **look)
    ax.text(edge, foot, f"{matrix.right} of {sum(matrix.counts.values())}", ha="left",
            **(look | {"color": INK, "fontweight": "bold"}))  # fmt: skip


def _prepare(ax: Axes, matrix: Matrix, title: str) -> None:
    width = ax.get_position().width * ax.figure.get_figwidth() / len(matrix.columns)
    ax.set_xticks(range(len(matrix.columns)), [style.shorten(each, width - 0.06) for each in matrix.columns])
    ax.set_yticks(range(len(matrix.rows)), [style.shorten(each, LONGEST) for each in matrix.rows])
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.tick_params(length=0, labelsize=SIZE, labelcolor=INK, pad=5)
    ax.set_xticks([each + 0.5 for each in range(len(matrix.columns) - 1)], minor=True)
    ax.set_yticks([each + 0.5 for each in range(len(matrix.rows) - 1)], minor=True)
    ax.grid(which="minor", color=PAPER, linewidth=2)
    ax.tick_params(which="minor", length=0)
    ax.spines[:].set_color(style.FRAME)
    ax.set_xlabel("answered", fontsize=SIZE, color=MUTED, loc="left", labelpad=6)
    ax.set_ylabel("true label", fontsize=SIZE, color=MUTED)
    ax.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK, pad=12)


def _finish(ax: Axes, matrix: Matrix, title: str) -> None:
    from course_utils.show.picture import show_when_cell_ends

    picture = ax.figure
    rows = "; ".join(f"{true} {matrix.counts[true, true]} of {matrix.row(true)}" for true in matrix.rows)
    picture.caption = f"{title}: {matrix.right} of {sum(matrix.counts.values())} right. By true label: {rows}."
    if worst := matrix.mistakes[:3]:
        told = "; ".join(f"{number} × {true} taken for {answer}" for number, true, answer in worst)
        picture.caption += f" Most frequent mistakes: {told}."
    every = "; ".join(f"{number} {true} as {answer}" for number, true, answer in matrix.mistakes) or "none"
    told = {answer: f"{matrix.counts[answer, answer]} of {matrix.column(answer)}" for answer in matrix.columns}
    columns = "; ".join(f"{answer} {words}" for answer, words in told.items())
    picture.alt = f"{picture.caption} By answer: {columns}. All mistakes: {every}."
    show_when_cell_ends(picture)

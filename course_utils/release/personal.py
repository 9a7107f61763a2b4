"""A learner's blank exercise, with the numbers that are the learner's own.

Layer 3: imports `build`'s modules, `learners`, `server.own_numbers` and `tasks`. A cell that says `own="chain.gate"`
in its source speaks of that task's numbers; they are replaced wherever they stand alone in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from course_utils.build.cells import SourceCell
from course_utils.build.command import solution_of
from course_utils.build.notebook import unexecuted, with_targets, written
from course_utils.build.rules import EXERCISE
from course_utils.build.source import read_source
from course_utils.errors import CourseError
from course_utils.learners import Learner
from course_utils.server.own_numbers import exchanged, pairs
from course_utils.tasks import TASKS


class Exercise:
    """One exercise, ready to be written for any number of learners.

    Raises:
        CourseError: The source is not sound, or its solution is missing.
    """

    def __init__(self, source: Path, root: Path) -> None:
        self.source, self.root = source, root
        self.text = source.read_text("utf-8")
        self.cells = read_source(source, EXERCISE)
        personal(self.cells, None)
        self.solution = solution_of(source, root) if any("target" in cell.tags for cell in self.cells) else None

    def notebook_for(self, learner: Learner) -> str:
        """The text of the notebook that the learner gets."""
        notebook = unexecuted(personal(self.cells, learner.seed), is_blank=True)
        if self.solution:
            notebook = with_targets(notebook, self.solution)
        return written(
            notebook, source=self.source.relative_to(self.root).as_posix(), text=self.text, learner=learner.id
        )


def personal(cells: Sequence[SourceCell], seed: int | None) -> list[SourceCell]:
    """The cells with the numbers of one learner.

    Raises:
        CourseError: A cell speaks of a task that has no numbers of its own, or of numbers that are not in it.
    """
    return [in_own_numbers(cell, seed) if cell.own else cell for cell in cells]


def in_own_numbers(cell: SourceCell, seed: int | None) -> SourceCell:
    """One cell that speaks of a task's numbers."""
    task = TASKS.get(cell.own)
    if task is None or not task.own:
        fix = "name a task that has `own` numbers in course_utils/tasks."
        raise CourseError(f"The cell {cell.name!r} speaks of the numbers of {cell.own!r}, which has none.", fix)
    numbers = pairs(task, seed)
    if exchanged(cell.text, dict.fromkeys(numbers, "")) == cell.text:
        fact = f"The cell {cell.name!r} holds none of the numbers of {cell.own}: {', '.join(numbers)}."
        raise CourseError(fact, fix="write the number in the cell, or take `own` from its marker.")
    return replace(cell, text=exchanged(cell.text, numbers))

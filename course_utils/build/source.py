"""One source file, read and found to be sound.

Layer 3: imports `cells`, `rules` and `errors`.
"""

from __future__ import annotations

from pathlib import Path

from course_utils.build.cells import SourceCell, located, named, split
from course_utils.build.rules import refuse_code, refuse_name, refuse_tags, refuse_uncommented


def read_source(path: Path, kind: str) -> list[SourceCell]:
    """The cells of a source file.

    Args:
        path: The file.
        kind: LESSON or EXERCISE; only an exercise has answers.

    Raises:
        CourseError: The file is not sound; the fact begins with file name and line.
    """
    text = path.read_text("utf-8")
    cells = list(named(split(text, path)))
    refuse_uncommented(text, cells, path)
    seen: dict[str, int] = {}
    answers = 0
    for cell in cells:
        with located(path, cell.line):
            refuse_name(cell, seen)
            refuse_tags(cell, kind, answers)
            if cell.kind == "code":
                refuse_code(cell)
        answers += "answer" in cell.tags
    return cells

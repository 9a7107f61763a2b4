"""The cells of one source file, as its author wrote them.

Layer 3: imports `errors`, and jupytext when a file is read, for it is slow to import. Lines count from 1 in the file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from course_utils.errors import CourseError

CELL = re.compile(r"#\s*%%")


@dataclass(frozen=True, slots=True)
class SourceCell:
    """One cell as its author wrote it."""

    kind: str  # "markdown" or "code"
    name: str
    tags: tuple[str, ...]
    text: str  # of an answer: with the `# solution` markers
    line: int  # of its `# %%`
    own: str = ""  # the task whose numbers it speaks of, where learners may have numbers of their own


@contextmanager
def located(path: Path, line: int) -> Iterator[None]:
    """A block whose CourseErrors say which file and line they are about."""
    try:
        yield
    except CourseError as error:
        raise CourseError(f"{path.name}:{line}: {error.fact}", fix=error.fix) from None


def split(text: str, path: Path) -> list[SourceCell]:
    """What jupytext makes of the text, with line numbers; names may still be empty."""
    sys.modules.setdefault("rfc3987_syntax", None)  # jsonschema would spend a second or more building its grammars
    import jupytext

    found = jupytext.reads(text, fmt="py:percent").cells
    lines = [number for number, line in enumerate(text.splitlines(), 1) if CELL.match(line)]
    if found and found[0].cell_type == "raw" and found[0].source.startswith("---"):
        del found[0]  # the header that JupyterLab's jupytext writes
    if len(found) != len(lines):
        raise CourseError(
            f"{path.name} has {len(lines)} lines that begin with '# %%', but reads as {len(found)} cells.",
            fix="begin the file with '# %%', and keep such lines out of strings.",
        )
    return [as_cell(cell, line, path) for cell, line in zip(found, lines, strict=True)]


def as_cell(cell: dict, line: int, path: Path) -> SourceCell:
    """The cell as a value; a marker that says more than a name, tags and `own` is refused."""
    metadata = {key: value for key, value in cell["metadata"].items() if key != "lines_to_next_cell"}
    tags = metadata.pop("tags", [])
    name = metadata.pop("name", "")
    own = metadata.pop("own", "")
    if metadata or cell["cell_type"] not in ("markdown", "code") or not isinstance(tags, list):
        what = ", ".join(sorted(metadata)) or cell["cell_type"]
        raise CourseError(
            f"{path.name}:{line}: the cell marker says more than a name, tags and own ({what}).",
            fix='write it like: # %% [markdown] name="intro"   or: # %% name="answer-gate" tags=["answer"]',
        )
    return SourceCell(cell["cell_type"], name, tuple(tags), cell["source"], line, own)


def named(cells: list[SourceCell]) -> Iterator[SourceCell]:
    """The cells, each with a name: an empty one becomes kind and position, such as text-03 or code-04."""
    for number, cell in enumerate(cells, 1):
        kind = "text" if cell.kind == "markdown" else "code"
        name = cell.name or f"{kind}-{number:02d}"
        yield replace(cell, name=name)

"""Whether a built notebook is what its source builds, and where it first differs.

Layer 3: imports `notebook`, `source` and `errors`. While all is well only JSON and digests are read (well under a
second for the whole course); jupytext is imported only to say where a stale notebook differs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.build.notebook import digest, seal, unexecuted
from course_utils.build.rules import EXERCISE, LESSON
from course_utils.build.source import read_source
from course_utils.errors import CourseError


@dataclass(frozen=True, slots=True)
class Target:
    """One notebook to be built, all paths relative to the project."""

    source: str  # "source/exercises/03_retries.py"
    notebook: str  # "exercises/03_retries.ipynb"
    kind: str  # LESSON or EXERCISE
    is_blank: bool = False  # the learner's copy: answers blanked, not executed


def targets(root: Path) -> list[Target]:
    """Every notebook that the sources build, lessons first."""
    found = []
    for path in sorted((root / "source/lessons").glob("*.py")):
        found.append(Target(f"source/lessons/{path.name}", f"notebooks/{path.stem}.ipynb", LESSON))
    for path in sorted((root / "source/exercises").glob("*.py")):
        source = f"source/exercises/{path.name}"
        found.append(Target(source, f"solutions/{path.stem}.ipynb", EXERCISE))
        found.append(Target(source, f"exercises/{path.stem}.ipynb", EXERCISE, is_blank=True))
    return found


def strangers(root: Path) -> Iterator[str]:
    """Notebooks that no source builds."""
    known = {target.notebook for target in targets(root)}
    for folder in ("notebooks", "solutions", "exercises"):
        for path in sorted((root / folder).glob("*.ipynb")):
            if f"{folder}/{path.name}" not in known:
                yield f"{folder}/{path.name}"


def problem(target: Target, root: Path) -> str:
    """Why the notebook is not what its source builds; "" when it is."""
    path = root / target.notebook
    if not path.exists():
        return "is missing"
    try:
        notebook = json.loads(path.read_text("utf-8"))
        noted = notebook["metadata"].get("course", {})
        is_stale = noted.get("digest") != digest((root / target.source).read_text("utf-8"))
        is_edited = noted.get("seal") != seal(notebook)
        if is_stale or is_edited:
            return difference(target, notebook, root, is_stale=is_stale)
        return "" if target.is_blank else misordered(notebook)
    except (ValueError, KeyError, TypeError, AttributeError):
        return "is not a notebook"


def difference(target: Target, notebook: dict[str, Any], root: Path, *, is_stale: bool) -> str:
    """In words, where source and notebook part."""
    opening = f"is not what {target.source} builds" if is_stale else "was edited by hand"
    try:
        cells = read_source(root / target.source, target.kind)
    except CourseError as error:
        return f"cannot be compared: {error.fact}"
    wanted = unexecuted(cells, is_blank=target.is_blank)["cells"]
    if name := first_difference(wanted, notebook["cells"]):
        return f"{opening} (first difference: cell {name!r})"
    if is_stale:
        return f"{opening} (the cells agree; the builder or what stands outside of cells changed)"
    return f"{opening} ({'its outputs differ from what was built' if not target.is_blank else 'not in a source cell'})"


def first_difference(wanted: list[dict[str, Any]], built: list[dict[str, Any]]) -> str:
    """The name of the first cell that differs in name, kind, tags or text; "" when none does."""
    for want, have in zip(wanted, built, strict=False):
        if any(part_of(want, part) != part_of(have, part) for part in ("name", "tags", "cell_type", "source")):
            return want["metadata"]["name"]
    longer = max(wanted, built, key=len)[min(len(wanted), len(built)) :]
    return longer[0]["metadata"].get("name", longer[0].get("id", "")) if longer else ""


def part_of(cell: dict[str, Any], part: str) -> Any:
    """A part of a cell, wherever nbformat keeps it; a text as one string."""
    value = cell.get(part, cell["metadata"].get(part))
    return "".join(value) if part == "source" and isinstance(value, list) else value


def misordered(notebook: dict[str, Any]) -> str:
    """In words, that not every code cell ran once and in order; "" when they did."""
    counts = [cell["execution_count"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return "" if counts == list(range(1, len(counts) + 1)) else "was not run in order from top to bottom"

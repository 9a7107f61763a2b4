"""Source cells as notebook cells, and the two digests by which a notebook says where it comes from.

Layer 3: imports `cells`, `blanks` and `errors`. Notebooks here are plain dicts in nbformat 4.5, so that a check of
freshness need not import nbformat. A text-only notebook is byte-identical in every build: its cell ids are the cells'
names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from course_utils.build.blanks import blanked, solved
from course_utils.build.cells import SourceCell
from course_utils.errors import CourseError

EDITION = "1"  # part of every digest: raise it when the builder itself builds differently
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python"}  # nothing of the version: it would change with every patch release


def digest(text: str) -> str:
    """Sixteen hex digits for a source file's text.

    >>> digest("# %%\\r\\n1") == digest("# %%\\n1")
    True
    """
    told = EDITION + "\0" + "\n".join(text.splitlines())
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def seal(notebook: dict[str, Any]) -> str:
    """Sixteen hex digits for everything in a notebook but what it says about its own source."""
    metadata = {key: value for key, value in notebook["metadata"].items() if key != "course"}
    told = json.dumps([notebook["cells"], metadata], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def unexecuted(cells: Sequence[SourceCell], *, is_blank: bool) -> dict[str, Any]:
    """The notebook of these cells without outputs.

    Args:
        cells: As the source has them.
        is_blank: True for a learner's exercise: solutions are left out.
    """
    return {
        "cells": [as_cell(cell, is_blank=is_blank) for cell in cells],
        "metadata": {"kernelspec": dict(KERNEL), "language_info": dict(LANGUAGE)},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def as_cell(cell: SourceCell, *, is_blank: bool) -> dict[str, Any]:
    """One notebook cell; what a learner should not change is marked so."""
    text = cell.text
    if "answer" in cell.tags:
        text = blanked(text) if is_blank else solved(text)
    metadata: dict[str, Any] = {"name": cell.name}
    if cell.tags:
        metadata["tags"] = list(cell.tags)
    if {"answer", "check", "given"} & set(cell.tags):
        metadata["deletable"] = False
    if {"check", "given"} & set(cell.tags):
        metadata["editable"] = False
    if "target" in cell.tags:
        metadata["jupyter"] = {"source_hidden": True}  # the picture speaks; its code is one click away
    built = {"cell_type": cell.kind, "id": cell.name, "metadata": metadata, "source": text}
    return built if cell.kind == "markdown" else built | {"execution_count": None, "outputs": []}


def with_targets(blank: dict[str, Any], solution: dict[str, Any]) -> dict[str, Any]:
    """A learner's exercise whose target cells show what they show in the executed solution.

    Raises:
        CourseError: The solution lacks a target, so it was built from another source.
    """
    shown = {cell["metadata"].get("name"): cell.get("outputs") for cell in solution["cells"]}
    for cell in blank["cells"]:
        if "target" in cell["metadata"].get("tags", ()):
            name = cell["metadata"]["name"]
            if shown.get(name) is None:
                raise CourseError(f"The solution has no target {name!r}.", fix="build the solution with --force.")
            cell["outputs"] = shown[name]
    return blank


def written(notebook: dict[str, Any], *, source: str, text: str, learner: str = "") -> str:
    """The file's text, with source and digests noted.

    Args:
        notebook: The finished notebook.
        source: The source file, relative to the project, with "/".
        text: The source file's text.
        learner: Whose numbers it has; "" for the course's.
    """
    import nbformat

    lines = json.loads(nbformat.writes(nbformat.from_dict(notebook)))
    whose = {"learner": learner} if learner else {}
    lines["metadata"]["course"] = {"source": source, "digest": digest(text), "seal": seal(lines)} | whose
    return json.dumps(lines, indent=1, sort_keys=True, ensure_ascii=False) + "\n"

"""Notebook cells by name and role: what is taken from a submission, and where it goes.

Layer 3: imports `errors` only. Notebooks are plain dicts as they stand in the file. Nothing in a submission is
trusted: every surprise is a CourseError in words that a learner understands.
"""

from __future__ import annotations

import copy
import json
import os
import stat
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from course_utils.errors import CourseError

ANSWER, CHECK, GIVEN = "answer", "check", "given"
MOST_BYTES = 20_000_000  # of a submission: room for pictures
MOST_CHARACTERS = 100_000  # of one answer cell
Notebook = dict[str, Any]


def read_notebook(path: Path) -> Notebook:
    """A notebook in nbformat 4, of which at least cells, names and texts are sound.

    Raises:
        CourseError: It is anything else.
    """
    try:
        notebook = json.loads(contents(path).decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise unreadable(path, "is not a notebook: it does not hold JSON text") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("metadata", {}), dict):
        raise unreadable(path, "is not a notebook")
    if notebook.get("nbformat") != 4:
        raise CourseError(
            f"{path.name} has the notebook format {notebook.get('nbformat')!r}; the course uses format 4.",
            fix="open it in JupyterLab, save it, and hand in that file.",
        )
    cells = notebook.get("cells")
    if not isinstance(cells, list) or not all(map(is_cell, cells)):
        raise unreadable(path, "is not a notebook: its cells are damaged")
    return notebook


def contents(path: Path) -> bytes:
    """The bytes of a regular file of bearable size; links are not followed, and pipes not waited for."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        raise CourseError(f"There is no file {path.name!r}.", fix="look at the name and the folder.") from None
    except OSError as error:
        raise unreadable(path, f"cannot be opened ({error.strerror})") from None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or path.is_symlink():
        os.close(handle)
        raise unreadable(path, "is not an ordinary file")
    with os.fdopen(handle, "rb") as file:
        if status.st_size > MOST_BYTES:
            raise CourseError(
                f"{path.name} has {status.st_size // 1_000_000} MB; at most {MOST_BYTES // 1_000_000} MB are read.",
                fix="clear all outputs, save, and hand in that file.",
            )
        return file.read(MOST_BYTES + 1)


def unreadable(path: Path, what: str) -> CourseError:
    """The error for a file that holds no notebook."""
    return CourseError(f"{path.name} {what}.", fix="hand in the .ipynb file that JupyterLab saved.")


def is_cell(cell: Any) -> bool:
    """True when type, text and metadata of the cell have the shapes that nbformat 4 gives them."""
    if not isinstance(cell, dict) or not isinstance(cell.get("metadata", {}), dict):
        return False
    source = cell.get("source")
    lines = source if isinstance(source, list) else [source]
    return isinstance(cell.get("cell_type"), str) and all(isinstance(line, str) for line in lines)


def text_of(cell: Mapping[str, Any]) -> str:
    """The cell's source as one string."""
    return "".join(cell["source"])


def name_of(cell: Mapping[str, Any]) -> str:
    """The cell's name; for a cell without one, its id; "" for a cell without either."""
    for name in (cell.get("metadata", {}).get("name"), cell.get("id")):
        if isinstance(name, str) and name:
            return name
    return ""


def role_of(cell: Mapping[str, Any]) -> str:
    """ANSWER, CHECK, GIVEN, or "" for prose and free cells."""
    tags = cell.get("metadata", {}).get("tags", [])
    return next((role for role in (ANSWER, CHECK, GIVEN) if isinstance(tags, list) and role in tags), "")


def names_of(notebook: Notebook, role: str) -> list[str]:
    """The names of all cells with this role, in order."""
    return [name_of(cell) for cell in notebook["cells"] if role_of(cell) == role]


def exercise_of(submission: Notebook, path: Path, known: Collection[str]) -> str:
    """Which exercise was handed in: what the notebook's metadata says, else what its file name holds.

    Raises:
        CourseError: Neither names one of the `known` exercises, or the file name holds two of them.
    """
    course = submission.get("metadata", {}).get("course")
    source = course.get("source") if isinstance(course, dict) else None
    if isinstance(source, str) and PurePosixPath(source).stem in known:
        return PurePosixPath(source).stem
    meant = [stem for stem in known if stem in path.name]
    if len(meant) != 1:
        raise CourseError(
            f"{path.name} does not say which exercise it is.",
            fix=f"name the file after its exercise, one of: {', '.join(sorted(known))}.",
        )
    return meant[0]


def answers_of(submission: Notebook, wanted: Sequence[str]) -> dict[str, str]:
    """The texts of the answer cells, by name; tags, order and everything else in the submission are ignored.

    Raises:
        CourseError: An answer is missing, there twice with different texts, no code cell, or not text.
    """
    return {name: answer_of(submission, name) for name in wanted}


def answer_of(submission: Notebook, name: str) -> str:
    """The text of one answer cell; see `answers_of`."""
    cells = [cell for cell in submission["cells"] if name_of(cell) == name]
    if not cells:
        raise CourseError(
            f"Answer cell {name!r} is missing.", fix="copy it back from the exercise, and write your answer in it."
        )
    if len({text_of(cell) for cell in cells}) > 1:
        raise CourseError(
            f"There are {len(cells)} answer cells {name!r} with different texts.",
            fix="keep the one that counts and delete the other; a copied cell keeps its hidden name.",
        )
    if any(cell["cell_type"] != "code" for cell in cells):
        raise CourseError(
            f"Answer cell {name!r} is a {cells[0]['cell_type']} cell now.", fix="turn it back into a code cell."
        )
    return sound(text_of(cells[0]), name)


def sound(text: str, name: str) -> str:
    """The text, when a file and a kernel can hold it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        what = "holds half of a character"
    else:
        what = "holds a NUL character" if "\0" in text else ""
    if len(text) > MOST_CHARACTERS:
        what = f"has {len(text)} characters; at most {MOST_CHARACTERS} are read"
    if what:
        raise CourseError(f"Answer cell {name!r} {what}.", fix="type that part of it anew.")
    return text


def merge(submission: Notebook, pristine: Notebook) -> Notebook:
    """A copy of the executed solution in which only the answers are the learner's; their outputs are not kept.

    Raises:
        CourseError: See `answers_of`.
    """
    answers = answers_of(submission, names_of(pristine, ANSWER))
    merged = copy.deepcopy(pristine)
    for cell in merged["cells"]:
        if role_of(cell) == ANSWER:
            cell |= {"source": answers[name_of(cell)], "outputs": [], "execution_count": None}
    return merged

"""What is taken from a submission, and what is refused, in words."""

from __future__ import annotations

import copy
import json
import os

import pytest

from course_utils.errors import CourseError
from course_utils.grading import cells


def code(name, source, *tags, **more):
    """A code cell."""
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {"name": name, "tags": list(tags)},
        "source": source,
        "outputs": [],
        "execution_count": None,
    } | more


def notebook(*found, **metadata):
    """A notebook in format 4.5."""
    return {"cells": list(found), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


PRISTINE = notebook(
    code("given", "import math", "given", execution_count=1),
    code("answer-a", "a = 1", "answer", execution_count=2, outputs=["old"]),
    code("check-a", "check(a)", "check", execution_count=3, outputs=["✓ a"]),
)


def fact(call, *arguments):
    """The fact of the CourseError that a call raises."""
    with pytest.raises(CourseError) as caught:
        call(*arguments)
    return caught.value.fact


def test_merge_takes_only_answers():
    """Everything but the answers' text is the solution's, whatever the submission made of it."""
    submission = notebook(
        code("extra", "import os", "check"),
        code("check-a", "pass", "answer"),
        code("answer-a", ["a = 2\n", "b = 3"], "check", "nbval-skip", outputs=["forged"]),
    )
    before = copy.deepcopy(PRISTINE)
    merged = cells.merge(submission, PRISTINE)
    wanted = copy.deepcopy(PRISTINE)
    wanted["cells"][1] |= {"source": "a = 2\nb = 3", "outputs": [], "execution_count": None}
    assert merged == wanted
    assert before == PRISTINE


def test_answers_are_found_by_id_when_the_name_is_gone():
    """An editor may drop the metadata or rewrite the ids, but not both."""
    by_id = code("answer-a", "a = 2") | {"metadata": {}}
    by_name = code("answer-a", "a = 3") | {"id": "c0ffee"}
    assert cells.answers_of(notebook(by_id), ["answer-a"]) == {"answer-a": "a = 2"}
    assert cells.answers_of(notebook(by_name), ["answer-a"]) == {"answer-a": "a = 3"}


def test_an_identical_copy_is_harmless():
    """A cell that was copied and left alone is the same answer."""
    twice = notebook(code("answer-a", "a = 2"), code("answer-a", "a = 2"))
    assert cells.answers_of(twice, ["answer-a"]) == {"answer-a": "a = 2"}


REFUSED = {
    "missing": (notebook(), "Answer cell 'answer-a' is missing."),
    "twice": (
        notebook(code("answer-a", "1"), code("answer-a", "2")),
        "There are 2 answer cells 'answer-a' with different texts.",
    ),
    "prose": (
        notebook(code("answer-a", "1", cell_type="markdown")),
        "Answer cell 'answer-a' is a markdown cell now.",
    ),
    "surrogate": (notebook(code("answer-a", "'\ud800'")), "Answer cell 'answer-a' holds half of a character."),
    "nul": (notebook(code("answer-a", "'\0'")), "Answer cell 'answer-a' holds a NUL character."),
    "long": (
        notebook(code("answer-a", "#" * 100_001)),
        "Answer cell 'answer-a' has 100001 characters; at most 100000 are read.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_answers_refused(name):
    """An answer that cannot be run is named, with the reason."""
    submission, wanted = REFUSED[name]
    assert fact(cells.answers_of, submission, ["answer-a"]) == wanted


DAMAGED = {
    "text": (b"hello", "n.ipynb is not a notebook: it does not hold JSON text."),
    "empty": (b"", "n.ipynb is not a notebook: it does not hold JSON text."),
    "utf16": ('{"nbformat": 4}'.encode("utf-16"), "n.ipynb is not a notebook: it does not hold JSON text."),
    "deep": (b"[" * 100_000, "n.ipynb is not a notebook: it does not hold JSON text."),
    "long_number": (b"[" + b"9" * 5000 + b"]", "n.ipynb is not a notebook: it does not hold JSON text."),
    "list": (b"[]", "n.ipynb is not a notebook."),
    "format_3": (b'{"nbformat": 3}', "n.ipynb has the notebook format 3; the course uses format 4."),
    "no_format": (b"{}", "n.ipynb has the notebook format None; the course uses format 4."),
    "no_cells": (b'{"nbformat": 4}', "n.ipynb is not a notebook: its cells are damaged."),
    "bad_cell": (b'{"nbformat": 4, "cells": [7]}', "n.ipynb is not a notebook: its cells are damaged."),
    "bad_source": (
        b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": [1]}]}',
        "n.ipynb is not a notebook: its cells are damaged.",
    ),
    "bad_metadata": (b'{"nbformat": 4, "cells": [], "metadata": 1}', "n.ipynb is not a notebook."),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_files_refused(name, tmp_path):
    """A file that is no notebook of ours is refused in words, never with a traceback."""
    path = tmp_path / "n.ipynb"
    path.write_bytes(DAMAGED[name][0])
    assert fact(cells.read_notebook, path) == DAMAGED[name][1]


def test_large_file_is_not_read(tmp_path):
    """Size is looked at before anything is read."""
    path = tmp_path / "n.ipynb"
    with path.open("wb") as file:
        file.truncate(30_000_000)
    assert fact(cells.read_notebook, path) == "n.ipynb has 30 MB; at most 20 MB are read."


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_links_pipes_and_folders_are_not_opened(tmp_path):
    """Only an ordinary file is read: a link may lead anywhere, and a pipe may never end."""
    real, link, pipe = (tmp_path / f"{name}.ipynb" for name in ("real", "link", "pipe"))
    real.write_text(json.dumps(PRISTINE), "utf-8")
    link.symlink_to(real)
    os.mkfifo(pipe)
    assert fact(cells.read_notebook, link).startswith("link.ipynb cannot be opened")
    assert fact(cells.read_notebook, pipe) == "pipe.ipynb is not an ordinary file."
    assert fact(cells.read_notebook, tmp_path) == f"{tmp_path.name} is not an ordinary file."
    assert cells.read_notebook(real) == PRISTINE


KNOWN = ["01_chains", "02_routing"]


@pytest.mark.parametrize(
    ("source", "name", "wanted"),
    [
        ("source/exercises/02_routing.py", "whatever.ipynb", "02_routing"),
        ("source/exercises/99_other.py", "anna_01_chains (1).ipynb", "01_chains"),
        (["nonsense"], "02_routing.ipynb", "02_routing"),
        (None, "01_chains.ipynb", "01_chains"),
    ],
)
def test_exercise(source, name, wanted, tmp_path):
    """The notebook says which exercise it is; where it does not, its file name does."""
    assert cells.exercise_of(notebook(course={"source": source}), tmp_path / name, KNOWN) == wanted


@pytest.mark.parametrize("name", ["homework.ipynb", "01_chains_and_02_routing.ipynb"])
def test_no_exercise(name, tmp_path):
    """A file that names no exercise, or two, is refused with the list of names."""
    with pytest.raises(CourseError) as caught:
        cells.exercise_of(notebook(), tmp_path / name, KNOWN)
    assert caught.value.fix == "name the file after its exercise, one of: 01_chains, 02_routing."

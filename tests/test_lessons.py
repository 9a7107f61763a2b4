"""What every lesson owes its learner: an order, guesses before demonstrations, fair quizzes, words for pictures."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NOTEBOOKS = [*LESSONS, *sorted((ROOT / "solutions").glob("*.ipynb")), *sorted((ROOT / "exercises").glob("*.ipynb"))]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def cells(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text("utf-8"))["cells"]


def text(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def outputs(path: Path) -> list[dict[str, Any]]:
    return [output for cell in cells(path) for output in cell.get("outputs", [])]


def shown(path: Path) -> list[str]:
    """The plain text of every output that has one."""
    return ["".join(output.get("data", {}).get("text/plain", "")) for output in outputs(path)]


def places(path: Path, start: str) -> list[int]:
    """Numbers of the code cells that begin with this, perhaps behind an assignment."""
    call = re.compile(rf"^(?:\w+ = )?{start}\(", re.MULTILINE)
    return [
        number for number, cell in enumerate(cells(path)) if cell["cell_type"] == "code" and call.search(text(cell))
    ]


def name(path: Path) -> str:
    return path.parent.name + "-" + path.stem


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_asks_before_it_shows(path):
    """Questions come first (three, from the second lesson on), then guesses; three questions and a tally come last."""
    quizzes, guesses = places(path, "quiz"), places(path, "predict")
    first = [place for place in quizzes if place < guesses[0]]
    last = [place for place in quizzes if place > guesses[-1]]
    assert len(first) == (1 if path.stem.startswith("01") else 3)
    assert len(last) >= 3
    assert len(guesses) >= 3
    assert places(path, "calibration") and places(path, "calibration")[0] > last[-1]
    assert places(path, "ax = workflow_graph") or places(path, "workflow_graph")


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_says_when_to_use_it_and_when_not(path):
    """A title, minutes and needs, abilities, "use when and when not", a recap, and what comes next."""
    prose = "\n".join(text(cell) for cell in cells(path) if cell["cell_type"] == "markdown")
    assert re.match(r"# \d+ · .+\n\*\d\d minutes · needs .+\*\n\n\*\*Goal:\*\* ", prose)
    wanted = ("**You will be able to**", "## Recap", "## What do you say now?", "**Next:**")
    assert [words for words in wanted if words not in prose] == []
    assert re.search(r"\|[^|\n]*\bwhen\b[^|\n]*\|[^|\n]*\bnot\b", prose, re.IGNORECASE)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_every_picture_has_words(path):
    """Each picture has alt text, and its caption stands beside it for those who cannot see it."""
    beside = shown(path)
    for output in outputs(path):
        if "image/png" in output.get("data", {}):
            alt = output["metadata"]["image/png"]["alt"]
            assert len(alt) > 40
            assert any(len(words) > 20 and alt.split(":")[0] in words for words in beside)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_nothing_was_said_on_stderr(path):
    """No warning, no deprecation, no progress bar stands in a notebook."""
    assert [output["text"] for output in outputs(path) if output.get("name") == "stderr"] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_links_lead_somewhere(path):
    """Each link to a file of the course leads to one."""
    prose = "\n".join(text(cell) for cell in cells(path) if cell["cell_type"] == "markdown")
    assert [link for link in LINK.findall(prose) if not (path.parent / link).exists()] == []


def test_the_right_option_cannot_be_guessed_from_its_place_or_length():
    """Over all quizzes no place is right much more often than another, and the longest option is mostly wrong."""
    right, longest = Counter(), 0
    for quiz in (words for path in LESSONS for words in shown(path) if words.startswith("Quiz:")):
        options = dict(re.findall(r"^  ([A-D])\. (.*)$", quiz.partition("\nAnswers:")[0], re.MULTILINE))
        (letter,) = re.findall(r"^  ([A-D])\. Right", quiz, re.MULTILINE)
        right[letter] += 1
        longest += len(options[letter]) == max(map(len, options.values()))
    assert max(right.values()) <= 0.4 * right.total()
    assert min(right[letter] for letter in "ABCD") >= 0.15 * right.total()
    assert longest <= 0.4 * right.total()

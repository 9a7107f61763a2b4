"""The lesson table in README.md: one row per lesson, made from the head of each source.

Layer 3: imports `errors` only. A lesson's first markdown cell begins with these lines (the last one may be missing):

    # # 3 · Retries that help
    # *30 minutes · needs lesson 2*
    # **Goal:** tell errors that heal by waiting from errors that do not.

Lessons that are still to come are lines `- 09 Title` in source/lessons/planned.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from course_utils.errors import CourseError

BEGIN, END = "<!-- lessons -->", "<!-- /lessons -->"
TITLE = re.compile(r"# (?P<title>\S.*)")
LENGTH = re.compile(r"\*(?P<minutes>\d+) minutes · needs (?P<needs>[^*]+)\*")
GOAL = re.compile(r"\*\*Goal:\*\* (?P<goal>\S.*)")
PLANNED = re.compile(r"- (?P<number>\d\d) (?P<title>\S.*)")
HEAD = ["| Lesson | Minutes | Needs | Goal | Exercise |", "|---|---|---|---|---|"]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the head of a lesson says about it."""

    stem: str  # "03_retries"
    title: str
    minutes: int
    needs: str
    goal: str = ""


def read_lesson(path: Path) -> Lesson:
    """The head of one source, without reading the rest of it.

    Raises:
        CourseError: Title or length is missing.
    """
    lines = head_of(path.read_text("utf-8"))
    found = {}
    for pattern in (TITLE, LENGTH, GOAL):
        match = next((match for line in lines if (match := pattern.fullmatch(line.strip()))), None)
        found |= match.groupdict() if match else {}
    if "title" not in found or "minutes" not in found:
        raise CourseError(
            f"{path.name}: the first cell does not say what the lesson is called and how long it takes.",
            fix="begin it with the lines '# # 3 · Title' and '# *30 minutes · needs lesson 2*'.",
        )
    return Lesson(path.stem, found["title"], int(found["minutes"]), found["needs"], found.get("goal", ""))


def head_of(text: str) -> list[str]:
    """The lines of the first markdown cell, as a reader sees them."""
    body = re.split(r"^# %% \[markdown\].*$", text, maxsplit=1, flags=re.MULTILINE)[-1]
    cell = re.split(r"^#\s*%%", body, maxsplit=1, flags=re.MULTILINE)[0]
    return [line.removeprefix("#").removeprefix(" ") for line in cell.splitlines()]


def table(root: Path) -> str:
    """The table as it belongs in README.md, without the two comments."""
    rows = [row(root, read_lesson(path)) for path in sorted((root / "source/lessons").glob("[0-9]*.py"))]
    planned = root / "source/lessons/planned.md"
    lines = planned.read_text("utf-8").splitlines() if planned.exists() else []
    coming = [match for line in lines if (match := PLANNED.fullmatch(line.strip()))]
    rows += [coming_row(root, match["number"], match["title"]) for match in coming]
    return "\n".join(HEAD + rows)


def coming_row(root: Path, number: str, title: str) -> str:
    """One line for a lesson that is still to come; its exercise may be there already."""
    return f"| {int(number)} · {title} | | | planned | {exercises(root, number)}".rstrip() + " |"


def row(root: Path, lesson: Lesson) -> str:
    """One line of the table; exercises belong to the lesson with the same number."""
    title = f"[{lesson.title}](notebooks/{lesson.stem}.ipynb)"
    links = exercises(root, lesson.stem.partition("_")[0])
    cells = [title, str(lesson.minutes), lesson.needs, lesson.goal, links]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def exercises(root: Path, number: str) -> str:
    """Links to the exercises of one lesson, such as number "03"."""
    paths = sorted((root / "source/exercises").glob(f"{number}_*.py"))
    return ", ".join(f"[{path.stem}](exercises/{path.stem}.ipynb)" for path in paths)


def with_table(readme: str, root: Path) -> str:
    """The README's text with the table as it should be.

    Raises:
        CourseError: The two comments are not there, in this order, once.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after:
        raise CourseError(
            "README.md has no place for the lesson table.", fix=f"put the lines {BEGIN} and {END} where it belongs."
        )
    return f"{before}{BEGIN}\n{table(root)}\n{END}{after}"

"""What a source may not hold: the traps of py:percent, and whatever would make a poor notebook.

Layer 3: imports `cells`, `blanks` and `errors`. Each rule raises a CourseError without the place, which `located` adds.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from course_utils.build.blanks import blanked, markers, solved
from course_utils.build.cells import SourceCell
from course_utils.errors import CourseError

LESSON, EXERCISE = "lesson", "exercise"
TAGS = {"answer", "check", "given", "long", "raises-exception", "target"}
MOST_LINES = 20  # in one code cell
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
NBVAL_COMMENT = re.compile(r"^\s*#+\s*(NBVAL_|PYTEST_VALIDATE_)\w+", re.MULTILINE)
AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST


def refuse_uncommented(text: str, cells: list[SourceCell], path: Path) -> None:
    """Code under a markdown marker silently becomes prose: refuse it."""
    lines = text.splitlines()
    ends = [cell.line - 1 for cell in cells[1:]] + [len(lines)]
    for cell, end in zip(cells, ends, strict=True):
        for number in range(cell.line + 1, end + 1):
            line = lines[number - 1]
            if cell.kind == "markdown" and line.strip() and not line.startswith("#"):
                raise CourseError(
                    f"{path.name}:{number}: a line without '#' under '# %% [markdown]': {line.strip()!r}.",
                    fix="begin it with '# ', or put a '# %%' before it if it is code.",
                )


def refuse_name(cell: SourceCell, seen: dict[str, int]) -> None:
    """Names are lower-case words with dashes, at most 64 characters, and each is used once."""
    if not NAME.fullmatch(cell.name) or len(cell.name) > 64:
        raise CourseError(
            f"{cell.name!r} is no cell name.", fix="use lower-case words with dashes, at most 64 characters."
        )
    if cell.name in seen:
        raise CourseError(f"The name {cell.name!r} was used in line {seen[cell.name]}.", fix="rename one of the two.")
    if {"answer", "check"} & set(cell.tags) and re.fullmatch(r"(code|text)-\d\d+", cell.name):
        raise CourseError("An answer or check cell without a name.", fix='add name="answer-..." or name="check-...".')
    seen[cell.name] = cell.line


def refuse_tags(cell: SourceCell, kind: str, answers: int) -> None:
    """Only known tags; answers and checks only in an exercise, and no check before the first answer."""
    if unknown := sorted(set(cell.tags) - TAGS):
        raise CourseError(f"Unknown tag {unknown[0]!r}.", fix=f"use one of: {', '.join(sorted(TAGS))}.")
    roles = {"answer", "check", "given"} & set(cell.tags)
    if len(roles) > 1:
        raise CourseError(f"The cell is tagged {' and '.join(sorted(roles))}.", fix="give it one role.")
    if roles and kind == LESSON:
        raise CourseError(f"A lesson has no {roles.pop()} cells.", fix="remove the tag, or move it to the exercise.")
    if roles & {"answer", "check"} and cell.kind != "code":
        raise CourseError(f"A markdown cell is tagged {roles.pop()}.", fix="tag a code cell.")
    if "target" in cell.tags and "given" not in roles:
        raise CourseError("A target that is not given.", fix='tag it "given" as well.')
    if cell.own and not (cell.kind == "markdown" or "answer" in roles):
        raise CourseError(
            "A cell with `own` numbers that is neither text nor an answer.", fix="keep such numbers out of the others."
        )
    if "check" in roles and not answers:
        raise CourseError("A check stands before any answer.", fix="put the answer cell above it.")


def refuse_code(cell: SourceCell) -> None:
    """A code cell is plain Python within the budget, and marks solutions only where there are answers."""
    if "raises-exception" not in cell.tags:
        refuse_syntax(cell.text, "The cell is not plain Python")
    if NBVAL_COMMENT.search(cell.text) or cell.text.rstrip().endswith(";"):
        raise CourseError(
            "The cell talks to nbval, or ends in ';'.", fix="assign the value instead; outputs are a promise."
        )
    lines = sum(bool(line.strip()) for line in cell.text.splitlines())
    if lines > MOST_LINES and "long" not in cell.tags:
        raise CourseError(
            f"A code cell of {lines} lines; the budget is {MOST_LINES}.",
            fix="split it, or tag it \"long\" with a comment '# long: why'.",
        )
    if "long" in cell.tags and not re.search(r"^# long: \S", cell.text, re.MULTILINE):
        raise CourseError('A cell tagged "long" gives no reason.', fix="add a comment '# long: why'.")
    refuse_markers(cell)


def refuse_markers(cell: SourceCell) -> None:
    """An answer marks its solution, and is Python with and without it; nothing else marks one."""
    marked = markers(cell.text)
    if "answer" not in cell.tags:
        if marked:
            raise CourseError("'# solution' outside an answer cell.", fix='tag the cell "answer".')
        return
    if not marked:
        raise CourseError("An answer cell without '# solution'.", fix="put the marker above what a learner writes.")
    refuse_syntax(blanked(cell.text), "The blanked answer cell does not compile")
    refuse_syntax(solved(cell.text), "The solved answer cell does not compile")


def refuse_syntax(text: str, what: str) -> None:
    """No magics, no shell lines, no get_ipython; top-level await is fine."""
    try:
        tree = compile(text, "<cell>", "exec", AWAIT, dont_inherit=True)
    except SyntaxError as error:
        line = (error.text or "").strip()
        raise CourseError(
            f"{what}: {error.msg} in line {error.lineno} of the cell, {line!r}.",
            fix="write plain Python without magics ('%', '!'), not even as a comment on its own line.",
        ) from None
    if any(isinstance(node, ast.Name) and node.id == "get_ipython" for node in ast.walk(tree)):
        raise CourseError("The cell uses get_ipython.", fix="write plain Python.")

"""From what nbval saw and what the judge has on record to marks: a point needs both.

Layer 3: imports `cells`, `runner`, `wording` and `receipts`. Pure functions on values.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from course_utils.errors import CourseError
from course_utils.grading.cells import ANSWER, CHECK, Notebook, name_of, role_of
from course_utils.grading.runner import CellResult, Limits
from course_utils.grading.wording import SYNTAX, syntax_error, told
from course_utils.receipts import sealed, success_line

PASSED, FAILED, NOT_WRITTEN, NOT_REACHED, BROKEN = "passed", "failed", "not written yet", "not reached", "broken"
ENDED = ("died", "flood", "timeout")  # kinds after which a kernel may be gone
VERDICT = re.compile(r"^✓ (?P<check>\S+): .+$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Check:
    """One check of an exercise."""

    cell: str  # the name of its cell
    check: str  # "chain.gate"
    title: str
    points: int
    cases: int


@dataclass(frozen=True, slots=True)
class Mark:
    """What one check was worth."""

    check: str
    cell: str
    status: str
    points: int
    of: int
    line: str  # one line that says it all
    message: str = ""  # the rest, several lines; "" where there is nothing more to say
    misconception: str = ""


@dataclass(frozen=True, slots=True)
class Marked:
    """One submission, judged."""

    marks: list[Mark]
    troubles: list[Mark] = field(default_factory=list)  # answer cells that did not run; worth no points themselves


def checks_of(pristine: Notebook, tasks: Sequence[Mapping[str, Any]]) -> list[Check]:
    """The checks of an exercise, by the verdict lines that its executed solution holds.

    Raises:
        CourseError: A check cell holds no such line, or the judge does not know it.
    """
    known = {task["check"]: task for task in tasks}
    found = []
    for cell in pristine["cells"]:
        if role_of(cell) != CHECK:
            continue
        printed = "".join("".join(output.get("text", "")) for output in cell["outputs"])
        verdict = VERDICT.search(printed)
        if verdict is None or verdict["check"] not in known:
            fact = f"Check cell {name_of(cell)!r} of the solution holds no verdict that the judge knows."
            raise CourseError(fact, fix="build the solution again, and look whether the task exists.")
        task = known[verdict["check"]]
        found.append(Check(name_of(cell), task["check"], task["title"], task["points"], task["cases"]))
    return found


def with_receipts(merged: Notebook, checks: Sequence[Check], key: bytes, submission: str) -> Notebook:
    """A copy in which every check cell holds the line that the judge will print for a pass, receipt and all."""
    lines = {
        check.cell: sealed(success_line(check.check, check.cases), key, submission, check.check, PASSED)
        for check in checks
    }
    notebook = copy.deepcopy(merged)
    for cell in notebook["cells"]:
        if role_of(cell) == CHECK:
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": lines[name_of(cell)] + "\n"}]
    return notebook


def marked(
    merged: Notebook,
    checks: Sequence[Check],
    results: Mapping[str, CellResult],
    verdicts: Sequence[Mapping[str, Any]],
    limits: Limits,
) -> Marked:
    """The marks of one submission, in the order of its cells."""
    said = {verdict["check"]: verdict for verdict in verdicts}
    troubles = [
        trouble(cell, result, limits)
        for cell in merged["cells"]
        if role_of(cell) == ANSWER and (result := results.get(name_of(cell))) and result.kind not in ("passed", "dead")
    ]
    checked = {check.cell: check.check for check in checks}
    ender = next((name for name, result in results.items() if result.kind in ENDED), "")
    cause = troubles[0].cell if troubles else checked.get(ender, ender)
    return Marked(
        [mark(check, results.get(check.cell), said.get(check.check), cause, limits) for check in checks], troubles
    )


def mark(
    check: Check, result: CellResult | None, verdict: Mapping[str, Any] | None, cause: str, limits: Limits
) -> Mark:
    """The mark of one check; `cause` names the cell whose failure may have kept it from running."""
    status, line, message = judged(check, result, verdict, cause, limits)
    points = min(verdict["points"], check.points) if verdict and status == PASSED else 0
    misconception = verdict.get("misconception", "") if verdict and status == FAILED else ""
    return Mark(check.check, check.cell, status, points, check.points, line, message, misconception)


def judged(
    check: Check, result: CellResult | None, verdict: Mapping[str, Any] | None, cause: str, limits: Limits
) -> tuple[str, str, str]:
    """Status, line and message."""
    if verdict is None or (verdict["status"] == PASSED and (result is None or result.kind == "dead")):
        return unjudged(result, cause, limits)
    if verdict["status"] != PASSED:
        return verdict["status"], plain(verdict["line"], check), verdict.get("message", "")
    if result.kind == "passed":
        return PASSED, f"{check.cases} of {check.cases} cases", ""
    if result.kind == "differs":
        return FAILED, "the judge saw a pass, but the check cell did not print its line", "Try: leave print alone."
    return FAILED, *told(result, limits)


def unjudged(result: CellResult | None, cause: str, limits: Limits) -> tuple[str, str, str]:
    """The same where the judge has nothing on record."""
    if result is None or result.kind == "dead":
        return NOT_REACHED, f"not reached: fix {cause} first" if cause else "not reached", ""
    if result.ename == "NotImplementedError":
        return NOT_WRITTEN, "not written yet", ""
    if result.kind == "broken":
        return BROKEN, "the grader broke; this is the course's fault, not yours", result.why
    if result.kind in ("passed", "differs"):
        return FAILED, "the judge has no record of this check", "Try: do not replace check or print."
    if result.ename == "NameError" and cause and cause != result.cell:
        return NOT_REACHED, f"not reached: fix {cause} first", ""
    return FAILED, *told(result, limits)


def trouble(cell: Mapping[str, Any], result: CellResult, limits: Limits) -> Mark:
    """What an answer cell did instead of running to its end."""
    name = name_of(cell)
    if result.kind == "broken":
        return Mark(name, name, BROKEN, 0, 0, "the grader broke; this is the course's fault, not yours", result.why)
    line, message = told(result, limits)
    if result.ename in SYNTAX:
        line, message = syntax_error("".join(cell["source"]), result)
    if result.ename == "NotImplementedError":
        return Mark(name, name, NOT_WRITTEN, 0, 0, "not written yet")
    return Mark(name, name, FAILED, 0, 0, line, message)


def plain(line: str, check: Check) -> str:
    """A verdict line without its mark, its name and its receipt.

    >>> plain("✗ chain.gate: 3 of 5 cases · 0123456789abcdef", Check("", "chain.gate", "", 1, 5))
    '3 of 5 cases'
    """
    return re.sub(r" · [0-9a-f]{16}$", "", line).removeprefix(line[:2]).removeprefix(f"{check.check}: ")

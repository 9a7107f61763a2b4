"""What happened in a cell, in the words of a learner's report.

Layer 3: imports `runner`.
"""

from __future__ import annotations

import re

from course_utils.grading.runner import CellResult, Limits

SYNTAX = ("SyntaxError", "IndentationError", "TabError")


def told(result: CellResult, limits: Limits) -> tuple[str, str]:
    """What happened in a cell, in words: a line, and more lines."""
    if result.kind == "timeout":
        return f"still running after {limits.cell:g} s", "Try: look for a loop that has no way out."
    if result.kind == "flood":
        return f"stopped: {result.why}", "Try: print less, or look for a loop that has no way out."
    if result.kind == "died":
        return (
            f"stopped: {result.why}",
            "Try: do not end Python from a cell (exit, os._exit), and look for runaway memory.",
        )
    if result.ename == "SystemExit":
        return (
            "stopped: the code called sys.exit()",
            "Try: return a value, or raise an exception that says what is wrong.",
        )
    first = (result.evalue.splitlines() or [""])[0]
    rest = "\n".join(result.evalue.splitlines()[1:]) if result.ename in ("CheckFailed", "CourseError") else ""
    if rest:
        return first, rest
    return f"{result.ename}: {first}", frames(result.traceback)


def frames(traceback: str) -> str:
    """The end of a traceback: where it happened, without the rule and the title above."""
    lines = traceback.splitlines()
    title = next((number for number, line in enumerate(lines) if "Traceback (most recent call last)" in line), -1)
    return "\n".join(lines[title + 1 :][-12:])


def syntax_error(source: str, result: CellResult) -> tuple[str, str]:
    """Which line of the answer Python could not read."""
    found = re.search(r"line (\d+)\)?$", result.evalue)
    number = int(found[1]) if found else 0
    lines = source.splitlines()
    what = re.sub(r" \([^()]*line \d+\)$", "", result.evalue)
    if not 0 < number <= len(lines):
        return f"{result.ename}: {what}", ""
    return f"{result.ename} in line {number}: {what}", f"  {number} | {lines[number - 1]}"

"""What became of one check, and the words in which a learner reads it.

Layer 1: imports `cases`, `receipts` and `records`. The judge makes verdicts, `check` and the grader read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from textwrap import fill
from typing import Any

from course_utils.receipts import success_line
from course_utils.records import Trace, count
from course_utils.server.cases import Case, Finding, Task

WIDTH = 92  # characters in a line
MOST_NAMED = 3  # failed cases that are named behind the first one


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one check."""

    check: str
    status: str  # "passed", "failed", "not written yet", "broken"
    passed: int  # cases
    cases: int
    points: int  # earned
    line: str  # the first line a learner reads; on success the only one
    message: str = ""  # the rest, several lines
    fix: str = ""
    misconception: str = ""
    failed_case: int = 0  # number of the first case that failed, from 1; 0 when none did
    trace: list[dict[str, Any]] = field(default_factory=list)  # the records of that case
    others: list[str] = field(default_factory=list)  # the failures behind the first one, in lines


def not_written(task: Task, cases: int) -> Verdict:
    message = "  The line `raise NotImplementedError` was reached: put your code in its place."
    return Verdict(task.check, "not written yet", 0, cases, 0, f"· {task.check}: not written yet", message)


def broken(task: Task, cases: int) -> Verdict:
    line = f"! {task.check}: the check itself broke; this is the course's fault, not yours"
    return Verdict(task.check, "broken", 0, cases, 0, line, fix="report it with your answer cell.")


def summed_up(task: Task, cases: Sequence[Case], findings: Sequence[Finding | None], trace: Trace) -> Verdict:
    """The verdict over all cases.

    Args:
        findings: One for each case that ran, in order; fewer than `cases` when one had to be stopped.
        trace: The requests of the first case that failed.
    """
    passed = sum(finding is None for finding in findings)
    if passed == len(cases):
        return Verdict(task.check, "passed", passed, passed, task.points, success_line(task.check, passed))
    failed = [number for number, finding in enumerate(findings) if finding]
    first = findings[failed[0]]
    also = [cases[number].name for number in failed[1:]]
    ending = about_the_rest(also, len(cases) - len(findings))
    told = [in_words(cases[number], findings[number]) for number in failed]
    return Verdict(
        task.check,
        "failed",
        passed,
        len(cases),
        0,
        f"✗ {task.check}: {passed} of {count(len(cases), 'case')}",
        "\n".join([told[0], *ending]),
        first.fix,
        first.misconception,
        failed[0] + 1,
        [asdict(record) for record in trace],
        told[1:],
    )


def still_running(stopped: str, trace: Trace) -> Finding:
    """The finding for an answer that had to be stopped, as the learner's process words it."""
    return Finding(
        given="your function was called once",
        seen=f"{stopped}, with {count(len(trace), 'request')} sent",
        needs="an answer or an exception, after a bounded number of requests",
        fix="look for a loop that has no way out, or a lock that nobody gives back.",
    )


def in_words(case: Case, finding: Finding) -> str:
    """One failure in lines."""
    lines = [
        line("  Case ", f'"{case.name}"'),
        line("    given  ", finding.given),
        line("    seen   ", finding.seen),
        line("    needs  ", finding.needs),
        line("  Try: ", finding.fix),
    ]
    if finding.misconception:
        lines.append(line("  A common belief behind this: ", finding.misconception))
    return "\n".join(lines)


def about_the_rest(also: Sequence[str], not_run: int) -> list[str]:
    """The lines about the other cases, by name."""
    lines = []
    if also:
        named = [f'"{name}"' for name in also[:MOST_NAMED]]
        more = f" and {len(also) - MOST_NAMED} more" if len(also) > MOST_NAMED else ""
        lines.append(line("  Also failed: ", f"{', '.join(named)}{more}."))
    if not_run:
        lines.append(line("  Not run after that: ", f"{count(not_run, 'case')}."))
    return lines


def line(head: str, text: str) -> str:
    """Head and text, broken between words where a notebook's cell would break them anywhere."""
    indent = " " * (len(head) if len(head) < 12 else 4)
    return fill(
        text, WIDTH, initial_indent=head, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )

"""A graded submission as text that a learner can act on, and as data.

Layer 3: imports `marks`. Every failed check is told in full; what was not reached is one line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from course_utils.grading.marks import BROKEN, FAILED, NOT_REACHED, NOT_WRITTEN, PASSED, Mark

SIGNS = {PASSED: "✓", FAILED: "✗", NOT_WRITTEN: "·", NOT_REACHED: "·", BROKEN: "!"}


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one submission."""

    file: str
    exercise: str = ""  # "03_retries"; "" when the submission could not be read
    title: str = ""
    marks: list[Mark] = field(default_factory=list)
    troubles: list[Mark] = field(default_factory=list)
    refused: str = ""  # why nothing was run; "" when it was

    @property
    def points(self) -> int:
        """Earned."""
        return sum(mark.points for mark in self.marks)

    @property
    def of(self) -> int:
        """All that could be earned."""
        return sum(mark.of for mark in self.marks)

    @property
    def status(self) -> str:
        """PASSED when every check is, BROKEN when one is ours, else FAILED."""
        found = {mark.status for mark in (*self.marks, *self.troubles)}
        if BROKEN in found:
            return BROKEN
        return (
            PASSED if self.marks and not self.refused and {mark.status for mark in self.marks} == {PASSED} else FAILED
        )


def as_data(report: Report) -> dict[str, Any]:
    """The report as plain values for JSON."""
    return {
        "file": report.file,
        "exercise": report.exercise,
        "status": report.status,
        "points": report.points,
        "of": report.of,
        "refused": report.refused,
        "checks": [asdict(mark) for mark in report.marks],
        "answers": [asdict(trouble) for trouble in report.troubles],
    }


def as_text(report: Report) -> str:
    """The report in words."""
    if report.refused:
        return f"{report.file}: not graded\n{indented(report.refused, 2)}\n"
    return "\n".join(rows(report)) + "\n"


def rows(report: Report) -> Iterator[str]:
    """The report line by line; a message may hold several."""
    yield f"{report.title}   ({report.file})"
    yield f"  {counts(report)} · {report.points} of {report.of} points"
    width = max(len(mark.check) for mark in (*report.marks, *report.troubles)) if report.marks else 0
    for mark in (*report.troubles, *report.marks):
        worth = f"{mark.points}/{mark.of}" if mark.of else ""
        yield f"  {SIGNS[mark.status]} {mark.check:<{width}}  {worth:>5}  {mark.line}".rstrip()
        if mark.message and mark.status in (FAILED, BROKEN):
            yield indented(mark.message, 6)


def counts(report: Report) -> str:
    """How many checks had which outcome, best first.

    >>> counts(Report("a.ipynb", marks=[Mark("a", "a", PASSED, 1, 1, ""), Mark("b", "b", FAILED, 0, 1, "")]))
    '1 passed · 1 failed'
    """
    tally = {status: sum(mark.status == status for mark in report.marks) for status in SIGNS}
    return " · ".join(f"{number} {status}" for status, number in tally.items() if number)


def indented(text: str, spaces: int) -> str:
    """Every line of the text moved to the right."""
    return "\n".join(" " * spaces + line if line.strip() else "" for line in text.splitlines())

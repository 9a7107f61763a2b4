"""What became of the steps of `test`: counts from pytest's reports, and the lines at the end.

Top layer. Imports the standard library only. Times are seconds.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SHOWN = 30  # names of failed tests at the end; more are a sum
CURES = {
    "style": "Try: .venv/bin/ruff check --fix .",
    "format": "Try: .venv/bin/ruff format .",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to check: a program, or a reason why there is nothing to run."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    report: Path | None = None  # where pytest writes its junit file
    empty: str = ""  # why there is nothing to run
    may_be_empty: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a step."""

    step: Step
    seconds: float
    passed: int
    failed: int
    skipped: int
    reasons: Counter[str] = field(default_factory=Counter)  # why tests were left out, and how many
    names: tuple[str, ...] = ()  # of the failed tests

    def __str__(self) -> str:
        """The counts, in the words of the last line."""
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


@dataclass
class Counts:
    """The tests in a junit file; all zero where pytest wrote none."""

    passed: int = 0
    skipped: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    names: list[str] = field(default_factory=list)  # of the failed ones


def counts(report: Path) -> Counts:
    """Read a junit file."""
    found = Counts()
    for case in ElementTree.parse(report).iter("testcase") if report.exists() else ():
        if (left_out := case.find("skipped")) is not None:
            found.skipped += 1
            found.reasons[left_out.get("message") or "no reason given"] += 1
        elif case.find("failure") is not None or case.find("error") is not None:
            found.names.append("::".join(filter(None, (case.get("classname"), case.get("name")))))
        else:
            found.passed += 1
    return found


def conclude(results: Sequence[Result]) -> int:
    """Print times, what was left out, what failed, and the sum; gives the exit status."""
    print("\nTime per step")
    for result in results:
        print(f"  {result.step.name:<10}{result.seconds:7.1f} s   {result}")
    reasons = sum((result.reasons for result in results if result.skipped), Counter[str]())
    for reason, number in reasons.items():
        print(f"Left out, {number} x: {reason}")
        if "browser" in reason.lower() or "chrom" in reason.lower():
            print("  Try: sudo apt install chromium chromium-driver, or install any Chromium.")
    for result in results:
        for line in told(result):
            print(line)
    passed, failed, skipped = (sum(getattr(one, name) for one in results) for name in ("passed", "failed", "skipped"))
    if not passed and not failed:
        failed = 1  # a run that ran nothing has shown nothing
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed else 0


def told(result: Result) -> Iterator[str]:
    """What failed in a step, by name where it has names, and what mends it where one command does."""
    if result.failed:
        names = result.names or (result.step.name,)
        yield from (f"Failed: {name}" for name in names[:SHOWN])
        if len(names) > SHOWN:
            yield f"Failed: {len(names) - SHOWN} more in {result.step.name}"
        if cure := CURES.get(result.step.name):
            yield f"  {cure}"

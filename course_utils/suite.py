"""Everything that can be checked, cheapest first, with one sum at the end.

Top layer. Every step is a process of its own in the Python that runs now; the notebooks run in the same bare
environment in which they were built, and no step meets the learner's own course server, settings or keys.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from course_utils import private_server
from course_utils.env.lock import PROJECT
from course_utils.env.variables import for_notebooks
from course_utils.errors import CourseError

NOTHING_COLLECTED = 5  # pytest's exit status
WORKERS = str(min(4, max(2, os.cpu_count() or 1)))  # notebooks mostly wait, so two workers pay on one core too
SPEED = "10"  # ten times faster than real: simulated waiting is still in the right order
CELL_SECONDS = "120"  # nbval's own limit of 2000 s would hide a kernel that died for half an hour
SECRETS = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "LANGSMITH_API_KEY", "COURSE_MODEL")


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

    def __str__(self) -> str:
        """The counts, in the words of the last line."""
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def run_suite(rest: Sequence[str] = (), *, only: Sequence[str] = ()) -> int:
    """Run all steps, also after a failure; gives 0 when nothing failed.

    Args:
        rest: Further arguments for pytest; with any, only the steps that use pytest run.
        only: Names of the steps to run; all when empty.
    """
    with tempfile.TemporaryDirectory(prefix="course-test-") as folder:
        steps = [step for step in all_steps(Path(folder), rest) if not only or step.name in only]
        if not steps:
            raise CourseError(f"There is no step {', '.join(only)}.", "name style, format, build, tests or notebooks.")
        try:
            results = [run(step, selected=bool(rest)) for step in steps]
        finally:
            for name in ("tests", "notebooks"):
                private_server.stop(Path(folder, name))
    return conclude(results)


def all_steps(scratch: Path, rest: Sequence[str]) -> list[Step]:
    """The steps in order, cheapest first."""
    paths = [argument for argument in rest if Path(PROJECT, argument.partition("::")[0]).exists()]
    options = tuple(argument for argument in rest if argument not in paths)
    plain = {name: value for name, value in for_notebooks().items() if name not in SECRETS}
    quick = [
        Step("style", python("ruff", "check", "."), plain),
        Step("format", python("ruff", "format", "--check", "."), plain),
        Step("build", python("course_utils", "build", "--check"), plain),
    ]
    tests, notebooks = tests_step(scratch, plain, options, paths), notebooks_step(scratch, options, paths)
    return [step for step in (*([] if rest else quick), tests, notebooks) if step]


def tests_step(scratch: Path, plain: Mapping[str, str], options: Sequence[str], paths: Sequence[str]) -> Step | None:
    """The code's own tests; None when only notebooks were asked for."""
    chosen = [path for path in paths if not is_notebook(path)] if paths else ["tests"]
    if not chosen:
        return None
    folder = private(scratch / "tests")
    file = private(folder / "server") / "server.json"
    environment = {**plain, "COURSE_SERVER_FILE": str(file), "COURSE_LOG": str(folder / "log.sqlite")}
    command = pytest(folder, "-W", "error", "--dist", "loadfile", *chosen, *options)
    return Step("tests", command, environment, folder / "junit.xml", *emptiness(["tests"], "test_*.py"))


def notebooks_step(scratch: Path, options: Sequence[str], paths: Sequence[str]) -> Step | None:
    """Every lesson and solution, run again and compared with what it shows; None when only tests were asked for."""
    chosen = [path for path in paths if is_notebook(path)] if paths else ["notebooks", "solutions"]
    if not chosen:
        return None
    folder = private(scratch / "notebooks")
    extra = {"COURSE_SPEED": SPEED, "PYTHONPATH": str(PROJECT), "JUPYTER_PREFER_ENV_PATH": "1"}
    command = pytest(
        folder, "--nbval", "--nbval-current-env", "--nbval-cell-timeout", CELL_SECONDS, "-p", "no:cacheprovider",
        "--dist", "loadscope", *chosen, *options,
    )  # fmt: skip
    environment = private_server.environment(folder, extra)
    return Step(
        "notebooks", command, environment, folder / "junit.xml", *emptiness(["notebooks", "solutions"], "*.ipynb")
    )


def emptiness(folders: Sequence[str], pattern: str) -> tuple[str, bool]:
    """Why there is nothing to run ("" when there is), and whether that is right: nothing was written yet."""
    if any(list((PROJECT / name).glob(pattern)) for name in folders):
        return "", False
    unwritten = not list((PROJECT / "source").glob("*/*.py"))
    return f"nothing to run: no {pattern} in {' or '.join(folders)}", unwritten


def python(*arguments: str) -> tuple[str, ...]:
    """A module of this Python as a command."""
    return (sys.executable, "-m", *arguments)


def pytest(folder: Path, *arguments: str) -> tuple[str, ...]:
    """A pytest run that reports into this folder."""
    return python("pytest", "-q", "-rfE", "-n", WORKERS, f"--junitxml={folder / 'junit.xml'}", *arguments)


def is_notebook(path: str) -> bool:
    """True for a notebook, and for the folders that hold the built ones."""
    return ".ipynb" in path or Path(path).name in ("notebooks", "solutions")


def private(folder: Path) -> Path:
    """A new folder for its owner alone."""
    folder.mkdir(mode=0o700)
    return folder


def run(step: Step, *, selected: bool) -> Result:
    """Run one step; `selected` says that pytest was told to run a part, so that none in one step is no failure."""
    print(f"\n== {step.name}: {step.empty or ' '.join(step.command[2:])}", flush=True)
    if step.empty:
        return Result(step, 0.0, 0, int(not step.may_be_empty), int(step.may_be_empty), Counter([step.empty]))
    began = time.monotonic()
    status = subprocess.run(step.command, cwd=PROJECT, env=step.environment, stdin=subprocess.DEVNULL).returncode
    seconds = time.monotonic() - began
    if status == NOTHING_COLLECTED and selected:
        return Result(step, seconds, 0, 0, 0)
    if step.report is None:
        return Result(step, seconds, int(status == 0), int(status != 0), 0)
    passed, failed, skipped, reasons = counts(step.report)
    # A run that broke off, or counted nothing, has failed whatever its report says.
    return Result(step, seconds, passed, max(failed, int(status != 0)), skipped, reasons)


def counts(report: Path) -> tuple[int, int, int, Counter[str]]:
    """Passed, failed and skipped tests in a junit file, and the reasons for skipping."""
    if not report.exists():
        return 0, 0, 0, Counter()
    passed = failed = skipped = 0
    reasons: Counter[str] = Counter()
    for case in ElementTree.parse(report).iter("testcase"):
        if (left_out := case.find("skipped")) is not None:
            skipped += 1
            reasons[left_out.get("message") or "no reason given"] += 1
        elif case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        else:
            passed += 1
    return passed, failed, skipped, reasons


def conclude(results: Sequence[Result]) -> int:
    """Print times, what was left out, and the sum; gives the exit status."""
    print("\nTime per step")
    for result in results:
        print(f"  {result.step.name:<10}{result.seconds:7.1f} s   {result}")
    reasons = sum((result.reasons for result in results if result.skipped), Counter[str]())
    for reason, number in reasons.items():
        print(f"Left out, {number} x: {reason}")
        if "browser" in reason.lower() or "chrom" in reason.lower():
            print("  Try: sudo apt install chromium chromium-driver, or install any Chromium.")
    passed, failed, skipped = (sum(getattr(one, name) for one in results) for name in ("passed", "failed", "skipped"))
    if not passed and not failed:
        failed = 1  # a run that ran nothing has shown nothing
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed else 0

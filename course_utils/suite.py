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
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from course_utils import private_server
from course_utils.env.lock import PROJECT
from course_utils.env.variables import for_notebooks
from course_utils.errors import CourseError
from course_utils.outcomes import Result, Step, conclude, counts

NOTHING_COLLECTED = 5  # pytest's exit status
WORKERS = str(min(4, 2 * (os.cpu_count() or 1)))  # tests and notebooks mostly wait, so two workers keep one core busy
SPEED = "10"  # ten times faster than real: simulated waiting is still in the right order
CELL_SECONDS = "120"  # nbval's own limit of 2000 s would hide a kernel that died for half an hour
FOLDERS = ("tests", "notebooks", "solutions")
TAKE_A_VALUE = {  # the options of pytest, xdist and nbval that a learner may write with a blank before the value
    *("-k", "-m", "-n", "-p", "-W", "-c", "-o", "-r", "-d", "--deselect", "--ignore", "--ignore-glob", "--junitxml"),
    *("--maxfail", "--durations", "--tb", "--rootdir", "--basetemp", "--confcutdir", "--import-mode", "--capture"),
    *("--dist", "--maxprocesses", "--override-ini", "--config-file", "--pythonwarnings", "--log-file", "--color"),
    *("--nbval-sanitize-with", "--nbval-cell-timeout", "--nbval-kernel-name", "--numprocesses", "--log-level"),
}
SECRETS = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "LANGSMITH_API_KEY", "COURSE_MODEL")


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
    paths, options = sorted_out(rest)
    plain = {name: value for name, value in for_notebooks().items() if name not in SECRETS}
    quick = [
        Step("style", python("ruff", "check", "."), plain),
        Step("format", python("ruff", "format", "--check", "."), plain),
        Step("build", python("course_utils", "build", "--check"), plain),
    ]
    tests, notebooks = tests_step(scratch, plain, options, paths), notebooks_step(scratch, options, paths)
    return [step for step in (*([] if rest else quick), tests, notebooks) if step]


def sorted_out(rest: Sequence[str]) -> tuple[list[str], list[str]]:
    """The paths among pytest's arguments, and all others.

    >>> sorted_out(["-k", "tests", "tests/test_env.py::test_a", "-x", "notebooks"])
    (['tests/test_env.py::test_a', 'notebooks'], ['-k', 'tests', '-x'])
    """
    paths, options = [], []
    for before, argument in zip(["", *rest], rest, strict=False):
        file = argument.partition("::")[0]
        looks_so = "/" in file or file.endswith((".py", ".ipynb")) or file in FOLDERS
        is_path = looks_so and not argument.startswith("-") and before not in TAKE_A_VALUE
        (paths if is_path else options).append(argument)
    return paths, options


def tests_step(scratch: Path, plain: Mapping[str, str], options: Sequence[str], paths: Sequence[str]) -> Step | None:
    """The code's own tests, and the examples in its docstrings; None when only notebooks were asked for."""
    chosen = [path for path in paths if not is_notebook(path)] if paths else ["tests", "course_utils"]
    if not chosen:
        return None
    folder = private(scratch / "tests")
    file = private(folder / "server") / "server.json"
    environment = {**plain, "COURSE_SERVER_FILE": str(file), "COURSE_LOG": str(folder / "log.sqlite")}
    command = pytest(
        folder, "--doctest-modules", "-W", "error", "--dist", "loadfile", "--no-loadscope-reorder", *chosen, *options
    )
    return Step("tests", command, environment, folder / "junit.xml", *emptiness(["tests"], "test_*.py"))


def notebooks_step(scratch: Path, options: Sequence[str], paths: Sequence[str]) -> Step | None:
    """Every lesson and solution, run again and compared with what it shows; None when only tests were asked for."""
    chosen = [path for path in paths if is_notebook(path)] if paths else ["notebooks", "solutions"]
    if not chosen:
        return None
    folder = private(scratch / "notebooks")
    extra = {"COURSE_SPEED": SPEED, "JUPYTER_PREFER_ENV_PATH": "1"}
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
    found = counts(step.report)
    # A run that broke off, or counted nothing, has failed whatever its report says.
    failed = max(len(found.names), int(status != 0))
    return Result(step, seconds, found.passed, failed, found.skipped, found.reasons, tuple(found.names))

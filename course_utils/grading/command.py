"""The command `python -m course_utils grade`: read submissions, run them, say what they are worth.

Layer 3: imports the other grading modules. A submission that cannot be read is a result like any other and stops nobody
else's; only a fault of ours (a missing solution, a server that does not start) ends the command.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from course_utils import private_server
from course_utils.env.lock import PROJECT
from course_utils.errors import CourseError
from course_utils.grading import cells, marks, runner
from course_utils.grading.report import Report, as_data, as_text
from course_utils.grading.runner import Job, Limits
from course_utils.grading.whose import Whose
from course_utils.learners import read_roster

USUAL = Limits()
PER_LEARNER = "the file that `release` made the learners' folders with: each submission is judged by its own numbers"
ENDED = "The course server ended while this notebook ran.\n  Try: do not stop programs from an answer."
NOBODYS = Whose(())
STATUS = {marks.PASSED: 0, marks.FAILED: 1, marks.BROKEN: 2}


@dataclass(frozen=True, slots=True)
class Submission:
    """One file that could be read, ready to run."""

    path: Path
    exercise: str
    id: str  # opaque; the judge knows it by this
    merged: cells.Notebook
    checks: list[marks.Check]
    title: str
    seed: int | None = None  # of the learner's own numbers; None for the course's


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line as values."""
    parser = argparse.ArgumentParser(prog="python -m course_utils grade", description="Grade exercise notebooks.")
    parser.add_argument("submissions", nargs="+", type=Path, help="notebooks that were handed in")
    parser.add_argument("--out", type=Path, help="a folder for one report per submission, as text and as JSON")
    parser.add_argument("--json", action="store_true", help="print the reports as JSON")
    parser.add_argument("--solutions", type=Path, default=PROJECT / "solutions", help="where the solutions are")
    parser.add_argument("--seed-per-learner", type=Path, metavar="FILE", help=PER_LEARNER)
    parser.add_argument("--cell-timeout", type=float, default=USUAL.cell, help="seconds for one cell")
    return parser.parse_args(argv)


def run(argv: Sequence[str]) -> int:
    """The exit status: 0 all passed, 1 not all, 2 nothing could be judged."""
    asked = arguments(argv)
    try:
        whose = Whose(read_roster(asked.seed_per_learner) if asked.seed_per_learner else ())
        reports = grade(asked.submissions, asked.solutions, limits=Limits(cell=asked.cell_timeout), whose=whose)
        if asked.out:
            write(reports, asked.out)
    except CourseError as error:
        print(f"Nothing was graded. {error}", file=sys.stderr)
        return 2
    if asked.json:
        print(json.dumps([as_data(report) for report in reports], indent=1, ensure_ascii=False))
    else:
        print("\n".join(map(as_text, reports)), end="")
    return max(STATUS[report.status] for report in reports)


def grade(
    paths: Sequence[Path],
    solutions: Path,
    *,
    limits: Limits = USUAL,
    server: Sequence[str] | None = None,
    whose: Whose = NOBODYS,
) -> list[Report]:
    """One report for each path, in order.

    Args:
        paths: The submissions.
        solutions: The folder with the executed solutions.
        limits: What each notebook may use up.
        server: The command that starts a server with a judge; None is the course server.
        whose: Tells who handed a file in, where learners have numbers of their own.

    Raises:
        CourseError: The fault is ours: no solutions, or no server.
    """
    pristine = {path.stem: cells.read_notebook(path) for path in sorted(solutions.glob("*.ipynb"))}
    if not pristine:
        raise CourseError(f"There are no solutions in {solutions.name}.", fix="run `python -m course_utils build`.")
    reports = session(paths, pristine, limits, server, whose)
    if len(paths) > 1 and any(report is None for report in reports):
        # One of them ended the server: let each have its own, so that the others lose nothing by it.
        reports = [
            report or session([path], pristine, limits, server, whose)[0]
            for path, report in zip(paths, reports, strict=True)
        ]
    return [report or Report(path.name, refused=ENDED) for path, report in zip(paths, reports, strict=True)]


def session(
    paths: Sequence[Path],
    pristine: dict[str, cells.Notebook],
    limits: Limits,
    server: Sequence[str] | None,
    whose: Whose,
) -> list[Report | None]:
    """The reports of one batch with one server; None for what ran when the server ended before all was done."""
    key = private_server.new_key()
    with tempfile.TemporaryDirectory(prefix="course-grade-") as name:
        folder = Path(name)
        (folder / "server").mkdir(mode=0o700)
        with private_server.PrivateServer(folder, key=key, command=server or private_server.SERVE) as judge:
            tasks = judge.get("/judge/tasks")
            taken = [take(path, pristine, tasks, whose) for path in paths]
            return list(finished(taken, folder, judge, key, limits))


def take(path: Path, pristine: dict[str, cells.Notebook], tasks: list[dict], whose: Whose) -> Submission | Report:
    """The submission ready to run, or the report that says why it cannot be."""
    try:
        handed_in = cells.read_notebook(path)
        learner = whose.learner(path, handed_in)
        exercise = cells.exercise_of(handed_in, path, pristine)
        merged = cells.merge(handed_in, pristine[exercise])
    except CourseError as error:
        return Report(path.name, refused=str(error))
    checks = marks.checks_of(pristine[exercise], tasks)
    seed = learner.seed if learner else None
    return Submission(path, exercise, secrets.token_hex(8), merged, checks, title_of(merged, exercise), seed)


def finished(
    taken: Sequence[Submission | Report],
    folder: Path,
    judge: private_server.PrivateServer,
    key: bytes,
    limits: Limits,
) -> Iterator[Report | None]:
    """Run what can be run, in one session, and put the reports in order."""
    ready = [one for one in taken if isinstance(one, Submission)]
    judge.post("/judge/submissions", {"seeds": {one.id: one.seed for one in ready}})
    jobs = [job_of(one, folder, key) for one in ready]
    results = dict(zip((one.id for one in ready), runner.run(jobs, folder, limits) if jobs else [], strict=True))
    for one in taken:
        if isinstance(one, Report) or not judge.is_running:
            yield one if isinstance(one, Report) else None
            continue
        verdicts = judge.get(f"/judge/verdicts?submission={one.id}")
        found = marks.marked(one.merged, one.checks, results[one.id], verdicts, limits)
        yield Report(one.path.name, one.exercise, one.title, found.marks, found.troubles)


def job_of(one: Submission, folder: Path, key: bytes) -> Job:
    """What nbval has to run for this submission: its answers, our checks, and the lines that a pass will print."""
    notebook = marks.with_receipts(one.merged, one.checks, key, one.id)
    environment = {
        "COURSE_SERVER_FILE": str(private_server.runtime_file(folder)),
        "COURSE_SUBMISSION": one.id,
    }
    return Job(notebook, folder / one.id, environment)


def title_of(notebook: cells.Notebook, exercise: str) -> str:
    """The first heading, else the exercise's name."""
    text = "\n".join(cells.text_of(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    heading = re.search(r"^#+ +(\S.*)$", text, re.MULTILINE)
    return heading[1] if heading else exercise


def write(reports: Sequence[Report], folder: Path) -> None:
    """Two files for each report; submissions of the same name get a number."""
    folder.mkdir(parents=True, exist_ok=True)
    used: set[str] = set()
    for report in reports:
        stem = re.sub(r"[^\w.-]+", "_", Path(report.file).stem) or "submission"
        name = next(
            name
            for number in range(1, len(reports) + 1)
            if (name := stem if number == 1 else f"{stem}-{number}") not in used
        )
        used.add(name)
        (folder / f"{name}.txt").write_text(as_text(report), "utf-8")
        data = json.dumps(as_data(report), indent=1, ensure_ascii=False)
        (folder / f"{name}.json").write_text(data + "\n", "utf-8")

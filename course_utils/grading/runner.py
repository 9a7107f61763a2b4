"""Running merged notebooks: one pytest session with nbval, a fresh kernel and a folder of its own for each notebook.

Layer 3: imports `private_server` and `env`. The pytest process and what it writes are ours; only the kernels run
learners' code, and they get no key, no file of ours but the merged notebook, and no environment but the one that is
given.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils import private_server
from course_utils.env.processes import ended, private_file, start
from course_utils.env.variables import for_notebooks

KERNEL = "python3"  # the seam for warm and sandboxed kernels: the name of another kernel spec


@dataclass(frozen=True, slots=True)
class Limits:
    """What one notebook may use up."""

    cell: float = 60.0  # seconds for one cell
    notebook: float = 600.0  # seconds for all cells
    output: int = 1_000_000  # characters that one cell may print


@dataclass(frozen=True, slots=True)
class CellResult:
    """What became of one cell; see `plugin.kind_of` for the kinds."""

    cell: str
    kind: str
    why: str = ""
    ename: str = ""
    evalue: str = ""
    traceback: str = ""
    printed: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One merged notebook to run."""

    notebook: Mapping[str, Any]
    folder: Path  # ours; the kernel works in `work` inside it
    environment: Mapping[str, str]  # of the kernel, beside the bare one

    @property
    def place(self) -> Path:
        """Where the notebook lies."""
        return self.folder / "reference"


def run(jobs: Sequence[Job], folder: Path, limits: Limits, *, kernel: str = KERNEL) -> list[dict[str, CellResult]]:
    """For each job its results by cell name; a cell that was never begun has none.

    A session that ends early (a pytest process killed for its memory, say) takes no other job with it: what had not
    been begun is run once more, on its own.
    """
    for job in jobs:
        prepare(job, limits)
    found = session(jobs, folder, limits, kernel)
    if len(jobs) > 1:
        for number, job in enumerate(jobs):
            if not found[number]:
                found[number] = session([job], folder, limits, kernel)[0]
    return found


def prepare(job: Job, limits: Limits) -> None:
    """Write the notebook, and beside it what the plugin needs to know for its kernel."""
    work = job.folder / "work"
    for folder in (job.place, work):
        folder.mkdir(mode=0o700, parents=True)
    setting = {
        "folder": str(work),
        "environment": private_server.environment(job.folder, job.environment),
        "budget": limits.notebook,
        "most_output": limits.output,
    }
    (job.place / "kernel.json").write_text(json.dumps(setting), "utf-8")
    (job.place / "merged.ipynb").write_text(json.dumps(job.notebook), "utf-8")


def session(jobs: Sequence[Job], folder: Path, limits: Limits, kernel: str) -> list[dict[str, CellResult]]:
    """One pytest process over all jobs."""
    results, settings = folder / "results.jsonl", folder / "pytest.ini"
    results.write_text("", "utf-8")
    settings.write_text("[pytest]\n", "utf-8")
    command = [
        *(sys.executable, "-m", "pytest", "--nbval", f"--nbval-kernel-name={kernel}"),
        *("-p", "course_utils.env.import_guard", "-p", "course_utils.grading.plugin", "-p", "nbval.plugin"),
        *("-p", "no:cacheprovider"),
        *("--noconftest", "-c", str(settings), "--rootdir", str(folder), "--color=no", "-q", "--tb=no"),
        f"--nbval-cell-timeout={limits.cell:g}",
        *(str(job.place / "merged.ipynb") for job in jobs),
    ]
    variables = for_notebooks()  # the kernels get theirs from `kernel.json`
    variables |= {"COURSE_GRADING_RESULTS": str(results), "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
    variables = {name: value for name, value in variables.items() if name not in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")}
    variables["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # langsmith's plugin alone costs three seconds at exit
    patience = sum(limits.notebook + limits.cell for _ in jobs) + 60
    with private_file(folder / "pytest.txt") as told:
        pytest = start(command, folder, variables, told)
        # An interrupted pytest ends its kernels; what has no result when time is up was not reached.
        with ended(pytest, signal.SIGINT), suppress(subprocess.TimeoutExpired):
            pytest.wait(patience)
    return [results_of(job, results) for job in jobs]


def results_of(job: Job, results: Path) -> dict[str, CellResult]:
    """The results of one job, by cell name."""
    found = {}
    for line in results.read_text("utf-8").splitlines():
        told = json.loads(line)
        if told.pop("folder") == str(job.place):
            found[told["cell"]] = CellResult(**told)
    return found

"""Private servers and bare environments: nothing of them outlives the command that needed them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from course_utils import private_server
from course_utils.build.notebook import unexecuted
from course_utils.build.rules import EXERCISE
from course_utils.build.source import read_source
from course_utils.env.lock import PROJECT
from course_utils.env.variables import QUIET
from course_utils.server.activity import is_alive

SOURCE = PROJECT / "source/exercises/01_a_chain_with_a_gate.py"
PATIENCE = 120.0  # seconds; only a failure waits so long


def until(what):
    """The first true value of `what()`."""
    deadline = time.monotonic() + PATIENCE
    while not (found := what()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert found
    return found


def submission(folder: Path, answer: str = "") -> Path:
    """The course's first exercise solved, with `answer` at the start of its first answer cell."""
    notebook = unexecuted(read_source(SOURCE, EXERCISE), is_blank=False)
    first = next(cell for cell in notebook["cells"] if "answer" in cell["metadata"].get("tags", ()))
    first["source"] = answer + first["source"]
    path = folder / f"{SOURCE.stem}.ipynb"
    path.write_text(json.dumps(notebook), "utf-8")
    return path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_ended_grader_leaves_nothing(number, tmp_path):
    """The server, the kernel and the folder with the submission go when the grader is told to."""
    temporary, began = tmp_path / "tmp", tmp_path / "began"
    temporary.mkdir()
    code = f"import os, time\nopen({str(began)!r}, 'w').write(str(os.getpid()))\ntime.sleep(1000)\n"
    command = [sys.executable, "-m", "course_utils", "grade", str(submission(tmp_path, code))]
    variables = os.environ | {"TMPDIR": str(temporary)}
    with subprocess.Popen(command, cwd=PROJECT, env=variables, stderr=subprocess.DEVNULL) as grader:
        kernel = int(until(lambda: began.exists() and began.read_text()))
        [file] = temporary.glob("course-grade-*/server/server.json")
        server = json.loads(file.read_text())["pid"]
        assert is_alive(server)
        grader.send_signal(number)
        status = grader.wait(PATIENCE)
    until(lambda: not is_alive(kernel))
    assert (status, is_alive(server), list(temporary.glob("course-grade-*"))) == (130, False, [])


def test_a_server_whose_start_is_interrupted_is_ended(tmp_path, monkeypatch):
    """Between the start of the process and its first word there is nothing to orphan it."""
    (tmp_path / "server").mkdir(mode=0o700)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(private_server.runtime, "read", interrupt)
    server = private_server.PrivateServer(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        server.__enter__()
    assert not server.is_running


def test_a_server_outlives_nobody_who_was_killed(tmp_path, monkeypatch):
    """While its starter lives it is not idle; afterwards it ends by itself, for `--idle` says so."""
    (tmp_path / "server").mkdir(mode=0o700)
    starter = f"""
import sys, time
from pathlib import Path
from course_utils import private_server
command = [*private_server.SERVE[:-1], "0.5"]
assert private_server.SERVE[-2] == "--idle"
with private_server.PrivateServer(Path({str(tmp_path)!r}), command=command) as server:
    time.sleep(1.5)
    print(server.process.pid, server.is_running, flush=True)
    time.sleep(1000)
"""
    with subprocess.Popen([sys.executable, "-c", starter], cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        pid, is_running = process.stdout.readline().split()
        process.kill()
    assert is_running == "True"
    until(lambda: not is_alive(int(pid)))


def test_the_course_is_found_in_an_environment_that_has_only_the_packages(tmp_path):
    """Graders work in an environment where nobody installed the course itself."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    [packages] = (tmp_path / "env").glob("lib/python3.*/site-packages")
    (packages / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python, code = (
        tmp_path / "env/bin/python",
        "import sys; from course_utils.grading import main; sys.exit(main(sys.argv[1:]))",
    )
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    alone = subprocess.run([python, "-c", "import course_utils"], cwd=tmp_path, env=bare, capture_output=True)
    assert alone.returncode == 1
    graded = subprocess.run([python, "-c", code, submission(tmp_path)], cwd=PROJECT, capture_output=True, text=True)
    assert (graded.returncode, graded.stderr) == (0, ""), graded.stdout


def test_builds_and_learners_are_equally_quiet(tmp_path):
    """One table says what is kept quiet, and a lesson on tracing is not cut off by it."""
    found = private_server.environment(tmp_path)
    assert {name: found[name] for name in QUIET} == QUIET
    assert "OTEL_SDK_DISABLED" not in found

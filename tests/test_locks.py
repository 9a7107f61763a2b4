"""The lock of set-up and copies: one at a time, and no obstacle where a disk has no locks."""

from __future__ import annotations

import errno
import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils.env.locks import only_one

HOLDER = """
import sys
from pathlib import Path
from course_utils.env.locks import only_one
with only_one(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_second_says_that_it_waits(tmp_path, capsys):
    """Whoever comes second says so, and goes on once the first has ended."""
    path, said = tmp_path / "lock", []
    command = [sys.executable, "-c", HOLDER, str(path)]
    folder = Path(__file__).parents[1]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder) as first:
        first.stdout.readline()

        class Told:
            """What is printed; hearing it ends the first holder."""

            def write(self, text):
                said.append(text)
                first.stdin.close()

            def flush(self):
                """Nothing to do."""

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", Told())
            with only_one(path, waiting="wait"):
                patch.undo()
    assert "".join(said) == "wait\n"


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.EINVAL])
def test_a_disk_without_locks_is_no_obstacle(number, tmp_path, monkeypatch, capsys):
    """Some network folders refuse every lock: work goes on, and nobody waits."""

    def refuse(*_):
        raise OSError(number, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with only_one(tmp_path / "lock", waiting="wait"):
        pass
    assert capsys.readouterr().out == ""

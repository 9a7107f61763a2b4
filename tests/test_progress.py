"""What a learner has done so far: kept over restarts, over damage, and while two connections write."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from course_utils.server.cases import Task
from course_utils.server.progress import Progress
from course_utils.server.verdicts import Verdict

TASKS = {name: Task(name, name.title(), 3, lambda rng: [], ("one", "two")) for name in ("a", "b")}


def verdict(check: str, status: str, points: int = 0, belief: str = "") -> Verdict:
    return Verdict(check, status, 1, 2, points, "line", misconception=belief)


def test_a_belief_is_met_and_then_cleared(tmp_path):
    """Points are those of the best try; a belief counts as cleared once the check is passed; it outlives a restart."""
    path = tmp_path / "deep" / "progress.sqlite"
    progress = Progress(path)
    for each in (verdict("a", "not written yet"), verdict("a", "failed", belief="x"), verdict("a", "passed", 3)):
        progress.verdict(each)
    progress.verdict(verdict("b", "failed", belief="y"))
    progress.close()
    first, second = Progress(path).report(TASKS)
    assert first == {
        "check": "a", "title": "A", "points": 3, "of": 3, "tries": 2, "passed": True, "met": ["x"], "cleared": ["x"],
        "hints": 0,
    }  # fmt: skip
    assert (second["met"], second["cleared"], second["passed"]) == (["y"], [], False)


def test_a_later_failure_takes_no_points_away():
    """Trying something out after success costs nothing."""
    progress = Progress()
    progress.verdict(verdict("a", "passed", 3))
    progress.verdict(verdict("a", "failed"))
    assert progress.report(TASKS)[0]["points"] == 3


def test_hints_go_on_where_they_were(tmp_path):
    """The ladder is climbed once, also over a restart, and ends at its last rung."""
    path = tmp_path / "progress.sqlite"
    first = Progress(path)
    assert [first.hint("a", 2), Progress(path).hint("a", 2), first.hint("a", 2)] == [1, 2, 2]
    assert first.report(TASKS)[0]["hints"] == 2


@pytest.mark.parametrize("content", [b"not a database", b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_damaged_file_is_put_aside(tmp_path, content):
    """Work goes on with a new file, and the old one is kept."""
    path = tmp_path / "progress.sqlite"
    path.write_bytes(content)
    progress = Progress(path)
    progress.verdict(verdict("a", "passed", 3))
    assert progress.report(TASKS)[0]["points"] == 3
    assert [aside.read_bytes() for aside in tmp_path.glob("progress.damaged-*")] == [content]


def test_two_writers_lose_nothing(tmp_path):
    """Should two servers ever share the file, each verdict is there."""
    path = tmp_path / "progress.sqlite"
    both = Progress(path), Progress(path)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda each: [each.verdict(verdict("a", "failed")) for _ in range(40)], both))
    assert Progress(path).report(TASKS)[0]["tries"] == 80


def test_a_full_disk_costs_no_verdict(tmp_path, caplog):
    """What cannot be written is reported in the server's log, and the learner still gets the verdict."""
    progress = Progress(tmp_path / "progress.sqlite")
    progress.close()
    progress.verdict(verdict("a", "passed"))
    assert "could not be written" in caplog.text

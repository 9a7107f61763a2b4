"""What a learner has done so far: each check's verdicts and hints, in one small SQLite file.

Layer 1: imports `cases` and `verdicts`. The server is the only process that writes it, however many notebooks are
open, and each write is a transaction of its own. Belongs to the server's event loop.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from course_utils.server.cases import Task
from course_utils.server.verdicts import Verdict

log = logging.getLogger(__name__)
TABLES = """
CREATE TABLE IF NOT EXISTS verdicts (
    number INTEGER PRIMARY KEY, time REAL NOT NULL, chk TEXT NOT NULL, status TEXT NOT NULL,
    passed INTEGER NOT NULL, cases INTEGER NOT NULL, points INTEGER NOT NULL, misconception TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS hints (chk TEXT PRIMARY KEY, shown INTEGER NOT NULL);
"""


class Progress:
    """The record of one learner.

    Args:
        path: The file; it is made when missing, and put aside when it is damaged. None keeps it in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        try:
            self._file = _opened(path)
        except sqlite3.DatabaseError:
            assert path is not None
            path.replace(path.with_suffix(f".damaged-{time.time_ns()}"))  # not deleted: somebody may mend it
            self._file = _opened(path)

    def verdict(self, verdict: Verdict) -> None:
        """Note what became of a check."""
        row = (
            time.time(), verdict.check, verdict.status, verdict.passed, verdict.cases, verdict.points,
            verdict.misconception,
        )  # fmt: skip
        self._write(
            "INSERT INTO verdicts (time, chk, status, passed, cases, points, misconception) VALUES (?,?,?,?,?,?,?)", row
        )

    def hint(self, check: str, most: int) -> int:
        """Note that one hint more is shown; its number, from 1 to `most`."""
        known = self._file.execute("SELECT shown FROM hints WHERE chk = ?", (check,)).fetchone()
        shown = min((known[0] if known else 0) + 1, most)
        self._write("INSERT OR REPLACE INTO hints VALUES (?, ?)", (check, shown))
        return shown

    def report(self, tasks: Mapping[str, Task]) -> list[dict[str, Any]]:
        """One row for each task, in their order: points, tries, hints, and beliefs met and cleared since."""
        hints = dict(self._file.execute("SELECT chk, shown FROM hints").fetchall())
        return [self._row(task) | {"hints": hints.get(task.check, 0)} for task in tasks.values()]

    def _row(self, task: Task) -> dict[str, Any]:
        query = "SELECT status, passed, cases, points, misconception FROM verdicts WHERE chk = ? ORDER BY number"
        rows = [row for row in self._file.execute(query, (task.check,)) if row[0] in ("passed", "failed")]
        is_passed = any(status == "passed" for status, *_ in rows)
        met = list(dict.fromkeys(belief for *_, belief in rows if belief))
        return {
            "check": task.check,
            "title": task.title,
            "points": max((row[3] for row in rows), default=0),
            "of": task.points,
            "tries": len(rows),
            "passed": is_passed,
            "met": met,
            "cleared": met if is_passed else [],
        }

    def close(self) -> None:
        self._file.close()

    def _write(self, statement: str, values: tuple[Any, ...]) -> None:
        try:
            self._file.execute(statement, values)  # its own transaction: on disk, or not at all
        except sqlite3.Error:  # a full disk is not the learner's mistake: the verdict is told all the same
            log.exception("progress could not be written to %s", self.path)


def _opened(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
    made = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
    try:
        made.executescript(TABLES)
        made.execute("SELECT count(*) FROM verdicts").fetchone()
    except sqlite3.DatabaseError:
        made.close()
        raise
    return made

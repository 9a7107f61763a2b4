"""The log: one row in SQLite for every request, written when it arrives and completed before its answer ends.

Layer 1: imports `records` and `errors`. Safe to share between threads. The file is in WAL mode, where a commit is one
write into the system's cache (about 40 microseconds): quicker than handing the row to a thread that writes. So the
caller commits, everybody's open rows with his own. What `completed` has returned from survives the death of the
process (kill -9) at any moment, but not always a power cut. The slow part, moving the WAL into the database with an
fsync, is a thread's. Ids count up over the life of the file.
"""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import threading
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json

from course_utils.errors import CourseError
from course_utils.records import Record, Trace

COLUMNS = [column.name for column in fields(Record)]
TYPES = {"id": "INTEGER PRIMARY KEY", "scope": "TEXT NOT NULL", "request": "BLOB NOT NULL"}
TABLE = ", ".join(f"{name} {TYPES.get(name, '')}" for name in COLUMNS)
OPEN = f"INSERT INTO requests VALUES ({', '.join('?' * len(COLUMNS))})"
ENDS = (
    "stop", "course_stop", "status", "error", "fault", "finish_reason",
    "prompt_tokens", "completion_tokens", "price", "answer",
)  # fmt: skip
COMPLETE = f"UPDATE requests SET {', '.join(f'{name} = ?' for name in ENDS)} WHERE id = ?"
# What a server that died left open will never end; its callers saw the connection break.
ABANDONED = (
    "UPDATE requests SET status = 500, error = 'server_stopped', stop = start, course_stop = course_start "
    "WHERE status IS NULL"
)
TIDY_EVERY = 1000  # commits
LONG_WAL = 8000  # pages, 32 MB

Job = tuple[str, tuple[Any, ...]]  # a statement and its values


class Log:
    """The requests of one server.

    Args:
        path: The file; it is made, for this user only, when missing. A file belongs to one running server.

    Raises:
        CourseError: Another server writes to this file.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock_file = _hold(self.path)
        self.path.touch(mode=0o600)
        self._reader = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        self._reader.execute("PRAGMA journal_mode = WAL")
        self._reader.execute(f"CREATE TABLE IF NOT EXISTS requests ({TABLE})")
        self._reader.execute("CREATE INDEX IF NOT EXISTS by_scope ON requests (scope, id)")
        self._reader.execute(ABANDONED)
        self.last_id: int = self._reader.execute("SELECT coalesce(max(id), 0) FROM requests").fetchone()[0]
        self._ids = itertools.count(self.last_id + 1)
        self._writer = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        self._writer.execute("PRAGMA synchronous = NORMAL")
        self._writer.execute("PRAGMA wal_autocheckpoint = 0")  # the thread does it
        self._reading, self._writing = threading.Lock(), threading.Lock()
        self._pending: list[Job] = []
        self._commits = 0
        self._due, self._closed = threading.Event(), False
        self._tidier = threading.Thread(target=self._tidy, name="course-log", daemon=True)
        self._tidier.start()

    def next_id(self) -> int:
        """The id for the request that arrives now."""
        self.last_id = next(self._ids)
        return self.last_id

    def opened(self, record: Record, body: bytes) -> None:
        """Note a request that has arrived; `body` is its JSON as sent. The next commit, whosever, writes it."""
        values = [getattr(record, name) for name in COLUMNS]
        values[COLUMNS.index("request")] = body
        with self._writing:
            self._pending.append((OPEN, tuple(values)))

    def completed(self, id: int, **ends: Any) -> None:
        """Write what became of request `id`: a value for every name in ENDS. It is safe on return.

        Raises:
            sqlite3.Error: It could not be written; UnicodeError likewise, for text that is none.
        """
        with self._writing:
            self._pending.append((COMPLETE, (*(ends[name] for name in ENDS), id)))
            error = self._commit()
        if error:
            raise error

    def commit(self) -> None:
        """Write everything noted so far. A row that cannot be written is reported when its request ends."""
        with self._writing:
            self._commit()

    def trace(self, scope: str, after: int = 0) -> Trace:
        """The requests of `scope` with ids above `after`, in order of arrival, running ones included."""
        self.commit()
        with self._reading:
            query = "SELECT * FROM requests WHERE scope = ? AND id > ? ORDER BY id"
            rows = self._reader.execute(query, (scope, after)).fetchall()
        return Trace([_record(row) for row in rows])

    def close(self) -> None:
        """Write what is left, and let go of the file."""
        if self._closed:
            return
        self.commit()
        self._closed = True
        self._due.set()
        self._tidier.join()
        for connection in (self._writer, self._reader, self._lock_file):
            connection.close()

    def _commit(self) -> Exception | None:
        """Write what is pending; what went wrong with the last of it."""
        jobs, self._pending = self._pending, []
        if not jobs:
            return None
        self._commits += 1
        if self._commits % TIDY_EVERY == 0:
            self._due.set()
        return _carry_out(self._writer, jobs)[-1]

    def _tidy(self) -> None:
        """Move the WAL into the database now and then; writers and readers go on meanwhile.

        Without a pause between commits that never comes to its end, so a long WAL holds the writers up once, shortly:
        by then most of it has been moved.
        """
        connection = sqlite3.connect(self.path, isolation_level=None)
        while not self._closed:
            self._due.wait()
            self._due.clear()
            with contextlib.suppress(sqlite3.Error):  # such as a full disk: the WAL grows until the next time
                _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                if pages > LONG_WAL:
                    with self._writing:
                        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        connection.close()


def _carry_out(connection: sqlite3.Connection, jobs: list[Job]) -> list[Exception | None]:
    """Carry out `jobs` in one transaction; for each what went wrong. One that cannot be written spoils no other."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        for statement, values in jobs:
            if not connection.execute(statement, values).rowcount:
                raise sqlite3.DataError("the request's arrival could not be written")
        connection.execute("COMMIT")
    except Exception as error:  # such as a full disk: the requests fail with it, the log lives on
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        return [error] if len(jobs) == 1 else [_carry_out(connection, [job])[0] for job in jobs]
    return [None] * len(jobs)


def _record(row: tuple[Any, ...]) -> Record:
    values = dict(zip(COLUMNS, row, strict=True))
    return Record(**values | {"stream": bool(values["stream"]), "request": readable(values["request"])})


def readable(body: bytes) -> dict[str, Any]:
    """The body as a JSON object; {} when it is not one."""
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def as_json(trace: Trace) -> bytes:
    """The records as the JSON list that a client builds its Trace from."""
    return to_json([asdict(record) for record in trace])


def _hold(path: Path) -> sqlite3.Connection:
    """Take the lock beside `path`. It is a SQLite lock because that works everywhere and ends with the process."""
    lock = sqlite3.connect(f"{path}.lock", timeout=0.2, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        raise CourseError(
            f"The log {path.name} is in use by another course server.",
            fix="stop that server first, or give this one a log file of its own.",
        ) from error
    return lock

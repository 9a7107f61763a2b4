"""The log: rows come back as records, nothing that was answered is lost, and one bad row spoils no other."""

import dataclasses
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from course_utils.errors import CourseError
from course_utils.records import Record
from course_utils.server.log import ENDS, Log


@pytest.fixture
def log(tmp_path):
    log = Log(tmp_path / "log.sqlite")
    yield log
    log.close()


def arrived(id, scope="a", **rest):
    """The record of a request that has just arrived."""
    values = {"step": "plan", "model": "m", "attempt": 1, "start": 1.0, "course_start": 10.0, "in_flight": 1}
    return Record(id=id, scope=scope, stop=None, course_stop=None, status=None, **values | rest)


END = {
    "stop": 2.0, "course_stop": 20.0, "status": 200, "error": "", "fault": "slow", "finish_reason": "stop",
    "prompt_tokens": 3, "completion_tokens": 4, "price": 0.5, "answer": "yes \N{SNOWMAN}",
}  # fmt: skip


def test_a_row_comes_back_as_the_record_it_was(log):
    """Open at first; complete afterwards, with the body as it was sent."""
    record = arrived(log.next_id(), stream=True, step="Schritt ä")
    log.opened(record, b'{"model": "m", "n": [1, null]}')
    request = {"model": "m", "n": [1, None]}
    assert log.trace("a")[:].records == (dataclasses.replace(record, request=request),)
    log.completed(record.id, **END)
    assert log.trace("a")[0] == dataclasses.replace(record, request=request, **END)


def test_what_is_written_is_there_for_everybody(log):
    """Another process sees an arrival after `commit`, and an end as soon as `completed` returns."""
    other = sqlite3.connect(log.path)
    query = "SELECT id, status FROM requests"
    log.opened(arrived(log.next_id()), b"{}")
    seen = [other.execute(query).fetchall()]
    log.commit()
    seen.append(other.execute(query).fetchall())
    log.completed(1, **END)
    seen.append(other.execute(query).fetchall())
    other.close()
    assert seen == [[], [(1, None)], [(1, 200)]]


def test_ends_and_beginnings_cover_a_record():
    """Every field of a record is written either on arrival or at the end."""
    begun = {"id", "scope", "step", "model", "attempt", "start", "course_start", "in_flight", "stream", "request"}
    assert begun | set(ENDS) == {field.name for field in dataclasses.fields(Record)}


def test_traces_are_by_scope_and_in_order_of_arrival(log):
    """Only the scope asked for, only ids above `after`."""
    for scope in "abab":
        log.opened(arrived(log.next_id(), scope), b"{}")
    assert [record.id for record in log.trace("a")] == [1, 3]
    assert [record.id for record in log.trace("b", after=2)] == [4]
    assert len(log.trace("c")) == 0


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b"\xff", b'{"a": "\\ud800"}'])
def test_a_body_that_is_no_object_is_logged_as_empty(log, body):
    """Garbage is logged too, as a request without fields."""
    log.opened(arrived(log.next_id()), body)
    assert log.trace("a")[0].request == {}


def test_one_bad_row_spoils_no_other(log):
    """A row that SQLite refuses fails alone, even within one commit."""
    log.opened(arrived(log.next_id(), step="\ud800"), b"{}")
    for _ in range(20):
        log.opened(arrived(log.next_id()), b"{}")
    log.completed(21, **END)
    assert [record.id for record in log.trace("a")] == list(range(2, 22))
    with pytest.raises(UnicodeEncodeError):
        log.completed(2, **END | {"answer": "\ud800"})
    with pytest.raises(sqlite3.DataError, match="arrival could not be written"):
        log.completed(1, **END)


def test_ids_go_on_after_a_restart_and_open_rows_are_closed(tmp_path):
    """A new server counts on, and what the old one left open is marked as its failure."""
    first = Log(tmp_path / "log.sqlite")
    first.opened(arrived(first.next_id()), b"{}")
    first.close()
    second = Log(tmp_path / "log.sqlite")
    left = second.trace("a")[0]
    assert (second.next_id(), left.status, left.error, left.stop) == (2, 500, "server_stopped", 1.0)
    second.close()


def test_a_log_belongs_to_one_server(tmp_path, log):
    """A second server on the same file is refused, and the file is free again once the first has closed."""
    with pytest.raises(CourseError, match="in use by another course server"):
        Log(log.path)
    log.close()
    Log(log.path).close()


def test_the_wal_does_not_grow_without_end(tmp_path, monkeypatch):
    """The thread moves it into the database while requests go on."""
    monkeypatch.setattr("course_utils.server.log.TIDY_EVERY", 10)
    monkeypatch.setattr("course_utils.server.log.LONG_WAL", 100)
    log = Log(tmp_path / "log.sqlite")
    wal = tmp_path / "log.sqlite-wal"
    rows, deadline = 0, time.monotonic() + 30
    while rows < 600 or wal.stat().st_size > 4_000_000:  # it would be some 12 MB, and never shrink
        assert time.monotonic() < deadline
        rows, id = rows + 1, log.next_id()
        log.opened(arrived(id), b"{" + b" " * 4000 + b"}")
        log.completed(id, **END)
    assert len(log.trace("a")) == rows
    log.close()


def test_the_log_is_for_this_user_only(log):
    """Prompts may be private."""
    if os.name == "posix":
        assert log.path.stat().st_mode & 0o077 == 0


def test_many_threads_write_and_read_at_once(log):
    """No row is lost or counted twice, and readers are never refused."""

    def write(name):
        for _ in range(100):
            id = log.next_id()
            log.opened(arrived(id, name), b"{}")
            log.completed(id, **END)
            log.trace(name, after=id - 1)

    threads = [threading.Thread(target=write, args=(name,)) for name in "wxyz"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = [record for name in "wxyz" for record in log.trace(name)]
    assert sorted(record.id for record in rows) == list(range(1, 401))
    assert {record.status for record in rows} == {200}


VICTIM = """
import sys, pathlib
from support import running_server
import httpx
with running_server(log_path=pathlib.Path(sys.argv[1])) as server:
    print(server.port, flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize("stream", [False, True])
def test_killing_the_server_loses_no_answered_request(tmp_path, stream):
    """kill -9 right after the last byte of an answer: all answered requests are in the log, complete."""
    import openai

    path = tmp_path / "log.sqlite"
    here = str(Path(__file__).parent)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([here, str(Path(here).parent)])}
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as victim:
        port = int(victim.stdout.readline())
        base_url = f"http://127.0.0.1:{port}/v1"
        with openai.OpenAI(base_url=base_url, api_key="owner-token-for-tests", max_retries=0) as client:
            for number in range(25):
                message = [{"role": "user", "content": f"number {number}"}]
                answer = client.chat.completions.create(model="small", messages=message, stream=stream)
                if stream:
                    answer = list(answer)
        victim.send_signal(signal.SIGKILL)
    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT status, answer FROM requests ORDER BY id").fetchall()
    database.close()
    assert rows == [(200, f"number {number}") for number in range(25)]

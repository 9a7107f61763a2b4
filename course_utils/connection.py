"""The connection between this process and the course server: find it, start it, say what a block of requests did.

Layer 2: imports `conditions`, `errors`, `faults`, `records`, `server.runtime` and `server.launcher`; never langchain.
Safe to share between threads. A child made by `os.fork` gets a scope of its own. Times are course seconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from course_utils.conditions import NONE, conditions, misspelt
from course_utils.errors import CourseError
from course_utils.faults import Plan
from course_utils.records import Record, Trace
from course_utils.server import runtime
from course_utils.server.launcher import find_or_start, sizes

TIMEOUT, SETTLE = 10.0, 2.0  # real seconds: for one call to the control side; for a block's last requests to end
_courses: dict[int, Course] = {}  # by process id, so that a forked child does not take over its parent's


def connect() -> Course:
    """This process's corner of the course server, which is started when there is none; always the same one.

    Raises:
        CourseError: The server did not start, or the one that runs has another model than $COURSE_MODEL asks for.
    """
    course = _courses.get(os.getpid()) or _courses.setdefault(os.getpid(), Course())
    course._attach()
    return course


class Course:
    """One process's corner of the course server. Get it with `connect()`."""

    def __init__(self) -> None:
        self.url = ""  # of the server
        self.base_url = ""  # of this process's scope; what an OpenAI client is given
        self.key = ""  # of this scope; what an OpenAI client is given
        self.backend = ""  # "practice", "local", "openai"
        self.models: dict[str, str] = {}  # "small" and "large" -> the model id
        self.scope = f"nb-{secrets.token_hex(5)}"
        self._lock = threading.RLock()
        self._token = ""
        self._started = 0.0
        self._bent_for: Trace | None = None  # of the record block that has faults or a rate, while there is one
        # No connection is kept: a fork would share it, and a restarted server would have closed it.
        self._http = httpx.Client(timeout=TIMEOUT, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))

    def __repr__(self) -> str:
        return f"<Course: {self.backend} backend, {' and '.join(dict.fromkeys(self.models.values()))}>"

    @contextmanager
    def record(self, faults: Plan | None = None, rate: float | tuple[float, int] | None = None) -> Iterator[Trace]:
        """Collect this scope's requests of the block; the trace is empty inside and filled at the block's end.

        Args:
            faults: How the server misbehaves during the block, from `course_utils.faults`.
            rate: The server's limit during the block: requests per second, or (requests per second, burst).

        Raises:
            CourseError: `faults` is no plan or `rate` no rate; or the block has one of them while another one has.
        """
        wanted = conditions(faults, rate)
        self._attach()
        trace = Trace()
        after = self._open_block(trace, wanted)
        try:
            yield trace
        except BaseException:
            with suppress(CourseError):  # what went wrong in the block matters more
                self._close_block(trace, after)
            raise
        self._close_block(trace, after)
        if words := misspelt(faults, {record.step for record in trace}):
            warnings.warn(words, stacklevel=3)  # the line that opened the block

    def records(self) -> Trace:
        """Every request of this process so far, running ones included."""
        self._attach()
        return self._records(0)

    def sleep(self, seconds: float) -> None:
        """Wait on the course clock, so that the wait can be seen (and, when COURSE_SPEED is high, is short)."""
        time.sleep(self._announce_sleep(seconds))

    async def asleep(self, seconds: float) -> None:
        """`sleep` for asynchronous code: other tasks go on meanwhile."""
        await asyncio.sleep(await asyncio.to_thread(self._announce_sleep, seconds))

    def now(self) -> float:
        """Course seconds since this process's scope began, to note a moment by."""
        return self.call("GET", f"/course/scopes/{self.scope}/clock")["course_time"]

    def stop(self) -> None:
        """End the server, for every process that uses it; the next `connect()` starts a new one."""
        path = runtime.location()
        with suppress(CourseError):
            self.call("POST", "/course/stop")
        deadline = time.monotonic() + TIMEOUT
        while runtime.is_running(path) and time.monotonic() < deadline:
            time.sleep(0.02)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the server's control side; `path` begins with a slash, the answer is decoded JSON.

        Raises:
            CourseError: The server is gone, or refuses.
        """
        try:
            headers = {"authorization": f"Bearer {self._token}"}
            answer = self._http.request(method, self.url + path, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise CourseError(
                f"The course server does not answer ({type(error).__name__}).",
                fix="run the cell again: it is started anew.",
            ) from error
        if answer.is_success:
            return answer.json() if answer.content else None
        raise _refusal(answer)

    def _attach(self) -> None:
        """Make sure that the server runs and knows this scope."""
        with self._lock:
            found, health = find_or_start()
            if (found.url, found.token, found.started) == (self.url, self._token, self._started):
                return
            if self.url and found.url != self.url:
                warnings.warn(
                    "The course server has a new address: run the cells that made your models again.", stacklevel=4
                )
            self.url, self._token, self.backend = found.url, found.token, health["backend"]
            self.models = sizes(health["models"])
            self.call("POST", "/course/clients", {"pid": os.getpid()})
            made = self.call("POST", "/course/scopes", {"name": self.scope})
            self.base_url, self.key, self._bent_for = made["base_url"], made["key"], None
            self._started = found.started

    def _open_block(self, trace: Trace, wanted: dict[str, Any]) -> int:
        """Make the server behave as the block wants; gives the id of the last record before it."""
        with self._lock:
            if self._bent_for is None:
                after = self._conditions(wanted)
                self._bent_for = trace if wanted != NONE else None
                return after
            if wanted == NONE:
                return self._last_id()
        raise CourseError(
            "This record block is inside another one, and both set faults or a rate.",
            fix="combine the plans with either(…) in the outer block, or put the blocks one after the other.",
        )

    def _conditions(self, wanted: dict[str, Any]) -> int:
        return self.call("PUT", f"/course/scopes/{self.scope}/conditions", wanted)["after"]

    def _records(self, after: int) -> Trace:
        rows = self.call("GET", f"/course/scopes/{self.scope}/records?after={after}")
        return Trace([Record(**row) for row in rows])

    def _last_id(self) -> int:
        return max((record.id for record in self._records(0)), default=0)

    def _close_block(self, trace: Trace, after: int) -> None:
        """Fill the trace once its requests have ended, and let the server behave again."""
        with self._lock:
            if self._bent_for is trace:
                self._bent_for = None
                self._conditions(NONE)
        deadline = time.monotonic() + SETTLE
        trace.records = self._records(after).records
        while any(record.stop is None for record in trace.records) and time.monotonic() < deadline:
            time.sleep(0.02)
            trace.records = self._records(after).records

    def _announce_sleep(self, seconds: float) -> float:
        return self.call("POST", f"/course/scopes/{self.scope}/sleeps", {"seconds": seconds})["wait"]


def _refusal(answer: httpx.Response) -> CourseError:
    """What the server said, as an error of ours."""
    said = {}
    with suppress(json.JSONDecodeError):
        said = answer.json()
    fact = said.get("fact") or (said.get("error") or {}).get("message") or f"The server says {answer.status_code}."
    return CourseError(fact, said.get("fix") or "run the cell again; if it stays, `python3 -m course_utils doctor`.")

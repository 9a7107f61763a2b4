"""The connection between this process and the course server: find it, start it, say what a block of requests did.

Layer 2: imports `errors`, `faults`, `records`, `server.runtime` and `server.launcher`; never langchain. Safe to share
between threads. A child made by `os.fork` gets a scope of its own with its first `connect()`. Times are course seconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from course_utils.errors import CourseError
from course_utils.faults import PLAN, Plan
from course_utils.records import Record, Trace
from course_utils.server import runtime
from course_utils.server.launcher import find_or_start

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
        self._faulty = False  # True inside a record block with conditions
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
            CourseError: The block is inside another one that has faults or a rate, and has its own as well.
        """
        self._attach()
        sets = faults is not None or rate is not None
        if sets and self._faulty:
            raise CourseError(
                "This record block is inside another one, and both set faults or a rate.",
                fix="combine the plans with either(…) in the outer block, or put the blocks one after the other.",
            )
        after = self._last_id() if self._faulty else self._conditions(faults, rate)
        self._faulty, before = self._faulty or sets, self._faulty
        trace = Trace()
        try:
            yield trace
        except BaseException:
            with suppress(CourseError):  # what went wrong in the block matters more
                self._close_block(trace, after, before)
            raise
        self._close_block(trace, after, before)

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
            self.base_url, self.key, self._faulty = made["base_url"], made["key"], False
            self._started = found.started

    def _conditions(self, faults: Plan | None, rate: float | tuple[float, int] | None) -> int:
        limits = None if rate is None else _rate(rate)
        plan = None if faults is None else PLAN.dump_python(faults, mode="json")
        return self.call("PUT", f"/course/scopes/{self.scope}/conditions", {"plan": plan, "rate": limits})["after"]

    def _records(self, after: int) -> Trace:
        rows = self.call("GET", f"/course/scopes/{self.scope}/records?after={after}")
        return Trace([Record(**row) for row in rows])

    def _last_id(self) -> int:
        return max((record.id for record in self._records(0)), default=0)

    def _close_block(self, trace: Trace, after: int, before: bool) -> None:
        """Fill the trace once its requests have ended, and let the server behave again."""
        if self._faulty and not before:
            self._conditions(None, None)
        self._faulty = before
        deadline = time.monotonic() + SETTLE
        trace.records = self._records(after).records
        while any(record.stop is None for record in trace.records) and time.monotonic() < deadline:
            time.sleep(0.02)
            trace.records = self._records(after).records

    def _announce_sleep(self, seconds: float) -> float:
        return self.call("POST", f"/course/scopes/{self.scope}/sleeps", {"seconds": seconds})["wait"]


def sizes(models: list[Mapping[str, Any]]) -> dict[str, str]:
    """The model ids behind "small" and "large"; a server with a single model serves it under both names.

    >>> sizes([{"id": "smollm2", "size": "small"}])
    {'small': 'smollm2', 'large': 'smollm2'}
    """
    named = {model["size"]: model["id"] for model in models if model.get("size")}
    return dict.fromkeys(("small", "large"), models[0]["id"]) if len(models) == 1 else named


def _rate(rate: float | tuple[float, int]) -> dict[str, float]:
    per_second, burst = rate if isinstance(rate, tuple) else (rate, 1)
    return {"per_second": per_second, "burst": burst}


def _refusal(answer: httpx.Response) -> CourseError:
    """What the server said, as an error of ours."""
    try:
        said = answer.json()
    except json.JSONDecodeError:
        said = {}
    fact = (
        said.get("fact") or (said.get("error") or {}).get("message") or f"The course server says {answer.status_code}."
    )
    return CourseError(fact, said.get("fix") or "run the cell again; if it stays, `python3 -m course_utils doctor`.")

"""A rehearsal: a corner of the course server whose clock does not tick, but jumps to whatever happens next.

Layer 2: imports `conditions`, `connection`, `idleness`, `models`, `records` and `stage`; never langchain by itself.
While everybody waits, the clock moves to the next moment that somebody waits for, so an hour takes no hour, and what
depends on the clock (a rate limit, who ends before whom) comes out the same in every run, on every machine. Only waits
count: the time that the program itself needs does not. Times are course seconds. For asynchronous code of one event
loop. Who watches over the clock, and why, says `idleness`.
"""

from __future__ import annotations

import asyncio
import secrets
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from course_utils.conditions import conditions, misspelt
from course_utils.connection import Course, connect
from course_utils.errors import CourseError, ServiceError
from course_utils.faults import Plan
from course_utils.idleness import watch
from course_utils.models import client
from course_utils.records import Record, Trace
from course_utils.stage import Stage

GRACE = 1.0  # real seconds without a sign of life before the clock jumps unasked: for code that blocks its event loop
SETTLE = 2.0  # real seconds for the requests of a block to end that nobody waits for any more


class Rehearsal:
    """One corner with a clock of its own. Get it with `rehearsal(...)`; `trace` is filled when the block ends."""

    def __init__(self, course: Course, door: dict[str, str]) -> None:
        self.trace = Trace()
        self._is_over = False
        self._after = 0  # the last record before the block
        self._course = course
        self._door = door
        self._stage = Stage(f"{course.url}/course/scopes/{door['scope']}", door["key"])

    def __repr__(self) -> str:
        return f"<Rehearsal: {self.trace!r}>"

    def chat_model(self, model: str = "small", *, step: str = "", temperature: float = 0.0, **options: Any) -> Any:
        """The same as `course_utils.chat_model`, on this rehearsal's clock, limit and faults."""
        self._check()
        door = {"base_url": self._door["base_url"], "key": self._door["key"]}
        name = self._course.models.get(model, model)
        return client(**door, model=name, step=step, temperature=temperature, **options)

    async def asleep(self, seconds: float) -> None:
        """Wait on this rehearsal's clock; other tasks go on meanwhile."""
        self._check()
        try:
            await self._stage.asleep(seconds)
        except ServiceError as error:
            fact = f"{seconds!r} is no length of time that can be waited."
            raise CourseError(fact, fix="give seconds from 0 on.") from error

    def now(self) -> float:
        """Seconds on this rehearsal's clock: what you hand to code that takes a clock, such as a circuit breaker."""
        self._check()
        return self._stage.now()

    def _check(self) -> None:
        if self._is_over:
            fix = "use it inside its `with`; what happened there is in its `trace`."
            raise CourseError("This rehearsal is over: its clock and its corner of the server are gone.", fix=fix)

    def _begin(self, wanted: dict[str, Any]) -> None:
        self._after = self._course.call("PUT", f"/course/scopes/{self._door['scope']}/conditions", wanted)["after"]

    def _passed_by(self) -> str:
        """What to say when every request of the block went to the course's own clock instead; "" when all is well."""
        if self.trace or not any(record.id > self._after for record in self._course.records()):
            return ""
        return "No request came to this rehearsal, but some passed it by: make models with its own chat_model(…)."

    def _end(self) -> None:
        """Fill the trace once its requests have ended, and give the corner back."""
        self._is_over = True
        path = f"/course/scopes/{self._door['scope']}"
        deadline = time.monotonic() + SETTLE
        while True:
            rows = self._course.call("GET", f"{path}/records")
            self.trace.records = tuple(Record(**row) for row in rows)
            if all(record.stop is not None for record in self.trace) or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        self._course.call("DELETE", path)


@contextmanager
def rehearsal(faults: Plan | None = None, rate: float | tuple[float, int] | None = None) -> Iterator[Rehearsal]:
    """A corner of its own for the block, with these faults and this limit; its clock jumps.

    Args:
        faults: How the server misbehaves, from `course_utils.faults`.
        rate: The server's limit: requests per second, or (requests per second, burst), on the clock that jumps.

    Raises:
        CourseError: `faults` is no plan, `rate` no rate, or the server cannot be reached.
    """
    wanted = conditions(faults, rate)
    course = connect()
    asked = {"name": f"rehearsal-{secrets.token_hex(5)}", "virtual": True, "grace": GRACE}
    made = Rehearsal(course, course.call("POST", "/course/scopes", asked))
    made._begin(wanted)
    watcher = None
    with suppress(RuntimeError):  # no event loop: a script that calls synchronously lives with the grace
        watcher = asyncio.get_running_loop().create_task(watch(made._stage.jump))
    try:
        yield made
    finally:
        if watcher:
            watcher.cancel()
        with suppress(CourseError):  # what went wrong in the block matters more
            made._end()
    if words := made._passed_by() or misspelt(faults, {record.step for record in made.trace}):
        warnings.warn(words, stacklevel=3)  # the line that opened the block

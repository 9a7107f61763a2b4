"""Course clocks: seconds since a scope of the course server began, real or simulated.

Layer 0: imports nothing from this package. Both clocks belong to one asyncio event loop; `now()` and
`stopwatch()` may be read from any thread.

`RealClock` runs `speed` times as fast as a stopwatch, and a wait of x course seconds takes x/speed real ones.

`VirtualClock` moves only when everybody waits. While a request is being worked on it stands still. Once all
that is open waits, and nothing new came for `grace` real seconds, it jumps to the earliest moment somebody waits
for, and everybody who waits for that moment goes on. So three waits of 2 s that began together end together at 2 s,
a nap of 0.1 s ends before an answer that takes 5 s, and none of it takes longer than the grace.
Its limit: two calls count as made together only when the second arrives within `grace` of the first one's
last sign of life. A caller that needs longer than that between two calls finds the clock moved on.
A caller that knows when it is idle need not rely on the grace: it asks for the `jump` itself.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

Wait = Callable[[float], Awaitable[None]]  # waits that many course seconds more


class Clock(Protocol):
    """What the server asks of a clock. Times are seconds since the clock was made."""

    virtual: bool

    def now(self) -> float:
        """Course seconds."""
        ...

    def stopwatch(self) -> float:
        """Real seconds."""
        ...

    def real(self, seconds: float) -> float:
        """The real seconds that a wait of so many course seconds takes the caller; 0 when the clock is virtual."""
        ...

    @contextmanager
    def serving(self) -> Iterator[Wait]:
        """While one request is served: yields the function by which it waits."""
        ...


class RealClock:
    """A stopwatch that runs `speed` times as fast."""

    virtual = False

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._began = time.monotonic()

    def now(self) -> float:
        return self.stopwatch() * self.speed

    def stopwatch(self) -> float:
        return time.monotonic() - self._began

    def real(self, seconds: float) -> float:
        return seconds / self.speed

    @contextmanager
    def serving(self) -> Iterator[Wait]:
        """Waits are counted from the request's arrival, so that many tiny ones add up exactly."""
        due = time.monotonic()

        async def wait(seconds: float) -> None:
            nonlocal due
            due += seconds / self.speed
            delay = due - time.monotonic()
            if delay > 0.0005:  # event loops round up to a millisecond; a shorter rest is owed to the next wait
                await asyncio.sleep(delay)

        yield wait


class VirtualClock:
    """A clock that jumps from one awaited moment to the next; see the module's docstring.

    Args:
        grace: Real seconds without anything new before the clock jumps.
    """

    virtual = True

    def __init__(self, grace: float = 0.005) -> None:
        self.grace = grace
        self._began = time.monotonic()
        self._now = 0.0
        self._served = 0  # requests open
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []  # a heap: moment, order of asking, who
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self.changes = 0  # how often anything happened: a request came or went, somebody began to wait, time moved

    def now(self) -> float:
        return self._now

    def stopwatch(self) -> float:
        return time.monotonic() - self._began

    def real(self, seconds: float) -> float:
        return 0.0

    @contextmanager
    def serving(self) -> Iterator[Wait]:
        self._served += 1
        self._settle()
        try:
            yield self._wait
        finally:
            self._served -= 1
            self._settle()

    async def _wait(self, seconds: float) -> None:
        if seconds <= 0:
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (self._now + seconds, next(self._order), future))
        self._settle()
        await future

    def _settle(self) -> None:
        """Something happened: the clock may jump once it has been quiet for the grace."""
        self.changes += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            self._timer = asyncio.get_running_loop().call_later(self.grace, self._jump)

    def jump(self, seen: int) -> int:
        """Jump now, unless anything happened since there were `seen` changes; gives the number of changes."""
        if self.changes == seen and self._timer is not None:
            self._timer.cancel()
            self._jump()
        return self.changes

    def _jump(self) -> None:
        self._timer = None
        self._waiting = [entry for entry in self._waiting if not entry[2].done()]  # those who left wait no more
        if not self._waiting or len(self._waiting) < self._served:
            return  # somebody is at work; whatever they do next settles again
        self.changes += 1
        heapq.heapify(self._waiting)
        self._now = self._waiting[0][0]
        while self._waiting and self._waiting[0][0] <= self._now:
            heapq.heappop(self._waiting)[2].set_result(None)

"""Scopes: isolated corners of the server, each with its own backend, faults, rate limit, course clock and counts.

Layer 1: imports `clock`, `effects`, `errors`, `faults`, `limits` and `wire`. Everything here belongs to the server's
event loop.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from collections import Counter
from typing import NamedTuple

from course_utils.clock import Clock, RealClock, VirtualClock
from course_utils.errors import CourseError
from course_utils.faults import Arrival, Fault, Plan

from .effects import Effects
from .limits import Bucket, Rate
from .wire import Backend

MAIN = "main"  # the scope of /v1 without a scope; it is always there
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")
TURNS = 20  # of the event loop: from a request's first byte to its being counted, with room to spare
MOST_SLEEPS = 10_000  # kept for each scope; the oldest are forgotten


class Sleep(NamedTuple):
    at: float  # course seconds, when it began
    seconds: float  # course seconds


class Scope:
    """One corner. `plan` and `rate` are its conditions; setting them counts its requests from 1 again."""

    def __init__(self, name: str, key: str, backend: Backend, clock: Clock, since: int) -> None:
        self.name = name
        self.key = key
        self.backend = backend
        self.clock = clock
        self.since = since  # the log's last id when the scope began: an earlier scope may have had the same name
        self.sleeps: list[Sleep] = []
        self.effects = Effects()
        self.open = 0  # requests that have arrived and not ended
        self.answers = 0  # requests so far; numbers the ids of the answers
        self.used = 0  # the registry's count when it was last used
        self.plan: Plan | None = None
        self.bucket: Bucket | None = None
        self._counts: Counter[tuple[str, str]] = Counter()
        self._set_at = 0.0  # course seconds

    def set_conditions(self, plan: Plan | None, rate: Rate | None) -> None:
        """Behave like this from now on; a new rate limit begins with a full bucket."""
        self.plan = plan
        self.bucket = Bucket(rate, self.clock.now()) if rate else None
        self._counts.clear()
        self._set_at = self.clock.now()

    def arrival(self, step: str, model: str) -> Arrival:
        """Count one request, and say which one it is."""
        keys = (("all", ""), ("step", step), ("model", model))
        self._counts.update(keys)
        number, of_step, of_model = (self._counts[key] for key in keys)
        return Arrival(number, step, of_step, model, of_model, self.clock.now() - self._set_at)

    def fault(self, arrival: Arrival) -> Fault | None:
        """What the plan has for this request."""
        return self.plan.strikes(arrival) if self.plan else None

    async def sleep(self, seconds: float) -> float:
        """Record that the caller sleeps; the real seconds that it still has to sleep itself."""
        self.sleeps.append(Sleep(self.clock.now(), seconds))
        del self.sleeps[:-MOST_SLEEPS]
        if self.clock.virtual:
            with self.clock.serving() as wait:
                await wait(seconds)
        return self.clock.real(seconds)

    async def jump(self, seen: int) -> int:
        """Let a virtual clock jump unless more than `seen` changes happened; gives their number (0 if it is real)."""
        for _ in range(TURNS):  # whatever has reached our sockets by now is heard first
            await asyncio.sleep(0)
        return self.clock.jump(seen) if isinstance(self.clock, VirtualClock) else 0


class Scopes:
    """All scopes of one server.

    Args:
        token: The owner's secret; the scopes' keys are made from it.
        speed: How many course seconds pass in a real one.
        most: So many scopes at once; beyond it the one idle longest is closed (its records stay in the log).
    """

    def __init__(self, token: str, backend: Backend, speed: float = 1.0, most: int = 1000) -> None:
        self._token = token
        self._backend = backend
        self._speed = speed
        self._most = most
        self._scopes: dict[str, Scope] = {}
        self._uses = 0
        self.last_id = lambda: 0  # the log's; set by the app
        self.create(MAIN)

    def create(
        self,
        name: str | None = None,
        *,
        backend: Backend | None = None,
        plan: Plan | None = None,
        rate: Rate | dict[str, float] | None = None,
        virtual: bool = False,
        grace: float = 0.005,
    ) -> Scope:
        """A new scope; with no name it gets a random one.

        Args:
            backend: Who answers; the server's own backend when None.
            virtual: True for a course clock that nobody waits for.
            grace: For a virtual clock: real seconds of quiet before it moves; see `course_utils.clock`.

        Raises:
            CourseError: The name is taken or not usable in an address, or every scope is busy.
        """
        name = name if name is not None else secrets.token_hex(6)
        if not NAME.fullmatch(name):
            raise CourseError(f"{name!r} cannot name a scope.", fix="use up to 64 letters, digits, - and _.")
        if name in self._scopes:
            raise CourseError(f"There is a scope {name!r} already.", fix="choose another name, or close that one.")
        self._make_room()
        clock: Clock = VirtualClock(grace) if virtual else RealClock(self._speed)
        scope = Scope(name, self.key(name), backend or self._backend, clock, self.last_id())
        scope.set_conditions(plan, Rate.model_validate(rate) if rate is not None else None)
        self._scopes[name] = scope
        return self._touch(scope)

    def get(self, name: str) -> Scope | None:
        """The scope of this name, if it is there."""
        scope = self._scopes.get(name)
        return self._touch(scope) if scope else None

    def close(self, name: str) -> bool:
        """Forget the scope; True when there was one. Its open requests come to their end, its records stay."""
        return name != MAIN and self._scopes.pop(name, None) is not None

    def key(self, scope: Scope | str) -> str:
        """The secret that opens this scope (or the one of this name) and nothing else."""
        name = scope.name if isinstance(scope, Scope) else scope
        return hmac.new(self._token.encode(), name.encode(), hashlib.sha256).hexdigest()[:32]

    def __len__(self) -> int:
        return len(self._scopes)

    def _touch(self, scope: Scope) -> Scope:
        self._uses += 1
        scope.used = self._uses
        return scope

    def _make_room(self) -> None:
        if len(self._scopes) < self._most:
            return
        idle = [scope for scope in self._scopes.values() if not scope.open and scope.name != MAIN]
        if not idle:
            raise CourseError(
                f"All {self._most} scopes are busy.", fix="wait until a check has ended, then run this again."
            )
        self.close(min(idle, key=lambda scope: scope.used).name)

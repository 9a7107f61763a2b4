"""A queue of items, a provider's plan, and how long its calls take: what a good pace makes of it.

Layer 2: imports `little`, `scripts`, `records` and `server.wire`. Times are course seconds.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass

from course_utils.records import count
from course_utils.server.wire import ChatRequest, Piece
from course_utils.tasks.little import workers_needed
from course_utils.tasks.scripts import STRAY, key_in, said

TOO_SLOW = 1.25  # times what the plan needs
SLOW = 4.0  # seconds of a call in a slow spell


@dataclass(frozen=True, slots=True)
class Desk:
    """Items, a plan, and how long the calls take: in turn a little more and a little less, but in a slow spell."""

    items: tuple[str, ...]
    per_minute: int
    seconds: float  # of a call, on average
    slow_from: int = 0  # the number of the first slow call; as many as there are workers are slow. 0 for none

    @property
    def workers(self) -> int:
        return workers_needed(self.per_minute, self.seconds)

    def wait(self, number: int) -> float:
        """The seconds of call `number` (from 1)."""
        if self.slow_from and 0 <= number - self.slow_from < self.workers:
            return SLOW
        if self.slow_from and number >= self.slow_from:
            return self.seconds / 4  # after a slow spell the provider is at its best
        return self.seconds * (1.5 if number % 2 else 0.5)

    @property
    def latest(self) -> float:
        """When the last call may begin: with a quarter more than a pace and this many workers need."""
        free, turn, begin, gap = [0.0] * self.workers, 0.0, 0.0, 60 / self.per_minute
        for number in range(1, len(self.items) + 1):
            begin = max(turn, heapq.heappop(free))
            turn = begin + gap
            heapq.heappush(free, begin + self.wait(number))
        return TOO_SLOW * (begin + gap)

    @property
    def given(self) -> str:
        plan = f"per_minute={self.per_minute}, which is {self.per_minute / 60:g} per second; seconds={self.seconds:g}"
        last = self.slow_from + self.workers - 1
        spell = f"; calls {self.slow_from} to {last} take {SLOW:g} s, the ones after them {self.wait(last + 1):.3g} s"
        return f"{count(len(self.items), 'item')}; {plan}{spell if self.slow_from else ''}"


@dataclass(frozen=True)
class Answers:
    """Answers by the item in the prompt, after the wait that belongs to their number."""

    replies: Mapping[str, str]
    desk: Desk

    def __call__(self, request: ChatRequest, number: int) -> list[Piece]:
        return said(self.replies.get(key_in(request, self.replies), STRAY), self.desk.wait(number))

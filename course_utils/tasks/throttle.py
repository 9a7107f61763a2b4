"""Exercise 4, "Stay under the speed limit", third task: all items at the plan's pace, with just enough workers.

Layer 2: imports `expect`, `little`, `overlap`, `parallel`, `scripts`, `starts`, `texts`, `records` and `server`. Times
are course seconds, on a clock that jumps, and so exact. The scene's limit is a real bucket.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from course_utils.records import count
from course_utils.server.cases import Case, Finding, Scene, Seen, Task
from course_utils.server.wire import ChatRequest, Piece
from course_utils.tasks import expect
from course_utils.tasks.little import workers_needed
from course_utils.tasks.overlap import asked_for, each_once, items, key_of
from course_utils.tasks.parallel import values
from course_utils.tasks.scripts import STRAY, prompt_of, said
from course_utils.tasks.starts import PAUSES, SLACK, listed, per_second, refused, starts, together
from course_utils.tasks.texts import words

DOOR = (
    "that a semaphore is a rate limiter; it bounds what is open, not how many start (and the library bounds neither)."
)
CLOCK = "wait through `asleep`. A semaphore knows no clock; `asyncio.sleep` and `InMemoryRateLimiter` know another."
AFTERWARDS = "that a refusal costs nothing; providers count refused requests, too."
TURN = "that a turn keeps; whoever waits after its turn has come starts together with others."
OPEN = "that a pace bounds what is open; it asks nobody whether the earlier calls are done."
SINGLE_FILE = "that a pace needs single file; starts keep their distance, calls may overlap."
GRACE = 1.0  # real seconds; a safety net: the driver watches over the clock
TOO_SLOW = 1.25  # times what the plan needs
SLOW = 4.0  # seconds of a call in a slow spell
BURST = 2  # of the provider's bucket


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
        text = next((reply for key, reply in self.replies.items() if key in prompt_of(request)), STRAY)
        return said(text, self.desk.wait(number))


def throttle(rng: Random) -> list[Case]:
    return [
        desk_case("12 items, 480 per minute", rng, 12, 480, 0.6),
        desk_case("6 items, 120 per minute", rng, 6, 120, 1.6),
        desk_case("a slow spell", rng, 14, 480, 0.4, slow_from=1),
        desk_case("20 items, 600 per minute", rng, 20, 600, rng.choice([0.45, 0.55]), held_back=True),
        desk_case("a slow spell later on", rng, 18, 240, 0.9, slow_from=4, held_back=True),
        desk_case("60 per minute", rng, 9, 60, 3.5, held_back=True),
        desk_case("nothing to do", rng, 0, 480, 0.6, held_back=True),
    ]


def desk_case(
    name: str,
    rng: Random,
    number: int,
    per_minute: int,
    seconds: float,
    *,
    slow_from: int = 0,
    burst: int = BURST,
    held_back: bool = False,
) -> Case:
    wanted, replies = items(rng, number), [words(rng, 6) for _ in range(number)]
    desk = Desk(tuple(wanted), per_minute, seconds, slow_from)
    script = Answers(dict(zip(map(key_of, wanted), replies, strict=True)), desk)
    scene = Scene(latency=0, grace=GRACE, most=200, rate=(per_minute / 60, burst))
    inputs = {"items": wanted, "per_minute": per_minute, "seconds": seconds}
    judge = partial(judge_throttle, desk=desk, replies=replies, burst=burst)
    return Case(name, inputs, script, judge, held_back, scene)


@expect.in_order
def judge_throttle(seen: Seen, *, desk: Desk, replies: Sequence[str], burst: int) -> Iterator[Finding | None]:
    if refused(seen):
        yield too_fast(seen, desk, burst)
    yield expect.crashed(seen, given=desk.given, needs="the texts of all answers")
    yield each_once(seen, desk.items, given=desk.given)
    if (peak := seen.trace.peak) > desk.workers:
        what, needs = f"{peak} requests open at once", f"never more than workers_needed gives: {desk.workers}"
        yield Finding(desk.given, what, needs, "when calls get slow, only a door keeps their number down.", OPEN)
    yield too_slow(seen, desk)
    yield values(seen, replies, given=desk.given)


def too_fast(seen: Seen, desk: Desk, burst: int) -> Finding:
    """Why requests were refused, as far as their starts show it."""
    moments, rate = starts(seen.trace), desk.per_minute / 60
    crowd = together(moments)
    what = f"{len(refused(seen))} of {len(moments)} requests refused (429): starts at {listed(moments)}"
    needs = f"no refusal: starts {1 / rate:.3g} s apart (the bucket holds {burst})"
    if any(len(asked_for(seen, item)) > 1 for item in desk.items):
        fix = "a retry mends what has gone wrong already; let each item start at a moment at which it is let in."
        return Finding(desk.given, what, needs, fix, AFTERWARDS)
    if not seen.sleeps:
        return Finding(desk.given, f"{what}, and no wait on the course clock", needs, CLOCK, DOOR)
    is_spell = desk.slow_from and refused(seen)[0].course_start >= SLOW - SLACK
    if is_spell and seen.trace.peak <= desk.workers + burst:
        fix = "take your turn last, right before the call: first a free worker, and then the turn."
        return Finding(desk.given, f"{what}; the first refusal came after the slow spell", needs, fix, TURN)
    if crowd > burst:
        fix = "who sees to it that one start waits for the other? One pace, made once, shared by all."
        return Finding(desk.given, f"{what}; {crowd} of them at the same moment", needs, fix, PAUSES)
    what = f"{what}; {per_second(moments):.3g} per second"
    return Finding(desk.given, what, needs, "a gap is `60 / per_minute` seconds, and all share one pace.")


def too_slow(seen: Seen, desk: Desk) -> Finding | None:
    """A finding when the last call began later than the plan allows for."""
    moments = starts(seen.trace)
    if not moments or moments[-1] <= desk.latest + SLACK:
        return None
    what = f"the last request began at {moments[-1]:.3g} s: {per_second(moments):.3g} starts per second"
    needs = f"the last start by {desk.latest:.3g} s"
    if not seen.sleeps:
        what += ", and no wait on the course clock"
        return Finding(desk.given, what, needs, CLOCK)
    if seen.trace.peak <= 1 < desk.workers:
        what += "; each call waited for the one before"
        return Finding(desk.given, what, needs, "let a call begin while earlier ones are open.", SINGLE_FILE)
    fix = "is the gap `60 / per_minute`, is it waited for once per start, and are there `workers_needed` workers?"
    return Finding(desk.given, what, needs, fix)


TASK = Task(
    "limits.throttled",
    "Stay under the speed limit",
    3,
    throttle,
    (
        "Two bounds: how many *start* per second, and how many are *open*. Which object of lesson 4 is for which? Make "
        "each of them once, and let all items share it.",
        "A `Pace` of `per_minute / 60` per second, and a semaphore of `workers_needed(per_minute, seconds)`. Whoever "
        "has had its turn must begin at once, so which of the two comes first?",
        "For each item `async with door:`, inside it `await pace.turn()` and then `(await llm.ainvoke(item)).text`; "
        "`asyncio.gather` over all items keeps their order.",
    ),
    tools={"now": "now", "asleep": "asleep", "jump": "jump"},
    driver="on the course clock",
)

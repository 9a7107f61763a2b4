"""Exercise 4, "Stay under the speed limit", third task: all items at the plan's pace, with only so many open.

Layer 2: imports `expect`, `overlap`, `parallel`, `plans`, `starts`, `texts`, `records` and `server.cases`. Times are
course seconds, on a clock that jumps, and so exact. The scene's limit is a real bucket.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from random import Random

from course_utils.records import count
from course_utils.server.cases import Case, Finding, Scene, Seen, Task
from course_utils.tasks import expect
from course_utils.tasks.overlap import asked_for, each_once, items, key_of
from course_utils.tasks.parallel import values
from course_utils.tasks.plans import SLOW, Answers, Desk
from course_utils.tasks.starts import PAUSES, SLACK, listed, per_second, refused, starts, together
from course_utils.tasks.texts import words

DOOR = (
    "that a semaphore is a rate limiter; it bounds what is open, not how many start (and the library bounds neither)."
)
CLOCK = "wait through `asleep`. A semaphore knows no clock; `asyncio.sleep` and `InMemoryRateLimiter` know another."
THREE = (  # all of these look alike from outside
    "three things to look at. `await pace.turn()`: without `await` nothing waits. A pace or a door made for each "
    f"item is a pace of its own: make it once, outside. And {CLOCK}"
)
ALONE = (
    "let a call begin while earlier ones are open. `llm.invoke` blocks everybody; `await llm.ainvoke(…)`, and `gather` "
    f"around all. If you do that already: {CLOCK}"
)
AFTERWARDS = "that a refusal costs nothing; providers count refused requests, too."
TURN = "that a turn keeps; whoever waits after its turn has come starts together with others."
OPEN = "that a pace bounds what is open; it asks nobody whether the earlier calls are done."
SINGLE_FILE = "that a pace needs single file; starts keep their distance, calls may overlap."
GRACE = 60.0  # real seconds, which nobody waits: the driver watches over the clock
BURST = 2  # of the provider's bucket


def throttle(rng: Random) -> list[Case]:
    return [
        desk_case("12 items at 480 per minute", rng, 12, 480, 0.6),
        desk_case("6 items at 120 per minute", rng, 6, 120, 1.6),
        desk_case("a slow spell", rng, 14, 480, 0.4, slow_from=1),
        desk_case("40 items at 480 per minute", rng, 40, 480, 0.6),
        desk_case("no items", rng, 0, 480, 0.6),
        desk_case("20 items at 600 per minute", rng, 20, 600, rng.choice([0.45, 0.55]), held_back=True),
        desk_case("a slow spell later on", rng, 18, 240, 0.9, slow_from=4, held_back=True),
        desk_case("60 per minute", rng, 9, 60, 3.5, held_back=True),
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
    yield unawaited(seen, desk)
    yield no_items(seen, desk)
    if refused(seen):
        yield too_fast(seen, desk, burst)
    yield expect.crashed(seen, given=desk.given, needs="the texts of all answers")
    yield each_once(seen, desk.items, given=desk.given)
    if (peak := seen.trace.peak) > desk.workers:
        what, needs = f"{peak} requests open at once", f"never more than workers_needed gives: {desk.workers}"
        yield Finding(desk.given, what, needs, "when calls get slow, only a door keeps their number down.", OPEN)
    yield too_slow(seen, desk)
    yield values(seen, replies, given=desk.given)


def unawaited(seen: Seen, desk: Desk) -> Finding | None:
    """A finding when what came back was still to be waited for."""
    kind = seen.returned.get("$object", "") if isinstance(seen.returned, dict) else ""
    if not kind.endswith(("Future", "Task")):
        return None
    what = f"{count(len(seen.trace), 'request')}; your function returned a future that nobody awaited"
    return Finding(desk.given, what, "a list with the text of each answer", "`return await asyncio.gather(…)`.")


def no_items(seen: Seen, desk: Desk) -> Finding | None:
    if desk.items or (seen.returned == [] and not seen.raised and not len(seen.trace)):
        return None
    what = f"{count(len(seen.trace), 'request')}, then {seen.outcome}"
    return Finding(desk.given, what, "no request, and []", "an empty list has no first item, and needs no turn.")


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
        return Finding(desk.given, f"{what}, and no wait on the course clock", needs, THREE, DOOR)
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
    if seen.trace.peak <= 1 < desk.workers:
        what += "; each call waited for the one before"
        if not seen.sleeps:
            return Finding(desk.given, f"{what}, with no wait on the course clock", needs, ALONE)
        fix = "let a call begin while earlier ones are open. `llm.invoke` blocks everybody; `await llm.ainvoke(…)`."
        return Finding(desk.given, what, needs, fix, SINGLE_FILE)
    if not seen.sleeps:
        return Finding(desk.given, f"{what}, and no wait on the course clock", needs, CLOCK)
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

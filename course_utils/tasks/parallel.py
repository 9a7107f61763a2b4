"""Exercise 3, "Fan out", first half: side by side, and a bound that bounded nothing.

Layer 2: imports `expect`, `overlap`, `scripts`, `texts` and `server.cases`. Every item carries a nonce, so that
each request can be told from the others in whatever order they come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from random import Random

from course_utils.server.cases import Case, Finding, Scene, Seen, Task
from course_utils.tasks import expect
from course_utils.tasks.overlap import asked_for, each_once, items, key_of, side_by_side
from course_utils.tasks.scripts import ByKey
from course_utils.tasks.texts import words

PER_TASK = "that any semaphore bounds; only one that all tasks share does."
BARRIER = "that groups of `limit` use the slots well: each group waits for its slowest."
ARRIVAL = "that results come in the order in which they were started."
QUIET = 0.06  # real seconds without anything new before the clock jumps


def values(seen: Seen, wanted: Sequence[str], *, given: str, noun: str = "item") -> Finding | None:
    """A finding unless the texts came back in the order of the items."""
    needs = f"a list with the text of each answer, in the order of the {noun}s"
    if seen.returned == list(wanted):
        return None
    if isinstance(seen.returned, list) and any(isinstance(each, dict) for each in seen.returned):
        return Finding(given, "the list holds objects that are no texts", needs, "take `.text` of each answer.")
    if isinstance(seen.returned, list) and sorted(map(str, seen.returned)) == sorted(wanted):
        fix = "let each result keep its place: `gather` and `abatch` do, `as_completed` does not."
        return Finding(given, f"all answers, in another order than the {noun}s", needs, fix, ARRIVAL)
    return Finding(given, f"your function gave {seen.outcome}", needs, f"return one text for each {noun}.")


# --- parallel.at_once --------------------------------------------------------------------------------------------


def at_once(rng: Random) -> list[Case]:
    return [at_once_case(f"{number} questions", rng, number) for number in (3, 5)] + [
        at_once_case("12 questions", rng, 12, held_back=True)
    ]


def at_once_case(name: str, rng: Random, number: int, *, held_back: bool = False) -> Case:
    wanted, replies = items(rng, number), [words(rng, 6) for _ in range(number)]
    script, waits = replied(rng, wanted, replies)
    judge = partial(judge_at_once, wanted=wanted, replies=replies)
    scene = Scene(together=number, grace=QUIET)
    return Case(name, {"questions": wanted}, ByKey(script, waits), judge, held_back, scene)


def replied(rng: Random, wanted: Sequence[str], replies: Sequence[str]) -> tuple[dict[str, str], dict[str, float]]:
    """The script's table, and waits of which the first item's is the longest."""
    waits = sorted((rng.uniform(0, 3) for _ in wanted), reverse=True)
    keys = [key_of(item) for item in wanted]
    return dict(zip(keys, replies, strict=True)), dict(zip(keys, waits, strict=True))


@expect.in_order
def judge_at_once(seen: Seen, *, wanted: list[str], replies: list[str]) -> Iterator[Finding | None]:
    given = f"{len(wanted)} questions; the first one takes longest"
    yield expect.crashed(seen, given=given, needs="the texts of all answers")
    yield each_once(seen, wanted, given=given, noun="question")
    yield side_by_side(seen, len(wanted), given=given, needs=f"all {len(wanted)} open at once")
    yield values(seen, replies, given=given, noun="question")


# --- parallel.bounded --------------------------------------------------------------------------------------------


def bounded(rng: Random) -> list[Case]:
    return [
        bounded_case("7 items, at most 3 at once", rng, 7, 3),
        bounded_case("2 items, at most 5 at once", rng, 2, 5),
        bounded_case("4 items, one at a time", rng, 4, 1),
        bounded_case("a free slot", rng, 6, 2, hold=True),
        bounded_case("no items", rng, 0, 4, held_back=True),
        bounded_case("20 items, at most 4 at once", rng, 20, 4, held_back=True),
        bounded_case("a free slot among 4", rng, 10, 4, hold=True, held_back=True),
    ]


def bounded_case(
    name: str, rng: Random, number: int, limit: int, *, hold: bool = False, held_back: bool = False
) -> Case:
    """With `hold`, the first answer is held until an item is asked for that groups of `limit` would ask for later."""
    wanted, replies = items(rng, number), [words(rng, 6) for _ in range(number)]
    table, waits = replied(rng, wanted, replies)
    script, scene = ByKey(table, waits), Scene(together=max(1, min(number, limit)), grace=QUIET)
    if hold:  # no wait on the clock, which stands still while an answer is held
        script, scene = ByKey(table, hold={key_of(wanted[0]): [key_of(wanted[limit])]}), Scene(latency=0)
    judge = partial(judge_bounded, wanted=wanted, replies=replies, limit=limit, hold=hold)
    return Case(name, {"items": wanted, "limit": limit}, script, judge, held_back, scene)


@expect.in_order
def judge_bounded(
    seen: Seen, *, wanted: list[str], replies: list[str], limit: int, hold: bool
) -> Iterator[Finding | None]:
    given = f"{len(wanted)} items, limit {limit}"
    yield expect.crashed(seen, given=given, needs="the texts of all answers")
    yield each_once(seen, wanted, given=given)
    if (peak := seen.trace.peak) > limit:
        fix = "how many semaphores does your program make: one, or one for each task?"
        yield Finding(given, f"{peak} requests open at once", f"never more than {limit}", fix, PER_TASK)
    least = min(limit, len(wanted))
    if not hold and least > 1:
        yield side_by_side(seen, least, given=given, needs=f"{least} open at once")
    if hold:
        yield slot_used(seen, wanted, limit)
    yield values(seen, replies, given=given)


def slot_used(seen: Seen, wanted: list[str], limit: int) -> Finding | None:
    """A finding when item `limit` + 1 waited for the first one, which was slow, although another slot was free."""
    slow, later = asked_for(seen, wanted[0])[0], asked_for(seen, wanted[limit])[0]
    if slow.stop is None or later.start < slow.stop:
        return None
    given = f"{len(wanted)} items, limit {limit}; the first answer takes very long"
    if seen.trace.peak <= 1:
        return side_by_side(seen, limit, given=given, needs=f"{limit} open at once")
    what = f"item {limit + 1} began only when the slow first one had ended, although a slot was free before"
    fix = "let each task wait for a slot of its own instead of waiting for a whole group."
    return Finding(given, what, "a free slot to be used at once", fix, BARRIER)


TASKS = (
    Task(
        "parallel.at_once",
        "All at once",
        1,
        at_once,
        (
            "A coroutine that you await is over before the next one begins. Who could await them all together?",
            "`asyncio.gather` takes many coroutines and gives their results in the order of its arguments.",
            "`answers = await asyncio.gather(*(llm.ainvoke(question) for question in questions))`, then the `.text` "
            "of each.",
        ),
    ),
    Task(
        "parallel.bounded",
        "Find the bug: the bound that bounded nothing",
        2,
        bounded,
        (
            "What object lets only so many through a door at a time, and how many doors does the buggy program have?",
            "A semaphore made inside the task belongs to that task alone. Make one, outside, that all tasks share.",
            "`door = asyncio.Semaphore(limit)` before the tasks; inside each `async with door:` around the `ainvoke`; "
            "`gather` keeps the order.",
        ),
    ),
)

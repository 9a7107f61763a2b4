"""Exercise 4, "Stay under the speed limit", stretch: a second request to another model when the first one is slow.

Layer 2: imports `cascade`, `expect`, `races`, `scripts`, `starts`, `texts`, `troubles`, `faults`, `records` and
`server`. Times are course seconds, on a clock that jumps, and so exact. The driver naps for `LINGER` seconds once the
answer is there: that nap shows when it came back, and a request that ends during it was not let go.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random

from course_utils import faults
from course_utils.records import CLIENT_LEFT, Record, count
from course_utils.server.cases import Case, Finding, Scene, Seen, Task
from course_utils.server.wire import ApiError, ChatRequest, Piece
from course_utils.tasks import expect
from course_utils.tasks.cascade import size_of
from course_utils.tasks.races import LINGER, Race, Runner, came_back, has_slept
from course_utils.tasks.scripts import said
from course_utils.tasks.starts import SLACK
from course_utils.tasks.texts import nonce, words
from course_utils.tasks.troubles import trouble

GRACE = 60.0  # real seconds, which nobody waits: the driver watches over the clock
LATE = 1.25  # times the moment at which the second request is due
SIZES = {"primary": "large", "backup": "small"}
ALWAYS = "that the second request costs nothing; a hedge pays for it only when the first one is slow."
LOST = "that a slow request is a lost one; it may still be the first to answer."
DONE = "that whoever is done first has won; an error is no answer."
PAID = "that a request nobody waits for is over; it runs on and is paid for until you cancel it."
REAL = (
    "let a task with `asleep(delay)` race with the first one; `wait_for(…, delay)` and `wait(…, timeout=delay)` count "
    "real seconds."
)


def hedged(rng: Random) -> list[Case]:
    def well(after: float) -> Runner:
        return Runner(after, words(rng, 8))

    def breaks(after: float) -> Runner:
        return Runner(after)

    down = Runner(0.0, refused=trouble(503))
    return [
        race("a quick one", rng, well(0.5), well(0.5)),
        race("a slow one", rng, well(12), well(1)),
        race("slow but still the first", rng, well(2.75), well(3)),
        race("an error at once", rng, down, well(1)),
        race("an error after the hedge began", rng, breaks(2.5), well(3)),
        race("an error of the backup", rng, well(6), down),
        race("neither of them answers", rng, breaks(5), breaks(1)),
        race("an error just before the delay", rng, breaks(4), well(2), delay=5, held_back=True),
        race("a slow one whose hedge breaks off", rng, well(20), breaks(3), delay=1, held_back=True),
        race("another slow one", rng, well(9), well(5), delay=rng.choice([1.5, 3.0]), held_back=True),
    ]


def race(
    name: str, rng: Random, primary: Runner, backup: Runner, *, delay: float = 2.0, held_back: bool = False
) -> Case:
    made, prompt = Race(delay, primary, backup), f"Summarise ticket {nonce(rng)} in one sentence."
    runners = {SIZES["primary"]: primary, SIZES["backup"]: backup}
    silent = {size: each for size, each in runners.items() if not each.text and not each.refused}

    def script(request: ChatRequest, number: int) -> list[Piece] | ApiError:
        runner = runners[size_of(request.model)]
        return runner.refused or said(runner.text, runner.after)

    plans = [broken_off(size, each.after) for size, each in silent.items()]
    scene = Scene(latency=0, grace=GRACE, plan=faults.either(*plans) if plans else None)
    judge = partial(judge_hedged, race=made, prompt=prompt)
    return Case(name, {"prompt": prompt, "delay": delay, "linger": LINGER}, script, judge, held_back, scene)


def broken_off(size: str, after: float) -> faults.Plan:
    """Every request to this model ends without an answer."""
    always = faults.every(1, faults.timeout(after))
    return faults.either(faults.on_model(size, always), faults.on_model(f"practice-{size}", always))


@expect.in_order
def judge_hedged(seen: Seen, *, race: Race, prompt: str) -> Iterator[Finding | None]:
    if seen.raised == "TypeError":
        yield expect.crashed(seen, given=race.given, needs="an answer")
    asked = {name: [each for each in seen.trace if size_of(each.model) == size] for name, size in SIZES.items()}
    yield first_request(asked["primary"], seen, race)
    yield second_request(asked["backup"], asked["primary"][0], seen, race)
    yield let_go(asked, seen, race)
    for number in range(1, len(seen.trace) + 1):
        fix = "both models get the prompt as it is."
        yield expect.carries(seen, number, prompt, given=race.given, what="the prompt", fix=fix)
    yield outcome(seen, race)


def first_request(asked: list[Record], seen: Seen, race: Race) -> Finding | None:
    if len(asked) != 1:
        needs = "one request to the primary"
        fix = "ask `primary` once, in a task of its own; the second request is the backup's."
        return Finding(race.given, f"{count(len(asked), 'request')} to the primary, then {seen.outcome}", needs, fix)
    if asked[0].course_start > SLACK:
        what = f"the primary was asked {asked[0].course_start:g} s after the beginning"
        return Finding(race.given, what, "the primary to be asked at once", "ask first, then wait.")
    return None


def second_request(asked: list[Record], first: Record, seen: Seen, race: Race) -> Finding | None:
    """A finding unless the backup was asked when it was due, if at all, and while the first was still under way."""
    due = race.due
    if due is None:
        fix = "begin the second request only when `delay` seconds have brought no answer."
        what = f"{count(len(asked), 'request')} to the backup"
        return Finding(race.given, what, "none: the primary was quick", fix, ALWAYS) if asked else None
    if not asked:
        when = f"{due:g} s after the beginning" if due else "at once"
        what, needs = f"no request to the backup, then {seen.outcome}", f"a request to the backup, {when}"
        if race.fails_early:
            fix = "look at what the first one is when it is done: `task.exception()` is None for an answer."
            return Finding(race.given, what, needs, fix, DONE)
        fix = "ask `backup` when the delay is over." if has_slept(seen) else REAL
        return Finding(race.given, what, needs, fix)
    if len(asked) > 1:
        return Finding(race.given, f"{len(asked)} requests to the backup", "one", "ask the backup once.")
    begin = asked[0].course_start
    what, needs = f"the backup was asked at {begin:g} s", f"the backup asked at {due:g} s"
    if begin < due - SLACK:
        return Finding(race.given, what, needs, "let `asleep(delay)` and the first request race.", ALWAYS)
    if begin > max(due * LATE, SLACK):
        fix = "wait for `delay`, and for nothing else." if has_slept(seen) else REAL
        if race.fails_early:
            fix = "an error tells you all that the rest of the delay could tell: ask the backup at once."
        return Finding(race.given, what, needs, fix)
    if first.status == CLIENT_LEFT and (first.course_stop or 0.0) <= begin + SLACK:
        what = f"the primary was left at {first.course_stop:g} s, when the backup was asked"
        fix = "leave the first one in the race: `wait_for` cancels it, `asyncio.wait` does not."
        return Finding(race.given, what, "both under way from then on", fix, LOST)
    return None


def let_go(asked: dict[str, list[Record]], seen: Seen, race: Race) -> Finding | None:
    """A finding unless the answer was there as soon as it could be, and the loser had been hung up on by then."""
    back = came_back(seen)
    if back is None or (seen.raised and race.winner):
        return None  # an error where there is an answer: the outcome says more
    loser = next((name for name, end in race.ends.items() if race.winner and end > race.over), "")
    if back > race.over + SLACK:
        what = f"your function came back at {back:g} s"
        needs = f"the answer at {race.over:g} s, which was the {race.winner}'s" if race.winner else "no longer wait"
        fix = "`return_when=asyncio.FIRST_COMPLETED` waits for one, `gather` for all."
        if race.due == race.delay and not has_slept(seen):
            fix = REAL
        if race.over < race.delay and abs(back - race.delay) < SLACK:
            fix = (
                "you slept the whole delay although the answer was there: make `asleep(delay)` a task and let it race."
            )
        return Finding(race.given, what, needs, fix if race.winner else "when both have failed, raise.", "")
    if back < race.over - SLACK:
        what = f"your function came back at {back:g} s, with {seen.outcome}"
        return Finding(race.given, what, f"the answer of {race.over:g} s", "wait for whoever may still answer.", DONE)
    if loser and asked[loser] and asked[loser][0].status != CLIENT_LEFT:
        what = f"the request to the {loser} ran on to its end"
        fix = "`task.cancel()` hangs up; do it to everybody who is still running, whatever happens (`finally`)."
        return Finding(race.given, what, "it to be let go once there is an answer (499 in the log)", fix, PAID)
    return None


def outcome(seen: Seen, race: Race) -> Finding | None:
    if not race.winner:
        if seen.raised and "OpenAIError" in seen.lineage:
            return None
        fix = "nobody has an answer: `first.result()` raises the error."
        return Finding(race.given, f"your function gave {seen.outcome}", "an error of `openai`, raised", fix)
    if seen.raised:
        fix = f"while the other one may still answer, pass over the error: the {race.winner} had an answer."
        return Finding(race.given, f"your function raised {seen.outcome}", f"the {race.winner}'s answer", fix, DONE)
    text = getattr(race, race.winner).text
    fix = "return the text of whoever was first."
    return expect.returned(seen, text, given=race.given, what=f"the text of the {race.winner}'s answer", fix=fix)


TASK = Task(
    "limits.hedged",
    "Stretch: hedge the slow one",
    2,
    hedged,
    (
        "Two tasks may race without a second model: the request to `primary`, and `asleep(delay)`. Which of them is "
        "done first? `asyncio.wait` with `return_when=asyncio.FIRST_COMPLETED` cancels nobody.",
        "If the first one is not done, or `first.exception()` is not None, a task for `backup` joins the race. Then "
        "take the tasks as they end, pass over those with an error, and cancel in a `finally` whatever still runs.",
        "`for done in asyncio.as_completed(racers):` and inside it `with suppress(OpenAIError): return (await "
        "done).text`; after the loop `return first.result().text`, which raises the first one's error; in `finally` "
        "`racer.cancel()` for each, and `await asyncio.gather(*racers, return_exceptions=True)`.",
    ),
    models=SIZES,
    tools={"asleep": "asleep", "jump": "jump"},
    driver="on the course clock",
)

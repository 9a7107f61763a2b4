"""Exercise 9, "A fallback you can see", stretch: a circuit breaker.

Layer 2: imports `expect`, `outage_calls`, `scripts`, `faults`, `records` and `server.cases`. Each call carries a nonce,
so the server knows which of them got through. Times are course seconds; no request takes any.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from random import Random
from typing import Any

from course_utils import faults
from course_utils.records import count
from course_utils.server.cases import Case, Finding, Scene, Seen, Task, cut
from course_utils.tasks import expect
from course_utils.tasks.outage_calls import Call, asks, call, named, told
from course_utils.tasks.scripts import ByKey

NEVER = "that each call must find out for itself; a breaker remembers for all of them."
LAST_WORD = "that an open breaker stays open; it cannot know who is back unless it lets somebody try."
AFRESH = "that a probe is a call like any other; one failure is proof enough while it probes."
FOR_EVER = "that failures add up for ever; only so many in a row show that somebody is away."
EVERYTHING = "that every failure counts; a 400 is our own mistake, and the model is in good health."
CROWD = "that an open breaker is closed again when the cooldown is over; only one call may find out."
STUCK = "that only an answer shows that they are there; a refusal shows it as well."
FIXES = {  # why a call should go as it should: where to look when it does not, and the belief
    "passes": ("while it is closed, every call goes through.", ""),
    "opens": ("`threshold` failures in a row open it: what counts them, and who looks at the count?", NEVER),
    "cool": ("it stays open until `cooldown` seconds have passed since it opened; `now()` tells the time.", ""),
    "probe": ("when the cooldown is over, let one call through. Call `now()` anew each time.", LAST_WORD),
    "opens-again": ("a probe that fails opens it at once, for another whole `cooldown`.", AFRESH),
    "closes": ("a probe that goes well closes it, with a count of 0.", ""),
    "resets": ("a success sets the count back to 0.", FOR_EVER),
    "client": ("which exceptions say that they are away? Count those; let the others pass uncounted.", EVERYTHING),
    "not-stuck": ("a mistake of ours answered the probe: they are there, so close.", STUCK),
    "own": ("each breaker keeps its own count and time, in `self`.", ""),
}
TOO_LATE = ("it opens too late: with the failure that makes `threshold` of them in a row, it is open.", "")


def breaker(rng: Random) -> list[Case]:
    """One word for each call: see `CALL`. `early` and `over` are seconds after another 5 that the breaker is open."""
    return [
        made("three failures in a row", rng, 3, "503 503 503 no+1:opens no+5:opens"),
        made("a success in between", rng, 3, "503 503 200 503:resets 429:resets 200:resets"),
        made("after the cooldown", rng, 2, "503 503 no+5:opens no+early:cool 200+9:probe 503:closes 200:closes"),
        made("a probe that fails", rng, 3, "503 503 503 no+5:opens 503+over:probe no+5:opens-again no+early:opens-again"
             " 200+9:probe"),
        made("bad prompts", rng, 2, "400 400 400:client 200:client"),
        made("others come during the probe", rng, 2, "503 503 no+5:opens 200+over:probe/2 200:closes"),
        made("others come during a probe that fails", rng, 1, "429 no+5:opens 500+over:probe/3 no+5:opens-again "
             "200+over:probe", held_back=True),
        made("a bad prompt as the probe", rng, 2, "503 503 no+5:opens 400+over:probe 200:not-stuck 200:not-stuck"),
        made("the line drops", rng, 2, "drop drop no+5:opens 200+over:probe", held_back=True),
        made("two breakers", rng, 2, "503 503 no+1:opens 200:own' 503:own' 200:own'", held_back=True),
    ]  # fmt: skip


def made(name: str, rng: Random, threshold: int, plan: str, *, held_back: bool = False) -> Case:
    cooldown = rng.choice([60, 90, 120])
    calls = [call(rng, word, {"early": cooldown - 10.0, "over": cooldown - 4.0}) for word in plan.split()]
    steps = [
        {"prompt": asks(each.key), "after": each.after, "of": each.of, "meanwhile": [asks(key) for key in each.others]}
        for each in calls
    ]
    drops = sum(each.status == "drop" for each in calls)
    scene = Scene(latency=0, plan=faults.first(drops, faults.dropped()) if drops else None)
    judge = partial(judge_breaker, calls=calls, threshold=threshold, cooldown=cooldown)
    inputs = {"threshold": threshold, "cooldown": cooldown, "steps": steps}
    return Case(name, inputs, ByKey({each.key: each.reply for each in calls}), judge, held_back, scene)


@expect.in_order
def judge_breaker(seen: Seen, *, calls: Sequence[Call], threshold: int, cooldown: float) -> Iterator[Finding | None]:
    settings = f"threshold={threshold}, cooldown={cooldown}; "
    yield expect.crashed(seen, given=f"{settings}{count(len(calls), 'call')}", needs="a breaker that takes them")
    is_late = any(map(is_open, seen.returned))  # it does open, at some time
    outcomes: list[Any] = list(seen.returned)
    for number, each in enumerate(calls, start=1):
        given = settings + told(calls[:number])
        look = TOO_LATE if is_late and each.why == "opens" else FIXES[each.why]
        yield one(seen, each, named(seen, number, each.key), outcomes.pop(0), given, look)
        for key in each.others:
            yield beside(seen, key, number, outcomes.pop(0), given)


def one(seen: Seen, call: Call, name: str, outcome: Any, given: str, look: tuple[str, str]) -> Finding | None:
    """A finding unless this call went as it should."""
    asked = sum(call.key in record.prompt for record in seen.trace)
    gave = f"raised {outcome['raised']}" if is_error(outcome) else f"gave {cut(repr(outcome), 60)}"
    fix, belief = look
    if asked > 1:
        return Finding(given, f"{name} made {asked} requests", "one at most", "call `fn` once; repeat nothing.")
    if call.status == "no":
        if asked:
            return Finding(given, f"{name} reached the model", f"{name} refused: `Open`, and no request", fix, belief)
        return None if is_open(outcome) else no_open(name, gave, given)
    if not asked:
        if is_open(outcome):
            return Finding(given, f"{name} was refused", f"{name} to reach the model", fix, belief)
        return Finding(given, f"{name} {gave}, and no request came", "one request", "call `fn()`, and keep its value.")
    if call.status == "200":
        right, needs = outcome == call.text, "what `fn` gave"
    else:
        right, needs = is_error(outcome) and "APIError" in outcome["lineage"], "the exception that `fn` raised"
    return (
        None if right else Finding(given, f"{name} {gave}", needs, "pass on to the caller what `fn` gives or raises.")
    )


def beside(seen: Seen, key: str, number: int, outcome: Any, given: str) -> Finding | None:
    """A finding unless a call that came during a probe was refused at once."""
    name, needs = f"a call that came while call {number} was under way", "refused at once: `Open`, and no request"
    if isinstance(outcome, dict) and outcome.get("waits"):
        fix = "hold no lock while `fn` runs; keep in `self` that a probe is under way."
        return Finding(given, f"{name} had to wait for it", needs, fix)
    if any(key in record.prompt for record in seen.trace):
        fix = "keep in `self` that a probe is under way, before you call `fn`; refuse everybody until it has ended."
        return Finding(given, f"{name} reached the model", needs, fix, CROWD)
    return None if is_open(outcome) else no_open(name, f"gave {cut(repr(outcome), 60)}", given)


def no_open(name: str, gave: str, given: str) -> Finding:
    return Finding(given, f"{name} {gave}", "an exception of type Open", "`raise Open`, the class from the first cell.")


def is_error(outcome: Any) -> bool:
    return isinstance(outcome, dict) and "lineage" in outcome


def is_open(outcome: Any) -> bool:
    return is_error(outcome) and "Open" in outcome["lineage"]


TASK = Task(
    "fallbacks.breaker",
    "Stretch: a circuit breaker",
    3,
    breaker,
    (
        "Three states, two ways out of each: draw them. What must the breaker remember from one call to the next?",
        "Keep `state`, `failures` and `since`. Before `fn`: open and not yet cool, or a probe under way: raise `Open`; "
        "open and cool makes it half-open. After `fn`: what does a success mean, a failure that counts, another one?",
        "In `call`: `if self.state == 'half-open' or (self.state == 'open' and self.now() - self.since < "
        "self.cooldown): raise Open`; `if self.state == 'open': self.state = 'half-open'`; then `try: value = fn()`, "
        "`except AWAY:` count, and open it if this was the probe or the count is full, `raise`; `except Exception:` "
        "a probe closes it, `raise`; at the end close it, count 0, and return the value.",
    ),
    tools={"now": "now", "sleep": "sleep"},
    driver="through an outage",
)

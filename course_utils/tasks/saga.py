"""Exercise 9, "A fallback you can see", stretch: three bookings, and their way back.

Layer 2: imports `expect`, `texts`, `trips`, `server.cases` and `server.effects`. What is booked and what is
cancelled are effects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import takewhile
from random import Random
from typing import Any

from course_utils.server.cases import Case, Finding, Scene, Seen, Task
from course_utils.server.effects import LOST, Effect
from course_utils.tasks import expect
from course_utils.tasks.texts import nonce
from course_utils.tasks.trips import AWAY, FULL, MOST, PARTS, Counted, Fates, good, never_done, told

NO_UNDO = "that what failed leaves nothing behind; the steps before it are done."
FORWARDS = "that the order of the undos does not matter; later steps lean on earlier ones."
THE_FAILED = "that the step that failed has to be undone; it was never done."
ALL = "that an undo does no harm where nothing was done."
ONE_TRY = "that an undo succeeds; it fails like any other call, and nobody comes after it."
NOTHING = "that a timeout means that nothing has happened."
NEW_KEY = "that a key belongs to an attempt; it belongs to what you want done."
TRIED = "that what was tried often enough is done; after five failures nobody has cancelled it."
ONE_KEY = "that one key will do for everybody; the second trip looks like a repeat of the first."


def saga(rng: Random) -> list[Case]:
    full = [FULL]
    return [
        saga_case("all is free", rng, {}),
        saga_case("no car", rng, {"book car": full}),
        saga_case("no flight", rng, {"book flight": full}),
        saga_case("no car, and an undo stumbles", rng, {"book car": full, "cancel hotel": [AWAY, AWAY]}),
        saga_case("no hotel, and an undo never succeeds", rng, {"book hotel": full, "cancel flight": [AWAY] * 10}),
        saga_case("an answer gets lost", rng, {"book hotel": [LOST]}),
        saga_case("a lost answer, then no car", rng, {"book hotel": [LOST], "book car": full}),
        saga_case("two trips", rng, {}, trips=2),
        saga_case("no hotel", rng, {"book hotel": full}, held_back=True),
        saga_case("a lost undo", rng, {"book hotel": full, "cancel flight": [AWAY, LOST]}, held_back=True),
        saga_case("two trips, no car", rng, {"book car": full, "cancel flight": [LOST]}, trips=2, held_back=True),
    ]


def saga_case(name: str, rng: Random, fates: Fates, *, trips: int = 1, held_back: bool = False) -> Case:
    wanted = [f"trip {nonce(rng)}" for _ in range(trips)]
    judge = partial(judge_saga, trips=wanted, fates=fates)
    scene = Scene(outcome=Counted(fates))
    return Case(name, {"calls": [{"trip": trip} for trip in wanted]}, nobody, judge, held_back, scene)


def nobody(request: Any, number: int) -> str:
    """No model is handed over, and none is asked."""
    return ""


@expect.in_order
def judge_saga(seen: Seen, *, trips: Sequence[str], fates: Fates) -> Iterator[Finding | None]:
    given = f"{' and '.join(trips)}; {told(fates)}"
    wanted, left = good(fates), never_done(fates)
    if not left and seen.raised and seen.raised not in ("ServiceError", "TimeoutError", "RetryError"):
        yield expect.crashed(seen, given=given, needs="the three bookings, or their way back")
    yield well_formed(seen, trips, given)
    for trip in trips:
        calls = [call for call in seen.effects if call.data["trip"] == trip]
        yield done_twice(calls, given)
        here = f"{given}; for {trip}" if len(trips) > 1 else given
        yield in_this_order(seen, [call.name for call in calls], wanted, fates, here)
        if not left:
            yield really_done(calls, fates, here)
    if left:
        yield gave_up(seen, left, given)
        return
    failed = next((part for part in PARTS if FULL in fates.get(f"book {part}", ())), "")
    needs = {"status": "undone", "failed": failed} if failed else {"status": "booked"}
    if seen.raised or seen.returned != (needs if len(trips) == 1 else [needs] * len(trips)):
        fix = "return a dict that says 'booked'; or 'undone', and which booking failed. No exception comes out."
        yield Finding(given, f"your function gave {seen.outcome}", repr(needs), fix)


def well_formed(seen: Seen, trips: Sequence[str], given: str) -> Finding | None:
    """A finding unless each call is one of the six actions, with a key and its trip."""
    actions = [f"{verb} {part}" for verb in ("book", "cancel") for part in PARTS]
    if not seen.effects:
        return Finding(given, "no call of `act`", "three bookings", "`act('book flight', key=..., trip=trip)`.")
    for call in seen.effects:
        if call.name not in actions:
            return Finding(
                given, f"`act({call.name!r}, …)`", f"one of {', '.join(actions)}", "the name says both: 'book flight'."
            )
        if call.data.get("trip") not in trips:
            what = f"`act({call.name!r}, …)` with trip={call.data.get('trip')!r}"
            return Finding(given, what, "trip=trip with every call", "`act('book flight', key=..., trip=trip)`.")
        if not call.key:
            fix = "without a key a repeat of a lost booking is a second booking."
            return Finding(given, f"`act({call.name!r}, …)` without a key", "a key with every call", fix, NOTHING)
    return None


def done_twice(calls: Sequence[Effect], given: str) -> Finding | None:
    """A finding when something was booked twice."""
    done = Counter(call.name for call in calls if call.happened)
    if not (twice := next((name for name in done if done[name] > 1), "")):
        return None
    keys = {call.key for call in calls if call.name == twice}
    what = f"`{twice}` was done {done[twice]} times, under {len(keys)} keys"
    fix = "the repeat of a lost call carries the same key: make it of the trip and the action."
    return Finding(given, what, "everything done once at most", fix, NEW_KEY)


def really_done(calls: Sequence[Effect], fates: Fates, given: str) -> Finding | None:
    """A finding when a call that goes well has done nothing, because its key had been used before."""
    for name in dict.fromkeys(call.name for call in calls):
        if FULL not in fates.get(name, ()) and not any(call.happened for call in calls if call.name == name):
            what = f"`{name}` did nothing: its key had done its work already"
            return Finding(given, what, "another key for another trip", "make the key of `trip` as well.", ONE_KEY)
    return None


def gave_up(seen: Seen, left: str, given: str) -> Finding | None:
    """A finding unless the error of the cancellation that never succeeded came out."""
    if "ServiceError" in seen.lineage:
        return None
    verb, part = ("raised" if seen.raised else "returned"), left.partition(" ")[2]
    fix = f"nobody else knows that the {part} is still booked: after the fifth failure let its error out."
    needs = f"the ServiceError of the fifth `{left}`, raised"
    return Finding(given, f"your function {verb} {seen.outcome}", needs, fix, "" if seen.raised else TRIED)


def in_this_order(seen: Seen, calls: Sequence[str], wanted: Sequence[str], fates: Fates, given: str) -> Finding | None:
    """A finding about the first call that is not the one to make."""
    if list(calls) == list(wanted):
        return None
    same = takewhile(lambda pair: pair[0] == pair[1], zip(calls, wanted, strict=False))
    at = len(list(same))
    now, due = (calls[at] if at < len(calls) else ""), (wanted[at] if at < len(wanted) else "")
    what = f"the calls: {', '.join(calls)}" + (f"; then {seen.outcome}" if seen.raised else "")
    fix, belief = went_wrong(now, due, wanted[:at], fates)
    return Finding(given, what, ", ".join(wanted), fix, belief)


def went_wrong(now: str, due: str, before: Sequence[str], fates: Fates) -> tuple[str, str]:
    """Where to look, and the belief, when `now` was called instead of `due`; "" stands for nothing."""
    failed, (verb, _, part) = next((call for call in before if FULL in fates.get(call, ())), ""), now.partition(" ")
    if before and due == before[-1]:
        if fates[due][before.count(due) - 1] == LOST:
            return "nobody knows what became of it: the same call with the same key is safe, and tells you.", NOTHING
        return "an undo that fails is tried again, 5 times at most.", ONE_TRY
    if now and now == failed:
        return "a 409 stays one; begin to undo.", ""
    if verb == "cancel" and f"book {part}" == failed:
        return "undo what succeeded; put a step on your list when it is done, and not before.", THE_FAILED
    if verb == "cancel" and f"book {part}" not in before:
        return "keep a list of what succeeded, and undo that.", ALL
    if now == never_done(fates) and before.count(now) == MOST:
        return "the fifth failure is the last one: stop there, and let its error out.", ""
    if now and now in before:
        return f"`{now}` is done: once is enough.", ""
    if due.startswith("cancel"):
        return ("undo the last one first.", FORWARDS) if verb == "cancel" else ("what is left behind?", NO_UNDO)
    return "book flight, hotel and car, in this order, until one fails.", ""


TASK = Task(
    "fallbacks.saga",
    "Stretch: undo in reverse",
    3,
    saga,
    (
        "Keep a list of what has succeeded. When a booking is refused, that list says what to undo. From which end?",
        "Write a small function first that repeats one `act` with the same key: after a TimeoutError always, after a "
        "ServiceError only when it is an undo, and then five times. Then the bookings, then the way back.",
        "`for part in reversed(done): sure('cancel ' + part, ...)`; `done.append(part)` stands behind the booking; "
        "the key is f'{trip} {action}', made before the first attempt.",
    ),
    models={},
    tools={"act": "act"},
    driver="in turn",
)

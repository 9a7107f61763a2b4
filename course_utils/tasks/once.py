"""Exercise 8, "Retry that helps", fourth task: a payment whose answer may get lost.

Layer 2: imports `expect`, `texts`, `server.cases` and `server.effects`. The bank is the case's record of effects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from random import Random
from typing import Any

from course_utils.records import count
from course_utils.server.cases import Case, Finding, Scene, Seen, Task
from course_utils.server.effects import LOST, Effect, Outcome
from course_utils.tasks import expect
from course_utils.tasks.texts import nonce

Refund = dict[str, Any]  # refund_id, order, cents
WHAT = {
    200: "says that it is paid",
    LOST: "pays, and its answer gets lost",
    402: "refuses (402)",
    429: "has too many visitors (429)",
    500: "stumbles (500)",
    503: "is away (503)",
}
NO_KEY = "that a timeout means that nothing has happened."
NEW_KEY = "that a key belongs to an attempt; it belongs to what you want done."
ONE_KEY = "that one key will do for the whole program; the second customer's payment looks like a repeat."
HOPE = "that what was sent has arrived."
BY_CALL = "that each call is a new operation; people click twice."


def once(rng: Random) -> list[Case]:
    one, other, again = refund(rng), refund(rng), refund(rng)
    part = again | {"refund_id": f"RF-{nonce(rng)}"}
    return [
        once_case("the answer gets lost", [refund(rng)], [LOST, 200]),
        once_case("all is well", [refund(rng)], [200]),
        once_case("the bank is away for a moment", [refund(rng)], [503, 503, 200]),
        once_case("two refunds", [one, other], [LOST, 200, LOST, 200]),
        once_case("two refunds of the same sum for one order", [again, part], [200, 200]),
        once_case("the same refund, asked for twice", [one, one], [LOST, 200, 200]),
        once_case("no money", [refund(rng)], [402]),
        once_case("the bank stays away", [refund(rng)], [503] * 4),
        once_case("the bank is too busy", [refund(rng)], [429, 200]),
        once_case("the bank stumbles", [refund(rng)], [500, 200]),
        once_case("away, then lost", [refund(rng), refund(rng)], [503, LOST, 200, 503, LOST, 200], held_back=True),
        once_case("one attempt, and its answer is lost", [refund(rng)], [LOST], attempts=1, held_back=True),
    ]


def refund(rng: Random) -> Refund:
    return {"refund_id": f"RF-{nonce(rng)}", "order": nonce(rng), "cents": rng.randint(500, 9000)}


def once_case(
    name: str, refunds: Sequence[Refund], fates: Sequence[int], *, attempts: int = 4, held_back: bool = False
) -> Case:
    """`fates` is what becomes of each call of a good answer, in order; the last one stays."""
    judge = partial(judge_once, refunds=refunds, fates=fates, attempts=attempts)
    calls = [each | {"attempts": attempts} for each in refunds]
    return Case(name, {"calls": calls}, nobody, judge, held_back, Scene(outcome=in_this_order(fates)))


def nobody(request: Any, number: int) -> str:
    """No model is handed over, and none is asked."""
    return ""


def in_this_order(fates: Sequence[int]) -> Outcome:
    return lambda effect, number: fates[min(number, len(fates)) - 1]


@expect.in_order
def judge_once(
    seen: Seen, *, refunds: Sequence[Refund], fates: Sequence[int], attempts: int
) -> Iterator[Finding | None]:
    listed = ", then ".join(f"refund {each['refund_id']}" for each in refunds)
    given = f"attempts={attempts}; {listed}; the bank "
    given += ", then ".join(WHAT[fate] for fate in fates)
    calls, end = list(seen.effects), fates[-1]
    if seen.raised and seen.raised not in ("ServiceError", "TimeoutError", "RetryError"):
        yield expect.crashed(seen, given=given, needs="what `pay` gives back" if end == 200 else "the bank's refusal")
    yield keyed(calls, refunds, given)
    yield paid_once(calls, refunds, fates, given)
    yield often_enough(seen, calls, fates, given)
    if end == 200:
        done = {"status": "done", "name": "pay"}
        wanted = done if len(refunds) == 1 else [done] * len(refunds)
        if seen.returned != wanted:
            fix = "return the value of the call of `pay` that succeeded."
            yield Finding(given, f"your function gave {seen.outcome}", "what `pay` gives back", fix)
    else:
        fix = "the caller must hear of it: pass the last error on with a plain `raise` (tenacity: `reraise=True`)."
        yield expect.raised(seen, "TimeoutError" if end == LOST else "ServiceError", given=given, fix=fix)


def keyed(calls: Sequence[Effect], refunds: Sequence[Refund], given: str) -> Finding | None:
    """A finding unless each call of `pay` has a key, and says what is to be paid."""
    if not calls:
        return Finding(given, "no call of `pay`", "one at least", "`pay(key=..., order=order, cents=cents)`.")
    if not all(call.key for call in calls):
        what = f"{count(len(calls), 'call')} of `pay`, {paid(calls)}; no key"
        fix = "without a key the bank cannot tell a repeat from a new payment."
        return Finding(given, what, "a key with every call", fix, NO_KEY)
    told = [{name: each[name] for name in ("order", "cents")} for each in refunds]
    if strange := [call.data for call in calls if not any(each.items() <= call.data.items() for each in told)]:
        what = f"`pay` was called with {', '.join(map(repr, strange[0]))} beside the key"
        return Finding(
            given, what, "the order and the cents of the refund", "`pay(key=..., order=order, cents=cents)`."
        )
    return None


def paid_once(calls: Sequence[Effect], refunds: Sequence[Refund], fates: Sequence[int], given: str) -> Finding | None:
    """A finding unless each refund was paid as often as it should be, under one key of its own."""
    wanted = {each["refund_id"]: each for each in refunds} if {200, LOST} & set(fates) else {}
    happened = sum(call.happened for call in calls)
    keys = len({call.key for call in calls})
    needs = f"{count(len(wanted), 'payment')}, each under one key of its own"
    what = f"{count(len(calls), 'call')} of `pay` with {count(keys, 'key')}, {paid(calls)}"
    if happened > len(wanted) and len(refunds) > len(wanted):
        fix = "which of the arguments says that it is the same refund? Make the key of that."
        return Finding(given, what, needs, fix, BY_CALL)
    if happened > len(wanted) or keys > max(1, len({each["refund_id"] for each in refunds})):
        fix = "make the key once, before the first attempt, of what the refund is about."
        return Finding(given, what, needs, fix, NEW_KEY)
    if happened < len(wanted) and keys < len(wanted):
        fix = "two refunds are two operations, even for one order: what tells them apart?"
        return Finding(given, what, needs, fix, ONE_KEY)
    return None


def often_enough(seen: Seen, calls: Sequence[Effect], fates: Sequence[int], given: str) -> Finding | None:
    """A finding unless `pay` was called until the bank had answered, and no longer."""
    if len(calls) == len(fates):
        return None
    what, needs = f"{count(len(calls), 'call')} of `pay`, then {seen.outcome}", f"{count(len(fates), 'call')}"
    if len(calls) > len(fates):
        fix = "a refusal such as 402 stays one." if fates[-1] == 402 else "`attempts` counts the first call as well."
        return Finding(given, what, needs, fix)
    last = fates[len(calls) - 1]
    if last == LOST:
        fix = "nobody knows whether it happened. The same call with the same key is safe, and its answer tells you."
        return Finding(given, what, needs, fix, "" if seen.raised else HOPE)
    fix = f"a refusal with {last} may pass by itself (429 and all from 500 on may): `attempts` calls at most."
    return Finding(given, what, needs, "one call at least for each refund." if last == 200 else fix)


def paid(calls: Sequence[Effect]) -> str:
    happened = sum(call.happened for call in calls)
    return f"{count(happened, 'payment')} made"


TASK = Task(
    "retries.once",
    "Paid once",
    3,
    once,
    (
        "After a lost answer nobody knows whether the money has gone. What could you send along, so that the bank "
        "knows that it is the same payment?",
        "The key belongs to the refund: made before the loop, the same in each attempt, another one for another "
        "refund. Which argument is like that already?",
        "`pay(key=refund_id, order=order, cents=cents)` inside the loop; repeat after a `TimeoutError`, or a "
        "`ServiceError` whose status is 429 or from 500 on; `raise` everything else, and the last one.",
    ),
    models={},
    tools={"pay": "pay", "sleep": "sleep"},
    driver="in turn",
)

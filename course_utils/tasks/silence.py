"""Exercise 9, "A fallback you can see", second task: a fallback that catches everything and says nothing.

Layer 2: imports `cascade`, `expect`, `noons`, `troubles` and `server.cases`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any

from course_utils.records import count
from course_utils.server.cases import Case, Finding, Seen, Task
from course_utils.server.wire import ApiError
from course_utils.tasks import expect
from course_utils.tasks.cascade import size_of
from course_utils.tasks.noons import CATCHES, MODELS, Noon, answered, asked_in_order, noon, own_mistake
from course_utils.tasks.troubles import trouble

SILENT = "that an answer is an answer; somebody must be able to count how many of them are second best."
NO_MODEL = "that a fixed sentence is as good as an answer; nobody has served the customer."
ALARM = "that `degraded` belongs to the program; it belongs to each answer."


def mend(rng: Random) -> list[Case]:
    down = trouble(503)
    return [
        mend_case("all is well", rng, noon(rng)),
        mend_case("the large model is down", rng, noon(rng, down)),
        mend_case("a wrong key", rng, noon(rng, trouble(401))),
        mend_case("a mistake in our own form", rng, noon(rng), without="name"),
        mend_case("the large model is limited", rng, noon(rng, trouble(429))),
        mend_case("both are down", rng, noon(rng, down, down), held_back=True),
        mend_case("the line drops", rng, noon(rng, None), held_back=True),
        mend_case("a prompt that is too long", rng, noon(rng, trouble(400)), held_back=True),
    ]


def mend_case(name: str, rng: Random, case: Noon, *, without: str = "", held_back: bool = False) -> Case:
    """A ticket with all that belongs to it, but for what it is `without`."""
    first = rng.choice(["Aoife", "Siobhan", "Tadhg", "Niamh"])
    ticket = {"name": first, "text": f"{case.question} Mine is number {case.key}, and it drips."}
    ticket = {key: value for key, value in ticket.items() if key != without}
    judge = partial(judge_form, case=case, without=without) if without else partial(judge_mend, case=case)
    return Case(name, {"ticket": ticket}, case.script, judge, held_back, case.scene)


@expect.in_order
def judge_mend(seen: Seen, *, case: Noon) -> Iterator[Finding | None]:
    needs = "{'text': …, 'degraded': …}"
    yield asked_in_order(seen, case)
    if isinstance(case.end, ApiError):
        yield own_mistake(seen, case, case.end)
        return
    if case.end is None:
        yield nobody_left(seen, case)
        return
    yield expect.crashed(seen, given=case.given, needs=needs)
    got: Any = seen.returned
    if not isinstance(got, dict) or set(got) != {"text", "degraded"}:
        yield Finding(case.given, f"your function gave {seen.outcome}", needs, "return a dict with these two keys.")
    yield degraded(got, case)
    yield answered(seen, got["text"], case)


@expect.in_order
def judge_form(seen: Seen, *, case: Noon, without: str) -> Iterator[Finding | None]:
    given = f"a ticket without {without!r}: our own form has lost it; both models are well"
    needs = "the KeyError, raised, and no request"
    if not seen.raised:
        what = f"{count(len(seen.trace), 'request')}, and your function returned {seen.outcome}"
        if [size_of(record.model) for record in seen.trace] == ["large"]:
            fix = "do not make up for what is lost: nobody would ever mend the form."
            yield Finding(given, what, needs, fix)
        fix = "no model can mend that. Which exceptions mean that *they* are away? Name those."
        yield Finding(given, what, needs, fix, CATCHES)
    yield expect.raised(seen, "KeyError", given=given, fix="let our own mistakes through as they are.")
    if seen.trace:
        what = f"a request to the {' and the '.join(size_of(record.model) for record in seen.trace)} model"
        fix = "what may the `except` before that request catch?"
        yield Finding(given, what, needs, fix, CATCHES)


def nobody_left(seen: Seen, case: Noon) -> Finding | None:
    """A finding unless the caller hears of it that both are away."""
    if seen.raised:
        return None
    fix = "there is no third one here: let the small model's error through."
    return Finding(case.given, f"your function returned {seen.outcome}", "the small model's error, raised", fix)


def degraded(got: dict[str, Any], case: Noon) -> Finding | None:
    """A finding unless `degraded` says whether the customer got less than usual."""
    wanted = case.served_by != "large"
    if got["degraded"] is wanted:
        return None
    what, needs = f"`degraded` is {got['degraded']!r}", f"{wanted}: served by {case.served_by}"
    if not isinstance(got["degraded"], bool):
        return Finding(case.given, what, needs, "give it as True or False.")
    if not wanted:
        return Finding(case.given, what, needs, "the best one has answered: nothing is less than usual.", ALARM)
    belief = NO_MODEL if case.served_by == "nobody" else SILENT
    return Finding(case.given, what, needs, "set it where you know who has answered.", belief)


TASK = Task(
    "fallbacks.mend",
    "Find the bug: the fallback that said nothing",
    2,
    mend,
    (
        "The `except` of the buggy function: which exceptions does it catch that no other model can mend?",
        "`except AWAY:` names those that mean that they are away. And in which of its two branches is an answer second "
        "best?",
        "In the `try` branch `degraded = False`, in `except AWAY` `degraded = True`; return both at the end.",
    ),
    models=MODELS,
)

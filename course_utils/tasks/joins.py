"""Exercise 6, "Manager and workers", second task: a join that did not wait.

Layer 2: imports `expect`, `steps`, `texts`, `workers` and `server.cases`. Answers carry nonces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from random import Random

from course_utils.records import Trace
from course_utils.server.cases import Case, Finding, Scene, Seen, Task
from course_utils.tasks import expect
from course_utils.tasks.steps import ByStep, in_words, named, way
from course_utils.tasks.texts import answers, nonce, words
from course_utils.tasks.workers import ARROW, QUIET

ALL_ARRIVE = "that whoever waits for all always gets to see all; a skipped one never comes."
DESK = ("ORDER", "SEARCH", "ANSWER", "JOIN")


def mend(rng: Random) -> list[Case]:
    return [
        mend_case("an order and a question", rng, hold=True),
        mend_case("an order, and no question", rng, asks=False),
        mend_case("another question", rng),
        mend_case("once more without a question", rng, asks=False, held_back=True),
        mend_case("a third question", rng, hold=True, held_back=True),
    ]


def mend_case(name: str, rng: Random, *, asks: bool = True, hold: bool = False, held_back: bool = False) -> Case:
    order, question = nonce(rng), f"Why does my Otter with the number {nonce(rng)} drip?" if asks else ""
    texts = {step: words(rng, 9) for step in DESK}
    until = {"ORDER": {"SEARCH": 1}, "SEARCH": {"ORDER": 1}} if hold else {}
    script = ByStep({step: answers(text) for step, text in texts.items()}, until)
    judge = partial(judge_mend, hold=hold, order=order, question=question, texts=texts)
    return Case(name, {"order": order, "question": question}, script, judge, held_back, Scene(grace=QUIET, most=20))


@expect.in_order
def judge_mend(seen: Seen, *, order: str, question: str, texts: dict[str, str], hold: bool) -> Iterator[Finding | None]:
    given = "an order and a question" if question else "an order, and an empty question"
    needed = DESK if question else ("ORDER", "JOIN")
    yield named(seen, DESK, given=given)
    yield joined_once(seen, needed, given=given)
    yield expect.crashed(seen, given=given, needs="the text of the letter")
    yield others_once(seen, needed, given=given)
    place = {step: number for number, step in enumerate(way(seen, DESK), start=1)}
    fix = "leave this request as the buggy version makes it."
    yield expect.carries(seen, place["ORDER"], order, given=given, what="the order", fix=fix)
    if question:
        yield expect.carries(seen, place["SEARCH"], question, given=given, what="the question", fix=fix)
        yield expect.carries(seen, place["ANSWER"], texts["SEARCH"], given=given, what="the article", fix=fix)
        yield expect.in_turn(replace(seen, trace=of_steps(seen, "SEARCH", "ANSWER")), given=given, fix=fix)
    for step in needed[:-1:2]:  # not SEARCH: its article went into the answer
        fix = "join when both parts are there, and put both into the prompt."
        yield expect.carries(seen, place["JOIN"], texts[step], given=given, what=f"the answer to {step}", fix=fix)
    if hold and of_steps(seen, "ORDER", "SEARCH").peak < 2:
        what = "ORDER and SEARCH were never open at the same moment"
        fix = "neither of the two needs the other: start both before you wait for one."
        yield Finding(given, what, "both at once, as in the buggy version", fix)
    fix = "return the text of the answer to JOIN."
    yield expect.returned(seen, texts["JOIN"], given=given, what="the letter that JOIN wrote", fix=fix)


def of_steps(seen: Seen, *steps: str) -> Trace:
    return Trace([record for record, step in zip(seen.trace, way(seen, DESK), strict=True) if step in steps])


def joined_once(seen: Seen, needed: Sequence[str], *, given: str) -> Finding | None:
    """A finding unless there was one JOIN: two letters went out, or none."""
    asked = way(seen, DESK)
    if (joins := asked.count("JOIN")) == 1:
        return None
    what, needs = f"{', '.join(asked)}; then {seen.outcome}", f"{', '.join(needed)}: one JOIN, after all the others"
    if joins > 1:
        fix = "two arrows of their own make a step run whenever one of the two arrives; let it wait for both."
        return Finding(given, what, needs, fix, ARROW)
    fix = "who does the join wait for, and do all of them run in this case?"
    return Finding(given, what, needs, fix, "" if len(needed) == len(DESK) else ALL_ARRIVE)


def others_once(seen: Seen, needed: Sequence[str], *, given: str) -> Finding | None:
    """A finding unless each step that is needed was asked for once, and no other."""
    asked = way(seen, DESK)
    if sorted(asked) == sorted(needed):
        return None
    fix = "one request for each step that is needed."
    if len(needed) < len(DESK):
        fix = "where there is no question, nothing is searched and nothing answered."
    return Finding(given, in_words(asked), f"{in_words(needed)}, once each", fix)


TASK = Task(
    "workers.mend",
    "Find the bug: the join that did not wait",
    2,
    mend,
    (
        "Draw the rounds: which steps run in the first, which in the second? In which round does an arrow from "
        "ORDER start the join?",
        "One arrow from a list waits for all of its sources, also for one that never runs. `defer=True` holds a "
        "step back until nothing else is on its way. Or leave the graph away: what does `await gather(...)` do?",
        '`graph.add_node("join", steps["join"], defer=True)` and the arrows as they are; or in plain Python '
        "`parts = await asyncio.gather(look_up(), search_then_answer())`, and one JOIN behind it.",
    ),
)

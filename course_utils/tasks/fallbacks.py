"""Exercise 9, "A fallback you can see", first half: one after the other, and an answer that says who served.

Layer 2: imports `expect`, `noons`, `silence`, `troubles` and `server.cases`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any

from course_utils.server.cases import Case, Finding, Seen, Task
from course_utils.server.wire import ApiError
from course_utils.tasks import expect, silence
from course_utils.tasks.noons import MODELS, Noon, always_answers, answered, asked_in_order, ended, noon, own_mistake
from course_utils.tasks.troubles import QUOTA, trouble

# --- fallbacks.order -------------------------------------------------------------------------------------------------


def order(rng: Random) -> list[Case]:
    down = trouble(503)
    return [
        order_case("all is well", noon(rng)),
        order_case("the large model is down", noon(rng, down)),
        order_case("all are down", noon(rng, down, trouble(500))),
        order_case("the small model is down", noon(rng, "", down)),
        order_case("a rate limit", noon(rng, trouble(429)), held_back=True),
        order_case("a wrong key", noon(rng, trouble(401)), held_back=True),
    ]


def order_case(name: str, case: Noon, *, held_back: bool = False) -> Case:
    judge = partial(judge_order, case=case)
    return Case(name, {"question": case.question}, case.script, judge, held_back, case.scene)


@expect.in_order
def judge_order(seen: Seen, *, case: Noon) -> Iterator[Finding | None]:
    yield asked_in_order(seen, case)
    if isinstance(case.end, ApiError):
        yield own_mistake(seen, case, case.end)
        return
    yield always_answers(seen, case)
    yield answered(seen, seen.returned, case)


# --- fallbacks.answer ------------------------------------------------------------------------------------------------


def answer(rng: Random) -> list[Case]:
    down, limited = trouble(503), trouble(429)
    return [
        answer_case("all is well", noon(rng)),
        answer_case("the large model is down", noon(rng, down)),
        answer_case("the large model is limited", noon(rng, limited)),
        answer_case("the large model drops the line", noon(rng, None)),
        answer_case("all are down", noon(rng, limited, down)),
        answer_case("a prompt that is too long", noon(rng, trouble(400))),
        answer_case("a wrong key", noon(rng, trouble(401))),
        answer_case("down, and the second one has a wrong key", noon(rng, down, trouble(401))),
        answer_case("an empty account", noon(rng, trouble(429, code=QUOTA)), held_back=True),
        answer_case("a model that is gone", noon(rng, trouble(404)), held_back=True),
        answer_case("all lines drop", noon(rng, None, None), held_back=True),
        answer_case("a status that few have heard of", noon(rng, trouble(529), trouble(502)), held_back=True),
    ]


def answer_case(name: str, case: Noon, *, held_back: bool = False) -> Case:
    judge = partial(judge_answer, case=case)
    return Case(name, {"question": case.question}, case.script, judge, held_back, case.scene)


@expect.in_order
def judge_answer(seen: Seen, *, case: Noon) -> Iterator[Finding | None]:
    yield asked_in_order(seen, case)
    if isinstance(case.end, ApiError):
        yield own_mistake(seen, case, case.end)
        return
    yield always_answers(seen, case)
    got: Any = seen.returned
    needs = "{'text': …, 'served_by': …, 'degraded': …}"
    if not isinstance(got, dict) or set(got) != {"text", "served_by", "degraded"}:
        yield Finding(case.given, f"your function gave {ended(seen)}", needs, "return a dict with these three keys.")
    if got["served_by"] != case.served_by:
        what = f"`served_by` is {got['served_by']!r}"
        fix = "name the one whose text you return: 'large', 'small' or 'nobody'."
        yield Finding(case.given, what, repr(case.served_by), fix)
    yield silence.degraded(got, case)
    yield answered(seen, got["text"], case)


TASKS = (
    Task(
        "fallbacks.order",
        "One after the other",
        1,
        order,
        (
            "What the loop does with each model is what the worked example does with one: ask, and return the text.",
            "A `return` inside the loop ends it, so the next model is asked only after an exception. What is left to "
            "do for an exception of `AWAY`?",
            "`try:` `return model.invoke(question).text` `except AWAY:` `continue`; the last line of the frame does "
            "the rest.",
        ),
        models=MODELS,
    ),
    silence.TASK,
    Task(
        "fallbacks.answer",
        "A fallback you can see",
        3,
        answer,
        (
            "A loop over names and models in order; a `return` inside it. Where in it do you know who has served?",
            "Which exceptions mean that they are away, and which that we are wrong? Name the first kind in the "
            "`except`; the second kind comes out by itself.",
            "`for name, model in {'large': large, 'small': small}.items():` `try: text = model.invoke(question).text` "
            "`except AWAY: continue`, then return the dict with `'degraded': name != 'large'`; behind the loop SORRY, "
            "'nobody', True.",
        ),
        models=MODELS,
    ),
)

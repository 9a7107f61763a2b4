"""Exercise 5, "The router that cannot lie", last task: the small model first, the large one when a judge says no.

Layer 2: imports `expect`, `texts` and `server.cases`. The judge, `accept`, asks the server, which so has seen what it
was shown, and when; its verdict is the case's and has nothing to do with how an answer sounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from random import Random
from typing import Any

from course_utils.records import Record, count
from course_utils.server.cases import Case, Finding, Scene, Seen, Task, cut, shown
from course_utils.server.effects import Effect
from course_utils.server.wire import ChatRequest
from course_utils.tasks import expect
from course_utils.tasks.labels import in_plain_words
from course_utils.tasks.texts import nonce, words

KEYS = ("text", "model", "cost")
LARGE_COSTS = (20, 12, 14, 15, 16, 18, 22, 24, 25, 28, 30)  # the course's price, then what else a learner may be given
NO = 409  # how the judge's "no" travels; `handed` makes False of it
LARGE_ALONE = "that an escalated question costs what the large model costs; the small one is paid for, too."
SOUND = "that one can hear from an answer whether it is right; the judge decides."
BOTH = "that asking both at once costs nothing; a cascade is there to ask the large model rarely."


def cascade(rng: Random, large: int = LARGE_COSTS[0]) -> list[Case]:
    made = partial(cascade_case, rng, {"small": 1, "large": large})
    return [
        made("good enough", words(rng, 6), accepted=True),
        made("not good enough", words(rng, 6), accepted=False),
        made("an unsure answer that is right", f"I am not sure. {words(rng, 4)}", accepted=True),
        made("a sure answer that is wrong", f"Certainly: {words(rng, 4)}", accepted=False),
        made("an empty answer", "", accepted=False),
        made("a long answer is wrong", words(rng, 40), accepted=False, held_back=True),
        made("one word is right", nonce(rng), accepted=True, held_back=True),
        made("an empty answer is right", "", accepted=True, held_back=True),
    ]


def cascade_case(
    rng: Random, price: Mapping[str, int], name: str, first: str, *, accepted: bool, held_back: bool = False
) -> Case:
    question, second = f"What does article {nonce(rng)} of the help centre say?", words(rng, 12)
    texts = {"small": first, "large": second}

    def script(request: ChatRequest, number: int) -> str:
        return texts[size_of(request.model)]

    def verdict(shown: Effect, number: int) -> int:
        return 200 if accepted and shown.data == {"question": question, "answer": first} else NO

    judge = partial(judge_cascade, question=question, texts=texts, accepted=accepted, price=price)
    return Case(name, {"question": question}, script, judge, held_back, Scene(outcome=verdict))


def size_of(model: str) -> str:
    """The size in a model's id: "small" or "large"."""
    return model.rpartition("-")[2]


@expect.in_order
def judge_cascade(
    seen: Seen, *, question: str, texts: dict[str, str], accepted: bool, price: Mapping[str, int]
) -> Iterator[Finding | None]:
    given = f"the small model answers {texts['small']!r}; `accept` says {'yes' if accepted else 'no'} to that"
    wanted = "small" if accepted else "large"
    needs = f"the {wanted} model's answer"
    yield in_plain_words(seen, given=given)
    yield expect.crashed(seen, given=given, needs=needs)
    yield cheap_first(seen, given=given)
    yield judged(seen, question, texts, given=given)
    yield who_was_asked(seen, accepted=accepted, given=given, needs=needs)
    for number in range(1, len(seen.trace) + 1):
        fix = "each model gets the question as it is."
        yield expect.carries(seen, number, question, given=given, what="the question", fix=fix)
    yield reported(seen, wanted, texts[wanted], price, given=given)


def cheap_first(seen: Seen, *, given: str) -> Finding | None:
    """A finding unless the first request went to the small model."""
    asked = [size_of(record.model) for record in seen.trace]
    if asked[:1] == ["small"]:
        return None
    needs = "the small model first"
    if not asked:
        fix = "only requests that go through `small` and `large`, the models your function is given, are seen."
        return Finding(given, f"{count(0, 'request')}, then {seen.outcome}", needs, fix)
    fix = "ask `small` first, and `large` only when you must."
    return Finding(given, "request 1 went to the large model", needs, fix, BOTH if "small" in asked else "")


def judged(seen: Seen, question: str, texts: dict[str, str], *, given: str) -> Finding | None:
    """A finding unless the judge was shown the question and the small model's answer, once."""
    calls = [effect for effect in seen.effects if effect.name == "accept"]
    needs = "`accept(question, answer)` called once, with the text of the small model's answer"
    if not calls:
        asked = " and ".join(size_of(record.model) for record in seen.trace)
        what = f"`accept` was never called; asked were: {asked}"
        return Finding(given, what, needs, "let `accept` decide, and nothing else.", SOUND)
    told: dict[str, Any] = calls[0].data
    if told != {"question": question, "answer": texts["small"]}:
        return Finding(
            given, misused(told, question, texts["small"]), needs, "`accept(question, answer.text)`, in this order."
        )
    if len(calls) > 1:
        fix = "keep its verdict in a variable; the large model's answer is final, nobody judges it."
        return Finding(given, f"`accept` was called {len(calls)} times", needs, fix)
    return None


def misused(told: dict[str, Any], question: str, small: str) -> str:
    """What was wrong with what the judge was shown."""
    answer = told.get("answer")
    if told.get("question") == small and answer == question:
        return "`accept` was given the answer first and the question second"
    if isinstance(answer, dict):
        return f"`accept` was given an object of type {answer.get('$object', 'dict')} as the answer"
    if answer == question:
        return "`accept` was given the question where the answer belongs"
    return f"`accept` was given {cut(repr(told.get('question')), 60)} and {cut(repr(answer), 60)}"


def who_was_asked(seen: Seen, *, accepted: bool, given: str, needs: str) -> Finding | None:
    """A finding unless the large model was asked exactly when the judge had said no, and after that."""
    asked = [size_of(record.model) for record in seen.trace]
    wanted = ["small"] if accepted else ["small", "large"]
    what = f"requests to: {', then '.join(asked)}"
    task = f"requests to: {', then '.join(wanted)}; and {needs}"
    if asked == wanted:
        return too_early(seen.trace[-1], seen.effects[0], given=given)
    if "large" in asked and accepted:
        belief = BOTH if any(is_early(record, seen.effects[0]) for record in seen.trace) else ""
        return Finding(given, what, task, "a yes ends it: return the small model's answer at once.", belief)
    if "large" not in asked:
        return Finding(given, what, task, "when `accept` says no, ask `large`.")
    return Finding(given, what, task, "ask each model once.")


def is_early(record: Record, verdict: Effect) -> bool:
    """True when this is a request to the large model that began before the verdict was there."""
    return size_of(record.model) == "large" and record.course_start < verdict.at


def too_early(last: Record, verdict: Effect, *, given: str) -> Finding | None:
    """A finding when the large model was asked before the judge had spoken."""
    if not is_early(last, verdict):
        return None
    what = "the large model was asked before `accept` had said anything"
    return Finding(given, what, "one after the other", "ask `large` behind the verdict.", BOTH)


def reported(seen: Seen, wanted: str, text: str, price: Mapping[str, int], *, given: str) -> Finding | None:
    """A finding unless text, model and cost came back."""
    got: Any = seen.returned
    needs = "{'text': …, 'model': …, 'cost': …}"
    if not isinstance(got, dict) or set(got) != set(KEYS):
        return Finding(given, f"your function gave {seen.outcome}", needs, "return a dict with these three keys.")
    cost = price["small"] + (price["large"] if wanted == "large" else 0)
    if got["model"] != wanted:
        fix = "name the model whose answer you return: 'small' or 'large'."
        return Finding(given, f"`model` is {shown(got['model'])}", repr(wanted), fix)
    if isinstance(got["cost"], bool) or got["cost"] != cost:
        small, large = price["small"], price["large"]
        fix = f"add up what every request costs: {small} for the small model, {large} for the large one."
        belief = LARGE_ALONE if got["cost"] == large else ""
        return Finding(given, f"`cost` is {shown(got['cost'])}", str(cost), fix, belief)
    taken = Seen(seen.trace, got["text"])
    fix = "the text of the answer that was taken: `.text`."
    return expect.returned(taken, text, given=given, what=f"the {wanted} model's text in `text`", fix=fix)


TASK = Task(
    "routing.cascade",
    "Cheap first",
    3,
    cascade,
    (
        "Two requests at most; whether there is a second one depends on one test.",
        "What has an escalated question cost in total? Both models have worked on it.",
        "`if accept(question, answer.text): return {…, 'cost': 1}`; else ask `large` and return 'cost': 1 + 20.",
    ),
    models={"small": "small", "large": "large"},
    tools={"accept": "accept"},
    own={"large": LARGE_COSTS},
)

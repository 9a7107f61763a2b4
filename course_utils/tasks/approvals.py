"""Exercise 10, "Approve, pay once", first task: a graph that asks before it pays.

Layer 2: imports `expect`, `nodes`, `texts` and `server.cases`. Payments are effects; refunds carry nonces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from random import Random
from typing import Any

from course_utils.records import count
from course_utils.server.cases import Case, Finding, Seen, Task
from course_utils.server.effects import Effect
from course_utils.tasks import expect, nodes
from course_utils.tasks.texts import nonce

Run = dict[str, Any]  # "state": a refund; "answers": what people say, in turn; "anew": to a graph built once more
INPUT = "that `interrupt` waits like `input()`, and goes on in the next line; the node begins again at its first line."
NEARLY = "that whatever is no refusal is a yes; no answer, and an unclear one, is a no."


def run(rng: Random, *answers: str, anew: bool = False) -> Run:
    state = {"id": f"RF-{nonce(rng)}", "order": nonce(rng), "cents": rng.randint(500, 1999)}
    return {"state": state, "answers": list(answers), "anew": anew}


def nobody(request: Any, number: int) -> str:
    """No model is handed over, and none is asked."""
    return ""


def ask(rng: Random) -> list[Case]:
    return [
        ask_case("nobody has answered", run(rng)),
        ask_case("a yes", run(rng, "approve")),
        ask_case("a no", run(rng, "refuse")),
        ask_case("almost a yes", run(rng, "approved?")),
        ask_case("a yes in other letters", run(rng, " Approve ")),
        ask_case("a no that holds a yes", run(rng, "do not approve"), held_back=True),
        ask_case("a question instead of an answer", run(rng, "Refuse?"), held_back=True),
    ]


def ask_case(name: str, one: Run, *, held_back: bool = False) -> Case:
    return Case(name, {"runs": [one]}, nobody, partial(judge_ask, one=one), held_back)


def no_graph(seen: Seen, given: str) -> Finding | None:
    """A finding when something else than a graph came."""
    if "needs the StateGraph" not in seen.message:
        return None
    return Finding(given, f"your function cannot be used: {seen.message}", "a StateGraph", "return the graph itself.")


def broke(seen: Seen, given: str, needs: str, call: str) -> Finding | None:
    """A finding when an exception came out; `call` is a good call of the tool that is handed over."""
    if advice := seen.raised and nodes.advice(seen.raised, seen.message, call):
        what = f"your graph raised {seen.raised}: {seen.message.partition(chr(10))[0]}"
        return Finding(given, what, needs, *advice)
    return expect.crashed(seen, given=given, needs=needs)


@expect.in_order
def judge_ask(seen: Seen, *, one: Run) -> Iterator[Finding | None]:
    refund, answers = one["state"], one["answers"]
    given, is_yes = told(refund, answers), answers == ["approve"]
    yield no_graph(seen, given)
    yield broke(seen, given, "one question, and then what the answer says", "pay(key=…, order=…, cents=…)")
    questions, calls = seen.returned[0]["asked"], seen.effects
    what = f"{count(len(questions), 'question')}, {count(len(calls), 'call')} of `pay`"
    if not questions:
        fix = "`decision = interrupt(...)` inside the node `ask`, with what is to be paid, and no `try` around it."
        yield Finding(given, what, "one question, before anything is paid", fix)
    if not answers and calls:
        fix = "nobody has said yes yet: `pay` belongs behind the question, and into the other node."
        yield Finding(given, what, "one question and no call of `pay`", fix, INPUT)
    if refund["order"] not in str(questions[0]) or not holds_amount(str(questions[0]), refund["cents"]):
        fix = "a person can only decide about what they see: hand both to `interrupt`."
        needs = f"the order and the amount in the question: {refund['cents']}, or {refund['cents'] / 100:.2f}"
        yield Finding(given, f"the question {questions[0]!r}", needs, fix)
    if len(questions) > 1:
        yield Finding(given, what, "one question", "ask once; the answer is what `interrupt` gives back.")
    if calls and not is_yes:
        fix = 'compare the whole answer, as it came: `== "approve"`.'
        yield Finding(given, what, "no call of `pay`", fix, NEARLY)
    if is_yes:
        yield paid(calls, one, given, what)
    if answers:
        yield in_state(seen.returned[0]["state"], "paid" if is_yes else "refused", given)


def holds_amount(text: str, cents: int) -> bool:
    """True when a number in the text is these cents, or the same in euros.

    >>> [holds_amount(text, 1510) for text in ("{'cents': 1510}", "15.10 euros?", "15,1", "15 euros?", "NR-15101")]
    [True, True, True, False, False]
    """
    numbers = [float(number.replace(",", ".")) for number in re.findall(r"\d+(?:[.,]\d+)?", text)]
    return any(number == cents or round(number * 100) == cents for number in numbers)


def paid(calls: Sequence[Effect], one: Run, given: str, what: str) -> Finding | None:
    """A finding unless what was shown was paid, once."""
    needs, wanted = "one call of `pay`, with the key, the order and the cents", one["state"]
    if len(calls) != 1:
        return Finding(given, what, needs, "`pay(...)` once, in the node `settle`, after a yes.")
    call = calls[0]
    if not {"order": wanted["order"], "cents": wanted["cents"]}.items() <= call.data.items():
        fix = '`pay(key=state["id"], order=state["order"], cents=state["cents"])`.'
        return Finding(given, f"`pay` with {call.data!r}", needs, fix)
    if call.key != wanted["id"]:
        fix = "by its key the bank knows a repeat of this refund, and tells it from every other one."
        what = f"`pay` with key={call.key!r}" if call.key else "`pay` without a key"
        return Finding(given, what, f"key={wanted['id']!r}, the refund's id", fix)
    return None


def in_state(state: Any, wanted: str, given: str) -> Finding | None:
    """A finding unless the state ends with this status."""
    status = state.get("status") if isinstance(state, dict) else None
    if status == wanted:
        return None
    what = f"the status {status!r} in the state" if status else "no status in the state"
    return Finding(given, what, repr(wanted), f'the last node gives back {{"status": {wanted!r}}}.')


def told(refund: dict[str, Any], answers: Sequence[str]) -> str:
    said = f"the answer is {answers[0]!r}" if answers else "nobody answers"
    return f"{refund['id']}: {refund['cents']} cents for order {refund['order']}; {said}"


TASK = Task(
    "approval.ask",
    "Ask, then pay",
    1,
    ask,
    (
        "The example stops, and goes on with what a person said. What must this person see, to say yes or no?",
        "`interrupt(...)` gives back the answer; the node puts it into the state, where the next node reads it.",
        '`return {"decision": interrupt({"order": state["order"], "cents": state["cents"]})}`; then pay only '
        'if `state["decision"] == "approve"`.',
    ),
    models={},
    tools={"pay": "pay"},
    driver="asked",
)

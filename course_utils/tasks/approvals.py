"""Exercise 10, "Approve, pay once", first tasks: a graph that asks before it pays, and one that pays before it asks.

Layer 2: imports `expect`, `texts` and `server.cases`. Payments and letters are effects; refunds carry nonces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from random import Random
from typing import Any

from course_utils.records import count
from course_utils.server.cases import Case, Finding, Seen, Task
from course_utils.server.effects import Effect
from course_utils.tasks import expect
from course_utils.tasks.texts import nonce

Run = dict[str, Any]  # "state": a refund; "answers": what people say, in turn
INPUT = "that `interrupt` waits like `input()`, and goes on in the next line; the node begins again at its first line."
RAISED = "that everything which is raised is a failure; `interrupt` stops a node by raising an exception."
NEARLY = "that whatever is no refusal is a yes; no answer, and an unclear one, is a no."
ONE_KEY = "that one key will do for everything; the second refund looks like a repeat of the first."


def run(rng: Random, *answers: str) -> Run:
    state = {"id": f"RF-{nonce(rng)}", "order": nonce(rng), "cents": rng.randint(500, 1999)}
    return {"state": state, "answers": list(answers)}


def nobody(request: Any, number: int) -> str:
    """No model is handed over, and none is asked."""
    return ""


def ask(rng: Random) -> list[Case]:
    return [
        ask_case("nobody has answered", run(rng)),
        ask_case("a yes", run(rng, "approve")),
        ask_case("a no", run(rng, "refuse")),
        ask_case("almost a yes", run(rng, "approved?")),
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


@expect.in_order
def judge_ask(seen: Seen, *, one: Run) -> Iterator[Finding | None]:
    refund, answers = one["state"], one["answers"]
    given, is_yes = told(refund, answers), answers == ["approve"]
    yield no_graph(seen, given)
    yield expect.crashed(seen, given=given, needs="one question, and then what the answer says")
    questions, calls = seen.returned[0]["asked"], seen.effects
    what = f"{count(len(questions), 'question')}, {count(len(calls), 'call')} of `pay`"
    if not questions:
        fix = "`decision = interrupt(...)` inside the node `ask`, with what is to be paid, and no `try` around it."
        yield Finding(given, what, "one question, before anything is paid", fix)
    if not answers and calls:
        fix = "nobody has said yes yet: `pay` belongs behind the question, and into the other node."
        yield Finding(given, what, "one question and no call of `pay`", fix, INPUT)
    if not all(str(refund[part]) in str(questions[0]) for part in ("order", "cents")):
        fix = "a person can only decide about what they see: hand both to `interrupt`."
        yield Finding(given, f"the question {questions[0]!r}", "the order and the cents in the question", fix)
    if len(questions) > 1:
        yield Finding(given, what, "one question", "ask once; the answer is what `interrupt` gives back.")
    if calls and not is_yes:
        fix = 'compare the whole answer: `== "approve"`.'
        yield Finding(given, what, "no call of `pay`", fix, NEARLY)
    if is_yes:
        yield paid(calls, one, given, what)
    if answers:
        yield in_state(seen.returned[0]["state"], "paid" if is_yes else "refused", given)


def paid(calls: Sequence[Effect], one: Run, given: str, what: str) -> Finding | None:
    """A finding unless what was shown was paid, once."""
    needs, wanted = "one call of `pay`, with the key, the order and the cents", one["state"]
    if len(calls) != 1:
        return Finding(given, what, needs, "`pay(...)` once, in the node `settle`, after a yes.")
    call = calls[0]
    if call.key and {"order": wanted["order"], "cents": wanted["cents"]}.items() <= call.data.items():
        return None
    what = f"`pay` with key={call.key!r} and {call.data!r}"
    return Finding(given, what, needs, '`pay(key=state["id"], order=state["order"], cents=state["cents"])`.')


def in_state(state: Any, wanted: str, given: str) -> Finding | None:
    """A finding unless the state ends with this status."""
    status = state.get("status") if isinstance(state, dict) else None
    if status == wanted:
        return None
    what = f"the status {status!r} in the state" if status else "no status in the state"
    return Finding(given, what, repr(wanted), f'the last node gives back {{"status": {wanted!r}}}.')


def letter(rng: Random) -> list[Case]:
    return [
        letter_case("nobody has answered", run(rng)),
        letter_case("send", run(rng, "send")),
        letter_case("hold", run(rng, "hold")),
        letter_case("almost a yes", run(rng, "send?")),
        letter_case("two refunds", run(rng, "send"), run(rng, "hold")),
        letter_case("a yes with a condition", run(rng, "send, if it is short"), held_back=True),
        letter_case("one answered, one not", run(rng), run(rng, "send"), held_back=True),
    ]


def letter_case(name: str, *runs: Run, held_back: bool = False) -> Case:
    return Case(name, {"runs": list(runs)}, nobody, partial(judge_letter, runs=runs), held_back)


@expect.in_order
def judge_letter(seen: Seen, *, runs: Sequence[Run]) -> Iterator[Finding | None]:
    given = "; then ".join(told(one["state"], one["answers"]) for one in runs)
    yield no_graph(seen, given)
    yield expect.crashed(seen, given=given, needs="one payment each, and a letter where somebody said send")
    for one, came in zip(runs, seen.returned, strict=True):
        yield one_letter(seen, one, came, told(one["state"], one["answers"]) if len(runs) > 1 else given)


@expect.in_order
def one_letter(seen: Seen, one: Run, came: dict[str, Any], given: str) -> Iterator[Finding | None]:
    """What became of one refund."""
    answers, (payments, letters) = one["answers"], done(seen, one)
    what = f"{count(payments, 'payment')}, {count(letters, 'letter')} sent, {count(len(came['asked']), 'question')}"
    if not came["asked"]:
        fix = "`interrupt` stops the node by raising an exception: is it called, and who catches that?"
        yield Finding(given, what, "a question, and no letter before its answer", fix, RAISED if letters else "")
    if not payments and any(call.data.get("refund") == one["state"]["id"] for call in seen.effects):
        fix = "the key has done its work for another refund: make it of the refund's id."
        yield Finding(given, what, "one payment", fix, ONE_KEY)
    if not payments:
        fix = "each refund goes out at once, before anybody is asked."
        yield Finding(given, what, "one payment", fix)
    if payments > 1:
        fix = "the node that asks begins again when the answer comes. Where could the payment stand instead?"
        yield Finding(given, what, "one payment", fix, INPUT)
    if letters != (answers == ["send"]):
        fix = 'the letter goes out after exactly "send", once.'
        yield Finding(given, what, "one letter" if answers == ["send"] else "no letter", fix, NEARLY if letters else "")
    if answers:
        yield in_state(came["state"], "sent" if answers == ["send"] else "held", given)


def done(seen: Seen, one: Run) -> tuple[int, int]:
    """How many payments and letters there were for a refund."""
    own = [call.name for call in seen.effects if call.happened and call.data.get("refund") == one["state"]["id"]]
    return own.count("pay"), own.count("send letter")


def told(refund: dict[str, Any], answers: Sequence[str]) -> str:
    said = f"the answer is {answers[0]!r}" if answers else "nobody answers"
    return f"{refund['id']}: {refund['cents']} cents for order {refund['order']}; {said}"


TASKS = (
    Task(
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
    ),
    Task(
        "approval.letter",
        "Find the bug: the letter nobody read",
        2,
        letter,
        (
            "Follow the run in which nobody answers. `interrupt` raises to stop the node: who gets that exception?",
            "Take the `try` away, and count the payments for one answer. How often does a node run that asks once?",
            "Two nodes: `pay` calls `act` and asks nobody; `ask` only gives back "
            '`{"answer": interrupt("May the letter go out?")}`. Then `add_sequence([pay, ask, write])`.',
        ),
        models={},
        tools={"act": "act"},
        driver="asked",
    ),
)

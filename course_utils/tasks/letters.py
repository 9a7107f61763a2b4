"""Exercise 10, "Approve, pay once", third task: a graph that pays at once, and asks before it sends a letter.

Layer 2: imports `approvals`, `expect`, `texts` and `server.cases`. Payments and letters are effects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from random import Random
from typing import Any

from course_utils.records import count
from course_utils.server.cases import Case, Finding, Seen, Task, cut
from course_utils.tasks import expect
from course_utils.tasks.approvals import INPUT, NEARLY, Run, broke, in_state, no_graph, nobody, run, told

RAISED = "that everything which is raised is a failure; `interrupt` stops a node by raising an exception."
ONE_KEY = "that one key will do for everything; the second refund looks like a repeat of the first."
MEMORY = "that a variable lives as long as somebody thinks; the program ends, and only what is stored stays."
NAMES = ("pay", "send letter")
ANEW = " (the answer comes to a graph that your function has built anew, with the same checkpointer)"


def letter(rng: Random) -> list[Case]:
    return [
        letter_case("nobody has answered", run(rng)),
        letter_case("send", run(rng, "send")),
        letter_case("hold", run(rng, "hold")),
        letter_case("almost a yes", run(rng, "send?")),
        letter_case("two refunds", run(rng, "send"), run(rng, "hold")),
        letter_case("the program ends before the answer", run(rng, "send", anew=True)),
        letter_case("a yes with a condition", run(rng, "send, if it is short"), held_back=True),
        letter_case("one answered, one not", run(rng), run(rng, "send"), held_back=True),
    ]


def letter_case(name: str, *runs: Run, held_back: bool = False) -> Case:
    return Case(name, {"runs": list(runs)}, nobody, partial(judge_letter, runs=runs), held_back)


@expect.in_order
def judge_letter(seen: Seen, *, runs: Sequence[Run]) -> Iterator[Finding | None]:
    given = "; then ".join(told_of(one) for one in runs)
    yield no_graph(seen, given)
    needs = "one payment each, and a letter where somebody said send"
    yield broke(seen, given, needs, 'act("pay", refund=…)')
    yield known(seen, [one["state"]["id"] for one in runs], given)
    for one, came in zip(runs, seen.returned, strict=True):
        yield one_letter(seen, one, came, told_of(one))


def told_of(one: Run) -> str:
    return told(one["state"], one["answers"]) + (ANEW if one["anew"] else "")


def known(seen: Seen, ids: Sequence[str], given: str) -> Finding | None:
    """A finding unless all that was done has one of the two names, and says for which refund it was."""
    for call in seen.effects:
        if call.name not in NAMES:
            what = f"`act` was called {cut(repr(call.name), 60)}"
            return Finding(given, what, "'pay' and 'send letter'", "the desk knows these two names, and no others.")
        if call.data.get("refund") not in ids:
            has = f"with refund={cut(repr(call.data['refund']), 60)}" if "refund" in call.data else "without `refund=`"
            fix = "without the refund's id nobody knows whose it is."
            return Finding(given, f"a {call.name!r} {has}", f'`act({call.name!r}, refund=state["id"])`', fix)
    return None


@expect.in_order
def one_letter(seen: Seen, one: Run, came: dict[str, Any], given: str) -> Iterator[Finding | None]:
    """What became of one refund."""
    answers, (payments, letters) = one["answers"], done(seen, one)
    what = f"{count(payments, 'payment')}, {count(letters, 'letter')} sent, {count(len(came['asked']), 'question')}"
    if not came["asked"]:
        fix = "`interrupt` stops the node by raising an exception: is it called, and who catches that?"
        yield Finding(given, what, "a question, and no letter before its answer", fix, RAISED if letters else "")
    if not payments and any(call.name == "pay" and call.data["refund"] == one["state"]["id"] for call in seen.effects):
        fix = "the key has done its work for another refund: make it of the refund's id."
        yield Finding(given, what, "one payment", fix, ONE_KEY)
    if not payments:
        fix = "each refund goes out at once, before anybody is asked."
        yield Finding(given, what, "one payment", fix)
    if payments > 1 and one["anew"]:
        fix = "a variable of the first graph is gone with it. In which node is a payment that nobody repeats?"
        yield Finding(given, what, "one payment", fix, MEMORY)
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


TASK = Task(
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
)

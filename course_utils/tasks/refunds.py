"""Exercise 10, "Approve, pay once", the main task: a desk for refunds that survives a restart.

Layer 2: imports `desk`, `expect`, `nodes`, `payments`, `records`, `server.cases`, `server.effects` and `server.slips`.
The bank is the case's record of effects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any

from course_utils.records import Trace, count
from course_utils.server.cases import Case, Finding, Scene, Seen, Task
from course_utils.server.effects import LOST, SILENT
from course_utils.server.slips import slip_in
from course_utils.tasks import expect, nodes
from course_utils.tasks.desk import AWAY, OPEN, Desk, Step
from course_utils.tasks.payments import LAST, NEARLY, as_shown, in_words, paid_once, unasked

PAY = "pay(key=…, order=…, cents=…, note=…)"
CERTAIN = "the yes is on record and the payment is not certain: what does the next `resume` still have to do?"
ENDS = ("paid", "refused")
BANK = ("TimeoutError", "ServiceError", "RetryError")  # what may come out while the bank has not said yes
MEMORY = "that a variable lives as long as somebody thinks; the program ends, and only the file stays."
ANEW = "that a model which is asked again says the same; the yes belongs to what was shown."


def desk(rng: Random) -> list[Case]:
    return [
        made("nobody has answered", rng, ["start A"]),
        made("a yes", rng, ["start A", "approve A"]),
        made("a no, then a yes", rng, ["start A", "refuse A", "approve A"]),
        made("almost a yes", rng, ["start A", "approved? A", "Approve A"]),
        made("three clicks", rng, ["start A", "approve A", "approve A", "refuse A"]),
        made("two refunds of one order", rng, ["start A", "start B", "approve B", "approve A"]),
        made("the answer gets lost", rng, ["start A", "approve A", "approve A"], [LOST]),
        made("the bank is away, then a no", rng, ["start A", "approve A", "refuse A"], [AWAY]),
        made("killed behind the payment", rng, ["start A", "approve A", "approve A"], [SILENT]),
        made("killed while the model thinks", rng, ["start A!", "start A", "approve A"]),
        made("started twice", rng, ["start A", "start A+", "approve A", "start A"]),
        made("never started", rng, ["start B", "approve A"]),
        made("killed behind the payment, then a no", rng, ["start A", "approve A", "refuse A"], [SILENT],
             held_back=True),
        made("a word, then a yes", rng, ["start A", "yes A", "approve A"], held_back=True),
        made("one yes, one no, both lost", rng, ["start A", "start B", "refuse B", "approve A", "start B", "approve A"],
             [LOST], held_back=True),
        made("two lost", rng, ["start A", "start B", "approve A", "approve B", "refuse B", "approve A"], [LOST],
             held_back=True),
    ]  # fmt: skip


def made(name: str, rng: Random, tokens: Sequence[str], fates: Sequence[int] = (), *, held_back: bool = False) -> Case:
    good = Desk(rng, fates)
    steps = [good.step(token) for token in tokens]
    judge = partial(judge_desk, good=good, steps=steps)
    arguments = {"steps": [step.plain for step in steps]}
    return Case(name, arguments, good.script, judge, held_back, Scene(outcome=good.outcome))


@expect.in_order
def judge_desk(seen: Seen, *, good: Desk, steps: Sequence[Step]) -> Iterator[Finding | None]:
    many = len({step.refund for step in steps}) > 1
    told = [f"{step} for {step.refund}" if many else str(step) for step in steps]
    given = "; ".join(f"process {number}: {words}" for number, words in enumerate(told, 1))
    yield expect.crashed(seen, given=given, needs="a class that each process makes anew")
    came: list[Mapping[str, Any]] = seen.returned
    wrong = first_wrong(steps, came)
    is_error_due = wrong and wrong[0].wants in ("KeyError", "ValueError")
    if wrong and ("stopped" in wrong[1] or ("raised" in wrong[1] and not is_error_due)):
        yield unexpected(steps, came, given)
    yield unasked(seen, good, steps, given)
    yield requests(seen, good, came, given)
    yield as_shown(seen.effects, good, given)
    if wrong:
        yield unexpected(steps, came, given)
    yield paid_once(seen.effects, good, came, given)


def first_wrong(steps: Sequence[Step], came: Sequence[Mapping[str, Any]]) -> tuple[Step, Mapping[str, Any]] | None:
    """The first step that came to something else."""
    return next((pair for pair in zip(steps, came, strict=True) if not is_right(*pair)), None)


def is_right(step: Step, outcome: Mapping[str, Any]) -> bool:
    if step.wants == "killed":
        return "killed" in outcome
    if step.wants == OPEN:
        return outcome.get("returned") == "paid" or bool({*BANK} & {*outcome.get("lineage", ())})
    return outcome.get("returned") == step.wants or step.wants in outcome.get("lineage", ())


def unexpected(steps: Sequence[Step], came: Sequence[Mapping[str, Any]], given: str) -> Finding:
    """The finding about the first step that came to something else."""
    step, outcome = next(pair for pair in zip(steps, came, strict=True) if not is_right(*pair))
    needs = {OPEN: "the bank's error; or 'paid', after the same call once more", "killed": "a request that is seen"}
    if step.wants == "killed":
        needs["killed"] = "a request to the model" if step.word == "start" else "a call of `pay`"
    wanted = step.wants if step.wants.endswith("Error") else repr(step.wants)
    fix, belief = where_to_look(step, outcome, steps)
    return Finding(given, in_words(came), needs.get(step.wants, f"{wanted} from {step}"), fix, belief)


def where_to_look(step: Step, outcome: Mapping[str, Any], steps: Sequence[Step]) -> tuple[str, str]:
    """Where to look, and the belief, when a step came to something that it should not."""
    number, got, raised = steps.index(step) + 1, outcome.get("returned"), outcome.get("raised", "")
    if "stopped" in outcome:
        if "never comes" in outcome["stopped"]:  # of a payment in another process than the one that is killed behind it
            return "only `resume` pays, and only after 'approve'.", ""
        return "let the method return or raise: it waits for nobody, and does not end its process itself.", ""
    if "is called with" in outcome.get("message", ""):
        return "keep the parameters of the stub.", ""
    if raised != "KeyError" and (advice := nodes.advice(raised, outcome.get("message", ""), PAY)):
        return advice
    if fix := slip_in(Seen(Trace(()), raised=outcome.get("raised", ""), message=outcome.get("message", ""))):
        return fix, ""
    if step.wants == "ValueError":
        return "only 'approve' and 'refuse', letter by letter, are decisions.", NEARLY if got == "paid" else ""
    if step.wants == "KeyError":
        return "nobody has ever asked about this refund: `raise KeyError(request_id)`.", ""
    if raised and number > 1 and not {*BANK} & {*outcome.get("lineage", ())}:
        is_gone = "LookupError" in outcome.get("lineage", ()) and step.refund in outcome.get("message", "")
        if is_gone and len({each.refund for each in steps}) > 1:
            return "is the older record still in the file after another one was saved? Keep each under its id.", ""
        fix = f"process {number} has only what stands in the file at `path`. What must be there before another ends?"
        return fix, MEMORY if is_gone else ""
    if raised:
        return "look at the line that raised it: what did it get?", ""
    if step.wants == OPEN:
        return "nobody knows if it is paid: let the bank's error out, or make the same call again at once.", ""
    if got == "approved" and step.wants == "paid":
        if any(each.refund == step.refund and each.wants in (OPEN, "killed") for each in steps[: number - 1]):
            return CERTAIN, ""
        return "`pay` has come back: with that the refund is paid. Save that, and return it.", ""
    if got in ENDS and step.wants in ENDS:
        return "the first decision counts: write it down, before the bank hears of it, and look there first.", LAST
    return "return one of 'waiting', 'paid', 'refused': how the refund stands at the end of the call.", ""


def requests(seen: Seen, good: Desk, came: Sequence[Mapping[str, Any]], given: str) -> Finding | None:
    """A finding unless the model was asked once for each refund, and again only when it never answered."""
    for number, code in enumerate(good.asked[: len(seen.trace)], 1):
        fix = "`llm` makes the summary of the ticket: put request['ticket'] into the prompt."
        if code not in seen.trace[number - 1].prompt and len(seen.trace) <= len(good.asked):
            return Finding(given, f"request {number} does not hold the ticket", "the ticket in the prompt", fix)
    what, needs = f"{count(len(seen.trace), 'request')}; {in_words(came)}", count(len(good.asked), "request")
    if len(seen.trace) > len(good.asked):
        fix = "a summary that stands in the file is not made again, neither by `resume` nor by a second `start`."
        return Finding(given, what, needs, fix, ANEW)
    if len(seen.trace) < len(good.asked):
        fix = "`start` asks `llm` for a summary of the ticket; a record without a summary has not been started."
        return Finding(given, what, needs, fix)
    return None


TASK = Task(
    "approval.desk",
    "Approve, pay once, survive a restart",
    4,
    desk,
    (
        "Each call may be the last before the power fails. What must be in the file before you return 'waiting'? And "
        "what, before the bank hears of it?",
        "One record for each refund: the request, the summary, the status. `resume` works in three steps: write the "
        "decision down if it is the first; pay with a key made of the request's id; save 'paid'.",
        "In `resume`: KeyError, ValueError; then `if record['status'] == 'waiting'`: set 'approved' or 'refused', "
        "save; then `if record['status'] == 'approved'`: `pay(key=request_id, order=..., cents=..., note=...)`, set "
        "'paid', save; `return record['status']`. In `start`: a record that is there is not made again.",
    ),
    tools={"pay": "pay", "case": "case"},
    driver="restarted",
)

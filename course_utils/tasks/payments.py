"""Exercise 10, "Approve, pay once", the main task: what the bank saw of a desk for refunds.

Layer 2: imports `desk`, `server.cases` and `server.effects`. Each question gives a finding, or None when all is well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from course_utils.records import count
from course_utils.server.cases import Finding, Seen, cut
from course_utils.server.effects import Effect
from course_utils.tasks.desk import WORDS, Desk, Step

REPORT = "that a report afterwards is as good as a question before."
NEARLY = "that whatever is no refusal is a yes; no answer, and an unclear one, is a no."
NO_KEY = "that a timeout means that nothing has happened."
NEW_KEY = "that a key belongs to an attempt; it belongs to what a person has approved."
ONE_KEY = "that one key will do for everything; the second refund looks like a repeat of the first."
KEY_ONLY = "that a key makes the status needless; a bank may forget a key after a day."
HOPE = "that what was sent has arrived."
LAST = "that the last click counts; a yes that nobody wrote down can be contradicted by the next one."
REFUSED = "a no is a no: nothing is paid then, now and later. Look at the status first."


def unasked(seen: Seen, good: Desk, steps: Sequence[Step], given: str) -> Finding | None:
    """A finding when something was paid, and nobody has approved anything that could be approved."""
    if not seen.effects or good.paid:
        return None
    words, belief = {step.word for step in steps}, ""
    if words - {"start", *WORDS}:
        fix, belief = 'compare the whole answer: `== "approve"`.', NEARLY
    elif "refuse" in words:
        fix, belief = REFUSED, LAST if "approve" in words else ""
    elif "approve" in words:
        fix = "pay what `start` has asked about, and nothing else."
    else:
        fix, belief = "`start` only asks. What has nobody said yet?", REPORT
    return Finding(given, f"{count(len(seen.effects), 'call')} of `pay`", "no call of `pay`", fix, belief)


def as_shown(calls: Sequence[Effect], good: Desk, given: str) -> Finding | None:
    """A finding unless each call carries a key and what a person has seen."""
    wanted = {"order": good.order, "cents": good.cents}
    for call in calls:
        if not call.key:
            fix = "without a key the bank cannot tell a repeat from a new payment."
            return Finding(given, "`pay` without a key", "a key with every call", fix, NO_KEY)
        if {name: call.data.get(name) for name in wanted} != wanted:
            fix = (
                "pay what a person has seen: order and cents of the first `start`, neither a later one's nor a model's."
            )
            return Finding(given, f"`pay` with {cut(repr(call.data), 160)}", f"{wanted}, and the note", fix)
        if not any(text in str(call.data.get("note")) for text in good.shown.values()):
            what, fix = f"`pay` with note={call.data.get('note')!r}", "keep what the model said, and pay with it."
            return Finding(given, what, "the summary that `start` got from the model, as the note", fix)
    return None


def paid_once(calls: Sequence[Effect], good: Desk, came: Sequence[Mapping[str, Any]], given: str) -> Finding | None:
    """A finding unless each approved refund was paid once, and the bank called no more often than that takes."""
    for refund in good.shown:
        wanted = good.paid.get(refund, 0)
        own = [call for call in calls if good.shown[refund] in str(call.data["note"])]
        happened, keys = sum(call.happened for call in own), {call.key for call in own}
        needs = f"one payment for {refund}, {count(wanted, 'call')} with one key"
        what = f"{count(len(own), 'call')} of `pay` with {count(len(keys), 'key')}, {count(happened, 'payment')}"
        what = f"{what}; {in_words(came)}"
        if own and not wanted:
            return Finding(given, what, f"no call of `pay` for {refund}", REFUSED)
        if happened > 1 or len(keys) > 1:
            fix = "make the key of the request's id, or once in `start`, and keep it in the file."
            return Finding(given, what, needs, fix, NEW_KEY)
        if own and not happened and keys & {call.key for call in calls if call not in own}:
            fix = "two refunds are two payments, even of one sum for one order: what tells them apart?"
            return Finding(given, what, needs, fix, ONE_KEY)
        if len(own) > wanted:
            fix = "the bank has said yes: look at the status first, and save 'paid' behind the payment."
            return Finding(given, what, needs, fix, KEY_ONLY)
        if len(own) < wanted:
            fix = "save 'paid' when `pay` has come back, not before. Until then, the same call with the same key again."
            return Finding(given, what, needs, fix if own else "after 'approve', call `pay`.", HOPE if own else "")
    return None


def in_words(came: Sequence[Mapping[str, Any]]) -> str:
    """What each process came to."""
    return ", ".join(f"process {number}: {outcome(each)}" for number, each in enumerate(came, 1))


def outcome(each: Mapping[str, Any]) -> str:
    if "raised" in each:
        return cut(f"{each['raised']}: {each['message']}", 110)
    return "killed" if "killed" in each else cut(repr(each["returned"]), 40) if "returned" in each else each["stopped"]

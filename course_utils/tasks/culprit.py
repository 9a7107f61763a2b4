"""Exercise 11, "A failing workflow": a step mended, whose caught error was felt only two steps later.

Layer 2: imports `expect`, `slips`, `texts` and `server.cases`. Orders and answers carry nonces.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random

from course_utils.records import count
from course_utils.server.cases import Case, Finding, Seen, Task
from course_utils.tasks import expect
from course_utils.tasks.slips import crashed, slipped
from course_utils.tasks.texts import answers, nonce

HIDDEN = "that an error which is caught is an error that is dealt with."
SPELLED = "that what comes from outside is spelled as in your own tables."


def tickets(rng: Random) -> list[Case]:
    ours, other = rng.sample(range(10000, 99999), 2)
    return [
        ticket_case("an order in capitals", rng, f"MB-{ours}", ours),
        ticket_case("an order in small letters", rng, f"mb-{ours}", ours),
        ticket_case("no order named", rng, "the blue one", ours),
        ticket_case("an order that is not there", rng, f"MB-{other}", ours),
        ticket_case("an order in both", rng, f"Mb-{ours}", ours),
        ticket_case("a number that is no order", rng, f"invoice {other}", ours, held_back=True),
        ticket_case("not there, and in small letters", rng, f"mb-{other}", ours, held_back=True),
    ]


def ticket_case(name: str, rng: Random, named: str, ours: int, *, held_back: bool = False) -> Case:
    """A ticket that names something, to a desk that knows one other order besides number `ours`."""
    text = f"Where is my parcel? I ordered on {rng.randint(2, 27)} March, {named}. My card ends in {nonce(rng)}."
    orders = {f"MB-{ours}": f"left on the lorry {nonce(rng)}", "MB-10000": f"lost, says {nonce(rng)}"}
    desk = f"desk {nonce(rng)}"
    wanted = named.upper() if named.upper().startswith("MB-") else None
    judge = partial(judge_gather, text=text, orders=orders, wanted=wanted, desk=desk)
    return Case(name, {"text": text, "orders": orders}, answers(desk), judge, held_back)


@expect.in_order
def judge_gather(
    seen: Seen, *, text: str, orders: dict[str, str], wanted: str | None, desk: str
) -> Iterator[Finding | None]:
    named = text.split(", ")[1].split(".")[0]
    given = f"a ticket that names {named!r}; the desk knows the orders {' and '.join(sorted(orders))}"
    if wanted is not None and wanted not in orders:
        yield unknown(seen, given=given)
        return
    needs = f"{{'desk': {desk!r}, 'order': {orders[wanted] if wanted else None!r}}}"
    yield stumbled(seen, wanted, given=given, needs=needs)
    yield crashed(seen, given=given, needs=needs)
    yield expect.request_count(seen, 1, given=given, then=needs, fix="one question, about the desk, is all it asks.")
    yield expect.carries(seen, 1, text, given=given, what="the ticket", fix="ask as the old version did.")
    yield found(seen, wanted, {"desk": desk, "order": orders[wanted] if wanted else None}, given=given)


def unknown(seen: Seen, *, given: str) -> Finding | None:
    """A finding unless the error of an order that is not there reaches the caller, before anything is paid for."""
    needs = "a KeyError, and no request: nobody can answer this ticket"
    if not seen.raised:
        what = f"your function gave {seen.outcome}"
        fix = "let the error of `orders[...]` out: no `suppress`, no `except`, no `get` around it."
        return Finding(given, what, needs, fix, HIDDEN)
    if "KeyError" not in seen.lineage:
        fix = "find it in any spelling, look it up, and let `orders[...]` raise what it raises."
        slip = slipped(seen, given=given, needs=needs)
        return slip or Finding(given, f"your function raised {seen.outcome}", needs, fix)
    if len(seen.trace):
        what = f"{count(len(seen.trace), 'request')}, and then a KeyError"
        return Finding(given, what, needs, "look the order up before you ask the model.")
    return None


def stumbled(seen: Seen, wanted: str | None, *, given: str, needs: str) -> Finding | None:
    """A finding when an order was spelled otherwise than expected, or not at all."""
    is_none = "'NoneType' object" in seen.message
    what = f"your function raised {seen.outcome}"
    if is_none and wanted is None:
        fix = "`re.search` gives None when nothing is found: ask for that before you take `[0]` of it."
        return Finding(given, what, needs, fix)
    if "KeyError" in seen.lineage and wanted is not None and wanted.lower() in seen.message.lower():
        fix = "find it in any spelling, and look it up in the spelling that `orders` has."
        return Finding(given, what, needs, fix, SPELLED)
    if is_none:
        fix = "`re.search` finds nothing here and gives None: this spelling is an order as well."
        return Finding(given, what, needs, fix, SPELLED)
    return None


def found(seen: Seen, wanted: str | None, facts: dict[str, str | None], *, given: str) -> Finding | None:
    """A finding unless these facts came back."""
    got = seen.returned
    if got == facts:
        return None
    what, needs = f"your function gave {seen.outcome}", repr(facts)
    if not isinstance(got, dict) or set(got) != set(facts):
        if wanted is not None and isinstance(got, dict) and "order" not in got:
            fix = "the search failed, and nobody was told. What did it raise for this ticket, and who caught that?"
            return Finding(given, what, needs, fix, HIDDEN)
        fix = "always both keys, `desk` and `order`; for a ticket that names no order its value is None."
        return Finding(given, what, needs, fix)
    if wanted is not None and got["order"] is None:
        fix = "find it in small letters, and look it up in capitals: an `except` or a `suppress` around them would hide"
        fix += " the answer."
        return Finding(given, what, needs, fix, SPELLED)
    return Finding(given, what, needs, "`desk` is the `.text` of the answer, `order` the text out of `orders`.")


TASK = Task(
    "trace.mend",
    "Find the bug: the error that was caught",
    2,
    tickets,
    (
        "Print the first line of each run's `error`. Which run below `gather` failed, and what did its parent do "
        "about it?",
        "`re.search` takes `re.IGNORECASE`, and gives None when there is nothing; `.upper()` makes the spelling that "
        "`orders` has. `suppress` has to go: what it hides here is your own mistake.",
        "`named = re.search(r'MB-\\d{5}', text, re.IGNORECASE)`; `order = orders[named[0].upper()] if named else "
        "None`; then the question about the desk; then the dict.",
    ),
)

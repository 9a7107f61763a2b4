"""The questions about a loop that repeats requests: how many came, what lay between them, what its caller got.

Layer 2: imports `expect`, `troubles`, `records` and `server.cases`. Times are course seconds.
"""

from __future__ import annotations

from collections.abc import Iterator

from course_utils.records import count
from course_utils.server.cases import Finding, Seen
from course_utils.tasks import expect
from course_utils.tasks.troubles import QUOTA, Story, heals, named

ANY_ERROR = "that a second try can mend any error."
EVERY_429 = "that every 429 heals by waiting."
LAYERS = "that another layer of care costs nothing: attempts of nested layers multiply."
FIRST = "that `attempts` counts the repeats; it counts the first request as well."
AFTERWARDS = "that a pause belongs to each failure; it belongs between two attempts."
SWALLOWED = "that an empty result is kinder to the caller than an exception."


def gaps(seen: Seen) -> list[float]:
    """The seconds asked for before the first request, between each two, and after the last one."""
    starts = [record.course_start for record in seen.trace]
    found = [0.0] * (len(starts) + 1)
    for at, seconds in seen.sleeps:
        found[sum(start <= at for start in starts)] += seconds  # a request begins later than the pause before it
    return found


@expect.in_order
def well_told(seen: Seen, tale: Story) -> Iterator[Finding | None]:
    """Findings about the number of requests, the pause that leads nowhere, and what the caller gets."""
    if seen.raised and "APIError" not in seen.lineage and "RetryError" not in seen.lineage:
        yield broken_inside(seen, tale)
    yield number_of_requests(seen, tale)
    for number in range(1, len(seen.trace) + 1):
        fix = "repeat the same request, with the prompt as it is."
        yield expect.carries(seen, number, tale.prompt, given=tale.given, what="the prompt", fix=fix)
    if extra := gaps(seen)[-1]:
        what = f"a pause of {extra:g} s after the last attempt, when nothing was left to wait for"
        needs = "pauses between attempts only"
        yield Finding(tale.given, what, needs, "is there another attempt to come? Only then pause.", AFTERWARDS)
    if isinstance(tale.end, str):
        fix = "return the text of the answer."
        yield expect.returned(seen, tale.end, given=tale.given, what="the text of the answer", fix=fix)
    else:
        yield last_error(seen, tale)


def ended(seen: Seen) -> str:
    """What came back, without the body of a refusal."""
    return f"{seen.raised}: {seen.message.partition(' - {')[0]}" if "APIError" in seen.lineage else seen.outcome


def broken_inside(seen: Seen, tale: Story) -> Finding | None:
    """A finding about an exception that is no refusal of the provider's."""
    needs = "the answer's text" if isinstance(tale.end, str) else f"the error that the provider sent: {tale.end.status}"
    if seen.raised == "AttributeError":
        what = f"your function raised {ended(seen)}"
        fix = "not every error has a status and a response: one of the connection (`APIConnectionError`) has neither."
        if "'response'" in seen.message:
            fix = "an error of the connection has no `response`: `getattr(error, 'response', None)`."
        return Finding(tale.given, what, needs, fix)
    if not isinstance(tale.end, str) and seen.raised != "TypeError":
        fix = "let the provider's own error through: a plain `raise` in the `except` block."
        return Finding(tale.given, f"your function raised {ended(seen)}", needs, fix)
    return expect.crashed(seen, given=tale.given, needs=needs)


def number_of_requests(seen: Seen, tale: Story) -> Finding | None:
    """A finding unless it asked exactly as often as can help."""
    asked, wanted = len(seen.trace), tale.requests
    if asked == wanted:
        return None
    what, needs = f"{count(asked, 'request')}, then {ended(seen)}", count(wanted, "request")
    if asked < wanted:
        fix = "ask `llm`: only requests that go through it are seen."
        if asked == tale.attempts - 1 and asked > 1:
            fix = "does your loop count to its end? `attempts` is the number of requests, the first one included."
        elif asked:
            fix = f"{tale.told(asked)} may pass by itself: that one is worth another attempt."
        return Finding(tale.given, what, needs, fix)
    if isinstance(tale.end, str):
        return Finding(tale.given, what, needs, "stop at the first answer.")
    if not heals(tale.end):
        belief = EVERY_429 if tale.end.code == QUOTA else ANY_ERROR
        fix = f"no waiting mends {named(tale.end)}: look at the error before you go round again."
        return Finding(tale.given, what, f"{needs}, then the error itself", fix, belief)
    if asked >= 2 * wanted and wanted > 1:
        fix = "two layers repeat, one inside the other. Which one can go?"
        return Finding(tale.given, what, f"{needs} at most", fix, LAYERS)
    fix = "count the first request as well." if asked == wanted + 1 else "what ends your loop?"
    return Finding(tale.given, what, f"{needs} at most", fix, FIRST if asked == wanted + 1 else "")


def last_error(seen: Seen, tale: Story) -> Finding | None:
    """A finding unless the last refusal itself came out."""
    note, needs = tale.notes[tale.requests - 1 - tale.drops], "the last error, raised"
    if not seen.raised:
        fix = "when the last attempt fails, `raise` in the `except` block passes its error on."
        if tale.requests < tale.attempts:
            fix = "an error that no waiting mends goes to the caller at once: `raise` in the `except` block."
        return Finding(tale.given, f"your function returned {seen.outcome}", needs, fix, SWALLOWED)
    if "RetryError" in seen.lineage:
        fix = "tenacity wraps the error unless you say `reraise=True`."
        return Finding(tale.given, f"your function raised {ended(seen)}", needs, fix)
    if note not in seen.message:
        fix = "an earlier error came out. Raise the one that you have just caught."
        return Finding(tale.given, f"your function raised {ended(seen)}", needs, fix)
    return None

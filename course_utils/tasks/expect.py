"""The questions that judgements ask again and again; each answers with a finding, or None when all is well.

Layer 2: imports `server.cases` and `records`. Nothing here looks at wording or at seconds: only at which requests
came, in which order, what they carried, and what came back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import ParamSpec

from course_utils.records import count
from course_utils.server.cases import Finding, Seen

P = ParamSpec("P")


def in_order(questions: Callable[P, Iterator[Finding | None]]) -> Callable[P, Finding | None]:
    """Make a judgement of a generator of answers: the first finding, and nothing is asked after it."""

    @wraps(questions)
    def judge(*args: P.args, **kwargs: P.kwargs) -> Finding | None:
        return next((finding for finding in questions(*args, **kwargs) if finding), None)

    return judge


def request_count(seen: Seen, wanted: int, *, given: str, then: str, fix: str, belief: str = "") -> Finding | None:
    """A finding unless exactly `wanted` requests came; `then` says what should follow them."""
    if len(seen.trace) == wanted:
        return None
    what = f"{count(len(seen.trace), 'request')}, then {seen.outcome}"
    if len(seen.trace) < wanted and not seen.raised:
        fix += " Only requests that go through `llm`, the model your function is given, are seen."
    return Finding(given, what, f"{count(wanted, 'request')}, then {then}", fix, belief)


def in_turn(seen: Seen, *, given: str, fix: str) -> Finding | None:
    """A finding when a request began before the one before it had ended."""
    for number, (before, after) in enumerate(zip(seen.trace, seen.trace[1:], strict=False), start=1):
        if before.stop is None or after.start < before.stop:
            what = f"request {number + 1} began before request {number} had ended"
            return Finding(given, what, "one request after the other", fix)
    return None


def carries(seen: Seen, number: int, text: str, *, given: str, what: str, fix: str) -> Finding | None:
    """A finding unless the prompt of request `number` (from 1) holds `text`; white space may differ."""
    if squeeze(text) in squeeze(seen.trace[number - 1].prompt):
        return None
    if braces := re.search(r"\{\w+\}", seen.trace[number - 1].prompt):
        what_came = f"the prompt of request {number} holds {braces[0]!r}, braces and all"
        return Finding(given, what_came, f"{what} in its place", "put an f before the quotes of that text.")
    return Finding(given, f"the prompt of request {number} does not hold {what}", f"{what} in that prompt", fix)


def lacks(seen: Seen, number: int, text: str, *, given: str, what: str, fix: str, belief: str = "") -> Finding | None:
    """A finding when the prompt of request `number` (from 1) holds `text`."""
    if squeeze(text) not in squeeze(seen.trace[number - 1].prompt):
        return None
    return Finding(given, f"the prompt of request {number} holds {what}", f"{what} to stay out of it", fix, belief)


def returned(seen: Seen, wanted: str, *, given: str, what: str, fix: str) -> Finding | None:
    """A finding unless the text `wanted` came back, with nothing but spaces around it."""
    if isinstance(seen.returned, str) and seen.returned.strip() == wanted.strip() and not seen.raised:
        return None
    if isinstance(seen.returned, dict) and "$object" in seen.returned:
        kind = seen.returned["$object"]
        return Finding(
            given, f"your function returned an object of type {kind}", what, f"return the text inside that {kind}."
        )
    return Finding(given, f"your function gave {seen.outcome}", what, fix)


def raised(seen: Seen, wanted: str, *, given: str, fix: str) -> Finding | None:
    """A finding unless an exception of the type named `wanted`, or of a subclass, came out."""
    if wanted in seen.lineage:
        return None
    what = f"your function raised {seen.outcome}" if seen.raised else f"your function returned {seen.outcome}"
    return Finding(given, what, f"an exception of type {wanted}", fix)


def let_through(seen: Seen, refusal: str, *, given: str, needs: str, fix: str) -> Finding | None:
    """A finding when the answer's own gate raised `refusal` on something that is good."""
    if refusal not in seen.lineage or len(seen.trace) != 1:
        return None
    return Finding(given, f"your gate closed on it: {seen.outcome}", needs, fix)


def crashed(seen: Seen, *, given: str, needs: str) -> Finding | None:
    """A finding when an exception came out of a case that should end well."""
    if not seen.raised:
        return None
    if "script_ended" in seen.message:
        what = f"your function went on asking: {count(len(seen.trace), 'request')}, until the model refused"
        return Finding(given, what, needs, "look for a loop that has no way out.")
    if seen.raised == "TypeError" and "is called with" in seen.message:
        return Finding(
            given, f"your function cannot be called: {seen.message}", needs, "keep the parameters of the stub."
        )
    what = f"your function raised {seen.outcome}"
    return Finding(given, what, needs, "look at the line that raised it: what did it get?")


def squeeze(text: str) -> str:
    """`text` with every run of white space made one space, also where a prompt quotes it as JSON or Python does."""
    return " ".join(text.replace("\\n", " ").replace("\\t", " ").split())

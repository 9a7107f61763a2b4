"""Questions about requests that run side by side: was each item asked for once, and how many were open at a time?

Layer 2: imports `texts`, `server.cases` and `records`. An item carries a nonce, by which its request is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from course_utils.records import Record
from course_utils.server.cases import Finding, Seen
from course_utils.tasks.texts import nonce

BACKGROUND = "that `async def` makes a function run in the background."


def items(rng: Random, number: int) -> list[str]:
    """Questions that are told apart by a nonce each."""
    return [f"What does article {nonce(rng)} say?" for _ in range(number)]


def key_of(item: str) -> str:
    """What a prompt holds when it holds this item."""
    return item.split()[3]


def asked_for(seen: Seen, item: str) -> list[Record]:
    """The requests whose prompt holds this item."""
    return [record for record in seen.trace if key_of(item) in record.prompt]


def each_once(seen: Seen, wanted: Sequence[str], *, given: str, noun: str = "item") -> Finding | None:
    """A finding unless each item was asked for once, in a request of its own."""
    for number, item in enumerate(wanted, start=1):
        found = asked_for(seen, item)
        if len(found) != 1:
            what = f"{len(found)} requests with {noun} {number} in the prompt"
            fix = f"ask once for each {noun}. Only requests that go through `llm` are seen."
            return Finding(given, what, f"exactly one request for each {noun}", fix)
        if any(key_of(other) in found[0].prompt for other in wanted if other != item):
            what = f"the request for {noun} {number} holds another {noun} as well"
            return Finding(given, what, f"one {noun} in each prompt", f"build each prompt from its own {noun} alone.")
    return None


def side_by_side(seen: Seen, least: int, *, given: str, needs: str) -> Finding | None:
    """A finding when fewer than `least` requests were open at one moment."""
    peak = seen.trace.peak
    if peak >= least:
        return None
    if peak <= 1:
        what = "measured concurrency 1: each call waited for the one before"
        fix = "start all calls before you wait for the first: `ainvoke`, and `gather` or a TaskGroup around it."
        return Finding(given, what, needs, fix, BACKGROUND)
    return Finding(given, f"at most {peak} requests open at once", needs, "start the next one without waiting.")

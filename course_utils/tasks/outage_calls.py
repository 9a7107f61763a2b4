"""Exercise 9, "A fallback you can see", stretch: calls through a circuit breaker, and what has to become of each.

Layer 2: imports `scripts`, `texts`, `troubles` and `server.cases`. Times are course seconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from course_utils.server.cases import Seen
from course_utils.tasks.scripts import Reply
from course_utils.tasks.texts import nonce, words
from course_utils.tasks.troubles import trouble

CALL = re.compile(r"(?P<status>no|drop|\d+)(\+(?P<after>\w+))?(:(?P<why>[\w-]+))?(/(?P<meanwhile>\d))?(?P<second>')?")


@dataclass(frozen=True, slots=True)
class Call:
    """One call, and what has to become of it."""

    status: str  # what the model answers; "drop" when the line drops; "no" when it must not be asked
    why: str  # a key of FIXES
    after: float  # seconds after the call before
    of: int  # whose call it is: breaker 0's or breaker 1's
    key: str  # the nonce of its prompt
    text: str  # the answer, if one is given
    others: tuple[str, ...]  # keys of calls that come meanwhile, and must all be refused

    @property
    def reply(self) -> Reply:
        return self.text if self.status in ("200", "drop") else trouble(int(self.status.replace("no", "503")))


def call(rng: Random, word: str, times: dict[str, float]) -> Call:
    """The call that a word such as "200+over:probe/2" stands for."""
    found = CALL.fullmatch(word)
    assert found, word
    after = found["after"] or "0"
    others = tuple(nonce(rng) for _ in range(int(found["meanwhile"] or 0)))
    seconds = times[after] if after in times else float(after)
    why, of = found["why"] or "passes", int(bool(found["second"]))
    return Call(found["status"], why, seconds, of, nonce(rng), words(rng, 8), others)


def asks(key: str) -> str:
    return f"Summarise ticket {key} in one sentence."


def told(calls: Sequence[Call]) -> str:
    """The calls so far in a learner's words; of the last one only that it comes."""
    said = []
    for number, each in enumerate(calls, start=1):
        name = f"call {number}" + (f", {each.after:g} s later" if each.after else "")
        name += ", of the other breaker," if each.of else "," if each.after else ""
        what = {"no": "has to be refused", "drop": "meets a dropped line", "200": "meets a model that is well"}
        said.append(f"{name} {what.get(each.status, f'meets a {each.status}')}")
    return "; ".join(said)


def named(seen: Seen, number: int, key: str) -> str:
    """A call for a message; with the number of its request where they part: a call that is refused sends none."""
    request = next((place for place, record in enumerate(seen.trace, start=1) if key in record.prompt), number)
    return f"call {number}" + (f" (request {request})" if request != number else "")

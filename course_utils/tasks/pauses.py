"""The questions about pauses with full jitter: each within its bound, drawn from all of it, from the given generator.

Layer 2: imports `troubles` and `server.cases`. Times are course seconds. The pauses have to come from the generator
that the answer is handed: whichever way it draws, equal generators give equal pauses, and others give others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from course_utils.server.cases import Finding
from course_utils.tasks.troubles import Story

SLACK = 1e-9  # for sums of seconds
SOME = "that any random share is jitter; only pauses that may be anything from 0 on part the clients."
TOGETHER = "that waiting parts the clients; all who wait equally long come back together."
SEEDED = "that a seed in the code does no harm; every client then draws the same numbers."
OWN = "that a generator of one's own is as good; nobody can test it, or give each client another one."
SOONER = "that the client knows best when to come back."
EXACTLY = "that the server's moment is the best one; it tells the same moment to everybody."


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long random pauses may be, in seconds; the defaults are those of the stub."""

    base: float = 0.1
    cap: float = 1.0

    def of(self, number: int) -> float:
        """The longest random pause before repeat `number` (from 1)."""
        return min(self.cap, self.base * 2 ** (number - 1)) if number else 0.0

    @property
    def given(self) -> str:
        return f"base={self.base:g}, cap={self.cap:g}"


def within_bounds(found: Sequence[float], tale: Story, bounds: Bounds) -> Finding | None:
    """A finding unless each pause is at least what the refusal said, and no longer than the bound allows beside.

    Args:
        found: Seconds before the first attempt, and between each two.
    """
    for number, pause in enumerate(found):
        least, bound = tale.told_to_wait(number), bounds.of(number)
        where, needs = f"{bounds.given}, {tale.given}", f"more than {least:g} and at most {least + bound:g} s"
        what = f"a pause of {pause:.4g} s between attempts {number} and {number + 1}"
        if number == 0 and pause:
            what = f"a pause of {pause:.4g} s before the first attempt"
            return Finding(where, what, "no pause before anything has failed", "ask first, then pause.")
        if number == 0:
            continue
        if pause == 0:
            fix = "only waits through the `sleep` that you are handed are seen."
            return Finding(where, f"no pause between attempts {number} and {number + 1}", needs, fix)
        if pause < least - SLACK:
            fix = "`error.response.headers.get('retry-after')` says how many seconds; never come back before that."
            return Finding(where, what, needs, fix, SOONER)
        if least and pause <= least + SLACK:
            return Finding(where, what, needs, "add the random part on top of what the server says.", EXACTLY)
        if pause > least + bound + SLACK:
            return too_long(Finding(where, what, needs, ""), found, number, bounds)
    at_cap = sum(abs(pause - bounds.cap) < SLACK for pause in found)
    if at_cap > 1:
        what = f"{at_cap} pauses of exactly {bounds.cap:g} s"
        fix = "cap the bound first, then draw below it: all who draw more than the cap come back together."
        return Finding(f"{bounds.given}, {tale.given}", what, "another pause each time", fix, SOME)
    return None


def too_long(finding: Finding, found: Sequence[float], number: int, bounds: Bounds) -> Finding:
    """The finding with the rule that pause `number` may have come from."""
    if max(pause / bounds.of(each) for each, pause in enumerate(found[1:], start=1)) <= 1.25 + SLACK:
        return replace(finding, fix="draw from 0 up to the bound, and not around it.", misconception=SOME)
    if bounds.of(number) == bounds.cap:
        return replace(finding, fix="`cap` bounds what you draw from: `min(cap, base * 2**k)`.")
    return replace(finding, fix="before the first repeat the bound is `base`, and it doubles from there.")


def from_the_generator(calls: Sequence[Sequence[float]], given: str) -> Finding | None:
    """A finding unless equal generators gave equal pauses, and another one another pause each time."""
    first, again, other = calls
    needs = "equal pauses for equal generators, and others for another one"
    same = [number for number, (a, b) in enumerate(zip(first, other, strict=True), start=1) if abs(a - b) < SLACK]
    if same:
        what = f"pauses of {listed(first)} s with one generator, and {listed(other)} s with another"
        fix = "draw each pause anew, from the `rng` that you are handed."
        if len(same) < len(first):
            fix = f"pause {same[0]} is the same for every client. Full jitter draws each one from 0 up to its bound."
            return Finding(given, what, needs, fix, SOME)
        ratios = {round(later / pause, 6) for pause, later in pairwise(first)}
        return Finding(
            given, what, needs, fix, TOGETHER if len(ratios) <= 2 else SEEDED
        )  # once more where a cap begins
    if any(abs(a - b) > SLACK for a, b in zip(first, again, strict=True)):
        what = f"pauses of {listed(first)} s, and with an equal generator {listed(again)} s"
        return Finding(given, what, needs, "draw from the `rng` that you are handed, and from nothing else.", OWN)
    return None


def full(pauses: Sequence[float], given: str, bounds: Bounds) -> Finding | None:
    """A finding when the pauses use only a part of what is below their bounds."""
    shares = [pause / bounds.of(number) for number, pause in enumerate(pauses, start=1)]
    if min(shares) > 0.5 - SLACK:
        share = "three quarters" if min(shares) >= 0.75 else "half"
        what = f"pauses of {listed(pauses)} s: none below {share} of its bound"
        return Finding(given, what, "pauses from all between 0 and the bound", "full jitter begins at 0.", SOME)
    if max(shares[-3:]) < 0.5 + SLACK:
        what = f"pauses of {listed(pauses)} s: the last ones stay below half of their bounds"
        needs = f"the bounds {listed([bounds.of(number) for number in range(1, len(pauses) + 1)])} s"
        return Finding(given, what, needs, "the bound doubles with every repeat: `base * 2**k`, k = 0, 1, 2, …")
    return None


def listed(pauses: Sequence[float]) -> str:
    return ", ".join(f"{pause:.3g}" for pause in pauses)

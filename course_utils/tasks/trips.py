"""Exercise 9, "A fallback you can see", stretch: what becomes of a trip's bookings, and the calls of a good saga.

Layer 2: imports `server.effects`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby

from course_utils.server.effects import LOST, Effect

PARTS = ("flight", "hotel", "car")
FULL, AWAY = 409, 503
WHAT = {FULL: "is refused (409)", AWAY: "fails (503)", LOST: "loses its answer (504)"}
MOST = 5  # times that one thing is cancelled; then its error comes out

Fates = Mapping[str, Sequence[int]]  # action -> what becomes of its calls in order; 200 after that, FULL for ever


class Counted:
    """An outcome for each action by how often it was tried for its trip."""

    def __init__(self, fates: Fates) -> None:
        self.fates = fates
        self.tried: Counter[tuple[str, str]] = Counter()

    def __call__(self, effect: Effect, number: int) -> int:
        trip = str(effect.data.get("trip"))
        self.tried[trip, effect.name] += 1
        fates, tried = self.fates.get(effect.name, ()), self.tried[trip, effect.name]
        return FULL if FULL in fates else fates[tried - 1] if tried <= len(fates) else 200


def good(fates: Fates) -> list[str]:
    """The calls of a good saga, in order."""
    calls: list[str] = []
    for place, part in enumerate(PARTS):
        calls += tries(f"book {part}", fates)
        if FULL in fates.get(f"book {part}", ()):
            return calls + [each for done in reversed(PARTS[:place]) for each in tries(f"cancel {done}", fates)]
    return calls


def tries(action: str, fates: Fates) -> list[str]:
    """An action as often as it has to be tried: an answer that got lost is asked for once more."""
    met = fates.get(action, ())
    return [action] if FULL in met else [action] * min(MOST, 1 + len(met))


def never_done(fates: Fates) -> str:
    """The cancellation that fails as often as it is tried, and has to be the last one of its case; "" without one."""
    return next((action for action, met in fates.items() if met.count(AWAY) >= MOST), "")


def told(fates: Fates) -> str:
    """What becomes of the calls, in a learner's words."""
    said = []
    for action, met in fates.items():
        runs = [(WHAT[fate], len(list(same))) for fate, same in groupby(met)]
        became = ", then ".join(what + (" every time" if times >= MOST else "") for what, times in runs)
        said.append(f"`{action}` {became}")
    return "; ".join(said) or "everything goes well"

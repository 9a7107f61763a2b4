"""What a judged answer does to the world besides asking a model: payments, bookings, letters. Recorded, never real.

Layer 1: imports nothing of the package. Belongs to the server's event loop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

LOST = 504  # the effect happened, and the answer that says so never arrived
SILENT = 0  # the effect happened, and nobody answers as long as the caller waits: it is killed meanwhile
MOST = 200  # effects of one scope; a loop that has no way out ends here


@dataclass(frozen=True, slots=True)
class Effect:
    """One call that is meant to change something."""

    at: float  # course seconds
    name: str  # "pay", "book hotel"
    key: str  # the caller's idempotency key; "" when it gave none
    data: dict[str, Any]
    status: int = 200  # what the caller is told
    happened: bool = True


Outcome = Callable[[Effect, int], int]  # (the effect, its number from 1) -> a status, LOST or SILENT


@dataclass
class Effects:
    """The effects of one scope.

    Args:
        outcome: Decides what becomes of each call that is no repeat; everything succeeds when None.
    """

    outcome: Outcome | None = None
    calls: list[Effect] = field(default_factory=list)

    def take(self, at: float, name: str, key: str, data: dict[str, Any]) -> Effect:
        """What becomes of one call; a key that has done its work already does it no second time (status 200)."""
        asked = Effect(at, name, key, data)
        number = len(self.calls) + 1
        if number > MOST:
            status, happens = 410, False
        elif key and any(call.key == key and call.name == name and call.happened for call in self.calls):
            status, happens = 200, False
        else:
            status = self.outcome(asked, number) if self.outcome else 200
            happens = status in (200, LOST, SILENT)
        taken = Effect(at, name, key, data, status, happens)
        self.calls.append(taken)
        return taken

    @property
    def silent(self) -> int:
        """How many calls nobody answers."""
        return sum(call.status == SILENT for call in self.calls)

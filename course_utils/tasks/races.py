"""Two requests that race: what becomes of each, when the second one is due, and who wins.

Layer 2: imports `server.cases` and `server.wire`. Times are course seconds since the first request.
"""

from __future__ import annotations

from dataclasses import dataclass

from course_utils.server.cases import Seen
from course_utils.server.wire import ApiError

LINGER = 60.0  # the driver's nap when the answer is there


@dataclass(frozen=True, slots=True)
class Runner:
    """What becomes of a request so many seconds after it was made."""

    after: float
    text: str = ""  # the answer; "" when the connection breaks off
    refused: ApiError | None = None  # at once; then `after` is 0

    @property
    def told(self) -> str:
        if self.refused:
            return f"refuses at once ({self.refused.status})"
        return f"{'answers' if self.text else 'breaks off'} after {self.after:g} s"


@dataclass(frozen=True, slots=True)
class Race:
    """Two models and a delay."""

    delay: float
    primary: Runner
    backup: Runner

    @property
    def fails_early(self) -> bool:
        """True when the first one ends without an answer before the delay is over."""
        return not self.primary.text and self.primary.after < self.delay

    @property
    def due(self) -> float | None:
        """When the second request has to be made; None when it must not be."""
        if self.fails_early:
            return self.primary.after
        return self.delay if self.primary.after > self.delay else None

    @property
    def ends(self) -> dict[str, float]:
        """When each of those who are asked would be done."""
        return {"primary": self.primary.after} | ({} if self.due is None else {"backup": self.due + self.backup.after})

    @property
    def winner(self) -> str:
        """Who answers first; "" when nobody does."""
        return min((name for name in self.ends if getattr(self, name).text), key=self.ends.__getitem__, default="")

    @property
    def over(self) -> float:
        """When the answer is there, or the last error."""
        return self.ends[self.winner] if self.winner else max(self.ends.values())

    @property
    def given(self) -> str:
        second = "" if self.due is None else f"; the backup {self.backup.told} from its own start"
        return f"delay={self.delay:g}; the primary {self.primary.told}{second}"


def came_back(seen: Seen) -> float | None:
    """When the answer was there: the driver's nap began then."""
    return seen.sleeps[-1][0] if seen.sleeps and seen.sleeps[-1][1] == LINGER else None


def has_slept(seen: Seen) -> bool:
    """True when the answer itself has waited on the course clock; the driver's nap is one wait."""
    return len(seen.sleeps) > 1

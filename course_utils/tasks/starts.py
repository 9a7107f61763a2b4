"""Questions about when requests began: how many at one moment, and how many waits were asked for on the course clock.

Layer 2: imports `records` and `server.cases`. Times are course seconds, on a clock that jumps: they are exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from course_utils.records import Record
from course_utils.server.cases import Seen

SLACK = 1e-6  # for sums of seconds
REFUSED = 429
PAUSES = "that a pause makes a pace; tasks that pause side by side still start together."


def starts(records: Iterable[Record]) -> list[float]:
    """When each of these began, in order."""
    return sorted(record.course_start for record in records)


def refused(seen: Seen) -> list[Record]:
    """The requests that the limit did not let in."""
    return [record for record in seen.trace if record.status == REFUSED]


def together(moments: Sequence[float]) -> int:
    """How many began at the same moment, at most.

    >>> together([0, 0.25, 0.25, 0.25, 0.5])
    3
    """
    return max(Counter(round(moment, 4) for moment in moments).values(), default=0)


def per_second(moments: Sequence[float]) -> float:
    """How many began in a second, on average; for one moment, as if it were a thousandth of a second.

    >>> per_second([0, 0.25, 0.5, 0.75, 1])
    4.0
    """
    return (len(moments) - 1) / max(0.001, moments[-1] - moments[0]) if moments else 0.0


def listed(moments: Sequence[float], most: int = 8) -> str:
    """The moments in a learner's words.

    >>> listed([0, 1 / 3, 0.5]), listed(range(20), 3)
    ('0, 0.333 and 0.5 s', '0, 1, 2, … s')
    """
    shown = [f"{round(moment, 3):g}" for moment in moments[:most]]
    if len(moments) > most:
        return f"{', '.join(shown)}, … s"
    return f"{' and '.join([*([', '.join(shown[:-1])] if shown[:-1] else []), *shown[-1:]])} s"

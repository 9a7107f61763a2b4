"""Slips that only a task about traces brings about, told by the text of the error; all others are the judge's.

Layer 2: imports `expect`, `server.cases` and `server.slips`.
"""

from __future__ import annotations

from course_utils.server.cases import Finding, Seen
from course_utils.server.slips import SLIPS, Slip, slip_in
from course_utils.tasks import expect

POOLS = "`asyncio.to_thread`, or `ContextThreadPoolExecutor` from `langchain_core.runnables.config`"
OF_TRACES: tuple[Slip, ...] = (
    ("KeyError", "^None$", "the root has no parent: its `parent_run_id` is None."),
    ("AttributeError", "'re.Match' object", "a match is no text: `match[0]` is the text that was found."),
    ("RuntimeError", "cannot enter context", f"each thread needs a copy of its own: {POOLS} sees to that."),
)


def crashed(seen: Seen, *, given: str, needs: str) -> Finding | None:
    """A finding when an exception came out of a case that should end well, and a slip is named as what it is."""
    return slipped(seen, given=given, needs=needs) or expect.crashed(seen, given=given, needs=needs)


def slipped(seen: Seen, *, given: str, needs: str) -> Finding | None:
    """A finding when the exception that came out tells of one of the slips."""
    fix = slip_in(seen, SLIPS + OF_TRACES)
    return Finding(given, f"your function raised {seen.outcome}", needs, fix) if fix else None

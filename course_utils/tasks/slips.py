"""Slips of the keyboard that end in an exception: what to look at, told by the text of the error.

Layer 2: imports `expect` and `server.cases`.
"""

from __future__ import annotations

import re

from course_utils.server.cases import Finding, Seen
from course_utils.tasks import expect

POOLS = "`asyncio.to_thread`, or `ContextThreadPoolExecutor` from `langchain_core.runnables.config`"
SLIPS = (  # type of the exception, what its text holds, where to look
    (
        "NameError",
        r"name '(\w+)' is not defined",
        r"`\1` has no value here: misspelt, or a cell above not run since the restart?",
    ),
    (
        "",
        r"""['"]coroutine['"]|coroutine found|type coroutine|await wasn't used with future""",
        "you used a coroutine before it was awaited: write `await` in front of the call.",
    ),
    ("", "can't be used in 'await' expression", "this value is there already: `await` belongs before `llm.ainvoke`."),
    ("KeyError", "^None$", "the root has no parent: its `parent_run_id` is None."),
    ("AttributeError", "'re.Match' object", "a match is no text: `match[0]` is the text that was found."),
    ("RuntimeError", "cannot enter context", f"each thread needs a copy of its own: {POOLS} sees to that."),
)


def crashed(seen: Seen, *, given: str, needs: str) -> Finding | None:
    """A finding when an exception came out of a case that should end well, and a slip is named as what it is."""
    return slipped(seen, given=given, needs=needs) or expect.crashed(seen, given=given, needs=needs)


def slipped(seen: Seen, *, given: str, needs: str) -> Finding | None:
    """A finding when the exception that came out tells of one of the slips."""
    for kind, holds, fix in SLIPS:
        if seen.raised and kind in ("", seen.raised) and (told := re.search(holds, seen.message)):
            return Finding(given, f"your function raised {seen.outcome}", needs, told.expand(fix))
    return None

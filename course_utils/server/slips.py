"""Slips of the keyboard that end in an exception: where to look, told by the text of the error, whatever the task.

Layer 1: imports `cases`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from course_utils.server.cases import Seen

Slip = tuple[str, str, str]  # type of the exception, "" for any; what its text holds; where to look
MESSAGE = "what you keep is an AIMessage: keep its `.text`."
SLIPS: tuple[Slip, ...] = (
    (
        "NameError",
        r"name '(\w+)' is not defined",
        r"`\1` has no value here: misspelt, or a cell above not run since the kernel started?",
    ),
    (
        "",
        r"'coroutine' object has no attribute",
        "you used a coroutine before it was awaited: write `await` in front of the call, and take the text of what "
        "comes: `(await llm.ainvoke(prompt)).text`.",
    ),
    (
        "",
        r"'coroutine'|\"coroutine\"|coroutine found|type coroutine|await wasn't used with future",
        "you used a coroutine before it was awaited: write `await` in front of the call.",
    ),
    (
        "TypeError",
        "can't be used in 'await' expression",
        "this value is there already: `await` belongs before `llm.ainvoke`.",
    ),
    ("", "Object of type AIMessage is not JSON serializable|type 'AIMessage' is not supported", MESSAGE),
    ("RuntimeError", "no current event loop", "what uses asyncio belongs into an `async def`."),
    ("RuntimeError", "cannot be called from a running event loop", "write `await …` in place of `asyncio.run(…)`."),
)


def slip_in(seen: Seen, slips: Sequence[Slip] = SLIPS) -> str:
    """Where to look, when the exception that came out tells of one of these slips; "" when it tells of none."""
    for kind, holds, fix in slips:
        if seen.raised and kind in ("", seen.raised) and (told := re.search(holds, seen.message)):
            return told.expand(fix)
    return ""

"""Slips of the keyboard: where to look, told by the text of an exception or by what came back, whatever the task.

Layer 1: imports `cases` and `records`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from course_utils.records import count
from course_utils.server.cases import Finding, Seen

Slip = tuple[str, str, str]  # type of the exception, "" for any; what its text holds; where to look
MESSAGE = "what you keep is an AIMessage: keep its `.text`."
GATHERED = "`gather` gave you a promise, not the answers: write `await` before it."
TASK = "a task is a promise, not the answer: `await` it, or take its `.result()` when it has ended."
EACH = "`await asyncio.gather(*…)` awaits all of them."
COROUTINE = "you used a coroutine before it was awaited: write `await` in front of the call."
SLIPS: tuple[Slip, ...] = (
    (
        "NameError",
        r"name '(\w+)' is not defined",
        r"`\1` has no value here: misspelt, or a cell above not run since the kernel started?",
    ),
    ("", "_GatheringFuture", GATHERED),
    ("", r"'(_asyncio\.)?(Task|Future)' object|(Task|Future) found", TASK),
    (
        "",
        r"'coroutine' object has no attribute",
        "you used a coroutine before it was awaited: write `await` in front of the call, and take the text of what "
        "comes: `(await llm.ainvoke(prompt)).text`.",
    ),
    (
        "",
        r"'coroutine'|\"coroutine\"|coroutine found|type coroutine|await wasn't used with future",
        COROUTINE,
    ),
    (
        "TypeError",
        "object NoneType can't be used in 'await' expression|'NoneType' object can't be awaited",
        "what stands behind this `await` is an ordinary function, as `sleep` is: no `await` before it.",
    ),
    (
        "TypeError",
        "can't be used in 'await' expression|object can't be awaited",
        "this value is there already: `await` belongs before `llm.ainvoke`.",
    ),
    ("", "Object of type AIMessage is not JSON serializable|type 'AIMessage' is not supported", MESSAGE),
    ("RuntimeError", "no current event loop", "what uses asyncio belongs into an `async def`."),
    ("RuntimeError", "cannot be called from a running event loop", "write `await …` in place of `asyncio.run(…)`."),
    (
        "RuntimeError",
        "bound to a different event loop",
        "a semaphore (or a lock, or a queue) belongs to one event loop: make it inside the function.",
    ),
    (
        "TypeError",
        "unexpected keyword argument 'max_concurrency'",
        "`max_concurrency` belongs into the config: `abatch(items, {'max_concurrency': limit})`.",
    ),
    ("TypeError", r"^pay\(\) takes 0 positional", "call `pay` with names: `pay(key=…, order=…, cents=…)`."),
)
PROMISES = (  # how its repr begins; what it is; where to look
    ("<_GatheringFuture ", "future", GATHERED),
    ("<Task ", "task", TASK),
    ("<Future ", "future", TASK),
    ("<coroutine ", "coroutine", COROUTINE),
)


def corrected(finding: Finding, seen: Seen) -> Finding:
    """The finding, with the slip behind it where one shows: that says more than the task could say about it."""
    if fix := slip_in(seen):
        return replace(finding, fix=fix, misconception="")
    if "await" in finding.fix:  # the task knows which one is missing
        return finding
    for value in objects_in(seen.returned):
        for start, kind, fix in PROMISES:
            if str(value.get("repr")).startswith(start):
                return replace(finding, **promised(seen, kind, fix), misconception="")
    returned = seen.returned if isinstance(seen.returned, dict) else {}
    kind = str(returned.get("$object"))
    if kind.endswith("Error") and str(returned.get("repr")).startswith(f"{kind}("):
        return replace(finding, fix="write `raise`, not `return`, in front of an exception.", misconception="")
    if seen.unawaited and not seen.raised:
        fix = f"`{seen.unawaited}` was called and never awaited: write `await` in front of the call."
        return replace(finding, fix=fix, misconception="")
    return finding


def promised(seen: Seen, kind: str, fix: str) -> dict[str, str]:
    """What a finding says when there is a promise in what came back."""
    what, needs = f"your function returned a {kind} that nobody awaited", "the value itself"
    if isinstance(seen.returned, list):
        what, needs = f"the list holds {kind}s that nobody awaited", "their values"
        fix = EACH if kind == "coroutine" else fix
    return {"seen": f"{count(len(seen.trace), 'request')}; {what}", "needs": needs, "fix": fix}


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    """What is no plain data in what came back, however deep."""
    if isinstance(value, dict) and "$object" in value:
        yield value
    elif isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from objects_in(each)


def slip_in(seen: Seen, slips: Sequence[Slip] = SLIPS) -> str:
    """Where to look, when the exception that came out tells of one of these slips; "" when it tells of none."""
    for kind, holds, fix in slips:
        if seen.raised and kind in ("", seen.raised) and (told := re.search(holds, seen.message)):
            return told.expand(fix)
    return ""

"""Exercise 11, "A failing workflow", stretch: a router whose every request has a run, under the right parent.

Layer 2: imports `expect`, `overlap`, `run_matches`, `scripts`, `slips`, `texts` and `server.cases`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from random import Random

from course_utils.records import count
from course_utils.server.cases import Case, Finding, Seen, Task
from course_utils.tasks import expect
from course_utils.tasks.overlap import side_by_side
from course_utils.tasks.run_matches import Told, judge_runs
from course_utils.tasks.scripts import ByKey, Reply, failure
from course_utils.tasks.slips import slipped
from course_utils.tasks.texts import nonce, ticket

NAMES = ("billing", "technical", "sales", "legal")


def routers(rng: Random) -> list[Case]:
    a, b, c, d = rng.sample(NAMES, 4)
    return [
        router_case("one expert", rng, [a]),
        router_case("three experts", rng, [a, b, c]),
        router_case("one of three experts fails", rng, [c, a, b], fails=[f"EXPERT {a}:"]),
        router_case("the last step fails", rng, [b, c], fails=["WRITE:"]),
        router_case("the first step fails", rng, [], fails=["ROUTE:"], held_back=True),
        router_case(
            "two of four experts fail", rng, [a, b, c, d], fails=[f"EXPERT {d}:", f"EXPERT {b}:"], held_back=True
        ),
    ]


def router_case(
    name: str, rng: Random, experts: Sequence[str], *, fails: Sequence[str] = (), held_back: bool = False
) -> Case:
    text, _ = ticket(rng)
    keys = ["ROUTE:", "WRITE:", *(f"EXPERT {expert}:" for expert in experts)]
    table: dict[str, Reply] = {key: failure(500) if key in fails else f"Answer {nonce(rng)}." for key in keys}
    if "ROUTE:" not in fails:
        table["ROUTE:"] = ", ".join(experts)
    asked = keys[2:]
    hold = dict.fromkeys(asked, asked) if len(asked) > 1 else {}
    judge = partial(judge_router, text=text, table=table, experts=asked)
    return Case(name, {"text": text}, ByKey(table, hold=hold), judge, held_back)


@expect.in_order
def judge_router(seen: Seen, *, text: str, table: dict[str, Reply], experts: list[str]) -> Iterator[Finding | None]:
    failed = [key.strip(":") for key, reply in table.items() if not isinstance(reply, str)]
    became = f"{' and '.join(failed)} answered with 500" if failed else "every request answered"
    given = f"{count(len(experts), 'expert')} named, {became}"
    yield expect.crashed(seen, given=given, needs="a run for each step")
    told = seen.returned if isinstance(seen.returned, dict) else {}
    inner = replace(
        seen,
        returned=told.get("returned"),
        raised=told.get("raised", ""),
        message=told.get("message", ""),
        lineage=tuple(told.get("lineage", ())),
    )
    yield works(inner, text, table, experts, given=given)
    yield judge_runs(Told(told.get("runs", []), seen.trace, table), given=given, is_lost=bool(inner.raised))


@expect.in_order
def works(
    seen: Seen, text: str, table: dict[str, Reply], experts: list[str], *, given: str
) -> Iterator[Finding | None]:
    """Does it still do what it did without runs?"""
    yield slipped(seen, given=given, needs="the text of the last answer, and a run for each step")
    fatal = [key for key in ("ROUTE:", "WRITE:") if not isinstance(table[key], str)]
    if not fatal:
        if seen.raised and len(experts) > sum(isinstance(table[key], str) for key in experts):
            fix = "catch an expert's `APIError`, and hand a note on instead."
            needs = "the text of the last answer, from the notes that there are"
            yield Finding(given, f"your function raised {seen.outcome}", needs, fix)
        yield expect.crashed(seen, given=given, needs="the text of the last answer")
    keys = ["ROUTE:"] if fatal == ["ROUTE:"] else ["ROUTE:", *experts, "WRITE:"]
    yield asked_once(seen, keys, given=given)
    if len(seen.trace) != len(keys):
        what = count(len(seen.trace), "request")
        yield Finding(given, what, f"{len(keys)}, as the old version has it", "keep what the old version asks.")
    if len(experts) > 1:
        yield side_by_side(seen, len(experts), given=given, needs="the experts asked side by side, as before")
    if fatal:
        if not seen.raised:
            what = f"your function gave {seen.outcome}"
            yield Finding(given, what, "the error of that step", "only an expert's error is replaced by a note.")
        return
    writer = next(number for number, record in enumerate(seen.trace, start=1) if "WRITE:" in record.prompt)
    for key in experts:
        reply = table[key] if isinstance(table[key], str) else f"{key.split()[1].strip(':')}: no answer"
        what = f"the note {reply!r}"
        yield expect.carries(seen, writer, reply, given=given, what=what, fix="hand the notes of all experts on.")
    yield expect.returned(seen, str(table["WRITE:"]), given=given, what="the text of the last answer", fix="return it.")


def asked_once(seen: Seen, keys: Sequence[str], *, given: str) -> Finding | None:
    """A finding unless each of these prompts came once."""
    for key in keys:
        if (times := sum(key in record.prompt for record in seen.trace)) != 1:
            what, fix = f"{count(times, 'request')} with '{key}' in its prompt", "ask once, as the old version does."
            if not times:
                step = key.split()[0].strip(":").lower()
                fix = f"was `{step}` awaited? Does it ask `llm`, not a `chat_model()`, with the old version's prompt?"
            return Finding(given, what, "one for each step, as the old version has it", fix)
    return None


TASK = Task(
    "trace.instrument",
    "No request without a run",
    3,
    routers,
    (
        "Make a function of each step, under the name that its run is to have, and put `@traceable` above it. Then "
        "look at the outline: which runs stand where they should, and which have no parent?",
        "Where a run belongs is kept in a context variable, and a plain thread starts without it. "
        "`asyncio.gather` and `asyncio.to_thread` carry it along, and `ContextThreadPoolExecutor` is a "
        "pool that does (from `langchain_core.runnables.config`).",
        "`expert` asks and lets its error out, so that its run gets it; a small function around it, without "
        "`@traceable`, has the `try` and makes the note: `try: return expert(name, text, llm)`, "
        "`except APIError: return f'{name}: no answer'`.",
    ),
    driver="recorded",
)

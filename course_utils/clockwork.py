"""Drivers for answers that wait: they watch over the course clock, so that it jumps only when everybody waits.

Layer 2: imports `attempt` and `idleness`. They run in the learner's process, so what counts is what the server sees.
Times are course seconds.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from course_utils.attempt import Drive, awaited, refuse_parameters
from course_utils.idleness import quiet, watch, watched_beside

SETTLE = 1.0  # real seconds for what is under way at the end to come to rest
OURS = ("jump", "linger")  # arguments that are for the driver and not for the answer


def watched(answer: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """What `answer(...)` gives.

    Args:
        arguments: Beside the answer's own, `jump` of the stage, and perhaps `linger`: so many seconds the event loop
            goes on after the answer is there. What it left running then shows, and the nap shows when it came back.
    """
    own = {name: value for name, value in arguments.items() if name not in OURS}
    refuse_parameters(answer, own)

    async def afterwards() -> None:
        if seconds := arguments.get("linger"):
            await arguments["asleep"](seconds)

    with watched_beside(arguments["jump"]):
        value = answer(**own)
        return awaited(overseen(value, arguments["jump"], afterwards)) if inspect.isawaitable(value) else value


async def overseen(
    work: Awaitable[Any], jump: Callable[[int], int], afterwards: Callable[[], Awaitable[None]] | None = None
) -> Any:
    """What comes of `work` while somebody watches, and still does `afterwards`."""

    async def wait() -> Any:
        return await work

    watcher = asyncio.create_task(watch(jump))
    try:
        [outcome] = await asyncio.gather(wait(), return_exceptions=True)
        if afterwards:
            await afterwards()
    finally:
        watcher.cancel()
        with suppress(TimeoutError):  # whoever is cancelled while it connects would leave its socket open
            async with asyncio.timeout(SETTLE):
                await quiet()
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def through_a_gate(answer: Callable[..., Any], arguments: Mapping[str, Any]) -> int:
    """Lead callers through the gates that `answer(per_second, now, asleep)` makes; how many calls there were.

    Args:
        arguments: `rushes`: each with the seconds `after` which it comes, and its `callers`: the number of each one's
            gate (`of`), and its `prompts`, which it asks `llm` one after the other, each when its turn has come.
    """
    settings = {name: arguments[name] for name in ("per_second", "now", "asleep")}
    refuse_parameters(answer, settings)
    rushes: Sequence[Mapping[str, Any]] = arguments["rushes"]
    gates = [answer(**settings) for _ in range(1 + max(each["of"] for rush in rushes for each in rush["callers"]))]

    async def caller(gate: Any, prompts: Sequence[str]) -> int:
        for prompt in prompts:
            turn = gate.turn()
            if inspect.isawaitable(turn):
                await turn
            with suppress(_refusals()):  # the server has seen it
                await arguments["llm"].ainvoke(prompt)
        return len(prompts)

    async def all_rushes() -> int:
        calls = 0
        for rush in rushes:
            if rush["after"]:
                await arguments["asleep"](rush["after"])
            calls += sum(
                await asyncio.gather(*(caller(gates[each["of"]], each["prompts"]) for each in rush["callers"]))
            )
        return calls

    with watched_beside(arguments["jump"]):
        return awaited(overseen(all_rushes(), arguments["jump"]))


def _refusals() -> type[Exception]:
    import openai

    return openai.APIError


CLOCKWORK: dict[str, Drive] = {"on the course clock": watched, "through a gate": through_a_gate}

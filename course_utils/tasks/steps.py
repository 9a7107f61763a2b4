"""Workflows with several kinds of request: each prompt names its step first, such as "PLAN:", and is answered by that.

Layer 2: imports `scripts`, `server.cases`, `server.wire` and `records`. A script belongs to one case and to the
server's event loop.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from course_utils.records import Trace
from course_utils.server.cases import Finding, Seen, cut
from course_utils.server.wire import ChatRequest
from course_utils.tasks.scripts import PATIENCE, prompt_of

UNNAMED = "Your prompt names no step, so this scripted model cannot know what to answer."


@dataclass
class ByStep:
    """Answers by the step that a prompt names.

    Args:
        steps: Step -> a script of its own; it is given the request and its number among the requests of this step.
        hold: Step -> so many requests of these steps have to come before it is answered. So requests that are made
            side by side overlap for certain, however busy the machine is. After a wait in vain nothing is held.
    """

    steps: Mapping[str, Callable[[ChatRequest, int], Any]]
    hold: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    _asked: Counter[str] = field(default_factory=Counter)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _in_vain: bool = False

    async def __call__(self, request: ChatRequest, number: int) -> Any:
        step = step_of(prompt_of(request), self.steps)
        if not step:
            return UNNAMED
        self._asked[step] += 1
        number = self._asked[step]
        await self._tell()
        await self._held(self.hold.get(step, {}))
        reply = self.steps[step](request, number)
        return await reply if inspect.isawaitable(reply) else reply

    async def _held(self, wanted: Mapping[str, int]) -> None:
        def came() -> bool:
            return self._in_vain or all(self._asked[step] >= least for step, least in wanted.items())

        try:
            async with asyncio.timeout(PATIENCE), self._news:
                await self._news.wait_for(came)
        except TimeoutError:
            self._in_vain = True
            await self._tell()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


def step_of(prompt: str, steps: Collection[str]) -> str:
    """The first step that a line of the prompt begins with; "" when there is none.

    >>> step_of("You are kind.\\nPLAN: Cut this into parts.", ["WORK", "PLAN"])
    'PLAN'
    """
    found = re.search(rf"^\s*({'|'.join(steps)})\b", prompt, re.MULTILINE)
    return found[1] if found else ""


def of_step(seen: Seen, step: str, steps: Collection[str]) -> Trace:
    """The requests of one step."""
    return Trace([record for record in seen.trace if step_of(record.prompt, steps) == step])


def named(seen: Seen, steps: Sequence[str], *, given: str) -> Finding | None:
    """A finding when there are no requests, or one whose prompt names no step."""
    needs = f"prompts that begin with {', '.join(f'{step}:' for step in steps)}"
    if not seen.trace:
        if seen.raised == "TypeError" and "is called with" in seen.message:
            return Finding(given, f"your function cannot be called: {seen.message}", needs, "keep the stub's names.")
        what = f"no request, then {seen.outcome}"
        return Finding(given, what, needs, "ask `llm`: only requests that go through it are seen.")
    for number, record in enumerate(seen.trace, start=1):
        if not step_of(record.prompt, steps):
            what = f"request {number} names no step; it begins with {cut(record.prompt, 40)!r}"
            fix = "begin each prompt with the name of its step: by this word the scripted model knows what to answer."
            return Finding(given, what, needs, fix)
    return None


def numbers_of(seen: Seen, steps: Sequence[str]) -> str:
    """How many requests each step had, in words for a message.

    >>> numbers_of(Seen(Trace()), ["PLAN"])
    'no request'
    """
    asked = Counter(step_of(record.prompt, steps) for record in seen.trace)
    return ", ".join(f"{asked[step]} {step}" for step in steps if asked[step]) or "no request"


def in_words(steps: Sequence[str]) -> str:
    """A way through the steps, shortened when it is long.

    >>> in_words(["DRAFT", "JUDGE"])
    'DRAFT, JUDGE'
    """
    return ", ".join(steps[:8]) + (f" and {len(steps) - 8} more" if len(steps) > 8 else "")


def way(seen: Seen, steps: Collection[str]) -> list[str]:
    """The steps in order of arrival."""
    return [step_of(record.prompt, steps) for record in seen.trace]

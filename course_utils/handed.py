"""What an answer is handed besides plain inputs: models, the course clock, a generator, effects; and how it is used.

Layer 2: imports `attempt`, `models`, `outages`, `repeats` and `stage`. Everything handed over talks to the
case's own corner of the server, which sees it. Safe to share between threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from typing import Any

from course_utils.attempt import Drive, called
from course_utils.outages import OUTAGES
from course_utils.repeats import REPEATS
from course_utils.stage import Stage


def judge_on(stage: Stage) -> Callable[[str, str], bool]:
    """The judge of a cascade: a plain function, whose verdict comes from the server."""

    def accept(question: str, answer: str) -> bool:
        """True when the answer is good enough."""
        return stage.approves("accept", question=question, answer=answer)

    accept.__qualname__ = "accept"  # as a TypeError names it
    return accept


TOOLS: dict[str, Callable[[Stage, int], Any]] = {
    "sleep": lambda stage, seed: stage.sleep,
    "asleep": lambda stage, seed: stage.asleep,
    "now": lambda stage, seed: stage.now,
    "act": lambda stage, seed: stage.act,
    "pay": lambda stage, seed: partial(stage.act, "pay"),
    "accept": lambda stage, seed: judge_on(stage),
    "rng": lambda stage, seed: Random(seed),
}


def arguments_of(case: Mapping[str, Any]) -> dict[str, Any]:
    """What the answer is called with: the case's plain inputs, its models as clients, its tools."""
    from course_utils.models import client

    models = {argument: client(**door) for argument, door in case["models"].items()}
    stage = Stage(**case["stage"])
    tools = {argument: TOOLS[kind](stage, case["seed"]) for argument, kind in case["tools"].items()}
    return case["arguments"] | models | tools


DRIVERS: dict[str, Drive] = {"call": called} | REPEATS | OUTAGES

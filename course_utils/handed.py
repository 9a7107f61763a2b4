"""What an answer is handed besides plain inputs: models, the course clock, a generator, effects.

Layer 2: imports `models` and `stage`. Everything handed over talks to the
case's own corner of the server, which sees it. Safe to share between threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from course_utils.stage import Stage


def judge_on(stage: Stage) -> Callable[[str, str], bool]:
    """The judge of a cascade: a plain function, whose verdict comes from the server."""

    def accept(question: str, answer: str) -> bool:
        """True when the answer is good enough."""
        return stage.approves("accept", question=question, answer=answer)

    accept.__qualname__ = "accept"  # as a TypeError names it
    return accept


def bank_on(stage: Stage) -> Callable[..., dict[str, Any]]:
    """The door of the bank, which is called by keywords alone."""

    def pay(*, key: Any = "", **data: Any) -> dict[str, Any]:
        """Pay; a key that has been paid for is not paid for again."""
        return stage.act("pay", key=key, **data)

    pay.__qualname__ = "pay"  # as a TypeError names it
    return pay


TOOLS: dict[str, Callable[[Stage, Mapping[str, Any]], Any]] = {  # kind -> made of the case's stage and the case
    "sleep": lambda stage, case: stage.sleep,
    "asleep": lambda stage, case: stage.asleep,
    "now": lambda stage, case: stage.now,
    "jump": lambda stage, case: stage.jump,  # for a driver that watches over the clock
    "act": lambda stage, case: stage.act,
    "tell": lambda stage, case: stage.tell,  # for a driver that sees what the server cannot
    "pay": lambda stage, case: bank_on(stage),
    "accept": lambda stage, case: judge_on(stage),
    "rng": lambda stage, case: Random(case["seed"]),
    "case": lambda stage, case: case,  # for a driver that hands all of it out elsewhere
}


def arguments_of(case: Mapping[str, Any]) -> dict[str, Any]:
    """What the answer is called with: the case's plain inputs, its models as clients, its tools."""
    from course_utils.models import client

    models = {argument: client(**door) for argument, door in case["models"].items()}
    stage = Stage(**case["stage"])
    tools = {argument: TOOLS[kind](stage, case) for argument, kind in case["tools"].items()}
    return case["arguments"] | models | tools

"""What a graded task consists of: cases with a scripted model, and a judgement of what the server saw.

Layer 1: imports `effects`, `faults`, `records` and `wire`. A case's `arguments` and the learner's returned value are
plain JSON; expected values stay in the judgement, which runs on the server and never in the learner's process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from course_utils.faults import Plan
from course_utils.records import Trace
from course_utils.server.effects import Effect, Outcome
from course_utils.server.wire import ApiError, ChatRequest, Piece

BUILT_IN = ("bytes", "complex", "dict", "float", "frozenset", "int", "list", "set", "tuple")
Script = Callable[[ChatRequest, int], str | list[Piece] | ApiError]  # (request, its number from 1) -> the answer


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a case was not passed, in the order in which a learner reads it."""

    given: str  # what the case was
    seen: str  # what the answer did
    needs: str  # what the task asks for
    fix: str  # where to look next: one idea, never the code
    misconception: str = ""  # the belief behind it, when what was seen shows one


@dataclass(frozen=True, slots=True)
class Seen:
    """What the server saw of one case, and what the learner's function gave back."""

    trace: Trace
    returned: Any = None  # plain JSON; for anything else {"$object": type name, "repr": the start of its repr}
    raised: str = ""  # the exception's type name; "" when the function returned
    message: str = ""  # the exception's text
    lineage: tuple[str, ...] = ()  # type names of the exception and its base classes, nearest first
    sleeps: tuple[tuple[float, float], ...] = ()  # (when, how long) on the course clock, in order
    effects: tuple[Effect, ...] = ()  # what it did besides asking models, in order
    unawaited: str = ""  # the name of a coroutine that was made and never awaited

    @property
    def outcome(self) -> str:
        """What came back, in a few words for a message."""
        if self.raised:
            return f"{self.raised}: {cut(self.message)}" if self.message else self.raised
        return shown(self.returned)


@dataclass(frozen=True, slots=True)
class Scene:
    """What surrounds a case's script. Times are course seconds, for which nobody waits, but for `grace`."""

    latency: float = 1.0  # before every scripted answer
    together: int = 1  # the first answers are held until so many requests are open: see `Scripted`
    grace: float = 0.005  # real seconds of quiet before the clock jumps; more where tasks run side by side
    most: int = 50  # requests that are answered; a loop that has no way out ends here
    rate: tuple[float, int] | None = None  # requests per second, and burst
    plan: Plan | None = None  # faults
    outcome: Outcome | None = None  # of effects
    seed: int = 0  # of the `rng` that is handed in


@dataclass(frozen=True, slots=True)
class Case:
    """One situation that an answer is tried in."""

    name: str  # shown to the learner
    arguments: Mapping[str, Any]  # plain JSON, handed over by keyword
    script: Script  # what the model answers
    judge: Callable[[Seen], Finding | None]  # None when the case is passed
    held_back: bool = False  # runs only when grading
    scene: Scene = Scene()


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to write, and how it is judged."""

    check: str  # its name in check(...), such as "chain.gate"
    title: str
    points: int
    cases: Callable[..., Sequence[Case]]  # a seeded generator, and the task's own numbers -> always as many cases
    hints: tuple[str, ...]  # each one a step further
    models: Mapping[str, str] = field(default_factory=lambda: {"llm": "small"})  # argument name -> model size
    tools: Mapping[str, str] = field(default_factory=dict)  # argument name -> a kind of tool that `handed` knows
    own: Mapping[str, Sequence[int]] = field(default_factory=dict)  # a number -> what it may be; first the course's
    driver: str = "call"  # how `drivers` puts the answer to use; most are called once


def shown(value: Any) -> str:
    """A value that came back, in a few words.

    >>> shown({"$object": "ChatOpenAI", "repr": "ChatOpenAI(…"})
    'an object of type ChatOpenAI'
    """
    if isinstance(value, dict) and "$object" in value:
        return f"an object of type {value['$object']}"
    return cut(repr(spelt(value)))


@dataclass(frozen=True, slots=True)
class Thing:
    """What came back inside of a dict or a list, and is no plain data."""

    words: str

    def __repr__(self) -> str:
        return self.words


def spelt(value: Any) -> Any:
    """Plain data whose repr is as Python has it, and tells an object by its type.

    >>> spelt({"desk": {"$object": "AIMessage", "repr": "AIMessage(…)"}, "seen": [{"$object": "set", "repr": "{1}"}]})
    {'desk': <an object of type AIMessage>, 'seen': [{1}]}
    """
    if isinstance(value, list):
        return [spelt(item) for item in value]
    if isinstance(value, dict) and "$object" in value:
        kind = value["$object"]
        return Thing(value["repr"] if kind in BUILT_IN else f"<an object of type {kind}>")
    return {key: spelt(item) for key, item in value.items()} if isinstance(value, dict) else value


def cut(text: str, length: int = 120) -> str:
    """`text` on one line, shortened in the middle when it is longer than `length` characters.

    >>> cut("a" * 50 + "b" * 50, 20)
    'aaaaaaaaa … bbbbbbbb'
    """
    line = " ".join(text.split())
    if len(line) <= length:
        return line
    head = (length - 2) // 2
    return f"{line[:head]} … {line[-(length - 3 - head) :]}"

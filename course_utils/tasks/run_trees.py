"""Run trees for judged cases, made of the LangSmith SDK's own runs after a drawing in text.

Layer 2: imports `runs`; langsmith only when a tree is made, as importing it takes a second. A drawing has a line for
each run, indented under its parent: its name, with its type behind a colon (a chain has none, `llm` stands for
`ChatOpenAI:llm`), and then, in any order,

    !KeyError   it failed with this error
    *           and is the root cause
    @2          it has the second place on the critical path
    ~13         it takes so many ticks (only where nothing is below it)
    $           an llm run that used tokens although it failed
    ||          what is below it runs side by side
    &           it runs beside the run before it
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from textwrap import dedent
from typing import Any
from uuid import UUID

from course_utils.runs import Recorder, Run

TAKES = 6  # ticks of a run without children
VERSION = (0xF << 76 | 0x3 << 62, 0x7 << 76 | 0x2 << 62)  # bits of a UUID: where its version stands, and "7"


@dataclass(slots=True)
class Step:
    """One run of a drawing."""

    name: str
    kind: str = "chain"
    error: str = ""
    takes: int = TAKES
    place: int = 0  # on the critical path, from 1; 0 when it is not on it
    is_cause: bool = False
    is_billed: bool = False
    is_parallel: bool = False
    is_beside: bool = False
    below: list[Step] = field(default_factory=list)


@dataclass(slots=True)
class Tree:
    """A tree as it was made, with what is to be found in it."""

    runs: list[Run] = field(default_factory=list)  # in no order
    cause: str | None = None
    places: dict[int, str] = field(default_factory=dict)  # on the critical path
    llm_tokens: int = 0
    wasted_tokens: int = 0
    by_step: dict[str, int] = field(default_factory=dict)  # name of a parent -> tokens of the llm runs right below it

    @property
    def path(self) -> list[str]:
        return [self.places[place] for place in sorted(self.places)]


def drawn(drawing: str) -> Step:
    """The root of a drawing.

    >>> drawn("reply || !KeyError\\n  find:tool *").below[0].is_cause
    True
    """
    line_up: list[Step] = []  # the step of each depth that was read last
    for line in dedent(drawing).strip().splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        step = read(line.split())
        del line_up[depth:]
        if line_up:
            line_up[-1].below.append(step)
        line_up.append(step)
    return line_up[0]


def read(words: list[str]) -> Step:
    """One line of a drawing."""
    name, _, kind = ("ChatOpenAI:llm" if words[0] == "llm" else words[0]).partition(":")
    told = {word[0]: word[1:] for word in words[1:]}
    step = Step(name, kind or "chain", told.get("!", ""), int(told.get("~", TAKES)), int(told.get("@", 0)))
    step.is_cause, step.is_parallel, step.is_beside = "*" in told, "|" in told, "&" in told
    step.is_billed = step.kind == "llm" and (not step.error or "$" in told)
    return step


def made(drawing: str, rng: Random) -> Tree:
    """The runs of a drawing as the SDK reports them, shuffled; times, tokens and ids are drawn."""
    began = datetime(2026, 3, rng.randint(2, 27), rng.randint(6, 18), rng.randint(0, 59), tzinfo=UTC)
    growth = Growth(rng, timedelta(milliseconds=rng.randint(40, 90)))
    growth.add(drawn(drawing), None, began)
    growth.tree.runs = growth.recorder.runs()
    rng.shuffle(growth.tree.runs)
    return growth.tree


@dataclass(slots=True)
class Growth:
    """A tree in the making."""

    rng: Random
    tick: timedelta
    tree: Tree = field(default_factory=Tree)
    recorder: Recorder = field(default_factory=Recorder)

    def add(self, step: Step, parent: Any, start: datetime, is_lost: bool = False) -> datetime:
        """Report this step and all below it; gives the moment at which it ends.

        Args:
            is_lost: True when something above has failed.
        """
        from langsmith.run_trees import RunTree

        own = {"id": new_id(self.rng), "name": step.name, "run_type": step.kind, "start_time": start, "inputs": {}}
        run = RunTree(**own, parent_run=parent, project_name="desk", ls_client=self.recorder)
        run.post()
        is_lost = is_lost or bool(step.error)
        begins, ends = start, [start]
        for child in step.below:
            begins = (begins if step.is_parallel or child.is_beside else max(ends)) + self.tick
            ends.append(self.add(child, run, begins, is_lost))
        end = max(ends) + self.tick if step.below else start + step.takes * self.tick
        usage = spent(self.rng) if step.is_billed else {}
        self.note(step, str(run.id), parent, usage.get("total_tokens", 0), is_lost)
        run.end(outputs={"usage_metadata": usage} if usage else {}, error=step.error or None, end_time=end)
        run.patch()
        return end

    def note(self, step: Step, own_id: str, parent: Any, tokens: int, is_lost: bool) -> None:
        """Keep what is to be found of one run."""
        if step.is_cause:
            self.tree.cause = own_id
        if step.place:
            self.tree.places[step.place] = own_id
        self.tree.llm_tokens += tokens
        self.tree.wasted_tokens += tokens * is_lost
        if tokens and parent is not None:
            self.tree.by_step[parent.name] = self.tree.by_step.get(parent.name, 0) + tokens


def spent(rng: Random) -> dict[str, int]:
    """What an llm run reports of its tokens."""
    told, said = rng.randint(30, 400), rng.randint(5, 90)
    return {"input_tokens": told, "output_tokens": said, "total_tokens": told + said}


def new_id(rng: Random) -> UUID:
    """An id as LangSmith wants it."""
    return UUID(int=rng.getrandbits(128) & ~VERSION[0] | VERSION[1])

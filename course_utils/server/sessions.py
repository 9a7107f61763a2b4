"""One run of one check: its cases in turn, each on a stage of its own, and what became of them.

Layer 1: imports `cases`, `limits`, `scopes`, `scripted`, `slips`, `state` and `verdicts`. Belongs to the server's
event loop.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from course_utils.records import Trace
from course_utils.server.cases import Case, Finding, Scene, Seen, Task
from course_utils.server.effects import Effects
from course_utils.server.scopes import Scope
from course_utils.server.scripted import Scripted
from course_utils.server.slips import corrected
from course_utils.server.state import Course
from course_utils.server.verdicts import Verdict, broken, not_written, still_running, summed_up

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Session:
    """One run of a check.

    Args:
        cases: The ones to run, in order.
        submission: Whose it is; "" in self-study.
    """

    id: str
    task: Task
    cases: list[Case]
    submission: str = ""
    findings: list[Finding | None] = field(default_factory=list)  # one for each case that has run
    trace: Trace = field(default_factory=Trace)  # of the first case that failed
    scope: Scope | None = None  # of the case that runs now

    @property
    def case(self) -> Case | None:
        """The case that runs now; None when all have run."""
        return self.cases[len(self.findings)] if len(self.findings) < len(self.cases) else None

    def hand_out(self, course: Course, root: str) -> dict[str, Any]:
        """The next case as the learner's process gets it: inputs, models and tools, nothing to compare with.

        Args:
            root: The server's address.
        """
        case, task = self.case, self.task
        assert case is not None
        self.scope = stage(course, case)
        door = {"base_url": f"{root}s/{self.scope.name}/v1", "key": course.scopes.key(self.scope)}
        return {
            "case": {
                "driver": task.driver,
                "arguments": dict(case.arguments),
                "models": {argument: door | {"model": size} for argument, size in task.models.items()},
                "tools": dict(task.tools),
                "stage": {"url": f"{root}course/scopes/{self.scope.name}", "key": door["key"]},
                "seed": case.scene.seed,
            }
        }

    def take(self, seen: Seen, stopped: str) -> Verdict | None:
        """Judge the case that ran; a verdict only when the check is over.

        Args:
            stopped: Why the answer had to be stopped; "" when it ended by itself.
        """
        case = self.case
        assert case is not None
        if seen.raised == "NotImplementedError":
            return not_written(self.task, len(self.cases))
        try:
            finding = still_running(stopped, seen.trace) if stopped else case.judge(seen)
        except Exception:
            log.exception("the judgement of %s, case %r, failed", self.task.check, case.name)
            return broken(self.task, len(self.cases))
        if finding:
            finding = corrected(finding, seen)
        if finding and not any(self.findings):
            self.trace = seen.trace
        self.findings.append(finding)
        over = stopped or self.case is None
        return summed_up(self.task, self.cases, self.findings, self.trace) if over else None

    def close(self, course: Course) -> None:
        """Take down the stage, if one is up."""
        if self.scope is not None:
            course.scopes.close(self.scope.name)
            self.scope = None


def stage(course: Course, case: Case) -> Scope:
    """A scope of its own for one case: a scripted model, faults, a limit, effects, a clock that nobody waits for."""
    scene: Scene = case.scene
    model = Scripted(case.script, latency=scene.latency, together=scene.together, most=scene.most)
    rate = None if scene.rate is None else {"per_second": scene.rate[0], "burst": scene.rate[1]}
    made = course.scopes.create(backend=model, plan=scene.plan, rate=rate, virtual=True, grace=scene.grace)
    made.effects = Effects(scene.outcome)
    return made

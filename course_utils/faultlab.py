"""The fault lab: the same workflow on the same inputs, under one set of faults after the other.

Layer 2: imports `connection`, `errors`, `faults`, `trials`, `show.results`; the picture and the widgets only when
they are shown. Inputs are taken one after the other, so that "the first request" is the same one in every run, and
the counts are the same too. One run at a time.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from course_utils.conditions import conditions
from course_utils.connection import connect
from course_utils.errors import CourseError
from course_utils.faults import Plan, menu
from course_utils.show.lab_display import show, words
from course_utils.show.results import Result, Results
from course_utils.trials import Tally, waiting

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Workflow = Callable[[Any], Any]  # from an input to a result; it may be `async`


class FaultLab:
    """Workflows, inputs, sets of faults, and the results so far. Make it with `fault_lab(…)`."""

    def __init__(
        self,
        workflows: Mapping[str, Workflow],
        inputs: Sequence[Any],
        faults: Mapping[str, Plan],
        *,
        judge: Callable[[Any, Any], bool] | None,
        before: Callable[[], object] | None,
        rate: float | tuple[float, int] | None,
    ) -> None:
        self.workflows, self.inputs, self.faults = dict(workflows), tuple(inputs), dict(faults)
        self._judge, self._before, self._rate = judge, before, rate
        self._results: dict[tuple[str, str], Result] = {}
        self._one_at_a_time = threading.Lock()
        self._widget: Any = None

    def run(self, faults: str, workflow: str = "", *, tell: Callable[[int], object] | None = None) -> Result:
        """Run one workflow on all inputs under one set of faults.

        A workflow that is `async` runs in a thread with an event loop of its own; a semaphore or a client that your
        cells have used already may refuse that: `await lab.arun(…)` stays in the notebook's loop.

        Args:
            workflow: Its name; not needed when there is only one.
            tell: Is called with the number of inputs done so far; an exception from it ends the run.

        Raises:
            CourseError: There is no such set of faults, or no such workflow.
            Exception: The workflow has a bug: a NameError, or a TypeError that no fault can have caused.
        """
        with self._trial(faults, self._named(workflow)) as (work, tally), waiting() as wait:
            for number, given in enumerate(self.inputs, 1):
                with tally.counting(given) as take:
                    take(wait(work(given)))
                if tell:
                    tell(number)
        return self._results[faults, self._named(workflow)]

    async def arun(self, faults: str, workflow: str = "", *, tell: Callable[[int], object] | None = None) -> Result:
        """`run` in the running event loop: `await lab.arun("a 503 first")`."""
        with self._trial(faults, self._named(workflow)) as (work, tally):
            for number, given in enumerate(self.inputs, 1):
                with tally.counting(given) as take:
                    result = work(given)
                    take(await result if inspect.isawaitable(result) else result)
                if tell:
                    tell(number)
        return self._results[faults, self._named(workflow)]

    def run_all(self, *faults: str) -> Results:
        """Run every workflow under each of these sets of faults, or under all of them; gives the whole table."""
        for name in faults or tuple(self.faults):
            for workflow in self.workflows:
                self.run(name, workflow)
        return self.table()

    async def arun_all(self, *faults: str) -> Results:
        """`run_all` in the running event loop."""
        for name in faults or tuple(self.faults):
            for workflow in self.workflows:
                await self.arun(name, workflow)
        return self.table()

    def add(self, kind: str, often: str = "the first request", step: str = "") -> str:
        """Add a set of faults put together from `faults.menu`, for one step or for all; gives its name."""
        name, plan = menu.mixed(kind, often, step)
        self.faults[name] = plan
        return name

    def table(self) -> Results:
        """The runs so far: the last one of each workflow under each set of faults."""
        found = [self._results.get((name, workflow)) for name in self.faults for workflow in self.workflows]
        return Results([row for row in found if row])

    def draw(self, *, title: str = "") -> Axes:
        """The runs so far as bars: what the inputs came to, the time, the price."""
        from course_utils.show.scoreboard import scoreboard

        return scoreboard(self.table(), title=title)

    @property
    def steps(self) -> list[str]:
        """The step names seen in the runs so far."""
        return list(dict.fromkeys(step for row in self._results.values() for step in row.trace.steps if step))

    @property
    def menu(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What `add` takes: kinds of faults, and how often they strike."""
        return tuple(menu.KINDS), tuple(menu.OFTEN)

    def __repr__(self) -> str:
        return f"{words(self)}\n\n{self.table()!r}"

    def _ipython_display_(self) -> None:
        show(self)

    def _named(self, workflow: str) -> str:
        if workflow in self.workflows:
            return workflow
        if not workflow and len(self.workflows) > 1:
            names = ", ".join(self.workflows)
            raise CourseError(
                "There are several workflows.", fix=f"name one of: {names}; or run them all with run_all(…)."
            )
        raise CourseError(f"There is no workflow {workflow!r}.", fix=f"name one of: {', '.join(self.workflows)}.")

    @contextmanager
    def _trial(self, faults: str, workflow: str) -> Iterator[tuple[Workflow, Tally]]:
        """Faults set, counting begun; the result is kept when the block ends without an exception."""
        if faults not in self.faults:
            raise CourseError(f"There are no faults {faults!r}.", fix=f"name one of: {', '.join(self.faults)}.")
        if not self._one_at_a_time.acquire(blocking=False):
            raise CourseError("A run of this lab is still going on.", fix="wait for its end, or press Stop.")
        try:
            if self._before:
                self._before()
            course = connect()
            tally = Tally(course, self._judge)
            with course.record(self.faults[faults], self._rate) as trace:
                yield self.workflows[workflow], tally
            self._results[faults, workflow] = tally.result(faults, workflow, trace)
        finally:
            self._one_at_a_time.release()


def fault_lab(
    workflow: Workflow | Mapping[str, Workflow],
    inputs: Sequence[Any],
    faults: Mapping[str, Plan] = menu.USUAL,
    *,
    judge: Callable[[Any, Any], bool] | None = None,
    before: Callable[[], object] | None = None,
    rate: float | tuple[float, int] | None = None,
) -> FaultLab:
    """Run the same workflow on the same inputs under faults of your choice, and compare.

    Args:
        workflow: A function from an input to a result, `async` or not; or several by name.
        inputs: What it is run on, one after the other.
        faults: Sets of faults by name; the usual ones when you give none.
        judge: True when this result is a good one for this input; without it every result is.
        before: Is called before each run, such as the method that closes a circuit breaker again.
        rate: The server's limit in every run: requests per second, or (requests per second, burst).

    Raises:
        CourseError: There is nothing to run or nothing to run it on, or a set of faults is no plan.
    """
    workflows = workflow if isinstance(workflow, Mapping) else {"": workflow}
    for name, each in workflows.items():
        if not callable(each):
            fact = f"The workflow {name!r} is {type(each).__name__}, which cannot be called."
            raise CourseError(fact, fix="give the function itself, such as answer or chain.invoke.")
    if not (workflows and inputs and faults):
        raise CourseError(
            "There is nothing to run.", fix="give a function, some inputs, and at least one set of faults."
        )
    for plan in faults.values():
        conditions(plan, rate)
    return FaultLab(workflows, inputs, faults, judge=judge, before=before, rate=rate)

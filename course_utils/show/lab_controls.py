"""The widgets of a fault lab: what may go wrong, Run and Stop, and the bars and the table of what came of it.

Layer 1: imports `controls`, `static`, `errors`, and ipywidgets, so it is imported only when a lab is shown. A run goes
on in a thread, so that Stop can be pressed meanwhile; an `async` workflow runs in the notebook's own event loop, where
the learner's semaphores and clients live.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
import traceback
from collections.abc import Sequence
from concurrent.futures import CancelledError as Cancelled
from typing import Any

import ipywidgets as widgets

from course_utils.errors import CourseError
from course_utils.records import count
from course_utils.show import picture, static
from course_utils.show.controls import STYLE, below, box, button, said, words

Lab = Any  # a faultlab.FaultLab, which imports this module when it is shown
EVERY_STEP = "every step"
_running: set[Panel] = set()


class Stopped(Exception):
    """The learner pressed Stop."""


class Panel:
    """The controls of one lab; make it in the kernel's main thread, where the notebook's event loop runs."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._loop = _running_loop()
        self._stop = threading.Event()
        self._task: Any = None  # of an `async` workflow, while one runs
        self.thread: threading.Thread | None = None  # of the last run
        self.choices = widgets.VBox([])
        self.run, self.stop, self.add = (button(text, width="auto") for text in ("Run", "Stop", "Add to the list"))
        self.progress = widgets.IntProgress(max=len(lab.inputs), layout=widgets.Layout(width="16em"))
        self.board, self.table, self.status = widgets.HTML(), widgets.HTML(), words()
        self.kind, self.often, self.step = map(_dropdown, ("What", "When", "Where"), (*lab.menu, [EVERY_STEP]))
        self.run.on_click(lambda _: self.start())
        self.stop.on_click(lambda _: self._end_soon())
        self.add.on_click(lambda _: self._add())
        self.stop.disabled = True
        _end_when_interrupted()
        self.refresh()
        for each in self.choices.children[:2]:
            each.value = True
        self.widgets = self._boxes()

    def _boxes(self) -> tuple[widgets.Widget, widgets.Widget]:
        """Controls and bars, and what is said below them, each for an output of its own."""
        who = ", ".join(f"`{name}`" for name in self.lab.workflows if name)
        head = (
            f"{count(len(self.lab.inputs), 'input')}{f' for each of {who}' if who else ''}. Choose what may go wrong:"
        )
        own = widgets.HTML('<div class="course-words">Or put together faults of your own:</div>')
        above = widgets.HTML(f'{STYLE}<div class="course-words"><strong>Fault lab.</strong> {static.rich(head)}</div>')
        rows = [above, self.choices, own, _line(self.kind, self.often, self.step, self.add)]
        rows += [_line(self.run, self.stop, self.progress), self.status, self.board]
        return box(rows), below(self.table)

    def refresh(self) -> None:
        """Show what the lab has: its sets of faults, the steps seen so far, the bars and the table."""
        old = {each.description: each for each in self.choices.children}
        self.choices.children = [old.get(name) or _checkbox(name) for name in self.lab.faults]
        steps = [EVERY_STEP, *self.lab.steps]
        if list(self.step.options) != steps:
            self.step.options = steps
        self.table.value = self.lab.table().html()
        if self.lab.table():
            drawn = self.lab.draw().figure
            picture.keep_back(drawn)
            self.board.value = drawn.html()

    def start(self) -> None:
        """Run what is ticked; this is what Run calls."""
        chosen = [each.description for each in self.choices.children if each.value]
        if not chosen:
            self.status.value = said("✗ Nothing is ticked. Tick a box above, then press Run.")
            return
        if self.thread and self.thread.is_alive():
            return
        self._stop.clear()
        _running.add(self)
        self.run.disabled, self.stop.disabled = True, False
        self.thread = threading.Thread(target=self._work, args=(chosen,), daemon=True, name="fault lab")
        self.thread.start()

    def end(self) -> None:
        """Stop the run; this is what Stop calls, and an interrupt of the kernel. What is not finished is forgotten."""
        self._stop.set()
        if self._task:
            self._task.cancel()

    def _end_soon(self) -> None:
        self.status.value = said("Stopping as soon as the present input is done …")
        self.end()

    def _work(self, chosen: list[str]) -> None:
        try:
            pairs = [(name, workflow) for name in chosen for workflow in self.lab.workflows]
            for name, workflow in pairs:
                self.status.value = said(f"Running: {static.rich(f'{name}, {workflow}' if workflow else name)} …")
                self._one(name, workflow)
                self.refresh()
        except Stopped:
            self.status.value = said("Stopped. The run that was going on is not in the table.")
        except BaseException as error:  # the learner's own function; JupyterLab would hide it in a log
            self.status.value = said(static.rich(_told(error)))
        else:
            self.status.value = said(f"✓ Done: {count(len(pairs), 'run')}.")
        finally:
            _running.discard(self)
            self.progress.value = 0
            self.run.disabled, self.stop.disabled = False, True

    def _one(self, name: str, workflow: str) -> None:
        self._tell(0)
        work = self.lab.workflows[workflow]
        runs = [work, getattr(type(work), "__call__", None)]  # noqa: B004 - it is looked at, not called
        if self._loop is None or not any(map(inspect.iscoroutinefunction, runs)):
            self.lab.run(name, workflow, tell=self._tell)
            return
        ended = threading.Event()

        async def whole() -> None:
            try:
                await self.lab.arun(name, workflow, tell=self._tell)
            finally:
                ended.set()

        self._task = asyncio.run_coroutine_threadsafe(whole(), self._loop)
        try:
            self._task.result()
        except Cancelled:
            ended.wait(10)  # the server is told to behave again
            raise Stopped from None
        finally:
            self._task = None

    def _tell(self, done: int) -> None:
        if self._stop.is_set():
            raise Stopped
        self.progress.value = done

    def _add(self) -> None:
        name = self.lab.add(self.kind.value, self.often.value, self.step.value.replace(EVERY_STEP, ""))
        self.refresh()
        next(each for each in self.choices.children if each.description == name).value = True
        self.status.value = said(f"✓ In the list, and ticked: {static.rich(name)}.")


def _checkbox(name: str) -> widgets.Checkbox:
    return widgets.Checkbox(description=name, indent=False, layout=widgets.Layout(width="auto", margin="0"))


def _dropdown(name: str, options: Sequence[str]) -> widgets.Dropdown:
    layout, style = widgets.Layout(width="auto"), {"description_width": "auto"}
    return widgets.Dropdown(options=options, description=name, layout=layout, style=style)


def _line(*parts: widgets.Widget) -> widgets.HBox:
    layout = widgets.Layout(overflow="visible", align_items="center", flex_flow="row wrap")
    return widgets.HBox(parts, layout=layout)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _end_when_interrupted() -> None:
    """Let JupyterLab's own stop button end a run, too: an idle kernel would ignore it, for it waits in a cell only."""
    kernel = getattr(getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)(), "kernel", None)
    if hasattr(kernel, "saved_sigint_handler"):  # what ipykernel puts back in force whenever a cell has ended
        kernel.saved_sigint_handler = lambda number, frame: [panel.end() for panel in tuple(_running)]


def _told(error: BaseException) -> str:
    """An error in words; a bug says where it is, and that it is one."""
    if isinstance(error, CourseError):
        return f"✗ {error.fact} Try: {error.fix}"
    place = [frame for frame in traceback.extract_tb(error.__traceback__) if "site-packages" not in frame.filename]
    where = f" in `{place[-1].name}`, line {place[-1].lineno}" if place else ""
    return (
        f"✗ {type(error).__name__}{where}: {error}. That is a bug in the workflow and no fault of the server's. "
        "Try: mend it, run its cell again, and then the cell of this lab."
    )

"""The fault lab on a real server with the real ChatOpenAI: counts, bugs, judges, loops, interrupts, widgets."""

from __future__ import annotations

import asyncio
import threading
import time

import nbformat
import pytest
from nbclient import NotebookClient

from course_utils import faults
from course_utils.conditions import conditions
from course_utils.connection import connect
from course_utils.errors import CourseError
from course_utils.faultlab import fault_lab
from course_utils.faults import menu
from course_utils.models import chat_model
from course_utils.records import Trace
from course_utils.show.lab_controls import Panel
from course_utils.show.results import Result, Results
from course_utils.show.scoreboard import scoreboard

pytestmark = pytest.mark.usefixtures("judged_server")

WORDS = ["one", "two words", "three little words"]
PLANS = {
    "none": faults.never(),
    "a 503 first": faults.first(1, faults.unavailable()),
    "empty": faults.every(2, faults.empty()),
}
DOWN = {"down": faults.after(0, faults.unavailable())}


def echo(text: str) -> str:
    return chat_model(step="echo").invoke(text).text


async def aecho(text: str) -> str:
    return (await chat_model(step="echo").ainvoke(text)).text


def retrying(text: str) -> str:
    try:
        return echo(text)
    except Exception:
        return echo(text)


def is_same(given: str, result: str) -> bool:
    return given == result


def told(row: Result) -> tuple:
    return row.succeeded, row.degraded, row.failed, row.errors, row.requests


def test_inputs_are_counted_by_what_they_come_to():
    """A result counts as a success, an exception as a failure under its class's name."""
    lab = fault_lab(echo, WORDS, PLANS)
    assert told(lab.run("none")) == (3, 0, 0, {}, 3)
    row = lab.run("a 503 first")
    assert (row.succeeded, row.failed, row.requests, row.answered, row.inputs) == (2, 1, 3, 2, 3)
    assert repr(row) == "<a 503 first: 2 of 3 inputs succeeded, 1 failed (1 × OpenAIAPIError); 3 requests>"
    assert row.trace.steps == ["echo"]
    assert 0 < row.price < lab.run("none").price
    assert lab.steps == ["echo"]


def test_a_judge_tells_good_results_from_bad_ones():
    """A result that the judge refuses is degraded: the input was answered, but not well."""
    row = fault_lab(echo, WORDS, PLANS, judge=is_same).run("empty")
    assert (told(row), row.answered) == ((2, 1, 0, {}, 3), 3)
    assert repr(row) == "<empty: 2 of 3 inputs succeeded, 1 degraded, 0 failed; 3 requests>"


def test_several_workflows_stand_side_by_side():
    """The table has the order of the lab, whatever ran first, and leaves out what has not run."""
    lab = fault_lab({"plain": echo, "with retry": retrying}, WORDS, PLANS)
    lab.run("a 503 first", "with retry")
    lab.run("none", "plain")
    assert [(row.faults, row.workflow) for row in lab.table()] == [("none", "plain"), ("a 503 first", "with retry")]
    lines = [line.split() for line in repr(lab.run_all("none", "a 503 first")).splitlines()]
    prices = {line[-1] for line in lines[2:]} - {"OpenAIAPIError"}
    assert all(price.startswith("$0.0") for price in prices)
    assert lines[0] == ["faults", "workflow", "succeeded", "failed", "requests", "price", "raised"]
    assert [row.requests for row in lab.table()] == [3, 3, 3, 4]
    assert [row.succeeded for row in lab.table()] == [3, 3, 2, 3]


def broken(text: str) -> str:
    echo(text)
    return undefined  # noqa: F821 - the learner's bug


def careless(text: str) -> str:
    return None + echo(text)


def careless_later(text: str) -> str:
    try:
        return echo(text)
    except Exception:
        return None + ""


async def grouped(text: str) -> str:
    async with asyncio.TaskGroup() as group:
        found = [group.create_task(aecho(text)) for _ in range(2)]
    return found[0].result()


async def grouped_bug(text: str) -> str:
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.to_thread(broken, text))
    return text


def unwritten(text: str) -> str:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("workflow", "error", "plan"),
    [
        (broken, NameError, "a 503 first"),
        (careless, TypeError, "none"),
        (grouped_bug, ExceptionGroup, "none"),
        (unwritten, NotImplementedError, "none"),
        (lambda text: chat_model(step="é"), CourseError, "none"),
    ],
)
def test_a_bug_is_no_fault(workflow, error, plan):
    """What only the workflow's own text can have caused is raised, nothing is kept, and the server behaves again."""
    lab = fault_lab(workflow, WORDS, PLANS)
    with pytest.raises(error):
        lab.run(plan)
    assert (len(lab.table()), echo("still there")) == (0, "still there")


def test_after_a_fault_a_type_error_counts_and_is_marked():
    """A damaged answer may cause one, so it is a failed input; the table asks whether it is a bug."""
    lab = fault_lab(careless_later, WORDS, PLANS)
    assert told(lab.run("a 503 first")) == (2, 0, 1, {"TypeError": 1}, 3)
    assert "1 × TypeError (a bug?)" in repr(lab.table())


def test_a_group_counts_under_the_name_of_what_is_in_it():
    """A TaskGroup wraps what its tasks raise."""
    row = fault_lab(grouped, WORDS[:1], DOWN).run("down")
    assert (row.failed, row.errors) == (1, {"OpenAIAPIError": 1})


def test_before_is_called_before_each_run():
    """So that every run begins with a closed breaker and an empty cache."""
    calls = []
    lab = fault_lab({"a": echo, "b": echo}, WORDS[:1], {"none": faults.never()}, before=lambda: calls.append(1))
    lab.run_all()
    assert calls == [1, 1]


def test_a_rate_limit_can_be_set():
    """The server refuses what comes too fast, in every run anew."""
    lab = fault_lab(echo, WORDS, {"none": faults.never()}, rate=(0.0001, 2))
    assert [told(lab.run("none"))[:3] for _ in range(2)] == [(2, 0, 1), (2, 0, 1)]


def test_async_workflows_run_with_and_without_await():
    """One process-wide HTTP client serves the loop of `run` and every loop of `arun`, time and again."""
    lab = fault_lab({"sync": echo, "async": aecho, "disguised": lambda text: aecho(text)}, WORDS, PLANS)

    async def inside() -> list[tuple]:
        awaited = [told(await lab.arun("a 503 first", name)) for name in lab.workflows]
        return awaited + [told(lab.run("a 503 first", name)) for name in lab.workflows]

    found = [*asyncio.run(inside()), told(lab.run("a 503 first", "async")), *asyncio.run(inside())]
    assert {(*row[:3], row[4]) for row in found} == {(2, 0, 1, 3)}
    assert len(asyncio.run(lab.arun_all("none"))) == 6


def test_no_thread_is_left_over():
    """The loop that `run` needed for an `async` workflow ends with the run, also when that fails."""
    before = threading.active_count()
    lab = fault_lab(aecho, WORDS, PLANS)
    lab.run("none")

    async def bad(text: str) -> None:
        return undefined  # noqa: F821

    with pytest.raises(NameError):
        fault_lab(bad, WORDS, PLANS).run("none")
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_an_interrupt_ends_a_run():
    """Nothing of it is kept, the faults are gone, and the lab can run again."""

    def interrupted(text: str) -> str:
        if text == WORDS[1]:
            raise KeyboardInterrupt
        return retrying(text)

    lab = fault_lab({"cut": interrupted, "whole": retrying}, WORDS, PLANS)
    with pytest.raises(KeyboardInterrupt):
        lab.run("a 503 first", "cut")
    assert (len(lab.table()), echo("fine")) == (0, "fine")
    assert lab.run("none", "whole").succeeded == 3


def test_a_cancelled_run_ends_at_once():
    """A cell that is interrupted cancels what it awaits; the server behaves again."""
    lab = fault_lab(aecho, WORDS, {"late": faults.after(0, faults.timeout(3600))})

    async def cut_short() -> None:
        task = asyncio.create_task(lab.arun("late"))
        while connect().records()[-1:].steps != ["echo"] or connect().records()[-1].status is not None:
            await asyncio.sleep(0.01)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cut_short())
    assert (len(lab.table()), echo("fine")) == (0, "fine")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: fault_lab(echo, []), "There is nothing to run."),
        (lambda: fault_lab({}, WORDS), "There is nothing to run."),
        (lambda: fault_lab("echo", WORDS), "The workflow '' is str, which cannot be called."),
        (lambda: fault_lab(echo, WORDS, {"bad": faults.cut()}), "cut is a fault; a plan says when it strikes."),
        (lambda: fault_lab(echo, WORDS).run("a flood"), "There are no faults 'a flood'."),
        (lambda: fault_lab(echo, WORDS).run("no faults", "other"), "There is no workflow 'other'."),
        (lambda: fault_lab({"a": echo, "b": echo}, WORDS).run("no faults"), "There are several workflows."),
        (lambda: fault_lab(echo, WORDS).add("a flood"), "'a flood' is none of the choices."),
    ],
)
def test_what_cannot_run_is_said(make, words):
    """Each mistake has its sentence."""
    with pytest.raises(CourseError, match=words.replace(".", r"\.")):
        make()


def test_whatever_is_put_together_is_a_plan():
    """Every kind with every rhythm, for all steps and for one, is a plan that the server takes."""
    for kind in menu.KINDS:
        for often in menu.OFTEN:
            for step in ("", "echo"):
                name, plan = menu.mixed(kind, often, step)
                assert conditions(plan, None)["plan"], name


def test_faults_of_ones_own_join_the_others():
    """They have a name that says what they do, and they run like the others."""
    lab = fault_lab(echo, WORDS, PLANS)
    name = lab.add("500 server error", "the first request", "echo")
    assert name == "the first request of echo: 500 server error"
    assert lab.run(name).failed == 1
    assert lab.run(lab.add("500 server error", "the first request", "other")).failed == 0


RESULTS = Results(
    [
        Result("none", "plain", 4, 0, 0, {}, Trace(), True),
        Result("none", "with a very long name of a workflow that nobody needs", 3, 1, 0, {}, Trace(), True),
        Result("all requests: 503, and a longer name than usual", "plain", 0, 0, 4, {"E": 4}, Trace(), True),
    ]
)


def test_the_bars_say_the_outcomes_and_keep_apart():
    """The caption has counts and no times; no word of the picture lies on another one or leaves the picture."""
    figure = scoreboard(RESULTS, title="Tuesday").figure
    assert figure.caption == (
        "Tuesday: none: plain 4 of 4 succeeded, with a very long name of a workflow that nobody needs 3 of 4 "
        "succeeded, 1 degraded; all requests: 503, and a longer name than usual: plain 0 of 4 succeeded."
    )
    figure.draw_without_rendering()
    places = [text.get_window_extent() for ax in figure.axes for text in ax.texts]
    for index, place in enumerate(places):
        assert figure.bbox.x0 <= place.x0
        assert place.x1 <= figure.bbox.x1
        assert not any(place.overlaps(other) for other in places[index + 1 :])


def test_bars_need_a_run():
    """Before the first one there is a sentence."""
    with pytest.raises(CourseError, match="Nothing has run yet"):
        fault_lab(echo, WORDS).draw()


def panel_of(lab, *ticked: str) -> Panel:
    """The widgets of a lab, with these boxes ticked."""
    panel = Panel(lab)
    for box in panel.choices.children:
        box.value = box.description in ticked
    return panel


def ended(panel: Panel) -> str:
    """What the panel says once its run is over."""
    panel.thread.join(30)
    assert not panel.thread.is_alive()
    return panel.status.value


def test_the_button_runs_what_is_ticked():
    """Every workflow under every ticked set, sync or async; bars, table and steps follow."""
    lab = fault_lab({"sync": echo, "async": aecho}, WORDS, PLANS)
    panel = panel_of(lab, "a 503 first")
    panel.start()
    assert "✓ Done: 2 runs." in ended(panel)
    assert [(row.workflow, row.succeeded) for row in lab.table()] == [("sync", 2), ("async", 2)]
    assert 'alt="Fault lab: a 503 first: sync 2 of 3 succeeded, async 2 of 3 succeeded.' in panel.board.value
    assert "OpenAIAPIError" in panel.table.value
    assert panel.step.options == ("every step", "echo")
    assert (panel.run.disabled, panel.stop.disabled) == (False, True)


def test_nothing_ticked_is_said():
    """The button does nothing else."""
    panel = panel_of(fault_lab(echo, WORDS, PLANS))
    panel.start()
    assert "Nothing is ticked." in panel.status.value
    assert panel.thread is None


def test_a_bug_is_told_where_it_can_be_seen():
    """Not in a log, and not as a fault; with its place."""
    panel = panel_of(fault_lab(broken, WORDS, PLANS), "a 503 first", "none")
    panel.start()
    said = ended(panel)
    assert "✗ NameError in <code>broken</code>, line" in said
    assert "no fault of the server" in said


def test_stop_ends_the_run():
    """After the input that is being worked on; the run is not in the table."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(text: str) -> str:
        begun.set()
        go_on.wait(30)
        return echo(text)

    lab = fault_lab(slow, WORDS, PLANS)
    panel = panel_of(lab, "none")
    panel.start()
    begun.wait(30)
    panel.end()
    go_on.set()
    assert "Stopped." in ended(panel)
    assert (len(lab.table()), len(connect().records()[-1:]), echo("fine")) == (0, 1, "fine")


def test_in_a_notebook_an_async_workflow_stays_in_the_notebooks_loop():
    """A semaphore that a cell has used before works from the button, too; Stop cancels at once."""

    async def cell() -> tuple[str, str, int]:
        gate = asyncio.Semaphore(1)

        async def one(text: str) -> str:
            async with gate:
                return await aecho(text)

        await asyncio.gather(*map(one, WORDS))  # binds the semaphore to this loop
        lab = fault_lab(one, WORDS, {**PLANS, "never ends": faults.after(0, faults.timeout(3600))})

        async def racing(text: str) -> list[str]:
            return await asyncio.gather(one(text), one(text))

        lab.workflows[""] = racing
        panel = panel_of(lab, "none")
        panel.start()
        first = await asyncio.to_thread(ended, panel)
        panel = panel_of(lab, "never ends")
        panel.start()
        while connect().records()[-1].status is not None:
            await asyncio.sleep(0.01)
        panel.end()
        return first, await asyncio.to_thread(ended, panel), len(lab.table())

    first, second, rows = asyncio.run(cell())
    assert "✓ Done: 1 run." in first
    assert "Stopped." in second
    assert (rows, echo("fine")) == (1, "fine")


def test_add_ticks_the_new_faults():
    """What was put together is in the list, ticked, once."""
    panel = panel_of(fault_lab(echo, WORDS, PLANS))
    for _ in range(2):
        panel.kind.value, panel.often.value = "cut off", "all requests"
        panel.add.click()
    assert [(box.description, box.value) for box in panel.choices.children][3:] == [("all requests: cut off", True)]
    assert "all requests: cut off" in panel.status.value


def test_a_notebook_keeps_bars_and_counts():
    """Before a run a card says what can be tried; after it, picture and table stand beside the widgets."""
    source = """from test_fault_lab import PLANS, WORDS, aecho, echo
from course_utils import fault_lab
trials = fault_lab({"sync": echo, "async": aecho}, WORDS, PLANS)
trials"""
    cells = [source, "print(await trials.arun('a 503 first', 'async'))\ntrials.run('none', 'async')", "trials", "1"]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    resources = {"metadata": {"path": __file__.rpartition("/")[0]}}
    NotebookClient(made, timeout=120, resources=resources, store_widget_state=False).execute()
    card, nothing = made.cells[0].outputs
    assert card.data["text/plain"] == (
        "Fault lab with 3 inputs.\nWorkflows: sync, async.\nFaults: none; a 503 first; empty."
    )
    assert nothing.data["text/plain"].startswith("Nothing has run yet.")
    still, table = made.cells[2].outputs
    assert still.metadata["image/png"]["alt"].startswith(
        "Fault lab: none: async 3 of 3 succeeded; a 503 first: async 2"
    )
    assert [line.split()[:5] for line in table.data["text/plain"].splitlines()[2:4]] == [
        ["none", "async", "3", "0", "3"],
        ["a", "503", "first", "async", "2"],
    ]
    assert len(made.cells[3].outputs) == 1

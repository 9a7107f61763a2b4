"""The fault lab and the stepper as a learner has them: JupyterLab in headless Chromium, with mouse and with keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lab_browser import CHROMIUM, Notebook, chromium, jupyterlab, write_notebook

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs the browser chromium: apt install chromium")

CELLS = [
    """\
from course_utils import chat_model, connect, fault_lab, faults, predict, quiz, stepper, world
course = connect()
llm = chat_model(step="reply")
tickets = [ticket.text for ticket in list(world.tickets())[:6]]
""",
    """\
def plain(ticket):
    return llm.invoke(f"Summarise in at most 20 words: {ticket}").text
async def retrying(ticket):
    for attempt in (1, 2, 3):
        try:
            return (await llm.ainvoke(f"Summarise in at most 20 words: {ticket}")).text
        except Exception:
            if attempt == 3:
                raise
""",
    """\
trials = fault_lab({"plain": plain, "with retry": retrying}, tickets, {
    "none": faults.never(),
    "every 2nd: 503": faults.every(2, faults.unavailable()),
    "all late": faults.after(0, faults.slow(15)),
})
trials
""",
    """\
with course.record(faults=faults.first(1, faults.unavailable())) as trace:
    chat_model(step="reply", max_retries=1).invoke(tickets[0])
""",
    "stepper(trace, is_in_order=True)",
    'quiz("q05")',
    'predict("How many requests?", name="requests", default=3)',
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[str]:
    """A running JupyterLab with a notebook that has one of each widget."""
    folder = tmp_path_factory.mktemp("lab")
    write_notebook(folder / "widgets.ipynb", CELLS)
    with jupyterlab(folder) as address:
        yield address


def test_a_fault_lab_runs_is_stopped_and_shows_bars(lab, shots):
    """Ticked faults are run on Run; Stop and the kernel's own stop button end a long run, and the server behaves."""
    with chromium(height=1300) as page:
        notebook = Notebook(page, lab, "widgets.ipynb", shots)
        notebook.run_all()
        trials = notebook.output("trials = fault_lab(")
        notebook.shot("fault-lab-before", trials)
        trials.get_by_role("button", name="Run").click()
        trials.get_by_text("✓ Done: 4 runs.").wait_for()
        assert trials.locator("td", has_text="3 × OpenAIAPIError").count() == 1
        assert "every 2nd: 503: plain 3 of 6 succeeded" in trials.locator("img").get_attribute("alt")
        notebook.shot("fault-lab-done", trials)
        for label, choice in (("What", "cut off"), ("When", "all requests"), ("Where", "reply")):
            trials.get_by_label(label).select_option(choice)
        trials.get_by_role("button", name="Add to the list").click()
        trials.get_by_text("In the list, and ticked: all requests of reply: cut off.").wait_for()
        assert trials.get_by_label("all requests of reply: cut off").is_checked()
        for name in ("none", "every 2nd: 503", "all requests of reply: cut off"):
            trials.get_by_label(name).uncheck()
        trials.get_by_label("all late").check()
        for stop in (lambda: trials.get_by_role("button", name="Stop").click(), lambda: interrupt(notebook)):
            trials.get_by_role("button", name="Run").click()
            trials.get_by_text("Running: all late, plain").wait_for()
            stop()
            trials.get_by_text("Stopped.").wait_for()
        notebook.shot("fault-lab-stopped", trials)


def interrupt(notebook: Notebook) -> None:
    """Press the kernel's stop button in the toolbar."""
    notebook.page.locator('[data-command="notebook:interrupt-kernel"], [data-jp-item-name="interrupt"]').first.click()


def test_a_stepper_walks_by_keys_alone_also_in_the_dark(lab, shots):
    """Tab reaches the buttons and the slider, Enter and the arrow keys move, and the words follow."""
    with chromium(height=1100) as page:
        notebook = Notebook(page, lab, "widgets.ipynb", shots)
        notebook.menu("Settings", "Theme", "JupyterLab Dark")
        notebook.run_all()
        steps = notebook.output("stepper(trace")
        steps.get_by_text("Before the first of 2 requests.").wait_for()
        steps.get_by_role("button", name="|◀ First").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('role')") == "slider"
        page.keyboard.press("ArrowRight")
        steps.get_by_text("Moment 1 of 4. Request 1 of reply: it is sent.").wait_for()
        page.keyboard.press("ArrowRight")
        steps.get_by_text("Moment 2 of 4. Request 1 of reply: answered 503. Nothing is in flight.").wait_for()
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # Next, after the slider's readout
        steps.get_by_text("Moment 3 of 4. Request 2 of reply, attempt 2: it is sent.").wait_for()
        notebook.shot("stepper-dark", steps)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        steps.get_by_text("Moment 4 of 4. Request 2 of reply, attempt 2: answered 200.").wait_for()
        steps.get_by_text("The answer:").wait_for()
        assert steps.locator("img").get_attribute("alt").startswith("What happened, as it stood then. Moment 4 of 4.")
        notebook.shot("stepper-dark-end", steps)
        trials = notebook.output("trials = fault_lab(")
        trials.get_by_label("none").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        for _ in range(6):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        trials.get_by_text("✓ Done: 2 runs.").wait_for()
        notebook.shot("fault-lab-dark", trials)


def test_a_notebook_that_is_opened_again_shows_what_was_left(lab, shots):
    """Saved, its kernel gone, and opened again: widgets stand as they were left and say that they need their cell."""
    with chromium(height=1300) as page:
        notebook = Notebook(page, lab, "widgets.ipynb", shots)
        notebook.run_all()
        guess = notebook.output("predict(")
        guess.locator("input").fill("2")
        guess.get_by_text("That is my prediction").click()
        guess.get_by_text("Noted: 2.").wait_for()
        notebook.output('quiz("q05")').get_by_text("A gate that checks the text").click()
        notebook.output('quiz("q05")').get_by_text("Right:").wait_for()
        notebook.menu("File", "Save Notebook")
        page.locator(".jp-mod-dirty").wait_for(state="hidden")
        notebook.menu("Kernel", "Shut Down Kernel")
        page.get_by_text("| No Kernel").or_(page.get_by_text("No Kernel")).first.wait_for()
    with chromium(height=1300) as page:
        again = Notebook(page, lab, "widgets.ipynb", shots)
        again.output('quiz("q05")').get_by_text("Right:").wait_for()
        again.output("predict(").get_by_text("Noted: 2.").wait_for()
        assert page.get_by_text("model not found").count() == 0
        said = "e => getComputedStyle(e, '::before').content"
        told = [box.evaluate(said) for box in page.locator(".course-widget").all()]
        assert told == ['"This stands as you left it. To use it again, run the cells from the top."'] * 4
        assert [e.evaluate(said) for e in page.locator(".course-below, .course-below *").all()].count("none") > 4
        again.shot("reopened-top", again.output("trials = fault_lab("))
        again.shot("reopened", again.output("predict("))
        again.run_all()
        told = [box.evaluate(said) for box in page.locator(".course-widget").all()]
        assert told == ["none"] * 4

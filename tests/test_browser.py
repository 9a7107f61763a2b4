"""Lesson 1 and exercise 1 as a learner has them: JupyterLab in headless Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lab_browser import CHROMIUM, Notebook, chromium, jupyterlab

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs the browser chromium: apt install chromium")

NO_GATE = """\
def summarise_translate(text: str, language: str, llm) -> str:
    summary = llm.invoke(f"Summarise in at most 20 words: {text}").text
    return llm.invoke(f"Translate into {language}: {summary}").text
"""
GATE = """\
def summarise_translate(text: str, language: str, llm) -> str:
    summary = llm.invoke(f"Summarise in at most 20 words: {text}").text
    if not 1 <= len(summary.split()) <= 20:
        raise ValueError("bad summary")
    return llm.invoke(f"Translate into {language}: {summary}").text
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[str]:
    """A running JupyterLab."""
    with jupyterlab(tmp_path_factory.mktemp("lab")) as address:
        yield address


def test_lesson_1_runs_from_top_to_bottom_and_its_quiz_answers(lab, shots):
    """Every cell runs without an error; the quiz explains a wrong and a right choice; a prediction is kept."""
    with chromium() as page:
        lesson = Notebook(page, lab, "notebooks/01_from_tasks_to_workflows.ipynb", shots)
        lesson.shot("lesson-as-built")
        lesson.run_all()
        assert page.locator('[data-mime-type="application/vnd.jupyter.error"]').count() == 0
        assert page.locator('[data-mime-type="application/vnd.jupyter.stderr"]').count() == 0
        assert page.locator(".jp-RenderedImage img").count() >= 5
        lesson.output("stepper(by_agent[1]").get_by_text("Before the first of 3 requests.").wait_for()

        quiz = lesson.output('quiz("q05")')
        quiz.get_by_text("A larger model for the next step").click()
        quiz.get_by_text("Not yet:").wait_for()
        quiz.get_by_text("A gate that checks the text").click()
        quiz.get_by_text("Right:").wait_for()
        lesson.shot("lesson-quiz", quiz)

        guess = lesson.output("bad_statuses = predict(")
        guess.locator("input").fill("2")
        guess.get_by_text("That is my prediction").click()
        guess.get_by_text("Noted: 2 requests").wait_for()
        lesson.run("with course.record(faults=empty_summary) as broken:")
        reveal = lesson.run("bad_statuses.reveal(")
        reveal.get_by_text("You said 2 requests; the log shows 0 requests").wait_for()
        lesson.shot("lesson-reveal", reveal)


def test_a_changed_cell_gets_a_sensible_answer(lab, shots):
    """A learner who writes a ticket of their own gets a summary of that one."""
    with chromium() as page:
        lesson = Notebook(page, lab, "notebooks/01_from_tasks_to_workflows.ipynb", shots)
        lesson.run("course = connect()")
        lesson.run("SUMMARISE = ")
        lesson.write(
            "print(ticket)", 'ticket = "My Heron counts no rain since Tuesday, and I emptied it twice."\nprint(ticket)'
        )
        lesson.run("SUMMARISE = ")
        lesson.write("tokens.reveal(plain", "print(plain[0].answer)")
        lesson.output("print(plain[0].answer)").get_by_text("Heron").wait_for()
        lesson.shot("lesson-own-ticket", lesson.output("print(plain[0].answer)"))


def test_exercise_1_done_wrong_and_then_right(lab, shots):
    """A blank, a wrong and a right answer each say so, with a picture of the failing case."""
    with chromium() as page:
        exercise = Notebook(page, lab, "exercises/01_a_chain_with_a_gate.ipynb", shots)
        exercise.run("from course_utils import")
        exercise.run("def summarise_translate")
        blank = exercise.run('check("chain.gate"')
        blank.get_by_text("· chain.gate: not written yet").wait_for()
        exercise.shot("exercise-blank", blank)

        exercise.write("def summarise_translate", NO_GATE)
        wrong = exercise.run('check("chain.gate"')
        wrong.get_by_text("the model's summary has 21 words").wait_for()
        assert wrong.locator("img").count() == 1
        assert "Traceback" not in wrong.inner_text()
        exercise.shot("exercise-wrong", wrong)

        exercise.write("def summarise_translate", GATE)
        right = exercise.run('check("chain.gate"')
        right.get_by_text("✓ chain.gate: 6 of 6 cases").wait_for()
        exercise.shot("exercise-right", right)

"""What a real kernel stores for pictures and questions, and that nbval finds it the same again."""

from __future__ import annotations

import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

VIEW = "application/vnd.jupyter.widget-view+json"
SETUP = """
from course_utils.records import Record, Trace
from course_utils.show.graph import workflow_graph
from course_utils.show.ledger import ledger
from course_utils.show.predict import calibration, predict
from course_utils.show.quiz import quiz
from course_utils.show.timeline import timeline
import time
now = time.perf_counter()  # pictures differ from run to run, words do not
trace = Trace([Record(n, "main", step, "small", 1, now, now + n, now * n, now * n + n / 3, 1, 200)
               for n, step in enumerate("abb", start=1)])
"""
CELLS = {
    "setup": SETUP,
    "timeline": "ax = timeline(trace, title='Three requests')\nprint('printed first')\nline = ax.axvline(0.5)",
    "shown once": "ax = timeline(trace)\nax.figure",
    "two": "first = timeline(trace, title='one')\nsecond = workflow_graph([('start', 'gate'), ('gate', 'end', 'ok')])",
    "on another axes": "from matplotlib.figure import Figure\nax = timeline(trace, ax=Figure().subplots())",
    "a plot of one's own": (
        "import matplotlib.pyplot as plt\nax = timeline(trace)\nlines = plt.plot([1, 2])\nassert lines[0].axes != ax"
    ),
    "after an error": "ax = timeline(trace)\n1 / 0",
    "next": "'nothing is left over'",
    "ledger": "ledger(trace)",
    "quiz": "quiz('q04')",
    "quiz again": "quiz('q04')",
    "predict": "calls = predict('How many?', name='calls', default=2)\ncalls",
    "reveal": "calls.reveal(len(trace))",
    "calibration": "calibration()",
}


@pytest.fixture(scope="module")
def notebook():
    cells = [nbformat.v4.new_code_cell(source, metadata={"name": name}) for name, source in CELLS.items()]
    cells[list(CELLS).index("after an error")].metadata["tags"] = ["raises-exception"]
    made = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(made, timeout=120, kernel_name="python3", store_widget_state=False).execute()
    return made


@pytest.fixture(scope="module")
def outputs(notebook):
    return {cell.metadata["name"]: cell.outputs for cell in notebook.cells}


def kinds(found) -> list[list[str]]:
    return [sorted(output.get("data", {output.get("name", output.output_type): ""})) for output in found]


PICTURE = [["image/png", "text/plain"], ["text/html", "text/plain"]]


def test_a_picture_comes_at_the_end_of_its_cell_with_alt_text_and_a_caption(outputs):
    """First what the cell printed, then the PNG with its size and alt text, then the same in words."""
    printed, picture, caption = outputs["timeline"]
    assert printed.text == "printed first\n"
    assert (picture.data["text/plain"], sorted(picture.metadata["image/png"])) == (
        "<Picture: timeline>",
        ["alt", "height", "width"],
    )
    assert picture.metadata["image/png"]["alt"].startswith("Three requests: 3 requests in 2 steps: a 1; b 2.")
    assert picture.metadata["image/png"]["width"] == 750
    assert caption.data["text/plain"] == "Three requests: 3 requests in 2 steps: a 1; b 2."


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("shown once", PICTURE),
        ("two", PICTURE + PICTURE),
        ("on another axes", []),
        ("next", [["text/plain"]]),
        ("ledger", [["text/html", "text/plain"]]),
        ("reveal", [["text/html", "text/plain"]]),
        ("calibration", [["text/html", "text/plain"]]),
        ("quiz", [sorted([VIEW, "text/html", "text/plain"])]),
        ("quiz again", [sorted([VIEW, "text/html", "text/plain"])]),
        ("predict", [sorted([VIEW, "text/html", "text/plain"])]),
    ],
)
def test_each_thing_is_shown_once_and_with_a_twin(outputs, cell, shown):
    """A picture is never shown twice, one on a borrowed Axes not at all; a widget has HTML and text beside it."""
    assert kinds(outputs[cell]) == shown


def test_a_picture_is_shown_even_when_its_cell_fails(outputs):
    """The error does not swallow the picture, and nothing is left for the next cell."""
    assert kinds(outputs["after an error"]) == [["error"], *PICTURE]


def test_a_plot_of_ones_own_does_not_land_on_the_picture(outputs):
    """pyplot has no picture of ours as its current figure; the cell shows both figures."""
    assert sum("image/png" in output.get("data", {}) for output in outputs["a plot of one's own"]) == 2


def test_nbval_finds_the_same_again(notebook, tmp_path):
    """With widget views dropped, as the build does, a second run differs in nothing that nbval compares."""
    stored = nbformat.from_dict(notebook)
    for output in (output for cell in stored.cells for output in cell.outputs):
        output.get("data", {}).pop(VIEW, None)
    path = tmp_path / "stored.ipynb"
    nbformat.write(stored, path)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval",
        "--nbval-current-env",
        "-q",
        "-p",
        "no:cacheprovider",
        path.name,
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert f"{len(CELLS)} passed" in done.stdout, done.stdout[-3000:]


def test_importing_pictures_and_questions_is_cheap():
    """Neither matplotlib nor ipywidgets nor IPython is loaded before something is shown."""
    names = ", ".join(f"course_utils.show.{name}" for name in ("timeline", "ledger", "quiz", "predict"))
    code = (
        f"import sys, {names}; print(sorted({{'matplotlib', 'ipywidgets', 'IPython', 'networkx'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

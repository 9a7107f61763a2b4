"""The grader against real kernels, a real nbval session and a judge in a process of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from course_utils import private_server
from course_utils.build.notebook import unexecuted
from course_utils.build.rules import EXERCISE
from course_utils.build.source import read_source
from course_utils.grading.command import grade, run
from course_utils.grading.report import as_text
from course_utils.grading.runner import Limits

HERE = Path(__file__).parent / "fixtures" / "grading"
JUDGE = (sys.executable, str(HERE / "mini_judge.py"))
SQUARE = "def square(number):\n    return number * number"
DOUBLE = "def double(number):\n    return number + number"


def solution():
    """The solution as the builder leaves it, with the outputs that its cells have outside of grading."""
    notebook = unexecuted(read_source(HERE / "01_mini.py", EXERCISE), is_blank=False)
    for number, cell in enumerate(code_cells(notebook), 1):
        cell["execution_count"] = number
        if "check" in cell["metadata"]["tags"]:
            name = cell["metadata"]["name"].removeprefix("check-")
            line = f"✓ mini.{name}: 3 of 3 cases\n"
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": line}]
    return notebook


def blank():
    """The exercise as a learner gets it."""
    return unexecuted(read_source(HERE / "01_mini.py", EXERCISE), is_blank=True)


def code_cells(notebook):
    """All code cells."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def cell(notebook, name):
    """The cell of this name."""
    return next(cell for cell in notebook["cells"] if cell["metadata"]["name"] == name)


def answered(double=DOUBLE, square=SQUARE):
    """An exercise in which both answers are written."""
    notebook = blank()
    cell(notebook, "answer-double")["source"] = double
    cell(notebook, "answer-square")["source"] = square
    return notebook


def without_checks():
    """Right answers; the check cells were deleted."""
    notebook = answered()
    notebook["cells"] = [one for one in notebook["cells"] if "check" not in one["metadata"].get("tags", ())]
    return notebook


def with_other_checks():
    """Wrong answers, and check cells that were edited, retagged, doubled and moved."""
    notebook = answered(square="def square(number):\n    return 0")
    for name in ("check-double", "check-square"):
        cell(notebook, name)["source"] = "print('✓ mini.square: 3 of 3 cases')"
        cell(notebook, name)["metadata"]["tags"] = ["answer", "nbval-skip"]
    notebook["cells"] = [*reversed(notebook["cells"]), dict(cell(notebook, "check-double"))]
    return notebook


FORGED = """\
def double(number): return 0
def check(name, answer): print(f'✓ {name}: 3 of 3 cases')"""
NOISY = """\
import sys, warnings
print("hello")
def double(number):
    print("in", number)
    warnings.warn("old")
    print("err", file=sys.stderr)
    return number * 2
double"""
THREAD = """\
import threading, time
def chatter():
    while True:
        print("still here", end="")
        time.sleep(0.01)
threading.Thread(target=chatter, daemon=True).start()
"""
FLOOD = DOUBLE + "\nwhile True:\n    print('x' * 10_000)"
RAISING = DOUBLE + "\n1 / 0"
SYNTAX = "def double(number):\n    retrun number * 2"

SUBMISSIONS = {
    "solved": (solution(), 4),
    "spelt_otherwise": (answered(), 4),
    "blank": (blank(), 0),
    "wrong": (answered(double="def double(number):\n    return number + 1"), 2),
    "without_checks": (without_checks(), 4),
    "other_checks": (with_other_checks(), 2),
    "noisy": (answered(NOISY), 4),
    "thread": (answered(THREAD + DOUBLE), 4),
    "forged": (answered(FORGED), 0),
    "skipping": (answered("# NBVAL_SKIP\n# NBVAL_RAISES_EXCEPTION\n" + DOUBLE), 4),
    "raising": (answered(RAISING), 4),
    "syntax": (answered(SYNTAX), 2),
    "exit": (answered("exit()\n" + DOUBLE), 0),
    "os_exit": (answered("import os\ndef double(number):\n    os._exit(3)"), 0),
    "system_exit": (answered("import sys\ndef double(number):\n    sys.exit(0)"), 2),
    "flood": (answered(FLOOD), 4),
}


@pytest.fixture(scope="module")
def solutions(tmp_path_factory):
    """A folder with the one solution."""
    folder = tmp_path_factory.mktemp("solutions")
    (folder / "01_mini.ipynb").write_text(json.dumps(solution()), "utf-8")
    return folder


def graded(notebooks, solutions, folder, limits):
    """The reports by name, of one run of the grader over all notebooks."""
    paths = [folder / f"{name}_01_mini.ipynb" for name in notebooks]
    for path, notebook in zip(paths, notebooks.values(), strict=True):
        path.write_text(json.dumps(notebook), "utf-8")
    return dict(zip(notebooks, grade(paths, solutions, limits=limits, server=JUDGE), strict=True))


@pytest.fixture(scope="module")
def reports(solutions, tmp_path_factory):
    """All submissions in one batch: what one of them does must not reach another."""
    notebooks = {name: notebook for name, (notebook, _) in SUBMISSIONS.items()}
    return graded(notebooks, solutions, tmp_path_factory.mktemp("handed_in"), Limits(cell=60, output=200_000))


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_points(reports, name):
    """Each submission gets the points of the checks that its answers pass, and no others."""
    assert reports[name].points == SUBMISSIONS[name][1], as_text(reports[name])


REPORTS = {
    "blank": """\
Exercise 1 · Mini   (blank_01_mini.ipynb)
  2 not written yet · 0 of 4 points
  · mini.double    0/2  not written yet
  · mini.square    0/2  not written yet
""",
    "wrong": """\
Exercise 1 · Mini   (wrong_01_mini.ipynb)
  1 passed · 1 failed · 2 of 4 points
  ✗ mini.double    0/2  1 of 3 cases
        Case "three"
          seen   4
          needs  6
  ✓ mini.square    2/2  3 of 3 cases
""",
    "syntax": """\
Exercise 1 · Mini   (syntax_01_mini.ipynb)
  1 passed · 1 not reached · 2 of 4 points
  ✗ answer-double         SyntaxError in line 2: invalid syntax
        2 |     retrun number * 2
  · mini.double      0/2  not reached: fix answer-double first
  ✓ mini.square      2/2  3 of 3 cases
""",
    "exit": """\
Exercise 1 · Mini   (exit_01_mini.ipynb)
  2 not reached · 0 of 4 points
  ✗ answer-double         stopped: the cell ended Python with exit() or quit()
      Try: do not end Python from a cell (exit, os._exit), and look for runaway memory.
  · mini.double      0/2  not reached: fix answer-double first
  · mini.square      0/2  not reached: fix answer-double first
""",
    "os_exit": """\
Exercise 1 · Mini   (os_exit_01_mini.ipynb)
  1 failed · 1 not reached · 0 of 4 points
  ✗ mini.double    0/2  stopped: the Python process ended with status 3
      Try: do not end Python from a cell (exit, os._exit), and look for runaway memory.
  · mini.square    0/2  not reached: fix mini.double first
""",
    "flood": """\
Exercise 1 · Mini   (flood_01_mini.ipynb)
  2 passed · 4 of 4 points
  ✗ answer-double         stopped: it printed more than 200 kB
      Try: print less, or look for a loop that has no way out.
  ✓ mini.double      2/2  3 of 3 cases
  ✓ mini.square      2/2  3 of 3 cases
""",
    "forged": """\
Exercise 1 · Mini   (forged_01_mini.ipynb)
  2 failed · 0 of 4 points
  ✗ mini.double    0/2  the judge has no record of this check
      Try: do not replace check or print.
  ✗ mini.square    0/2  the judge has no record of this check
      Try: do not replace check or print.
""",
}


@pytest.mark.parametrize("name", REPORTS)
def test_report(reports, name):
    """A report says what happened in a learner's words, the first failure in full."""
    assert as_text(reports[name]) == REPORTS[name]


def test_endless_loop(solutions, tmp_path):
    """A loop without end costs its own check and no other, even where it will not be interrupted at once."""
    loop = "def double(number):\n    while True: pass"
    found = graded({"loop": answered(loop)}, solutions, tmp_path, Limits(cell=6))["loop"]
    assert [(mark.status, mark.line) for mark in found.marks] == [
        ("failed", "still running after 6 s"),
        ("passed", "3 of 3 cases"),
    ]


def test_time_of_the_whole_notebook(solutions, tmp_path):
    """When the time for the whole notebook is over, the rest is not reached."""
    loop = "while True: pass"
    found = graded({"loop": answered(loop)}, solutions, tmp_path, Limits(cell=3, notebook=3))["loop"]
    assert (found.points, {mark.status for mark in found.marks}) == (0, {"failed", "not reached"})


def test_who_stops_the_server_stops_only_himself(solutions, tmp_path):
    """When one submission ends the judge's server, the others are graded all the same."""
    kill = "import json, os\nos.kill(json.load(open(os.environ['COURSE_SERVER_FILE']))['pid'], 9)\n" + DOUBLE
    found = graded({"killer": answered(kill), "honest": answered()}, solutions, tmp_path, Limits())
    assert (found["killer"].points, found["killer"].status, found["honest"].points) == (0, "failed", 4)


def test_kernel_knows_no_key(solutions, tmp_path, monkeypatch):
    """A learner's code finds neither the caller's keys nor the grading key in its environment."""
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    spy = "import os\nfound = sorted(name for name in os.environ if 'KEY' in name)\nassert not found, found\n" + DOUBLE
    found = graded({"spy": answered(spy)}, solutions, tmp_path, Limits())["spy"]
    assert (found.points, found.troubles) == (4, [])


def test_unreadable_submissions_stop_nobody(solutions, tmp_path):
    """What cannot be read gets a report in words, in its place among the others."""
    notebook = blank()
    notebook["cells"] = [one for one in notebook["cells"] if one["metadata"]["name"] != "answer-double"]
    (tmp_path / "01_mini_text.ipynb").write_text("hello", "utf-8")
    (tmp_path / "01_mini_short.ipynb").write_text(json.dumps(notebook), "utf-8")
    (tmp_path / "01_mini_right.ipynb").write_text(json.dumps(answered()), "utf-8")
    paths = [tmp_path / f"01_mini_{name}.ipynb" for name in ("text", "short", "gone", "right")]
    found = grade(paths, solutions, server=JUDGE)
    assert [report.refused or report.points for report in found] == [
        "01_mini_text.ipynb is not a notebook: it does not hold JSON text.\n"
        "  Try: hand in the .ipynb file that JupyterLab saved.",
        "Answer cell 'answer-double' is missing.\n  Try: copy it back from the exercise, and write your answer in it.",
        "There is no file '01_mini_gone.ipynb'.\n  Try: look at the name and the folder.",
        4,
    ]


def test_exit_status_and_files(solutions, tmp_path, monkeypatch, capsys):
    """The command prints JSON on request, writes both forms of a report, and says by its status how it went."""
    monkeypatch.setattr(private_server, "SERVE", JUDGE)
    paths = [tmp_path / "a_01_mini.ipynb", tmp_path / "b_01_mini.ipynb"]
    for path, notebook in zip(paths, (answered(), blank()), strict=True):
        path.write_text(json.dumps(notebook), "utf-8")
    common = ["--solutions", str(solutions), "--out", str(tmp_path / "out")]
    assert run([str(paths[0]), *common]) == 0
    assert capsys.readouterr().out.startswith("Exercise 1 · Mini   (a_01_mini.ipynb)\n  2 passed · 4 of 4 points\n")
    assert run([*map(str, paths), *common, "--json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert [(one["status"], one["points"], one["of"]) for one in printed] == [("passed", 4, 4), ("failed", 0, 4)]
    assert json.loads((tmp_path / "out" / "b_01_mini.json").read_text("utf-8")) == printed[1]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"{name}_01_mini.{kind}" for name in "ab" for kind in ("json", "txt")
    ]


def test_our_fault_is_status_2(tmp_path, capsys):
    """Without solutions nothing is graded, and the exit status says that the fault is ours."""
    assert run([str(tmp_path / "x.ipynb"), "--solutions", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("Nothing was graded. There are no solutions in ")

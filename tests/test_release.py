"""The learner's folder: what is in it and what is not, that it works, and one's own numbers from there to the mark."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from course_utils import private_server
from course_utils.build.source import read_source
from course_utils.errors import CourseError
from course_utils.grading.command import grade
from course_utils.grading.report import as_text
from course_utils.grading.whose import Whose
from course_utils.learners import Learner, learner, read_roster
from course_utils.release import folder, main
from course_utils.release.personal import personal
from course_utils.server.own_numbers import numbers_of
from course_utils.tasks import TASKS

ROOT = Path(__file__).parents[1]
GATE = "01_a_chain_with_a_gate"
ANSWER = """
def summarise_translate(text, language, llm):
    summary = llm.invoke(f"Summarise:\\n{{text}}").text
    if not 1 <= len(summary.split()) <= {most}:
        raise ValueError
    return llm.invoke(f"Translate into {{language}}: {{summary}}").text
"""
CHECK = """
from course_utils.check import check
from course_utils.errors import CheckFailed
try:
    check("chain.gate", summarise_translate)
except CheckFailed as failed:
    print(failed)
"""


@pytest.fixture(scope="module")
def handout(tmp_path_factory) -> Path:
    """One folder for everybody."""
    place = tmp_path_factory.mktemp("handout") / "course"
    assert main([str(place)]) == 0
    return place


@pytest.fixture(scope="module")
def roster(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("roster") / "learners.txt"
    path.write_text("ada\nbob,42\n")
    return path


@pytest.fixture(scope="module")
def own(tmp_path_factory, roster) -> Path:
    """A folder for each of two learners."""
    place = tmp_path_factory.mktemp("own") / "handout"
    assert main([str(place), "--seed-per-learner", str(roster)]) == 0
    return place


def most_of(roster: Path, who: str) -> int:
    one = next(each for each in read_roster(roster) if each.id == who)
    return numbers_of(TASKS["chain.gate"], one.seed)["most"]


def ran(place: Path, code: str, tmp_path: Path) -> str:
    """What the code prints in a Python of its own that has this folder's course, and a server of its own."""
    variables = private_server.environment(tmp_path, {"PYTHONPATH": str(place), "COURSE_SPEED": "10"})
    command = [sys.executable, "-B", "-c", code]
    done = subprocess.run(command, cwd=place, env=variables, capture_output=True, text=True, timeout=120)
    subprocess.run([sys.executable, "-B", "-m", "course_utils", "stop"], cwd=place, env=variables, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def texts(place: Path) -> dict[str, str]:
    return {
        path.relative_to(place).as_posix(): path.read_text("utf-8", "replace")
        for path in place.rglob("*")
        if path.is_file()
    }


def test_the_folder_holds_what_learners_need_and_nothing_else(handout):
    """No solutions, tests, sources, grader or builder, and nothing hidden or compiled."""
    assert sorted(path.name for path in handout.iterdir()) == [
        "LICENSE", "LICENSE-TEXT", "README.md", "course_utils", "docs", "environment.yml", "exercises", "notebooks",
        "pyproject.toml", "requirements.lock",
    ]  # fmt: skip
    names = set(texts(handout))
    assert [name for name in names if re.search(r"(^|/)[._]{1,2}[a-z]*cache|/\.|^\.", name)] == []
    assert [name for name in names if name.startswith(folder.NOT_FOR_LEARNERS)] == []
    assert {Path(name).name for name in names if name.startswith("exercises/")} == {
        path.name for path in (ROOT / "exercises").glob("*.ipynb")
    }


def test_no_held_back_case_can_be_read(handout):
    """None is marked, none of their names is there, and the folder's own code has none."""
    read = texts(handout)
    assert [name for name, text in read.items() if re.search(r"held_back\s*=\s*True", text)] == []
    hidden = [case.name for task in TASKS.values() for case in task.cases(Random(0)) if case.held_back]
    seen = {case.name for task in TASKS.values() for case in task.cases(Random(0)) if not case.held_back}
    modules = "\n".join(text for name, text in read.items() if name.startswith("course_utils/tasks/"))
    quoted = [name for name in set(hidden) - seen if f"'{name}'" in modules or f'"{name}"' in modules]
    assert len(hidden) > 50 and quoted == []
    folder.refuse_held_back(handout)


def test_no_solution_can_be_read(handout):
    """Every answer cell is blank: none of the lines behind `# solution` is anywhere in the exercises."""
    for source in sorted((ROOT / "source/exercises").glob("*.py")):
        notebook = json.loads((handout / "exercises" / f"{source.stem}.ipynb").read_text())
        answers = [
            "".join(cell["source"]) for cell in notebook["cells"] if "answer" in cell["metadata"].get("tags", ())
        ]
        assert answers and all("raise NotImplementedError" in text for text in answers)


def test_texts_for_teachers_are_left_out(handout):
    """The learner's README speaks of what the folder has."""
    readme = (handout / "README.md").read_text("utf-8")
    assert "teachers" not in readme and "grade" not in readme.lower() and "my_work/solutions" not in readme
    assert "python3 -m course_utils lab" in readme
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", readme) if "://" not in link]
    assert links and [link for link in links if not (handout / link).exists()] == []


def test_makers_commands_are_not_offered(handout, tmp_path):
    """Help lists what works here, and what does not is a sentence."""
    command = [sys.executable, "-B", "-m", "course_utils"]
    told = subprocess.run([*command, "help"], cwd=handout, capture_output=True, text=True, env=bare(handout)).stdout
    assert "lab" in told and not re.search(r"\b(grade|build|release|lock|test)\b", told)
    refused = subprocess.run([*command, "grade"], cwd=handout, capture_output=True, text=True, env=bare(handout))
    assert (refused.returncode, "invalid choice: 'grade'" in refused.stderr) == (2, True)


def bare(place: Path) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PYTHONPATH": str(place)}


def test_checks_work_in_the_folder(handout, tmp_path):
    """A right answer passes its visible cases."""
    assert ran(handout, ANSWER.format(most=20) + CHECK, tmp_path) == "✓ chain.gate: 6 of 6 cases\n"


def test_everybodys_numbers_are_their_own(own, roster, tmp_path):
    """The statement says the learner's number, the check wants it, and the neighbour's answer fails in words."""
    mine, other = most_of(roster, "ada"), most_of(roster, "bob")
    assert len({mine, other, 20}) == 3
    text = (own / "ada/exercises" / f"{GATE}.ipynb").read_text("utf-8")
    assert f"a summary of at most {mine} words" in text and f"at most {other} words" not in text
    right, copied = ANSWER.format(most=mine) + CHECK, ANSWER.format(most=other) + CHECK
    assert ran(own / "ada", right, tmp_path) == "✓ chain.gate: 6 of 6 cases\n"
    failed = ran(own / "ada", copied, tmp_path)
    assert failed.startswith("✗ chain.gate: ") and f"{mine} words" in failed


def handed_in(own: Path, place: Path, who: str, most: int, name: str = f"{GATE}.ipynb") -> Path:
    """The learner's notebook with the third task done."""
    notebook = json.loads((own / who / "exercises" / f"{GATE}.ipynb").read_text())
    for cell in notebook["cells"]:
        if cell["metadata"].get("name") == "answer-gate":
            cell["source"] = ANSWER.format(most=most)
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(json.dumps(notebook))
    return place / name


def test_each_is_graded_by_their_own_numbers(own, roster, tmp_path):
    """By folder or by name of the file; held-back cases too; copied answers and copied files are worth nothing."""
    mine, other = most_of(roster, "ada"), most_of(roster, "bob")
    files = [
        handed_in(own, tmp_path / "ada", "ada", mine),
        handed_in(own, tmp_path / "inbox", "bob", other, f"bob_{GATE}.ipynb"),
        handed_in(own, tmp_path / "inbox", "ada", other, f"ada-{GATE}.ipynb"),
        handed_in(own, tmp_path / "inbox", "bob", other, f"ada {GATE}.ipynb"),
        handed_in(own, tmp_path / "inbox", "bob", other, f"cleo_{GATE}.ipynb"),
    ]
    reports = grade(files, ROOT / "solutions", whose=Whose(read_roster(roster)))
    assert [report.points for report in reports] == [3, 3, 0, 0, 0]
    assert "8 of 8 cases" in as_text(reports[0]) and "8 of 8 cases" in as_text(reports[1])
    assert f"{mine} words" in as_text(reports[2])
    assert "was handed in by 'ada' and was made for 'bob'" in reports[3].refused
    assert "does not say whose it is" in reports[4].refused


def test_a_learners_notebook_is_not_graded_by_the_courses_numbers(own, tmp_path):
    """Without the roster there would be a wrong verdict; so there is none."""
    report = grade([handed_in(own, tmp_path, "ada", 20)], ROOT / "solutions")[0]
    assert "grade it with --seed-per-learner" in report.refused


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("ada_01.ipynb", "ada"),
        ("ADA-01.ipynb", "ada"),
        ("ada.ipynb", "ada"),
        ("ada-b_01.ipynb", "ada-b"),
        ("adalbert_01.ipynb", None),
        ("01_ada.ipynb", None),
    ],
)
def test_whose_a_file_is(tmp_path, name, who):
    """The longest id that stands alone at the beginning of the name; capitals do not matter."""
    whose, path = Whose([learner("ada"), learner("ada-b")]), tmp_path / name
    if who is None:
        with pytest.raises(CourseError, match="does not say whose"):
            whose.learner(path, {})
    else:
        assert whose.learner(path, {"metadata": {"course": {"learner": who}}}) == learner(who)


@pytest.mark.parametrize("course", [None, [], {"learner": 1}, {"learner": ["ada"]}, {}])
def test_a_notebook_that_says_nothing_sound_of_itself(tmp_path, course):
    """Whatever stands in the file is a refusal in words."""
    with pytest.raises(CourseError, match="was made for nobody"):
        Whose([learner("ada")]).learner(tmp_path / "ada.ipynb", {"metadata": {"course": course}})


def test_cells_that_speak_of_numbers_hold_them():
    """Every cell with `own` in every exercise changes with the learner, and changes in nothing but numbers."""
    own_cells = 0
    for source in sorted((ROOT / "source/exercises").glob("*.py")):
        cells = read_source(source, "exercise")
        assert personal(cells, None) == cells
        for cell, mine in zip(cells, personal(cells, 7), strict=True):
            assert re.sub(r"\d+", "#", cell.text) == re.sub(r"\d+", "#", mine.text)
            own_cells += bool(cell.own)
    assert own_cells >= 4


@pytest.mark.parametrize("per_learner", [False, True])
def test_a_full_folder_is_left_alone(handout, roster, capsys, per_learner):
    """Nothing of the instructor's is written over, and nothing is put beside it; an empty folder is fine."""
    before = texts(handout)
    assert main([str(handout), *(["--seed-per-learner", str(roster)] if per_learner else [])]) == 1
    assert "is there already.\n  Try: choose another name" in capsys.readouterr().err
    assert texts(handout) == before


def test_an_empty_folder_may_be_there(tmp_path):
    """As a file manager makes it."""
    (tmp_path / "new").mkdir()
    folder.Handout(ROOT).write(tmp_path / "new", Learner("ada", 1))
    assert (tmp_path / "new" / "learner.json").exists()


@pytest.mark.parametrize("text", ["", "a b\n"])
def test_a_bad_roster_writes_nothing(tmp_path, capsys, text):
    """All of the roster is read before the first folder is begun."""
    (tmp_path / "roster").write_text(f"ada\n{text}" if text else text)
    assert main([str(tmp_path / "out"), "--seed-per-learner", str(tmp_path / "roster")]) == 1
    assert "Try:" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()

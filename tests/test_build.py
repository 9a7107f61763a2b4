"""Sources, blanks, digests and the command, on small projects built for real."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils.build import main, notebook
from course_utils.build.blanks import blanked, solved
from course_utils.build.command import build
from course_utils.build.freshness import Target
from course_utils.build.lesson_table import table
from course_utils.build.outputs import refuse_outputs
from course_utils.build.rules import EXERCISE, LESSON
from course_utils.build.source import read_source
from course_utils.errors import CourseError

LESSON_TEXT = """\
# %% [markdown] name="title"
# # 1 · First
# *10 minutes · needs nothing*
# **Goal:** add | multiply.

# %% name="one"
1 + 1

# %% name="boom" tags=["raises-exception"]
1 / 0
"""
EXERCISE_TEXT = """\
# %% [markdown]
# # Exercise 1

# %% name="given-check" tags=["given"]
def check(name, f):
    assert f(2) == 4
    print(f"✓ {name}: 1 of 1 cases")

# %% name="target-double" tags=["given", "target"]
print("2 -> 4")

# %% name="answer-double" tags=["answer"]
def double(x):
    # solution
    return 2 * x

# %% name="check-double" tags=["check"]
check("first.double", double)
"""
README = "# Course\n\n<!-- lessons -->\n<!-- /lessons -->\n\nEnd.\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A project with one lesson, one exercise and a README, built once."""
    root = tmp_path_factory.mktemp("built")
    for folder in ("source/lessons", "source/exercises"):
        (root / folder).mkdir(parents=True)
    (root / "source/lessons/01_first.py").write_text(LESSON_TEXT, "utf-8")
    (root / "source/lessons/planned.md").write_text("Soon:\n\n- 02 Later\n", "utf-8")
    (root / "source/exercises/01_first.py").write_text(EXERCISE_TEXT, "utf-8")
    (root / "README.md").write_text(README, "utf-8")
    assert main(["--root", str(root)]) == 0
    return root


@pytest.fixture
def project(built, tmp_path):
    """A copy of the built project, to be changed."""
    return Path(shutil.copytree(built, tmp_path / "project"))


def read(path):
    """A notebook's JSON."""
    return json.loads(path.read_text("utf-8"))


def edit(path, old, new):
    """Replace one text in a file."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def checked(project, capsys):
    """Exit status and lines of `build --check`."""
    capsys.readouterr()
    status = main(["--root", str(project), "--check"])
    return status, capsys.readouterr().out.splitlines()


def test_exercise_is_the_solution_without_answers(built):
    """The learner's copy holds the same cells under the same names, answers blanked, nothing executed."""
    exercise, solution = read(built / "exercises/01_first.ipynb"), read(built / "solutions/01_first.ipynb")
    assert "".join(exercise["cells"][3]["source"]) == (
        "def double(x):\n    # your code here\n    raise NotImplementedError"
    )
    assert "".join(solution["cells"][3]["source"]) == "def double(x):\n    return 2 * x"
    assert [cell["id"] for cell in exercise["cells"]] == [cell["id"] for cell in solution["cells"]]
    assert [cell["id"] for cell in exercise["cells"]] == [
        "text-01",
        "given-check",
        "target-double",
        "answer-double",
        "check-double",
    ]
    assert [cell.get("execution_count") for cell in exercise["cells"]] == [None] * 5
    assert [cell.get("execution_count") for cell in solution["cells"]] == [None, 1, 2, 3, 4]
    assert solution["cells"][4]["outputs"] == [
        {"name": "stdout", "output_type": "stream", "text": ["✓ first.double: 1 of 1 cases\n"]}
    ]


def test_what_a_learner_should_not_change_is_locked(built):
    """Given and check cells can neither be edited nor deleted, answers cannot be deleted."""
    cells = read(built / "exercises/01_first.ipynb")["cells"]
    assert [(cell["metadata"].get("editable"), cell["metadata"].get("deletable")) for cell in cells] == [
        (None, None),
        (False, False),
        (False, False),
        (None, False),
        (False, False),
    ]


def test_a_target_is_shown_and_its_code_is_folded(built):
    """The learner's copy shows what the executed solution shows, and no other output."""
    exercise, solution = (read(built / folder / "01_first.ipynb") for folder in ("exercises", "solutions"))
    shown = {cell["id"]: cell["outputs"] for cell in exercise["cells"] if cell.get("outputs")}
    target = next(cell for cell in solution["cells"] if cell["id"] == "target-double")
    assert shown == {"target-double": target["outputs"]}
    assert target["outputs"][0]["text"] == ["2 -> 4\n"]
    assert target["metadata"]["jupyter"] == {"source_hidden": True}


def test_two_builds_are_byte_identical(project):
    """A notebook without pictures is the same bytes in every build."""
    paths = sorted(project.glob("*/*.ipynb"))
    before = [path.read_bytes() for path in paths]
    assert len(before) == 3
    for path in paths:
        path.unlink()
    assert main(["--root", str(project), "--jobs", "2"]) == 0
    assert [path.read_bytes() for path in paths] == before


def test_only_changed_sources_are_built(project, capsys):
    """What is up to date is left alone."""
    edit(project / "source/lessons/01_first.py", "1 + 1", "1 + 2")
    capsys.readouterr()
    assert main(["--root", str(project)]) == 0
    assert capsys.readouterr().out == "notebooks/01_first.ipynb is built.\n"


def test_readme_table(built):
    """One row per lesson with its exercises, then what is planned."""
    assert (built / "README.md").read_text("utf-8").splitlines()[2:7] == [
        "<!-- lessons -->",
        "| Lesson | Minutes | Needs | Goal | Exercise |",
        "|---|---|---|---|---|",
        "| [1 · First](notebooks/01_first.ipynb) | 10 | nothing | add \\| multiply. | "
        "[01_first](exercises/01_first.ipynb) |",
        "| 2 · Later | | | planned | |",
    ]


def test_readme_table_links_exercises_of_planned_lessons(project):
    """An exercise may be there before its lesson is."""
    (project / "source/exercises/02_later.py").write_text("", "utf-8")
    assert table(project).splitlines()[-1] == "| 2 · Later | | | planned | [02_later](exercises/02_later.ipynb) |"


def test_check_finds_nothing_in_a_fresh_build(built, capsys):
    """A fresh build is up to date."""
    assert checked(built, capsys) == (0, ["3 notebooks are what their sources build."])


TRY = "  Try: edit the .py under source/ and run `python -m course_utils build`."
STALE = {
    "source": (
        lambda root: edit(root / "source/lessons/01_first.py", "1 + 1", "1 + 2"),
        "notebooks/01_first.ipynb is not what source/lessons/01_first.py builds (first difference: cell 'one').",
    ),
    "hand": (
        lambda root: edit(root / "exercises/01_first.ipynb", "# your code here", "# your turn"),
        "exercises/01_first.ipynb was edited by hand (first difference: cell 'answer-double').",
    ),
    "output": (
        lambda root: edit(root / "solutions/01_first.ipynb", "first.double: 1 of 1", "first.double: 2 of 2"),
        "solutions/01_first.ipynb was edited by hand (its outputs differ from what was built).",
    ),
    "missing": (
        lambda root: (root / "solutions/01_first.ipynb").unlink(),
        "solutions/01_first.ipynb is missing.",
    ),
    "damaged": (
        lambda root: (root / "notebooks/01_first.ipynb").write_text("{}", "utf-8"),
        "notebooks/01_first.ipynb is not a notebook.",
    ),
    "stranger": (
        lambda root: (root / "notebooks/old.ipynb").write_text("{}", "utf-8"),
        "notebooks/old.ipynb has no source.",
    ),
    "readme": (
        lambda root: edit(root / "README.md", "| 10 |", "| 99 |"),
        "The lesson table in README.md is not what the lessons say.",
    ),
    "no_table": (
        lambda root: edit(root / "README.md", "<!-- /lessons -->", ""),
        "README.md has no place for the lesson table.",
    ),
}


@pytest.mark.parametrize("name", STALE)
def test_check_says_what_is_stale(name, project, capsys):
    """Each way in which a built file can be wrong is told, with the first cell that differs."""
    change, line = STALE[name]
    change(project)
    assert checked(project, capsys) == (1, [line, TRY])


def test_check_finds_cells_out_of_order(project, capsys):
    """A notebook with the right digests still has to have been run from top to bottom."""
    path = project / "notebooks/01_first.ipynb"
    found = read(path)
    found["cells"][1]["execution_count"] = 7
    found["metadata"]["course"]["seal"] = notebook.seal(found)
    path.write_text(json.dumps(found), "utf-8")
    line = "notebooks/01_first.ipynb was not run in order from top to bottom."
    assert checked(project, capsys) == (1, [line, TRY])


def test_check_imports_nothing_slow(built):
    """While all is well `--check` needs neither jupytext nor nbclient nor nbformat."""
    code = (
        "import sys; from course_utils.build import main; status = main(sys.argv[1:]);"
        "slow = {'jupytext', 'nbclient', 'nbformat', 'langchain', 'matplotlib'} & set(sys.modules);"
        "sys.exit(f'imported {slow}' if slow else status)"
    )
    subprocess.run([sys.executable, "-c", code, "--root", str(built), "--check"], check=True, capture_output=True)


def test_failing_cell_keeps_the_old_notebook(project, capsys):
    """A lesson that raises is not built, and its error is told with the cell's name."""
    before = (project / "notebooks/01_first.ipynb").read_bytes()
    edit(project / "source/lessons/01_first.py", "1 + 1", "nothing + 1")
    assert main(["--root", str(project), "01"]) == 1
    told = capsys.readouterr().err
    assert told.startswith(
        "notebooks/01_first.ipynb was not built. Cell 'one' raised NameError: name 'nothing' is not defined"
    )
    assert (project / "notebooks/01_first.ipynb").read_bytes() == before


def test_a_failed_solution_is_the_only_error(project, capsys):
    """Without its solution an exercise is not built, neither with old pictures nor with an error of its own."""
    before = (project / "exercises/01_first.ipynb").read_bytes()
    source = project / "source/exercises/01_first.py"
    edit(source, "return 2 * x", "return 3 * x")
    edit(
        source,
        '# %% name="answer-double"',
        '# %% name="target-new" tags=["given", "target"]\n1\n\n# %% name="answer-double"',
    )
    edit(project / "README.md", "<!-- /lessons -->", "")  # a later trouble does not hide the first one
    capsys.readouterr()
    assert main(["--root", str(project)]) == 1
    said = capsys.readouterr()
    first, *rest = [line for line in said.err.splitlines() if not line.startswith(" ")]
    assert (said.out, rest) == ("", ["README.md has no place for the lesson table."])
    assert first.startswith("solutions/01_first.ipynb was not built. Cell 'check-double' raised AssertionError")
    assert (project / "exercises/01_first.ipynb").read_bytes() == before


@pytest.mark.parametrize(
    ("damage", "fact"),
    [
        (
            lambda path: edit(path, '"name": "target-double"', '"name": "x"'),
            "The solution has no target 'target-double'.",
        ),
        (lambda path: path.write_text("no JSON"), "Its solution 01_first.ipynb cannot be read."),
        (lambda path: path.unlink(), "Its solution 01_first.ipynb cannot be read."),
    ],
)
def test_a_target_that_is_not_there(damage, fact, project):
    """An exercise is not built from a solution that lacks what it shows."""
    damage(project / "solutions/01_first.ipynb")
    target = Target("source/exercises/01_first.py", "exercises/01_first.ipynb", EXERCISE, is_blank=True)
    with pytest.raises(CourseError) as caught:
        asyncio.run(build(target, project))
    assert caught.value.fact == fact


def test_unknown_name(built, capsys):
    """A name that means no source is an error, not an empty build."""
    assert main(["--root", str(built), "7_nothing"]) == 1
    assert capsys.readouterr().err.startswith("No source is called '7_nothing'.")


UNSOUND = {  # name -> (kind, text, the fact a writer reads)
    "uncommented": (
        LESSON,
        "# %% [markdown]\n# Hello\nx = 1\n",
        "01.py:3: a line without '#' under '# %% [markdown]': 'x = 1'.",
    ),
    "twice": (
        LESSON,
        '# %% name="a"\n1\n\n# %% name="a"\n2\n',
        "01.py:4: The name 'a' was used in line 1.",
    ),
    "bad_name": (LESSON, '# %% name="A b"\n1\n', "01.py:1: 'A b' is no cell name."),
    "tag": (LESSON, '# %% tags=["anwser"]\n1\n', "01.py:1: Unknown tag 'anwser'."),
    "title": (
        LESSON,
        "# %% My title\n1\n",
        "01.py:1: the cell marker says more than a name, tags and own (title).",
    ),
    "magic": (
        LESSON,
        "# %%\n# %matplotlib inline\n",
        "01.py:1: The cell is not plain Python: invalid syntax in line 1 of the cell, '%matplotlib inline'.",
    ),
    "shell": (
        LESSON,
        "# %%\n!ls\n",
        "01.py:1: The cell is not plain Python: invalid syntax in line 1 of the cell, '!ls'.",
    ),
    "ipython": (LESSON, "# %%\nget_ipython().system('ls')\n", "01.py:1: The cell uses get_ipython."),
    "semicolon": (LESSON, "# %%\nf(x);\n", "01.py:1: The cell talks to nbval, or ends in ';'."),
    "nbval": (LESSON, "# %%\n# NBVAL_IGNORE_OUTPUT\n1\n", "01.py:1: The cell talks to nbval, or ends in ';'."),
    "lines": (
        LESSON,
        "# %%\n" + "x = 1\n" * 21,
        "01.py:1: A code cell of 21 lines; the budget is 20.",
    ),
    "no_reason": (
        LESSON,
        '# %% tags=["long"]\n' + "x = 1\n" * 21,
        '01.py:1: A cell tagged "long" gives no reason.',
    ),
    "lesson_answer": (LESSON, '# %% name="a" tags=["answer"]\n1\n', "01.py:1: A lesson has no answer cells."),
    "two_roles": (
        EXERCISE,
        '# %% name="a" tags=["answer", "check"]\n1\n',
        "01.py:1: The cell is tagged answer and check.",
    ),
    "check_first": (
        EXERCISE,
        '# %% name="check-a" tags=["check"]\n1\n',
        "01.py:1: A check stands before any answer.",
    ),
    "no_marker": (
        EXERCISE,
        '# %% name="answer-a" tags=["answer"]\na = 1\n',
        "01.py:1: An answer cell without '# solution'.",
    ),
    "marker_elsewhere": (EXERCISE, "# %%\n# solution\n1\n", "01.py:1: '# solution' outside an answer cell."),
    "nearly": (
        EXERCISE,
        '# %% name="answer-a" tags=["answer"]\n#Solution:\na = 1\n',
        "01.py:1: Line 1 of the cell says '#Solution:'.",
    ),
    "nothing_behind": (
        EXERCISE,
        '# %% name="answer-a" tags=["answer"]\ndef f():\n    return 1\n    # solution\n',
        "01.py:1: Nothing follows '# solution' in line 3 of the cell.",
    ),
    "dedented_string": (
        EXERCISE,
        '# %% name="answer-a" tags=["answer"]\ndef f():\n    # solution\n    return """\nx y\n"""\n',
        "01.py:1: The blanked answer cell does not compile: ",
    ),
    "unnamed_answer": (
        EXERCISE,
        '# %% tags=["answer"]\n# solution\na = 1\n',
        "01.py:1: An answer or check cell without a name.",
    ),
    "in_string": (
        LESSON,
        '# %%\nx = """\n# %% y\n"""\n',
        "01.py has 2 lines that begin with '# %%', but reads as 1 cells.",
    ),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_unsound_sources(name, tmp_path):
    """Each trap is refused with file, line and reason."""
    kind, text, fact = UNSOUND[name]
    path = tmp_path / "01.py"
    path.write_text(text, "utf-8")
    with pytest.raises(CourseError) as caught:
        read_source(path, kind)
    assert caught.value.fact == fact or (fact.endswith(": ") and caught.value.fact.startswith(fact))


def test_long_cell_with_a_reason(tmp_path):
    """The budget may be broken with a reason; top-level await is plain Python."""
    path = tmp_path / "01.py"
    path.write_text('# %% tags=["long"]\n# long: one table\n' + "await f()\n" * 21, "utf-8")
    assert [(cell.name, cell.tags) for cell in read_source(path, LESSON)] == [("code-01", ("long",))]


def test_several_solutions_in_one_cell():
    """Each marker blanks to the end of its own block, and no further."""
    text = (
        "class A:\n    def f(self):\n        # solution\n        if 1:\n            return 2\n"
        "\n    x = 3\n\n# solution\ny = 4"
    )
    stub = "# your code here\n{0}raise NotImplementedError"
    assert blanked(text) == (
        "class A:\n    def f(self):\n        " + stub.format(" " * 8) + "\n\n    x = 3\n\n" + stub.format("")
    )
    assert solved(text) == text.replace("        # solution\n", "").replace("# solution\n", "")


@pytest.mark.parametrize(
    ("output", "fact"),
    [
        ({"output_type": "stream", "name": "stderr", "text": "Warning: old\nx"}, "it writes to stderr: 'Warning: old'"),
        (
            {"output_type": "execute_result", "data": {"text/plain": "<A at 0x7f00>"}},
            "its output names 'at 0x7f00>'.",
        ),
        ({"output_type": "stream", "name": "stdout", "text": "in /home/me/x"}, "its output names '/home/me/x'."),
        ({"output_type": "stream", "name": "stdout", "text": f"in {sys.prefix}!"}, f"its output names {sys.prefix!r}."),
        ({"output_type": "stream", "name": "stdout", "text": "\x1b[31mred"}, "its output holds colour codes."),
        (
            {"output_type": "display_data", "data": {"image/png": "iVBO"}, "metadata": {"image/png": {"width": 3}}},
            "its image/png has no alt text.",
        ),
        ({"output_type": "display_data", "data": {}}, "it shows a widget and nothing else."),
    ],
)
def test_outputs_that_are_no_promise(output, fact):
    """What would differ tomorrow, or cannot be read by everybody, is refused."""
    cell = {"cell_type": "code", "metadata": {"name": "a"}, "outputs": [{"metadata": {}} | output]}
    with pytest.raises(CourseError) as caught:
        refuse_outputs({"cells": [cell]})
    assert caught.value.fact == f"Cell 'a': {fact}"


def test_our_own_folder_is_named_without_what_follows():
    """A folder that is ours is told as it is, also where the guess at any folder would swallow the sign behind it."""
    printed = {"output_type": "stream", "name": "stdout", "text": "in /home/me/course!\n"}
    with pytest.raises(CourseError, match=r"names '/home/me/course'\."):
        refuse_outputs(
            {"cells": [{"cell_type": "code", "metadata": {"name": "a"}, "outputs": [printed]}]},
            [Path("/home/me/course")],
        )


def test_picture_with_alt_text_is_fine():
    """Pictures, relative paths and addresses on the web are stored."""
    data = {"image/png": "iVBO", "text/plain": "<Figure size 600x240 with 1 Axes>"}
    picture = {"output_type": "display_data", "data": data, "metadata": {"image/png": {"alt": "Two bars."}}}
    printed = {"output_type": "stream", "name": "stdout", "text": "see data/home/x or http://127.0.0.1/tmp/y\n"}
    refuse_outputs({"cells": [{"cell_type": "code", "metadata": {"name": "a"}, "outputs": [picture, printed]}]})


@pytest.mark.parametrize(
    ("outputs", "fact"),
    [
        ([], "Check cell 'c' has to print one line '✓ name: …'; it shows no text."),
        (
            [{"output_type": "stream", "name": "stdout", "text": "✓ a: 1\n✓ b: 1\n"}],
            "Check cell 'c' has to print one line '✓ name: …'; it shows '✓ a: 1'.",
        ),
    ],
)
def test_check_prints_one_verdict(outputs, fact):
    """A check cell's stored output is exactly the line that the grader looks for."""
    cell = {"cell_type": "code", "metadata": {"name": "c", "tags": ["check"]}, "outputs": outputs}
    with pytest.raises(CourseError) as caught:
        refuse_outputs({"cells": [cell]})
    assert caught.value.fact == fact

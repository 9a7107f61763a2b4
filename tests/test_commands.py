"""The command line: what learners type, what they mistype, and the sums of the test command."""

import errno
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from course_utils import commands, doctor, suite
from course_utils.arguments import parse
from course_utils.env.lock import PROJECT, SETS, Pin
from course_utils.errors import CourseError


def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own."""
    command = [sys.executable, "-m", "course_utils", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, **options)


def test_help_shows_every_command_and_examples():
    """`--help` names all commands and the two that a stranger needs as they are typed."""
    told = run("--help").stdout
    assert [name for name in commands.COMMANDS if name not in told] == []
    assert "python3 -m course_utils lab " in told
    assert "python3 -m course_utils test " in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["frob"], "'frob'"),
        (["lab", "--model", "gpt"], "'gpt'"),
        (["lab", "--port", "99999"], "'99999' is no port"),
        (["lab", "--with", "crewai,nothing"], "there is no set 'nothing'"),
        (["lab", "--", "x"], "lab takes nothing after `--`"),
        (["serve", "--speed", "fast"], "'fast'"),
    ],
)
def test_a_mistyped_command_gets_one_sentence_and_a_next_step(arguments, words):
    """No usage dump and no traceback: the value at fault, and where help is."""
    told = run(*arguments)
    first, second = told.stderr.splitlines()
    assert (told.returncode, told.stdout) == (2, "")
    assert words in first
    assert second.startswith("  Try: python3 -m course_utils")
    assert second.endswith("--help")


def test_arguments_after_two_dashes_go_to_pytest():
    """`test` keeps its own options and passes the rest on as it is; `grade` and `build` read all theirs themselves."""
    tested = parse(["test", "--only", "tests", "--", "-k", "a or b"])
    assert (tested.only, tested.rest) == (["tests"], ["-k", "a or b"])
    assert [parse([name, "--help", "x"]).rest for name in ("grade", "build")] == [["--help", "x"]] * 2


def test_lab_needs_what_its_options_name():
    """The core is always installed, and CrewAI only when it is asked for."""
    needs = commands.COMMANDS["lab"].needs
    asked = [[], ["--model", "local"], ["--with", "crewai,cluster"]]
    assert [set(needs(parse(["lab", *options]))) for options in asked] == [
        {"core"},
        {"core", "local"},
        {"core", "crewai", "cluster"},
    ]
    assert set(commands.COMMANDS["test"].needs(parse(["test"]))) == set(SETS)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_or_closed_disk_is_no_traceback(number, monkeypatch, capsys):
    """What the operating system refuses in the middle of a command ends as a sentence."""

    def fail(_):
        raise OSError(number, "the reason", "/some/file")

    monkeypatch.setitem(commands.COMMANDS, "doctor", commands.Command(lambda _: None, fail))
    assert commands.run(["doctor"]) == 1
    assert capsys.readouterr().err.startswith("the reason: /some/file.\n  Try: ")


@pytest.mark.parametrize(
    "error",
    [CourseError("a fact.", "a step."), OSError(errno.ENOSPC, "full"), OSError(errno.EIO, "odd"), KeyError("x")],
)
@pytest.mark.parametrize(("name", "status"), [("grade", 2), ("doctor", 1)])
def test_what_is_not_the_submissions_fault_is_status_2(name, status, error, monkeypatch, capsys):
    """A script that grades can tell "not passed" from "not judged", whatever went wrong."""

    def fail(_):
        raise error

    monkeypatch.setitem(commands.COMMANDS, name, replace(commands.COMMANDS[name], needs=lambda _: None, work=fail))
    assert commands.run([name]) == status
    assert capsys.readouterr().err != ""


def test_a_set_up_that_fails_is_not_the_submissions_fault(monkeypatch):
    """Where the packages can't be had nothing was judged."""

    def fail(*_, **__):
        raise CourseError("There is no network.", "connect.")

    monkeypatch.setattr(commands, "ensure", fail)
    assert [commands.run([name, "x.ipynb"]) for name in ("grade", "build")] == [2, 1]


@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["--frob"], 2), (["no_such_file.ipynb"], 1)])
def test_a_wrong_command_line_is_told_from_a_wrong_file(arguments, status):
    """`grade` without a file could judge nothing; a file that can't be read has not passed."""
    assert run("grade", *arguments).returncode == status


def test_ctrl_c_says_how_to_go_on(monkeypatch, capsys):
    """An interrupted command ends with the status that shells expect."""

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setitem(commands.COMMANDS, "doctor", commands.Command(lambda _: None, interrupted))
    assert (commands.run(["doctor"]), capsys.readouterr().err) == (
        130,
        "\nStopped. Run the same command again to go on.\n",
    )


def test_the_door_needs_the_standard_library_only():
    """Help, doctor and the package itself work in a Python that has no packages at all."""
    bare = [sys.executable, "-S", "-I", "-c"]
    code = f"import sys; sys.path.insert(0, {str(PROJECT)!r}); from course_utils.commands import run; "
    told = subprocess.run([*bare, code + "sys.exit(run(['doctor']))"], capture_output=True, text=True, cwd="/")
    assert (told.stderr, told.stdout.splitlines()[0].split()[:2]) == ("", ["Python", "ready"])


# --- doctor


def test_doctor_never_shows_a_key(monkeypatch, capsys):
    """Of a key it says that it is set."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    doctor.examine()
    told = capsys.readouterr().out
    assert "secret" not in told
    assert [line.split()[:2] for line in told.splitlines() if "OPENAI" in line] == [["OPENAI_API_KEY", "set"]]


def test_doctor_tells_ready_missing_and_different_sets_apart():
    """Each state of a set has its word and, where something can be done, the command for it."""
    pins = [Pin("a", "1"), Pin("b", "1")]
    rows = [doctor.of_set("core", pins, present) for present in ({"a": "1", "b": "1"}, {}, {"a": "1", "b": "2"})]
    assert [(row.state, bool(row.fix), row.bad) for row in rows] == [
        ("ready", False, False),
        ("not installed", True, True),
        ("differs", True, False),
    ]


@pytest.mark.parametrize(("speed", "status"), [("20", 0), ("0", 1), ("fast", 1), ("inf", 1)])
def test_doctor_fails_on_what_would_stop_a_lesson(speed, status, monkeypatch, capsys):
    """The exit status follows the lines marked with an exclamation mark."""
    monkeypatch.setattr(doctor, "packages", lambda: iter(()))
    monkeypatch.setenv("COURSE_SPEED", speed)
    assert doctor.examine() == status
    assert ("! COURSE_SPEED" in capsys.readouterr().out) == bool(status)


# --- the sums of `test`

REPORT = """<testsuites><testsuite>
<testcase name="a"/><testcase name="b"/>
<testcase name="c"><failure message="no"/></testcase><testcase name="d"><error message="oh"/></testcase>
<testcase name="e"><skipped message="needs a browser"/></testcase>
</testsuite></testsuites>"""


def step(tmp_path: Path, code: str, report: str = REPORT) -> suite.Step:
    """A step that runs Python code and has this junit file."""
    (tmp_path / "junit.xml").write_text(report)
    return suite.Step("tests", (sys.executable, "-c", code), {}, tmp_path / "junit.xml")


def test_counts_come_from_the_report(tmp_path):
    """Failures and errors both count as failed, and reasons for skipping are kept."""
    result = suite.run(step(tmp_path, "raise SystemExit(1)"), selected=False)
    assert (str(result), result.reasons) == ("2 passed, 2 failed, 1 skipped", Counter({"needs a browser": 1}))


def test_a_run_that_broke_off_has_failed(tmp_path):
    """A report without failures does not excuse an exit status, and no report is no success."""
    green = "<testsuite><testcase name='a'/></testsuite>"
    assert (
        str(suite.run(step(tmp_path, "raise SystemExit(3)", green), selected=False)) == "1 passed, 1 failed, 0 skipped"
    )
    gone = suite.Step("tests", (sys.executable, "-c", "raise SystemExit(2)"), {}, tmp_path / "none.xml")
    assert str(suite.run(gone, selected=False)) == "0 passed, 1 failed, 0 skipped"


def test_a_step_without_anything_to_run_is_loud(capsys):
    """An empty folder fails, unless nothing was ever written for it."""
    empty = [
        suite.Step("notebooks", (), {}, empty="nothing to run: no notebooks", may_be_empty=may) for may in (False, True)
    ]
    assert [str(suite.run(one, selected=False)) for one in empty] == [
        "0 passed, 1 failed, 0 skipped",
        "0 passed, 0 failed, 1 skipped",
    ]
    assert "== notebooks: nothing to run" in capsys.readouterr().out


def test_nothing_selected_in_one_step_is_no_failure(tmp_path):
    """With `-- -k name` the step that has no such test stays out of the sum."""
    none = step(tmp_path, f"raise SystemExit({suite.NOTHING_COLLECTED})", "<testsuite/>")
    assert [str(suite.run(none, selected=chosen)) for chosen in (True, False)] == [
        "0 passed, 0 failed, 0 skipped",
        "0 passed, 1 failed, 0 skipped",
    ]


@pytest.mark.parametrize(("failed", "status"), [(0, 0), (1, 1)])
def test_the_last_line_is_the_sum(failed, status, capsys):
    """One line alone, over all steps, and the exit status says the same; what was left out comes with its cure."""
    one = suite.Step("style", (), {})
    reasons = Counter({"no chromium here": 2})
    results = [suite.Result(one, 0.1, 1, 0, 0), suite.Result(one, 2.0, 7, failed, 2, reasons)]
    assert suite.conclude(results) == status
    *before, last = capsys.readouterr().out.splitlines()
    assert last == f"8 passed, {failed} failed, 2 skipped"
    cure = "  Try: sudo apt install chromium chromium-driver, or install any Chromium."
    named = ["Failed: style", "  Try: .venv/bin/ruff check --fix ."] if failed else []
    assert before[4:] == ["Left out, 2 x: no chromium here", cure, *named]


def test_what_failed_is_named_beside_the_sum(tmp_path, capsys):
    """Nobody has to scroll back: failed tests by name, and the command that mends a format."""
    failed = suite.run(step(tmp_path, "raise SystemExit(1)"), selected=False)
    assert suite.conclude([suite.Result(suite.Step("format", (), {}), 0.1, 0, 1, 0), failed]) == 1
    assert capsys.readouterr().out.splitlines()[-5:] == [
        "Failed: format",
        "  Try: .venv/bin/ruff format .",
        "Failed: c",
        "Failed: d",
        "2 passed, 3 failed, 1 skipped",
    ]


def test_a_suite_that_ran_nothing_fails(capsys):
    """Zero tests are no success."""
    assert suite.conclude([suite.Result(suite.Step("tests", (), {}), 0.0, 0, 0, 0)]) == 1
    assert capsys.readouterr().out.endswith("\n0 passed, 1 failed, 0 skipped\n")


def test_chosen_paths_choose_the_steps(tmp_path):
    """A test file runs without the notebooks, a notebook without the tests, and neither with the linter."""
    chosen = [
        [one.name for one in suite.all_steps(folder(tmp_path, name), [name])]
        for name in ("tests/test_env.py", "notebooks")
    ]
    assert chosen == [["tests"], ["notebooks"]]
    assert [one.name for one in suite.all_steps(folder(tmp_path, "all"), [])] == [
        "style",
        "format",
        "build",
        "tests",
        "notebooks",
    ]


@pytest.mark.parametrize("word", ["exercises", "docs", "tests", "source", "notebooks", "a/b", "x.py", ""])
@pytest.mark.parametrize("option", ["-k", "-m", "--deselect"])
def test_the_value_of_an_option_is_no_path(option, word):
    """A word to look for stays behind its option, also where a folder has that name."""
    assert suite.sorted_out([option, word]) == ([], [option, word])


@pytest.mark.parametrize("path", ["tests", "solutions", "tests/no_such.py", "test_env.py::test_a", "./x.ipynb"])
def test_a_path_is_a_path_where_it_stands_alone(path):
    """Also one that is not there: pytest says so."""
    assert suite.sorted_out(["-x", path, "exercises"]) == ([path], ["-x", "exercises"])


def folder(parent: Path, name: str) -> Path:
    """A new folder."""
    path = parent / name.replace("/", "-")
    path.mkdir()
    return path


def test_no_step_sees_a_key_or_the_learners_server(tmp_path, monkeypatch):
    """Tests and notebooks run with a server file of their own and without secrets."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    steps = suite.all_steps(tmp_path, [])
    assert [one.name for one in steps if "sk-very-secret" in one.environment.values()] == []
    assert [one.environment["COURSE_SERVER_FILE"].startswith(str(tmp_path)) for one in steps[-2:]] == [True, True]


def test_an_unknown_step_is_named():
    """`--only` with a typo says which steps there are."""
    with pytest.raises(CourseError, match="no step speling"):
        suite.run_suite(only=["speling"])

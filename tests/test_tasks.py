"""Every exercise: each wrong answer fails with the words that help; hints and progress of every task."""

from __future__ import annotations

import sys

import pytest
from answers import RIGHT, TABLES, WRONG, name_of

from course_utils.check import check, hint, in_rows, progress
from course_utils.errors import CheckFailed, CourseError
from course_utils.records import Record, Trace
from course_utils.tasks import TASKS

FOLDED = [
    (task, answer, case, words)
    for table in TABLES
    for task, rows in getattr(table, "FOLDED", {}).items()
    for answer, case, words in rows
]


@pytest.mark.parametrize(
    ("task", "answer", "words"),
    [(task, answer, words) for task in WRONG for answer, words in WRONG[task].items()],
    ids=name_of,
)
def test_a_wrong_answer_fails_with_the_words_that_help(judged_server, capsys, task, answer, words):
    """A wrong answer prints no line, and its message holds the words of the table."""
    with pytest.raises(CheckFailed) as failed:
        check(task, answer)
    assert " ".join(words.split()) in " ".join(str(failed.value).split())
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("task", "answer", "case", "words"), FOLDED, ids=name_of)
def test_a_case_behind_the_first_one_says_what_helps_there(judged_server, monkeypatch, task, answer, case, words):
    """What stands folded below the first failure is read as well."""
    told = []
    monkeypatch.setattr(sys.modules["course_utils.check"], "show", lambda failure, trace: told.extend(failure.others))
    with pytest.raises(CheckFailed):
        check(task, answer)
    [found] = [" ".join(each.split()) for each in told if f'Case "{case}"' in each]
    assert " ".join(words.split()) in found


class CallableText(str):
    """As LangChain's `.text` is one."""

    def __call__(self):
        return str(self)


@pytest.mark.parametrize("answer", [None, "a text", CallableText("a text"), 7])
def test_what_is_no_function_is_refused(judged_server, answer):
    """Somebody called the function instead of handing it over."""
    with pytest.raises(CourseError, match=r"hand over the function \(or class\) itself, without"):
        check("chain.gate", answer)


@pytest.mark.parametrize("forgot", [lambda: check("chain.gate"), lambda: check(len)])
def test_who_forgets_one_of_the_two_is_told_how_it_is_called(forgot):
    """No bare TypeError."""
    with pytest.raises(CourseError) as caught:
        forgot()
    assert 'check("chain.gate", your_function)' in caught.value.fix


def test_the_rows_of_the_picture_are_named_by_what_the_prompts_begin_with():
    """Where all begin with a word in capitals and a colon, and not all with the same one."""

    def rows(*prompts):
        bodies = [{"messages": [{"role": "user", "content": prompt}]} for prompt in prompts]
        trace = Trace([Record(1, "s", "", "m", 1, 0, 1, 0, 1, 1, 200, request=body) for body in bodies])
        return [each.step for each in in_rows(trace)]

    assert rows("LEGAL: a", "JOIN: b") == ["request 1 LEGAL", "request 2 JOIN"]
    assert rows("LEGAL: a", "b") == rows("a", "b") == rows("JOIN: a", "JOIN: b") == ["request 1", "request 2"]
    assert rows(*["TECH: a", "JOIN: b"] * 4) == ["TECH", "JOIN"] * 4


def test_a_misspelt_check_is_told_the_nearest_ones(judged_server):
    """Not all of them."""
    with pytest.raises(CourseError) as caught:
        check("chain.gates", len)
    assert "chain.gate" in caught.value.fix and "retries.once" not in caught.value.fix


def test_a_family_of_checks_is_told_as_a_whole(judged_server):
    """Whoever asks for a hint by the first half of a name, or by none, is told what to write."""
    with pytest.raises(CourseError) as caught:
        hint("parallel")
    assert caught.value.fix == "use one of: parallel.at_once, parallel.bounded, parallel.partial, parallel.vote."
    with pytest.raises(CourseError, match=r"Try: write hint\("):
        hint()


def test_a_line_is_named_only_where_the_exception_is_the_fault(judged_server):
    """A loop that raises rightly and pauses wrongly is told of its pauses."""
    constant = next(answer for answer in WRONG["retries.mend"] if name_of(answer) == "mend_constant")
    with pytest.raises(CheckFailed) as failed:
        check("retries.mend", constant)
    assert "It was raised" not in str(failed.value)


def test_every_task_has_three_hints_that_go_further(judged_server, capsys):
    """Hints come one at a time, in order, and the last one stays."""
    for task in TASKS.values():
        for _ in range(4):
            hint(task.check)
        told = capsys.readouterr().out.splitlines()
        wanted = [f"Hint {number} of 3: {text}" for number, text in enumerate(task.hints, 1)]
        assert told == [*wanted, wanted[-1]]


def test_progress_counts_points_tries_hints_and_beliefs(judged_server, capsys):
    """A wrong answer is a try and may show a belief; a right one brings the points and clears it."""
    before = {row["check"]: row for row in progress().rows}["chain.gate"]
    wrong = next(answer for answer, words in WRONG["chain.gate"].items() if "status 200 is" in words)
    with pytest.raises(CheckFailed):
        check("chain.gate", wrong)
    met = {row["check"]: row for row in progress().rows}["chain.gate"]
    check("chain.gate", RIGHT["chain.gate"][0])
    after = {row["check"]: row for row in progress().rows}["chain.gate"]
    assert after["tries"] == before["tries"] + 2
    assert (after["points"], after["of"], after["passed"]) == (3, 3, True)
    assert met["met"]
    assert after["cleared"] == after["met"] == met["met"]
    assert "cleared in chain.gate: that" in repr(progress())


def test_each_table_is_long_enough():
    """At least three right and six wrong answers stand behind every check."""
    assert set(TASKS) == set(RIGHT) == set(WRONG)
    assert all(len(RIGHT[task]) >= 3 and len(WRONG[task]) >= 6 for task in TASKS)

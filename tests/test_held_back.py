"""As when grading: right answers pass every case in every style, and what fits only the shown cases fails."""

from __future__ import annotations

from random import Random

import pytest
from answers import RIGHT, TABLES, name_of

from course_utils.check import check
from course_utils.errors import CheckFailed
from course_utils.tasks import TASKS

ONLY_SHOWN = [
    (task, answer)
    for table in TABLES
    for task, answers in getattr(table, "HELD_BACK", {}).items()
    for answer in answers
]


@pytest.mark.parametrize(("task", "answer"), [(task, answer) for task in RIGHT for answer in RIGHT[task]], ids=name_of)
def test_a_right_answer_passes_in_any_style(submitted, capsys, task, answer):
    """It prints the one fixed line with its receipt, and nothing of what it prints itself."""
    cases = len(TASKS[task].cases(Random(1)))
    submitted(f"{task} {name_of(answer)} {RIGHT[task].index(answer)}")
    check(task, answer)
    line, _, receipt = capsys.readouterr().out.partition(" · ")
    assert line == f"✓ {task}: {cases} of {cases} cases"
    assert len(receipt) == len("65df39b6f912bb23\n")


@pytest.mark.parametrize(("task", "answer"), ONLY_SHOWN, ids=name_of)
def test_an_answer_that_fits_only_what_is_shown_fails(submitted, task, answer):
    """Each of these passes the shown cases, and fails in one that is held back."""
    shown = [case.name for case in TASKS[task].cases(Random(1)) if not case.held_back]
    submitted(f"{task} {name_of(answer)}")
    with pytest.raises(CheckFailed) as failed:
        check(task, answer)
    assert not any(f'Case "{name}"' in str(failed.value) for name in shown)

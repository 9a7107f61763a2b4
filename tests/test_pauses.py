"""Pauses of retry loops: which request they lie behind, and generators that tell kinds of jitter apart for certain."""

from __future__ import annotations

import os
import time
from random import Random

import answers_retries
import pytest
from support import TOKEN, running_server

from course_utils import connection
from course_utils.check import check
from course_utils.errors import CheckFailed
from course_utils.records import Record, Trace
from course_utils.server import runtime
from course_utils.server.cases import Seen
from course_utils.server.judge import Judge
from course_utils.tasks import TASKS
from course_utils.tasks.attempts import gaps
from course_utils.tasks.jitter import DRAWS, drawn, telling_seed
from course_utils.tasks.pauses import Bounds, from_the_generator, full, within_bounds
from course_utils.tasks.troubles import story, trouble

BOUNDS = Bounds(0.2, 100)


def request(at: float) -> Record:
    return Record(1, "s", "", "m", 1, at, at, at, at, 1, 200)


def test_gaps_lie_between_the_requests():
    """Two naps in a row are one pause; what comes before the first request and after the last one counts too."""
    seen = Seen(Trace([request(1), request(4), request(5)]), sleeps=((0, 1), (1, 2.5), (3.5, 0.5), (4, 1), (6, 9)))
    assert gaps(seen) == [1, 3, 1, 9]


def test_bounds_double_up_to_the_cap():
    """Nothing before the first request; then the base, doubled for each repeat."""
    assert [Bounds(0.25, 1).of(number) for number in range(6)] == [0, 0.25, 0.5, 1, 1, 1]


def findings(shares):
    """The first finding about pauses of these shares of their bounds, for one generator and for another."""
    tale = story(Random(1), *[trouble(503)] * 8, attempts=9)
    calls = [[share * BOUNDS.of(number) for number, share in enumerate(each, start=1)] for each in shares]
    for pauses in calls:
        if found := within_bounds([0, *pauses], tale, BOUNDS):
            return found
    return from_the_generator([calls[0], *calls], "given") or full(calls[0], "given", BOUNDS)


@pytest.mark.parametrize("draw", DRAWS)
def test_full_jitter_passes_and_every_narrower_kind_fails_whatever_the_seed(draw):
    """For many seeds: full jitter is accepted, however it is drawn; a part of it, or more, never is."""
    for seed in range(25):
        rng = Random(seed)
        one = telling_seed(rng, 8)
        shares = [drawn(each, draw, 8) for each in (one, telling_seed(rng, 8, unlike=one))]

        def scaled(low, high, shares=shares):
            return findings([[low + (high - low) * share for share in each] for each in shares])

        assert scaled(0, 1) is None
        for low, high in ((0.75, 1.25), (0.75, 1), (0.5, 1), (0, 0.5), (0, 2), (0.25, 0.5), (1, 1), (0.1, 0.1)):
            assert scaled(low, high), (seed, low, high)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A server whose judge runs the held-back cases too, found by `connect()`."""
    folder = tmp_path_factory.mktemp("graded")
    folder.chmod(0o700)
    routes = Judge(TASKS, key=b"a key that only the grader has").routes()
    with pytest.MonkeyPatch.context() as patch, running_server(routes=routes) as server:
        file = folder / "server.json"
        runtime.write(file, runtime.Runtime(server.url, TOKEN, os.getpid(), time.time(), "test", str(folder)))
        patch.setenv("COURSE_SERVER_FILE", str(file))
        patch.setattr(connection, "_courses", {})
        yield patch


@pytest.mark.parametrize("task", answers_retries.RIGHT)
def test_the_right_answers_pass_what_is_held_back(graded, capsys, task):
    """Grading runs more cases, and the right answers pass them all."""
    cases = len(TASKS[task].cases(Random(1)))
    for number, answer in enumerate(answers_retries.RIGHT[task]):
        graded.setenv("COURSE_SUBMISSION", f"right {number}")
        check(task, answer)
        assert capsys.readouterr().out.startswith(f"✓ {task}: {cases} of {cases} cases · ")


@pytest.mark.parametrize(
    ("task", "answer"),
    [(task, answer) for task, answers in answers_retries.HELD_BACK.items() for answer in answers],
)
def test_answers_that_fit_only_what_is_shown_fail(graded, task, answer):
    """An answer made for the cases that are shown fails in one that is not."""
    shown = [case.name for case in TASKS[task].cases(Random(1)) if not case.held_back]
    graded.setenv("COURSE_SUBMISSION", answer.__name__)
    with pytest.raises(CheckFailed) as failed:
        check(task, answer)
    assert not any(f'Case "{name}"' in str(failed.value) for name in shown)

"""Rehearsals: a clock that jumps, so that counts under a limit are exact, and nobody waits."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from openai import RateLimitError

from course_utils import faults
from course_utils.connection import connect
from course_utils.errors import CourseError
from course_utils.models import chat_model
from course_utils.rehearsals import Rehearsal, rehearsal

pytestmark = pytest.mark.usefixtures("judged_server")


def statuses(stage: Rehearsal) -> dict[int | None, int]:
    return dict(Counter(request.status for request in stage.trace))


async def say(stage: Rehearsal, step: str = "") -> str:
    return (await stage.chat_model(step=step).ainvoke("Classify as billing or other: my invoice is wrong.")).text


def test_a_burst_beyond_the_limit_is_refused_exactly():
    """Eight at one moment find three tokens, however long the machine takes to send them."""

    async def burst() -> Rehearsal:
        with rehearsal(rate=(1, 3)) as stage:
            await asyncio.gather(*(say(stage) for _ in range(8)), return_exceptions=True)
        return stage

    assert statuses(asyncio.run(burst())) == {200: 3, 429: 5}


def test_sleeps_move_the_clock_and_free_the_limit():
    """Four callers an hour apart, under a limit of one an hour, are all answered, and the log has the hours."""

    async def hours() -> Rehearsal:
        with rehearsal(rate=(1 / 3600, 1)) as stage:

            async def at(hour: int) -> str:
                await stage.asleep(hour * 3600)
                return await say(stage)

            await asyncio.gather(*map(at, range(4)))
        return stage

    stage = asyncio.run(hours())
    assert statuses(stage) == {200: 4}
    assert [round(request.course_start / 3600, 3) for request in stage.trace] == [0, 1, 2, 3]


def test_callers_in_lockstep_meet_however_long_they_need():
    """All who were refused come back at the moment they were told, although each computes for a while before."""

    async def herd() -> Rehearsal:
        with rehearsal(rate=(4, 4)) as stage:

            async def insist() -> None:
                while True:
                    try:
                        return await say(stage)
                    except RateLimitError as error:
                        sum(range(400_000))  # some hundredths of a second for all of them together
                        await stage.asleep(float(error.response.headers["retry-after"]))

            await asyncio.gather(*(insist() for _ in range(10)))
        return stage

    assert statuses(asyncio.run(herd())) == {200: 10, 429: 6 + 5 + 4 + 3 + 2 + 1}


def test_code_without_an_event_loop_gets_its_answer():
    """A script that calls synchronously has nobody to watch; the clock jumps by itself after a while."""
    with rehearsal(faults.every(1, faults.slow(3600))) as stage:
        assert stage.chat_model().invoke("Classify as billing or other: my invoice is wrong.").text
    assert stage.trace.makespan >= 3600


def test_faults_strike_by_step():
    """A plan works as in `record`, and the trace names the steps."""

    async def two() -> Rehearsal:
        plan = faults.on_step("b", faults.first(1, faults.server_error()))
        with rehearsal(plan) as stage:
            await asyncio.gather(say(stage, "a"), say(stage, "b"), return_exceptions=True)
        return stage

    assert sorted((r.step, r.status) for r in asyncio.run(two()).trace) == [("a", 200), ("b", 500)]


def test_an_outage_has_a_time_of_its_own():
    """A plan for twenty minutes strikes in these twenty minutes, and the clock can be read."""

    async def hour() -> Rehearsal:
        with rehearsal(faults.during(600, 1800, faults.every(1, faults.timeout(30)))) as stage:
            for minute in (5, 10, 29, 30):
                await stage.asleep(minute * 60 - stage.now())
                await asyncio.gather(say(stage), return_exceptions=True)
                assert stage.now() >= minute * 60
        return stage

    stage = asyncio.run(hour())
    assert [request.status for request in stage.trace] == [200, 444, 444, 200]
    assert [round(request.course_start / 60, 3) for request in stage.trace] == [5, 10, 29, 30]


def test_a_request_that_was_let_go_is_in_the_trace_as_such():
    """Cancelling a call hangs up on it: the block's end waits until the log has seen that."""

    async def leave() -> Rehearsal:
        with rehearsal(faults.every(1, faults.slow(100))) as stage:
            call = asyncio.create_task(say(stage))
            await stage.asleep(1)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
        return stage

    stage = asyncio.run(leave())
    assert statuses(stage) == {499: 1}
    assert stage.trace[0].course_stop < 100


def test_the_trace_is_filled_when_the_block_breaks():
    """An error in the block passes on, and what happened before it can be looked at."""

    async def break_off() -> Rehearsal:
        with pytest.raises(ZeroDivisionError), rehearsal() as stage:
            await say(stage)
            raise ZeroDivisionError
        return stage

    assert statuses(asyncio.run(break_off())) == {200: 1}


def test_the_corner_is_given_back():
    """After the block its scope is gone; the process's own corner has seen nothing of it."""

    async def one() -> Rehearsal:
        with rehearsal() as stage:
            await say(stage)
        return stage

    stage, course = asyncio.run(one()), connect()
    with pytest.raises(CourseError):
        course.call("GET", f"/course/scopes/{stage.trace[0].scope}/sleeps")
    assert stage.trace[0].scope not in {record.scope for record in course.records()}


def test_what_is_no_plan_is_refused_before_anything_is_made():
    """The same words as in `record`."""
    with pytest.raises(CourseError, match="is not a plan"), rehearsal(faults=[1]):  # type: ignore[arg-type]
        pass


def test_a_negative_nap_is_refused():
    """Time does not run backwards, and the message names the number."""

    async def nap() -> None:
        with rehearsal() as stage:
            await stage.asleep(-1)

    with pytest.raises(CourseError, match="-1 is no length of time"):
        asyncio.run(nap())


def test_a_rehearsal_that_is_over_says_so():
    """Its model, its sleep and its clock tell what is the matter, and not that some scope is unknown."""
    with rehearsal() as stage:
        pass
    for late in (lambda: stage.chat_model(), lambda: asyncio.run(stage.asleep(1)), stage.now):
        with pytest.raises(CourseError, match="This rehearsal is over") as caught:
            late()
        assert "inside its `with`" in caught.value.fix


def test_requests_that_pass_the_rehearsal_by_are_spoken_of():
    """A model of the course's own clock in the block leaves an empty trace, and a warning that names the mend."""
    chat_model().invoke("Classify as billing or other: before the block.")
    with pytest.warns(UserWarning, match="some passed it by: make models with its own chat_model"), rehearsal():
        chat_model().invoke("Classify as billing or other: my invoice is wrong.")
    with rehearsal() as idle:  # nothing was sent at all: no warning, or this test would fail
        pass
    assert len(idle.trace) == 0


def test_a_misspelt_step_is_spoken_of_as_in_record():
    """A plan that waits for a step that only almost came says so at the block's end."""
    plan = faults.on_step("lable", faults.first(1, faults.server_error()))

    async def one() -> None:
        with rehearsal(plan) as stage:
            await say(stage, "label")

    with pytest.warns(UserWarning, match="waits for the step 'lable', and only 'label' came") as said:
        asyncio.run(one())
    assert said[0].filename == __file__

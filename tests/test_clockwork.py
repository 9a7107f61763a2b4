"""Drivers that watch over the course clock: it jumps only when everybody waits, and shows what was left running."""

from __future__ import annotations

import asyncio
import threading
from random import Random
from types import SimpleNamespace

import pytest
from support import running_server

from course_utils.attempt import attempt
from course_utils.clockwork import through_a_gate, watched
from course_utils.models import client
from course_utils.server.scripted import Scripted
from course_utils.stage import Stage
from course_utils.tasks.pace import rush
from course_utils.tasks.plans import Desk


@pytest.fixture
def corner():
    """A virtual corner whose model needs two seconds, with what a driver is handed; its grace would take for ever."""
    with running_server() as server:
        scope = server.scope(virtual=True, grace=60, backend=Scripted(lambda request, number: "yes", latency=2))
        stage = Stage(f"{server.url}/course/scopes/{scope.name}", scope.key)
        tools = {"now": stage.now, "asleep": stage.asleep, "jump": stage.jump}
        model = client(base_url=server.base_url(scope), key=scope.key, model="small")
        yield SimpleNamespace(
            handed=tools | {"llm": model}, trace=lambda: server.trace(scope), sleeps=lambda: list(scope.sleeps)
        )


def test_the_clock_waits_for_code_that_computes(corner):
    """Tasks that compute between their waits stay together, and their naps end in order."""

    async def answer(llm, now, asleep):
        ends = []

        async def one(seconds):
            for _ in range(2):
                sum(range(200_000))
                await asleep(seconds)
            ends.append((seconds, now()))

        await asyncio.gather(*map(one, (3, 1, 2)))
        return ends

    assert watched(answer, corner.handed) == [(1, 2), (2, 4), (3, 6)]


def test_a_synchronous_call_is_answered_although_it_stops_the_loop(corner):
    """`invoke` in an `async` function keeps everybody from moving on; the clock moves on all the same."""

    async def answer(llm, now, asleep):
        return [llm.invoke("first").text, llm.invoke("second").text, now()]

    assert watched(answer, corner.handed) == ["yes", "yes", 4]


def test_an_ordinary_function_is_answered(corner):
    """A function that is not `async` at all needs nobody to await it."""
    assert watched(lambda llm, now, asleep: [llm.invoke("only").text, now()], corner.handed) == ["yes", 2]


def test_an_answer_that_waits_in_a_way_of_its_own_is_answered(corner):
    """Whoever makes the loop stand still until a thread has ended gets the clock to move once all is at rest."""

    async def answer(llm, now, asleep):
        beside = threading.Thread(target=lambda: asyncio.run(asleep(3)))
        beside.start()
        beside.join()
        return now()

    assert attempt(answer, corner.handed, drive=watched, seconds=30).body == {"returned": 3}


def test_what_was_left_running_shows_in_the_log(corner):
    """After the answer the loop goes on: a request that was not cancelled is answered, a cancelled one is left."""

    async def answer(llm, now, asleep):
        kept, cancelled = (asyncio.create_task(llm.ainvoke(text)) for text in ("kept", "cancelled"))
        await asleep(1)
        cancelled.cancel()
        return kept.done()

    assert watched(answer, corner.handed | {"linger": 30}) is False
    assert {record.prompt: record.status for record in corner.trace()} == {"kept": 200, "cancelled": 499}
    assert corner.sleeps() == [(0, 1), (1, 30)]


def test_an_error_reaches_the_judge_after_the_loop_has_gone_on(corner):
    """The driver lingers for an answer that raises, too, and then raises the same."""

    async def answer(llm, now, asleep):
        raise KeyError("other")

    body = attempt(answer, corner.handed | {"linger": 30}, drive=watched).body
    assert (body["raised"], corner.sleeps()) == ("KeyError", [(0, 30)])


def test_callers_go_through_their_gates_in_rushes(corner):
    """Each caller asks when its turn has come; a later rush comes after the pause, when all before are answered."""
    turns = []

    class Gate:
        def __init__(self, per_second, now, asleep):
            self.now, self.asleep = now, asleep

        async def turn(self):
            turns.append(self.now())
            await self.asleep(1)

    rushes = [rush(Random(1), 2).plain, rush(Random(2), 1, 2, after=5).plain]
    assert through_a_gate(Gate, corner.handed | {"per_second": 1, "rushes": rushes}) == 4
    assert turns == [0, 0, 8, 11]
    assert [record.course_start for record in corner.trace()] == [1, 1, 9, 12]


def test_a_pace_and_a_door_of_just_enough_workers_are_within_the_bound():
    """Without slow calls the bound is what the statement says; slow ones add what they take."""
    desk = Desk(tuple("abcdefghijkl"), 480, 0.6)
    slow = Desk(tuple("abcdefghijkl"), 480, 0.6, slow_from=1)
    assert (desk.workers, desk.latest) == (6, pytest.approx(1.25 * 12 / 8))
    assert slow.latest == pytest.approx(1.25 * (4 + 5 / 8 + 1 / 8))

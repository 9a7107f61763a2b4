"""Effects: what becomes of a call, repeats with a key, answers that get lost, and the door that leads to them."""

from __future__ import annotations

import pytest

from course_utils.errors import ServiceError
from course_utils.server.effects import LOST, MOST, Effects
from course_utils.stage import Stage


def taken(effects: Effects, *calls: tuple[str, str]) -> list[tuple[int, bool]]:
    return [(done.status, done.happened) for done in (effects.take(0, name, key, {}) for name, key in calls)]


def test_everything_happens_when_nothing_is_planned():
    """Without a key each call is a new effect."""
    assert taken(Effects(), ("pay", ""), ("pay", "")) == [(200, True), (200, True)]


def test_a_key_works_once():
    """The same key for the same effect does nothing more and says that all is well; for another effect it is new."""
    assert taken(Effects(), ("pay", "a"), ("pay", "a"), ("pay", "b"), ("mail", "a")) == [
        (200, True),
        (200, False),
        (200, True),
        (200, True),
    ]


def test_a_lost_answer_has_happened_and_a_refusal_has_not():
    """After a lost answer the key is used up; after a refusal it is not."""
    plan = Effects(lambda effect, number: {1: LOST, 3: 503}.get(number, 200))
    assert taken(plan, ("pay", "a"), ("pay", "a"), ("pay", "b"), ("pay", "b")) == [
        (LOST, True),
        (200, False),
        (503, False),
        (200, True),
    ]


def test_a_loop_without_a_way_out_ends():
    """Beyond the limit nothing happens any more."""
    effects = Effects()
    done = taken(effects, *[("pay", "")] * (MOST + 2))
    assert (done[MOST - 1], done[MOST]) == ((200, True), (410, False))


def test_the_stage_acts_waits_and_tells_the_time(corner):
    """Sleeps and effects move the course clock, and the scope has seen them."""
    stage, scope = corner
    began = stage.now()
    stage.sleep(90)
    assert stage.act("pay", key="k", order="MB-1", amount=5) == {"status": "done", "name": "pay"}
    assert stage.now() == pytest.approx(began + 90.5)
    assert [sleep.seconds for sleep in scope.sleeps] == [90]
    assert [(call.name, call.key, call.data) for call in scope.effects.calls] == [
        ("pay", "k", {"order": "MB-1", "amount": 5})
    ]


def test_what_is_told_takes_no_time(corner):
    """It arrives while the clock stands, and moves it no further."""
    stage, scope = corner
    began = stage.now()
    stage.tell("saved")
    assert scope.effects.calls[-1].name == "saved" and stage.now() == began


@pytest.mark.parametrize(("status", "kind"), [(LOST, TimeoutError), (409, ServiceError), (503, ServiceError)])
def test_a_refusal_says_its_status_and_a_lost_answer_is_a_timeout(corner, status, kind):
    """The caller learns what HTTP knows, and no more."""
    stage, scope = corner
    scope.effects = Effects(lambda effect, number: status)
    with pytest.raises(kind) as caught:
        stage.act("book hotel")
    assert status == LOST or caught.value.status == status


def test_the_key_of_another_scope_opens_nothing(corner):
    """A case's tools reach its own corner only."""
    stage, scope = corner
    before = len(scope.effects.calls)
    with pytest.raises(ServiceError, match="401"):
        Stage(stage.url, "0" * 32).act("pay")
    assert len(scope.effects.calls) == before

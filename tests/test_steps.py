"""Scripted models that answer by the step a prompt names."""

from __future__ import annotations

import asyncio

import pytest

from course_utils.server.wire import ChatRequest, Message
from course_utils.tasks import steps
from course_utils.tasks.steps import UNNAMED, ByStep, step_of
from course_utils.tasks.texts import answers


def asked(*texts: str) -> ChatRequest:
    return ChatRequest(model="practice-small", messages=[Message(role="user", content=text) for text in texts])


async def test_each_step_has_its_own_answers():
    """A step's script counts the requests of that step alone, and a prompt without a step is told so."""
    model = ByStep({"PLAN": answers("no", "yes"), "WORK": answers("done")})
    prompts = ["PLAN: a", "WORK: b", "Please PLAN this", "PLAN: a, again"]
    assert [await model(asked(text), 0) for text in prompts] == ["no", "done", UNNAMED, "yes"]


@pytest.mark.parametrize(
    ("prompt", "step"),
    [
        ("PLAN: this", "PLAN"),
        ("You are kind.\n  WORK\nPLAN", "WORK"),
        ("PLANS: this", ""),
        ("plan: this", ""),
        ("", ""),
    ],
)
def test_a_step_is_named_at_the_beginning_of_a_line(prompt, step):
    """The first line that begins with a step's whole name decides."""
    assert step_of(prompt, ["WORK", "PLAN"]) == step


async def test_an_answer_is_held_until_the_others_are_there():
    """The first worker's answer comes only when a second one has asked."""
    model = ByStep({"WORK": answers("done")}, {"WORK": {"WORK": 2}})
    first = asyncio.create_task(model(asked("WORK: a"), 1))
    for _ in range(20):
        await asyncio.sleep(0)
    was_held = not first.done()
    assert (was_held, await model(asked("WORK: b"), 2), await first) == (True, "done", "done")


async def test_nothing_is_held_after_a_wait_in_vain(monkeypatch):
    """Whoever asks one after the other waits once, and gets every answer."""
    monkeypatch.setattr(steps, "PATIENCE", 0.01)
    model = ByStep({"WORK": answers("done")}, {"WORK": {"WORK": 9}})
    told = [await model(asked("WORK: a"), 1)]
    monkeypatch.setattr(steps, "PATIENCE", 1000.0)
    assert [*told, await model(asked("WORK: b"), 2)] == ["done", "done"]

"""The judge of a cascade: a plain function in the learner's process, whose verdict the server gives and remembers."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage

from course_utils.errors import ServiceError
from course_utils.handed import TOOLS
from course_utils.server.effects import Effects


def test_the_verdict_is_the_servers_and_it_saw_what_was_shown(corner):
    """200 is a yes and 409 a no; both leave what the judge was shown, in order."""
    stage, scope = corner
    scope.effects = Effects(lambda effect, number: 200 if effect.data["answer"] == "42" else 409)
    accept = TOOLS["accept"](stage, 0)
    assert [accept("what?", "42"), accept(question="what?", answer="41")] == [True, False]
    assert [(call.name, call.data) for call in scope.effects.calls] == [
        ("accept", {"question": "what?", "answer": "42"}),
        ("accept", {"question": "what?", "answer": "41"}),
    ]


def test_a_message_in_place_of_its_text_is_seen_as_one(corner):
    """What is no plain data does not break the call; the server hears its type."""
    stage, scope = corner
    scope.effects = Effects(lambda effect, number: 409)
    assert TOOLS["accept"](stage, 0)("what?", AIMessage("42")) is False
    assert scope.effects.calls[0].data["answer"]["$object"] == "AIMessage"


def test_no_verdict_is_no_no(corner):
    """A judge that cannot be reached raises instead of rejecting."""
    stage, scope = corner
    scope.effects = Effects(lambda effect, number: 503)
    with pytest.raises(ServiceError):
        TOOLS["accept"](stage, 0)("what?", "42")

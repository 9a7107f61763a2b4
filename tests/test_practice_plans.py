"""Plans of customers' letters, letters merged from parts, and feedback that quotes: what an orchestrator asks for."""

import json
from dataclasses import replace

from course_utils import world
from course_utils.server.practice.limits import item_schema
from course_utils.server.practice.noise import Noise
from course_utils.server.practice.plan import wishes_of
from course_utils.server.practice.reply import answer
from course_utils.server.practice.sizes import LARGE, SMALL
from course_utils.server.wire import ChatRequest

CAREFUL = replace(LARGE, sure=0, unsure=0, obeys=0, decorates=0, fences=0, misses=0, rambles=0, miscounts=0)
LETTER = """Good afternoon. The hub blinks amber every morning. I like your lamps.
My bank statement has two lines of €153.00 for one order.
And on which days can we visit your demonstration garden? One of my questions was answered before.
Saskia van Ommeren"""
WISHES = [
    ("technical", "The hub blinks amber every morning."),
    ("billing", "My bank statement has two lines of €153.00 for one order."),
    ("other", "And on which days can we visit your demonstration garden?"),
]


def text(user: str, size=CAREFUL, key: str = "") -> str:
    request = ChatRequest(model="practice-large", messages=[{"role": "user", "content": user}])
    return answer(request, size, Noise(key)).text


def plan_prompt(shape: str) -> str:
    return f"Break this letter into subtasks.\nReply only with a JSON array of objects: [{shape}]\n\nLetter:\n{LETTER}"


def test_a_letter_becomes_one_subtask_for_each_wish():
    """Each wish becomes an object of the shape that the prompt shows, its desk one of the options."""
    for options in ('"billing | technical | sales | other"', '"billing" or "technical" or "sales" or "other"'):
        found = json.loads(text(plan_prompt(f'{{"desk": {options}, "question": "..."}}')))
        assert [(each["desk"], each["question"]) for each in found] == WISHES


def test_a_number_in_the_letter_is_no_number_of_subtasks():
    """Only the instruction says how many subtasks are wanted, and a letter never has more than its wishes."""
    wishes = [question for _, question in WISHES]
    assert json.loads(text(f"Plan this as a JSON list of subtasks.\n\nLetter:\n{LETTER}")) == wishes
    assert json.loads(text(f"Plan this as a JSON list of at most 2 subtasks.\n\nLetter:\n{LETTER}")) == wishes[:2]
    assert json.loads(text(f"Plan this as a JSON list of at most 9 subtasks.\n\nLetter:\n{LETTER}")) == wishes


def test_a_follow_up_question_stays_with_what_it_asks_about():
    """A question without a topic of its own is no subtask of its own; a task that is no letter has no wishes."""
    assert wishes_of(world.ticket("T002").text) == [
        "I sent the Robin back on 2 April (order MB-10424) and the refund has not arrived on my account yet. "
        "Could you check?"
    ]
    assert wishes_of("What does the Weather set cost? Where is my parcel MB-10510?") == [
        "What does the Weather set cost?",
        "Where is my parcel MB-10510?",
    ]
    assert wishes_of("Hello there.") == ["Hello there."]
    assert wishes_of("Write a guide to winter care of the Otter.") == wishes_of("winter care of the Otter") == []


def test_subtasks_err_one_by_one():
    """A model that errs gives some subtasks a wrong desk, not all of them or none."""
    prompt = plan_prompt('{"desk": "billing | technical | sales | other", "question": "..."}')
    careless = replace(SMALL, sure=0.5, unsure=0.5, fences=0, misses=0)
    rights = {
        sum(
            each["desk"] == desk
            for each, (desk, _) in zip(json.loads(text(prompt, careless, str(seed))), WISHES, strict=True)
        )
        for seed in range(30)
    }
    assert rights >= {1, 2}


def test_the_shape_of_a_list():
    """The objects of a list are read from the example in the prompt; a plain list has no shape."""
    assert item_schema("A JSON list of strings.") is None
    assert item_schema('[{"id": 1, "kind": "a/b"}]')["properties"] == {
        "id": {"type": "string"},
        "kind": {"type": "string", "enum": ["a", "b"]},
    }


def test_parts_merged_into_a_letter_are_signed():
    """Parts become a letter with its greeting and closing where a letter is asked for, and a bare text elsewhere."""
    parts = "Part 1: The Heron counts rain.\n\nPart 2: The Mole measures soil."
    body = "The Heron counts rain.\n\nThe Mole measures soil."
    assert text(f"Merge these parts into one letter to the customer.\n\n{parts}") == (
        f"Hello,\n\n{body}\n\nKind regards\nMerrowby support"
    )
    assert text(f"Merge these parts into one report.\n\n{parts}") == body


def test_feedback_that_quotes_is_taken_at_its_word():
    """What feedback wants replaced is replaced, and a sentence that holds what it wants removed is gone."""
    draft = "Hello, it takes 61 days. It is blue. Kind regards"
    feedback = 'Replace “it takes 61 days” with “it takes 30 days”. Remove "is blue".'
    assert text(f"Improve the draft with the feedback.\n\nDraft: {draft}\n\nFeedback: {feedback}") == (
        "Hello, it takes 30 days. Kind regards"
    )

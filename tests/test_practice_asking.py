"""Questions for one field of a text: the field alone, or the word that the prompt wants when there is none."""

import pytest

from course_utils import world
from course_utils.server.practice import PracticeModel, measure
from course_utils.server.practice.sizes import SIZES
from course_utils.server.wire import ChatRequest

SMALL, LARGE = SIZES
CHARGED = world.ticket("T001").text
SIGNED = (
    "Hello, my name is Ines Falkenrath, please write to ines.falkenrath@post.example. "
    "My Wren (order MB-10402) of 5 March cost €129.00."
)
TWO = "Compare MB-10402 with MB-10407, please."
LESSON = "Which order number does this ticket name? Answer with the number alone, or NONE."

ASKED = [  # instruction, text, answer
    (LESSON, CHARGED, "MB-10484"),
    (LESSON, "Hello", "NONE"),
    (LESSON, "", "NONE"),
    ("What is the order number in this ticket? Reply with the number only, or 'unknown'.", "Hello", "unknown"),
    ("Extract the order id. If there is none, say NOTHING.", SIGNED, "MB-10402"),
    ("Extract the order id. If there is none, say NOTHING.", "Hello", "NOTHING"),
    ("Find the order number in the text below. Say NONE if none is given.", "Hello", "NONE"),
    ("Is there an order number in this ticket? Answer with it, or NO.", CHARGED, "MB-10484"),
    ("List all order numbers in this message, separated by commas.", TWO, "MB-10402, MB-10407"),
    ("Which order number does this message name first? The number alone.", TWO, "MB-10402"),
    ("Which amount does the customer ask for? Answer with the amount alone, or NONE.", CHARGED, "€179.00"),
    ("Which amount does the customer ask for? Answer with the amount alone, or NONE.", "Hello", "NONE"),
    ("What date does the message mention? One date only; otherwise 'no date'.", SIGNED, "2026-03-05"),
    ("What date does the message mention? One date only; otherwise 'no date'.", "Hello", "no date"),
    ("What is the customer's name? Answer with the name only, or unknown.", SIGNED, "Ines Falkenrath"),
    ("Who wrote this message? Name only. If the message does not say, answer unknown.", CHARGED, "unknown"),
    ("Give the e-mail address in this message, or NONE.", SIGNED, "ines.falkenrath@post.example"),
    ("Which e-mail address does this message name?", "Hello", "not stated"),
    ("Which product does this ticket name? Answer with its name alone, or NONE.", SIGNED, "Wren weather station"),
    ("Name the product in this message, or say NONE if there is none.", CHARGED, "NONE"),
    ("What is the sentiment of this ticket? Answer with one word.", CHARGED, "negative"),
    ("What is the mood of this message? Answer with one word.", "I am angry and disappointed.", "negative"),
    ("How urgent is this ticket? Answer with one word.", "The valve is open, help immediately!", "high"),
    ("What is the urgency of this message: low, normal or high?", "No hurry at all.", "low"),
    ("Extract the order number and the amount.", CHARGED, "order number: MB-10484\namount: €179.00"),
]


@pytest.mark.parametrize(("instruction", "text", "wanted"), ASKED)
def test_the_field_alone(instruction, text, wanted):
    """The large model answers with the value and nothing else, however the text is set apart."""
    forms = [f"{instruction}\n{text}", f"{instruction}\n\nTicket: {text}", f"{instruction}\n<ticket>{text}</ticket>"]
    said = [measure.ask(LARGE, form) for form in forms]
    # The large model dresses up 4 % of its answers and mistakes some labels: never two of three.
    assert sum(each == wanted for each in said) >= 2, said


def test_fields_in_a_system_prompt():
    """The question may stand in the system prompt, the text in the user's message."""
    turns = [{"role": "system", "content": LESSON}, {"role": "user", "content": CHARGED}]
    request = ChatRequest(model=LARGE, temperature=0, messages=turns)
    assert "".join(piece.text for piece in PracticeModel().pieces(request)) == "MB-10484"


def test_the_small_model_dresses_up_at_its_rate():
    """Over all tickets the value is always in the answer; the small model adds to it in some 25 %, the large in 4 %."""
    dressed = {}
    for model in SIZES:
        answers = [(measure.ask(model, f"{LESSON}\n{each.text}"), each.order_id or "NONE") for each in world.tickets()]
        assert [pair for pair in answers if pair[1] not in pair[0]] == []
        dressed[model] = sum(said != value for said, value in answers) / len(answers)
    assert 0.17 < dressed[SMALL] < 0.33 and dressed[LARGE] < 0.09, dressed


def test_a_customers_question_is_no_order_to_extract():
    """A ticket that asks for an address or a product is answered, not searched for one."""
    for text in ("What is the e-mail address of your press team?", "Which product fits a small balcony?"):
        assert "not stated" not in measure.ask(LARGE, text)

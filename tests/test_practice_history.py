"""What the practice model makes of a conversation: the last message asks, an earlier one may bring the material."""

from dataclasses import replace

import pytest

from course_utils import world
from course_utils.server.practice.noise import Noise
from course_utils.server.practice.reading import read
from course_utils.server.practice.reply import answer
from course_utils.server.practice.sizes import LARGE, SIZES, Size
from course_utils.server.wire import ChatRequest, Message

CAREFUL = replace(LARGE, misses=0)  # the rules alone, without drawn mistakes
TICKET = world.ticket("T001").text
SUMMARISE = f"Summarise this ticket in at most 12 words:\n{TICKET}"


def request(*texts: str) -> ChatRequest:
    """A conversation: user and assistant in turns, the user first."""
    turns = [Message(role=("user", "assistant")[at % 2], content=text) for at, text in enumerate(texts)]
    return ChatRequest(model="practice-large", messages=turns)


@pytest.mark.parametrize(
    ("ask", "skill"),
    [
        ("Write a short reply to the customer who sent this ticket.", "draft"),
        ("Is this ticket about billing, technical, sales or other? Answer with one word.", "classify"),
        ("Extract the order number and the amount that this ticket names.", "extract"),
    ],
)
def test_the_material_may_stand_in_an_earlier_message(ask, skill):
    """A request without a text of its own works on the ticket that the conversation began with."""
    found = read(request(SUMMARISE, "My card was charged twice.", ask))
    assert (found.skill, found.subject) == (skill, TICKET)


def test_a_message_with_material_of_its_own_keeps_it():
    """An earlier ticket does not creep into the next one's answer."""
    ask = "Write a short reply to the customer who sent this ticket:\nThe hub is offline."
    assert read(request(SUMMARISE, "Charged twice.", ask)).subject == "The hub is offline."


def test_an_order_that_points_at_nothing_stays_alone():
    """What asks for something new is not answered with the old material."""
    found = read(request(SUMMARISE, "Charged twice.", "Write a slogan for a rain gauge."))
    assert TICKET not in found.subject


def test_a_customer_who_only_wrote_counts_too():
    """A message without an instruction is material as a whole."""
    found = read(request(TICKET, "Thank you, we look into it.", "Write a short reply to the customer."))
    assert found.subject == TICKET


@pytest.mark.parametrize("size", SIZES.values(), ids=lambda size: size.id)
def test_a_reply_from_the_history_speaks_of_the_ticket(size: Size):
    """The letter has the help centre's advice on the earlier ticket."""
    asked = request(SUMMARISE, "Charged twice.", "Write a short reply to the customer who sent this ticket.")
    assert "last four digits of the card" in answer(asked, size, Noise("")).text


def test_feedback_on_an_earlier_draft_is_worked_in_from_the_ticket():
    """ "Improve it" changes the last draft, and takes what it lacks from the ticket before it."""
    ask = "Improve it so that it names the order number and the amount."
    found = answer(request(SUMMARISE, "Hello,\n\nThank you for writing.", ask), CAREFUL, Noise("")).text
    wanted = "Hello,\n\nThank you for writing. This is about order MB-10484. The amount is €179.00."
    assert found == wanted


def test_an_amount_that_is_there_is_not_named_twice():
    """The order to name the amount changes nothing in a letter that names it."""
    draft = "Hello,\n\nWe send you €179.00."
    found = answer(request(SUMMARISE, draft, "Improve it so that it names the amount."), CAREFUL, Noise("")).text
    assert found == draft

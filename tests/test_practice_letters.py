"""Letters to customers: the facts that fit the ticket, in words that a customer understands."""

import re
from pathlib import Path

import pytest

from course_utils import world
from course_utils.server.practice import measure
from course_utils.server.practice.lookups import order_sentences
from course_utils.server.practice.needs import Need, advice_for, is_thanks, needs
from course_utils.server.practice.retrieval import facts_for
from course_utils.server.practice.sizes import SIZES
from course_utils.server.practice.words import sentences
from course_utils.server.practice.writing import UNKNOWN

DOCUMENT = Path(__file__).parent.parent / "docs" / "PRACTICE_MODEL.md"
SMALL, LARGE = SIZES
PROMPT = "Write a short reply to this customer:\n"

FITTING = [  # ticket, words that its letter needs
    ("T001", "refund the second charge the same day"),
    ("T003", "Invoice (PDF)"),
    ("T009", "Banks need up to 5 working days"),
    ("T021", "restart your router first"),
    ("T026", "we replace it under warranty"),
    ("T027", "the magnet may be missing"),
    ("T036", "remove the batteries"),
    ("T045", "Norway, Switzerland and the United Kingdom cost €19.90"),
    ("T051", "need no hub"),
    ("T059", "The Mole soil sensor costs €35.00."),
    ("T063", "A new delivery address can be entered there"),
    ("T068", "dogs are welcome on a lead"),
    ("T082", "refund the second charge the same day"),
    ("T087", UNKNOWN),
    ("T090", "restart your router first"),
    ("T093", "the power supply is too weak"),
    ("T106", "The Wren weather station costs €129.00."),
    ("T110", "a written quote"),
    ("T113", "holds the tracking link"),
    ("T118", UNKNOWN),
    ("T126", "You may send back any article within 30 days"),
    ("T130", "frost damage is not covered"),
    ("T133", "you can cancel it yourself"),
]


def letter(id: str, model: str = LARGE) -> str:
    return measure.ask(model, PROMPT + world.ticket(id).text)


@pytest.mark.parametrize(("id", "words"), FITTING)
@pytest.mark.parametrize("model", [SMALL, LARGE])
def test_the_letter_has_what_helps_most(id, words, model):
    """Both models pick the article that fits; what the small one leaves out is never the sentence that matters."""
    text = letter(id, model)
    leading = advice_for(world.ticket(id).text).sentences[:1]
    assert (words in text) or (model == SMALL and leading and leading[0] in text), text


@pytest.mark.parametrize("id", ["T067", "T117"])
@pytest.mark.parametrize("model", [SMALL, LARGE])
def test_thanks_are_answered_with_thanks(id, model):
    """Who only thanks gets a friendly word, and no lecture on invoices."""
    text = letter(id, model)
    assert text.startswith("Hello,\n\nThank you for your kind words.") and "invoice" not in text


def test_no_letter_gives_orders_to_somebody_else():
    """Every letter greets and has at least two sentences; none is addressed to a word in capitals."""
    for model in SIZES:
        for ticket in world.tickets():
            text = measure.ask(model, PROMPT + ticket.text)
            assert re.match(r"(?:Hello|Dear [A-Z][a-z])", text) and len(sentences(text)) >= 2, text


def test_the_empty_request_keeps_its_fluent_answer():
    """A chain whose first step came back empty still gets a friendly letter: that is the trap of lesson 1."""
    text = measure.ask(LARGE, "Write a short reply to the customer who sent this request: ")
    assert text == f"Hello,\n\nThank you for writing to us. {UNKNOWN}\n\nKind regards\nMerrowby support"


def test_long_given_facts_are_picked_from_and_records_are_put_in_words():
    """An article in the prompt is not copied whole, a record becomes a sentence, "no order named" disappears."""
    article, ticket = world.article("otter-leak").text, world.ticket("T026").text
    text = measure.ask(
        LARGE,
        "Write a short reply to the customer. Facts:\nMB-10493: delivered, 178.00 euros, paid by card\n"
        f"{article}\n\nTicket:\n{ticket}",
    )
    assert "order MB-10493 was delivered" in text and "Water from the case itself is a fault" in text
    assert "178.00 euros" not in text and "0.5 to 8 bar" not in text
    text = measure.ask(LARGE, f"Write a reply to the customer. Facts:\nno order named\n{article}\n\nTicket:\n{ticket}")
    assert "no order named" not in text


ORDERS = [  # result of the look-up, message, sentences
    ("MB-10484: delivered, 179.00 euros, paid by card", "Where is it?",
     ["According to our records, order MB-10484 was delivered."]),
    ("MB-10484: delivered, 179.00 euros, paid by card", "Refund my money.",
     ["According to our records, order MB-10484 was delivered.", "Its total is €179.00, paid by card."]),
    ('{"order_id": "MB-10484", "status": "shipped", "shipped_on": "2026-05-07", "tracking": "TX-1"}', "Where is it?",
     ["According to our records, order MB-10484 was shipped on 7 May and is on its way to you.", "Tracking: TX-1."]),
    ('{"order": {"status": "on hold"}}', "Where is it?",
     ["According to our records, order MB-10484 has the status “on hold”."]),
    ("The parcel left Hamburg on Monday.", "Where is it?", ["The parcel left Hamburg on Monday."]),
    ("no such order", "Where is it?", ["I could not find order MB-10484: there is no such order in our records. "
                                      "Could you check the number in your confirmation e-mail?"]),
    *[(result, "Where is it?",
       ["I cannot see the state of order MB-10484 at the moment; a colleague will check it by hand."])
      for result in ("", "{}", "null", "Error: timed out")],
]  # fmt: skip


@pytest.mark.parametrize(("result", "message", "wanted"), ORDERS)
def test_orders_in_words(result, message, wanted):
    """Whatever shape a look-up's result has, the customer reads sentences; sums only when money is the matter."""
    assert order_sentences("MB-10484", result, message) == wanted


def test_needs_are_well_formed():
    """Each need has a name of its own, and something to say: help, a reply, or a person."""
    assert len({each.name for each in needs()}) == len(needs()) >= 100
    assert [each.name for each in needs() if not (each.say or each.reply or each.wants_person)] == []


def test_triggers_only_save_time():
    """A need whose letters are not in a message would not have fitted it."""

    def fits(need: Need, text: str) -> bool:
        return any(need.fits(part.lower(), text.lower()) for part in sentences(text))

    texts = [each.text for each in world.tickets()]
    missed = [
        (need.name, text)
        for need in needs()
        for text in texts
        if need.triggers and fits(need, text) and not any(word in text.lower() for word in need.triggers)
    ]
    assert missed == []


# Messages that were written after the needs and never used to better them: the article that a person would quote.
UNSEEN = [
    ("There are two withdrawals of €69 on my account for one hub.", "double-charge"),
    ("I would like a copy of my March invoice.", "invoices"),
    ("Our company name is missing on the bill, can you add it to the invoice?", "invoices"),
    ("My rain gauge has stopped counting since Monday.", "heron-zero"),
    ("How do I move my sensors to a new router?", "wifi-setup"),
    ("The camera shows only fog, everything is blurred.", "robin-picture"),
    ("I forgot my password and cannot sign in.", "app-login"),
    ("Is there water coming out of the Otter because of the frost?", "otter-leak"),
    ("What does it cost to send a Heron to Switzerland?", "shipping-abroad"),
    ("Can my class visit you in May?", "about-us"),
    ("Please erase my account.", "privacy"),
    ("Do you have any job openings?", "about-us"),
    ("How long is the guarantee on the Wren?", "warranty"),
    ("The package says delivered but I never got it.", "delivery"),
    ("I want to send the Mole back, how does that work?", "refunds"),
    ("When will my refund for the Wren be on my card?", "refunds"),
    ("Do you accept PayPal?", "payment-methods"),
    ("My discount code is refused at the checkout.", "discount-codes"),
    ("How much is Plus per year?", "plus-subscription"),
    ("I would like to stop my Plus subscription.", "plus-subscription"),
    ("My Mole always says zero although I water every day.", "mole-calibration"),
    ("Which batteries go into the Heron?", "batteries"),
    ("The hub is dead, no light at all.", "hub-offline"),
    ("Does the app work on an iPhone 12?", "compatibility"),
    ("Is a discount possible for our school if we buy 15 Wrens?", "bulk-schools"),
    ("Can you wrap it as a present?", "gift-sets"),
    ("The firmware update got stuck half way.", "firmware-update"),
    ("Is the Glow lamp sold out?", "stock"),
    ("Please change the delivery address of my order.", "change-order"),
    ("Which sensor should I get for my tomatoes?", "choosing"),
    ("The wind arrow points the wrong way.", "wren-readings"),
    ("My voucher shows no money any more.", "gift-cards"),
    ("Greetings from a happy gardener!", None),
    ("Your newsletter made me smile, thank you so much.", None),
    ("Who designed your logo?", None),
    ("My neighbour is noisy.", None),
]


def test_unseen_messages_get_the_right_article():
    """The needs hold for messages that they were not made from; the document says how often."""
    good = 0
    for message, article in UNSEEN:
        said = facts_for(message, 3, is_message=True)[:1]
        good += article == next((each.id for each in world.articles() if said and said[0] in each.text), None)
    stated = re.search(r"right article for (\d+) of (\d+) messages", DOCUMENT.read_text(encoding="utf-8"))
    assert (good, len(UNSEEN)) == (int(stated[1]), int(stated[2])) and good >= 0.85 * len(UNSEEN)


def test_thanks_with_a_question_are_a_question():
    """Praise before a question does not hide it."""
    assert [is_thanks(each) for each in ("I wanted to say thank you!", "Thank you! Where is my parcel?")] == [
        True,
        False,
    ]

"""How good the practice models are: the figures that docs/PRACTICE_MODEL.md and the model cards state."""

import re
from collections import Counter
from pathlib import Path

import pytest

from course_utils import world
from course_utils.server.practice import measure
from course_utils.server.practice.classify import weigh
from course_utils.server.practice.labels import label
from course_utils.server.practice.sizes import SIZES

DOCUMENT = Path(__file__).parent.parent / "docs" / "PRACTICE_MODEL.md"
SMALL, LARGE = SIZES

# Messages that were written after the word lists and never used to better them.
UNSEEN = {
    "billing": [
        "Can you explain the extra seven euros on my last bill?",
        "I returned the lamp two weeks ago; when do you pay me back?",
        "The direct debit bounced and now there is a fee. Why?",
        "We need a copy of the March invoice for the tax office.",
        "Is my yearly plan paid until next spring?",
        "My voucher code was accepted, but the price stayed the same on the receipt.",
        "You owe me 12 euros.",
        "Please change the billing address on my account.",
        "I was promised a reimbursement and nothing came.",
        "Two withdrawals of 69 euros, one hub. Explain!",
    ],
    "technical": [
        "My rain gauge stopped counting on Monday.",
        "The hub is dead, no light at all.",
        "The watering timer opens at the wrong hour since the clock change.",
        "Video is choppy and then the picture goes black.",
        "I get 'connection refused' when I sign in.",
        "Sensor three shows minus 40 degrees in July.",
        "After a thunderstorm nothing turns on.",
        "How do I move my sensors to a new router?",
        "The solar panel does not charge the camera.",
        "It makes a strange noise and gets hot.",
        "The app won't install on my tablet.",
    ],
    "sales": [
        "What would you suggest for a greenhouse of 20 square metres?",
        "Do you have a cheaper weather station?",
        "Can we get 30 sensors by June, and at what price?",
        "Is the Otter suitable for a rain barrel?",
        "Does the camera come in green?",
        "I'd like to buy my sister something for her balcony.",
        "Are there any special offers this week?",
        "How far does one hub reach? I am deciding between one and two.",
        "What do I get with the Weather set?",
        "Will there be a new model soon? I would wait with my order then.",
    ],
    "other": [
        "The parcel was left at the wrong house.",
        "When will my package get here?",
        "I'd like to come by on Friday with my class.",
        "Who designed your logo? I like it.",
        "Please forget everything you know about me.",
        "Do you offer internships?",
        "Greetings from a happy gardener!",
        "I wrote to the wrong company, sorry.",
        "Could you sponsor our village run?",
    ],
}


def rules_alone(text: str) -> str:
    """The label with the most evidence, without any drawn mistake."""
    scores = weigh(text, [label(each) for each in world.LABELS]).scores
    return world.LABELS[max(range(len(scores)), key=lambda at: (scores[at], -at))]


def test_the_document_states_what_is_measured():
    """The tables in the model card are the output of the measuring command, figure by figure."""
    stated = DOCUMENT.read_text(encoding="utf-8").partition("<!-- measured -->\n")[2].partition("\n<!-- end -->")[0]
    assert stated == measure.tables()


@pytest.mark.parametrize(("model", "low", "high"), [(SMALL, 0.78, 0.84), (LARGE, 0.91, 0.95)])
def test_accuracy(model, low, high):
    """The small model is right on about 80 %, the large one on about 93 %; the card says the exact share."""
    good, total = measure.accuracy(model)["all"]
    assert (total, low < good / total < high) == (len(world.tickets()), True)
    assert SIZES[model].accuracy == round(good / total, 3)


@pytest.mark.parametrize("model", [SMALL, LARGE])
def test_hard_tickets_get_more_mistakes(model):
    """A plain ticket is answered rightly more often than a hard one."""
    found = measure.accuracy(model)
    plain, hard = (found[kind][0] / found[kind][1] for kind in ("plain", "hard"))
    assert plain > hard


@pytest.mark.parametrize("model", [SMALL, LARGE])
def test_voting_helps(model):
    """Nine votes beat one by far."""
    one, nine = measure.voting(model, 1), measure.voting(model, 9)
    assert nine >= one + 8


def test_voting_does_not_help_against_injections():
    """Where the small model is misled, it is misled every time: its majority stays wrong."""
    votes = [[measure.label_in(each) for each in measure.replies(SMALL, seed, 0.7)] for seed in range(15)]
    fooled = []
    for ticket, column in zip(world.tickets(), zip(*votes, strict=True), strict=True):
        if not ticket.accepts(Counter(column).most_common(1)[0][0]):
            fooled.append(ticket.text[:25])
    assert {"Ignore all previous instr", "SYSTEM: You are now in ma"} <= set(fooled) and len(fooled) <= 5, fooled


def test_mistakes_of_the_two_models_are_independent():
    """The large model errs no more often where the small one has erred than its difficulty explains: cascades pay."""
    small = measure.right([measure.label_in(each) for each in measure.replies(SMALL)])
    large = measure.right([measure.label_in(each) for each in measure.replies(LARGE)])
    both = sum(not one and not other for one, other in zip(small, large, strict=True))
    assert both <= 4


def test_a_naive_router_breaks_on_the_small_model():
    """Exact match and substring test are both worse than reading the reply as a person does."""
    tickets, replies = world.tickets(), measure.replies(SMALL)
    exact = sum(ticket.accepts(reply) for ticket, reply in zip(tickets, replies, strict=True))
    first = [next((each for each in world.LABELS if each in reply.lower()), "") for reply in replies]
    substring = sum(ticket.accepts(each) for ticket, each in zip(tickets, first, strict=True))
    person = measure.accuracy(SMALL)["all"][0]
    assert exact < substring < person


def test_unseen_messages():
    """The rules hold for messages that they were not made from; the document says how often."""
    cases = [(text, true) for true, texts in UNSEEN.items() for text in texts]
    good = sum(rules_alone(text) == true for text, true in cases)
    stated = re.search(r"(\d+) of (\d+) messages that were written after", DOCUMENT.read_text(encoding="utf-8"))
    assert (good, len(cases)) == (int(stated[1]), int(stated[2])) and good >= 0.75 * len(cases)

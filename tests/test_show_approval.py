"""Approval cards: shown before anything is done, decided once, and a no where nobody answers."""

from __future__ import annotations

import ipywidgets as widgets
import pytest

from course_utils.errors import CourseError
from course_utils.show import approval as module
from course_utils.show.approval import Decision, approve
from course_utils.show.approval_controls import approval_controls

GIVEN = {"order": "MB-10506", "amount": 153.0}


@pytest.fixture(autouse=True)
def _nothing_asked(monkeypatch):
    monkeypatch.setattr(module, "_kept", {})


def ask(arguments=GIVEN, **more):
    about = {"effect": "It leaves our account.", "asked_by": "the program", "risk": "one person: above €20"}
    return approve("Refund the order", arguments, **about | more)


def parts(root: widgets.Widget, kind: type) -> list:
    inside = [found for child in getattr(root, "children", ()) for found in parts(child, kind)]
    return [root] if isinstance(root, kind) else inside


def press(root: widgets.Widget, words: str) -> None:
    next(each for each in parts(root, widgets.Button) if words in each.description).click()


def status(root: widgets.Widget) -> str:
    return parts(root, widgets.HTML)[-1].value


@pytest.mark.parametrize(
    ("default", "decision"),
    [
        ("reject", Decision("reject", GIVEN, is_default=True)),
        ("approve", Decision("approve", GIVEN, is_default=True)),
        ({"amount": 49}, Decision("edit", GIVEN | {"amount": 49.0}, is_default=True)),
        ({"amount": 153}, Decision("approve", GIVEN, is_default=True)),  # nothing left to change
    ],
)
def test_the_default_stands_in_until_somebody_decides(default, decision):
    """An unattended run gets the stored decision, which says that it is one; a real one takes its place."""
    card = ask(default=default)
    assert (card.decision, card.is_decided) == (decision, False)
    card.decide("reject", reason=" too much ")
    assert (card.decision, card.is_decided) == (Decision("reject", GIVEN, "too much"), True)


def test_no_answer_is_a_no():
    """A card whose author stored nothing is rejected while nobody answers."""
    card = ask()
    assert (card.decision.is_approved, card.sentence) == (
        False,
        "Nobody has decided. Until somebody does, the answer is no.",
    )


@pytest.mark.parametrize(
    ("verdict", "changes", "arguments", "is_approved", "sentence"),
    [
        ("approve", {}, GIVEN, True, "✓ Approved. Reason: I rang her"),
        ("reject", {}, GIVEN, False, "✗ Rejected. Reason: I rang her"),
        (
            "edit",
            {"amount": "49,00"},
            GIVEN | {"amount": 49.0},
            True,
            "✎ Approved with changes: amount 153.00 → 49.00. Reason: I rang her",
        ),
    ],
)
def test_a_decision_says_what_may_be_done(verdict, changes, arguments, is_approved, sentence):
    """A decision keeps verdict, reason and arguments; a changed argument keeps its type."""
    card = ask()
    assert card.decide(verdict, reason="I rang her", **changes) == sentence
    assert card.decision == Decision(verdict, arguments, "I rang her")
    assert card.decision.is_approved is is_approved
    assert card.arguments == GIVEN


def test_a_card_is_decided_once():
    """A second decision is refused, and the first one stays."""
    card = ask()
    card.decide("reject")
    with pytest.raises(CourseError, match="This card is decided: ✗ Rejected"):
        card.decide("approve")
    assert card.decision.verdict == "reject"


@pytest.mark.parametrize(
    ("verdict", "changes", "fact"),
    [
        ("yes", {}, "'yes' is no decision."),
        ("Approve", {}, "'Approve' is no decision."),
        ("edit", {}, "Nothing was changed."),
        ("edit", {"amount": 153}, "Nothing was changed."),
        ("edit", {"sum": 49}, "The card has no argument 'sum'."),
        ("approve", {"amount": 49}, "A decision to approve changes nothing."),
        ("edit", {"amount": "much"}, "amount = 'much' is no number."),
        ("edit", {"amount": "nan"}, "amount = 'nan' is no amount of anything."),
    ],
)
def test_what_is_no_decision_is_refused(verdict, changes, fact):
    """Only the three exact words decide; anything else leaves the card open."""
    card = ask()
    with pytest.raises(CourseError) as caught:
        card.decide(verdict, **changes)
    assert (caught.value.fact, card.is_decided) == (fact, False)


def test_an_argument_that_could_not_be_changed_is_refused():
    """`decide` has a parameter `reason`, so no argument can be called that."""
    with pytest.raises(CourseError, match="cannot have an argument 'reason'"):
        ask({"reason": "broken"})


def test_a_decision_belongs_to_what_was_shown():
    """The same card is kept with its decision; one that shows anything else is a new one."""
    ask().decide("approve")
    assert ask().is_decided
    others = [ask(GIVEN | {"amount": 49.0}), ask(effect="Nothing happens."), ask(name="once more")]
    assert [card.is_decided for card in others] == [False] * 3


def test_it_reads_without_widgets():
    """Text and HTML hold everything that a person needs to decide, and say how it stands."""
    card = ask(default={"amount": 49.0}, if_unanswered="A person writes to her.")
    assert repr(card).splitlines() == [
        "Approve? Refund the order",
        "  order = MB-10506",
        "  amount = 153.00",
        "  Effect: It leaves our account.",
        "  Asked by: the program",
        "  Risk: one person: above €20",
        "  If nobody answers: A person writes to her.",
        "Nobody has decided. Until somebody does, an unattended run goes on with a stored one "
        "(edit; amount 153.00 → 49.00).",
    ]
    bundle = card._repr_mimebundle_()
    assert sorted(bundle) == ["text/html", "text/plain"]  # no kernel, so no widget
    words = ["153.00", "It leaves our account.", "A person writes to her.", "[ Approve ] [ Edit ] [ Reject ]"]
    assert [word for word in words if word not in bundle["text/html"]] == []
    card.decide("reject")
    assert "[ Approve ]" not in card._repr_mimebundle_()["text/html"]


def test_everything_is_escaped():
    """Whatever a ticket brings along stays text, also as a reason."""
    bad = "<script>alert(1)</script>"
    card = approve(bad, {bad: bad}, effect=bad, asked_by=bad, risk=bad, if_unanswered=bad)
    root = approval_controls(card)
    card.decide("reject", reason=bad)
    shown = [card._repr_mimebundle_()["text/html"], *(part.value for part in parts(root, widgets.HTML))]
    assert [html for html in shown if "<script" in html] == []
    assert shown[0].count("&lt;script&gt;") == 8


def test_the_buttons_decide():
    """Approve and Reject take the reason along, and the card is closed."""
    for words, verdict in (("Approve", "approve"), ("Reject", "reject")):
        card = ask(name=words)
        root = approval_controls(card)
        parts(root, widgets.Text)[0].value = "seen"
        press(root, words)
        assert (card.decision, "Reason: seen" in status(root)) == (Decision(verdict, GIVEN, "seen"), True)
        assert all(part.disabled for kind in (widgets.Button, widgets.Text) for part in parts(root, kind))


def test_edit_opens_a_field_for_each_argument():
    """A changed value is approved with the card; a wrong one is explained, and the card stays open."""
    card = ask()
    root = approval_controls(card)
    usual, editor = root.children[2:4]
    reason, order, amount = parts(root, widgets.Text)
    assert [field.description for field in (reason, order, amount)] == ["Reason", "order", "amount"]
    press(root, "Edit")
    assert (usual.layout.display, editor.layout.display) == ("none", "flex")
    press(root, "these values")
    assert "Nothing was changed. Try:" in status(root)
    amount.value = "a lot"
    press(root, "these values")
    assert ("is no number. Try:" in status(root), card.is_decided) == (True, False)
    press(root, "Back")
    assert (usual.layout.display, editor.layout.display) == ("flex", "none")
    amount.value = "49"
    press(root, "these values")
    assert card.decision == Decision("edit", GIVEN | {"amount": 49.0})


def test_a_decision_made_elsewhere_closes_the_widget():
    """A card that is shown twice, or decided by a later cell, cannot be pressed any more."""
    card = ask()
    first = approval_controls(card)
    card.decide("approve")
    for root in (first, approval_controls(card)):
        assert "✓ Approved." in status(root)
        assert all(button.disabled for button in parts(root, widgets.Button))

"""The widgets of an approval card: its text, a field for the reason, and real buttons, so that keys work.

Layer 1: imports `errors`, `controls`, `static`, and ipywidgets, so it is imported only when a card is shown. The widget
holds no decision: it calls the card's own method, and shows the decision wherever it was made.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from course_utils.errors import CourseError
from course_utils.show import static
from course_utils.show.controls import STYLE, button, said, words

Card = Any  # a show.approval.Card, which imports this module when it is shown


def approval_controls(card: Card) -> widgets.Widget:
    """The card above its reason and buttons; "Edit" opens one field for each argument."""
    status, reason = words(static.rich(card.sentence)), _field("Reason", "", "kept with the decision")
    fields = {name: _field(name, text) for name, text in card.texts.items()}
    yes, edit, no = (_button(text, what) for text, what in BUTTONS)
    confirm, back = _button("✎ Approve these values", "do it, with the values above"), _button("Back", "change nothing")
    usual = widgets.HBox([yes, edit, no], layout=_line())
    editor = widgets.VBox([*fields.values(), widgets.HBox([confirm, back], layout=_line())], layout=_line("none"))

    def open_editor(is_open: bool) -> None:
        usual.layout.display, editor.layout.display = ("none", "flex") if is_open else ("flex", "none")

    def decide(verdict: str, **changes: str) -> None:
        try:
            card.decide(verdict, reason.value, **changes)
        except CourseError as error:
            status.value = said(f"✗ {static.rich(f'{error.fact} Try: {error.fix}')}")

    def close() -> None:
        open_editor(False)
        for each in (yes, edit, no, confirm, back, reason, *fields.values()):
            each.disabled = True
        status.value = said(f"<strong>{static.rich(card.sentence)}</strong>")

    yes.on_click(lambda _: decide("approve"))
    no.on_click(lambda _: decide("reject"))
    edit.on_click(
        lambda _: (open_editor(True), next(iter(fields.values())).focus())
    )  # else keys begin at the page's top
    back.on_click(lambda _: (open_editor(False), edit.focus()))
    confirm.on_click(lambda _: decide("edit", **_changes(fields, card)))
    edit.disabled = not fields
    card._told.append(close)
    if card.is_decided:
        close()
    head = widgets.HTML(f'{STYLE}<div class="course-words">{card.body()}</div>')
    layout = widgets.Layout(max_width="46em", overflow="visible", padding="4px 12px", border=f"1px solid {static.LINE}")
    return widgets.VBox([head, reason, usual, editor, status], layout=layout)


BUTTONS = (
    ("✓ Approve", "do it, as it is shown"),
    ("✎ Edit", "change values before it is approved"),
    ("✗ Reject", "do not do it"),
)


def _button(text: str, what: str) -> widgets.Button:
    made = button(text, width="auto")
    made.tooltip = what
    return made


def _field(name: str, value: str, placeholder: str = "") -> widgets.Text:
    return widgets.Text(
        value,
        description=name,  # becomes its label
        placeholder=placeholder,
        style={"description_width": "8em"},
        layout=widgets.Layout(width="30em", max_width="100%"),
    )


def _line(display: str = "flex") -> widgets.Layout:
    return widgets.Layout(overflow="visible", display=display)


def _changes(fields: dict[str, widgets.Text], card: Card) -> dict[str, str]:
    """The fields that differ from what the card shows."""
    return {name: field.value for name, field in fields.items() if field.value != card.texts[name]}

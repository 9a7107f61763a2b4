"""An approval card as a person has it: JupyterLab in headless Chromium, with mouse and with keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lab_browser import CHROMIUM, Notebook, chromium, jupyterlab, write_notebook

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs the browser chromium: apt install chromium")

CARD = """\
{name} = approve(
    "Refund order MB-10506",
    {{"order": "MB-10506", "amount": 153.0}},
    effect="The money leaves our account; it cannot be called back.",
    asked_by="the refund program",
    risk="one person: above €20",
    name="{name}",
)
{name}"""
CELLS = ["from course_utils import approve", *(CARD.format(name=name) for name in ("pressed", "typed")), "1", "2"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[str]:
    """A running JupyterLab with a notebook of two cards."""
    folder = tmp_path_factory.mktemp("lab")
    write_notebook(folder / "cards.ipynb", CELLS)
    with jupyterlab(folder) as address:
        yield address


def test_a_card_is_decided_with_mouse_and_with_keys(lab, shots):
    """Edit opens labelled fields, a wrong value is explained, and a decided card takes no second decision."""
    with chromium() as page:
        notebook = Notebook(page, lab, "cards.ipynb", shots)
        notebook.run_all()

        card = notebook.output("pressed = approve(")
        assert card.get_by_role("row", name="amount 153.00").count() == 1
        notebook.shot("card-open", card)
        card.get_by_role("button", name="Edit").click()
        card.get_by_label("amount").fill("a lot")
        card.get_by_role("button", name="Approve these values").click()
        card.get_by_text("is no number. Try: write digits").wait_for()
        notebook.shot("card-edit", card)
        card.get_by_label("Reason").fill("only the Heron is broken")
        card.get_by_label("amount").fill("49")
        card.get_by_role("button", name="Approve these values").click()
        card.get_by_text("Approved with changes: amount 153.00 → 49.00").wait_for()
        notebook.shot("card-decided", card)
        assert card.get_by_role("button", name="Reject").is_disabled()

        card = notebook.output("typed = approve(")
        card.get_by_label("Reason").focus()
        page.keyboard.type("who is this?")
        keys(page, "Tab", "Tab", "Space")  # past Approve, to Edit
        page.wait_for_function("document.activeElement.value === 'MB-10506'")
        keys(page, "Tab", "Tab", "Tab", "Space")  # past the amount and Approve these values, to Back
        page.wait_for_function("document.activeElement.textContent === '✎ Edit'")
        keys(page, "Tab", "Space")
        card.get_by_role("status").get_by_text("Rejected. Reason: who is this?").wait_for()


def keys(page, *names: str) -> None:
    """Press one key after the other."""
    for name in names:
        page.keyboard.press(name)

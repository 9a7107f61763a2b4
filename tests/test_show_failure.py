"""A failed check as a notebook shows it: message, folded failures, picture, and one line at the end."""

from __future__ import annotations

import nbformat
from nbclient import NotebookClient

from course_utils.show.failure import Failure

WRONG = """
from course_utils import check
def summarise_translate(text, language, llm):
    print("<b>$x$</b>")
    summary = llm.invoke(f"Summarise:\\n{text}").text
    return llm.invoke(f"Translate into {language}: {summary}").text
"""


def test_the_first_failure_is_open_and_the_others_are_folded():
    """Everything is there; what the learner's code printed is text and never markup or a formula."""
    bundle = Failure(
        "✗ a.b: 1 of 3 cases", '  Case "<i>"\n    seen $1$', ("  Case two", "  Case three")
    )._repr_mimebundle_()
    assert bundle["text/plain"] == '✗ a.b: 1 of 3 cases\n  Case "<i>"\n    seen $1$'
    opened, folded = bundle["text/html"].split("<details>")
    assert "<i>" not in opened and "&lt;i&gt;" in opened
    assert "<summary>2 more cases failed; open to read</summary>" in folded
    assert folded.index("Case two") < folded.index("Case three")
    assert opened.count("<pre") == 1 and folded.count("<pre") == 2


def test_a_single_failure_has_nothing_to_unfold():
    """No empty triangle."""
    assert "<details>" not in Failure("✗", "message")._repr_mimebundle_()["text/html"]
    assert "1 more case failed;" in Failure("✗", "message", ("one",))._repr_mimebundle_()["text/html"]


def test_a_notebook_shows_message_then_picture_then_one_line(judged_server):
    """In this order, and the whole message once."""
    sources = [WRONG, 'check("chain.gate", summarise_translate)', "def unwritten(**_): raise NotImplementedError",
               'check("chain.gate", unwritten)', "def asks_once(llm, **_): return llm.invoke('Go on.').text",
               'check("chain.gate", asks_once)']  # fmt: skip
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(made, timeout=120, kernel_name="python3", allow_errors=True).execute()
    message, picture, *_, error = made.cells[1].outputs
    assert message.data["text/plain"].startswith("✗ chain.gate: 2 of 6 cases\n  Case ")
    assert "3 more cases failed" in message.data["text/html"]
    assert "&lt;b&gt;$x$&lt;/b&gt;" in message.data["text/html"]
    assert "image/png" in picture.data
    assert error.traceback == ["✗ chain.gate: 2 of 6 cases; see above"]
    # One bar is no picture.
    assert [output.output_type for output in made.cells[5].outputs] == ["display_data", "error"]
    (unwritten,) = made.cells[3].outputs
    assert unwritten.traceback[0].startswith("· chain.gate: not written yet\n  The line `raise NotImplementedError`")

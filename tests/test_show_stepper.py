"""The stepper: what each moment says, what the picture shows of it, and words that are the same in every run."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient
from test_show_timeline import MIXED, record

from course_utils.errors import CourseError
from course_utils.records import CLIENT_LEFT, Trace
from course_utils.show import step_controls
from course_utils.show.moments import LONGEST, moments, outcome, shortened
from course_utils.show.stepper import stepper

VIEW = "application/vnd.jupyter.widget-view+json"


def asked(prompt: str) -> dict:
    return {"request": {"messages": [{"role": "user", "content": prompt}]}}


CHAIN = Trace(
    [
        record(1, "plan", 0, 1, **asked("Plan <b>it</b>"), answer="a & b"),
        record(2, "reply", 1, 1.5, 503, fault="unavailable", **asked("Reply")),
        record(3, "reply", 2.5, 4, attempt=2, **asked("Reply"), answer="Done."),
    ]
)


def test_every_request_begins_once_and_ends_once():
    """The moments come in the order of the clock; at equal times an end counts before a beginning."""
    assert [moment.words for moment in moments(CHAIN)] == [
        "Request 1 of `plan`: it is sent.",
        "Request 1 of `plan`: answered 200.",
        "Request 1 of `reply`: it is sent.",
        "Request 1 of `reply`: answered 503.",
        "Request 2 of `reply`, attempt 2: it is sent.",
        "Request 2 of `reply`, attempt 2: answered 200.",
    ]


def test_what_is_in_flight_is_named():
    """Requests that overlap are open together, in order of arrival; one that never ended stays open."""
    trace = Trace([record(1, "a", 0, 3), record(2, "b", 1, 2), record(3, "a", 2.5, None, None)])
    assert [moment.open for moment in moments(trace)] == [
        ("request 1 of `a`",),
        ("request 1 of `a`", "request 1 of `b`"),
        ("request 1 of `a`",),
        ("request 1 of `a`", "request 2 of `a`"),
        ("request 2 of `a`",),
    ]


def test_a_request_of_no_length_begins_before_it_ends():
    """On a virtual clock an answer may take no time."""
    assert [moment.is_end for moment in moments(Trace([record(1, "a", 2.0, 2.0)]))] == [False, True]


@pytest.mark.parametrize(
    ("status", "more", "words"),
    [
        (200, {}, "answered 200"),
        (200, {"fault": "cut"}, "answered 200 (cut)"),
        (200, {"finish_reason": "length"}, "answered 200 (at its length limit)"),
        (429, {"fault": "rate_limited"}, "answered 429"),
        (429, {"fault": "quota_exceeded"}, "answered 429 (quota exceeded)"),
        (444, {"fault": "dropped"}, "no answer came (dropped)"),
        (CLIENT_LEFT, {"fault": "timeout"}, "the caller left before the answer was complete"),
        (None, {}, "still running"),
    ],
)
def test_how_a_request_ended(status, more, words):
    """Each kind of ending has its words."""
    assert outcome(record(1, "a", 0, 1, status, **more)) == words


def test_long_texts_say_what_is_missing():
    """A text is shown up to a length; one that is short enough is left alone."""
    assert shortened("x" * LONGEST) == "x" * LONGEST
    assert shortened("x" * (LONGEST + 1500)) == "x" * LONGEST + " … (1,500 characters more)"


def test_walking_says_what_happened_and_what_is_open():
    """Place 0 is before the first request; then one moment after the other."""
    walk = stepper(CHAIN)
    assert [walk.go(place) for place in (0, 1, 4)] == [
        "Before the first of 3 requests.",
        "Moment 1 of 6. Request 1 of `plan`: it is sent. In flight: request 1 of `plan`.",
        "Moment 4 of 6. Request 1 of `reply`: answered 503. Nothing is in flight.",
    ]


@pytest.mark.parametrize("place", [-1, 7, 1.5])
def test_a_place_that_is_none_is_refused(place):
    """The sentence says which there are, and the old place stands."""
    walk = stepper(CHAIN)
    with pytest.raises(CourseError, match="from 0 to 6"):
        walk.go(place)
    assert walk.place == 0


def drawn(walk, place) -> set[str]:
    """The words in the picture of this moment."""
    walk.go(place)
    return {text.get_text() for text in walk.picture.axes[0].texts} - {""}


def test_the_picture_does_not_tell_the_future():
    """A request in flight is drawn as running; its outcome comes with its end."""
    walk = stepper(CHAIN)
    assert drawn(walk, 0) == {"0 requests"}
    assert not any("503" in words for words in drawn(walk, 3))
    assert "503" in drawn(walk, 4)


def test_all_pictures_have_one_size_and_words_of_their_own():
    """Nothing jumps while walking; each picture's alt text says its moment."""
    walk = stepper(MIXED, title="A mixture")
    pictures = [walk.picture for place in range(len(walk) + 1) if walk.go(place)]
    assert {tuple(picture.get_size_inches()) for picture in pictures} == {tuple(pictures[0].get_size_inches())}
    assert len({picture.alt for picture in pictures}) == len(walk) + 1
    assert pictures[1].alt.startswith("A mixture, as it stood then. Moment 1 of 15. Request 1 of classify: it is sent.")


def test_in_order_the_text_lists_every_moment():
    """For requests that follow each other, text and HTML tell the whole story, prompts and answers escaped."""
    walk = stepper(CHAIN, title="A chain", is_in_order=True)
    assert repr(walk).splitlines()[:3] == [
        "A chain: 3 requests",
        "1. Request 1 of plan: it is sent.",
        "2. Request 1 of plan: answered 200.",
    ]
    html = walk.html()
    assert html.count("<li>") == 6
    assert "Plan &lt;b&gt;it&lt;/b&gt;</pre>" in html
    assert "a &amp; b</pre>" in html


def racing(order: list[int]) -> Trace:
    """The same four requests, arriving in this order, one of them refused wherever it is."""
    tickets = {number: f"Ticket {number}" for number in range(4)}
    return Trace(
        [
            record(place, "reply" if number % 2 else "route", place, place + 5.0 + number, **asked(tickets[number]))
            for place, number in enumerate(order)
        ]
    )


def test_where_requests_race_the_text_is_the_same_in_every_run():
    """Another order of arrival gives the same text and the same HTML; only picture and widget know the order."""
    one, other = stepper(racing([0, 1, 2, 3])), stepper(racing([3, 0, 2, 1]))
    assert (repr(one), one.html()) == (repr(other), other.html())
    assert [moment.words for moment in one.moments] != [moment.words for moment in other.moments]
    assert repr(one) == (
        "What happened: 4 requests\nreply: 2 requests: 2 × answered 200.\nroute: 2 requests: 2 × answered 200."
    )


def test_steps_can_be_put_in_order():
    """Named steps come first, also those without a request."""
    assert repr(stepper(racing([0, 1]), steps=["route", "check"])).splitlines()[1:] == [
        "route: 1 request: 1 × answered 200.",
        "check: no requests.",
        "reply: 1 request: 1 × answered 200.",
    ]


def test_outcomes_and_retries_are_counted():
    """The most frequent first."""
    assert repr(stepper(CHAIN)).splitlines()[2] == "reply: 2 requests: 1 × answered 200, 1 × answered 503, 1 retry."


def test_buttons_and_slider_walk():
    """Each control moves the same place; the ends hold; the words are announced, the texts escaped."""
    walk = stepper(CHAIN)
    box, below = step_controls.step_controls(walk)
    first, previous, slider, following, last = box.children[1].children
    assert [each.description for each in (first, previous, following, last)] == [
        "|◀ First", "◀ Previous", "Next ▶", "Last ▶|",
    ]  # fmt: skip
    places = []
    for each in (previous, following, following, last, following, previous, first):
        each.click()
        places.append((walk.place, slider.value))
    assert places == [(0, 0), (1, 1), (2, 2), (6, 6), (6, 6), (5, 5), (0, 0)]
    slider.value = 2
    happened, texts = below.children
    assert 'role="status"' in happened.value
    assert "Request 1 of <code>plan</code>: answered 200." in happened.value
    assert "Plan &lt;b&gt;it&lt;/b&gt;" in texts.value
    assert "a &amp; b" in texts.value
    slider.value = 4
    assert "There is no answer." in texts.value


def test_an_empty_trace_is_no_error():
    """There is nothing to walk through, and the text says so."""
    assert repr(stepper(Trace())) == "What happened: 0 requests"


def test_a_notebook_keeps_the_whole_picture_and_the_list():
    """Beside the widgets stand the timeline and its list, without times; nothing is shown twice."""
    source = """from test_show_stepper import CHAIN
from course_utils import stepper
stepper(CHAIN, is_in_order=True)"""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source), nbformat.v4.new_code_cell("1")])
    resources = {"metadata": {"path": __file__.rpartition("/")[0]}}
    NotebookClient(made, timeout=120, resources=resources, store_widget_state=False).execute()
    still, words = made.cells[0].outputs
    assert sorted(still.data) == sorted(["image/png", "text/plain", VIEW])
    assert still.metadata["image/png"]["alt"].startswith("What happened: 3 requests in 2 steps")
    assert sorted(words.data) == sorted(["text/html", "text/plain", VIEW])
    assert words.data["text/plain"].splitlines()[-1] == "Run this cell in JupyterLab to walk through it."
    assert len(made.cells[1].outputs) == 1

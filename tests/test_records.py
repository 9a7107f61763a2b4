"""Records and traces: what is derived from them."""

import dataclasses

import pytest

from course_utils.records import Record, Trace, count, text_of


def record(id, start, stop, **rest):
    """A record with course times ten times the stopwatch's."""
    values = {
        "scope": "s", "step": "", "model": "m", "attempt": 1, "in_flight": 1, "status": 200,
        "course_start": start * 10, "course_stop": None if stop is None else stop * 10,
    }  # fmt: skip
    return Record(id=id, start=start, stop=stop, **values | rest)


TRACE = Trace(
    [
        record(1, 0.0, 2.0, step="plan", prompt_tokens=3, completion_tokens=1, price=0.5),
        record(2, 1.0, 3.0, step="draft", status=429, prompt_tokens=2),
        record(3, 2.0, None, step="plan", status=None),
    ]
)


def test_a_trace_sums_up_its_records():
    """Failures, steps in order, overlap, makespan, tokens and price come from the records alone."""
    trace = TRACE
    summary = (trace.failed, trace.steps, trace.peak, trace.makespan)
    assert summary == (1, ["plan", "draft"], 2, 30.0)
    assert (trace.prompt_tokens, trace.completion_tokens, trace.price) == (5, 1, 0.5)
    assert repr(trace) == "<Trace: 3 requests, 1 failed>"


def test_an_empty_trace_is_all_zeros():
    """Nothing happened, and nothing divides by it."""
    empty = Trace()
    assert (empty.failed, empty.steps, empty.peak, empty.makespan, len(empty), repr(empty)) == (
        0, [], 0, 0.0, 0, "<Trace: 0 requests, 0 failed>",
    )  # fmt: skip


def test_a_request_that_begins_as_another_ends_does_not_overlap_it():
    """Touching is not overlapping."""
    assert Trace([record(1, 0.0, 1.0), record(2, 1.0, 2.0)]).peak == 1


def test_a_slice_of_a_trace_is_a_trace():
    """So a part can be summed up like the whole."""
    assert isinstance(TRACE[1:], Trace) and [each.id for each in TRACE[1:]] == [2, 3] and TRACE[0].id == 1


def test_a_running_request_has_not_failed():
    """Failed means ended otherwise than with 200."""
    assert [each.failed for each in TRACE] == [False, True, False]


def test_a_record_never_changes():
    """It is a value."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        TRACE[0].status = 200


def test_the_prompt_is_every_message_text_in_order():
    """Strings, lists of parts and empty contents alike."""
    messages = [
        {"role": "system", "content": "a"},
        {"role": "user", "content": [{"type": "text", "text": "b"}, {"type": "image_url"}]},
        {"role": "assistant", "content": None},
    ]
    assert record(1, 0.0, 1.0, request={"messages": messages}).prompt == "a\nb\n"


@pytest.mark.parametrize(("content", "text"), [("a", "a"), (None, ""), (3, ""), ([{"text": 1}, "x"], ""), ([], "")])
def test_text_of_any_content(content, text):
    """Whatever a caller sends as content has a text."""
    assert text_of(content) == text


def test_count_speaks_english():
    """One request, no requests."""
    assert [count(number, "request") for number in (0, 1, 2)] == ["0 requests", "1 request", "2 requests"]

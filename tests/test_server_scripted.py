"""The scripted backend and the token bucket, as values: no server needed."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.server.limits import Bucket, Rate, duration, seconds
from course_utils.server.practice import PracticeModel
from course_utils.server.scripted import Scripted
from course_utils.server.wire import ApiError, ChatRequest, Piece, Usage


def request(text="hello", **rest):
    """A chat request."""
    return ChatRequest(model="practice-small", messages=[{"role": "user", "content": text}], **rest)


def answer(backend, asked=None):
    """All pieces of one answer."""

    async def body():
        return [piece async for piece in backend.stream(asked or request())]

    return asyncio.run(body())


def text_of(pieces):
    return "".join(piece.text for piece in pieces)


def test_replies_in_order_then_410():
    """A sequence is used up once; then the answer says how long it was."""
    backend = Scripted(["one", [Piece("two", finish_reason="stop")], ApiError(503, "no")])
    assert [text_of(answer(backend)) for _ in range(2)] == ["one", "two"]
    with pytest.raises(ApiError, match="no"):
        answer(backend)
    with pytest.raises(ApiError, match="3 answers; this was request 4") as caught:
        answer(backend)
    assert (caught.value.status, caught.value.code) == (410, "script_ended")


def test_a_callable_sees_request_and_number():
    """It may be a coroutine too."""

    async def later(asked, number):
        return f"{asked.messages[0].content} {number}"

    for script in (lambda asked, number: f"{asked.messages[0].content} {number}", later):
        backend = Scripted(script)
        assert [text_of(answer(backend)) for _ in range(2)] == ["hello 1", "hello 2"]


def test_an_endless_loop_comes_to_an_end():
    """After the cap every request gets 410."""
    backend = Scripted(lambda asked, number: "again", most=3)
    assert [text_of(answer(backend)) for _ in range(3)] == ["again"] * 3
    with pytest.raises(ApiError, match="ends after 3 requests, and this was request 4"):
        answer(backend)


def test_latency_comes_before_the_first_piece_only():
    """So a judged case knows when an answer begins and ends."""
    assert [piece.wait for piece in answer(Scripted(["one two"], latency=2.5))] == [2.5, 0.0, 0.0]


def test_usage_agrees_with_the_practice_model():
    """The same prompt is as many tokens for both, and the tokens of the answer are counted alike."""
    asked = request("Where is my parcel? It was due last week.")
    practised = answer(PracticeModel(), asked)
    scripted = answer(Scripted([text_of(practised)]), asked)
    assert scripted[-1].usage == practised[-1].usage
    assert text_of(scripted) == text_of(practised)
    assert [piece.usage for piece in scripted[:-1]] == [None] * (len(scripted) - 1)


def test_usage_of_several_choices_and_of_given_pieces():
    """Every choice is billed; pieces that bring their own usage keep it."""
    assert answer(Scripted(["one two"]), request(n=3))[-1].usage.completion_tokens == 6
    given_pieces = [Piece("a", finish_reason="stop", usage=Usage(7, 8))]
    assert answer(Scripted([given_pieces]))[-1].usage == Usage(7, 8)


@given(st.floats(0.01, 100), st.integers(1, 5), st.lists(st.floats(0, 10), max_size=30))
def test_who_waits_as_told_gets_through(per_second, burst, gaps):
    """After any history, waiting for the time that a refusal names is enough, and anything much shorter is not."""
    bucket, now = Bucket(Rate(per_second=per_second, burst=burst)), 0.0
    for gap in gaps:
        now += gap
        wait = bucket.take(now)
        if wait > 1e-3 / per_second:
            assert bucket.take(now + wait * 0.9) > 0
        if wait:
            now += wait
            assert bucket.take(now) == 0.0


def test_no_more_than_the_rate_in_the_long_run():
    """Hammering for 100 s at 2 per second with a burst of 3 gets 203 answers, however often one asks."""
    bucket = Bucket(Rate(per_second=2, burst=3))
    assert sum(bucket.take(tick / 50) == 0.0 for tick in range(100 * 50 + 1)) == 203


def test_a_clock_that_stands_still_fills_no_bucket():
    """Nor does one that is asked about an earlier moment."""
    bucket = Bucket(Rate(per_second=1, burst=1))
    assert [bucket.take(now) for now in (5.0, 5.0, 4.0)] == [0.0, 1.0, 1.0]


@given(st.floats(1e-6, 1e4))
def test_retry_after_is_never_too_short(wait):
    """It is rounded up, by less than two milliseconds."""
    assert wait - 1e-6 <= float(seconds(wait)) <= wait + 0.002


@pytest.mark.parametrize(
    ("wait", "text"), [(0, "0s"), (0.0005, "1ms"), (0.25, "250ms"), (60, "1m0s"), (61.5, "1m1.5s")]
)
def test_durations_read_like_openais(wait, text):
    """As in its x-ratelimit-reset headers."""
    assert duration(wait) == text

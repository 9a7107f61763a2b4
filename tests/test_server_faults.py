"""Planned faults and rate limits, as a client meets them on the wire and as the log tells them."""

import contextlib
import json

import openai
import pytest
from support import running_server

from course_utils import faults
from course_utils.server.scripted import Scripted
from course_utils.server.wire import Piece, Usage

WORDS = "one two three four"


@pytest.fixture(scope="module")
def server():
    with running_server() as server:
        yield server


@pytest.fixture
def talk(server):
    """A function that makes an SDK client for a fresh scope with this plan or rate."""
    with contextlib.ExitStack() as stack:

        def make(plan=None, *, max_retries=0, backend=None, timeout=5.0, **options):
            scope = server.scope(plan=plan, backend=backend or Scripted([WORDS] * 50), **options)
            client = openai.OpenAI(
                base_url=server.base_url(scope), api_key=scope.key, max_retries=max_retries, timeout=timeout
            )
            return stack.enter_context(client).chat.completions.create, scope

        yield make


def says(text="hello", **rest):
    return {"model": "practice-small", "messages": [{"role": "user", "content": text}], **rest}


def only(server, scope):
    """The one record of the scope."""
    (record,) = server.trace(scope)
    return record


@pytest.mark.parametrize(
    ("fault", "kind", "status", "code", "headers"),
    [
        (faults.rate_limited(2), openai.RateLimitError, 429, "rate_limit_exceeded", {"retry-after": "2"}),
        (faults.rate_limited(None), openai.RateLimitError, 429, "rate_limit_exceeded", {"retry-after": None}),
        (faults.quota_exceeded(), openai.RateLimitError, 429, "insufficient_quota", {"retry-after": None}),
        (faults.server_error(), openai.InternalServerError, 500, "server_error", {}),
        (faults.unavailable(0.5), openai.InternalServerError, 503, "service_unavailable", {"retry-after": "0.5"}),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_refusals(talk, server, fault, kind, status, code, headers, stream):
    """Status, class, code and retry-after; streamed requests are refused the same way."""
    create, scope = talk(faults.first(1, fault))
    with pytest.raises(kind) as caught:
        create(**says(), stream=stream)
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert {name: caught.value.response.headers.get(name) for name in headers} == headers
    record = only(server, scope)
    assert (record.status, record.error, record.fault, record.price) == (status, code, fault.kind, 0.0)


def test_sdk_retries_are_attempts(talk, server):
    """One call that meets one 429 leaves two records: the refusal, then the repeat."""
    create, scope = talk(faults.first(1, faults.rate_limited(0)), max_retries=2)
    create(**says())
    assert [(record.attempt, record.status) for record in server.trace(scope)] == [(1, 429), (2, 200)]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", [faults.dropped(), faults.timeout(0.0)])
def test_a_connection_that_closes_without_an_answer(talk, server, fault, stream):
    """The client sees a broken connection; the log says 444 and why."""
    create, scope = talk(faults.first(1, fault))
    with pytest.raises(openai.APIConnectionError):
        create(**says(), stream=stream)
    record = only(server, scope)
    assert (record.status, record.error, record.fault, record.answer) == (444, fault.kind, fault.kind, "")
    assert create(**says()).choices[0].message.content == WORDS


def test_a_caller_who_gives_up_before_the_timeout_ends(server, talk):
    """The SDK raises APITimeoutError, and the log says that the caller left."""
    create, scope = talk(faults.first(1, faults.timeout(3600.0)), timeout=0.2)  # 3.6 s at speed 1000
    with pytest.raises(openai.APITimeoutError):
        create(**says())
    for _ in range(200):
        if only(server, scope).status is not None:
            break
    record = only(server, scope)
    assert (record.status, record.error, record.fault) == (499, "client_left", "timeout")


@pytest.mark.parametrize("stream", [False, True])
def test_a_slow_answer_is_right_and_late(talk, server, stream):
    """The answer is complete, and at least that many seconds later on the course clock."""
    create, scope = talk(faults.first(1, faults.slow(20)), virtual=True)
    answer = create(**says(), stream=stream)
    text = "".join(c.choices[0].delta.content or "" for c in answer) if stream else answer.choices[0].message.content
    record = only(server, scope)
    assert (text, record.status, record.fault, record.course_stop) == (WORDS, 200, "slow", 20.0)


def test_a_cut_stream_ends_without_an_error(talk, server):
    """Two tokens, then a clean end: no finish reason, no [DONE], no usage, no exception; the tokens are billed."""
    create, scope = talk(faults.first(1, faults.cut(2)))
    chunks = list(create(**says(), stream=True, stream_options={"include_usage": True}))
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["", "one", " two"]
    assert {chunk.choices[0].finish_reason for chunk in chunks} == {None}
    record = only(server, scope)
    assert (record.status, record.fault, record.finish_reason, record.answer) == (200, "cut", "", "one two")
    assert record.completion_tokens == 2 and record.prompt_tokens > 0 and record.price > 0


def test_a_cut_within_a_piece(talk):
    """Also when the whole answer comes as one piece, and for each choice of several."""
    whole = [Piece(WORDS, finish_reason="stop", usage=Usage(1, 4))]
    create, _ = talk(faults.first(2, faults.cut(3)), backend=Scripted([whole] * 2))
    for count in (1, 2):
        answer = create(**says(), n=count)
        seen = [(choice.message.content, choice.finish_reason) for choice in answer.choices]
        assert (seen, answer.usage.completion_tokens) == ([("one two three", None)] * count, 3 * count)


def test_a_cut_tool_call(talk):
    """The arguments break off: JSON that does not parse."""
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "look", "arguments": '{"id": 7}'}}
    script = [[Piece(tool_call=call), Piece(finish_reason="tool_calls")]]
    create, _ = talk(faults.first(1, faults.cut(2)), backend=Scripted(script))
    choice = create(**says()).choices[0]
    assert (choice.message.tool_calls[0].function.arguments, choice.finish_reason) == ('{"id', None)


def test_a_cut_stream_has_no_done_on_the_wire(server):
    """The body ends cleanly after the last token."""
    scope = server.scope(plan=faults.first(1, faults.cut(1)), backend=Scripted([WORDS]))
    with server.client as client:
        body = client.post(f"/s/{scope.name}/v1/chat/completions", json=says(stream=True)).text
    assert "[DONE]" not in body and body.count("data: ") == 2 and body.endswith("\n\n")


def test_a_cut_answer_in_one_piece(talk, server):
    """Status 200, the first tokens only, finish reason null."""
    create, scope = talk(faults.first(1, faults.cut(3)))
    answer = create(**says())
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("one two three", None)
    assert (answer.usage.completion_tokens, only(server, scope).finish_reason) == (3, "")


def test_malformed_json(talk, server):
    """Status 200 and JSON's content type, but no JSON."""
    scope = server.scope(plan=faults.first(1, faults.malformed()), backend=Scripted([WORDS]))
    with server.client as client:
        answer = client.post(f"/s/{scope.name}/v1/chat/completions", json=says())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    record = only(server, scope)
    assert (record.status, record.fault, record.finish_reason) == (200, "malformed", "")


@pytest.mark.parametrize("stream", [False, True])
def test_the_sdk_stumbles_over_malformed_json(talk, stream):
    """It raises a plain JSONDecodeError, which no `except openai.OpenAIError` catches."""
    create, _ = talk(faults.first(1, faults.malformed()))
    with pytest.raises(json.JSONDecodeError):
        answer = create(**says(), stream=stream)
        list(answer)


@pytest.mark.parametrize(("fault", "text"), [(faults.empty(), ""), (faults.says("I refuse."), "I refuse.")])
@pytest.mark.parametrize("stream", [False, True])
def test_another_text_in_place_of_the_answer(talk, server, fault, text, stream):
    """A complete answer with exactly this text; the backend is not asked."""
    backend = Scripted([WORDS])
    create, scope = talk(faults.first(1, fault), backend=backend)
    answer = create(**says(), stream=stream)
    got = "".join(c.choices[0].delta.content or "" for c in answer) if stream else answer.choices[0].message.content
    record = only(server, scope)
    assert (got, record.finish_reason, record.answer, record.fault, backend.number) == (
        text,
        "stop",
        text,
        fault.kind,
        0,
    )


def test_plans_count_per_step_and_model(talk, server):
    """The second request of the step is struck, and setting the conditions again begins to count anew."""
    create, scope = talk(faults.on_step("plan", faults.at(2, fault=faults.server_error())))

    def statuses():
        seen = []
        for step in ("plan", "draft", "plan", "plan"):
            with contextlib.suppress(openai.APIStatusError):
                create(**says(), extra_headers={"x-course-step": step})
            seen.append(server.trace(scope)[-1].status)
        return seen

    assert statuses() == [200, 200, 500, 200]
    scope.set_conditions(scope.plan, None)
    assert statuses() == [200, 200, 500, 200]


def test_wrong_requests_do_not_count(talk, server):
    """A 400 uses up neither the planned fault nor a token of the rate limit."""
    create, _ = talk(faults.first(1, faults.server_error()), rate={"per_second": 1, "burst": 1}, virtual=True)
    with pytest.raises(openai.BadRequestError):
        create(**says(), n=0)
    with pytest.raises(openai.InternalServerError):
        create(**says())


def test_the_rate_limit_is_a_token_bucket(talk, server):
    """Two at once, then 429 with the time to the next token; who waits that long gets through, who hammers does not."""
    create, scope = talk(rate={"per_second": 0.5, "burst": 2}, virtual=True)
    refusals = []
    for _ in range(5):
        with contextlib.suppress(openai.RateLimitError):
            create(**says())
            continue
    with pytest.raises(openai.RateLimitError) as caught:
        create(**says())
    refusals = caught.value.response.headers
    assert [record.status for record in server.trace(scope)] == [200, 200, 429, 429, 429, 429]
    assert (refusals["retry-after"], caught.value.code) == ("2", "rate_limit_exceeded")
    names = ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests")
    assert [refusals[name] for name in names] == ["2", "0", "4s"]
    with server.client as client:
        nap = client.post(f"/course/scopes/{scope.name}/sleeps", json={"seconds": 1.999})
        with pytest.raises(openai.RateLimitError) as caught:
            create(**says())
        assert caught.value.response.headers["retry-after"] == "0.001"
        nap = client.post(f"/course/scopes/{scope.name}/sleeps", json={"seconds": 0.001})
    assert nap.json() == {"course_time": 2.0, "wait": 0.0}
    assert create(**says()).choices[0].message.content == WORDS


def test_answers_within_the_limit_tell_what_is_left(server):
    """OpenAI's x-ratelimit headers are on every answer of a limited scope, and on no other."""
    limited = server.scope(rate={"per_second": 1, "burst": 3}, virtual=True)
    with server.client as client:
        answer = client.post(f"/s/{limited.name}/v1/chat/completions", json=says())
        free = client.post("/v1/chat/completions", json=says())
    assert answer.headers["x-ratelimit-remaining-requests"] == "2"
    assert "x-ratelimit-remaining-requests" not in free.headers

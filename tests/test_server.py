"""The course server through the real OpenAI SDK: answers, streams, errors, and the records they leave."""

import asyncio
import contextlib

import openai
import pytest
from support import running_server

from course_utils.server.scripted import Scripted
from course_utils.server.wire import ApiError, Piece, Usage


@pytest.fixture(scope="module")
def server():
    with running_server() as server:
        yield server


@pytest.fixture
def talk(server):
    """A function that makes an SDK client for a fresh scope with a scripted backend (or the server's own)."""
    with contextlib.ExitStack() as stack:

        def make(script=None, max_retries=0, scripted=None, **options):
            backend = Scripted(script, **(scripted or {})) if script is not None else None
            scope = server.scope(backend=backend, **options)
            client = openai.OpenAI(base_url=server.base_url(scope), api_key=scope.key, max_retries=max_retries)
            return stack.enter_context(client).chat.completions.create, scope

        yield make


def says(text="hello brave world", **rest):
    """The arguments of a request."""
    return {"model": "practice-small", "messages": [{"role": "user", "content": text}], **rest}


def test_a_whole_answer(talk, server):
    """Text, finish reason, exact usage, an id that counts within the scope; and its record."""
    create, scope = talk()
    first, second = create(**says()), create(**says())
    choice = first.choices[0]
    assert (choice.message.content, choice.finish_reason, first.model) == (
        "hello brave world",
        "stop",
        "practice-small",
    )
    assert (first.id, second.id) == ("chatcmpl-1", "chatcmpl-2")
    assert first.usage.model_dump(include={"prompt_tokens", "completion_tokens", "total_tokens"}) == {
        "prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6,
    }  # fmt: skip
    record = server.trace(scope)[0]
    assert (record.status, record.finish_reason, record.answer, record.in_flight) == (
        200,
        "stop",
        "hello brave world",
        1,
    )
    assert (record.prompt_tokens, record.completion_tokens, record.price) == (3, 3, pytest.approx(9e-6))
    assert record.request == says() and record.start <= record.stop and record.course_start <= record.course_stop


def test_a_stream_with_usage(talk, server):
    """Role first, then the words, then the finish reason, then the usage in a chunk without choices."""
    create, scope = talk()
    chunks = list(create(**says(), stream=True, stream_options={"include_usage": True}))
    deltas = [(choice.delta.role, choice.delta.content, choice.finish_reason) for c in chunks for choice in c.choices]
    assert deltas == [
        ("assistant", "", None),
        (None, "hello", None), (None, " brave", None), (None, " world", None), (None, None, "stop"),
    ]  # fmt: skip
    assert [chunk.usage.total_tokens if chunk.usage else None for chunk in chunks] == [None] * 5 + [6]
    assert chunks[-1].choices == []
    assert {chunk.id for chunk in chunks} == {"chatcmpl-1"}
    record = server.trace(scope)[0]
    assert (record.stream, record.status, record.completion_tokens, record.answer) == (
        True,
        200,
        3,
        "hello brave world",
    )


def test_a_stream_without_usage_has_no_chunk_for_it(talk):
    """Usage comes only to those who ask, but every stream ends with a finish reason."""
    chunks = list(talk()[0](**says("a"), stream=True))
    assert [len(chunk.choices) for chunk in chunks] == [1, 1, 1] and not any(chunk.usage for chunk in chunks)


CALLS = [
    Piece(tool_call={"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": ""}}),
    Piece(tool_call={"index": 0, "function": {"arguments": '{"id": '}}),
    Piece(tool_call={"index": 0, "function": {"arguments": "7}"}}),
    Piece(tool_call={"index": 1, "id": "call_2", "type": "function", "function": {"name": "send", "arguments": "{}"}}),
    Piece(finish_reason="tool_calls"),
]
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in ("look", "send")
]


def test_parallel_tool_calls_whole(talk, server):
    """Two calls in one message, content null, and their JSON in the log."""
    create, scope = talk([CALLS])
    choice = create(**says(), tools=TOOLS).choices[0]
    calls = [(call.id, call.function.name, call.function.arguments) for call in choice.message.tool_calls]
    assert calls == [("call_1", "look", '{"id": 7}'), ("call_2", "send", "{}")]
    assert (choice.message.content, choice.finish_reason) == (None, "tool_calls")
    record = server.trace(scope)[0]
    assert record.finish_reason == "tool_calls" and '"name":"send"' in record.answer


def test_parallel_tool_calls_streamed(server, talk):
    """The SDK's own stream helper puts the same two calls together from the deltas."""
    scope = server.scope(backend=Scripted([CALLS]))
    with openai.OpenAI(base_url=server.base_url(scope), api_key=scope.key) as client:
        with client.chat.completions.stream(**says(), tools=TOOLS) as stream:
            message = stream.get_final_completion().choices[0].message
    assert [(call.function.name, call.function.arguments) for call in message.tool_calls] == [
        ("look", '{"id": 7}'), ("send", "{}"),
    ]  # fmt: skip


def test_several_choices(talk):
    """n choices come with their indices, whole and streamed, and all their tokens are counted."""
    create, _ = talk(["one two"] * 2)
    whole = create(**says(), n=3)
    assert [(choice.index, choice.message.content) for choice in whole.choices] == [
        (0, "one two"),
        (1, "one two"),
        (2, "one two"),
    ]
    assert whole.usage.completion_tokens == 6
    texts = {0: "", 1: ""}
    for chunk in create(**says(), n=2, stream=True):
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == {0: "one two", 1: "one two"}


def test_length_and_stop(talk):
    """A token limit ends with "length", a stop text with "stop", and neither shows what comes after."""
    create, _ = talk(["one two three"] * 3)
    limited, stopped = create(**says(), max_tokens=2).choices[0], create(**says(), stop=" three").choices[0]
    assert (limited.message.content, limited.finish_reason) == ("one two", "length")
    assert (stopped.message.content, stopped.finish_reason) == ("one two", "stop")


def test_models(server):
    """The list, one by id or by size, and 404 for one that is not there."""
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=server.token, max_retries=0) as client:
        assert [model.id for model in client.models.list()] == ["practice-small", "practice-large"]
        assert client.models.retrieve("large").id == "practice-large"
        with pytest.raises(openai.NotFoundError) as caught:
            client.models.retrieve("gpt-4")
    assert caught.value.code == "model_not_found"


def test_the_log_keeps_the_name_that_was_asked_for(talk, server):
    """ "small" finds the backend's small model, which the answer names."""
    create, scope = talk()
    assert create(**says() | {"model": "small"}).model == "practice-small"
    assert server.trace(scope)[0].model == "small"


def test_step_and_attempt_come_from_headers(talk, server):
    """The step's name may be in any script; the SDK's own repeats are attempts."""
    create, scope = talk(["a"])
    create(**says(), extra_headers={"x-course-step": "prüfen".encode(), "x-stainless-retry-count": "2"})
    record = server.trace(scope)[0]
    assert (record.step, record.attempt) == ("prüfen", 3)


@pytest.mark.parametrize(
    ("change", "param", "code", "words"),
    [
        ({"messages": None}, "messages", "invalid_type", "expected an array, but got null"),
        ({"messages": []}, "messages", "empty_array", "at least 1 item"),
        ({"messages": [{"content": "a"}]}, "messages[0].role", "missing_required_parameter", "'messages[0].role'"),
        ({"messages": [{"role": "boss", "content": "a"}]}, "messages[0].role", "invalid_value", "'boss'"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content", "invalid_type", "got an integer"),
        ({"model": 3}, "model", "invalid_type", "expected a string, but got an integer"),
        ({"temperature": 3}, "temperature", "integer_above_max_value", "<= 2"),
        ({"temperature": "hot"}, "temperature", "invalid_type", "expected a number, but got a string"),
        ({"n": 0}, "n", "integer_below_min_value", ">= 1"),
        ({"max_tokens": 1.5}, "max_tokens", "invalid_type", "expected an integer, but got a decimal number"),
        ({"stream": "maybe"}, "stream", "invalid_type", "expected a boolean"),
        ({"stop": list("abcde")}, "stop", "array_above_max_length", "at most 4"),
        ({"stream_options": {"include_usage": True}}, "stream_options", None, "only allowed when 'stream'"),
        ({"response_format": {"type": "xml"}}, "response_format.type", "invalid_value", "'xml'"),
        ({"response_format": {"type": "json_object"}}, "messages", None, "the word 'json'"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {}}},
            "response_format.json_schema.name", "missing_required_parameter", "json_schema.name",
        ),
        ({"tools": [{"type": "function"}]}, "tools[0].function", "missing_required_parameter", "tools[0].function"),
        ({"tools": [{"function": {"name": "a b"}}]}, "tools[0].function.name", "invalid_value", "pattern"),
        ({"tool_choice": "auto"}, "tool_choice", None, "only allowed when 'tools'"),
        (
            {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "x"}}},
            "tool_choice", None, "'x' not found",
        ),
        (
            {"messages": [{"role": "tool", "content": "a", "tool_call_id": "1"}]},
            "messages[0].role", None, "preceding message with 'tool_calls'",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "c1"}]}, {"role": "user", "content": "a"}]},
            "messages[0].tool_calls", None, "c1",
        ),
    ],
)  # fmt: skip
def test_wrong_requests_name_the_parameter(talk, server, change, param, code, words):
    """400 in OpenAI's shape, with the parameter at fault, and a record of the refusal."""
    create, scope = talk(["never said"])
    with pytest.raises(openai.BadRequestError) as caught:
        create(**says(), extra_body=change)
    error = caught.value
    assert (error.param, error.code, error.type) == (param, code, "invalid_request_error")
    assert words in error.body["message"]
    record = server.trace(scope)[0]
    assert (record.status, record.error, record.price) == (400, code or "invalid_request_error", 0.0)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b'"x"', b"\xff\xfe", b"[" * 5000, b'{"n": NaN}', b'{"a": "\\ud800"}']
)
def test_a_body_that_is_not_a_json_object(server, body):
    """400 invalid_json, never a crash; and a record of it."""
    scope = server.scope()
    with server.client as client:
        answer = client.post(f"/s/{scope.name}/v1/chat/completions", content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_json")
    assert [(record.status, record.request) for record in server.trace(scope)] == [(400, {})]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError), (401, openai.AuthenticationError), (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError), (409, openai.ConflictError), (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError), (500, openai.InternalServerError), (503, openai.InternalServerError),
    ],
)  # fmt: skip
def test_error_classes(talk, server, status, kind):
    """Each status raises the class that learners know, with the backend's code."""
    create, scope = talk([ApiError(status, "No.", code="because", headers={"x-reason": "test"})])
    with pytest.raises(kind) as caught:
        create(**says())
    assert (caught.value.status_code, caught.value.code) == (status, "because")
    assert caught.value.response.headers["x-reason"] == "test"
    assert (server.trace(scope)[0].status, server.trace(scope)[0].error) == (status, "because")


def test_too_many_tokens(talk):
    """context_length_exceeded, as OpenAI calls it."""
    create, _ = talk(["never said"])
    with pytest.raises(openai.BadRequestError) as caught:
        create(**says("word " * 9000))
    assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "messages")


def test_unknown_model(talk, server):
    """404 model_not_found, logged under the name that was asked for."""
    create, scope = talk(["never said"])
    with pytest.raises(openai.NotFoundError) as caught:
        create(**says() | {"model": "gpt-4"})
    assert caught.value.code == "model_not_found"
    assert (server.trace(scope)[0].model, server.trace(scope)[0].status) == ("gpt-4", 404)


def test_wrong_key(server):
    """AuthenticationError; what never reached a scope is not in its log."""
    scope = server.scope()
    with openai.OpenAI(base_url=server.base_url(scope), api_key="sk-wrong-wrong-wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as caught:
            client.chat.completions.create(**says())
    assert caught.value.code == "invalid_api_key" and "wrong-wrong" not in str(caught.value)
    assert len(server.trace(scope)) == 0


def test_a_bug_in_the_backend_is_our_fault(talk, server):
    """An exception is a 500 that says so, is logged, and does not end the server."""
    create, scope = talk(lambda request, number: 1 / 0)
    with pytest.raises(openai.InternalServerError, match="not your mistake"):
        create(**says())
    assert [(record.status, record.error) for record in server.trace(scope)] == [(500, "internal_error")]


def test_an_error_in_the_middle_of_a_stream(server, talk):
    """The SDK raises it after the words that came, and the log has those words and their tokens."""

    class Breaks(Scripted):
        async def stream(self, request):
            yield Piece("one")
            yield Piece(" two")
            raise ApiError(500, "It broke.", type="server_error", code="broke")

    scope, words = server.scope(backend=Breaks([])), []
    with openai.OpenAI(base_url=server.base_url(scope), api_key=scope.key, max_retries=0) as client:
        with pytest.raises(openai.APIError, match="It broke"):
            for chunk in client.chat.completions.create(**says(), stream=True):
                words.append(chunk.choices[0].delta.content)
    assert words == ["", "one", " two"]
    record = server.trace(scope)[0]
    assert (record.status, record.error, record.answer, record.completion_tokens) == (500, "broke", "one two", 2)


@pytest.mark.parametrize("path", ["responses", "embeddings"])
def test_endpoints_that_the_course_does_not_teach(server, path):
    """404 with a sentence, not 501, which the SDK would repeat."""
    with server.client as client:
        answer = client.post(f"/v1/{path}", json={"model": "small", "input": "a"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unsupported_endpoint")


def test_unknown_paths_and_methods(server):
    """404 and 405 in OpenAI's shape, with Allow."""
    with server.client as client:
        lost, wrong = client.post("/v1/complete"), client.get("/v1/chat/completions")
    assert (lost.status_code, lost.json()["error"]["message"]) == (404, "Invalid URL (POST /v1/complete)")
    assert (wrong.status_code, wrong.headers["allow"], wrong.json()["error"]["code"]) == (
        405,
        "POST",
        "method_not_supported",
    )


def test_unknown_scope(server):
    """A right key for a scope that is gone gets a 404 that says so."""
    key = server.course.scopes.key("gone")
    with openai.OpenAI(base_url=server.base_url("gone"), api_key=key, max_retries=0) as client:
        with pytest.raises(openai.NotFoundError) as caught:
            client.chat.completions.create(**says())
    assert caught.value.code == "scope_not_found"


def test_overlap_is_logged(server):
    """Three calls made side by side are in flight together, however busy the machine is."""
    scope = server.scope(backend=Scripted(["a", "b", "c"], together=3))

    async def body():
        async with openai.AsyncOpenAI(base_url=server.base_url(scope), api_key=scope.key, max_retries=0) as client:
            await asyncio.gather(*(client.chat.completions.create(**says()) for _ in range(3)))

    asyncio.run(body())
    trace = server.trace(scope)
    assert (trace.peak, sorted(record.in_flight for record in trace)) == (3, [1, 2, 3])


def test_usage_of_the_backend_is_what_counts(talk, server):
    """The last piece's usage goes to the caller, the log and the price."""
    create, scope = talk([[Piece("a", finish_reason="stop", usage=Usage(1_000_000, 0))]])
    assert create(**says()).usage.prompt_tokens == 1_000_000
    assert server.trace(scope)[0].price == pytest.approx(0.15)

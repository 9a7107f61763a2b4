"""The forwarding backend, against a second real course server and against providers that misbehave."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import openai
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route
from support import running_server

from course_utils import faults
from course_utils.errors import CourseError
from course_utils.models import client
from course_utils.server import upstream
from course_utils.server.practice import PracticeModel
from course_utils.server.upstream import OPENAI, Upstream, from_environment
from course_utils.server.wire import ApiError, ChatRequest, Piece, Usage

KEY = "sk-a-key-that-nobody-may-see"
HELLO = {"model": "practice-small", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture(scope="module")
def provider():
    """A course server with the practice model, in the part of a provider."""
    with running_server(PracticeModel()) as server:
        yield server


@pytest.fixture
def forwarding(provider):
    """An Upstream to a fresh scope of the provider, and that scope."""
    scope = provider.scope()
    return Upstream(provider.base_url(scope), scope.key, "practice-small", "practice-large"), scope


@contextmanager
def front(backend: Upstream) -> Iterator[dict]:
    """The course server in front of a backend; gives what `client` needs."""
    with running_server(backend) as server:
        scope = server.scope()
        yield {"base_url": server.base_url(scope), "key": scope.key, "model": backend.small}


def pieces(backend: Upstream, **fields) -> list[Piece]:
    """Everything the backend answers."""

    async def collect() -> list[Piece]:
        return [piece async for piece in backend.stream(ChatRequest.model_validate(HELLO | fields))]

    return asyncio.run(collect())


def refusal(backend: Upstream, **fields) -> ApiError:
    """What the backend refuses with."""
    with pytest.raises(ApiError) as caught:
        pieces(backend, **fields)
    return caught.value


@contextmanager
def stand_in(answer) -> Iterator[Upstream]:
    """An Upstream to a provider whose chat endpoint is the Starlette endpoint `answer`."""
    app = Starlette(routes=[Route("/v1/chat/completions", answer, methods=["POST"])])
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield Upstream(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", KEY)
    finally:
        server.should_exit = True
        thread.join(10)


def chunk(delta: dict, end: str | None = None, **more) -> str:
    """One server-sent event of a chat completion."""
    choices = [{"index": 0, "delta": delta, "finish_reason": end}]
    body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices} | more
    return f"data: {json.dumps(body)}\n\n"


def stream_of(*events: str):
    """An endpoint that sends these events."""

    async def answer(request: Request) -> StreamingResponse:
        return StreamingResponse(iter(events), media_type="text/event-stream")

    return answer


def test_an_answer_is_the_providers_answer(forwarding, provider):
    """Text, finish reason and usage arrive as the provider sent them, in several pieces."""
    backend, scope = forwarding
    got = pieces(backend)
    (record,) = provider.trace(scope)
    assert "".join(piece.text for piece in got) == record.answer
    assert [piece.finish_reason for piece in got if piece.finish_reason] == ["stop"]
    assert got[-1].usage == Usage(record.prompt_tokens, record.completion_tokens)
    assert len([piece for piece in got if piece.text]) > 3


def test_the_request_arrives_as_it_was_made(forwarding, provider):
    """Every field travels, unknown ones too, and nothing is invented but streaming with usage."""
    backend, scope = forwarding
    fields = {
        "temperature": 0.5,
        "seed": 7,
        "stop": ["END"],
        "max_tokens": 50,
        "reasoning_effort": "low",
        "user": "ada",
    }
    pieces(backend, **fields)
    expected = HELLO | fields | {"stream": True, "stream_options": {"include_usage": True}}
    assert [record.request for record in provider.trace(scope)] == [expected]


def test_several_choices_are_kept_apart(forwarding):
    """With n=2 each choice has its text and its end."""
    got = pieces(forwarding[0], n=2)
    assert {piece.choice for piece in got if piece.text} == {0, 1}
    assert sorted(piece.choice for piece in got if piece.finish_reason) == [0, 1]


def test_tools_and_schemas_work_through_two_servers(forwarding):
    """LangChain's tool calls and structured answers survive the way through the course server and the provider."""
    schema = {
        "title": "Route",
        "description": "Where a ticket goes.",
        "type": "object",
        "properties": {"label": {"type": "string", "enum": ["billing", "technical"]}},
        "required": ["label"],
        "additionalProperties": False,
    }
    tool = {
        "type": "function",
        "function": {
            "name": "find_order",
            "description": "Find an order by its id.",
            "parameters": {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]},
        },
    }
    with front(forwarding[0]) as door:
        ticket = "My card was charged twice. Classify this ticket."
        routed = client(**door).with_structured_output(schema, method="json_schema").invoke(ticket)
        called = client(**door).bind_tools([tool], tool_choice="find_order").invoke("Where is order MB-10484?")
        streamed = list(client(**door).stream("hello"))
    assert routed["label"] in ("billing", "technical")
    assert [call["name"] for call in called.tool_calls] == ["find_order"]
    assert (len(streamed) > 3, streamed[-1].usage_metadata is not None or any(c.usage_metadata for c in streamed)) == (
        True,
        True,
    )


def test_a_refusal_keeps_its_words_and_headers(forwarding):
    """A provider's 429 arrives with status, code and the headers that say when to come again."""
    backend, scope = forwarding
    scope.set_conditions(faults.every(1, faults.rate_limited(retry_after=7)), None)
    error = refusal(backend)
    assert (error.status, error.code, error.headers["retry-after"]) == (429, "rate_limit_exceeded", "7")


def test_one_request_is_one_request(forwarding, provider):
    """A failure is not repeated on the way: the learner's own retries are the only ones."""
    backend, scope = forwarding
    scope.set_conditions(faults.every(1, faults.server_error()), None)
    with front(backend) as door, pytest.raises(openai.InternalServerError):
        client(**door).invoke("hello")
    assert [record.attempt for record in provider.trace(scope)] == [1]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (faults.dropped(), 502, "upstream_unreachable"),
        (faults.malformed(), 502, "upstream_malformed"),
        (faults.server_error(), 500, None),
        (faults.unavailable(), 503, None),
        (faults.quota_exceeded(), 429, "insufficient_quota"),
    ],
)
def test_every_way_to_fail_is_an_error_of_its_own(forwarding, fault, status, code):
    """What goes wrong between here and the provider has a status that a learner's code can act on."""
    backend, scope = forwarding
    scope.set_conditions(faults.every(1, fault), None)
    error = refusal(backend)
    assert (error.status, code in (None, error.code)) == (status, True)


def test_a_cut_answer_stays_cut(forwarding):
    """When the provider's stream breaks off, no finish reason is invented."""
    backend, scope = forwarding
    scope.set_conditions(faults.every(1, faults.cut(2)), None)
    got = pieces(backend)
    assert ([piece for piece in got if piece.finish_reason], any(piece.text for piece in got)) == ([], True)


def test_a_slow_provider_is_given_up(forwarding, monkeypatch):
    """A provider that says nothing is a 504."""
    backend, scope = forwarding
    monkeypatch.setattr(upstream, "TIMEOUT", openai.Timeout(0.2))
    scope.set_conditions(faults.every(1, faults.timeout(3600)), None)
    assert (refusal(backend).status, refusal(backend).code) == (504, "upstream_timeout")


def test_a_provider_that_is_not_there_is_named():
    """The error names the host, not a stack of library errors."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = refusal(Upstream(f"http://127.0.0.1:{port}/v1", KEY))
    assert (error.status, error.message) == (502, "The provider at 127.0.0.1 cannot be reached.")


def test_a_key_is_never_shown():
    """Neither the backend's repr nor a provider that repeats the key gives it away."""

    async def echo(request: Request) -> JSONResponse:
        said = f"Incorrect API key provided: {request.headers['authorization']}."
        return JSONResponse(
            {"error": {"message": said, "type": "invalid_request_error", "code": "invalid_api_key"}}, 401
        )

    with stand_in(echo) as backend:
        error = refusal(backend)
    assert (error.status, error.code, error.message) == (
        401,
        "invalid_api_key",
        "Incorrect API key provided: Bearer ….",
    )
    assert KEY not in repr(backend)


def test_a_usage_that_is_missing_is_estimated_and_marked():
    """Not every provider counts; then we do, and say that we did."""
    with stand_in(stream_of(chunk({"content": "Two words."}), chunk({}, "stop"), "data: [DONE]\n\n")) as backend:
        usage = pieces(backend)[-1].usage
    assert (usage.is_estimated, usage.completion_tokens, usage.prompt_tokens > 0) == (True, 3, True)


def test_the_last_of_many_usages_counts():
    """Some providers send a usage with every chunk, counting up."""
    counted = [{"prompt_tokens": 5, "completion_tokens": count, "total_tokens": 5 + count} for count in (1, 2)]
    events = [chunk({"content": "a"}, usage=counted[0]), chunk({}, "stop", usage=counted[1]), "data: [DONE]\n\n"]
    with stand_in(stream_of(*events)) as backend:
        assert pieces(backend)[-1].usage == Usage(5, 2)


def test_a_refusal_by_the_model_is_passed_on():
    """The field `refusal` reaches the caller as such."""
    with stand_in(stream_of(chunk({"refusal": "No."}), chunk({}, "stop"), "data: [DONE]\n\n")) as backend:
        assert [piece.refusal for piece in pieces(backend) if piece.refusal] == ["No."]


def test_an_error_within_a_stream_is_an_error():
    """A provider that fails after the first words is not taken for one that has finished."""
    broken = 'data: {"error": {"message": "overloaded", "code": "overloaded"}}\n\n'
    with stand_in(stream_of(chunk({"content": "a"}), broken)) as backend:
        error = refusal(backend)
    assert (error.status, error.message, error.code) == (502, "overloaded", "overloaded")


def test_an_answer_without_content_is_an_error():
    """A 200 that is not a stream of events is no answer."""

    async def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse("<html>log in</html>")

    with stand_in(page) as backend:
        assert (refusal(backend).status, refusal(backend).code) == (502, "empty_answer")


def test_prices_are_known_or_called_unknown():
    """A listed model has its list price, a dated id that of its family, and any other one 0."""
    backend = Upstream(OPENAI, KEY)
    seen = {id: backend.model(id) for id in ("gpt-4.1", "gpt-4.1-2025-04-14", "gpt-4.1-mini", "my-own")}
    prices = {id: (model.prompt_price, model.completion_price) for id, model in seen.items()}
    assert prices == {"gpt-4.1": (2, 8), "gpt-4.1-2025-04-14": (2, 8), "gpt-4.1-mini": (0.4, 1.6), "my-own": (0, 0)}
    assert [model.card["price"] for model in seen.values()] == ["list price of 2026-11"] * 3 + ["unknown"]


@pytest.fixture
def environment(monkeypatch):
    """No setting of the caller's; gives the function that sets one."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "COURSE_SMALL_MODEL", "COURSE_LARGE_MODEL"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch.setenv


def test_the_environment_chooses_provider_and_models(environment):
    """Key, address and the two model ids come from the environment; an address given as an option wins."""
    environment("OPENAI_API_KEY", KEY)
    plain = from_environment()
    environment("OPENAI_BASE_URL", "https://provider.example/v1/")
    environment("COURSE_SMALL_MODEL", "tiny")
    environment("COURSE_LARGE_MODEL", "huge")
    other = from_environment()
    assert (plain.base_url, plain.small, plain.large) == (OPENAI, upstream.SMALL, upstream.LARGE)
    assert (other.base_url, [model.id for model in other.models()]) == ("https://provider.example/v1", ["tiny", "huge"])
    assert from_environment("http://127.0.0.1:1234/v1").base_url == "http://127.0.0.1:1234/v1"


def test_a_missing_key_is_said_at_once(environment):
    """Without a key there is no server, and the sentence names the variable."""
    with pytest.raises(CourseError, match="OPENAI_API_KEY is not set"):
        from_environment()


def test_an_address_that_is_none_is_refused(environment):
    """A host without its scheme is a common slip."""
    environment("OPENAI_API_KEY", KEY)
    with pytest.raises(CourseError, match=r"'api\.openai\.com/v1' is not the address"):
        from_environment("api.openai.com/v1")


def test_a_model_that_only_the_provider_knows_is_asked_for(provider):
    """An id outside of the course's list reaches the provider, who answers or refuses it."""
    scope = provider.scope()
    backend = Upstream(provider.base_url(scope), scope.key, "practice-small", "practice-small")
    with front(backend) as door:
        client(**door | {"model": "practice-large"}).invoke("hello")
        with pytest.raises(openai.NotFoundError, match="gpt-nobody"):
            client(**door | {"model": "gpt-nobody"}).invoke("hello")
    assert [(record.model, record.status) for record in provider.trace(scope)] == [
        ("practice-large", 200),
        ("gpt-nobody", 404),
    ]


def test_an_estimated_usage_says_so_on_the_wire():
    """The caller can tell a count of ours from the provider's."""
    with stand_in(stream_of(chunk({"content": "a b c"}), chunk({}, "stop"), "data: [DONE]\n\n")) as backend:
        with running_server(backend) as server, server.client as owner:
            usage = owner.post("/v1/chat/completions", json=HELLO | {"model": backend.small}).json()["usage"]
    assert (usage["estimated"], usage["completion_tokens"]) == (True, 3)

"""`chat_model`: LangChain's client on a real course server, and on nothing else."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import openai
import pytest
from support import running_server

from course_utils import connection, models
from course_utils.errors import CourseError
from course_utils.models import chat_model, client


@pytest.fixture(scope="module")
def server():
    """A course server whose model repeats the last message."""
    with running_server() as server:
        yield server


@pytest.fixture
def door(server):
    """What `client` needs for a scope of its own."""
    scope = server.scope()
    return {"base_url": server.base_url(scope), "key": scope.key, "model": "practice-small"}, scope


@pytest.fixture
def connected(server, monkeypatch):
    """`connect()` leads to a scope of `server`; how it finds a server is another test's business."""
    scope = server.scope()
    course = connection.Course()
    course.base_url, course.key = server.base_url(scope), scope.key
    course.models = {"small": "practice-small", "large": "practice-large"}
    monkeypatch.setattr(models, "connect", lambda: course)
    return lambda: server.trace(scope)


def test_the_two_sizes_are_the_servers_models(connected):
    """ "small" and "large" become the ids the server has for them, and the step travels along."""
    for size in ("small", "large"):
        chat_model(size, step="plan").invoke("hello")
    assert [(record.model, record.step, record.attempt) for record in connected()] == [
        ("practice-small", "plan", 1),
        ("practice-large", "plan", 1),
    ]


def test_any_other_name_is_passed_on_as_an_id(connected):
    """An id that the server does not have is refused by the server, not guessed at."""
    with pytest.raises(openai.NotFoundError, match="gpt-7"):
        chat_model("gpt-7").invoke("hello")
    assert [(record.model, record.status) for record in connected()] == [("gpt-7", 404)]


def test_requests_are_deterministic_unless_asked_otherwise(connected):
    """Temperature 0 is sent by default, and every option of ChatOpenAI can be set."""
    chat_model().invoke("hello")
    chat_model(temperature=0.7, max_tokens=9, seed=3).invoke("hello")
    sent = [{name: record.request.get(name) for name in ("temperature", "seed")} for record in connected()]
    assert sent == [{"temperature": 0.0, "seed": None}, {"temperature": 0.7, "seed": 3}]


def test_a_failed_request_is_not_repeated(door, server):
    """One invoke that meets a 500 is one request; with max_retries the SDK repeats it, and the server sees that."""
    from course_utils import faults

    settings, scope = door
    for options in ({}, {"max_retries": 1}):
        scope.set_conditions(faults.every(1, faults.rate_limited(retry_after=0.001)), None)
        with pytest.raises(openai.RateLimitError):
            client(**settings, **options).invoke("hello")
    assert [record.attempt for record in server.trace(scope)] == [1, 1, 2]


def test_a_stream_brings_its_usage(door):
    """The tokens are there also when the answer is streamed."""
    settings, _ = door
    chunks = list(client(**settings).stream("one two three"))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert (whole.content, whole.usage_metadata["output_tokens"]) == ("one two three", 3)


def test_one_model_works_in_two_event_loops(door):
    """A model made once can be used by one asyncio.run after the other."""
    model = client(**door[0])

    async def both() -> list[str]:
        return [answer.content for answer in await asyncio.gather(model.ainvoke("one"), model.ainvoke("two"))]

    assert [asyncio.run(both()), asyncio.run(both())] == [["one", "two"]] * 2


def test_no_proxy_is_asked(door, monkeypatch):
    """Proxy settings of the machine do not apply to loopback, and cause neither an error nor a warning."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "OPENAI_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert client(**door[0]).invoke("hello").content == "hello"


def test_the_learners_own_openai_settings_do_not_leak_in(door, server, monkeypatch):
    """A key and an address for OpenAI in the environment change nothing."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-learner")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:9/v1")
    assert client(**door[0]).invoke("hello").content == "hello"


def test_a_model_whose_name_means_another_api_still_uses_this_one(door, server):
    """Some ids make LangChain choose the Responses API, which the course server does not have."""
    settings, scope = door
    with pytest.raises(openai.NotFoundError, match="gpt-5-pro"):
        client(**settings | {"model": "gpt-5-pro"}).invoke("hello")
    assert [record.model for record in server.trace(scope)] == ["gpt-5-pro"]


@pytest.mark.parametrize("step", ["schätzen", "a\nb"])
def test_a_step_name_that_cannot_travel_is_refused(door, step):
    """The error names the step instead of an encoding."""
    with pytest.raises(CourseError, match="cannot travel"):
        client(**door[0], step=step)


def test_nothing_else_is_contacted(door):
    """Whichever way a model is called, nobody but the course server is contacted, and no name is looked up."""
    settings, _ = door
    code = f"""
import sys
peers = set()
def watch(event, arguments):
    if event == "socket.connect":
        peers.add(str(arguments[1]))
    elif event == "socket.getaddrinfo":
        peers.add(str(arguments[0]))
sys.addaudithook(watch)
from course_utils.models import client
model = client(**{settings!r}, step="s")
model.invoke("hello"); list(model.stream("hello")); model.batch(["a", "b"])
import asyncio; asyncio.run(model.ainvoke("hello"))
print(len(peers) > 0, all("127.0.0.1" in peer for peer in peers))
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.stdout.split(), done.stderr) == (["True", "True"], "")

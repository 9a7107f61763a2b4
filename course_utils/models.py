"""Chat models on the course server: LangChain's own `ChatOpenAI`, pointed at this process's scope.

Layer 2: imports `connection` and `errors`. The clients are safe to share between threads and event loops.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import openai
from langchain_openai import ChatOpenAI

from course_utils.connection import connect
from course_utils.errors import CourseError

TIMEOUT = 120.0  # real seconds; longer than any answer in a lesson, short enough to end a cell that hangs


def chat_model(model: str = "small", *, step: str = "", temperature: float = 0.0, **options: Any) -> ChatOpenAI:
    """A chat model that answers through the course server.

    It does not repeat a failed request (`max_retries=0`): repeating is what several lessons are about, the SDK's
    own repeats would multiply with yours, and each request should be one that you can point at in your code.
    Pass `max_retries=2` for the SDK's usual behaviour.

    Args:
        model: "small" or "large", whatever the server has under these names; or any model id.
        step: The name of this call in your workflow, as timelines and fault plans show it.
        options: Anything else that `ChatOpenAI` takes.

    Raises:
        CourseError: The server cannot be reached, or the step's name cannot travel in a header.
    """
    course = connect()
    door = {"base_url": course.base_url, "key": course.key, "model": course.models.get(model, model)}
    return client(**door, step=step, temperature=temperature, **options)


def client(
    *, base_url: str, key: str, model: str, step: str = "", temperature: float = 0.0, **options: Any
) -> ChatOpenAI:
    """A `ChatOpenAI` on any scope of a course server, with the course's defaults."""
    if not (step.isascii() and step.isprintable()):
        raise CourseError(
            f"The step name {step!r} has characters that cannot travel in an HTTP header.",
            fix="use plain letters, digits, spaces, - and _.",
        )
    sync, asynchronous = http_clients()
    defaults: dict[str, Any] = {
        "max_retries": 0,
        "stream_usage": True,  # LangChain leaves it out when the address is not OpenAI's
        "timeout": TIMEOUT,
        "use_responses_api": False,  # some model ids would switch to an API that the course server does not speak
        "openai_proxy": None,  # $OPENAI_PROXY would send loopback traffic to a proxy
        "http_client": sync,
        "http_async_client": asynchronous,
    }
    headers = ({"x-course-step": step} if step else {}) | options.pop("default_headers", {})
    door = {
        "base_url": base_url,
        "api_key": key,
        "model": model,
        "temperature": temperature,
        "default_headers": headers,
    }
    return ChatOpenAI(**(defaults | door | options))


@cache
def http_clients() -> tuple[openai.DefaultHttpxClient, openai.DefaultAsyncHttpxClient]:
    """HTTP clients for loopback, for the whole process.

    They heed no proxy variable, and they keep no connection open: one that was kept would be bound to the event
    loop that opened it ("Event loop is closed" in the next one), would break when the server restarts, and would be
    shared with a forked child. A new connection on loopback costs well under a millisecond.
    """
    settings: dict[str, Any] = {
        "trust_env": False,
        "verify": False,  # plain http: nothing to verify, and no time spent on reading certificates
        "limits": openai.DEFAULT_CONNECTION_LIMITS.__class__(max_connections=1000, max_keepalive_connections=0),
    }
    return openai.DefaultHttpxClient(**settings), openai.DefaultAsyncHttpxClient(**settings)

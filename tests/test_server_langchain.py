"""ChatOpenAI and the asynchronous SDK against the course server: everything that the lessons use of them."""

import asyncio

import openai
import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from support import running_server

from course_utils import faults
from course_utils.server.scripted import Scripted
from course_utils.server.wire import Piece


@pytest.fixture(scope="module")
def server():
    with running_server() as server:
        yield server


class Ticket(BaseModel):
    """A support ticket."""

    label: str
    urgent: bool


def model(server, script=None, scope=None, **options):
    """A ChatOpenAI on a fresh scope."""
    scope = scope or server.scope(backend=Scripted(script) if script is not None else None)
    options = {"model": "practice-small", "max_retries": 0, "temperature": 0} | options
    return ChatOpenAI(base_url=server.base_url(scope), api_key=scope.key, **options)


def test_invoke_tells_text_usage_and_finish_reason(server):
    """What a lesson reads off an AIMessage is there."""
    message = model(server).invoke("hello brave world")
    assert (message.content, message.usage_metadata["total_tokens"]) == ("hello brave world", 6)
    assert (message.response_metadata["finish_reason"], message.response_metadata["model_name"]) == (
        "stop",
        "practice-small",
    )


def test_stream_and_astream_give_the_same(server):
    """Chunks add up to the message, with the usage where the model was asked to stream it."""
    llm = model(server, stream_usage=True)

    async def astream():
        return [chunk async for chunk in llm.astream("one two three")]

    for chunks in (list(llm.stream("one two three")), asyncio.run(astream())):
        whole = chunks[0]
        for chunk in chunks[1:]:
            whole += chunk
        assert (whole.content, whole.usage_metadata["total_tokens"]) == ("one two three", 6)
        assert whole.response_metadata["finish_reason"] == "stop"


def test_batch_and_abatch_keep_the_order(server):
    """Answers come back in the order of the inputs, whoever finished first."""
    texts = [f"number {number}" for number in range(8)]
    assert [message.content for message in model(server).batch(texts)] == texts
    assert [message.content for message in asyncio.run(model(server).abatch(texts))] == texts


def test_max_concurrency_is_seen_by_the_witness(server):
    """abatch with max_concurrency=2 never has more than two requests open."""
    scope = server.scope(backend=Scripted(lambda request, number: "a", together=2, latency=1))
    asyncio.run(model(server, scope=scope).abatch(["a"] * 6, {"max_concurrency": 2}))
    assert server.trace(scope).peak == 2


@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_structured_output_as_json(server, method):
    """The answer is parsed into the class, and the request carried the response format."""
    scope = server.scope(backend=Scripted(['{"label": "billing", "urgent": true}']))
    llm = model(server, scope=scope).with_structured_output(Ticket, method=method)
    assert llm.invoke("Answer in JSON: my bill is wrong.") == Ticket(label="billing", urgent=True)
    expected = {"json_schema": "json_schema", "json_mode": "json_object"}[method]
    assert server.trace(scope)[0].request["response_format"]["type"] == expected


CALL = {
    "index": 0,
    "id": "call_1",
    "type": "function",
    "function": {"name": "Ticket", "arguments": '{"label":"a","urgent":false}'},
}


def test_structured_output_by_function_calling(server):
    """The tool call's arguments are parsed into the class."""
    llm = model(server, [[Piece(tool_call=CALL), Piece(finish_reason="tool_calls")]])
    answer = llm.with_structured_output(Ticket, method="function_calling").invoke("hello")
    assert answer == Ticket(label="a", urgent=False)


def test_tools_there_and_back(server):
    """bind_tools sends the tool; the call comes back; its result is accepted as the next message."""

    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    call = CALL | {"function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}
    llm = model(server, [[Piece(tool_call=call), Piece(finish_reason="tool_calls")], "three"]).bind_tools([add])
    question = HumanMessage("1 + 2?")
    asked = llm.invoke([question])
    assert [(made["name"], made["args"]) for made in asked.tool_calls] == [("add", {"a": 1, "b": 2})]
    result = {"role": "tool", "content": "3", "tool_call_id": "call_1"}
    assert llm.invoke([question, asked, result]).content == "three"


def test_errors_reach_the_learner_as_the_sdks(server):
    """LangChain lets the SDK's classes through, or subclasses of them."""
    scope = server.scope(plan=faults.first(1, faults.rate_limited(1)))
    with pytest.raises(openai.RateLimitError):
        model(server, scope=scope).invoke("hello")
    with pytest.raises(openai.NotFoundError):
        model(server, scope=scope, model="gpt-4").invoke("hello")
    with pytest.raises(openai.BadRequestError) as caught:
        model(server, scope=scope).invoke([])
    assert caught.value.param == "messages"


def test_timeouts_multiply_work(server):
    """One invoke with a client timeout and two SDK retries is three requests to the server."""
    scope = server.scope(plan=faults.every(1, faults.timeout(3600)))
    with pytest.raises(openai.APITimeoutError):
        model(server, scope=scope, timeout=0.05, max_retries=2).invoke("hello")
    assert [record.attempt for record in server.trace(scope)] == [1, 2, 3]


def test_a_cut_stream_looks_fine_to_langchain(server):
    """No exception, half a text, no finish reason: the lesson on streams is about this."""
    scope = server.scope(plan=faults.first(1, faults.cut(2)))
    chunks = list(model(server, scope=scope).stream("one two three four"))
    assert "".join(chunk.content for chunk in chunks) == "one two"
    assert not any(chunk.response_metadata.get("finish_reason") for chunk in chunks)


def test_the_asynchronous_sdk(server):
    """The same answers, whole and streamed."""
    scope = server.scope()

    async def body():
        async with openai.AsyncOpenAI(base_url=server.base_url(scope), api_key=scope.key, max_retries=0) as client:
            create, says = (
                client.chat.completions.create,
                {"model": "small", "messages": [{"role": "user", "content": "a b"}]},
            )
            whole = await create(**says)
            parts = [chunk.choices[0].delta.content or "" async for chunk in await create(**says, stream=True)]
            return whole.choices[0].message.content, "".join(parts)

    assert asyncio.run(body()) == ("a b", "a b")


def test_virtual_hedging(server):
    """On a virtual clock a nap ends before a slow answer, so a hedged call can win."""
    scope = server.scope(plan=faults.first(1, faults.slow(5)), virtual=True, grace=0.5)
    llm = model(server, scope=scope)

    async def body():
        slow = asyncio.create_task(llm.ainvoke("slow"))
        async with openai.AsyncOpenAI(base_url=server.url, api_key=scope.key) as client:
            nap = await client.post(f"/course/scopes/{scope.name}/sleeps", body={"seconds": 0.1}, cast_to=object)
        won = await llm.ainvoke("hedge")
        early = not slow.done()
        await slow
        return nap["course_time"], won.content, early

    assert asyncio.run(body()) == (0.1, "hedge", True)
    assert [record.course_stop for record in server.trace(scope)] == [5.0, 0.1]

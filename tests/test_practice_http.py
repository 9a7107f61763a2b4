"""The practice model as lessons meet it: ChatOpenAI and LangChain's agent over real HTTP."""

from typing import Literal

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from support import running_server

from course_utils import world
from course_utils.server.practice import PracticeModel
from course_utils.server.practice.tokens import count_tokens

HUB = next(each.text for each in world.tickets() if "blinking amber since Sunday" in each.text)


@pytest.fixture(scope="module")
def llm():
    """The large practice model behind a real course server."""
    with running_server(PracticeModel(), speed=100_000) as server:
        scope = server.scope()
        yield ChatOpenAI(
            model="practice-large", base_url=server.base_url(scope), api_key=scope.key, max_retries=0, temperature=0
        )


def test_lesson_one(llm):
    """Summarise, then translate the summary: both steps do what they say, and bill what they say."""
    summary = llm.invoke(f"Summarise this ticket in at most 20 words:\n{HUB}")
    german = llm.invoke(f"Translate into German:\n{summary.content}")
    assert len(summary.content.split()) <= 20 and "amber" in summary.content
    assert "gelb" in german.content
    assert german.usage_metadata["output_tokens"] == count_tokens(german.content)


def test_streaming_gives_the_same_text(llm):
    """Chunks add up to the answer of `invoke`, several of them."""
    chunks = [chunk.content for chunk in llm.stream("How long does a refund take?")]
    assert "".join(chunks) == llm.invoke("How long does a refund take?").content
    assert len(chunks) > 20


class Route(BaseModel):
    """Where a ticket goes."""

    label: Literal["billing", "technical", "sales", "other"]
    reason: str


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_structured_output(llm, method):
    """Both ways to structured output give a filled object."""
    route = llm.with_structured_output(Route, method=method).invoke(f"Classify the ticket.\n\nTicket: {HUB}")
    assert route.label == "technical" and route.reason


@tool
def look_up_order(order_id: str) -> dict:
    """Look up an order by its number."""
    order = world.order(order_id)
    return {"order_id": order.id, "status": order.status} if order else {"error": "no such order"}


@tool
def search_help(query: str) -> str:
    """Search the help centre."""
    return world.article("delivery").text


def test_langchain_agent(llm):
    """create_agent's loop ends with an answer from both tools' results."""
    agent = create_agent(llm, [look_up_order, search_help], system_prompt="You are the support agent of Merrowby.")
    question = "Where is MB-10510, and how long does a search with the carrier take?"
    turns = agent.invoke({"messages": [("user", question)]})["messages"]
    assert [turn.type for turn in turns] == ["human", "ai", "tool", "tool", "ai"]
    assert "shipped" in turns[-1].content and "8 working days" in turns[-1].content

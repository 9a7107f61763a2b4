"""The driver of graphs that ask: what was asked, what came of each answer, and what is no graph."""

from __future__ import annotations

from typing import TypedDict

import pytest
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt

from course_utils.interrupts import asked


class Talk(TypedDict, total=False):
    name: str
    said: list[str]


def talk(*words: str) -> StateGraph:
    """Asks for each word."""

    def ask(state: Talk) -> Talk:
        return {"said": [interrupt(f"{word}, {state['name']}?") for word in words]}

    return StateGraph(Talk).add_node("ask", ask).add_edge(START, "ask")


def test_a_run_goes_as_far_as_there_are_answers():
    """After the last answer nobody answers; the question that stays open is told."""
    runs = [{"state": {"name": "Mara"}, "answers": answers} for answers in ([], ["yes"], ["yes", "no"])]
    assert asked(lambda words: talk(*words), {"words": ["Tea", "Milk"], "runs": runs}) == [
        {"asked": ["Tea, Mara?"], "state": {"name": "Mara"}},
        {"asked": ["Tea, Mara?", "Milk, Mara?"], "state": {"name": "Mara"}},
        {"asked": ["Tea, Mara?", "Milk, Mara?"], "state": {"name": "Mara", "said": ["yes", "no"]}},
    ]


def test_answers_that_nobody_asked_for_are_kept_back():
    """A graph that asks nothing ends, whatever somebody would have said."""
    runs = [{"state": {"name": "Mara"}, "answers": ["yes"]}]
    assert asked(lambda: talk(), {"runs": runs}) == [{"asked": [], "state": {"name": "Mara", "said": []}}]


def test_a_compiled_graph_and_asynchronous_nodes_are_welcome():
    """Also without a checkpointer of its own."""

    def build() -> object:
        async def ask(state: Talk) -> Talk:
            return {"said": [interrupt("Tea?")]}

        return StateGraph(Talk).add_node("ask", ask).add_edge(START, "ask").compile()

    came = asked(build, {"runs": [{"state": {"name": "Owen"}, "answers": ["yes"]}]})
    assert came == [{"asked": ["Tea?"], "state": {"name": "Owen", "said": ["yes"]}}]


def test_an_answer_comes_to_a_graph_built_anew():
    """Where a run says so: variables of the first graph are gone, and its questions are stored."""
    made = []

    async def build() -> StateGraph:
        made.append(len(made))
        number = made[-1]
        node = lambda state: {"said": [interrupt("Tea?"), str(number)]}  # noqa: E731
        return StateGraph(Talk).add_node("ask", node).add_edge(START, "ask")

    runs = [{"state": {"name": "Mara"}, "answers": ["yes"], "anew": anew} for anew in (True, False)]
    assert [each["state"]["said"] for each in asked(build, {"runs": runs})] == [["yes", "1"], ["yes", "0"]]
    assert made == [0, 1]


def test_something_else_than_a_graph_is_named():
    """A learner who runs the graph, or forgets `return`, reads what came."""
    with pytest.raises(TypeError, match="a value of type NoneType, and the check needs the StateGraph"):
        asked(lambda: None, {"runs": []})

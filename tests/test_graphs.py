"""The drivers of a reducer and of a graph: what they hand over, what is shared between runs, and what they tell."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.graph import START, StateGraph

from course_utils.graphs import reduced, through_graph


class Notes(TypedDict, total=False):
    notes: Annotated[list[str], operator.add]


def built(node: Any, checkpointer: Any = None) -> Any:
    return StateGraph(Notes).add_node("note", node).add_edge(START, "note").compile(checkpointer=checkpointer)


def run(input: int | None, thread: str = "", *, anew: bool = False) -> dict[str, Any]:
    return {"input": input, "thread": thread, "anew": anew}


def given(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"llm": None, "inputs": [{"notes": ["a"]}, {"notes": []}], "runs": list(runs)}


def test_a_reducer_is_called_with_each_update_in_turn():
    """Each value is the next call's old one, and what was made of the two lists is told."""
    told = reduced(lambda old, new: old + new, {"value": [1], "updates": [[2], [3]]})
    assert told == [{"value": [1, 2], "old": [1], "new": [2]}, {"value": [1, 2, 3], "old": [1, 2], "new": [3]}]


def test_a_reducer_that_changes_its_old_value_is_told():
    """The list before the call is looked at after it."""
    (told,) = reduced(lambda old, new: old.extend(new) or old, {"value": [1], "updates": [[2]]})
    assert told == {"value": [1, 2], "old": [1, 2], "new": [2]}


def test_without_threads_no_checkpointer_is_handed_over():
    """The graph is built once, by `build(llm=...)` alone, and runs ordinary nodes and coroutines."""
    made = []

    def build(llm):
        made.append(llm)
        return built(lambda state: {"notes": ["b"]})

    told = {"returned": {"notes": ["a", "b"]}, "input": {"notes": ["a"]}}
    assert through_graph(build, given(run(0), run(0))) == [told, told]
    assert made == [None]


def test_an_input_that_is_named_twice_is_the_same_object():
    """What a node does to its caller's list shows after the run, and in the next one."""

    def build(llm):
        class Plain(TypedDict, total=False):
            notes: list[str]

        graph = StateGraph(Plain).add_node("note", lambda state: state["notes"].append("b") or {})
        return graph.add_edge(START, "note").compile()

    assert [each["input"]["notes"] for each in through_graph(build, given(run(0), run(0)))] == [
        ["a", "b"],
        ["a", "b", "b"],
    ]


def test_a_thread_is_carried_on_by_a_graph_built_anew():
    """All graphs share one checkpointer; what failed is told as data, with what was stored by then."""
    calls = []

    async def build(llm, checkpointer):
        calls.append(checkpointer)

        async def node(state):
            if len(calls) == 1:
                raise KeyError("order")
            return {"notes": ["b"]}

        return built(node, checkpointer)

    first, second = through_graph(build, given(run(0, "t"), run(None, "t", anew=True)))
    assert (first["raised"], first["message"], first["stored"]) == ("KeyError", "'order'", {"notes": ["a"]})
    assert second == {"returned": {"notes": ["a", "b"]}, "stored": {"notes": ["a", "b"]}, "input": None}
    assert len(calls) == 2 and calls[0] is calls[1]


def test_each_save_of_a_nodes_result_is_told():
    """Once for each node that has run, and only where the case asks for it."""
    told, case = [], given(run(0, "t"))
    for is_telling in (True, False):
        through_graph(
            lambda llm, checkpointer: built(lambda state: {"notes": ["b"]}, checkpointer),
            case | {"tell": told.append, "is_telling": is_telling},
        )
    assert told == ["saved"]


def test_a_graph_without_the_checkpointer_has_nothing_stored():
    """What `get_state` raises then is told in its place."""
    (told,) = through_graph(lambda llm, checkpointer: built(lambda state: {}), given(run(1, "t")))
    assert (told["stored"]["raised"], told["stored"]["message"]) == ("ValueError", "No checkpointer set")


def test_what_is_no_graph_is_named():
    """A graph that was not compiled cannot be run; parameters that do not fit are said in words."""
    assert through_graph(lambda llm: StateGraph(Notes), given(run(0))) == [{"built": "StateGraph"}]
    with pytest.raises(TypeError, match="is called with \\(llm, checkpointer\\)"):
        through_graph(lambda llm: None, given(run(0, "t")))
    with pytest.raises(TypeError, match="is called with \\(old, new\\)"):
        reduced(lambda old: old, {"value": [], "updates": [[]]})


def test_an_unwritten_node_comes_out_as_such():
    """NotImplementedError is no outcome of a run."""

    def node(state):
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        through_graph(lambda llm: built(node), given(run(0)))

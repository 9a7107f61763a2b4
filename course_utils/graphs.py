"""Drivers for answers that have to do with LangGraph's state: a reducer, and a function that builds a graph.

Layer 2: imports `attempt` and `plain`, and langgraph only when a graph is run. They run in the learner's process, so
what counts is which requests the server sees; what the graph gave back and has stored is told besides.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from course_utils.attempt import Drive, in_data, place, refuse_parameters
from course_utils.plain import plain

Story = dict[str, Any]  # what is told of one step: plain data, as it was at that moment


def reduced(answer: Callable[..., Any], arguments: Mapping[str, Any]) -> list[Story]:
    """What `answer(value, update)` gives for each of `updates` in turn, and what it has made of its two inputs.

    Args:
        arguments: `value`: the value before the first update. `updates`: what is joined to it, one after the other.
    """
    refuse_parameters(answer, {"old": None, "new": None})
    value, told = arguments["value"], []
    for update in arguments["updates"]:
        before, value = value, answer(value, update)
        told.append({"value": plain(value), "old": plain(before), "new": plain(update)})
    return told


def through_graph(answer: Callable[..., Any], arguments: Mapping[str, Any]) -> list[Story]:
    """What came of each run of the graph that `answer(llm, checkpointer)` builds.

    Args:
        arguments: `inputs`: states to begin with. `runs`: for each run the number of its `input` (the very same
            object when it is named twice; None: carry on), its `thread` ("" for none), and whether the graph is to be
            built `anew`. All graphs share one checkpointer; where no run has a thread, none is handed over.
            `tell`: tells the server that the checkpointer has saved what a node gave, where the case `is_telling`.

    Returns:
        Per run what `outcome` tells, and the `input` as it is now; or {"built": type name} when there is no graph.
    """
    given, runs = {"llm": arguments["llm"]}, arguments["runs"]
    if any(run["thread"] for run in runs):
        given["checkpointer"] = saver(arguments["tell"] if arguments.get("is_telling") else None)
    refuse_parameters(answer, given)

    async def story() -> list[Story]:
        graph, told = None, []
        for run in runs:
            if graph is None or run["anew"]:
                graph = await value_of(answer(**given))
            if not hasattr(graph, "ainvoke"):
                return [{"built": type(graph).__name__}]
            state = None if run["input"] is None else arguments["inputs"][run["input"]]
            told.append(await outcome(graph, state, run["thread"], answer) | {"input": plain(state)})
        return told

    return asyncio.run(story())  # one loop for all runs, as a client's connections belong to a loop


def saver(tell: Callable[[str], None] | None) -> Any:
    """A checkpointer in memory; with a `tell`, one that tells when a node's result has been saved."""
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.graph import START

    class Telling(InMemorySaver):
        def put_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
            super().put_writes(config, writes, task_id, task_path)
            if not task_path.endswith(START):  # which saves the input
                tell("saved")

    return Telling() if tell else InMemorySaver()


async def outcome(graph: Any, state: Any, thread: str, answer: Callable[..., Any]) -> Story:
    """What one run gave, "returned" or "raised", and with a thread what the graph says is "stored" then.

    Prints where it raised, if that is a line of the answer's and no request failed.

    Raises:
        NotImplementedError: A step has not been written yet.
    """
    config = {"configurable": {"thread_id": thread}} if thread else None
    try:
        told = {"returned": plain(await graph.ainvoke(state, config))}
    except NotImplementedError:
        raise
    except Exception as error:
        told = in_data(error)
        if "APIError" not in told["lineage"] and (where := place(error, answer)):
            print(f"{told['raised']} in {where}")
    if thread:
        try:
            told["stored"] = plain(dict((await graph.aget_state(config)).values))
        except Exception as error:
            told["stored"] = in_data(error)
    return told


async def value_of(value: Any) -> Any:
    """The value itself, or what comes of it when it is awaitable."""
    return await value if inspect.isawaitable(value) else value


GRAPHS: dict[str, Drive] = {"reduced": reduced, "through a graph": through_graph}

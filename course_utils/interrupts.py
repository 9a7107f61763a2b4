"""A driver for graphs that ask people: builds what an answer describes, runs it to each question, brings the answers.

Layer 2: imports `attempt`. It runs in the learner's process, so what counts is what the server sees of it; what was
asked, and the state at the end, are told besides. langgraph is imported when it is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from course_utils.attempt import Drive, called


def asked(answer: Callable[..., Any], arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What became of each run, all of them through one graph, each on a thread of its own.

    Args:
        arguments: `runs`: for each its first `state` and the `answers` that it gets, in turn; after the last one
            nobody answers any more. The rest goes to the answer, which gives back a StateGraph.

    Returns:
        Per run {"asked": the questions, "state": the values in the end}.

    Raises:
        TypeError: The answer gave something else.
    """
    graph = called(answer, {name: value for name, value in arguments.items() if name != "runs"})
    return asyncio.run(each_in_turn(app_of(graph), arguments["runs"]))


def app_of(graph: Any) -> Any:
    """The graph, ready to run and with a memory of its own."""
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.graph import StateGraph

    graph = getattr(graph, "builder", graph)  # of one that is compiled already, as it may lack a checkpointer
    if not isinstance(graph, StateGraph):
        raise TypeError(f"it gives back a value of type {type(graph).__name__}, and the check needs the StateGraph")
    return graph.compile(checkpointer=InMemorySaver())


async def each_in_turn(app: Any, runs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [await run(app, str(number), each) for number, each in enumerate(runs)]


async def run(app: Any, thread: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """One thread, as far as it comes with the answers that there are."""
    from langgraph.types import Command

    config = {"configurable": {"thread_id": thread}}
    result = await app.ainvoke(dict(inputs["state"]), config)
    questions, answers = [], list(inputs["answers"])
    while open_ones := result.get("__interrupt__"):
        questions.append(open_ones[0].value)
        if not answers:
            break
        result = await app.ainvoke(Command(resume=answers.pop(0)), config)
    return {"asked": questions, "state": dict((await app.aget_state(config)).values)}


INTERRUPTS: dict[str, Drive] = {"asked": asked}

"""A driver for graphs that ask people: builds what an answer describes, runs it to each question, brings the answers.

Layer 2: imports `attempt` and `graphs`. It runs in the learner's process, so what counts is what the server sees of
it; what was asked, and the state at the end, are told besides. langgraph is imported when it is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from course_utils.attempt import Drive, refuse_parameters
from course_utils.graphs import value_of


def asked(answer: Callable[..., Any], arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What became of each run, each on a thread of its own.

    Args:
        arguments: `runs`: for each its first `state`, the `answers` that it gets, in turn, and whether each answer
            comes to a graph built `anew`; after the last one nobody answers any more. The rest goes to the answer,
            which gives back a StateGraph. All graphs share one checkpointer.

    Returns:
        Per run {"asked": the questions, "state": the values in the end}.

    Raises:
        TypeError: The answer gave something else.
    """
    from langgraph.checkpoint.memory import InMemorySaver

    given = {name: value for name, value in arguments.items() if name != "runs"}
    refuse_parameters(answer, given)
    saver = InMemorySaver()

    async def build() -> Any:
        return app_of(await value_of(answer(**given)), saver)

    async def all_runs() -> list[dict[str, Any]]:
        app = await build()
        return [await run(app, build, str(number), each) for number, each in enumerate(arguments["runs"])]

    return asyncio.run(all_runs())


def app_of(graph: Any, saver: Any) -> Any:
    """The graph, ready to run and with this memory."""
    from langgraph.graph import StateGraph

    graph = getattr(graph, "builder", graph)  # of one that is compiled already, as it may lack a checkpointer
    if not isinstance(graph, StateGraph):
        raise TypeError(f"it gives back a value of type {type(graph).__name__}, and the check needs the StateGraph")
    return graph.compile(checkpointer=saver)


async def run(
    app: Any, build: Callable[[], Awaitable[Any]], thread: str, inputs: Mapping[str, Any]
) -> dict[str, Any]:  # fmt: skip
    """One thread, as far as it comes with the answers that there are."""
    from langgraph.types import Command

    config = {"configurable": {"thread_id": thread}}
    result = await app.ainvoke(dict(inputs["state"]), config)
    questions, answers = [], list(inputs["answers"])
    while open_ones := result.get("__interrupt__"):
        questions.append(open_ones[0].value)
        if not answers:
            break
        app = await build() if inputs.get("anew") else app
        result = await app.ainvoke(Command(resume=answers.pop(0)), config)
    return {"asked": questions, "state": dict((await app.aget_state(config)).values)}


INTERRUPTS: dict[str, Drive] = {"asked": asked}

"""The questions about a graph that was built and run: is it one, and did its runs end as they should?

Layer 2: imports `expect`, `nodes`, `noted`, `records` and `server`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from course_utils.records import Trace
from course_utils.server.cases import Finding, Seen
from course_utils.server.slips import slip_in
from course_utils.tasks import expect, nodes, noted


def built(seen: Seen, stories: Sequence[dict[str, Any]], given: str) -> Finding | None:
    """A finding unless there was a graph to run."""
    needs = "a compiled graph"
    if stories and (kind := stories[0].get("built")):
        fix = "`return graph.compile(checkpointer=checkpointer)`."
        return Finding(given, f"`build` gave a value of type {kind}", needs, fix)
    return expect.crashed(seen, given=given, needs=needs)


def refused(stories: Sequence[dict[str, Any]], fails: int, given: str) -> Finding | None:
    """A finding when a run ended with an exception, but for the first `fails` runs, in which a request fails."""
    for number, story in enumerate(stories, start=1):
        if "raised" not in story or (number <= fails and "APIError" in story["lineage"]):
            continue
        what = f"run {number} ended with {story['raised']}: {story['message'][:160]}"
        needs = "the state, with a summary"
        if known := nodes.advice(story["raised"], story["message"]):
            return Finding(given, what, needs, *known)
        if story["raised"] in ("EmptyInputError", "EmptyChannelError") or "checkpointer" in story["message"].lower():
            fix = f"{noted.HANDED} Where `build` is handed none, the graph has none."
            return Finding(given, what, needs, fix, noted.OWN)
        fix = slip_in(Seen(Trace(), raised=story["raised"], message=story["message"]))
        fix = fix or "look at the node that raised it. What did it get, and what may it return?"
        if "concatenate" in story["message"]:
            fix = "a reducer that adds lists wants a list from each node, also for a single note: `[text]`."
        return Finding(given, what, needs, fix)
    return None

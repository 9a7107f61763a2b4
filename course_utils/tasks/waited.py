"""Exercise 11, "A failing workflow": the runs of a trace that the whole had to wait for.

Layer 2: imports `diagnosis`, `expect`, `run_trees`, `slips`, `symptoms` and `server.cases`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any

from course_utils.server.cases import Case, Finding, Seen, Task, cut
from course_utils.tasks import expect
from course_utils.tasks.diagnosis import CALLED_OFF, CALM, CAUGHT, EXAMPLE, GIVEN_UP, trace_case
from course_utils.tasks.run_trees import Tree
from course_utils.tasks.slips import crashed
from course_utils.tasks.symptoms import is_below, told_of

SUM = "that a workflow takes as long as all its steps together; a step beside a longer one costs no time."


def paths(rng: Random) -> list[Case]:
    case = partial(trace_case, judge=judge_path)
    return [
        case("nothing failed", rng, CALM),
        case("the example", rng, EXAMPLE),
        case("an error that somebody caught", rng, CAUGHT),
        case("side by side, and one of them given up", rng, GIVEN_UP),
        case("one branch fails, the other is called off", rng, CALLED_OFF),
        case(
            "side by side within side by side",
            rng,
            """
            reply
              experts ||
                facts
                  fetch:tool @1
                  looks ||
                    llm ~15
                    llm ~30 @2
                  llm @3
                prices
                  llm ~10
                  llm ~9
              llm @4
            """,
            held_back=True,
        ),
        case(
            "an answer that broke off inside a tool",
            rng,
            "reply !IOError\n  agent\n    llm @1\n    search:tool !IOError\n      llm @2\n      llm !APIError @3",
            held_back=True,
        ),
    ]


@expect.in_order
def judge_path(seen: Seen, *, tree: Tree) -> Iterator[Finding | None]:
    given = told_of(tree)
    yield crashed(seen, given=given, needs="a list of ids")
    yield path(seen.returned, tree, given=given)


def path(told: Any, tree: Tree, *, given: str) -> Finding | None:
    """A finding unless the path consists of the runs that the whole had to wait for, in order of time."""
    if told == tree.path:
        return None
    what, needs = f"the path (as parent/name) {in_names(told, tree)}", in_names(tree.path, tree)
    fix, belief = "walk back from the end: the child that ended last, then the last one that ended before it began.", ""
    if isinstance(told, list) and not all(isinstance(each, str) for each in told):
        fix = "the list holds ids, so `run['id']` of each run."
    elif isinstance(told, list):
        leaves = {run["id"] for run in tree.runs if not any(is_below(other, run) for other in tree.runs)}
        if sorted(map(str, told)) == sorted(tree.path):
            fix = "these are the runs, in another order: the earliest first."
        elif any(each in {run["id"] for run in tree.runs} - leaves for each in told):
            fix = "a run with children stands for nothing itself: put its own path in its place."
        elif set(told) > set(tree.path):
            fix, belief = "leave out what ran beside something that ended later.", SUM
        elif len(told) == 1:
            fix = "one run is not the path: which one had to end before it could begin?"
    return Finding(given, what, needs, fix, belief)


def in_names(told: Any, tree: Tree) -> str:
    """A path by the names of its runs, each behind that of its parent."""
    if not isinstance(told, list):
        return cut(repr(told))
    names = {run["id"]: run["name"] for run in tree.runs}
    full = {run["id"]: f"{names.get(run['parent_run_id'], '')}/{run['name']}".lstrip("/") for run in tree.runs}
    return f"[{', '.join(full.get(each, '?') if isinstance(each, str) else '?' for each in told)}]"


TASK = Task(
    "trace.path",
    "The critical path",
    1,
    paths,
    (
        "Write a function `path(run)` inside: the path of a run without children is its own id; that of any other is "
        "put together from the paths of its children. Begin with the root.",
        "`sorted(children, key=lambda child: child['end_time'], reverse=True)` has the child that ended last first. "
        "Keep a `moment`: a child counts when it had ended by then, and then its start is the new moment.",
        "The path of a run: `found, moment = [], run['end_time']`; for each child, the one that ended last first: "
        "`if child['end_time'] <= moment: found, moment = path(child) + found, child['start_time']`; at last "
        "`return found or [run['id']]`.",
    ),
    models={},
)

"""Exercise 11, "A failing workflow": is this the diagnosis of that trace, and if not, what was it taken in by?

Layer 2: imports `expect`, `run_trees`, `token_sums`, `runs` and `server.cases`. Times are ISO texts of one form, which
compare as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from course_utils.records import count
from course_utils.runs import Run
from course_utils.server.cases import Finding, Seen, cut
from course_utils.tasks import expect
from course_utils.tasks.run_trees import Tree
from course_utils.tasks.token_sums import TWICE

LATE = "that the error which reaches you is the one that happened first."
HEALED = "that every error in a trace did harm; one that was repeated with success only cost something."
STARTED = "that what began first also failed first; an error happens when its run ends."
SUM = "that a workflow takes as long as all its steps together; a step beside a longer one costs no time."
KEYS = ("root_cause", "llm_tokens", "wasted_tokens", "critical_path")
NEEDS = f"a dict with the keys {', '.join(KEYS)}"


@expect.in_order
def judge_diagnosis(seen: Seen, *, tree: Tree) -> Iterator[Finding | None]:
    failed = sum(bool(run["error"]) for run in tree.runs)
    given = f"a trace of {count(len(tree.runs), 'run')} in no order, {failed} of them with an error"
    yield expect.crashed(seen, given=given, needs=NEEDS)
    got = seen.returned
    if not isinstance(got, dict) or set(got) != set(KEYS):
        yield Finding(given, f"your function gave {seen.outcome}", NEEDS, "return a dict with these four keys.")
    yield tokens(got, tree, given=given)
    yield cause(got["root_cause"], tree, given=given)
    yield waste(got["wasted_tokens"], tree, given=given)
    yield path(got["critical_path"], tree, given=given)


def tokens(got: dict[str, Any], tree: Tree, *, given: str) -> Finding | None:
    """A finding unless the tokens of the trace were counted once."""
    told = got["llm_tokens"]
    if told == tree.llm_tokens:
        return None
    more = isinstance(told, int) and told > tree.llm_tokens
    fix = "add up the `total_tokens` of the llm runs, failed ones too."
    what = f"`llm_tokens` is {told!r}"
    return Finding(given, what, f"{tree.llm_tokens}: the llm runs alone", fix, TWICE if more else "")


def cause(told: Any, tree: Tree, *, given: str) -> Finding | None:
    """A finding unless the root cause was found."""
    if told == tree.cause:
        return None
    what = f"`root_cause` is {called(told, tree)}"
    needs = f"{called(tree.cause, tree)}{'' if tree.cause else ': nothing failed that was not made good'}"
    fix, belief = mistaken(told, tree)
    return Finding(given, what, needs, fix, belief)


def mistaken(told: Any, tree: Tree) -> tuple[str, str]:
    """What was overlooked, and the belief behind it, when this run was taken for the cause."""
    run = next((run for run in tree.runs if run["id"] == told), None)
    if run is None:
        fix = "`root_cause` is the id of a run, or None when nothing failed that was not made good."
        if told is None:
            fix = "one was not made good: a repeat begins when the failed run has ended; what runs beside it is none."
        return fix, ""
    if not run["error"]:
        return "only a run with an `error` can be the cause.", ""
    if is_made_good(run, tree) or any(is_made_good(above, tree) for above in tree.runs if is_below(run, above)):
        return "the same was tried again with success, same name, same parent: leave the failed one out.", HEALED
    if any(other["error"] and is_below(other, run) for other in tree.runs):
        return "this one only passes on what failed below it: the first error has the smallest `end_time`.", LATE
    if any(other["id"] == tree.cause and other["start_time"] < run["start_time"] for other in tree.runs):
        return "an error came before this one, and somebody caught it: who failed first, by `end_time`?", LATE
    return "a run fails when it ends: the first error has the smallest `end_time`.", STARTED


def waste(told: Any, tree: Tree, *, given: str) -> Finding | None:
    """A finding unless exactly the tokens were counted of which nothing came."""
    if told == tree.wasted_tokens:
        return None
    fix = "go up from each llm run to the root: is there an error on the way, its own included?"
    if tree.wasted_tokens == tree.llm_tokens:
        fix = "the root failed, so nothing came of any of it: an error anywhere above an llm run counts."
    what = f"`wasted_tokens` is {told!r}; the trace used {tree.llm_tokens} in all"
    return Finding(given, what, f"{tree.wasted_tokens}: those with an error at or above them", fix)


def path(told: Any, tree: Tree, *, given: str) -> Finding | None:
    """A finding unless the path consists of the runs that the whole had to wait for, in order of time."""
    if told == tree.path:
        return None
    what, needs = f"`critical_path` is {in_names(told, tree)}", in_names(tree.path, tree)
    fix, belief = "walk back from the end: the child that ended last, then the last one that ended before it began.", ""
    if isinstance(told, list):
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


def is_below(run: Run, above: Run) -> bool:
    """True when `run` is a child of `above`, or a child of its children, and so on."""
    return run["dotted_order"].startswith(above["dotted_order"] + ".")


def is_made_good(run: Run, tree: Tree) -> bool:
    """True when it failed, and a run of that name under the same parent that began afterwards did not."""
    return bool(run["error"]) and any(
        other["name"] == run["name"]
        and other["parent_run_id"] == run["parent_run_id"]
        and not other["error"]
        and other["start_time"] > run["end_time"]
        for other in tree.runs
    )


def called(told: Any, tree: Tree) -> str:
    """A run by what it is called, and by the parent above it; anything else as it is."""
    runs = {run["id"]: run for run in tree.runs}
    run = runs.get(told) if isinstance(told, str) else None
    if run is None:
        return cut(repr(told))
    above = runs.get(run["parent_run_id"])
    return f"the run {run['name']!r} under {above['name']!r}" if above else f"the root, {run['name']!r}"


def in_names(told: Any, tree: Tree) -> str:
    """A path by the names of its runs, each behind that of its parent."""
    if not isinstance(told, list):
        return cut(repr(told))
    names = {run["id"]: run["name"] for run in tree.runs}
    full = {run["id"]: f"{names.get(run['parent_run_id'], '')}/{run['name']}" for run in tree.runs}
    return f"[{', '.join(full.get(each, '?') if isinstance(each, str) else '?' for each in told)}]"

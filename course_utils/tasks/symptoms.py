"""Exercise 11, "A failing workflow": is this the diagnosis of that trace, and if not, what was it taken in by?

Layer 2: imports `expect`, `run_trees`, `slips`, `token_sums`, `runs` and `server.cases`. Times are ISO texts of one
form, which compare as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from course_utils.records import count
from course_utils.runs import Run
from course_utils.server.cases import Finding, Seen, cut
from course_utils.tasks import expect
from course_utils.tasks.run_trees import Tree
from course_utils.tasks.slips import crashed
from course_utils.tasks.token_sums import TWICE

LATE = "that the error which reaches you is the one that happened first."
HEALED = "that every error in a trace did harm; one that was repeated with success only cost something."
STARTED = "that what began first also failed first; an error happens when its run ends."
KEYS = ("root_cause", "llm_tokens", "wasted_tokens")
NEEDS = f"a dict with the keys {', '.join(KEYS)}"


def judge_diagnosis(seen: Seen, *, tree: Tree) -> Finding | None:
    """The first finding; it tells as well which of the three are right, as one wrong one hides them."""
    finding = judge_three(seen, tree=tree)
    if finding is None or not isinstance(seen.returned, dict):
        return finding
    wanted = dict(zip(KEYS, (tree.cause, tree.llm_tokens, tree.wasted_tokens), strict=True))
    right = [key for key in KEYS if key in seen.returned and seen.returned[key] == wanted[key]]
    return replace(finding, seen=f"{finding.seen}; right here: {', '.join(right) or 'nothing yet'}")


@expect.in_order
def judge_three(seen: Seen, *, tree: Tree) -> Iterator[Finding | None]:
    given = told_of(tree)
    yield crashed(seen, given=given, needs=NEEDS)
    got = seen.returned
    if not isinstance(got, dict) or not set(KEYS) <= set(got):
        yield Finding(given, f"your function gave {seen.outcome}", NEEDS, "return a dict with these three keys.")
    yield tokens(got, tree, given=given)
    yield cause(got["root_cause"], tree, given=given)
    yield waste(got["wasted_tokens"], tree, given=given)


def told_of(tree: Tree) -> str:
    """What the case is, in a few words."""
    failed = sum(bool(run["error"]) for run in tree.runs)
    return f"a trace of {count(len(tree.runs), 'run')} in no order, {failed} of them with an error"


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
    if run is None and told is not None:
        return "`root_cause` is the id of a run, or None when nothing failed that was not made good.", ""
    if run is None:
        return excuse(tree) or "not every failed run was made good: which one is left?", ""
    if not run["error"]:
        return "only a run with an `error` can be the cause.", ""
    if is_made_good(run, tree):
        return "the same was tried again with success, same name, same parent: leave the failed one out.", HEALED
    if above := next((each for each in tree.runs if is_below(run, each) and is_made_good(each, tree)), None):
        fix = f"{called(above['id'], tree)}, was made good: {run['name']!r} stands below it, leave it out as well."
        return fix, HEALED
    if any(other["error"] and is_below(other, run) for other in tree.runs):
        return "this one only passes on what failed below it: the first error has the smallest `end_time`.", LATE
    if any(other["id"] == tree.cause and other["start_time"] < run["start_time"] for other in tree.runs):
        fix = "an error came before this one, and somebody caught it: who failed first, by `end_time`?"
        return excuse(tree) or fix, LATE
    return "a run fails when it ends: the first error has the smallest `end_time`.", STARTED


def excuse(tree: Tree) -> str:
    """Why a run that looks like a repeat of the cause, or of one above it, did not make it good; "" without one."""
    first = next(run for run in tree.runs if run["id"] == tree.cause)
    failed = [run for run in tree.runs if run["error"] and (run is first or is_below(first, run))]
    pairs = [(run, other) for run in failed for other in tree.runs if other is not run and other["name"] == run["name"]]
    for run, other in pairs:
        is_later, is_twin = other["start_time"] > run["end_time"], other["parent_run_id"] == run["parent_run_id"]
        here = f"{called(run['id'], tree)} was not made good: "
        if not is_twin and is_later and not other["error"]:
            return f"{here}the other {run['name']!r} has another parent, and is no repeat of it."
        if is_twin and is_later and other["error"]:
            return f"{here}its repeat failed as well."
        if is_twin and not other["error"]:
            return f"{here}the run that succeeded began before this one failed."
    return ""


def waste(told: Any, tree: Tree, *, given: str) -> Finding | None:
    """A finding unless exactly the tokens were counted of which nothing came."""
    if told == tree.wasted_tokens:
        return None
    fix = "go up from each llm run to the root: is there an error on the way, its own included?"
    if tree.wasted_tokens == tree.llm_tokens:
        fix = "the root failed, so nothing came of any of it: an error anywhere above an llm run counts."
    what = f"`wasted_tokens` is {told!r}; the trace used {tree.llm_tokens} in all"
    return Finding(given, what, f"{tree.wasted_tokens}: those with an error at or above them", fix)


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
    if above is None:
        return f"the root, {run['name']!r}"
    place = (run["name"], run["parent_run_id"])
    twins = sorted(each["start_time"] for each in tree.runs if (each["name"], each["parent_run_id"]) == place)
    which = f", number {twins.index(run['start_time']) + 1} of {len(twins)}" if len(twins) > 1 else ""
    return f"the run {run['name']!r} under {above['name']!r}{which}"

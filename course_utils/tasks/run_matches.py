"""Questions about recorded runs: has every request that the server saw exactly one run, and does it hang in its place?

Layer 2: imports `expect`, `scripts`, `slips`, `records` and `server.cases`. Runs come from the learner's process,
requests from the server: they are matched by the nonces of prompts and answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from course_utils.records import Record, Trace, count
from course_utils.server.cases import Finding
from course_utils.tasks import expect
from course_utils.tasks.scripts import Reply
from course_utils.tasks.slips import POOLS

ROOT, STEPS = "handle", ("route", "expert", "write")
EMPTY = "that a run belongs to whoever started it; a plain thread begins with an empty context, and knows no parent."
CAUGHT = "that an error which is caught leaves nothing to be told; the step has failed all the same."
ITSELF = "LangChain reports each request by itself: add no run of the type llm, a step is a chain or a tool."
TREE = "`handle` above all, and below it `route`, an `expert` for each name, and `write`"


@dataclass(frozen=True, slots=True)
class Told:
    """The runs of one case beside its requests."""

    runs: Sequence[Mapping[str, Any]]
    trace: Trace
    table: Mapping[str, Reply]

    def named(self, name: str) -> list[Mapping[str, Any]]:
        """The runs of this name; two of them right inside each other, a node and its function, count as one."""
        runs = [run for run in self.runs if run["name"] == name]
        return [run for run in runs if (step := self.step_of(run)) is None or step["name"] != name]

    def above(self, run: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The runs above this one, the nearest first."""
        by_id = {each["id"]: each for each in self.runs}
        for _ in self.runs:  # a loop among parents, which no SDK makes, comes to an end as well
            run = by_id.get(run["parent_run_id"])
            if run is None:
                return
            yield run

    def step_of(self, run: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The nearest run above it that is one of the tree's own."""
        return next((above for above in self.above(run) if above["name"] in (ROOT, *STEPS)), None)

    def key_of(self, record: Record) -> str:
        return next((key for key in self.table if key in record.prompt), "")

    def requests(self, record: Record) -> list[Mapping[str, Any]]:
        """The llm runs that tell of this request."""
        asked = [run for run in self.runs if run["run_type"] == "llm" and self.key_of(record) in run["inputs"]]
        return [run for run in asked if record.failed or record.answer in run["outputs"]]


@expect.in_order
def judge_runs(told: Told, *, given: str, is_lost: bool) -> Iterator[Finding | None]:
    """Every finding about the runs of one case.

    Args:
        is_lost: True when the whole failed.
    """
    yield has_root(told, given=given)
    yield hangs_together(told, given=given)
    for record in told.trace:
        yield matched(told, record, given=given)
    yield none_beside(told, given=given)
    yield each_of_its_own(told, given=given)
    for record in told.trace:
        yield tells_truth(told, record, given=given)
    yield ends_well(told, is_lost, given=given)


def has_root(told: Told, *, given: str) -> Finding | None:
    """A finding unless there is one run for the whole."""
    if (times := len(told.named(ROOT))) == 1:
        return None
    names = ", ".join(sorted({run["name"] for run in told.runs})) or "none"
    what = f"{count(times, 'run')} named {ROOT!r}; the names of the runs are: {names}"
    fix = "put `@traceable` above the function `handle`: its run gets the function's name."
    return Finding(given, what, f"one run named {ROOT!r}, over everything", fix)


def hangs_together(told: Told, *, given: str) -> Finding | None:
    """A finding when a run other than the root has no parent."""
    known = {run["id"] for run in told.runs}
    lost = [run for run in told.runs if run["parent_run_id"] not in known and run["name"] != ROOT]
    if not lost:
        return None
    names = ", ".join(dict.fromkeys(repr(run["name"]) for run in lost))
    what = f"{count(len(lost), 'run')} without a parent ({names}): each is a trace of its own"
    fix = f"carry the context into the thread: {POOLS}. Tasks of asyncio take it along."
    return Finding(given, what, f"one trace: {TREE}", fix, EMPTY)


def matched(told: Told, record: Record, *, given: str) -> Finding | None:
    """A finding unless exactly one run tells of this request, under the step that made it."""
    key = told.key_of(record)
    found, wanted = told.requests(record), key.split()[0].strip(":").lower()
    if len(found) != 1:
        what = f"{count(len(found), 'llm run')} for the request '{key}'"
        fix = ITSELF
        if not found:
            fix = "let the run be told what the model was asked and what it answered: ask `llm` itself."
        return Finding(given, what, "one llm run for each request that the server saw", fix)
    step = told.step_of(found[0])
    if step is not None and step["name"] == wanted:
        return None
    between = [above["name"] for above in told.above(found[0])]
    what = f"the request '{key}' hangs under {', under '.join(map(repr, between)) or 'nothing'}"
    fix = f"make a function `{wanted}` that makes this request, with `@traceable`, and let `handle` call it."
    return Finding(given, what, f"it under a run named {wanted!r}", fix)


def none_beside(told: Told, *, given: str) -> Finding | None:
    """A finding when a run calls itself an llm run, and tells of no request."""
    known = {run["id"] for record in told.trace for run in told.requests(record)}
    more = [run["name"] for run in told.runs if run["run_type"] == "llm" and run["id"] not in known]
    if not more:
        return None
    names = ", ".join(dict.fromkeys(map(repr, more)))
    what = f"{count(len(more), 'llm run')} ({names}) beside those of the {count(len(known), 'request')}"
    return Finding(given, what, "one llm run for each request that the server saw", ITSELF)


def each_of_its_own(told: Told, *, given: str) -> Finding | None:
    """A finding unless each step has one run, right below the root, for itself."""
    for name in STEPS:
        wanted = sum(told.key_of(record).lower().startswith(name) for record in told.trace)
        runs = told.named(name)
        if len(runs) != wanted:
            what = f"{count(len(runs), 'run')} named {name!r} for {count(wanted, 'request')} of that kind"
            fix = "a run for each expert: `@traceable` belongs on the function for one expert, and only there."
            return Finding(given, what, f"as many as requests: {TREE}", fix)
        for run in runs:
            step = told.step_of(run)
            if step is None or step["name"] != ROOT:
                what = f"a run named {name!r} hangs under {step['name'] if step else 'nothing'!r}"
                return Finding(given, what, TREE, "let `handle` call the steps, not one step another.")
    return None


def tells_truth(told: Told, record: Record, *, given: str) -> Finding | None:
    """A finding when a step's run says success although its request failed, or the other way round."""
    above, inner = list(told.above(request := told.requests(record)[0])), told.step_of(request)
    same = [run for run in above if inner is not None and run["name"] == inner["name"]]
    step = next((run for run in same if (run["status"] == "error") != record.failed), None)
    if step is None:
        return None
    key = told.key_of(record).strip(":")
    if record.failed and step is not inner:
        what = f"two runs named {step['name']!r} for '{key}', one in the other, and the outer one says {step['status']}"
        fix = "only the function that asks is the step; the one that catches its error needs no run, or another name."
        return Finding(given, what, "one run for each step, with an error where it failed", fix, CAUGHT)
    if record.failed:
        what = (
            f"the run {step['name']!r} of '{key}' says {step['status']}, and its request came back with {record.status}"
        )
        fix = "let the error leave the function with `@traceable`, and catch it outside of it."
        return Finding(given, what, "a run with an error where a step failed", fix, CAUGHT)
    what = f"the run {step['name']!r} of '{key}' says {step['status']}, and its request was answered"
    return Finding(given, what, "an error only where a step failed", "what did this function raise, after its answer?")


def ends_well(told: Told, is_lost: bool, *, given: str) -> Finding | None:
    """A finding when the root does not say how the whole ended."""
    status, wanted = told.named(ROOT)[0]["status"], "error" if is_lost else "success"
    if status == wanted:
        return None
    what = f"the run {ROOT!r} says {status}"
    return Finding(given, what, wanted, "let `handle` return or raise by itself; its run follows.", "")

"""What LangSmith would be told of a block of code: its run trees, kept in this process and sent nowhere.

Layer 2: imports nothing from this package, and langsmith only when a block begins. It takes no key, no environment
variable and no thread of its own. One block is open at a time; the runs of all threads and tasks belong to it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

Run = dict[str, Any]  # one run in LangSmith's shape: plain JSON, times as ISO text in UTC
FIELDS = ("id", "trace_id", "parent_run_id", "dotted_order", "name", "run_type", "start_time", "end_time")
CONTENTS = ("inputs", "outputs", "error", "extra", "tags")
TOKENS = ("prompt_tokens", "completion_tokens", "total_tokens")


@contextmanager
def recorded_runs() -> Iterator[list[Run]]:
    """Collect the runs that the real LangSmith SDK reports in the block: of `@traceable` functions and of LangChain.

    The list is empty inside, and filled at the block's end, in the order in which the runs began. A run that goes on
    after the block has no `end_time`. What was set with LangSmith before the block holds again after it.
    """
    from langsmith import configure, run_trees, tracing_context
    from langsmith._internal import _context as settings  # nothing public tells what `configure` was given before

    recorder, runs = Recorder(), []
    former = {"client": run_trees._CLIENT, "enabled": settings._GLOBAL_TRACING_ENABLED}
    # The context reaches this task and what it starts; `configure` reaches threads that begin without a context.
    # Those are recorded as LangSmith itself would record them: each as a trace of its own.
    with tracing_context(client=recorder, enabled=True, parent=False):
        configure(client=recorder, enabled=True)
        try:
            yield runs
        finally:
            configure(**former)
            runs += recorder.runs()


class Recorder:
    """As much of a LangSmith client as its SDK needs to report runs; what it is told stays here. Safe for threads."""

    otel_exporter = None  # the SDK asks: nothing goes to OpenTelemetry either

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[str, dict[str, Any]] = {}

    def create_run(self, name: str, inputs: Mapping[str, Any], run_type: str, **more: Any) -> None:
        """A run began."""
        self._keep({"name": name, "inputs": inputs, "run_type": run_type} | more)

    def update_run(self, run_id: Any, **more: Any) -> None:
        """A run ended, or there is more to say about it."""
        self._keep({"id": run_id} | more)

    def flush(self, timeout: float | None = None) -> None:
        """Nothing ever waits to be sent."""

    def runs(self) -> list[Run]:
        """Everything so far, with what LangSmith's server adds: a status, and tokens, which parents carry as well."""
        with self._lock:
            return with_totals([{key: told.get(key) for key in FIELDS + CONTENTS} for told in self._told.values()])

    def _keep(self, told: Mapping[str, Any]) -> None:
        known = {key: plain_json(told[key]) for key in FIELDS + CONTENTS if told.get(key) is not None}
        known.get("extra", {}).pop("runtime", None)  # which machine it was is nobody's business here
        with self._lock:
            self._told.setdefault(known["id"], {}).update(known)


def plain_json(value: Any) -> Any:
    """`value` as JSON data, copied; what JSON cannot hold becomes a text."""
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    if isinstance(value, datetime):  # LangChain and `@traceable` both report UTC; equal forms compare as texts
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, UUID):
        return str(value)
    try:
        return to_jsonable_python(value, fallback=repr, bytes_mode="base64", inf_nan_mode="strings")
    except (PydanticSerializationError, ValueError):  # it holds itself
        return {key: repr(part) for key, part in value.items()} if isinstance(value, dict) else repr(value)


def with_totals(runs: Sequence[Run]) -> list[Run]:
    """The runs with `status` and tokens; a parent carries the sum of what its children used."""
    totals = {run["id"]: own_tokens(run) for run in runs}
    for run in sorted(runs, key=lambda run: run["dotted_order"].count("."), reverse=True):  # the deepest first
        if (above := run["parent_run_id"]) in totals:
            totals[above] = [mine + more for mine, more in zip(totals[above], totals[run["id"]], strict=True)]
    return [run | {"status": status_of(run)} | dict(zip(TOKENS, totals[run["id"]], strict=True)) for run in runs]


def own_tokens(run: Run) -> list[int]:
    """Tokens in, out and together that this run itself reports; parents report none."""
    if run["run_type"] != "llm":
        return [0, 0, 0]
    outputs, metadata = run["outputs"] or {}, (run["extra"] or {}).get("metadata") or {}
    usage = outputs.get("usage_metadata") or metadata.get("usage_metadata") or {}
    told = [usage.get(key) or 0 for key in ("input_tokens", "output_tokens")]
    return [*told, sum(told)]


def status_of(run: Run) -> str:
    """ "error", "success", or "pending" when it has not ended."""
    return "error" if run["error"] else "success" if run["end_time"] else "pending"


def outline(runs: Sequence[Run], *, times: bool = False) -> str:
    """The run trees in words, one line for each run: its name, type, status and tokens.

    Args:
        times: Also when it began and ended, in seconds since the first run began; other ones at every recording.
    """
    known = {run["id"] for run in runs}
    roots = [run for run in in_order(runs) if run["parent_run_id"] not in known]
    rows = [row for root in roots for row in branch(root, runs, "", "")]
    width = max((len(label) for label, _ in rows), default=0)
    zero = min((run["start_time"] for run in runs), default="")
    lines = [f"{label:{width}}  {span(run, zero) if times else ''}{in_words(run)}" for label, run in rows]
    return "\n".join(lines)


def branch(run: Run, runs: Sequence[Run], head: str, under: str) -> list[tuple[str, Run]]:
    """This run and all below it, each with its name behind the lines of the tree."""
    below = [child for child in in_order(runs) if child["parent_run_id"] == run["id"]]
    rows = [(head + run["name"], run)]
    for child in below:
        is_last = child is below[-1]
        rows += branch(child, runs, under + ("└─ " if is_last else "├─ "), under + ("   " if is_last else "│  "))
    return rows


def in_order(runs: Sequence[Run]) -> list[Run]:
    """The runs by when they began."""
    return sorted(runs, key=lambda run: run["dotted_order"])


def span(run: Run, zero: str) -> str:
    """When the run began and ended, in a column."""
    moments = [run["start_time"], run["end_time"] or run["start_time"]]
    began, ended = [(datetime.fromisoformat(each) - datetime.fromisoformat(zero)).total_seconds() for each in moments]
    return f"{began:6.2f} s to {ended:6.2f} s  " if run["end_time"] else f"{began:6.2f} s to     ...  "


def in_words(run: Run) -> str:
    """Type, status and tokens, in columns."""
    tokens = f"{run['total_tokens']:5} tokens" if run["total_tokens"] else ""
    return f"{run['run_type']:5}  {run['status']:7}  {tokens}".rstrip()

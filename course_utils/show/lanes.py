"""Where each request of a trace goes in a timeline: its row, its lane within the row, and the words on it.

Layer 1: imports `records`. Pure values, no drawing. Times are seconds since the first request began, on the
course clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from course_utils.records import CLIENT_LEFT, Record, Trace, count

Outcome = Literal["done", "faulted", "failed", "open"]
PLAIN_STATUS = {"rate_limited", "server_error", "unavailable"}  # faults that their HTTP status says in full


@dataclass(frozen=True, slots=True)
class Bar:
    """One request on the timeline."""

    record: Record
    lane: int  # 0 is the top one; requests of a row that overlap lie in different lanes
    start: float
    stop: float  # for a running request: the end of the picture

    @property
    def outcome(self) -> Outcome:
        """ "faulted" is an answer with status 200 that a planned fault has changed or delayed."""
        if self.record.status is None:
            return "open"
        return "failed" if self.record.failed else "faulted" if self.record.fault else "done"


@dataclass(frozen=True, slots=True)
class Row:
    """All requests of one step."""

    step: str
    bars: tuple[Bar, ...]
    least: int = 1  # lanes that it has in any case

    @property
    def lanes(self) -> int:
        """How many lanes the row needs."""
        return max(self.least, max((bar.lane for bar in self.bars), default=0) + 1)


def rows_of(trace: Trace, steps: Sequence[str] | None = None) -> list[Row]:
    """One row for each of `steps`, then one for each other step of the trace, in order of first appearance."""
    order = dict.fromkeys([*(steps or ()), *trace.steps])
    zero = min((record.course_start for record in trace), default=0.0)
    end = max((_stop(record) for record in trace), default=0.0)
    if any(record.status is None for record in trace):
        end += (end - zero) * 0.08  # so that a request that has just begun is seen to run on
    return [Row(step, tuple(_stack([r for r in trace if r.step == step], zero, end))) for step in order]


def rows_until(rows: Sequence[Row], at: float) -> list[Row]:
    """The rows as they stood at that second, in their final lanes; what was in flight has no outcome yet."""
    return [Row(row.step, tuple(_until(bar, at) for bar in row.bars if bar.start <= at), row.lanes) for row in rows]


def _until(bar: Bar, at: float) -> Bar:
    if bar.record.status is not None and bar.stop <= at + 1e-9:
        return bar
    running = replace(bar.record, status=None, stop=None, course_stop=None, fault="", error="", finish_reason="")
    return Bar(running, bar.lane, bar.start, max(at, bar.start))


def _stop(record: Record) -> float:
    return record.course_start if record.course_stop is None else record.course_stop


def _stack(records: Iterable[Record], zero: float, end: float) -> Iterable[Bar]:
    free: list[float] = []  # when the last request of each lane ended
    shortest = (end - zero) * 1e-6  # so that two requests of no length at one moment do not hide each other
    for record in sorted(records, key=lambda record: (record.course_start, record.id)):
        start, stop = record.course_start, end if record.course_stop is None else record.course_stop
        lane = next((lane for lane, moment in enumerate(free) if moment <= start), len(free))
        free[lane : lane + 1] = [max(stop, start + shortest) if record.status is not None else float("inf")]
        yield Bar(record, lane, start - zero, stop - zero)


def outcome_word(record: Record) -> str:
    """What went wrong, in a word: "429", "503", "left", "cut"; "running" while it runs; "" when all went well."""
    if record.status is None:
        return "running"
    if record.status == CLIENT_LEFT:
        return "left"
    fault = record.fault.replace("_", " ")
    if not record.failed:
        return fault
    return str(record.status) if not fault or record.fault in PLAIN_STATUS else f"{record.status} {fault}"


def troubles(records: Iterable[Record]) -> list[str]:
    """How often each thing went wrong, the most frequent first: ["3 × 429", "1 × left"]."""
    words = Counter(word for record in records if (word := outcome_word(record)))
    return [f"{number} × {word}" for word, number in sorted(words.items(), key=lambda item: (-item[1], item[0]))]


def describe(trace: Trace, rows: Sequence[Row]) -> str:
    """The timeline in words, without times: what nbval may compare and a screen reader can say."""
    if not trace:
        return "No requests."
    head = f"{count(len(trace), 'request')} in {count(len([row for row in rows if row.bars]), 'step')}"
    retries = sum(record.attempt > 1 for record in trace)
    notes = troubles(trace) + ([f"{retries} {'retry' if retries == 1 else 'retries'}"] if retries else [])
    head += f" ({', '.join(notes)})" if notes else ""
    parts = "; ".join(_row_words(row) for row in rows) if 1 < len(rows) <= 8 else ""
    return f"{head}: {parts}." if parts else f"{head}."


def _row_words(row: Row) -> str:
    notes = troubles(bar.record for bar in row.bars)
    return f"{row.step or '(no step)'} {len(row.bars)}" + (f" ({', '.join(notes)})" if notes else "")

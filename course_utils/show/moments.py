"""The moments of a trace: each request begins once and ends once, and each is a moment worth a look.

Layer 1: imports `records`, `lanes`. Pure values, no drawing. Times are seconds on the course clock; no words hold any.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from course_utils.records import CLIENT_LEFT, Record, Trace
from course_utils.show.lanes import PLAIN_STATUS

NO_ANSWER = 444  # the status in the log when the server hung up without an answer
LONGEST = 600  # characters of a prompt or an answer that are shown


@dataclass(frozen=True, slots=True)
class Moment:
    """A request begins, or it ends."""

    record: Record
    number: int  # of this request among those of its step, in order of arrival
    is_end: bool
    at: float  # seconds since the first request began
    open: tuple[str, ...]  # the requests in flight once this has happened, in order of arrival

    @property
    def words(self) -> str:
        """What just happened: "Request 3 of `reply`, attempt 2: answered 503."."""
        who = named(self.record, self.number)
        who = who[0].upper() + who[1:]
        return f"{who}: {outcome(self.record)}." if self.is_end else f"{who}: it is sent."

    @property
    def text(self) -> tuple[str, str]:
        """The prompt of a request that begins, the answer of one that ends; with its name, and shortened."""
        name, text = ("answer", self.record.answer) if self.is_end else ("prompt", self.record.prompt)
        return name, shortened(text)


def named(record: Record, number: int) -> str:
    """The request, as people refer to it."""
    step = f" of `{record.step}`" if record.step else ""
    return f"request {number}{step}" + (f", attempt {record.attempt}" if record.attempt > 1 else "")


def outcome(record: Record) -> str:
    """How a request ended, in words.

    >>> outcome(Record(1, "s", "", "m", 1, 0, 1, 0, 1, 1, 503, fault="unavailable"))
    'answered 503'
    """
    if record.status is None:
        return "still running"
    if record.status == CLIENT_LEFT:
        return "the caller left before the answer was complete"
    fault = record.fault.replace("_", " ")
    if record.status == NO_ANSWER:
        return f"no answer came ({fault})" if fault else "no answer came"
    told = f"answered {record.status}"
    if record.failed:
        return told if not fault or record.fault in PLAIN_STATUS else f"{told} ({fault})"
    notes = [fault] * bool(fault) + ["at its length limit"] * (record.finish_reason == "length")
    return f"{told} ({', '.join(notes)})" if notes else told


def shortened(text: str) -> str:
    """The text, or its beginning and how much is missing."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()} … ({len(text) - LONGEST:,} characters more)"


def moments(trace: Trace) -> list[Moment]:
    """Every beginning and every end, in the order in which they happened."""
    zero = min((record.course_start for record in trace), default=0.0)
    names = {record.id: (record, number) for record, number in _numbered(trace)}
    found, flying = [], {}
    for at, is_start, key in sorted(_changes(trace)):  # at equal times an end counts before a beginning
        record, number = names[key]
        if is_start:
            flying[key] = named(record, number)
        else:
            flying.pop(key, None)
        found.append(Moment(record, number, not is_start, at - zero, tuple(flying[each] for each in sorted(flying))))
    return found


def _changes(trace: Trace) -> Iterator[tuple[float, bool, int]]:
    for record in trace:
        yield record.course_start, True, record.id
        if record.course_stop is not None:
            # a request of no length still begins before it ends
            yield max(record.course_stop, record.course_start + 1e-9), False, record.id


def _numbered(trace: Trace) -> Iterator[tuple[Record, int]]:
    counts: dict[str, int] = {}
    for record in sorted(trace, key=lambda record: record.id):
        counts[record.step] = counts.get(record.step, 0) + 1
        yield record, counts[record.step]

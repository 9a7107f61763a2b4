"""What the course server saw: one record per request, and the trace that a block of requests leaves.

Layer 0: imports nothing from this package. Values never change and are safe to share between threads.
Times are seconds since the scope began: `start`/`stop` on the machine's stopwatch, for questions of overlap;
`course_start`/`course_stop` on the course clock, for everything that is shown. The course clock runs
COURSE_SPEED times as fast as the stopwatch; in judged cases it moves by itself and nobody waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

CLIENT_LEFT = 499  # the status in the log when the caller hung up before the answer was complete


@dataclass(frozen=True, slots=True)
class Record:
    """One request that reached the course server, and what became of it."""

    id: int  # counts up over the whole server, in order of arrival
    scope: str
    step: str  # the caller's name for it (header x-course-step); "" when it gave none
    model: str
    attempt: int  # 1, or more when the SDK says that it repeats itself (x-stainless-retry-count + 1)
    start: float  # seconds
    stop: float | None  # seconds; None while it runs
    course_start: float  # seconds
    course_stop: float | None  # seconds; None while it runs
    in_flight: int  # requests of this scope that were open once this one began, itself included
    status: int | None  # HTTP status; CLIENT_LEFT when the caller hung up; None while it runs
    error: str = ""  # the error code sent, such as "rate_limit_exceeded"
    fault: str = ""  # the planned fault that struck, such as "rate_limited"
    finish_reason: str = ""  # "stop", "length", "tool_calls"; "" when the answer never came to an end
    prompt_tokens: int = 0
    completion_tokens: int = 0
    price: float = 0.0  # US dollars, at the model's list price
    stream: bool = False
    request: dict[str, Any] = field(default_factory=dict)  # the body as it was sent
    answer: str = ""  # the text sent back; for tool calls their JSON

    @property
    def failed(self) -> bool:
        """True when the caller did not get a complete answer with status 200."""
        return self.status is not None and self.status != 200

    @property
    def prompt(self) -> str:
        """All message texts of the request, in order, one after the other."""
        messages = self.request.get("messages")  # as it was sent, so it may be anything
        told = [each for each in messages if isinstance(each, dict)] if isinstance(messages, list) else []
        return "\n".join(text_of(message.get("content")) for message in told)


def text_of(content: Any) -> str:
    """The text of one message's content: a string, a list of parts, or nothing.

    >>> text_of([{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}])
    'a\\nb'
    """
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(
            part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    return ""


class Trace(Sequence[Record]):
    """The records of one block of requests, in order of arrival."""

    def __init__(self, records: Sequence[Record] = ()) -> None:
        self.records = tuple(records)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Trace: ...
    def __getitem__(self, index: int | slice) -> Record | Trace:
        return Trace(self.records[index]) if isinstance(index, slice) else self.records[index]

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __repr__(self) -> str:
        return f"<Trace: {count(len(self), 'request')}, {self.failed} failed>"

    @property
    def failed(self) -> int:
        """Number of requests that did not get a complete answer."""
        return sum(record.failed for record in self.records)

    @property
    def steps(self) -> list[str]:
        """Step names in order of first appearance."""
        return list(dict.fromkeys(record.step for record in self.records))

    @property
    def peak(self) -> int:
        """The most requests of this trace that were open at one moment."""
        moments = [(record.start, 1) for record in self.records]
        moments += [(record.stop, -1) for record in self.records if record.stop is not None]
        peak = now = 0
        for _, change in sorted(moments):  # at equal times an end counts before a beginning
            now += change
            peak = max(peak, now)
        return peak

    @property
    def makespan(self) -> float:
        """Seconds on the course clock from the first request's start to the last one's end."""
        stops = [record.course_stop for record in self.records if record.course_stop is not None]
        return max(stops) - min(record.course_start for record in self.records) if stops else 0.0

    @property
    def prompt_tokens(self) -> int:
        return sum(record.prompt_tokens for record in self.records)

    @property
    def completion_tokens(self) -> int:
        return sum(record.completion_tokens for record in self.records)

    @property
    def price(self) -> float:
        """US dollars for every request, failed ones too, as a provider would bill them."""
        return sum(record.price for record in self.records)


def count(number: int, noun: str) -> str:
    """The number with its noun, in the plural where English wants it.

    >>> count(1, "request"), count(2, "request")
    ('1 request', '2 requests')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

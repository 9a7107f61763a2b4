"""One request's row in the log, from its arrival to its end.

Layer 1: imports `faults`, `records`, `log`, `meter`, `scopes`, `sse` and `wire`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from course_utils.faults import Fault
from course_utils.records import Record

from . import meter
from .log import Log, readable
from .scopes import Scope
from .sse import Answer
from .wire import ChatRequest, Model, Usage


class Entry:
    """What is known of one request so far; the exchange fills it in."""

    def __init__(self, log: Log, corner: Scope, headers: dict[bytes, bytes], body: bytes) -> None:
        self.log, self.corner = log, corner
        self.step = headers.get(b"x-course-step", b"").decode("utf-8", "replace")[:200]
        self.id = log.next_id()
        corner.answers += 1
        self.answer_id = f"chatcmpl-{corner.answers}"
        self.request: ChatRequest | None = None
        self.model: Model | None = None
        self.fault: Fault | None = None
        self.answer: Answer | None = None
        self.streaming = False  # a part of the answer may have reached the caller
        log.opened(self._record(headers, readable(body)), body)
        # At once, unless the answer comes at once too: then one commit does for both.
        asyncio.get_running_loop().call_soon(log.commit)

    def _record(self, headers: dict[bytes, bytes], value: dict[str, Any]) -> Record:
        model, retries = value.get("model"), headers.get(b"x-stainless-retry-count", b"")
        return Record(
            id=self.id,
            scope=self.corner.name,
            step=self.step,
            model=model if isinstance(model, str) else "",
            attempt=int(retries) + 1 if retries.isdigit() and len(retries) < 6 else 1,
            start=self.corner.clock.stopwatch(),
            stop=None,
            course_start=self.corner.clock.now(),
            course_stop=None,
            in_flight=self.corner.open,
            status=None,
            stream=value.get("stream") is True,
        )

    def complete(self, status: int, error: str = "") -> None:
        """Write the end; it is safe on return. A caller who was sent nothing has an empty answer in the log."""
        usage, clock, answer = self.usage(), self.corner.clock, self.answer
        is_sent = answer is not None and (self.streaming or status == 200)
        is_whole = is_sent and status == 200 and not self.struck_by("malformed")
        self.log.completed(
            self.id,
            stop=clock.stopwatch(),
            course_stop=clock.now(),
            status=status,
            error=error,
            fault=self.fault.kind if self.fault else "",
            finish_reason=answer.finish_reason if answer and is_whole else "",
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            price=self.model.price(usage) if self.model else 0.0,
            answer=answer.text if answer and is_sent else "",
        )

    def usage(self) -> Usage:
        """The backend's count; for an answer that broke off, our own."""
        if self.answer is None or self.request is None:
            return Usage(0, 0)
        return self.answer.usage or meter.usage(self.request, self.answer.texts)

    def struck_by(self, kind: str) -> bool:
        """True when a planned fault of this kind strikes this request."""
        return self.fault is not None and self.fault.kind == kind

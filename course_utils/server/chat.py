"""POST /v1/chat/completions: one exchange from the request's arrival to the last byte of its answer.

Layer 1: imports the server's smaller modules. It is an ASGI app rather than a Starlette endpoint, because planned
faults need the connection itself. Order of events: read the body, open the log's row, check the request, count it
for the fault plan, ask the rate limit, strike with the planned fault or ask the backend, complete the log's row,
send the last byte. Requests that are refused as wrong (400, 404) count neither for the plan nor for the limit.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from typing import Any

from pydantic_core import to_json

from course_utils.clock import Wait
from course_utils.faults import Fault
from course_utils.records import CLIENT_LEFT

from . import mischief, openai_api
from .asgi import EVENTS, JSON, ClientLeft, connected, hang_up, send_error, send_head
from .entry import Entry
from .limits import too_many
from .scopes import Scope
from .sse import DONE, Answer, event
from .state import Course
from .wire import ApiError, ChatRequest, Piece

logger = logging.getLogger(__name__)
NO_ANSWER = 444  # the status in the log when the server hung up without an answer, as planned


class HangUp(Exception):
    """A planned fault closes the connection without an answer."""


async def chat(course: Course, name: str, scope: Any, receive: Any, send: Any) -> None:
    """Serve one request to the scope called `name`; the other arguments are ASGI's."""
    corner = course.scopes.get(name)
    if corner is None:
        message = f"There is no scope {name!r} on this server."
        return await send_error(send, ApiError(404, message, code="scope_not_found"))
    with corner.clock.serving() as wait:
        exchange = Exchange(course, corner, scope, receive, send, wait)
        try:
            await exchange.run()
        finally:
            exchange.leave()


class Exchange:
    """One request and its answer."""

    def __init__(self, course: Course, corner: Scope, scope: Any, receive: Any, send: Any, wait: Wait) -> None:
        self.course, self.corner, self.wait = course, corner, wait
        self.scope, self.receive, self.send = scope, receive, send
        self.entry: Entry
        self.headers: dict[str, str] = {}

    async def run(self) -> None:
        """Everything, the end of the connection included."""
        try:
            body = await self.read()
            self.arrive(body)
            async with connected(self.receive):
                last = await self.respond(openai_api.decode(body))
            await self.send({"type": "http.response.body", "body": last})
        except ApiError as error:
            await self.refuse(error)
        except HangUp as fault:
            self.entry.complete(NO_ANSWER, str(fault))
            await hang_up(self.receive, self.send)
        except ClientLeft:
            self.entry.complete(CLIENT_LEFT, "client_left")
        except Exception:
            logger.exception("a request failed inside the course server")
            said = "The course server itself failed here; its window says more. This is not your mistake."
            await self.refuse(ApiError(500, said, type="server_error", code="internal_error"))

    async def read(self) -> bytes:
        """The whole body. A request that breaks off or is too large arrives without one."""
        body = b""
        try:
            while True:
                message = await self.receive()
                if message["type"] == "http.disconnect":
                    raise ClientLeft
                body += message.get("body", b"")
                if not message.get("more_body"):
                    return body
        except (ApiError, ClientLeft):
            self.arrive(b"{}")
            raise

    def arrive(self, body: bytes) -> None:
        """From here on the request counts as open, and is in the log."""
        self.corner.open += 1
        self.entry = Entry(self.course.log, self.corner, dict(self.scope["headers"]), body)

    def leave(self) -> None:
        """The request is over."""
        self.corner.open -= hasattr(self, "entry")

    async def respond(self, value: dict[str, Any]) -> bytes:
        """Send the answer except for its last bytes, which are given back; by then the log is complete."""
        entry, backend = self.entry, self.corner.backend
        request = entry.request = openai_api.parse(value)
        entry.model = openai_api.find_model(backend, request.model)
        arrival = self.corner.arrival(entry.step, request.model)
        self.limit()
        entry.fault = self.corner.fault(arrival)
        if entry.fault:
            await self.strike(entry.fault)
        entry.answer = Answer(entry.answer_id, entry.model.id, int(time.time()), request.n)
        if entry.fault and (text := mischief.spoken(entry.fault)) is not None:
            pieces = source = mischief.instead(text, request)
        else:
            source = backend.stream(request.model_copy(update={"model": entry.model.id}))
            pieces = mischief.bent(entry.fault, source, request.n)
        try:
            return await (self.stream if request.stream else self.whole)(pieces, request, entry.answer)
        finally:
            if close := getattr(source, "aclose", None):  # lets a backend go as soon as its answer is not wanted
                await close()

    def limit(self) -> None:
        """Take a token from the rate limit's bucket, if the scope has one."""
        if bucket := self.corner.bucket:
            wait = bucket.take(self.corner.clock.now())
            self.headers = bucket.headers()
            if wait:
                raise too_many(wait, bucket)

    async def strike(self, fault: Fault) -> None:
        """The faults that leave no answer at all."""
        if error := mischief.refusal(fault):
            raise error
        if fault.kind == "timeout":
            await self.wait(fault.seconds)
        if fault.kind in ("timeout", "dropped"):
            raise HangUp(fault.kind)

    async def whole(self, pieces: AsyncIterator[Piece], request: ChatRequest, answer: Answer) -> bytes:
        """Answer with one JSON object."""
        pause = 0.0
        async for piece in pieces:
            pause += piece.wait
            answer.add(piece)
        await self.wait(pause)  # once: nobody sees the single pieces
        answer.usage = self.entry.usage()
        body = to_json(answer.completion())
        if self.entry.struck_by("malformed"):
            body = body[: len(body) // 2]
        self.entry.complete(200)
        await send_head(self.send, 200, JSON, len(body), self.own_headers())
        return body

    async def stream(self, pieces: AsyncIterator[Piece], request: ChatRequest, answer: Answer) -> bytes:
        """Answer with server-sent events."""
        with_usage = bool((request.stream_options or {}).get("include_usage"))
        async for piece in pieces:
            await self.begin_stream()
            if piece.wait:
                await self.wait(piece.wait)
            answer.add(piece)
            events = answer.events(piece, with_usage=with_usage)
            if self.entry.struck_by("malformed"):
                self.entry.complete(200)
                return events[: len(events) // 2] + b"\n\n" + DONE
            await self.send({"type": "http.response.body", "body": events, "more_body": True})
        await self.begin_stream()
        answer.usage = self.entry.usage()
        self.entry.complete(200)
        return b"" if self.entry.struck_by("cut") else answer.last_events(with_usage=with_usage)

    async def begin_stream(self) -> None:
        """Send the head, once; whoever has seen a part of an answer is in the log by then."""
        if not self.entry.streaming:
            self.course.log.commit()
            self.entry.streaming = True
            await send_head(self.send, 200, EVENTS, None, self.own_headers())

    async def refuse(self, error: ApiError) -> None:
        """Answer with an error; within a stream as its last event."""
        try:
            self.entry.complete(error.status, error.code or error.type)
        except (sqlite3.Error, UnicodeError):  # the log is what failed; the caller is told all the same
            logger.exception("a request could not be logged")
        if self.entry.streaming:
            return await self.send({"type": "http.response.body", "body": event(error.body()) + DONE})
        await send_error(self.send, error, self.own_headers())

    def own_headers(self) -> dict[str, str]:
        """What the server adds to every answer."""
        return {"x-request-id": f"req_{self.entry.id}"} | self.headers

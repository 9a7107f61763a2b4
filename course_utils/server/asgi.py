"""The connection to one caller: heads and errors on their way out, and what happens when either side hangs up.

Layer 1: imports `wire`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic_core import to_json

from .wire import ApiError

JSON, EVENTS = b"application/json", b"text/event-stream; charset=utf-8"


class ClientLeft(Exception):
    """The caller hung up."""


async def send_head(send: Any, status: int, kind: bytes, length: int | None, more: dict[str, str]) -> None:
    """Begin a response; without a length its body is sent in chunks."""
    headers = [(b"content-type", kind)]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    headers += [(name.encode(), value.encode("latin-1", "replace")) for name, value in more.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def send_error(send: Any, error: ApiError, more: dict[str, str] | None = None) -> None:
    """Answer with an error in OpenAI's shape."""
    body = to_json(error.body())
    await send_head(send, error.status, JSON, len(body), (more or {}) | error.headers)
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def connected(receive: Any) -> AsyncIterator[None]:
    """Runs the block for as long as the caller is there; when he hangs up, it ends with ClientLeft."""
    task, left = asyncio.current_task(), False

    async def watch() -> None:
        nonlocal left
        while (await receive())["type"] != "http.disconnect":
            pass
        left = True
        task.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if left and task.uncancel() == 0:  # else the server itself is ending
            raise ClientLeft from None
        raise
    finally:
        watcher.cancel()


async def hang_up(receive: Any, send: Any) -> None:
    """Close the connection without a word. ASGI has no message for that, so this asks uvicorn's own transport."""
    send.__self__.transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass

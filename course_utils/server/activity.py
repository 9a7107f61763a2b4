"""Whether anybody still needs the server: open requests, recent ones, and client processes that live.

Layer 1: imports nothing from this package. Times are real seconds.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any


class Activity:
    """An ASGI app around another one that knows how many requests are open and when the last one ended."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.open = 0
        self.last = time.monotonic()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        self.open += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.open -= 1
            self.last = time.monotonic()


async def stop_when_idle(activity: Activity, idle: float, course: Any, stop: Callable[[], None]) -> None:
    """Call `stop` once nobody was here for `idle` seconds: no request, and no client process that still lives."""
    while activity.open or time.monotonic() - activity.last < idle or any(map(is_alive, list(course.clients))):
        await asyncio.sleep(min(0.5, idle / 4))
    stop()


def is_alive(pid: int) -> bool:
    """True when a process has this number."""
    if os.name == "nt":
        import ctypes  # os.kill would end the process there

        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, pid)
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

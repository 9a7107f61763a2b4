"""A model whose request for one step fails once another step's node is done, and its result saved.

Layer 2: imports `scripts`, `server.effects` and `server.wire`. The driver tells of each save by an effect. A script
belongs to one case and to the server's event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from course_utils.server.effects import Effect
from course_utils.server.wire import ChatRequest
from course_utils.tasks.scripts import Reply, failure

PATIENCE = 10.0  # real seconds; only answers that do not use the checkpointer wait so long
Script = Callable[[ChatRequest, int], Reply]


@dataclass
class Saves:
    """Knows whether a node has been saved since the first of these steps was asked for."""

    _is_begun: bool = False
    _saved: asyncio.Event = field(default_factory=asyncio.Event)

    def told(self, effect: Effect, number: int) -> int:
        """What becomes of an effect: all is well."""
        if self._is_begun:
            self._saved.set()
        return 200

    def begins(self, script: Script) -> Script:
        """The script of the step whose node is to be saved."""

        def reply(request: ChatRequest, number: int) -> Reply:
            self._is_begun = True
            return script(request, number)

        return reply

    def fails(self, script: Script) -> Callable[[ChatRequest, int], object]:
        """The script of a step whose first request fails when the other one's node is saved."""

        async def reply(request: ChatRequest, number: int) -> Reply:
            if number > 1:
                return script(request, number - 1)
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._saved.wait()
            return failure(500)

        return reply

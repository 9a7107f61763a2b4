"""What a case's scope offers besides models: its clock, its counts and its effects, to whoever has the scope's key.

Layer 1: imports `control`, `effects`, `records` and `wire`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from course_utils.records import CLIENT_LEFT

from .control import SCOPE, Asked, asked, scope_of
from .effects import LOST, SILENT
from .wire import ApiError

LOOK = 0.01  # real seconds between two looks at whether the caller is gone
DURATION = 0.5  # course seconds that an effect takes, unless it says otherwise
WORDS = {
    402: "There is not enough money for that.",
    409: "That cannot be done (any more).",
    410: "Enough: this has been called too often.",
    503: "The service is unavailable; nothing was done.",
    LOST: "The answer got lost on its way.",
}


class Deed(Asked):
    name: str = Field(max_length=100)
    key: str = Field(default="", max_length=200)
    data: dict[str, Any] = Field(default_factory=dict)
    takes: float = Field(default=DURATION, ge=0)  # course seconds


async def now(request: Request) -> Response:
    return JSONResponse({"course_time": scope_of(request).clock.now()})


async def counts(request: Request) -> Response:
    scope = scope_of(request)
    effects = scope.effects
    return JSONResponse({"requests": scope.answers, "effects": len(effects.calls), "silent": effects.silent})


async def act(request: Request) -> Response:
    """Do it, or not, as the case has it.

    Raises:
        ApiError: It did not happen, or it did and nobody says so.
    """
    deed, scope = await asked(request, Deed), scope_of(request)
    with scope.clock.serving() as wait:
        await wait(deed.takes)
        done = scope.effects.take(scope.clock.now(), deed.name, deed.key, deed.data)
    if done.status == SILENT:
        while not await request.is_disconnected():
            await asyncio.sleep(LOOK)
        return Response(status_code=CLIENT_LEFT)
    if done.status != 200:
        raise ApiError(done.status, WORDS.get(done.status, "That was refused."), code="effect_failed")
    return JSONResponse({"status": "done", "name": deed.name})


ROUTES = [
    Route(f"{SCOPE}/clock", now),
    Route(f"{SCOPE}/counts", counts),
    Route(f"{SCOPE}/effects", act, methods=["POST"]),
]

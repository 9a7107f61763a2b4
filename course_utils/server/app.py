"""The course server as an ASGI app: guard, chat completions, control API, and whatever routes the judge adds.

Layer 1: imports the other server modules. All state belongs to the event loop that serves the app.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from . import control, stage
from .chat import chat
from .guard import Guard
from .scopes import MAIN
from .state import Course, Settings
from .wire import ApiError

CHAT = re.compile(r"(?:/s/([^/]+))?/v1/chat/completions")


class CourseApp(Starlette):
    """Starlette behind the guard; chat completions go past it, as they need the connection itself."""

    def __init__(self, course: Course, routes: Sequence[BaseRoute]) -> None:
        handlers: dict[Any, Any] = {ApiError: api_error, HTTPException: http_error}
        super().__init__(
            routes=[*routes, *control.ROUTES, *stage.ROUTES], exception_handlers=handlers, lifespan=lifespan
        )
        self.router.redirect_slashes = False
        self.state.course = course
        self._guard = Guard(self._inside, course.settings.token, course.scopes.key, course.settings.most_bytes)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._guard(scope, receive, send)

    async def _inside(self, scope: Any, receive: Any, send: Any) -> None:
        found = CHAT.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if found:
            return await chat(self.state.course, found[1] or MAIN, scope, receive, send)
        await super().__call__(scope, receive, send)


def create_app(settings: Settings, routes: Sequence[BaseRoute] = ()) -> CourseApp:
    """The app; `app.state.course` has settings, scopes, log and backend.

    Args:
        routes: More Starlette routes, for callers with the owner token.

    Raises:
        CourseError: The log's file belongs to another running server.
    """
    return CourseApp(Course(settings), routes)


@asynccontextmanager
async def lifespan(app: CourseApp) -> AsyncIterator[None]:
    yield
    app.state.course.log.close()


async def api_error(request: Request, error: ApiError) -> Response:
    return JSONResponse(error.body(), error.status, headers=error.headers)


async def http_error(request: Request, error: HTTPException) -> Response:
    """Unknown paths and wrong methods, in OpenAI's words."""
    path, method = request.url.path, request.method
    if error.status_code == 405 or CHAT.fullmatch(path):
        message = f"Not allowed to {method} on {path}. (HINT: Perhaps you meant to use a different HTTP method?)"
        shaped = ApiError(405, message, code="method_not_supported", headers={"allow": "POST"} | (error.headers or {}))
    elif error.status_code == 404:
        shaped = ApiError(404, f"Invalid URL ({method} {path})", code="unknown_url")
    else:
        shaped = ApiError(error.status_code, str(error.detail))
    return await api_error(request, shaped)

"""The control API under /course: health, scopes, conditions, records, sleeps, clients, stop.

Layer 1: imports the server's smaller modules. The guard has let the caller in; see there for who may what.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from course_utils import __version__
from course_utils.errors import CourseError
from course_utils.faults import Plan

from .limits import Rate
from .log import as_json
from .openai_api import about, decode, find_model, refusal
from .scopes import Scope
from .state import Course
from .wire import ApiError


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewScope(Asked):
    name: str | None = None
    plan: Plan | None = None
    rate: Rate | None = None
    virtual: bool = False
    grace: float = Field(default=0.005, gt=0, le=5)  # real seconds; for a virtual scope's clock


class Conditions(Asked):
    plan: Plan | None = None
    rate: Rate | None = None


class Nap(Asked):
    seconds: float = Field(ge=0, le=86400)


class Quiet(Asked):
    seen: int


class Client(Asked):
    pid: int = Field(gt=0)


async def asked(request: Request, shape: type[Asked]) -> Any:
    """The body as this shape.

    Raises:
        ApiError: 400, it is not.
    """
    body = await request.body()
    try:
        return shape.model_validate(decode(body or b"{}"))
    except ValidationError as error:
        raise refusal(error.errors(include_url=False)[0]) from error


def course_of(request: Request) -> Course:
    return request.app.state.course


def scope_of(request: Request) -> Scope:
    """The scope in the path; "main" where there is none.

    Raises:
        ApiError: 404, there is no such scope.
    """
    name = request.path_params.get("scope", "main")
    scope = course_of(request).scopes.get(name)
    if scope is None:
        raise ApiError(404, f"There is no scope {name!r} on this server.", code="scope_not_found")
    return scope


async def health(request: Request) -> Response:
    course = course_of(request)
    models = [{"id": model.id, "size": model.size} for model in course.backend.models()]
    found = {"version": __version__, "pid": os.getpid(), "backend": course.backend.name}
    return JSONResponse(found | {"models": models, "speed": course.settings.speed})


async def create_scope(request: Request) -> Response:
    wanted, course = await asked(request, NewScope), course_of(request)
    try:
        scope = course.scopes.create(**dict(wanted))
    except CourseError as error:
        raise ApiError(409, str(error), code="scope_refused") from error
    base_url = f"{str(request.base_url).rstrip('/')}/s/{scope.name}/v1"
    return JSONResponse({"scope": scope.name, "base_url": base_url, "key": scope.key})


async def delete_scope(request: Request) -> Response:
    course_of(request).scopes.close(scope_of(request).name)
    return JSONResponse({})


async def set_conditions(request: Request) -> Response:
    wanted, scope = await asked(request, Conditions), scope_of(request)
    scope.set_conditions(wanted.plan, wanted.rate)
    return JSONResponse({"after": course_of(request).log.last_id})


async def records(request: Request) -> Response:
    """The scope's records; a closed scope's are still in the log."""
    course, name = course_of(request), request.path_params["scope"]
    after = request.query_params.get("after", "0")
    if not after.isdecimal() or len(after) > 18:
        raise ApiError(400, f"'after' is the id of a record, not {after!r}.", param="after", code="invalid_value")
    scope = course.scopes.get(name)
    first = max(int(after), scope.since if scope else 0)
    trace = await asyncio.to_thread(course.log.trace, name, first)
    if scope is None and not trace:
        scope_of(request)
    return Response(as_json(trace), media_type="application/json")


async def add_sleep(request: Request) -> Response:
    nap, scope = await asked(request, Nap), scope_of(request)
    wait = await scope.sleep(nap.seconds)
    return JSONResponse({"course_time": scope.clock.now(), "wait": wait})


async def sleeps(request: Request) -> Response:
    return JSONResponse([sleep._asdict() for sleep in scope_of(request).sleeps])


async def jump(request: Request) -> Response:
    """The caller is idle, and was told of `seen` changes before it knew: a virtual clock may jump."""
    quiet, scope = await asked(request, Quiet), scope_of(request)
    return JSONResponse({"changes": await scope.jump(quiet.seen)})


async def add_client(request: Request) -> Response:
    course_of(request).clients.add((await asked(request, Client)).pid)
    return JSONResponse({})


async def stop(request: Request) -> Response:
    course = course_of(request)
    if course.on_stop is None:
        raise ApiError(409, "This server was not started in a way that lets it be stopped.", code="cannot_stop")
    asyncio.get_running_loop().call_soon(course.on_stop)
    return JSONResponse({})


async def list_models(request: Request) -> Response:
    models = [about(model) for model in scope_of(request).backend.models()]
    return Response(to_json({"object": "list", "data": models}), media_type="application/json")


async def show_model(request: Request) -> Response:
    model = find_model(scope_of(request).backend, request.path_params["model"])
    return Response(to_json(about(model)), media_type="application/json")


async def not_taught(request: Request) -> Response:
    """The SDKs would repeat a 501, so it is a 404 like any other path that is not there."""
    message = (
        f"The course server has no {request.url.path}: everything in the course goes through "
        "/v1/chat/completions (in LangChain, ChatOpenAI without use_responses_api)."
    )
    raise ApiError(404, message, code="unsupported_endpoint")


SCOPE = "/course/scopes/{scope}"
ROUTES = [
    Route("/course/health", health),
    Route("/course/scopes", create_scope, methods=["POST"]),
    Route(SCOPE, delete_scope, methods=["DELETE"]),
    Route(f"{SCOPE}/conditions", set_conditions, methods=["PUT"]),
    Route(f"{SCOPE}/records", records),
    Route(f"{SCOPE}/sleeps", add_sleep, methods=["POST"]),
    Route(f"{SCOPE}/sleeps", sleeps),
    Route(f"{SCOPE}/jump", jump, methods=["POST"]),
    Route("/course/clients", add_client, methods=["POST"]),
    Route("/course/stop", stop, methods=["POST"]),
]
for _root in ("/v1", "/s/{scope}/v1"):
    ROUTES += [
        Route(f"{_root}/models", list_models),
        Route(f"{_root}/models/{{model:path}}", show_model),
        Route(f"{_root}/responses", not_taught, methods=["POST"]),
        Route(f"{_root}/embeddings", not_taught, methods=["POST"]),
    ]

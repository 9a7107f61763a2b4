"""The course server as a process: one per project, on loopback, until it is told to stop or nobody needs it.

Layer 1: imports the other server modules, each where it is first needed, so that a second start which finds the
lock taken ends before it has imported much. Nothing secret is ever on the command line or in the messages.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import CourseError
from . import runtime
from .activity import Activity, stop_when_idle
from .backends import make_backend, refuse_loop
from .runtime import Runtime

if TYPE_CHECKING:
    from .wire import Backend

HOST = "127.0.0.1"
PATIENCE = 1.0  # seconds to wait for the lock; whoever only looks whether it is held lets go within microseconds
LAST_WORDS = 1  # seconds that open answers get when the server ends


def serve(
    *,
    model: str = "practice",
    port: int = 0,
    upstream_url: str | None = None,
    gguf: str | Path | None = None,
    idle: float | None = None,
    runtime_file: str | Path | None = None,
    speed: float | None = None,
    ready: Callable[[Runtime], None] | None = None,
    routes: Sequence[Any] = (),
) -> int:
    """Run the course server in this process until it ends; gives 0, the process's exit status.

    Args:
        model: "practice", "local" or "openai" (anything that speaks OpenAI's protocol).
        port: 0 takes the port of the project's former server where it is free, so that clients find it again.
        idle: Seconds without a request and without a living client after which it ends; None is never.
        speed: How many times faster than real the course clock runs; None is $COURSE_SPEED, else 1.
        ready: Called once, on the event loop, when the server listens.
        routes: Starlette routes of the judge, mounted behind the server's guard.

    Raises:
        CourseError: A server runs already, the port is taken, or the model cannot be had.
    """
    path = Path(runtime_file).absolute() if runtime_file else runtime.location()
    with ExitStack() as stack:
        stack.enter_context(_only_one(path))
        runtime.retire(path)  # what a killed server left; from here on nobody takes it for ours
        former = runtime.former(path)
        token = former.token if former else secrets.token_urlsafe(32)
        backend = make_backend(model, upstream_url=upstream_url, gguf=gguf)
        stack.callback(getattr(backend, "close", lambda: None))
        listener = stack.enter_context(_listen(port, former.port if former else 0))
        here = f"http://{HOST}:{listener.getsockname()[1]}"
        if forwards_to := getattr(backend, "base_url", None):
            refuse_loop(forwards_to, listener.getsockname()[1])
        app = _make_app(token, _log_path(path), backend, _speed(speed), routes)
        found = Runtime(here, token, os.getpid(), time.time(), __version__, str(runtime.PROJECT))
        stack.callback(runtime.retire, path)
        _run(app, listener, idle, lambda: _announce(path, found, ready))
    return 0


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    deadline = time.monotonic() + PATIENCE
    while True:
        with runtime.holding(path) as held:
            if held:
                yield
                return
        if time.monotonic() > deadline:
            raise CourseError(
                "A course server for this folder is running already.",
                fix="use that one, or end it first with `python3 -m course_utils stop`.",
            )
        time.sleep(0.02)


@contextmanager
def _listen(port: int, former: int) -> Iterator[socket.socket]:
    """A listening socket on `port`; for port 0 on the former server's port, or any when that is taken."""
    for wanted in [port] if port else [former, 0]:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if (
                os.name == "posix"
            ):  # take a port whose last connections are still winding down; on Windows it would steal
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((HOST, wanted))
            listener.listen(2048)
        except OSError as error:
            listener.close()
            if port:
                raise CourseError(
                    f"Port {port} cannot be used: {error.strerror}.",
                    fix="name another port, or none to take any free one.",
                ) from error
            continue
        with listener:
            yield listener
        return


def _make_app(token: str, log_path: Path, backend: Backend, speed: float, routes: Sequence[Any]) -> Any:
    from .app import create_app
    from .state import Settings

    return create_app(Settings(token=token, log_path=log_path, backend=backend, speed=speed), routes=routes)


def _log_path(path: Path) -> Path:
    if chosen := os.environ.get("COURSE_LOG"):
        return Path(chosen).absolute()
    return runtime.private_directory(runtime.home(path)) / "log.sqlite"


def _speed(chosen: float | None) -> float:
    name = "COURSE_SPEED" if chosen is None else "--speed"
    text = os.environ.get("COURSE_SPEED") or "1" if chosen is None else f"{chosen:g}"
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise CourseError(f"{name} is {text!r}; it has to be a number above 0.", fix="leave it out, or set it to 1.")
    return speed


def _announce(path: Path, found: Runtime, ready: Callable[[Runtime], None] | None) -> None:
    runtime.write(path, found)
    if ready:
        ready(found)


def _run(app: Any, listener: socket.socket, idle: float | None, announce: Callable[[], None]) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        """Says when it listens, and watches whether anybody still needs it."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            app.state.course.on_stop = self.stop
            announce()
            if idle is not None:
                self.watch = asyncio.create_task(stop_when_idle(watched, idle, app.state.course, self.stop))

        def stop(self) -> None:
            self.should_exit = True

    watched = Activity(app)
    config = uvicorn.Config(
        watched, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=LAST_WORDS
    )
    with _quiet_signals():
        Server(config).run(sockets=[listener])


@contextmanager
def _quiet_signals() -> Iterator[None]:
    """Uvicorn raises the signal that ended it once more when it is done; here that would skip the tidying up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

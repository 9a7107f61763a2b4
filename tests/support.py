"""A real course server on a free port, in a thread, for tests."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from course_utils.records import Trace
from course_utils.server.app import CourseApp, create_app
from course_utils.server.scopes import Scope
from course_utils.server.state import Settings
from course_utils.server.wire import Backend, ChatRequest, Model, Piece, Usage

TOKEN = "owner-token-for-tests"


class Echo:
    """Answers with the last message, word by word; one token is one word, and every word takes `latency` seconds."""

    name = "echo"
    accepts_any_model = False

    def __init__(self, latency: float = 0.0) -> None:
        self.latency = latency

    def models(self) -> list[Model]:
        small = Model("practice-small", "small", prompt_price=1.0, completion_price=2.0)
        return [small, Model("practice-large", "large", prompt_price=10.0, completion_price=20.0)]

    async def stream(self, request: ChatRequest) -> AsyncIterator[Piece]:
        words = str(request.messages[-1].content).split(" ")
        for index, word in enumerate(words):
            yield Piece(word if index == 0 else f" {word}", wait=self.latency)
        yield Piece(finish_reason="stop", usage=Usage(len(words), len(words)))


@dataclass(frozen=True)
class Running:
    """A server that runs; `url` has no slash at its end."""

    url: str
    token: str
    app: CourseApp
    loop: asyncio.AbstractEventLoop

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def course(self) -> Any:
        return self.app.state.course

    @property
    def client(self) -> httpx.Client:
        """A fresh HTTP client of the owner; close it, or use it in a `with`."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, trust_env=False)

    def scope(self, name: str | None = None, **options: Any) -> Scope:
        """`scopes.create`, from the test's thread."""

        async def create() -> Scope:
            return self.course.scopes.create(name, **options)

        return asyncio.run_coroutine_threadsafe(create(), self.loop).result(5)

    def base_url(self, scope: Scope | str = "main") -> str:
        """Where an OpenAI client finds this scope."""
        return f"{self.url}/s/{scope if isinstance(scope, str) else scope.name}/v1"

    def trace(self, scope: Scope | str = "main", after: int = 0) -> Trace:
        return self.course.log.trace(scope if isinstance(scope, str) else scope.name, after)


@contextmanager
def running_server(
    backend: Backend | None = None,
    speed: float = 1000.0,
    routes: Any = (),
    log_path: Path | None = None,
    **settings: Any,
) -> Iterator[Running]:
    """A course server on a free loopback port; the backend is an `Echo` unless you give one."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = log_path or Path(folder) / "log.sqlite"
        app = create_app(Settings(TOKEN, path, backend or Echo(), speed, **settings), routes)
        config = uvicorn.Config(app, port=0, log_level="error", access_log=False, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        started: list[asyncio.AbstractEventLoop] = []
        ready = threading.Event()

        async def serve() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(server.serve())
                while not server.started:
                    await asyncio.sleep(0.002)
                started.append(asyncio.get_running_loop())
                ready.set()

        def run() -> None:
            with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:  # uvloop where it is installed
                runner.run(serve())

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        assert ready.wait(10), "the test server did not start"
        app.state.course.on_stop = lambda: setattr(server, "should_exit", True)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield Running(f"http://127.0.0.1:{port}", TOKEN, app, started[0])
        finally:
            server.should_exit = True
            thread.join(10)

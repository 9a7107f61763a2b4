"""What several test files share."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import TOKEN, Running, running_server

from course_utils import connection
from course_utils.server import runtime
from course_utils.server.judge import Judge
from course_utils.server.scopes import Scope
from course_utils.stage import Stage
from course_utils.tasks import TASKS


@pytest.fixture(scope="module")
def judged_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A course server with the judge of all tasks, found by `connect()` through its runtime file."""
    folder: Path = tmp_path_factory.mktemp("runtime")
    folder.chmod(0o700)
    file = folder / "server.json"
    with pytest.MonkeyPatch.context() as patch, running_server(routes=Judge(TASKS).routes()) as server:
        runtime.write(file, runtime.Runtime(server.url, TOKEN, os.getpid(), time.time(), "test", str(folder)))
        patch.setenv("COURSE_SERVER_FILE", str(file))
        patch.setattr(connection, "_courses", {})
        yield server


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pictures go: $COURSE_SHOTS, or a folder of the test run."""
    folder = Path(os.environ.get("COURSE_SHOTS") or tmp_path_factory.mktemp("shots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def corner() -> Iterator[tuple[Stage, Scope]]:
    """The stage of a virtual scope, with the scope itself."""
    with running_server() as server:
        scope = server.scope(virtual=True)
        yield Stage(f"{server.url}/course/scopes/{scope.name}", scope.key), scope

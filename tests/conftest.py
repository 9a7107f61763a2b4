"""What several test files share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from support import TOKEN, Running, running_server
from xdist.scheduler import LoadFileScheduling

from course_utils import connection
from course_utils.private_server import new_key
from course_utils.server import runtime
from course_utils.server.judge import Judge
from course_utils.server.scopes import Scope
from course_utils.stage import Stage
from course_utils.tasks import TASKS

LONG = {
    *("test_grading_course", "test_release", "test_browser", "test_browser_widgets", "test_private_server"),
    *("test_grading", "test_lab", "test_env"),
}
TABLES = {"test_tasks", "test_held_back"}
collect_ignore = ["fixtures"]  # files that tests use; none of them is a test or holds an example


class ByFileOrAnswer(LoadFileScheduling):
    """One worker runs a file, whose tests share a server; the long tables of answers are handed out row by row."""

    def _split_scope(self, nodeid: str) -> str:
        """What one worker runs: a file, or a single test of `TABLES`."""
        file = super()._split_scope(nodeid)
        return nodeid if Path(file).stem in TABLES else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFileOrAnswer | None:
    """Parts the tables of answers where files would be handed out whole."""
    return ByFileOrAnswer(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take long come first and the tables last, so that no worker has much left alone at the end."""
    items.sort(key=lambda item: (item.path.stem not in LONG, item.path.stem in TABLES))


@contextmanager
def judging(folder: Path, judge: Judge) -> Iterator[tuple[Running, pytest.MonkeyPatch]]:
    """A course server with this judge, found by `connect()` through its runtime file."""
    folder.chmod(0o700)
    file = folder / "server.json"
    with pytest.MonkeyPatch.context() as patch, running_server(routes=judge.routes()) as server:
        runtime.write(file, runtime.Runtime(server.url, TOKEN, os.getpid(), time.time(), "test", str(folder)))
        patch.setenv("COURSE_SERVER_FILE", str(file))
        patch.setattr(connection, "_courses", {})
        yield server, patch


@pytest.fixture(scope="module")
def judged_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A course server with the judge of all tasks, as in self-study."""
    with judging(tmp_path_factory.mktemp("runtime"), Judge(TASKS)) as (server, _):
        yield server


@pytest.fixture(scope="module")
def submitted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], None]]:
    """A course server that runs held-back cases too, as when grading; what is called says whose checks run now."""
    judge = Judge(TASKS, key=new_key())
    with judging(tmp_path_factory.mktemp("grading"), judge) as (_, patch):
        yield partial(submit, judge, patch)


def submit(judge: Judge, patch: pytest.MonkeyPatch, submission: str) -> None:
    """From now on this submission is graded."""
    judge.seeds = {submission: None}
    patch.setenv("COURSE_SUBMISSION", submission)


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

"""A corner of its own for a notebook that we run: a bare environment, and a course server that nobody else uses.

Layer 2: imports `env`, `errors` and `server.runtime`. `environment` holds no key and nothing of the caller's settings,
so a notebook runs the same on every machine; a server inside it is found through the runtime file in the same folder.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from course_utils.env.lock import PROJECT
from course_utils.env.processes import ended, private_file, start
from course_utils.env.variables import QUIET
from course_utils.errors import CourseError
from course_utils.server import runtime
from course_utils.server.runtime import Runtime

KEPT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "COURSE_SPEED")
FIXED = QUIET | {
    "IPYKERNEL_CELL_NAME": "<IPY-INPUT>",  # without it the evalue of a SyntaxError differs on every run
    "LANG": "C.UTF-8",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYTHONHASHSEED": "0",
    "PYTHONPATH": str(PROJECT),  # the active environment may have the packages and not the course
    "PYTHONUTF8": "1",
    "TZ": "UTC",
}
IDLE = 30.0  # seconds after which a server ends whose starter is gone, however that ended
SERVE = (sys.executable, "-m", "course_utils", "serve", "--idle", f"{IDLE:g}")
PATIENCE = 60.0  # seconds for a server to start or stop


def environment(folder: Path, extra: Mapping[str, str] = {}) -> dict[str, str]:
    """All environment variables for a kernel whose home, temporary files and course server are in `folder`."""
    temporary = folder / "tmp"
    temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
    folders = {
        "HOME": str(folder),
        "IPYTHONDIR": str(folder / ".ipython"),
        "TMPDIR": str(temporary),
        "MPLCONFIGDIR": str(font_cache()),
        "COURSE_SERVER_FILE": str(runtime_file(folder)),
        "COURSE_LOG": str(folder / "server" / "log.sqlite"),
    }
    return {name: os.environ[name] for name in KEPT if name in os.environ} | FIXED | folders | dict(extra)


def font_cache() -> Path:
    """Shared by all runs: matplotlib takes seconds to list the fonts of a machine, and warns while it does."""
    folder = runtime.state_directory()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)  # left to matplotlib it would be open to others, and no course server would start there
    return folder / "matplotlib"


def runtime_file(folder: Path) -> Path:
    """Where the course server of this folder says where it is."""
    return folder / "server" / "server.json"


class PrivateServer:
    """The course server of one folder, started by us; with a grading `key` its verdicts carry receipts.

    Raises:
        CourseError: On entering: the server did not start.
    """

    def __init__(self, folder: Path, *, key: bytes | None = None, command: Sequence[str] = SERVE) -> None:
        """Args as attributes; `command` starts the server that writes the runtime file."""
        self.folder = folder
        self.key = key
        self.command = command

    def __enter__(self) -> PrivateServer:
        """Start it, and wait until it says where it is; what was begun is ended also when that is interrupted."""
        variables = environment(self.folder)
        if self.key:
            variables["COURSE_GRADING_KEY"] = self.key.hex()
        messages = self.folder / "server.txt"
        with ExitStack() as stack:
            told = stack.enter_context(private_file(messages))
            self.process = stack.enter_context(ended(start(self.command, self.folder, variables, told)))
            self.found = self.announced(messages)  # kept: a notebook may change the file later
            call(self.found, "POST", "/course/clients", {"pid": os.getpid()})  # while we live, it is not idle
            self.opened = stack.pop_all()
        return self

    def announced(self, messages: Path) -> Runtime:
        """What the server says about itself once it listens.

        Raises:
            CourseError: It ended, or took too long.
        """
        deadline = time.monotonic() + PATIENCE
        while (found := runtime.read(runtime_file(self.folder))) is None:
            if not self.is_running or time.monotonic() > deadline:
                said = messages.read_text("utf-8", "replace").strip()[-1000:] or "nothing"
                raise CourseError(
                    f"The course server did not start; it said: {said}", fix="run `python -m course_utils doctor`."
                )
            time.sleep(0.02)
        return found

    def __exit__(self, *_: object) -> None:
        """End it, and wait until it has ended."""
        self.opened.close()

    @property
    def is_running(self) -> bool:
        """True while the process that we started lives."""
        return self.process.poll() is None

    def get(self, path: str) -> Any:
        """The JSON that the server answers to its owner.

        Raises:
            CourseError: It does not answer.
        """
        return call(self.found, "GET", path)

    def post(self, path: str, body: Any) -> Any:
        """Tell the server something, as its owner.

        Raises:
            CourseError: It does not answer, or refuses.
        """
        return call(self.found, "POST", path, body)


def new_key() -> bytes:
    """A grading key for one run of the grader."""
    return secrets.token_bytes(32)


def call(found: Runtime, method: str, path: str, body: Any = None) -> Any:
    """One request with the owner token.

    Raises:
        CourseError: The server does not answer, or refuses.
    """
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {found.token}", "Content-Type": "application/json"}
    request = urllib.request.Request(found.url + path, data, headers, method=method)
    no_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with no_proxy.open(request, timeout=PATIENCE) as response:
            return json.loads(response.read() or b"null")
    except OSError as error:
        raise CourseError(f"The course server did not answer {method} {path}: {error}.", fix="run it again.") from error


def stop(folder: Path) -> None:
    """End the server that a notebook started on demand in `folder`, if there is one, and wait until it is gone."""
    path = runtime_file(folder)
    if not path.exists() or not runtime.is_running(path):
        return
    if found := runtime.read(path):
        call(found, "POST", "/course/stop")
    deadline = time.monotonic() + PATIENCE
    while runtime.is_running(path) and time.monotonic() < deadline:
        time.sleep(0.02)

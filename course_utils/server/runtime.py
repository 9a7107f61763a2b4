"""Where the running course server is: one private file per project, and the lock that proves it is alive.

Layer 1: imports `env` and `errors` only. The file is JSON and holds the owner token, so it lives in a directory that
only its owner may enter (0700, file 0600) and is refused when it does not. A server holds the lock beside the file
for as long as it runs; the operating system lets go of it however the server ends, so a file without a held lock
is stale, and nobody sends a token to whoever may listen on that port now.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..env.lock import PROJECT
from ..errors import CourseError

APP = "orchestration-course"


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a client needs to know about a server."""

    url: str  # "http://127.0.0.1:PORT"
    token: str = field(repr=False)  # the owner token: allows everything
    pid: int
    started: float  # seconds since 1970
    version: str
    project: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


def state_directory(
    platform: str = sys.platform, environ: Mapping[str, str] = os.environ, project: Path = PROJECT
) -> Path:
    """The project's own folder for what outlives a login: the request log and the server's messages."""
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or Path.home())
    if platform == "win32":
        base = Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state")
    return base / APP / _name(project)


def location(platform: str = sys.platform, environ: Mapping[str, str] = os.environ, project: Path = PROJECT) -> Path:
    """Where the runtime file is: $COURSE_SERVER_FILE, else the login's runtime directory, else the state directory."""
    if chosen := environ.get("COURSE_SERVER_FILE"):
        return Path(chosen).absolute()
    shared = Path(environ.get("XDG_RUNTIME_DIR") or "/nonexistent")
    if platform not in ("win32", "darwin") and _is_mine(shared):  # after `su` it may be someone else's
        return shared / APP / _name(project) / "server.json"
    return state_directory(platform, environ, project) / "server.json"


def home(path: Path) -> Path:
    """The folder for the log and the messages of the server whose runtime file is `path`."""
    return state_directory() if path == location(environ=_without_choice()) else path.parent


def _without_choice() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "COURSE_SERVER_FILE"}


def _name(project: Path) -> str:
    """Two clones have two servers; the hash keeps their long paths out of a socket's or a log's way."""
    return hashlib.sha256(os.fsencode(project)).hexdigest()[:12]


def _is_mine(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.getuid() and os.access(folder, os.W_OK)
    except OSError:
        return False


def private_directory(folder: Path) -> Path:
    """The folder, made for its owner alone where it was missing.

    Raises:
        CourseError: It belongs to someone else, or others may enter it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_open(folder)
    return folder


def _refuse_open(path: Path) -> None:
    """Windows has no such bits: there the folder lies in the user's own profile."""
    if os.name != "posix":
        return
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode) or status.st_uid != os.getuid():
        raise CourseError(
            f"{path} belongs to someone else or is a link, so the course server's key is not safe there.",
            fix="move it away, or set COURSE_SERVER_FILE to a file in a folder of your own.",
        )
    if status.st_mode & 0o077:
        raise CourseError(
            f"{path} is open to other users of this machine, and the course server's key belongs there.",
            fix=f"close it with `chmod go-rwx {path}`.",
        )


def read(path: Path) -> Runtime | None:
    """The runtime file's content; None when there is none or it makes no sense.

    Raises:
        CourseError: The file or its folder is not private.
    """
    if not path.exists():
        return None
    _refuse_open(path.parent)
    _refuse_open(path)
    try:
        found = Runtime(**json.loads(path.read_bytes()))
        return found if found.port and found.token else None
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def write(path: Path, runtime: Runtime) -> None:
    """Put the file in place at once, so that nobody ever reads half of it."""
    private_directory(path.parent)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".server-")  # mkstemp makes it 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(runtime), file)
    os.replace(temporary, path)


def former(path: Path) -> Runtime | None:
    """The server that ran here last, alive or not: its port and token are worth having again."""
    return read(path) or read(_former(path))


def retire(path: Path) -> None:
    """Remove the file as its server ends, remembering port and token for the next one."""
    if path.exists():
        os.replace(path, _former(path))


def _former(path: Path) -> Path:
    return path.with_name(f"{path.stem}.former.json")


def is_running(path: Path) -> bool:
    """True when a server holds the lock of this runtime file, or someone put the file there for us, without a lock."""
    if not _lock_path(path).exists():
        return path.exists()
    with holding(path) as held:
        return not held


@contextmanager
def holding(path: Path) -> Iterator[bool]:
    """Hold the lock of the server that owns `path` if it is free; gives False, at once, when another holds it."""
    private_directory(path.parent)
    handle = os.open(_lock_path(path), os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        yield _try_lock(handle)
    finally:
        os.close(handle)  # lets go of the lock as well


def _lock_path(path: Path) -> Path:
    return path.with_suffix(".lock")


def _try_lock(handle: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt  # only there

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # only here

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

"""Finding the running course server, and starting one that outlives the process which asked for it.

Layer 1: imports `errors` and `runtime`. Any number of processes may start one at the same moment: the one that gets
the lock serves, the others end, and everybody uses the one that serves. Times are real seconds.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from ..errors import CourseError
from . import runtime
from .runtime import Runtime

START = 15.0  # a server listens within this time or something is wrong with it
IDLE = 60.0  # a server that nobody uses ends after this time
MESSAGES = 1_000_000  # bytes of messages that are kept from earlier servers
LAST_LINES = 12
_children: list[subprocess.Popen[bytes]] = []


def find_or_start() -> tuple[Runtime, dict[str, Any]]:
    """The project's server and what it says about itself.

    Raises:
        CourseError: It did not start within 15 s, or has another model than $COURSE_MODEL asks for.
    """
    path = runtime.location()
    answer = find(path) or start(path)
    asked, backend = os.environ.get("COURSE_MODEL"), answer[1]["backend"]
    if asked and asked != backend:
        raise CourseError(
            f"The course server that runs has the {backend} model, but COURSE_MODEL asks for {asked!r}.",
            fix="end that server with `python3 -m course_utils stop` and run this again, or unset COURSE_MODEL.",
        )
    return answer


def find(path: Path) -> tuple[Runtime, dict[str, Any]] | None:
    """The server of this runtime file and what it says about itself, when it lives and answers."""
    # The lock first: a server that has it puts a stale file aside at once, and no token goes to a stranger's port.
    found = runtime.read(path) if runtime.is_running(path) else None
    if found is None:
        return None
    try:
        headers = {"authorization": f"Bearer {found.token}"}
        with httpx.Client(trust_env=False, timeout=5, verify=False) as client:  # plain http: there is nothing to verify
            answer = client.get(f"{found.url}/course/health", headers=headers)
        if answer.status_code != 200:
            return None
        health = answer.json()
        if health["pid"] != found.pid:  # it has just taken over a dead server's port, and will soon say so itself
            return None
        return found, health
    except (httpx.HTTPError, ValueError):
        return None


def sizes(models: list[dict[str, Any]]) -> dict[str, str]:
    """The model ids behind "small" and "large"; a server with a single model serves it under both names.

    >>> sizes([{"id": "smollm2", "size": "small"}])
    {'small': 'smollm2', 'large': 'smollm2'}
    """
    named = {model["size"]: model["id"] for model in models if model.get("size")}
    return dict.fromkeys(("small", "large"), models[0]["id"]) if len(models) == 1 else named


def start(path: Path) -> tuple[Runtime, dict[str, Any]]:
    """Start a server, or wait for the one that another process is starting."""
    messages = runtime.private_directory(runtime.home(path)) / "server.log"
    since = _trim(messages)
    child, deadline = None, time.monotonic() + START
    while time.monotonic() < deadline:
        if answer := find(path):
            return answer
        if not runtime.is_running(path):
            if child is not None and child.poll() is not None:
                raise _failed(f"The course server ended at once (exit status {child.returncode}).", messages, since)
            child = child or spawn(messages)
        time.sleep(0.03)
    raise _failed(f"The course server did not answer within {START:.0f} s.", messages, since)


def spawn(messages: Path) -> subprocess.Popen[bytes]:
    """Start `python -m course_utils serve` in the background; what it prints goes to the file `messages`."""
    _children[:] = [child for child in _children if child.poll() is None]
    command = [sys.executable, "-m", "course_utils", "serve", "--idle", f"{IDLE:g}"]
    command += ["--model", os.environ.get("COURSE_MODEL") or "practice"]
    with open(messages, "ab", opener=lambda name, flags: os.open(name, flags, 0o600)) as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=runtime.PROJECT,  # where `-m course_utils` finds the package also when it is not installed
            **detached(sys.platform),
        )
    _children.append(child)
    atexit.register(_let_go, child)
    return child


def _let_go(child: subprocess.Popen[bytes]) -> None:
    """The server is meant to outlive this process; Python would complain that it still runs."""
    if child.poll() is None:
        child.returncode = 0


def detached(platform: str) -> dict[str, Any]:
    """What makes a child survive a kernel's end, and deaf to the Ctrl-C and interrupts meant for the kernel."""
    if platform == "win32":
        new_group, no_window = 0x00000200, 0x08000000  # only Windows' subprocess module has names for them
        return {"creationflags": new_group | no_window}
    return {"start_new_session": True}


def _trim(messages: Path) -> int:
    """Empty the file when it has grown large; its length now."""
    size = messages.stat().st_size if messages.exists() else 0
    if size > MESSAGES:
        messages.write_bytes(b"")
        return 0
    return size


def _failed(fact: str, messages: Path, since: int) -> CourseError:
    said = messages.read_bytes()[since:].decode(errors="replace") if messages.exists() else ""
    lines = "\n".join(f"    {line}" for line in said.strip().splitlines()[-LAST_LINES:]) or "    (nothing)"
    return CourseError(
        f"{fact} Its last messages, from {messages}:\n{lines}",
        fix="mend what they name and run this again; `python3 -m course_utils doctor` looks at the whole set-up.",
    )

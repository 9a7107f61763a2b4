"""Programs that are started for a while and reliably ended, with all that they started themselves.

Imports the standard library only. Each runs in a session of its own: a Ctrl-C in the terminal reaches only the
process that started them, which then ends them in order. Times are seconds.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn

from course_utils.errors import CourseError

PATIENCE = 60.0  # for a program to start on a slow machine
FAREWELL = 15.0  # for a program to end by itself


def start(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], output: IO[str] | None
) -> subprocess.Popen[bytes]:
    """Start a program in `folder`; what it says goes to `output`, or where our own words go."""
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT if output else None, cwd=folder,
        env=environment, start_new_session=True,
    )  # fmt: skip


@contextmanager
def ended(process: subprocess.Popen[bytes], ask: int = signal.SIGTERM) -> Iterator[subprocess.Popen[bytes]]:
    """The process; afterwards it is asked to end by the signal `ask`, later made to, with all it started."""
    try:
        yield process
    finally:
        try:
            process.send_signal(ask if os.name == "posix" else signal.SIGTERM)
            process.wait(FAREWELL)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):  # a second Ctrl-C means: now
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal end the work as Ctrl-C does, also where a shell started it deaf to Ctrl-C."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        numbers.remove(signal.SIGHUP)  # `nohup` said so
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def private_file(path: Path) -> Iterator[IO[str]]:
    """The file, opened to be added to; readable by its owner alone, for tokens may be in it."""
    with open(path, "a", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        yield file


def wait_until(is_done: Callable[[], object], seconds: float) -> None:
    """Wait until `is_done()` is true, at most so many seconds."""
    deadline = time.monotonic() + seconds
    while not is_done() and time.monotonic() < deadline:
        time.sleep(0.05)


def last_words(what: str, process: subprocess.Popen[bytes], messages: Path | None, since: int) -> str:
    """Why a program did not start, from the end of its messages."""
    fact = f"{what} ended at once" if process.poll() is not None else f"{what} did not answer within {PATIENCE:.0f} s"
    said = messages.read_bytes()[since:].decode(errors="replace").strip().splitlines()[-8:] if messages else []
    return "\n    ".join([fact + (". Its last messages:" if said else "."), *said])


def free_port(port: int | None) -> int:
    """The port to ask Jupyter for: the wanted one, any free one for 0, 8888 where none is wanted.

    Raises:
        CourseError: The wanted one is taken.
    """
    if port is None:
        return 8888  # Jupyter itself goes on to the next free one
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CourseError(
                f"Port {port} can't be used: {error.strerror}.", "name another one, or leave out --port."
            ) from error
        return probe.getsockname()[1]

"""One call of a learner's function, held at arm's length: captured, bounded in time, and turned into plain data.

Layer 2: imports `plain`. The function runs in a thread of its own, so that it may be `async` although
the notebook's own event loop is busy, and so that a loop without end can be stopped.
"""

from __future__ import annotations

import asyncio
import ctypes
import inspect
import io
import linecache
import logging
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from typing import Any

from course_utils.plain import plain, safe

THREAD = "course-answer"  # the name of the thread that an answer runs in
USUAL_SECONDS = 30.0  # of real time for one case
MOST_PRINTED = 10_000  # characters of the learner's prints that are kept


Drive = Callable[[Callable[..., Any], Mapping[str, Any]], Any]  # (answer, arguments) -> what the judge is to see


class Stopped(BaseException):
    """Thrown into a thread that has run out of time."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one call."""

    body: dict[str, Any]  # for the judge: "returned", or "raised" with "message" and "lineage", or "stopped"
    printed: str  # what the function printed and warned, at most MOST_PRINTED characters
    error: BaseException | None = None


class Notes(io.StringIO):
    """A stream that keeps the first MOST_PRINTED characters, forgets the rest, and stays open."""

    def write(self, text: str) -> int:
        super().write(text[: max(0, MOST_PRINTED - self.tell())])
        return len(text)

    def close(self) -> None:
        """An answer that closes the stream it prints to closes nothing."""


def called(answer: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """What `answer(**arguments)` gives, awaited if need be.

    Raises:
        TypeError: It cannot be called so.
    """
    refuse_parameters(answer, arguments)
    return awaited(answer(**arguments))


def attempt(
    answer: Callable[..., Any], arguments: Mapping[str, Any], *, drive: Drive = called, seconds: float = USUAL_SECONDS
) -> Attempt:
    """Put `answer` to use, and never raise.

    Args:
        drive: How: most answers are called once.
        seconds: A safety net of real time for answers that never end; no verdict depends on being faster.
    """
    box: dict[str, Any] = {}
    notes = Notes()

    def work() -> None:
        try:
            box["returned"] = plain(drive(answer, arguments))  # here, as a repr may take for ever, or exit
        except BaseException as error:  # the learner's SystemExit must not end the kernel
            box["error"] = error

    thread = threading.Thread(target=work, name=THREAD, daemon=True)
    quietly = asyncio_in_short()
    with redirect_stdout(notes), redirect_stderr(notes), quietly, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("default")
        warnings.simplefilter("ignore", ResourceWarning)  # about files and sockets left open, wherever they come from
        thread.start()
        try:
            thread.join(seconds)
        finally:  # also when the learner interrupts the cell
            hangs = thread.is_alive()
            if hangs:
                stop(thread)
    for warning in warned[:20]:
        notes.write(f"{warning.category.__name__}: {safe(lambda said=warning.message: str(said))}\n")
    if hangs:
        return Attempt({"stopped": f"still running after {seconds:.0f} s"}, notes.getvalue())
    if "error" in box:
        return Attempt(in_data(box["error"]), notes.getvalue(), box["error"])
    return Attempt({"returned": box["returned"]}, notes.getvalue())


@contextmanager
def asyncio_in_short() -> Iterator[None]:
    """What asyncio logs about an exception that nobody fetched, without the traceback through the libraries."""

    def cut(record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True

    log = logging.getLogger("asyncio")
    log.addFilter(cut)
    try:
        yield
    finally:
        log.removeFilter(cut)


def refuse_parameters(answer: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Say in words when `answer` cannot be called with these names.

    Raises:
        TypeError: It cannot.
    """
    with suppress(ValueError):  # no signature to be had: let the call itself tell
        try:
            (signature := inspect.signature(answer)).bind(**arguments)
        except TypeError:
            raise TypeError(f"it takes {signature}, and is called with ({', '.join(arguments)})") from None


def awaited(value: Any) -> Any:
    """The value itself, or what comes of it when it is awaitable."""
    if not inspect.isawaitable(value):
        return value

    async def wait() -> Any:
        return await value

    return asyncio.run(wait())


def stop(thread: threading.Thread) -> None:
    """Ask a thread to end at its next line of Python; one that waits inside C code stays behind."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Stopped))
    thread.join(1.0)


def place(error: BaseException, answer: Callable[..., Any]) -> str:
    """The last line of the learner's own cell that `error` passed through, such as "line 3: return x"; or ""."""
    return in_line(*passed) if (passed := last_place(error, answer)) else ""


def last_place(error: BaseException, answer: Callable[..., Any]) -> tuple[str, int] | None:
    """File and line of the answer's own code that `error` passed through last."""
    own = files_of(answer)
    passed = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in own]
    return (passed[-1].filename, passed[-1].lineno or 0) if passed else None


def in_line(file: str, number: int) -> str:
    """A line of code in words; only the process that has the notebook knows what stands in a cell's line."""
    return f"line {number}: {linecache.getline(file, number).strip()}"


def files_of(answer: Callable[..., Any]) -> set[str]:
    """Where the code of an answer stands: of the function behind its decorators, or of a class's methods."""
    parts = vars(answer).values() if isinstance(answer, type) else [answer]
    found = set()
    for part in parts:
        with suppress(Exception):  # a learner's object may answer anything when it is asked for an attribute
            found.add(inspect.unwrap(part).__code__.co_filename)
    return found


def in_data(error: BaseException) -> dict[str, Any]:
    """An exception as plain data: its type, its text, and the types it can be caught as."""
    return {
        "raised": type(error).__name__,
        "message": safe(lambda: str(error)),
        "lineage": [kind.__name__ for kind in type(error).__mro__ if kind is not object],
    }

"""One call of a learner's function, held at arm's length: captured, bounded in time, and turned into plain data.

Layer 2: imports nothing from this package. The function runs in a thread of its own, so that it may be `async` although
the notebook's own event loop is busy, and so that a loop without end can be stopped.
"""

from __future__ import annotations

import asyncio
import ctypes
import inspect
import io
import math
import threading
import traceback
import warnings
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from typing import Any

THREAD = "course-answer"  # the name of the thread that an answer runs in
MOST_PRINTED = 10_000  # characters of the learner's prints that are kept
MOST_TEXT = 500_000  # characters of a returned text that are sent to the judge
DEEPEST = 20  # levels of lists and dictionaries that are sent to the judge


class Stopped(BaseException):
    """Thrown into a thread that has run out of time."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one call."""

    body: dict[str, Any]  # for the judge: "returned", or "raised" with "message" and "lineage", or "stopped"
    printed: str  # what the function printed and warned, at most MOST_PRINTED characters
    error: BaseException | None = None


class Notes(io.StringIO):
    """A stream that keeps the first MOST_PRINTED characters and forgets the rest."""

    def write(self, text: str) -> int:
        super().write(text[: max(0, MOST_PRINTED - self.tell())])
        return len(text)


def attempt(answer: Callable[..., Any], arguments: Mapping[str, Any], *, seconds: float = 30.0) -> Attempt:
    """Call `answer(**arguments)`, await what it gives if need be, and never raise.

    Args:
        seconds: A safety net of real time for answers that never end; no verdict depends on being faster.
    """
    box: dict[str, Any] = {}
    notes = Notes()

    def work() -> None:
        try:
            refuse_parameters(answer, arguments)
            box["returned"] = awaited(answer(**arguments))
        except BaseException as error:  # the learner's SystemExit must not end the kernel
            box["error"] = error

    thread = threading.Thread(target=work, name=THREAD, daemon=True)
    with redirect_stdout(notes), redirect_stderr(notes), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("default")
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
    return Attempt({"returned": plain(box["returned"])}, notes.getvalue())


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
    own = getattr(getattr(answer, "__code__", None), "co_filename", None)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == own]
    return f"line {frames[-1].lineno}: {frames[-1].line}" if frames else ""


def in_data(error: BaseException) -> dict[str, Any]:
    """An exception as plain data: its type, its text, and the types it can be caught as."""
    return {
        "raised": type(error).__name__,
        "message": safe(lambda: str(error)),
        "lineage": [kind.__name__ for kind in type(error).__mro__ if kind is not object],
    }


def plain(value: Any, depth: int = 0) -> Any:
    """`value` as JSON data; what is no JSON becomes {"$object": type name, "repr": the start of its repr}.

    Subclasses of text are taken as the text they hold, and nothing of the learner's own classes is asked.

    >>> plain(("a", 1, float("inf")))
    ['a', 1, {'$object': 'float', 'repr': 'inf'}]
    """
    kind = type(value)
    if (
        value is None
        or kind is bool
        or (kind is int and abs(value) < 2**63)
        or (kind is float and math.isfinite(value))
    ):
        return value
    if issubclass(kind, str) and len(text := str.__str__(value)) <= MOST_TEXT:
        return text.encode("utf-8", "backslashreplace").decode()
    if kind in (list, tuple) and depth < DEEPEST:
        return [plain(item, depth + 1) for item in value]
    if kind is dict and depth < DEEPEST and all(type(key) is str for key in value):
        return {plain(key): plain(item, depth + 1) for key, item in value.items()}
    return {"$object": kind.__name__, "repr": safe(lambda: repr(value))}


def safe(words: Callable[[], str]) -> str:
    """The start of a text that the learner's own code makes, whatever that code does."""
    try:
        return str.__str__(words())[:300].encode("utf-8", "backslashreplace").decode()
    except Exception as error:
        return f"<no text: {type(error).__name__}>"

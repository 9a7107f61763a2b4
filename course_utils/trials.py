"""One workflow on many inputs: what each came to, and when an exception is a fault's doing and when it is a bug.

Layer 2: imports `connection`, `errors`, `records`, `show.results`. A tally belongs to one thread.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from course_utils.connection import Course
from course_utils.errors import CourseError
from course_utils.records import Trace
from course_utils.show.results import BUGS, Result

ALWAYS_BUGS = (NameError, ImportError, SyntaxError, NotImplementedError, CourseError)


class Tally:
    """Counts what the inputs of one run come to.

    An exception counts as a failed input, unless it can only be a bug: then it goes on to the caller. A NameError is
    always one; a TypeError is one as long as no fault has struck, for a damaged answer may well cause it later on.
    """

    def __init__(self, course: Course, judge: Callable[[Any, Any], bool] | None) -> None:
        self._course, self._judge = course, judge
        self._before = len(course.records())
        self.good = self.bad = self.failed = 0
        self.errors: Counter[str] = Counter()

    @contextmanager
    def counting(self, given: Any) -> Iterator[Callable[[Any], None]]:
        """While one input is worked on: yields the function that takes the result."""
        results: list[Any] = []
        try:
            yield results.append
        except Exception as error:
            if self._is_bug(error):
                raise
            self.failed += 1
            self.errors[_name(error)] += 1
            return
        if self._judge is None or self._judge(given, results[0]):
            self.good += 1
        else:
            self.bad += 1

    def _is_bug(self, error: Exception) -> bool:
        causes = _leaves(error)
        if any(isinstance(cause, ALWAYS_BUGS) for cause in causes):
            return True
        return any(type(cause).__name__ in BUGS for cause in causes) and not self._is_struck()

    def _is_struck(self) -> bool:
        """True when something has gone wrong on the server's side since the run began."""
        return any(record.fault or record.failed for record in self._course.records()[self._before :])

    def result(self, faults: str, workflow: str, trace: Trace) -> Result:
        """The row for the table."""
        errors = dict(sorted(self.errors.items()))
        judged = self._judge is not None
        return Result(faults, workflow, self.good, self.bad, self.failed, errors, trace, judged)


def _leaves(error: BaseException) -> list[BaseException]:
    """The exceptions that a group holds, as a TaskGroup raises one; or the one itself."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for part in error.exceptions for leaf in _leaves(part)]
    return [error]


def _name(error: Exception) -> str:
    """The class's name; of a group whose members are all of one class, that class's name."""
    names = {type(leaf).__name__ for leaf in _leaves(error)}
    return names.pop() if len(names) == 1 else type(error).__name__


@contextmanager
def waiting() -> Iterator[Callable[[Any], Any]]:
    """Wait for what `async` functions give back, from code that is not `async`: yields the function that does it.

    In a notebook an event loop runs already and cannot be entered again, so awaiting goes on in a thread with a loop
    of its own, the same one until the block ends. An interrupt reaches the coroutine as a cancellation.
    """
    loops: list[asyncio.AbstractEventLoop] = []

    def wait(value: Any) -> Any:
        if not inspect.isawaitable(value):
            return value
        if not loops:
            loops.append(asyncio.new_event_loop())
            threading.Thread(target=_serve, args=loops, daemon=True, name="fault lab").start()
        future = asyncio.run_coroutine_threadsafe(_settled(value), loops[0])
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    try:
        yield wait
    finally:
        for loop in loops:
            asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result()
            loop.call_soon_threadsafe(loop.stop)


async def _settled(value: Awaitable[Any]) -> Any:
    return await value


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    loop.close()


async def _cancel_all() -> None:
    """End what is left over, so that no task is destroyed while it is pending."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()

"""What a learner calls to be told how an answer does: `check`, `hint` and `progress`.

Layer 2: imports `attempt`, `connection`, `drivers`, `errors`, `handed`, `records` and `show`. The judge is on
the course server and looks at the requests that it saw; this module only carries inputs to the answer and the outcome
back.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from course_utils.attempt import THREAD, Attempt, attempt, place
from course_utils.connection import connect
from course_utils.drivers import DRIVERS, SECONDS
from course_utils.errors import CheckFailed, CourseError
from course_utils.handed import arguments_of
from course_utils.records import Record, Trace, count
from course_utils.show.failure import Failure

if TYPE_CHECKING:
    from course_utils.show.standing import Standing

SAME_LINES = 3  # of equal lines in a row that were printed; the others are counted
WORD = re.compile(r"([A-Z]{2,12}):")  # the step that a prompt names first, such as "PLAN:"


def check(name: str, answer: Callable[..., Any] | None = None) -> None:
    """Try `answer` on every case of the check `name` and print one line when all are passed.

    Raises:
        CheckFailed: A case is not passed; the text says what was given, seen and needed.
        CourseError: There is no such check, or `answer` is not a function.
    """
    if not isinstance(name, str):
        raise CourseError(f"check({name!r}, …) has no name first.", fix='write check("chain.gate", your_function).')
    if answer is None:
        fix = f'hand over the function (or class) itself, without (): check("{name}", your_function).'
        raise CourseError(f"check({name!r}, …) got no function.", fix=fix)
    if not callable(answer) or isinstance(answer, str):  # LangChain's `.text` is a text that can be called
        kind = type(answer).__name__
        raise CourseError(
            f"check({name!r}, …) got a value of type {kind}.",
            fix="hand over the function (or class) itself, without ().",
        )
    if threading.current_thread().name == THREAD:
        raise CourseError("check(...) was called from inside an answer.", fix="call it from a cell of its own.")
    course = connect()
    reply = course.call("POST", "/judge/begin", {"check": name, "submission": os.environ.get("COURSE_SUBMISSION", "")})
    session, attempts = reply.get("session"), []
    while "case" in reply:
        case, driver = reply["case"], reply["case"]["driver"]
        attempts.append(attempt(answer, arguments_of(case), drive=DRIVERS[driver], seconds=SECONDS[driver]))
        reply = course.call("POST", f"/judge/sessions/{session}/answer", attempts[-1].body)
    conclude(reply["verdict"], attempts, answer)


def hint(name: str = "") -> None:
    """Print the next hint for a check; each one goes a step further, and they cost nothing.

    Raises:
        CourseError: There is no such check.
    """
    if not isinstance(name, str) or not name:
        raise CourseError(
            "hint(…) was given no name of a check.", fix='write hint("chain.gate"), as in its check cell.'
        )
    told = connect().call("POST", "/judge/hints", {"check": name})
    print(f"Hint {told['number']} of {told['of']}: {told['text']}")


def progress() -> Standing:
    """Where you stand: every check with its points, your tries and hints, and the beliefs you met and cleared."""
    from course_utils.show.standing import Standing

    return Standing(connect().call("GET", "/judge/progress"))


def conclude(verdict: dict[str, Any], attempts: list[Attempt], answer: Callable[..., Any]) -> None:
    """Print the success line, or say what failed, draw that case below it, and raise."""
    if verdict["status"] == "passed":
        print(verdict["line"])
        return
    failed = attempts[verdict["failed_case"] - 1] if attempts and verdict["failed_case"] else None
    said = own_words(failed, answer, verdict["message"]) if failed else ""
    failure = Failure(verdict["line"], "\n".join(filter(None, (verdict["message"], said))), verdict["others"])
    shown = verdict["failed_case"] and show(failure, Trace([Record(**record) for record in verdict["trace"]]))
    raise CheckFailed(repr(failure).strip(), shown=f"{verdict['line']}; see above" if shown else "")


def own_words(failed: Attempt, answer: Callable[..., Any], message: str) -> str:
    """Where the learner's code raised, if the message speaks of that, and what it printed, in the case that failed."""
    lines = []
    if failed.error and type(failed.error).__name__ in message and (where := place(failed.error, answer)):
        lines.append(f"  It was raised in {where}")
    if printed := folded(failed.printed.strip()):
        lines.append(f"  Printed meanwhile: {printed}")
    return "\n".join(lines)


def folded(text: str) -> str:
    """The text with its longer runs of equal lines cut short.

    >>> print(folded("go\\n" * 50 + "stop"))
    go
    go
    go
    … and 47 more lines like this
    stop
    """
    lines: list[str] = []
    for line, same in groupby(text.splitlines()):
        number = len(list(same))
        lines += [line] * min(number, SAME_LINES)
        lines += [f"… and {count(number - SAME_LINES, 'more line')} like this"] if number > SAME_LINES else []
    return "\n".join(lines)


def in_rows(trace: Trace) -> Trace:
    """Up to six requests get a row each, named by their number; words that tell their prompts apart are named, too."""
    words = [WORD.match(each.prompt.lstrip()) for each in trace]
    named = [word[1] if word else "" for word in words]
    if not all(named) or len(set(named)) < 2:
        named = [""] * len(trace)
    if len(trace) <= 6:
        named = [f"request {number} {word}".strip() for number, word in enumerate(named, 1)]
    return Trace([replace(each, step=each.step or word) for each, word in zip(trace, named, strict=True)])


def show(failure: Failure, trace: Trace) -> bool:
    """Show the message, and below it the requests of the failing case, each in its row while they fit.

    False where there is no notebook to show them in.
    """
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        return False
    display(failure)
    if len(trace := in_rows(trace)) > 1:
        from course_utils.show.timeline import timeline

        picture = timeline(trace, title="The requests of the first case that failed").figure
        picture.caption = "Top to bottom: the requests in the order in which they began."
        display(picture)
    return True

"""A model for answers that are killed in the middle of a request; what their processes asked for, and gave back.

Layer 2: imports `scripts`, `server` and `records`. Items are told apart by a key each, and count from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from course_utils.records import Record, count
from course_utils.server.cases import Finding, cut
from course_utils.server.wire import ChatRequest
from course_utils.tasks.scripts import STRAY, never, prompt_of

NEEDS = "all answers, in the order of the items"


class Answers:
    """An answer for each item; some requests get none, if they are for the item that a good answer asks for then.

    Args:
        silent: The request's number -> the item's, both from 1.
    """

    def __init__(self, replies: dict[str, str], silent: dict[int, int]) -> None:
        self.replies, self.silent = replies, silent

    async def __call__(self, request: ChatRequest, number: int) -> str:
        asked = item_in(prompt_of(request), list(self.replies))
        if asked and self.silent.get(number) == asked:
            return await never()
        return self.replies[list(self.replies)[asked - 1]] if asked else STRAY


def item_in(prompt: str, keys: Sequence[str]) -> int:
    """The number of the first item (from 1) that a prompt holds; 0 when it holds none."""
    return next((number for number, key in enumerate(keys, 1) if key in prompt), 0)


def processes(trace: Sequence[Record], asked: Sequence[int]) -> list[list[int]]:
    """The items asked for by each process: one ends with a request that never got its answer."""
    found: list[list[int]] = [[]]
    for record, item in zip(trace, asked, strict=True):
        found[-1].append(item)
        if record.status != 200:
            found.append([])
    return found


def spelt(asked: Sequence[int]) -> str:
    """Items for a message, runs of them shortened.

    >>> spelt([1, 2, 3, 5])
    '1-3, 5'
    """
    runs: list[list[int]] = []
    for item in asked:
        if runs and item == runs[-1][-1] + 1:
            runs[-1].append(item)
        else:
            runs.append([item])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def complete(got: Any, replies: list[str], who: str, given: str) -> Finding | None:
    """A finding unless all answers came back, in order."""
    if got == replies:
        return None
    if not isinstance(got, list):
        return Finding(given, f"{who} gave {cut(repr(got), 80)}", NEEDS, "return a list of texts, at every start.")
    what = f"{who} gave {count(len(got), 'text')}: {cut(str(got), 80)}"
    for place, (text, due) in enumerate(zip(got, replies, strict=False), 1):
        if isinstance(text, str) and text != due and text.strip() == due:
            around = text.replace(due, "", 1)
            what = f"answer {place} of {who} is {cut(repr(due), 40)}, and {around!r} around it"
            fix = "a line that is read from a file ends with a newline: `splitlines()`, or `strip()` each line."
            return Finding(given, what, NEEDS, fix)
        if isinstance(text, dict) and "$object" in text:
            what = f"answer {place} of {who} is an object of type {text['$object']}"
            return Finding(given, what, NEEDS, "an answer is a text: take its `.text`.")
    if len(got) > len(replies):
        fix = "what you have read is on disk already; write only what is new, or all of it in one piece."
    elif len(got) < len(replies):
        fix = "return what was found on disk and what is new, together."
    else:
        fix = "return the text of each answer, as it came, in the order of the items."
    return Finding(given, what, NEEDS, fix)

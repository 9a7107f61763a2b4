"""A model for answers that are killed in the middle of a request, and what each of their processes has asked for.

Layer 2: imports `scripts`, `server.wire` and `records`. Items are told apart by a key each, and count from 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from course_utils.records import Record
from course_utils.server.wire import ChatRequest
from course_utils.tasks.scripts import STRAY, never, prompt_of


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

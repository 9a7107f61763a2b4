"""A learner's value as plain data that can be sent to the judge, whatever the value is.

Layer 2: imports nothing from this package. Nothing of the learner's own classes is asked, but for a repr.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MOST_TEXT = 500_000  # characters of all texts together
MOST_VALUES = 50_000  # values in lists and dictionaries
DEEPEST = 20  # levels of them


def plain(value: Any) -> Any:
    """`value` as JSON data; more of it than the judge could use is {"$object": type name, "repr": "too large"}."""
    budget = Budget(MOST_VALUES, MOST_TEXT)
    try:
        return _plain(value, 0, budget)
    except OverflowError:
        return {"$object": type(value).__name__, "repr": "too large to be sent"}


@dataclass(slots=True)
class Budget:
    """What may still be sent."""

    values: int
    characters: int

    def spend(self, text: str = "") -> str:
        """The text, if it may still be sent.

        Raises:
            OverflowError: It may not.
        """
        self.values, self.characters = self.values - 1, self.characters - len(text)
        if self.values < 0 or self.characters < 0:
            raise OverflowError
        return text


def _plain(value: Any, depth: int, budget: Budget) -> Any:
    """`value` as JSON data; what is no JSON becomes {"$object": type name, "repr": the start of its repr}.

    Subclasses of text are taken as the text they hold, and nothing of the learner's own classes is asked.

    >>> _plain(("a", 1, float("inf")), 0, Budget(9, 99))
    ['a', 1, {'$object': 'float', 'repr': 'inf'}]
    """
    kind = type(value)
    budget.spend()
    if (
        value is None
        or kind is bool
        or (kind is int and abs(value) < 2**63)
        or (kind is float and math.isfinite(value))
    ):
        return value
    if issubclass(kind, str):
        return budget.spend(str.__str__(value)).encode("utf-8", "backslashreplace").decode()
    if kind in (list, tuple) and depth < DEEPEST:
        return [_plain(item, depth + 1, budget) for item in value]
    if kind is dict and depth < DEEPEST and all(type(key) is str for key in value):
        return {_plain(key, depth, budget): _plain(item, depth + 1, budget) for key, item in value.items()}
    return {"$object": kind.__name__, "repr": safe(lambda: repr(value))}


def safe(words: Callable[[], str]) -> str:
    """The start of a text that the learner's own code makes, whatever that code does."""
    try:
        return str.__str__(words())[:300].encode("utf-8", "backslashreplace").decode()
    except Exception as error:
        return f"<no text: {type(error).__name__}>"

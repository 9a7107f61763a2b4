"""What the providers of values may look at, and the words of a field's name.

Layer 1: imports siblings only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from course_utils.server.practice.noise import Noise
from course_utils.server.practice.reading import Reading
from course_utils.server.practice.sizes import Size


@dataclass(frozen=True, slots=True)
class Context:
    """What a provider may look at."""

    reading: Reading
    size: Size
    noise: Noise
    write: Callable[[str], str]  # the text that a skill would answer
    item: tuple[int, str] | None = None  # inside a list: the number and text of its item

    @property
    def text(self) -> str:
        """The customer's text, without instructions."""
        named = self.reading.section(
            "ticket",
            "letter",
            "complaint",
            "customer",
            "customer message",
            "message",
            "query",
            "question",
            "user question",
            "email",
        )
        return named or self.reading.subject or self.reading.user

    def at(self, number: int, text: str) -> Context:
        """The same context, inside a list."""
        return replace(self, item=(number, text))


def plain_name(name: str) -> str:
    """A field's name as words.

    >>> plain_name("orderId"), plain_name("refund_amount")
    ('order id', 'refund amount')
    """
    return re.sub(r"[_\-\s.]+", " ", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)).strip().lower()

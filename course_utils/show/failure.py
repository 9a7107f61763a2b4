"""A failed check as a notebook shows it: the first failure in full, the others folded.

Layer 1: imports `static`. Values only. Texts stand in <pre>, where a notebook typesets no `$` as a formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from course_utils.show import static

WIDTH = 62  # em: a line of a message fits


@dataclass(frozen=True)
class Failure:
    """What a learner reads of a check that is not passed.

    Args:
        line: Which check, and how many of its cases are passed.
        message: The first failure, in lines.
        others: The other failures, in lines, in the order of the cases.
    """

    line: str
    message: str
    others: Sequence[str] = ()

    def __repr__(self) -> str:
        return f"{self.line}\n{self.message}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        more = f"{len(self.others)} more {'case' if len(self.others) == 1 else 'cases'} failed; open to read"
        folded = f"<details><summary>{more}</summary>{''.join(map(_lines, self.others))}</details>"
        shown = f"<div><b>{escape(self.line)}</b></div>{_lines(self.message)}{folded if self.others else ''}"
        return static.bundle(static.card(shown, kind="failure", width=WIDTH), repr(self))


def _lines(text: str) -> str:
    style = "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere;margin:0.4em 0;background:transparent"
    return f'<pre style="{style}">{escape(text)}</pre>'

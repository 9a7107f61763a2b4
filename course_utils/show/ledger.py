"""What the requests cost: one row per step, or one row per trace when several are compared.

Layer 1: imports `records`, `static`. Prices are US dollars at the models' list prices. A ledger is a frozen value
without times, so it reads the same every time it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from course_utils.records import Record, Trace
from course_utils.show import static

HEAD = ("requests", "failed", "prompt tokens", "completion tokens", "price")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a ledger."""

    name: str  # the step, or the trace's name in a comparison
    requests: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    price: float  # US dollars


@dataclass(frozen=True)
class Ledger:
    """The cost of a trace, step by step; or of several traces, side by side."""

    rows: tuple[Row, ...]
    is_comparison: bool = False  # its rows are alternatives, so no sum is shown

    @property
    def total(self) -> Row:
        """The sum of all rows."""
        return Row("total", *(sum(getattr(row, name) for row in self.rows) for name in Row.__slots__[1:]))

    def __repr__(self) -> str:
        return static.text_table(self._head(), self._lines(), total=not self.is_comparison)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        title = "Cost of each run" if self.is_comparison else "Cost of each step"
        html = static.html_table(self._head(), self._lines(), title=title, total=not self.is_comparison)
        return static.bundle(html, repr(self))

    def _head(self) -> list[str]:
        return ["run", *HEAD, "of the first"] if self.is_comparison else ["step", *HEAD]

    def _lines(self) -> list[list[str]]:
        rows = self.rows if self.is_comparison else (*self.rows, self.total)
        lines = [_line(row, static.decimals(row.price for row in rows)) for row in rows]
        if self.is_comparison:
            lines = [[*line, _ratio(row.price, self.rows[0].price)] for line, row in zip(lines, rows, strict=True)]
        return lines


def ledger(trace: Trace | Mapping[str, Trace], *, steps: Sequence[str] | None = None) -> Ledger:
    """The cost of one trace per step, or of several named traces: `ledger({"one call": a, "chain": b})`.

    Args:
        steps: The steps to begin with, in this order, where requests race each other; the others follow.
    """
    if isinstance(trace, Mapping):
        return Ledger(tuple(_row(name, records) for name, records in trace.items()), is_comparison=True)
    order = dict.fromkeys([*(steps or ()), *trace.steps])
    return Ledger(tuple(_row(step or "(no step)", (r for r in trace if r.step == step)) for step in order))


def _row(name: str, records: Iterable[Record]) -> Row:
    part = Trace(tuple(records))
    return Row(name, len(part), part.failed, part.prompt_tokens, part.completion_tokens, part.price)


def _line(row: Row, decimals: int) -> list[str]:
    figures = (row.requests, row.failed, row.prompt_tokens, row.completion_tokens)
    return [row.name, *(f"{figure:,}" for figure in figures), f"${row.price:,.{decimals}f}"]


def _ratio(price: float, first: float) -> str:
    return f"× {price / first:.2f}" if first else "–"

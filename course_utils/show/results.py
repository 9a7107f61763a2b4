"""What became of a workflow's inputs under each set of faults: one row per run, as a table in text and HTML.

Layer 1: imports `records`, `static`. Values without times in their words, so a table reads the same every time it is
shown; `seconds` is for pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from course_utils.records import Trace, count
from course_utils.show import static

BUGS = {"TypeError", "AttributeError", "KeyError", "IndexError", "ZeroDivisionError", "AssertionError"}


@dataclass(frozen=True)
class Result:
    """One workflow on all inputs under one set of faults."""

    faults: str  # the name of the set
    workflow: str  # "" when there is only one
    succeeded: int  # inputs with a result that the judge, if there is one, calls good
    degraded: int  # inputs with a result that the judge calls bad
    failed: int  # inputs for which the workflow raised an exception
    errors: dict[str, int] = field(default_factory=dict)  # the exceptions' class names -> how often
    trace: Trace = field(default_factory=Trace, repr=False, compare=False)
    is_judged: bool = field(default=False, repr=False)

    @property
    def inputs(self) -> int:
        return self.succeeded + self.degraded + self.failed

    @property
    def answered(self) -> int:
        """Inputs that got any result, good or bad; divided by `inputs`, this is the availability."""
        return self.succeeded + self.degraded

    @property
    def outcome(self) -> str:
        """Shortly: "5 of 6 succeeded", and how many were degraded where there is a judge."""
        degraded = f", {self.degraded} degraded" if self.degraded else ""
        return f"{self.succeeded} of {self.inputs} succeeded{degraded}"

    @property
    def requests(self) -> int:
        return len(self.trace)

    @property
    def price(self) -> float:
        """US dollars for every request."""
        return self.trace.price

    @property
    def seconds(self) -> float:
        """From the first request to the end of the last one, on the course clock."""
        return self.trace.makespan

    def __repr__(self) -> str:
        who = f"{self.workflow}, {self.faults}" if self.workflow else self.faults
        judged = f", {self.degraded} degraded" if self.is_judged else ""
        raised = f" ({told(self.errors)})" if self.errors else ""
        what = f"{self.succeeded} of {count(self.inputs, 'input')} succeeded{judged}, {self.failed} failed{raised}"
        return f"<{who}: {what}; {count(self.requests, 'request')}>"


class Results(Sequence[Result]):
    """Runs side by side; the last expression of a cell shows them as a table."""

    def __init__(self, rows: Sequence[Result] = ()) -> None:
        self.rows = tuple(rows)

    @overload
    def __getitem__(self, index: int) -> Result: ...
    @overload
    def __getitem__(self, index: slice) -> Results: ...
    def __getitem__(self, index: int | slice) -> Result | Results:
        return Results(self.rows[index]) if isinstance(index, slice) else self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Result]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return static.text_table(*self._table(), words=self._words()) if self.rows else "Nothing has run yet."

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return static.bundle(self.html(), repr(self))

    def html(self) -> str:
        """The table for a notebook."""
        return static.html_table(*self._table(), words=self._words()) if self.rows else static.caption(repr(self))

    def _words(self) -> set[int]:
        """The columns that hold no figures."""
        head = self._table()[0]
        return {number for number, name in enumerate(head) if name in ("faults", "workflow", "raised")}

    def _table(self) -> tuple[list[str], list[list[str]]]:
        has_names, is_judged = any(row.workflow for row in self), any(row.is_judged for row in self)
        has_errors, decimals = any(row.errors for row in self), static.decimals(row.price for row in self)
        head = ["faults", *["workflow"] * has_names, "succeeded", *["degraded"] * is_judged, "failed"]
        lines = []
        for row in self:
            counts = [row.succeeded, *[row.degraded] * is_judged, row.failed, row.requests]
            line = [row.faults, *[row.workflow] * has_names, *(f"{number:,}" for number in counts)]
            lines.append([*line, f"${row.price:,.{decimals}f}", *[told(row.errors)] * has_errors])
        return [*head, "requests", "price", *["raised"] * has_errors], lines


def told(errors: dict[str, int]) -> str:
    """The exceptions in words; those that are rarely a fault's doing are marked.

    >>> told({"KeyError": 1, "InternalServerError": 2})
    '2 × InternalServerError, 1 × KeyError (a bug?)'
    """
    order = sorted(errors.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{number} × {name}{' (a bug?)' if name in BUGS else ''}" for name, number in order)

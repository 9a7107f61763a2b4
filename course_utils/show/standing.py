"""Where a learner stands: a table of all checks, with points, tries, hints, and the beliefs met and cleared.

Layer 1: imports `static`. Values only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from course_utils.show import static

HEAD = ("check", "", "points", "tries", "hints")


@dataclass(frozen=True)
class Standing:
    """The table; a notebook shows it when it is a cell's last value.

    Args:
        rows: One for each check, as the server reports it.
    """

    rows: Sequence[Mapping[str, Any]]

    @property
    def points(self) -> tuple[int, int]:
        """Those earned, and all there are."""
        return sum(row["points"] for row in self.rows), sum(row["of"] for row in self.rows)

    def table(self) -> list[tuple[str, ...]]:
        """The rows in words, those of checks that were never begun in one, and their sum."""
        begun = [row for row in self.rows if row["tries"] or row["hints"]]
        lines = [
            (row["check"], _mark(row), f"{row['points']} of {row['of']}", f"{row['tries']}", f"{row['hints']}")
            for row in begun
        ]
        if left := [row for row in self.rows if row not in begun]:
            name = f"{len(left)} {'more' if begun else 'checks'}" if len(left) > 1 else left[0]["check"]
            lines.append((name, "· not tried", f"0 of {sum(row['of'] for row in left)}", "0", "0"))
        total = (f"{sum(row['tries'] for row in self.rows)}", f"{sum(row['hints'] for row in self.rows)}")
        return [*lines, ("all", "", "{} of {}".format(*self.points), *total)]

    def beliefs(self) -> list[str]:
        """What was believed and is not so, each with whether its check has been passed since."""
        return [
            f"{'cleared' if belief in row['cleared'] else 'met'} in {row['check']}: {belief}"
            for row in self.rows
            for belief in row["met"]
        ]

    def __repr__(self) -> str:
        return "\n".join([static.text_table(HEAD, self.table(), total=True), *self.beliefs()])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        items = "".join(f"<li>{static.rich(belief)}</li>" for belief in self.beliefs())
        table = static.html_table(HEAD, self.table(), title="Your exercises so far", total=True)
        return static.bundle(table + (f"<p>Beliefs on the way:</p><ul>{items}</ul>" if items else ""), repr(self))


def _mark(row: Mapping[str, Any]) -> str:
    return "✓ passed" if row["passed"] else "✗ not yet" if row["tries"] else "· not tried"

"""A prediction beside what was measured, and the score of a lesson's predictions.

Layer 1: imports `records`, `static`. Frozen values that read the same every time they are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from course_utils.records import count
from course_utils.show import static

Verdict = Literal["exact", "close", "off"]
CLOSE = 0.1  # of the measured value
LOG = "the log"  # what shows the value, unless something else is named


@dataclass(frozen=True, slots=True)
class Reveal:
    """A prediction beside the measured value."""

    name: str
    guess: float | str
    measured: float | str
    unit: str = ""
    is_default: bool = False  # the learner said nothing
    source: str = LOG  # what shows the measured value

    @property
    def verdict(self) -> Verdict:
        """ "close" is within 10 % of the measured value."""
        if self.guess == self.measured:
            return "exact"
        if isinstance(self.guess, str) or isinstance(self.measured, str):
            return "off"
        return "close" if abs(self.guess - self.measured) <= CLOSE * abs(self.measured) else "off"

    @property
    def sentence(self) -> str:
        """What happened, in one sentence."""
        if self.is_default:
            said = f"No prediction was made. The default is {self._show(self.guess)}"
        else:
            said = f"You said {self._show(self.guess)}"
        return f"{said}; {self.source} shows {self._show(self.measured)}: {self._distance()}."

    def _distance(self) -> str:
        if self.verdict == "exact":
            return "exactly right"
        if isinstance(self.guess, str) or isinstance(self.measured, str):
            return "not the same"
        return ("within 10 %, " if self.verdict == "close" else "") + f"off by {abs(self.guess - self.measured):.4g}"

    def _show(self, value: float | str) -> str:
        return show(value, self.unit)

    def __repr__(self) -> str:
        return self.sentence

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        mark = {"exact": "✓", "close": "≈", "off": "≠"}[self.verdict]
        heads = ("default" if self.is_default else "you said", f"{self.source} shows")
        figures = [
            f'<td style="text-align:left;padding:0.1em 2em 0.1em 0"><small>{head}</small><br>'
            f'<strong style="font-size:1.5em">{static.rich(self._show(value))}</strong></td>'
            for head, value in zip(heads, (self.guess, self.measured), strict=True)
        ]
        table = f'<table style="border:none;margin:0"><tr style="background:none">{"".join(figures)}</tr></table>'
        words = f'<p style="margin:0.5em 0 0 0">{mark} {static.rich(self.sentence)}</p>'
        return static.bundle(static.card(table + words, kind="reveal"), self.sentence)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How good a lesson's predictions were."""

    reveals: tuple[Reveal, ...]

    @property
    def sentence(self) -> str:
        """The score, which counts only what the learner said."""
        own = [reveal.verdict for reveal in self.reveals if not reveal.is_default]
        silent = len(self.reveals) - len(own)
        if not self.reveals:
            return "No prediction has been compared with a measurement yet."
        if not own:
            return f"{count(silent, 'prediction')}, all left at the default: nothing to judge yet."
        left = f" {silent} of {len(self.reveals)} were left at the default." if silent else ""
        return (
            f"{count(len(own), 'prediction')} of your own: {own.count('exact')} exactly right, "
            f"{own.count('close')} within 10 %, {own.count('off')} off.{left}"
        )

    @property
    def _heads(self) -> tuple[str, ...]:
        return "prediction", "said", "log" if all(r.source == LOG for r in self.reveals) else "shown", "result"

    def _lines(self) -> list[list[str]]:
        return [
            [
                r.name,
                show(r.guess, r.unit) + (" (default)" if r.is_default else ""),
                show(r.measured, r.unit),
                r.verdict,
            ]
            for r in self.reveals
        ]

    def __repr__(self) -> str:
        table = static.text_table(self._heads, self._lines()) + "\n" if self.reveals else ""
        return table + self.sentence

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        table = static.html_table(self._heads, self._lines()) if self.reveals else ""
        return static.bundle(f"{table}<p>{static.rich(self.sentence)}</p>", repr(self))


def show(value: float | str, unit: str = "") -> str:
    """The value as it is printed, with its unit, which is given in the plural.

    >>> show(1, "queries"), show(12345, "prompt tokens"), show(0.25)
    ('1 query', '12,345 prompt tokens', '0.25')
    """
    if isinstance(value, str):
        return value
    number = f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    return f"{number} {singular(unit) if value == 1 else unit}".rstrip()


def singular(unit: str) -> str:
    """The unit for one of them: "queries" becomes "query", "requests" becomes "request"; "%" and "s" stay."""
    if unit.endswith("ies"):
        return unit.removesuffix("ies") + "y"
    return unit.removesuffix("s") if len(unit) > 2 else unit

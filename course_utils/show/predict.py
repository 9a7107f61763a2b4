"""Predictions: say a number before you run the cell, then see it beside what was measured.

Layer 1: imports `errors`, `reveal`, `static`; `controls` only when a widget is shown. Predictions are kept by name
until the kernel ends, so running a cell again keeps what was said. Not for several threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from course_utils.errors import CourseError
from course_utils.show import static
from course_utils.show.reveal import LOG, Calibration, Reveal, show

_kept: dict[str, Prediction] = {}


class Prediction:
    """One question, and what the learner said; until then, the default stands in."""

    def __init__(
        self,
        question: str,
        *,
        name: str,
        default: float | str,
        unit: str = "",
        low: float | None = None,
        high: float | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self.question, self.name, self.default, self.unit = question, name, default, unit
        self.low, self.high, self.options = low, high, tuple(options)
        self.said: float | str | None = None
        self.measured: float | str | None = None
        self.source = LOG
        self._widget: Any = None

    @property
    def asked(self) -> tuple[object, ...]:
        """All that makes it this question and no other: what was said answers only this one."""
        return self.question, self.default, self.unit, self.low, self.high, self.options

    @property
    def guess(self) -> float | str:
        """What the learner said, or the default."""
        return self.default if self.said is None else self.said

    def commit(self, value: float | str) -> str:
        """Say a value; this is what the button calls. A new value begins a new round.

        Raises:
            CourseError: The value is not a number, not in range, or none of the options.
        """
        self.said, self.measured = self._read(value), None
        return f"Noted: {show(self.said, self.unit)}. Now run the next cell."

    def reveal(self, measured: float | str, source: str = LOG) -> Reveal:
        """The prediction beside what the log shows: a count, a share, a choice; not a time, which differs every run.

        Args:
            source: What shows the value when it is not the log, as in "the simulation".
        """
        self.measured, self.source = measured, source
        return self._revealed()

    def _revealed(self) -> Reveal:
        return Reveal(self.name, self.guess, self.measured, self.unit, self.said is None, self.source)

    def _read(self, value: float | str) -> float | str:
        if self.options:
            if value not in self.options:
                raise CourseError(
                    f"{value!r} is none of the answers.", fix=f"choose one of: {', '.join(self.options)}."
                )
            return value
        try:
            number = float(str(value).strip().replace(",", "."))
        except ValueError:
            raise CourseError(f"{value!r} is not a number.", fix="write digits, such as 4 or 0.5.") from None
        low, high = self.low, self.high
        if not (-1e300 if low is None else low) <= number <= (1e300 if high is None else high):
            ends = [f"at least {low:g}" if low is not None else "", f"at most {high:g}" if high is not None else ""]
            raise CourseError(
                f"{value} is out of range.",
                fix=f"write a number of {' and '.join(filter(None, ends)) or 'usual size'}.",
            )
        return int(number) if number.is_integer() else number

    def __repr__(self) -> str:
        choices = f" ({' / '.join(self.options)})" if self.options else f" (in {self.unit})" if self.unit else ""
        return f"Predict: {static.plain(self.question)}{choices} Write your answer down, then run the next cell."

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from course_utils.show import controls

        text = repr(self).removeprefix("Predict: ")
        html = static.card(f"<p><strong>Predict.</strong> {static.rich(text)}</p>", kind="predict")
        return {**static.bundle(html, repr(self)), **controls.view(self, controls.predict_controls)}


def predict(
    question: str,
    *,
    name: str,
    default: float | str,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    options: Sequence[str] = (),
) -> Prediction:
    """Ask for a number, or for one of `options`, before the next cell is run.

    Args:
        name: Keeps what was said when the cell is run again; one per question in a lesson.
        default: Stands in when nobody answers, as in an unattended run. It is not shown beforehand.
        low, high: The range of a number, ends included.
    """
    made = Prediction(question, name=name, default=default, unit=unit, low=low, high=high, options=options)
    kept = _kept.get(name)
    if kept is None or kept.asked != made.asked:
        _kept[name] = made
    return _kept[name]


def calibration() -> Calibration:
    """How good the predictions of this kernel were, as far as they have been compared with a measurement."""
    kept = [prediction for prediction in _kept.values() if prediction.measured is not None]
    return Calibration(tuple(prediction._revealed() for prediction in kept))

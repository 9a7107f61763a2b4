"""A question with one right answer, where every answer explains itself.

Layer 1: imports `errors`, `static`; `controls` only when a widget is shown. What was chosen is remembered by the
quiz's name until the kernel ends, so running the cell again keeps it. Not for several threads.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from course_utils.errors import CourseError
from course_utils.show import static

_chosen: dict[tuple[str, str], list[int]] = {}  # (name, question) -> the options chosen so far, in order


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to choose from; `why` is what the learner reads after choosing it."""

    text: str
    why: str
    right: bool = False

    @property
    def verdict(self) -> str:
        """What choosing it says."""
        return f"{'Right' if self.right else 'Not yet'}: {self.why}"


class Quiz:
    """A single-choice question; its last expression in a cell shows it, as a widget where there are widgets.

    Raises:
        CourseError: Not exactly one option is right, or one has no explanation.
    """

    def __init__(self, question: str, options: Sequence[Option], *, name: str = "") -> None:
        if sum(option.right for option in options) != 1 or len(options) < 2:
            raise CourseError(
                f"The quiz {question!r} does not have one right answer among several.", fix="mark one with right=True."
            )
        if not all(option.why for option in options):
            raise CourseError(
                f"An option of the quiz {question!r} does not say why.", fix="explain each one with why=..."
            )
        self.question, self.options, self.name = question, tuple(options), name
        self._chosen = _chosen.setdefault((name, question), [])
        self._widget: Any = None

    @classmethod
    def from_bank(cls, name: str) -> Quiz:
        """The quiz with this id, such as "q04" or "the-door-that-was-enough", from the course's own questions."""
        if name not in _bank():
            near = get_close_matches(name, _bank(), n=1, cutoff=0) or list(_bank())
            raise CourseError(
                f"There is no quiz {name!r} in the bank.", fix=f"use an id of the bank, such as {near[0]!r}."
            )
        entry = _bank()[name]
        return cls(entry["question"], [Option(**option) for option in entry["options"]], name=name)

    def choose(self, option: Option | int) -> str:
        """Choose an option (or the one at this index) and read what it says; as often as you like.

        Raises:
            CourseError: The quiz has no such option.
        """
        choices = range(len(self.options)) if isinstance(option, int) else self.options
        if option not in choices:
            raise CourseError(f"The quiz has no option {option!r}.", fix=f"choose 0 to {len(self.options) - 1}.")
        index = choices.index(option)
        self._chosen.append(index)
        return self.options[index].verdict

    @property
    def first(self) -> Option | None:
        """What was chosen first; None before that."""
        return self.options[self._chosen[0]] if self._chosen else None

    @property
    def tries(self) -> list[Option]:
        """Everything that was chosen, in order."""
        return [self.options[index] for index in self._chosen]

    def __repr__(self) -> str:
        letters = [f"  {chr(65 + index)}. {static.plain(option.text)}" for index, option in enumerate(self.options)]
        whys = [f"  {chr(65 + index)}. {static.plain(option.verdict)}" for index, option in enumerate(self.options)]
        return "\n".join([f"Quiz: {static.plain(self.question)}", *letters, "Answers:", *whys])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from course_utils.show import controls

        return {**static.bundle(self._html(), repr(self)), **controls.view(self, controls.quiz_controls)}

    def _html(self) -> str:
        answers = "".join(
            f"<details><summary>{chr(65 + index)}. {static.rich(option.text)}</summary>"
            f"<p>{'✓' if option.right else '✗'} {static.rich(option.verdict)}</p></details>"
            for index, option in enumerate(self.options)
        )
        return static.card(f"<p><strong>Quiz.</strong> {static.rich(self.question)}</p>{answers}", kind="quiz")


def quiz(question: str, options: Sequence[Option] | None = None, *, name: str = "") -> Quiz:
    """A quiz: from the course's own questions by id, `quiz("q04")`, or a new one from its options."""
    return Quiz.from_bank(question) if options is None else Quiz(question, options, name=name)


@cache
def _bank() -> dict[str, Any]:
    return json.loads(files("course_utils.show").joinpath("quiz_bank.json").read_text(encoding="utf-8"))

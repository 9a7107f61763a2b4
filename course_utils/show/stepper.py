"""The stepper: walk through a trace moment by moment, and see what was sent, what came back, and what is in flight.

Layer 1: imports `moments`, `timeline`, `picture`, `static`; `step_controls` and ipywidgets only in a kernel. Not for
several threads.

What stands in a notebook without widgets holds no times. Requests that race each other begin and end in another order
in every run, so the text lists them in order only where the author says that they go one after the other; otherwise it
counts what happened in each step, and lists its prompts sorted. The true order is in the picture and in the widgets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from course_utils.errors import CourseError
from course_utils.records import Trace, count
from course_utils.show import static
from course_utils.show.moments import Moment, moments, outcome, shortened
from course_utils.show.picture import Picture, keep_back
from course_utils.show.timeline import frame, timeline

HOW = "Run this cell in JupyterLab to walk through it."


class Stepper:
    """A trace and a place in it: 0 is before the first request, 1 the first moment, `len(stepper)` the last."""

    def __init__(self, trace: Trace, *, title: str, steps: Sequence[str] | None, is_in_order: bool) -> None:
        self.trace, self.title, self.is_in_order = trace, title, is_in_order
        self.steps = list(steps or ())
        self.moments = moments(trace)
        self.place = 0
        self._frames: dict[int, Picture] = {}
        self._widget: Any = None

    def __len__(self) -> int:
        return len(self.moments)

    def go(self, place: int) -> str:
        """Go to a moment, and get what just happened in words; this is what the slider calls.

        Raises:
            CourseError: There is no such moment.
        """
        if place not in range(len(self) + 1):
            raise CourseError(f"There is no moment {place}.", fix=f"choose one from 0 to {len(self)}.")
        self.place = place
        return self.words

    @property
    def moment(self) -> Moment | None:
        """What just happened; None before the first request."""
        return self.moments[self.place - 1] if self.place else None

    @property
    def words(self) -> str:
        """What just happened, and what is in flight now."""
        if self.moment is None:
            return f"Before the first of {count(len(self.trace), 'request')}."
        flying = f" In flight: {', '.join(self.moment.open)}." if self.moment.open else " Nothing is in flight."
        return f"Moment {self.place} of {len(self)}. {self.moment.words}{flying}"

    @property
    def picture(self) -> Picture:
        """The timeline up to the present moment."""
        if self.place not in self._frames:
            at = self.moment.at if self.moment else -1.0
            drawn = frame(self.trace, at, title=self.title, steps=self.steps)
            drawn.caption = self.words
            drawn.alt = f"{self.title}, as it stood then. {static.plain(self.words)}"
            self._frames[self.place] = drawn
        return self._frames[self.place]

    def __repr__(self) -> str:
        return "\n".join([f"{self.title}: {count(len(self.trace), 'request')}", *(self._lines())])

    def html(self) -> str:
        """Everything that happened, as a list that can be read without widgets."""
        items = self._items_in_order() if self.is_in_order else self._items_by_step()
        tag = "ol" if self.is_in_order else "ul"
        return static.card(f"<p>{static.rich(self.title)}</p><{tag}>{''.join(items)}</{tag}>", kind="stepper")

    def _lines(self) -> list[str]:
        if self.is_in_order:
            return [f"{place}. {static.plain(moment.words)}" for place, moment in enumerate(self.moments, 1)]
        return [f"{step or '(no step)'}: {static.plain(told)}" for step, told in self._by_step()]

    def _items_in_order(self) -> list[str]:
        return [f"<li>{static.rich(moment.words)}{details(*moment.text)}</li>" for moment in self.moments]

    def _items_by_step(self) -> list[str]:
        items = []
        for step, told in self._by_step():
            prompts = sorted({record.prompt for record in self.trace if record.step == step})
            folded = "".join(details("prompt", shortened(prompt)) for prompt in prompts)
            items.append(f"<li>{static.rich(f'`{step}`' if step else '(no step)')}: {static.rich(told)}{folded}</li>")
        return items

    def _by_step(self) -> list[tuple[str, str]]:
        """For each step how its requests ended, the most frequent first."""
        told = []
        for step in dict.fromkeys([*self.steps, *sorted(self.trace.steps)]):
            own = [record for record in self.trace if record.step == step]
            ends = sorted(Counter(map(outcome, own)).items(), key=lambda item: (-item[1], item[0]))
            retries = sum(record.attempt > 1 for record in own)
            notes = [f"{number} × {words}" for words, number in ends]
            notes += [f"{retries} {'retry' if retries == 1 else 'retries'}"] * bool(retries)
            told.append((step, f"{count(len(own), 'request')}: {', '.join(notes)}." if own else "no requests."))
        return told

    def _ipython_display_(self) -> None:
        from IPython.display import display

        from course_utils.show import controls

        walk, said = {}, {}
        if controls.is_live() and self.moments:
            from course_utils.show.step_controls import step_controls

            self._widget = self._widget or step_controls(self)
            walk, said = map(controls.only_view, self._widget)
        whole = timeline(self.trace, title=self.title, steps=self.steps).figure
        keep_back(whole)
        still, metadata = whole.bundle()
        display({**still, **walk}, raw=True, metadata=metadata)
        below = static.bundle(self.html() + static.caption(HOW), f"{self!r}\n{HOW}")
        display({**below, **said}, raw=True)


def stepper(
    trace: Trace, *, title: str = "What happened", steps: Sequence[str] | None = None, is_in_order: bool = False
) -> Stepper:
    """Walk through a recorded trace moment by moment: `stepper(trace, is_in_order=True)`.

    Args:
        steps: The steps to begin with, from top to bottom.
        is_in_order: True when no two requests race, as in a chain or a loop of retries: the text that stands in a
            notebook without widgets then lists every moment in order; otherwise it counts them step by step.
    """
    return Stepper(trace, title=title, steps=steps, is_in_order=is_in_order)


def details(name: str, text: str) -> str:
    """A text that unfolds, safe for HTML whatever is in it; nothing when there is none.

    >>> details("prompt", "a < b")
    '<details><summary>prompt</summary><pre style="white-space:pre-wrap;word-break:normal">a &lt; b</pre></details>'
    """
    body = f'<pre style="white-space:pre-wrap;word-break:normal">{static.escape(text)}</pre>'
    return f"<details><summary>{name}</summary>{body}</details>" if text else ""

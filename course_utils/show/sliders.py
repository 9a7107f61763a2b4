"""A picture with sliders: move one and it is drawn again; where nothing can move, a still of it stands in.

Layer 1: imports `errors`, `picture`, `static`; `controls` and ipywidgets only when it is shown in a kernel. The sliders
are ipywidgets: Tab reaches them, the arrow keys move them, and a screen reader hears the new caption. Not for several
threads.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from course_utils.errors import CourseError
from course_utils.show import picture, static

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HOW = "Run this cell in JupyterLab to move it."


class Explorer:
    """A function that draws, the values that its arguments may take, and the picture for the present ones."""

    def __init__(self, draw: Callable[..., Axes], choices: Mapping[str, Sequence[float]]) -> None:
        self.draw = draw
        self.choices = {name: tuple(values) for name, values in choices.items()}
        self.values = _starts(draw, self.choices)
        self.picture = self._drawn(self.values)
        self._widget: Any = None

    def move(self, **values: float) -> str:
        """Set some of the values, draw the picture again, and get its caption; this is what the sliders call.

        Raises:
            CourseError: A name or a value is none of the choices.
        """
        wanted = self.values | values
        for name, value in wanted.items():
            _check(name, value, self.choices)
        self.picture, self.values = self._drawn(wanted), wanted
        return self.caption

    @property
    def caption(self) -> str:
        """The present values, and what the picture shows, in words."""
        settings = ", ".join(f"{words(name)} {value:g}" for name, value in self.values.items())
        return f"{settings}. {self.picture.caption}"

    def _drawn(self, values: Mapping[str, float]) -> picture.Picture:
        ax = self.draw(**values)
        found = getattr(ax, "figure", None)
        if not isinstance(found, picture.Picture):
            raise CourseError(
                f"{self.draw.__name__} gave back {type(ax).__name__}, which is no picture.",
                fix="let it return what curve(...), timeline(...) or workflow_graph(...) returns.",
            )
        picture.keep_back(found)  # it is shown by us, here and now, and not when the cell ends
        return found

    def __repr__(self) -> str:
        return f"<Explorer: {', '.join(map(words, self.choices))}>"

    def _ipython_display_(self) -> None:
        from IPython.display import display

        from course_utils.show import controls

        sliders, said = {}, {}
        if controls.is_live():
            self._widget = self._widget or controls.explorer_controls(self)
            sliders, said = map(controls.only_view, self._widget)
        still, metadata = self.picture.bundle()
        display({**still, **sliders}, raw=True, metadata=metadata)
        text = f"{self.caption} {HOW}"
        display({**static.bundle(static.caption(text), static.plain(text)), **said}, raw=True)


def explore(draw: Callable[..., Axes], **choices: Sequence[float]) -> Explorer:
    """A picture that is drawn again for other values: `explore(speed_up, serial_share=[0, 0.1, 0.2, 0.5])`.

    Args:
        draw: Draws one picture from keyword arguments, and returns its Axes; the defaults of its arguments are
            where the sliders stand at first.
        choices: For each argument the values to choose from, in order; its name is the slider's name.

    Raises:
        CourseError: There is no slider, a default is none of the values, or `draw` does not return a picture.
    """
    return Explorer(draw, choices)


def words(name: str) -> str:
    """An argument's name as people read it.

    >>> words("serial_share")
    'serial share'
    """
    return name.replace("_", " ")


def _starts(draw: Callable[..., Any], choices: Mapping[str, tuple[float, ...]]) -> dict[str, float]:
    """Where each slider stands at first: at the argument's default, else at its first value."""
    if not choices or not all(choices.values()):
        raise CourseError(
            "There is nothing to move.", fix="name an argument and its values: explore(draw, share=[0.1, 0.2])."
        )
    parameters = inspect.signature(draw).parameters
    starts = {}
    for name, values in choices.items():
        default = parameters[name].default if name in parameters else inspect.Parameter.empty
        starts[name] = values[0] if default is inspect.Parameter.empty else default
        _check(name, starts[name], choices)
    return starts


def _check(name: str, value: float, choices: Mapping[str, Sequence[float]]) -> None:
    if name not in choices:
        raise CourseError(f"There is no slider {words(name)!r}.", fix=f"move one of: {', '.join(map(words, choices))}.")
    if value not in choices[name]:
        raise CourseError(
            f"{value!r} is none of the values of {words(name)!r}.",
            fix=f"choose one of: {', '.join(f'{each:g}' for each in choices[name])}.",
        )

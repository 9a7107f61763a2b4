"""The widgets of a stepper: four buttons and a slider above the picture, and the words below it.

Layer 1: imports `controls`, `static`, and ipywidgets, so it is imported only when a stepper is shown. Tab reaches every
control, the arrow keys move the slider, and a screen reader hears what just happened.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from course_utils.show import static
from course_utils.show.controls import STYLE, below, box, button, said, words
from course_utils.show.moments import shortened

Stepper = Any  # a show.stepper.Stepper, which imports this module when it is shown


def step_controls(stepper: Stepper) -> tuple[widgets.Widget, widgets.Widget]:
    """Controls and picture, and what just happened, each for an output of its own."""
    end = len(stepper)
    picture, happened, texts = widgets.HTML(), words(), widgets.HTML()
    slider = widgets.IntSlider(
        stepper.place, 0, end, description="moment", layout=widgets.Layout(width="24em", max_width="100%")
    )
    back = [button(text, width="auto") for text in ("|◀ First", "◀ Previous")]
    on = [button(text, width="auto") for text in ("Next ▶", "Last ▶|")]
    targets = (lambda: 0, lambda: slider.value - 1, lambda: slider.value + 1, lambda: end)
    for each, target in zip([*back, *on], targets, strict=True):
        each.on_click(lambda _, target=target: setattr(slider, "value", target()))

    def show() -> None:
        stepper.go(slider.value)
        picture.value = stepper.picture.html()
        happened.value = said(f"<p>{static.rich(stepper.words)}</p>")
        texts.value = _texts(stepper)

    slider.observe(lambda _: show(), names="value")
    show()
    layout = widgets.Layout(overflow="visible", align_items="center", flex_flow="row wrap")
    line = widgets.HBox([*back, slider, *on], layout=layout)
    return box([widgets.HTML(STYLE), line, picture]), below(happened, texts)


def _texts(stepper: Stepper) -> str:
    """The prompt of the request that just began or ended, and its answer once it has ended."""
    moment = stepper.moment
    if moment is None:
        return ""
    shown = _text("prompt", moment.record.prompt)
    return shown + _text("answer", moment.record.answer) if moment.is_end else shown


def _text(name: str, text: str) -> str:
    if not text:
        return f'<div class="course-words">There is no {name}.</div>'
    style = f"white-space:pre-wrap;word-break:normal;margin:0.2em 0 0.6em 1.5em;color:{static.INK};max-width:52em"
    body = f'<pre style="{style}">{static.escape(shortened(text))}</pre>'
    return f'<div class="course-words">The {name}:{body}</div>'

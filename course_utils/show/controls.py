"""The widgets of a quiz, a prediction and an explorer. Every control is a real button, field or slider: keys work.

Layer 1: imports `errors`, `static`, and ipywidgets, so it is imported only when something is shown. A widget is
made once for each question and holds no answer itself; it calls the question's own method.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from course_utils.errors import CourseError
from course_utils.show import static

Quiz = Any  # a show.quiz.Quiz and a show.predict.Prediction, which import this module
Prediction = Any
Explorer = Any  # a show.sliders.Explorer

STYLE = """<style>
.course-option.jupyter-button { height: auto; min-height: 2.4em; padding: 0.45em 0.9em; line-height: 1.4;
  white-space: normal; text-align: left; overflow: visible; font-size: var(--jp-content-font-size1, 14px);
  color: var(--jp-content-font-color1, #1f2a33); background: var(--jp-layout-color2, #eef1f3);
  border: 1px solid var(--jp-border-color1, #aab4bc); border-radius: 5px; }
.course-option.jupyter-button:focus-visible { outline: 3px solid var(--jp-brand-color1, #0072b2); outline-offset: 1px; }
.course-words { color: var(--jp-content-font-color1, #1f2a33); font-size: var(--jp-content-font-size1, 14px);
  line-height: 1.5; max-width: 46em; }
.course-widget.jupyter-widgets-disconnected::before {
  content: "This stands as you left it. To use it again, run the cells from the top."; position: static;
  font: italic var(--jp-content-font-size1, 14px) var(--jp-content-font-family, sans-serif);
  color: var(--jp-content-font-color2, #55626d); line-height: 1.5; padding: 0; }
.course-widget .jupyter-widgets-disconnected::before, .course-below.jupyter-widgets-disconnected::before,
.course-below .jupyter-widgets-disconnected::before { content: none; }
</style>"""


def view(question: Any, make: Callable[[Any], widgets.Widget]) -> dict[str, Any]:
    """The widget's part of a mime bundle; nothing outside a kernel, where no widget could work."""
    if not is_live():
        return {}
    if question._widget is None:
        question._widget = make(question)
    return only_view(question._widget)


def is_live() -> bool:
    """True in a kernel, where a widget can work."""
    ipython = sys.modules.get("IPython")
    return getattr(ipython and ipython.get_ipython(), "kernel", None) is not None


def only_view(widget: widgets.Widget) -> dict[str, Any]:
    """The widget in a mime bundle, without its text."""
    return {mime: data for mime, data in widget._repr_mimebundle_().items() if "widget-view" in mime}


def words(html: str = "") -> widgets.HTML:
    """A line of text; a screen reader says what appears in it."""
    return widgets.HTML(said(html))


def said(html: str) -> str:
    """The text in a place whose changes a screen reader says."""
    return f'<div class="course-words" role="status">{html}</div>' if html else ""


def button(text: str, *, width: str) -> widgets.Button:
    """A button whose text may run over several lines."""
    made = widgets.Button(description=static.plain(text), layout=widgets.Layout(width=width, height="auto"))
    made.add_class("course-option")
    return made


def box(rows: Sequence[widgets.Widget], **layout: str) -> widgets.VBox:
    """The outermost part of a widget; in a notebook that is opened again it says that it needs its cell to run."""
    made = widgets.VBox(rows, layout=widgets.Layout(overflow="visible", padding="4px", **layout))
    made.add_class("course-widget")
    return made


def below(*rows: widgets.Widget) -> widgets.VBox:
    """The part below, in an output of its own: words and tables that belong to the box above."""
    made = widgets.VBox(rows, layout=widgets.Layout(overflow="visible"))
    made.add_class("course-below")
    return made


def quiz_controls(quiz: Quiz) -> widgets.Widget:
    """One button for each option, each with room for its explanation."""
    rows = []
    for index, option in enumerate(quiz.options):
        choice, why = button(f"{chr(65 + index)}.  {option.text}", width="100%"), words()
        choice.on_click(lambda _, index=index, choice=choice, why=why: _explain(quiz, index, choice, why))
        if option in quiz.tries:
            _mark(quiz, index, choice, why)
        rows.append(widgets.VBox([choice, why], layout=widgets.Layout(overflow="visible")))
    head = widgets.HTML(f'{STYLE}<div class="course-words"><strong>Quiz.</strong> {static.rich(quiz.question)}</div>')
    return box([head, *rows], max_width="46em")


def _explain(quiz: Quiz, index: int, choice: widgets.Button, why: widgets.HTML) -> None:
    quiz.choose(index)
    _mark(quiz, index, choice, why)


def _mark(quiz: Quiz, index: int, choice: widgets.Button, why: widgets.HTML) -> None:
    option = quiz.options[index]
    mark = "✓" if option.right else "✗"
    choice.description = f"{mark} {chr(65 + index)}.  {static.plain(option.text)}"
    verdict, _, reason = option.verdict.partition(": ")
    why.value = said(f"{mark} <strong>{verdict}:</strong> {static.rich(reason)}")


def predict_controls(prediction: Prediction) -> widgets.Widget:
    """A field for a number (or the choices), a button, and room for the answer."""
    if prediction.options:
        field = widgets.RadioButtons(options=prediction.options, value=None, layout=widgets.Layout(width="auto"))
    else:
        field = widgets.Text(placeholder="a number", continuous_update=False, layout=widgets.Layout(width="9em"))
    reply = words()
    if prediction.said is not None:
        field.value = str(prediction.said)
        reply.value = said(static.rich(f"Noted: {prediction.said}."))
    commit = button("That is my prediction", width="auto")
    commit.on_click(lambda _: _commit(prediction, field, reply))
    field.observe(lambda _: _commit(prediction, field, reply), names="value")  # Enter, or leaving the field
    head = f'{STYLE}<div class="course-words"><strong>Predict.</strong> {static.rich(prediction.question)}</div>'
    unit = widgets.HTML(f'<span class="course-words">{static.rich(prediction.unit)}</span>')
    line = widgets.VBox if prediction.options else widgets.HBox
    answer = line([field, *([unit] if prediction.unit else []), commit], layout=widgets.Layout(overflow="visible"))
    answer.layout.align_items = "flex-start" if prediction.options else "center"
    return box([widgets.HTML(head), answer, reply], max_width="46em")


def _commit(prediction: Prediction, field: Any, reply: widgets.HTML) -> None:
    try:
        note = f"✓ {prediction.commit(field.value if field.value is not None else '')}"
    except CourseError as error:
        note = f"✗ {error.fact} Try: {error.fix}"
    reply.value = said(static.rich(note))


def explorer_controls(explorer: Explorer) -> tuple[widgets.Widget, widgets.Widget]:
    """The sliders above their picture, and the caption below it, each for an output of its own."""
    picture, caption = widgets.HTML(), words()
    rows = [_slider(explorer, name, picture, caption) for name in explorer.choices]
    _show_explorer(explorer, picture, caption)
    return box([widgets.HTML(STYLE), *rows, picture]), below(caption)


def _slider(explorer: Explorer, name: str, picture: widgets.HTML, caption: widgets.HTML) -> widgets.Widget:
    slider = widgets.SelectionSlider(
        options=[(f"{value:g}", value) for value in explorer.choices[name]],
        value=explorer.values[name],
        description=name.replace("_", " "),
        style={"description_width": "11em"},
        layout=widgets.Layout(width="36em", max_width="100%"),
    )

    def move(change: dict[str, Any]) -> None:
        try:
            explorer.move(**{name: change["new"]})
        except Exception as error:  # the learner's own function; JupyterLab would hide it in a log
            caption.value = said(f"✗ {static.rich(f'{type(error).__name__}: {error}')}")
        else:
            _show_explorer(explorer, picture, caption)

    slider.observe(move, names="value")
    return slider


def _show_explorer(explorer: Explorer, picture: widgets.HTML, caption: widgets.HTML) -> None:
    picture.value = explorer.picture.html()
    caption.value = said(static.rich(explorer.caption))

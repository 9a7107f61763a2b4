"""How a fault lab is shown: widgets where they can work; beside them bars and a table, which read everywhere.

Layer 1: imports `static`, `picture`; `lab_controls` and ipywidgets only in a kernel.
"""

from __future__ import annotations

from typing import Any

from course_utils.records import count
from course_utils.show import static

Lab = Any  # a faultlab.FaultLab, which imports this module
HOW = "Run this cell in JupyterLab to choose faults and watch."


def words(lab: Lab) -> str:
    """What the lab tries, and under what."""
    names = [f"Workflows: {', '.join(lab.workflows)}."] if "" not in lab.workflows else []
    return "\n".join(
        [f"Fault lab with {count(len(lab.inputs), 'input')}.", *names, f"Faults: {'; '.join(lab.faults)}."]
    )


def show(lab: Lab) -> None:
    """Display the lab as the output of a cell: a card, or the bars once there are some; and below it the table."""
    from IPython.display import display

    from course_utils.show import controls, picture

    panel, below = {}, {}
    if controls.is_live():
        from course_utils.show.lab_controls import Panel

        lab._widget = lab._widget or Panel(lab)
        lab._widget.refresh()
        panel, below = map(controls.only_view, lab._widget.widgets)
    text = words(lab)
    paragraphs = "".join(f"<p>{static.rich(line)}</p>" for line in text.splitlines())
    still, metadata, beside = static.bundle(static.card(paragraphs, kind="lab"), text), {}, [HOW]
    if lab.table():
        drawn = lab.draw().figure
        picture.keep_back(drawn)
        still, metadata = drawn.bundle()
        beside = [drawn.caption, HOW]
    display({**still, **panel}, raw=True, metadata=metadata)
    captions = "".join(map(static.caption, beside))
    table = static.bundle(lab.table().html() + captions, "\n".join([f"{lab.table()!r}", *beside]))
    display({**table, **below}, raw=True)

"""A figure that shows itself at the end of its cell, once, with alt text and a caption in words.

Layer 1: imports `style`, `static`, and matplotlib, so the other modules import it inside functions. The figure
is not pyplot's: it looks and behaves the same under every matplotlib backend, and a learner's own `plt.plot` in
the same cell never lands on it. Outside IPython nothing is shown; `ax.figure.savefig(...)` works everywhere.

JupyterLab 4.6 ignores alt text in output metadata (nbconvert's classic HTML uses it), so the caption is an
output of its own. It holds counts and names, never times: nbval compares it, and does not compare the PNG.
"""

from __future__ import annotations

import base64
import sys
from io import BytesIO
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from course_utils.show import static
from course_utils.show.style import DOTS, PAPER

_waiting: list[Picture] = []  # drawn in the running cell; shown when it ends, so that a cell may draw more on top


class Picture(Figure):
    """A figure with words: `caption` is shown below it, `alt` describes it to who cannot see it."""

    def __init__(self, width: float, height: float, *, kind: str) -> None:
        super().__init__(figsize=(width, height), dpi=DOTS, facecolor=PAPER)
        self.kind = kind  # "timeline", "workflow"
        self.caption = ""
        self.alt = ""

    def __repr__(self) -> str:
        return f"<Picture: {self.kind}>"

    def png(self, *, is_stored: bool = True) -> bytes:
        """The picture as PNG, sharp on dense screens; one to be stored is small, and names no program's version."""
        from PIL import Image

        file = BytesIO()
        with rc_context({"font.family": "DejaVu Sans"}):  # the font that every width was measured in
            self.savefig(file, format="png", dpi=2 * DOTS)
        if not is_stored:  # making it small takes longer than drawing it
            return file.getvalue()
        dots = Image.open(file).convert("RGB")
        dots.quantize(128, dither=Image.Dither.NONE).save(file := BytesIO(), "png", optimize=True)
        return file.getvalue()

    def bundle(self, *, is_stored: bool = True) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a notebook shows of the picture: data and metadata by mime type; `is_stored` as for `png`."""
        width, height = (round(inches * DOTS) for inches in self.get_size_inches())
        data = {"image/png": base64.b64encode(self.png(is_stored=is_stored)).decode(), "text/plain": repr(self)}
        return data, {"image/png": {"width": width, "height": height, "alt": self.alt}}

    def html(self) -> str:
        """The picture with its alt text, for a widget."""
        data, metadata = self.bundle(is_stored=False)
        source, width = f"data:image/png;base64,{data['image/png']}", metadata["image/png"]["width"]
        return (
            f'<img src="{source}" alt="{static.escape(self.alt)}" width="{width}" style="max-width:100%;height:auto">'
        )

    def _ipython_display_(self) -> None:
        from IPython.display import display

        keep_back(self)
        data, metadata = self.bundle()
        display(data, raw=True, metadata=metadata)
        display(static.bundle(static.caption(self.caption), static.plain(self.caption)), raw=True)


def show_when_cell_ends(picture: Picture) -> None:
    """Queue the picture for display, when this is IPython."""
    shell = _shell()
    if shell is not None:
        _waiting.append(picture)
        shell.events.register("post_execute", _show_waiting)  # registering twice is the same as once


def keep_back(picture: Picture) -> None:
    """Do not show it when the cell ends: whoever calls this shows it."""
    if picture in _waiting:
        _waiting.remove(picture)


def _show_waiting() -> None:
    while _waiting:
        _waiting[0]._ipython_display_()


def _shell() -> Any:
    ipython = sys.modules.get("IPython")  # a script that never imported IPython need not pay for it
    return ipython.get_ipython() if ipython else None

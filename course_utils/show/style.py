"""How the course's pictures and cards look: colours, sizes, and the width of a text.

Layer 1: imports nothing from this package; matplotlib only when a text is measured. Lengths are inches, text
sizes are points. The hues are those of Okabe and Ito, which colour-blind people can tell apart; wherever a
colour carries meaning, a hatch, a marker or a word carries it too.
"""

from __future__ import annotations

from functools import cache

INK = "#1f2a33"
MUTED = "#55626d"  # still 6:1 on white
FRAME = "#aab4bc"
GRID = "#e1e6ea"
BAND = "#f5f7f8"
PAPER = "#ffffff"

BLUE = "#0072b2"
VERMILLION = "#d55e00"
ORANGE = "#e69f00"
GREEN = "#009e73"
PURPLE = "#cc79a7"
PALE = {BLUE: "#d9eaf5", VERMILLION: "#fbe4d5", ORANGE: "#fdf1d6", GREEN: "#d8f0e8", PURPLE: "#f7e6ef"}
ALARM = "#a84300"  # vermillion, dark enough for 9 pt text on white

WIDTH = 7.5  # the widest figure, inches
SIZE = 9  # the smallest text, points
DOTS = 100  # CSS pixels per inch at which a picture is shown; it is stored with twice as many
LINE = 1.35  # line height, in text sizes


def text_width(text: str, size: float = SIZE, weight: str = "normal") -> float:
    """Inches that one line of text takes in matplotlib's own font, kerning left aside."""
    return sum(_advance(letter, weight) for letter in text) * size / 72


@cache
def _advance(letter: str, weight: str) -> float:
    """How far a letter moves the pen, in text sizes."""
    from matplotlib.font_manager import FontProperties, findfont, get_font
    from matplotlib.ft2font import LoadFlags

    font = get_font(findfont(FontProperties(family="DejaVu Sans", weight=weight)))
    font.set_size(100, 72)
    return font.load_char(ord(letter), LoadFlags.NO_HINTING).linearHoriAdvance / 65536 / 100


def shorten(text: str, inches: float, size: float = SIZE) -> str:
    """The text itself when it fits, otherwise its beginning and an ellipsis."""
    if text_width(text, size) <= inches:
        return text
    while text and text_width(text + "…", size) > inches:
        text = text[:-1]
    return text.rstrip(" _-") + "…"


def wrap(text: str, inches: float, size: float = SIZE) -> list[str]:
    """The text in lines of at most `inches`; breaks at spaces, after _ and -, and in a word only when it must."""
    lines = [""]
    for word in text.replace("_", "_ ").replace("-", "- ").split(" "):
        joint = "" if not lines[-1] or lines[-1][-1] in "_-" else " "
        if lines[-1] and text_width(lines[-1] + joint + word, size) > inches:
            joint = ""
            lines.append("")
        for letter in joint + word:
            if lines[-1] and text_width(lines[-1] + letter, size) > inches + 0.02:
                lines.append("")
            lines[-1] += letter
    return lines

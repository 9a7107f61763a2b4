"""HTML and plain text that stand beside every picture and widget: tables, cards, captions.

Layer 1: imports nothing from this package. The HTML reads without style sheets (GitHub removes them), and in
JupyterLab it takes the colours of the light or dark theme. Values only: no state, safe to share.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from html import escape
from typing import Any

INK = "var(--jp-content-font-color1, #1f2a33)"
MUTED = "var(--jp-content-font-color2, #55626d)"
LINE = "var(--jp-border-color2, #c4ccd2)"


def rich(text: str) -> str:
    """The text as HTML, with `code` between backticks set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def plain(text: str) -> str:
    """The text without its backticks."""
    return text.replace("`", "")


def card(inner: str, *, kind: str, width: int = 46) -> str:
    """A quiet frame around a question or a result; `kind` becomes its CSS class, `width` is in em."""
    style = f"border:1px solid {LINE};border-radius:6px;padding:0.6em 1em;max-width:{width}em;color:{INK}"
    return f'<div class="course-{kind}" style="{style}">{inner}</div>'


def caption(text: str) -> str:
    """The line below a picture that says in words what it shows."""
    return f'<p class="course-caption" style="color:{MUTED};max-width:56em;margin:0.2em 0 0.8em 0">{rich(text)}</p>'


def html_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    title: str = "",
    total: bool = False,
    words: Collection[int] = (0,),
) -> str:
    """A table of figures, but for the columns with `words`, the first one by default.

    Args:
        total: The last row is a sum.
    """
    top = "".join(_cell("th", text, number in words, 'scope="col"') for number, text in enumerate(head))
    body = [_row(row, words, heavy=total and index == len(rows) - 1) for index, row in enumerate(rows)]
    title = (
        f'<caption style="text-align:left;color:{MUTED};padding-bottom:0.3em">{rich(title)}</caption>' if title else ""
    )
    return (
        f'<table style="border-collapse:collapse;color:{INK};font-variant-numeric:tabular-nums">{title}'
        f"<thead><tr>{top}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _row(row: Sequence[str], words: Collection[int], *, heavy: bool) -> str:
    style = f' style="border-top:2px solid {LINE};font-weight:bold"' if heavy else ""
    cells = [
        _cell("td" if number else "th", text, number in words, "" if number else 'scope="row"')
        for number, text in enumerate(row)
    ]
    return f"<tr{style}>{''.join(cells)}</tr>"


def _cell(tag: str, text: str, is_words: bool, scope: str) -> str:
    side = "left" if is_words else "right"
    weight = "" if scope == 'scope="col"' else ";font-weight:inherit"
    scope = f" {scope}" if scope else ""
    return f'<{tag}{scope} style="text-align:{side};padding:0.25em 0.8em{weight}">{rich(text)}</{tag}>'


def text_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, total: bool = False, words: Collection[int] = (0,)
) -> str:
    """The same table in aligned plain text."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [_line(head, widths, words), "  ".join("-" * width for width in widths)]
    lines += [_line(row, widths, words) for row in rows]
    if total:
        lines.insert(-1, lines[1])
    return "\n".join(lines)


def _line(row: Sequence[str], widths: Sequence[int], words: Collection[int]) -> str:
    cells = [
        text.ljust(width) if number in words else text.rjust(width)
        for number, (text, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def decimals(prices: Iterable[float]) -> int:
    """Enough decimals, the same for all, for two digits of the smallest price that is not zero; 2 to 8."""
    smallest = min((price for price in prices if price > 0), default=1.0)
    return next((digits for digits in range(2, 8) if smallest >= 10 ** (1 - digits)), 8)


def bundle(html: str, text: str) -> dict[str, Any]:
    """What `_repr_mimebundle_` gives to a notebook: HTML, and text for everything else."""
    return {"text/html": html, "text/plain": text}

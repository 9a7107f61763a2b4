"""An honest miniature of translation: a glossary of the shop's words, phrase by phrase.

Layer 1: imports siblings only. Numbers, ids, names, addresses and quoted texts stay as they are; a word that the
glossary lacks stands in [brackets]. Grammar is out of its reach.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

COLUMNS = {"de": 0, "fr": 1, "es": 2}
KEPT = re.compile(
    r"https?://\S+|[\w.+-]+@[\w.-]+\w|\"[^\"\n]*\"|“[^”\n]*”|`[^`\n]*`|[€$£]\s?\d[\d.,]*\d|[€$£]?\d[\w.,:-]*\w%?|\d%?|\b[A-Z]{2,}[\w-]*|\b\w*\d[\w-]*|\b[A-Za-z]+[_-]\w*[A-Z0-9]\w*"
)
PART = re.compile(
    rf"(?P<kept>{KEPT.pattern})|(?P<word>[^\W\d_]+(?:['’-][^\W\d_]+)*)|(?P<gap>\s+)|(?P<sign>.)", re.DOTALL
)
LONGEST = 5  # words in the longest phrase of the glossary


@cache
def glossary(source: str, target: str) -> dict[str, str]:
    """Phrases in lower case and what they become."""
    rows = json.loads(files(__package__).joinpath("glossary.json").read_text(encoding="utf-8"))
    if source == "en":
        return {english: others[COLUMNS[target]] for english, others in rows.items()}
    table: dict[str, str] = {}
    for english, others in rows.items():
        foreign = others[COLUMNS[source]].lower()
        goal = english if target == "en" else others[COLUMNS[target]]
        table.setdefault(foreign, goal)
    return table


def source_of(text: str) -> str:
    """The language a text seems to be in: "de", "fr", "es" or "en".

    >>> source_of("Wo ist mein Paket?"), source_of("Where is it?")
    ('de', 'en')
    """
    words = re.findall(r"[^\W\d_]+", text[:2000].lower())
    tables = {code: glossary(code, "en") for code in COLUMNS} | {"en": glossary("en", "de")}
    hits = {code: sum(word in table for word in words) for code, table in tables.items()}
    hits["en"] += 1
    hits["de"] += len(re.findall(r"\b(?:ich|nicht|das|der|und|mein|wurde|auf)\b", text, re.IGNORECASE))
    hits["fr"] += len(re.findall(r"\b(?:je|pas|est|ma|les|vous|une|d[eu])\b", text, re.IGNORECASE))
    hits["es"] += len(re.findall(r"\b(?:el|los|mi|por|una|está|que|del?)\b", text, re.IGNORECASE))
    return max(("en", "de", "fr", "es"), key=lambda code: hits[code])


def translate(text: str, target: str, name: str = "") -> str:
    """The text in another language as far as the glossary goes.

    Args:
        target: A language code; only de, fr, es and en are known.
        name: The language's name, for the apology when it is not known.
    """
    source = source_of(text)
    if target not in (*COLUMNS, "en"):
        known = "German, French, Spanish and English"
        return f"I can translate into {known} only, so this text is still not in {name or 'that language'}: {text}"
    if source == target:
        return text
    table = glossary(source, target)
    parts = [(match.lastgroup or "", match.group()) for match in PART.finditer(text)]
    out, at, opens = [], 0, True
    while at < len(parts):
        kind, piece = parts[at]
        taken = 1
        if kind == "word":
            taken, goal = _phrase(parts, at, table)
            piece = goal or _unknown(piece, opens, parts, at)
            piece = piece[:1].upper() + piece[1:] if opens and goal else piece
        opens = opens if kind == "gap" and "\n" not in piece else kind == "gap" or piece in ".!?:" or piece == "\n"
        out.append(piece)
        at += taken
    return "".join(out)


def _phrase(parts: list[tuple[str, str]], at: int, table: dict[str, str]) -> tuple[int, str]:
    """The longest phrase of the glossary that starts here: parts taken, and its translation."""
    phrase, best = "", (1, "")
    for end in range(at, min(len(parts), at + 2 * LONGEST)):
        kind, piece = parts[end]
        if kind not in ("word", "gap"):
            break
        phrase += " " if kind == "gap" else piece.lower().replace("’", "'")
        if kind == "word" and phrase in table:
            best = (end - at + 1, table[phrase])
    return best


def _unknown(word: str, opens: bool, parts: list[tuple[str, str]], at: int) -> str:
    """A name stays as it is; another word is marked."""
    is_name = word[0].isupper() and (not opens or (at + 2 < len(parts) and parts[at + 2][1][:1].isupper()))
    return word if is_name else f"[{word}]"

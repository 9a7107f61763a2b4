"""Merging parts into one text: the best of each part, in order, said once.

Layer 1: imports siblings only.
"""

from __future__ import annotations

import re

from course_utils.server.practice.limits import sentence_limit, word_limit
from course_utils.server.practice.noise import Noise
from course_utils.server.practice.reading import Reading
from course_utils.server.practice.sizes import Size
from course_utils.server.practice.words import content, sentences, shorten
from course_utils.server.practice.writing import CLOSING, greeting

PART_WORDS = 60
LETTER = re.compile(r"\binto (?:one|a|an|the)(?: \w+)? (?:letter|e-?mail|reply)\b", re.IGNORECASE)
GREETING = re.compile(r"^(?:dear|hello|hi|kind regards|best wishes|merrowby support)\b", re.IGNORECASE)


def merge(reading: Reading, size: Size, noise: Noise) -> str:
    """One text from the parts of a request; each part keeps at least its first sentence."""
    parts = parts_of(reading)
    if len(parts) > 1 and noise.chance(size.misses, "merge"):
        parts.pop(noise.below(len(parts), "which part"))
    limit = word_limit(reading.instruction)
    most = sentence_limit(reading.instruction)
    share = max(3, limit // max(1, len(parts))) if limit else PART_WORDS
    if most:
        parts = parts[:most]
    said: set[str] = set()
    kept = [text for part in parts if (text := _best(part, share, said, 1 if most else None))]
    text = "\n\n".join(kept) if not limit and len(kept) > 1 else " ".join(kept)
    return f"{greeting(reading.instruction)}\n\n{text}\n\n{CLOSING}" if LETTER.search(reading.instruction) else text


def parts_of(reading: Reading) -> list[str]:
    """The parts to merge: named sections, list items, or paragraphs."""
    skipped = ("task", "question", "goal", "request", "topic", "user question", "query")
    named = [text for name, text in reading.sections if name.split()[0] not in skipped]
    if len(named) > 1:
        return [part.strip() for part in named]
    text = named[0] if named else reading.subject
    items = re.split(r"\n\s*(?=(?:[-*•]|\d{1,3}[.)]|\[?\w+ \d{1,3}\]?[:.)])\s)", f"\n{text.strip()}")
    items = [re.sub(r"^\s*(?:[-*•]|\d{1,3}[.)])\s*", "", item).strip() for item in items if item.strip()]
    if len(items) > 1:
        return items
    return [part.strip() for part in re.split(r"\n\s*(?:\n|---+)\s*", text) if part.strip()] or [text]


def _best(part: str, limit: int, said: set[str], most: int | None) -> str:
    """The opening sentences of a part that say something new, within the limit."""
    kept: list[str] = []
    for sentence in sentences(part):
        key = " ".join(content(sentence)) or sentence
        if key in said or GREETING.match(sentence) or (most and len(kept) >= most):
            continue
        if kept and len(" ".join([*kept, sentence]).split()) > limit:
            break
        said.add(key)
        kept.append(sentence)
    return shorten(" ".join(kept), limit)

"""Extractive summaries: the sentences that carry most of a text, within the length asked for.

Layer 1: imports siblings only.
"""

from __future__ import annotations

from collections import Counter

from course_utils.server.practice.facts import ANY_ID, MONEY
from course_utils.server.practice.noise import Noise
from course_utils.server.practice.sizes import Size
from course_utils.server.practice.words import content, sentences, shorten

DEFAULT_WORDS = 40


def summarise(text: str, size: Size, noise: Noise, words: int | None = None, most: int | None = None) -> str:
    """The weightiest sentences of a text in their order.

    Args:
        words: The most words allowed. A model that rambles goes beyond it by a sentence.
        most: The most sentences allowed.
    """
    parts = sentences(text)
    if not parts:
        return ""
    limit = words or max(DEFAULT_WORDS, 0 if most is None else 400)
    ranked = _ranked(parts)
    chosen: list[int] = []
    room = limit
    for at in ranked:
        length = len(parts[at].split())
        if length <= room and (most is None or len(chosen) < most):
            chosen.append(at)
            room -= length
    summary = " ".join(parts[at] for at in sorted(chosen)) or shorten(parts[ranked[0]], limit)
    if words and noise.chance(size.rambles, "rambles"):
        summary = _rambling(summary, parts, chosen, ranked, words)
    return summary


def _rambling(summary: str, parts: list[str], chosen: list[int], ranked: list[int], words: int) -> str:
    """A summary longer than the limit, from the sentences that were left out."""
    extra = [parts[at] for at in ranked if at not in chosen] or ["The customer would like an answer soon."]
    longer = f"In short, this is what the text says: {summary}"
    while len(longer.split()) <= words and extra:
        longer += f" {extra.pop(0)}"
    return longer


def _ranked(parts: list[str]) -> list[int]:
    """Sentence numbers, weightiest first: frequent words, ids, amounts, and an early place count."""
    stems = [content(part) for part in parts]
    frequency = Counter(word for each in stems for word in each)
    scored = []
    for at, (part, each) in enumerate(zip(parts, stems, strict=True)):
        weight = 10 * sum(frequency[word] for word in dict.fromkeys(each)) // (len(each) + 3)
        weight += 12 * (ANY_ID.search(part) is not None) + 6 * (MONEY.search(part) is not None)
        weight += 4 * part.endswith("?") + max(0, 8 - 3 * at)
        scored.append((-weight, at))
    return [at for _, at in sorted(scored)]

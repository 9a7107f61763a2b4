"""Finding help articles for a question, and the sentences in them that answer it.

Layer 1: imports `world` and siblings. The ranking is BM25 over stems, title counted three times.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from math import log

from course_utils import world
from course_utils.server.practice.needs import advice_for, honest_parts
from course_utils.server.practice.words import content, sentences

K, B = 1.4, 0.6  # how fast repeats saturate, and how much long articles lose
HOW_LONG = re.compile(r"\bhow (?:long|soon|many days)\b|\bwhen\b", re.IGNORECASE)
SPAN = re.compile(r"\b\d+ (?:to \d+ )?(?:working )?(?:minutes|hours|days|weeks|months|years)\b|\b(?:same day|within)\b")
TITLE_SHARE, TEXT_SHARE = 0.25, 0.5  # of a question's weight, which an article must hold to answer it
NEAR = 0.4  # share of the best sentence's weight that a further one needs
STRANGE = 4.0  # weight of a word that no article has
SYNONYMS = {
    "wlan": "wi", "internet": "wi", "camera": "robin", "money": "refund", "abroad": "countr", "bill": "invoic",
    "leak": "leak", "drip": "leak", "crash": "restart", "broke": "warrant", "cancel": "cancel", "subscription":
    "plus", "voucher": "gift", "track": "track", "open": "open", "contact": "writ", "station": "wren", "rain":
    "heron", "soil": "mole", "timer": "otter", "hub": "burrow", "postag": "shipp",
}  # fmt: skip


@cache
def _index() -> tuple[list[Counter[str]], dict[str, float], float]:
    """Word counts of each article, the rarity of each word, the average length."""
    counts = [
        Counter(content(f"{each.title} {each.title} {' '.join(each.topics)} {each.text}")) for each in world.articles()
    ]
    total = len(counts)
    spread = Counter(word for count in counts for word in count)
    rarity = {word: log(1 + (total - seen + 0.5) / (seen + 0.5)) for word, seen in spread.items()}
    return counts, rarity, sum(sum(count.values()) for count in counts) / total


def find_articles(question: str, limit: int = 3) -> list[tuple[float, world.Article]]:
    """The best articles with their scores, best first; articles without any common word are left out."""
    counts, rarity, average = _index()
    asked = content(question[:2000])
    asked = list(dict.fromkeys(asked + [SYNONYMS[word] for word in asked if word in SYNONYMS]))
    scored = []
    for at, (article, count) in enumerate(zip(world.articles(), counts, strict=True)):
        norm = K * (1 - B + B * sum(count.values()) / average)
        score = sum(rarity[word] * count[word] * (K + 1) / (count[word] + norm) for word in asked if word in count)
        if score > 0:
            # Rounded, so that the last bits of a sum never decide the order.
            scored.append((-round(score, 6), at, article))
    return [(-score, article) for score, _, article in sorted(scored, key=lambda each: each[:2])[:limit]]


def best_sentences(question: str, text: str, limit: int = 2) -> list[str]:
    """The sentences of a text that share most with the question, in the order of the text."""
    asked = set(content(question[:2000]))
    asked |= {SYNONYMS[word] for word in asked if word in SYNONYMS}
    parts = sentences(text)
    stems = [set(content(part)) for part in parts]
    spread = Counter(word for each in stems for word in each)
    rarity = _index()[1]
    scored = []
    for at, (part, each) in enumerate(zip(parts, stems, strict=True)):
        # A word that every sentence has tells nothing about any of them.
        common = sum(round(rarity.get(word, 3.0) / spread[word], 6) for word in sorted(asked & each))
        scored.append((-round(common + bool(common and HOW_LONG.search(question) and SPAN.search(part)), 4), at))
    best = min(scored, default=(0, 0))[0]
    chosen = sorted(at for score, at in sorted(scored)[:limit] if score < 0 and score <= best * NEAR)
    return [parts[at] for at in chosen]


def facts_for(question: str, limit: int = 2, *, is_message: bool = False) -> list[str]:
    """Sentences of the best help article that bear on a question; empty when no article does.

    Args:
        is_message: The question is a customer's whole message, which may speak of much else.
    """
    if advised := advice_for(question).sentences:
        return advised[:limit]
    if is_message:  # statements are no questions, so a word in common means little
        question = " ".join(part for part in honest_parts(question) if part.endswith("?"))
    found = find_articles(question, 1)
    if not found or not _answers(question, found[0][1]):
        return []
    return best_sentences(question, found[0][1].text, limit) or sentences(found[0][1].text)[:limit]


def _answers(question: str, article: world.Article) -> bool:
    """True when one sentence of the question is covered well enough; more is asked of mere mentions than of titles."""
    counts, rarity, _ = _index()
    held = counts[world.articles().index(article)]
    title = set(content(f"{article.title} {' '.join(article.topics)}"))
    for part in sentences(question[:2000]):
        asked = list(dict.fromkeys(content(part)))
        hits = [word for word in asked if word in held or SYNONYMS.get(word) in held]
        share = sum(rarity.get(word, STRANGE) for word in hits) / (
            sum(rarity.get(word, STRANGE) for word in asked) or 1
        )
        has_title = any(word in title or SYNONYMS.get(word) in title for word in hits)
        if share >= (TITLE_SHARE if has_title else TEXT_SHARE) and (has_title or len(hits) > 1):
            return True
    return False

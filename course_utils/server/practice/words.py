"""Words, sentences and numbers of plain text.

Layer 1: imports nothing from this package. Everything here is a value-to-value function.
"""

from __future__ import annotations

import re
from functools import lru_cache

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
# A quoted question inside a sentence does not end it: "Who eats here?" needs a Robin.
SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[.!?…][\"'”)])\s+(?![a-z])|\s*\n\s*\n\s*|\s*\n\s*(?=[-*•\d])|\n")
NUMBER_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "hundred": 100, "single": 1, "a": 1,
}  # fmt: skip
NUMBER = r"\d{1,4}|" + "|".join(NUMBER_WORDS)
STOPWORDS = frozenset(
    "a about above after again all am an and any are as at be because been before being but by can could did do does "
    "doing down for from had has have having he her here hers him his how i i'd i'll i'm i've if in into is it its "
    "just me more most my no nor not now of off on once only or other our out over own same she should so some such "
    "than that the their them then there these they this those through to too under until up us very was we were what "
    "when where which while who why will with would you your please yes also get got let like may might much must "
    "need shall since still tell want mean means take takes long many much".split()
)
ENDINGS = ("ations", "ation", "ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "s", "e", "y")


def words(text: str) -> list[str]:
    """The words in lower case, without punctuation.

    >>> words("The Hub's light: RED!")
    ['the', "hub's", 'light', 'red']
    """
    return [word.lower().replace("’", "'") for word in WORD.findall(text)]


@lru_cache(8192)
def stem(word: str) -> str:
    """The word without its ending, so that "charged" and "charges" meet.

    >>> stem("charged"), stem("charges"), stem("bill"), stem("billing")
    ('charg', 'charg', 'bill', 'bill')
    """
    word = word.removesuffix("'s")
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def content(text: str) -> list[str]:
    """Stems of the words that carry meaning, in order.

    >>> content("Where is the parcel that you shipped?")
    ['parcel', 'shipp']
    """
    return [stem(word) for word in words(text) if word not in STOPWORDS and len(word) > 1]


def sentences(text: str) -> list[str]:
    """The sentences and list items of a text, trimmed, without empty ones.

    >>> sentences("One. Two!\\n\\n- three")
    ['One.', 'Two!', '- three']
    """
    return [part.strip() for part in SENTENCE_END.split(text) if part and part.strip()]


def number(text: str) -> int:
    """The whole number that digits or an English number word mean.

    >>> number("Six"), number("12")
    (6, 12)
    """
    return int(text) if text.isdecimal() else NUMBER_WORDS[text.lower()]


def shorten(text: str, limit: int) -> str:
    """At most `limit` words of the text, with a full stop when something was cut.

    >>> shorten("The hub is offline since Sunday.", 4)
    'The hub is offline.'
    """
    parts = text.split()
    if len(parts) <= limit:
        return " ".join(parts)
    kept = parts[:limit]
    while len(kept) > 1 and kept[-1].lower().strip(",;:") in STOPWORDS:
        kept.pop()
    return " ".join(kept).rstrip(",;:–-.") + "."

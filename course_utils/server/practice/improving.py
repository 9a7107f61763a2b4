"""A draft made better by feedback.

Layer 1: imports siblings only. The large model takes up all of the feedback, the small one may skip an item, which is
why an evaluator loop needs a second round.
"""

from __future__ import annotations

import re

from course_utils.server.practice import facts
from course_utils.server.practice.knowing import as_sentence
from course_utils.server.practice.noise import Noise
from course_utils.server.practice.reading import Reading
from course_utils.server.practice.retrieval import best_sentences, facts_for, find_articles
from course_utils.server.practice.sizes import Size
from course_utils.server.practice.words import sentences
from course_utils.server.practice.writing import APOLOGY, CLOSING, greeting, limited


def improve(reading: Reading, size: Size, noise: Noise) -> str:
    """The draft with the feedback worked in: the large model takes all of it, the small one may skip an item."""
    text = reading.section(
        "draft", "reply", "text", "previous draft", "current draft", "original", "answer", "email", "summary"
    )
    text = text or (reading.earlier[-1] if reading.earlier else "") or reading.subject
    feedback = reading.section("feedback", "criticism", "critique", "review") or reading.instruction
    material = "\n".join(part for name, part in reading.sections if part not in (text, feedback)) or text
    for name, fix in FIXES.items():
        if re.search(name, feedback, re.IGNORECASE) and not noise.chance(2 * size.misses, "skips", name):
            text = fix(text, material)
    for old, also_old, new, also_new in REPLACE.findall(feedback):
        text = text.replace(old or also_old, new or also_new)
    for quoted in REMOVE.findall(feedback):
        text = _without(text, "".join(quoted))
    if re.search(r"\b(?:short|concise|brief|too long|cut)\w*", feedback, re.IGNORECASE):
        parts = sentences(text)
        text = " ".join(parts[: max(1, (len(parts) + 1) // 2)])
    return limited(text, reading.instruction)


def _without(text: str, quoted: str) -> str:
    """The text without the sentences that hold what was quoted."""
    for sentence in sentences(text):
        if quoted in sentence:
            text = re.sub(rf"{re.escape(sentence)} ?", "", text)
    return text


def _with_greeting(text: str, material: str) -> str:
    return text if re.match(r"(?:dear|hello|hi|good)\b", text, re.IGNORECASE) else f"{greeting(material)}\n\n{text}"


def _with_thanks(text: str, material: str) -> str:
    return text if re.search(r"\bthank", text, re.IGNORECASE) else _before_closing(text, "Thank you for your patience.")


def _with_order(text: str, material: str) -> str:
    missing = [each for each in facts.order_ids(material) if each not in text]
    return _before_closing(text, f"This is about order {missing[0]}.") if missing else text


def _with_amount(text: str, material: str) -> str:
    missing = [match.group().strip() for match in facts.MONEY.finditer(material) if match.group().strip() not in text]
    return _before_closing(text, f"The amount is {missing[0]}.") if missing else text


def _with_apology(text: str, material: str) -> str:
    return text if re.search(r"\bsorry\b|\bapolog", text, re.IGNORECASE) else _before_closing(text, APOLOGY)


def _with_facts(text: str, material: str) -> str:
    found = find_articles(material, 1)
    # A task may bring its own facts; they come before the help centre's.
    listed = [
        as_sentence(line.lstrip("-*• ")) for line in material.split("\n") if line.lstrip().startswith(("-", "*", "•"))
    ]
    known = facts_for(material, 3, is_message=True)
    pool = listed or known or (best_sentences(material, found[0][1].text, 3) if found else [])
    missing = [each for each in pool if each not in text]
    return _before_closing(text, " ".join(missing[:3])) if missing else text


def _with_closing(text: str, material: str) -> str:
    return text if re.search(r"\bregards\b|\bwishes\b", text, re.IGNORECASE) else f"{text.rstrip()}\n\n{CLOSING}"


def _before_closing(text: str, addition: str) -> str:
    body, mark, closing = text.partition("\n\nKind regards")
    return f"{body.rstrip()} {addition}{mark}{closing}"


QUOTED = r"(?:\"([^\"\n]+)\"|“([^”\n]+)”)"
REPLACE = re.compile(rf"\b(?i:replace|change|correct)\s+{QUOTED}\s+(?:with|to|by|into)\s+{QUOTED}")
REMOVE = re.compile(rf"\b(?i:remove|delete|drop|leave out)\s+{QUOTED}")
FIXES = {
    r"greet|salutation|hello": _with_greeting,
    r"thank|polite|friendl|warm": _with_thanks,
    r"order|\b[A-Z]{2,5}-\d+": _with_order,
    r"amount|sum of money": _with_amount,
    r"sorry|apolog|empath": _with_apology,
    r"fact|detail|specific|longer|too short|help centre|concrete|explain": _with_facts,
    r"clos|regards|sign": _with_closing,
}

"""Questions for one named field of a text: "Which order number does this ticket name? Answer with it alone, or NONE."

Layer 1: imports siblings only. The answer is the value as it stands in the text (dates in ISO form), or the word that
the prompt wants when there is none. Mood and urgency are no facts but labels: `vocabulary_of` knows their words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from course_utils.server.practice import facts
from course_utils.server.practice.labels import Label, label
from course_utils.server.practice.noise import Noise

NOT_STATED = "not stated"
ASKED = re.compile(
    r"\b(?:which|what|what's|whose|who|when|is there|find|extract|give|return|name|state|identify|pull out|pick out|"
    r"tell|report|list|get|read|look for|output|quote)\b",
    re.IGNORECASE,
)
MISSING_WORDS = r"none|null|unknown|nothing|missing|n/?a|no"
QUOTED = r"[\"'`“‘]([^\"'`”’\n]{1,40})[\"'`”’]"
BARE = rf"(?:the word )?([A-Z][A-Z_/-]+\b|\b(?i:{MISSING_WORDS})\b|-(?=\W*$))"
SAY = r"(?i:say|answer|write|reply|return|respond|give|use|put|output|with|just|only|simply|by|the text|the word)"
MISSING = re.compile(rf"\b(?i:or|otherwise|else)(?: else)?,?\s+(?:{SAY}\s+)*(?:{QUOTED}|{BARE})")
IF_MISSING = re.compile(
    rf"\b(?i:if|when)\b[^.\n]{{0,60}}?\b(?i:none|no|not|nothing|missing|absent|without|lacks)\b[^.\n]{{0,40}}?[,:]?\s+"
    rf"(?:{SAY}\s+)+(?:{QUOTED}|([\w/-]+))"
)
SAY_IF_MISSING = re.compile(
    rf"(?:{SAY}\s+)+(?:{QUOTED}|([\w/-]+))\s+(?i:if|when)\b[^.\n]{{0,40}}?\b(?i:none|no|not|nothing|missing|absent)\b"
)
PLURAL = re.compile(r"\b(?:all|every|list)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Field:
    """Something that a text may state, with the words that ask for it and the finder of its values."""

    name: str
    words: re.Pattern[str]
    find: Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Question:
    """A question for one field."""

    field: Field
    missing: str  # what to say when the text holds none
    wants_all: bool

    def answer(self, text: str) -> str:
        found = self.field.find(text)
        return ", ".join(found if self.wants_all else found[:1]) or self.missing


def _amounts(text: str) -> list[str]:
    return list(dict.fromkeys(match.group().strip() for match in facts.MONEY.finditer(text)))


def _field(name: str, pattern: str, find: Callable[[str], list[str]]) -> Field:
    return Field(name, re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), find)


FIELDS = (
    _field("order number", r"(?:order|reference) (?:numbers?|ids?|nos?\.?|codes?)|order_?ids?", facts.order_ids),
    _field("amount", r"(?:amounts?|sums?|price|total)(?: of money)?|how much money", _amounts),
    _field("date", r"dates?|(?:which|what) days?", facts.dates),
    _field("e-mail address", r"e-?mail(?:[- ]address(?:es)?)|(?:which|what|whose|customer'?s|sender'?s|the) e-?mail",
           facts.emails),
    _field("phone number", r"(?:tele)?phone(?: numbers?)?", facts.phones),
    _field("name", r"(?:(?:customer|sender|person|writer|author)(?:'s)?|full|first|last|whose|what|which|the) names?|"
           r"name of the (?:customer|sender|person|writer|author)|who (?:wrote|signed|sent)", facts.names),
    _field("product", r"(?:products?|devices?|articles?)(?: names?)?", facts.products),
)  # fmt: skip
VOCABULARIES = (
    (re.compile(r"\b(?:sentiment|mood|tone|emotion)\b", re.IGNORECASE), ("positive", "neutral", "negative")),
    (re.compile(r"\b(?:urgency|urgent|priority|severity)\b", re.IGNORECASE), ("low", "normal", "high")),
)


def questions_in(instruction: str) -> list[Question]:
    """A question for each field that an instruction asks for.

    >>> [each.missing for each in questions_in("Which order number does this ticket name? Say it alone, or NONE.")]
    ['NONE']
    >>> [each.field.name for each in questions_in("Extract the order number and the amount.")]
    ['order number', 'amount']
    """
    parts = [part for part in re.split(r"(?<=[.?!:])\s+|\n", instruction) if ASKED.search(part)]
    found = []
    for field in FIELDS:
        if match := next(filter(None, map(field.words.search, parts)), None):
            is_plural = match.group().lower().endswith(("numbers", "ids", "amounts", "dates", "products", "devices"))
            wants_all = is_plural or PLURAL.search(instruction) is not None
            found.append(Question(field, missing_word(instruction) or NOT_STATED, wants_all))
    return found


def missing_word(instruction: str) -> str:
    """What an instruction wants to hear when there is nothing to say, or "".

    >>> missing_word("Give the date, or 'unknown'."), missing_word("If there is none, say NOTHING.")
    ('unknown', 'NOTHING')
    """
    for pattern in (IF_MISSING, SAY_IF_MISSING, MISSING):
        if found := pattern.search(instruction):
            return next(filter(None, found.groups())).strip()
    return ""


def vocabulary_of(instruction: str, labels: list[Label]) -> list[Label]:
    """The labels of a question for mood or urgency that names none of its own; else the labels that were found."""
    for pattern, words in VOCABULARIES:
        known = [label(word) for word in words]
        if pattern.search(instruction) and not {each.concept for each in labels} & {each.concept for each in known}:
            return known
    return labels


def dressed(question: Question, value: str, noise: Noise) -> str:
    """The answer in one of the dresses that models like."""
    name = question.field.name
    capital = name[0].upper() + name[1:]
    forms = (f"**{value}**", f"{capital}: {value}", f"The {name} is {value}.", f"{value}.", f'"{value}"')
    return noise.pick(forms, "dress")

"""The wishes about form that an instruction states: how long, how many, which language, which keys.

Layer 1: imports siblings only.
"""

from __future__ import annotations

import re
from typing import Any

from course_utils.server.practice.words import NUMBER, number, sentences, shorten

_MOST = (
    r"(?:at most|no more than|not more than|up to|maximum(?: of)?|max\.?|within|under|fewer than|less than|"
    r"in|about|around|exactly|höchstens|of)?"
)
WORDS = re.compile(rf"{_MOST}\s*\b({NUMBER})[- ]words?\b(?! each)", re.IGNORECASE)
SENTENCES = re.compile(rf"{_MOST}\s*\b({NUMBER})[- ](?:\w+ )?sentences?\b", re.IGNORECASE)
BELOW = re.compile(r"\b(?:under|fewer than|less than|below)\s*$|^(?:under|fewer than|less than)", re.IGNORECASE)
ITEMS = re.compile(
    rf"\b({NUMBER})(?:\s*(?:-|–|to|or)\s*({NUMBER}))?[- ](?:\w+[- ]){{0,2}}?(?:sub-?tasks?|steps?|tasks?|items?|"
    rf"parts?|points?|bullets?|sections?|questions?|ideas?|elements?|entries)\b",
    re.IGNORECASE,
)
LANGUAGES = {
    "german": "de", "deutsch": "de", "deutsche": "de", "french": "fr", "français": "fr", "französisch": "fr",
    "francais": "fr", "spanish": "es", "español": "es", "spanisch": "es", "english": "en", "englisch": "en",
    "anglais": "en", "inglés": "en", "italian": "it", "dutch": "nl", "portuguese": "pt", "polish": "pl", "japanese":
    "ja", "chinese": "zh", "swedish": "sv", "danish": "da", "turkish": "tr", "arabic": "ar", "russian": "ru",
    "finnish": "fi", "norwegian": "no", "czech": "cs", "greek": "el", "korean": "ko",
}  # fmt: skip
LANGUAGE = re.compile(rf"\b(?:in|into|to|auf|ins|en|nach)?\s*\b({'|'.join(LANGUAGES)})\b", re.IGNORECASE)
KEY_ROW = re.compile(
    r"\b(?:keys?|fields?|properties|json(?: object)?(?: with| containing| of| having)?)\b(?: named| called| the "
    r"keys?| the fields?| the)*\s*[:=(]?\s*([`\"'\w, ]+?)(?:[.;:\n)(]|$)",
    re.IGNORECASE,
)
KEY_SHAPE = re.compile(r"[\"'](\w{1,40})[\"']\s*:")
ITEM_SHAPE = re.compile(r"\{[^{}]*:[^{}]*\}")  # an object that stands in the prompt as an example
OBJECTS = re.compile(r"\b(?:list|array) of objects\b", re.IGNORECASE)
OPTIONS = re.compile(  # "desk": "billing | sales" or "desk": "billing" or "sales"
    r"[\"'](\w{1,40})[\"']\s*:\s*(?:[\"']([\w-]+(?:\s*(?:\||/|,\s*or\b|,|\bor\b)\s*[\w-]+)+)[\"']"
    r"|([\"'][\w-]+[\"'](?:\s*(?:\||\bor\b)\s*[\"'][\w-]+[\"'])+))"
)
JSON_WANTED = re.compile(r"\bjson\b", re.IGNORECASE)


def word_limit(instruction: str) -> int | None:
    """The most words that an instruction allows.

    >>> word_limit("Summarise in at most 20 words."), word_limit("Answer with one word."), word_limit("Be brief.")
    (20, 1, None)
    """
    found = [
        (number(match.group(1)), match)
        for match in WORDS.finditer(instruction)
        if not match.group().lower().startswith(" a ")
    ]
    if not found:
        return None
    value, match = found[-1]
    return max(1, value - bool(BELOW.search(match.group()[: match.start(1) - match.start()])))


def sentence_limit(instruction: str) -> int | None:
    """The most sentences that an instruction allows.

    >>> sentence_limit("Reply in two short sentences.")
    2
    """
    found = [number(match.group(1)) for match in SENTENCES.finditer(instruction)]
    if found:
        return max(1, found[-1])
    return 1 if re.search(r"\bin (?:one|a single) sentence\b", instruction, re.IGNORECASE) else None


def item_count(instruction: str) -> int | None:
    """How many parts an instruction asks for; the larger of a range.

    >>> item_count("Break it into 3 to 5 subtasks"), item_count("a JSON list of at most six steps")
    (5, 6)
    """
    found = [match for match in ITEMS.finditer(instruction) if match.group(1).lower() not in ("a", "single")]
    return number(found[0].group(2) or found[0].group(1)) if found else None


def language(instruction: str) -> str:
    """The code of the last language that an instruction names, or ""."""
    found = LANGUAGE.findall(instruction)
    return LANGUAGES[found[-1].lower()] if found else ""


def language_name(instruction: str) -> str:
    """The last language that an instruction names, as it is written there, or ""."""
    found = LANGUAGE.findall(instruction)
    return found[-1].capitalize() if found else ""


def wants_json(instruction: str) -> bool:
    return JSON_WANTED.search(instruction) is not None


def wants_list(instruction: str) -> bool:
    """True when the JSON asked for is a list."""
    return (
        re.search(r"\bjson[- ](?:list|array)\b|\b(?:list|array)\b.{0,30}\bjson\b|\[\s*\"", instruction, re.I)
        is not None
    )


def json_keys(instruction: str) -> list[str]:
    """The keys that an instruction wants in its JSON object, in order.

    >>> json_keys('Reply as JSON: {"score": 1-10, "verdict": "PASS"}')
    ['score', 'verdict']
    >>> json_keys("JSON with the keys label and reason.")
    ['label', 'reason']
    """
    if shaped := KEY_SHAPE.findall(instruction):
        return list(dict.fromkeys(shaped))
    keys: list[str] = []
    for row in KEY_ROW.findall(instruction):
        parts = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", row.strip())
        parts = [re.sub(r"^(?:an?|the|keys?|fields?)\s+|[`\"']", "", part.strip()) for part in parts]
        keys += [
            part
            for part in parts
            if re.fullmatch(r"[A-Za-z_]\w{0,39}", part) and part.lower() not in ("only", "object", "format", "list")
        ]
    return list(dict.fromkeys(keys))


def item_schema(instruction: str) -> dict[str, Any] | None:
    """The schema of the objects in the JSON list that an instruction describes; None when it wants plain texts.

    >>> item_schema('A JSON array of {"desk": "sales | other", "question": "..."}')["properties"]["desk"]
    {'type': 'string', 'enum': ['sales', 'other']}
    """
    shape = ITEM_SHAPE.search(instruction)
    keys = json_keys(shape[0] if shape else instruction) if shape or OBJECTS.search(instruction) else []
    parts: dict[str, Any] = {key: {"type": "string"} for key in keys}
    for key, inside, beside in OPTIONS.findall(instruction):
        if key in parts:
            parts[key]["enum"] = [each for each in re.findall(r"[\w-]+", inside or beside) if each != "or"]
    return {"type": "object", "properties": parts, "required": keys} if parts else None


def within(text: str, words: int | None, most: int | None) -> str:
    """The text cut to a number of words and sentences."""
    if most is not None:
        text = " ".join(sentences(text)[:most])
    if words is not None and len(text.split()) > words:
        kept: list[str] = []
        for sentence in sentences(text):
            if len(" ".join([*kept, sentence]).split()) > words:
                break
            kept.append(sentence)
        text = " ".join(kept) or shorten(text, words)
    return text

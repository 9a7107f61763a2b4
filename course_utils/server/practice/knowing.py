"""The facts of a letter: from the prompt, from what tools returned, or from the help centre.

Layer 1: imports `world` and siblings. Of a long text only the sentences that answer the message are taken.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from course_utils import world
from course_utils.server.practice.lookups import RECORD, order_of, order_sentences
from course_utils.server.practice.needs import advice_for, honest_parts
from course_utils.server.practice.reading import Reading
from course_utils.server.practice.results import FAILED, parsed, said_of_number
from course_utils.server.practice.retrieval import best_sentences, facts_for
from course_utils.server.practice.words import content, sentences

BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")
NOTHING = re.compile(r"^\W*(?:no|none|nothing)\b[^.!?]{0,40}\W*$", re.IGNORECASE)  # "no order named"
LONG = 3  # sentences; of longer texts a choice is made
MOST = 8  # facts that a prompt may bring along
TEXT_KEYS = ("text", "answer", "content", "result", "snippet", "body", "page_content")


def as_sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?", "…", ":")) else f"{text}."


def message_of(reading: Reading) -> str:
    """What the customer wrote, or the topic to write about."""
    named = reading.section(
        "ticket",
        "letter",
        "complaint",
        "customer",
        "message",
        "question",
        "task",
        "topic",
        "subtask",
        "customer message",
        "user question",
        "query",
    )
    return named or reading.subject


def given_facts(reading: Reading) -> list[str] | None:
    """The facts that the prompt or the tools bring; None when they bring none, so that memory may help."""
    message = message_of(reading)
    if reading.results:
        found = [part for result in reading.results for part in _from_result(*result, message)]
        return list(dict.fromkeys(found))
    given = reading.section(
        "facts", "fact", "context", "notes", "note", "articles", "article", "results", "result", "findings"
    )
    if not given:
        return None
    return [part for line in given.split("\n") if line.strip() for part in _from_line(line, message)][:MOST]


def known_facts(reading: Reading, limit: int) -> list[str]:
    """What the help centre says to the message."""
    return facts_for(message_of(reading) or reading.instruction, limit, is_message=True)


def _from_line(line: str, message: str) -> list[str]:
    """What one line of given facts contributes: an item of a list is taken as it stands."""
    text = BULLET.sub("", line)
    if BULLET.match(line):
        return [as_sentence(part) for part in sentences(text)]
    if NOTHING.match(line):
        return []
    if start := RECORD.match(text):
        return order_sentences(order_of(start.group(), ""), text, message)
    parts = sentences(text)
    return relevant(message, text) if len(parts) > LONG else [as_sentence(part) for part in parts]


def _from_result(name: str, arguments: str, result: str, message: str) -> list[str]:
    """What one tool result contributes to a letter; nothing, when it answers nothing."""
    if order := order_of(arguments, result):
        return order_sentences(order, result, message)
    if number := said_of_number(arguments, result):
        return [number]
    text = plain_text(parsed(result), result).strip()
    if not text or (len(text) < 200 and FAILED.search(text)):
        return []
    return [as_sentence(part) for part in relevant(message, text)]


def plain_text(value: Any, text: str) -> str:
    """The prose in a JSON value, or the text itself when it is no JSON."""
    if isinstance(value, list):
        return "\n".join(plain_text(each, str(each)) for each in value[:5])
    if isinstance(value, dict):
        found = [str(value[key]) for key in TEXT_KEYS if isinstance(value.get(key), str)]
        if found:
            return "\n".join(found)
        inner = [each for each in value.values() if isinstance(each, list | dict)]
        return plain_text(inner[0], "") if inner else json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str) else text


def relevant(message: str, text: str, limit: int = 2) -> list[str]:
    """The sentences of a text that answer a message, the most useful first; empty when none does."""
    advised = advice_for(message).sentences
    if found := [each for each in advised if each in text]:
        return found[:limit]
    parts = sentences(text)
    if any(part in _help_centre() for part in parts) and (advised or not facts_for(message, is_message=True)):
        return []  # another article than the one that helps
    if len(parts) < LONG:
        return parts
    asked = " ".join(honest_parts(message))
    stems = set(content(asked))
    return [part for part in best_sentences(asked, text, limit) if len(stems & set(content(part))) > 1]


def in_reading_order(known: list[str]) -> list[str]:
    """The facts, those of one help article in the order of the article, where a sentence may need the one before."""
    places = _help_centre()
    first: dict[int, int] = {}
    for at, fact in enumerate(known):
        if fact in places:
            first.setdefault(places[fact][0], at)
    keys = {
        fact: (first[places[fact][0]], places[fact][1]) if fact in places else (at, 0) for at, fact in enumerate(known)
    }
    return sorted(known, key=keys.__getitem__)


@cache
def _help_centre() -> dict[str, tuple[int, int]]:
    """For each sentence the numbers of its article and of its place there."""
    texts = enumerate(world.articles())
    return {part: (number, at) for number, article in texts for at, part in enumerate(sentences(article.text))}

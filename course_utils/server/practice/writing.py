"""Replies and sections, built from facts; and drafts made better by feedback.

Layer 1: imports siblings only. The text is put together from the facts that the prompt gives, or else from the help
centre. A model that errs leaves something out, which is what critics and gates are for.
"""

from __future__ import annotations

import re

from course_utils import world
from course_utils.server.practice import facts
from course_utils.server.practice.classify import concepts_in
from course_utils.server.practice.limits import sentence_limit, within, word_limit
from course_utils.server.practice.noise import Noise
from course_utils.server.practice.plan import topic_of
from course_utils.server.practice.reading import Reading
from course_utils.server.practice.retrieval import facts_for
from course_utils.server.practice.sizes import Size
from course_utils.server.practice.words import sentences

SECTION_WORK = re.compile(
    r"\b(?:section|paragraph|chapter|introduction|article|report|describe|description|part|outline|text about|"
    r"faq|guide|subtask|slogan|post|story|poem|haiku)\b",
    re.IGNORECASE,
)
REPLY_WORK = re.compile(r"\b(?:reply|replies|customer|e-?mail|letter|respond|response|ticket|support)\b", re.IGNORECASE)
GREETING = re.compile(
    r"^\W*(?:hi|hello|hey|good (?:morning|day|evening)|hallo|bonjour|hola|test|ping|thanks?|thank you|"
    r"ok(?:ay)?)\b[\s\w]{0,20}\W*$",
    re.IGNORECASE,
)
CLOSING = "Kind regards\nMerrowby support"
APOLOGY = "I am sorry for the trouble this has caused you."
UNKNOWN = "A colleague will look into this and write to you within one working day."


def draft(reading: Reading, size: Size, noise: Noise) -> str:
    """A first text: a reply to a customer, or a section on a topic."""
    instruction = reading.instruction
    if GREETING.match(reading.subject):
        return f"Hello, and welcome to {world.SHOP}. What can I do for you?"
    own = _own_words(reading)
    is_section = bool(SECTION_WORK.search(own)) and not REPLY_WORK.search(own)
    known = facts_of(reading, 3 if is_section else 2)
    if len(known) > 1 and noise.chance(size.misses, "fact"):
        known.pop(noise.below(len(known), "which fact"))
    if is_section:
        topic = topic_of(reading.section("topic", "subtask", "task") or reading.subject or own)
        text = " ".join(known) or f"The help centre has no article on {topic}, so a person has to write this part."
        return limited(text, instruction)
    feedback = reading.section("feedback", "criticism")
    return limited(_reply(reading, known, feedback, size, noise), instruction)


def _own_words(reading: Reading) -> str:
    """The instruction without what is material."""
    return reading.instruction if reading.instruction else reading.user


def facts_of(reading: Reading, limit: int = 2) -> list[str]:
    """The facts to build on: those in the prompt, or the help centre's."""
    given = reading.section(
        "facts", "fact", "context", "notes", "note", "articles", "article", "results", "result", "findings"
    )
    if given:
        return [as_sentence(re.sub(r"^\s*(?:[-*•]|\d+[.)])\s*", "", line)) for line in sentences(given)][:8]
    question = message_of(reading) or reading.instruction
    return facts_for(question, limit, is_message=True)


def message_of(reading: Reading) -> str:
    """What the customer wrote, or the topic to write about."""
    named = reading.section(
        "ticket",
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


def as_sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?", "…", ":")) else f"{text}."


def _reply(reading: Reading, known: list[str], feedback: str, size: Size, noise: Noise) -> str:
    message = "\n".join(text for _, text in reading.sections if text != feedback) or reading.subject
    orders = facts.order_ids(message)
    lines = [greeting(message)]
    # What the small model forgets at first, feedback brings back.
    asked = feedback.lower()
    if orders and ("order" in asked or orders[0] in feedback or not noise.chance(3 * size.misses, "order")):
        lines.append(f"Thank you for writing to us about order {orders[0]}.")
    else:
        lines.append("Thank you for writing to us.")
    if _is_unhappy(message) and ("sorry" in asked or "apolog" in asked or not noise.chance(3 * size.misses, "apology")):
        lines.append(APOLOGY)
    lines += known or [UNKNOWN]
    body = " ".join(lines[1:])
    has_closing = "clos" in asked or "regards" in asked or not noise.chance(2 * size.misses, "closing")
    return "\n\n".join([lines[0], body, *([CLOSING] if has_closing else [])])


def greeting(message: str) -> str:
    signed = facts.names(message)
    return f"Dear {signed[0]}," if signed else "Hello,"


def _is_unhappy(message: str) -> bool:
    found = concepts_in(message)
    return found.get("negative", 0) > 1.5 and found.get("negative", 0) > found.get("positive", 0)


def limited(text: str, instruction: str) -> str:
    words, most = word_limit(instruction), sentence_limit(instruction)
    return within(text, words, most) if words or most else text

"""Replies and sections, built from facts.

Layer 1: imports `world` and siblings. A letter greets, thanks, says what is known, and closes. A model that errs
leaves something out, which is what critics and gates are for; the fact that matters most it never leaves out.
"""

from __future__ import annotations

import re

from course_utils import world
from course_utils.server.practice import facts
from course_utils.server.practice.classify import concepts_in
from course_utils.server.practice.knowing import given_facts, in_reading_order, known_facts, message_of
from course_utils.server.practice.limits import sentence_limit, within, word_limit
from course_utils.server.practice.needs import advice_for, honest_parts, is_thanks
from course_utils.server.practice.noise import Noise
from course_utils.server.practice.plan import topic_of
from course_utils.server.practice.reading import Reading
from course_utils.server.practice.sizes import Size

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
BARE_THANKS = re.compile(r"^\W*(?:many )?(?:thanks?|thank you)\b[\s\w]{0,20}\W*$", re.IGNORECASE)
CLOSING = "Kind regards\nMerrowby support"
APOLOGY = "I am sorry for the trouble this has caused you."
UNKNOWN = "A colleague will look into this and write to you within one working day."
PLEASED = "Thank you for your kind words. They have made our day, and everyone in the workshop will hear them."
LETTER_FACTS, SECTION_FACTS = 3, 3  # sentences from the help centre


def draft(reading: Reading, size: Size, noise: Noise) -> str:
    """A first text: a reply to a customer, or a section on a topic."""
    instruction = reading.instruction
    if BARE_THANKS.match(reading.subject):
        return _signed(["Hello,", PLEASED], False, size, noise)
    if GREETING.match(reading.subject):
        return f"Hello, and welcome to {world.SHOP}. What can I do for you?"
    own = reading.instruction or reading.user
    is_section = bool(SECTION_WORK.search(own)) and not REPLY_WORK.search(own)
    given = given_facts(reading)
    known = known_facts(reading, SECTION_FACTS if is_section else LETTER_FACTS) if given is None else given
    if len(known) > 1 and noise.chance(size.misses, "fact"):
        known.pop(1 + noise.below(len(known) - 1, "which fact"))
    known = in_reading_order(known)
    if is_section:
        topic = topic_of(reading.section("topic", "subtask", "task") or reading.subject or own)
        text = " ".join(known) or f"The help centre has no article on {topic}, so a person has to write this part."
        return limited(text, instruction)
    feedback = reading.section("feedback", "criticism")
    return limited(_reply(reading, known, feedback, size, noise), instruction)


def _reply(reading: Reading, known: list[str], feedback: str, size: Size, noise: Noise) -> str:
    message = "\n".join(text for _, text in reading.sections if text != feedback) or reading.subject
    wish = message_of(reading)
    asked = feedback.lower()
    if not known and is_thanks(wish):
        return _signed([greeting(message), PLEASED], "clos" in asked, size, noise)
    orders = facts.order_ids(message)
    # What the small model forgets at first, feedback brings back.
    is_at_hand = "order" in asked or orders[:1] == facts.order_ids(feedback)[:1] or _has_looked_up(reading, orders)
    if orders and (is_at_hand or not noise.chance(3 * size.misses, "order")):
        lines = [f"Thank you for writing to us about order {orders[0]}."]
    else:
        lines = ["Thank you for writing to us."]
    if _is_unhappy(wish) and ("sorry" in asked or "apolog" in asked or not noise.chance(3 * size.misses, "apology")):
        lines.append(APOLOGY)
    lines += known
    if _wants_person(reading, known, wish):
        lines.append(UNKNOWN)
    return _signed([greeting(message), " ".join(lines)], "clos" in asked or "regards" in asked, size, noise)


def _has_looked_up(reading: Reading, orders: list[str]) -> bool:
    return any(order in arguments for _, arguments, _ in reading.results for order in orders)


def _wants_person(reading: Reading, known: list[str], wish: str) -> bool:
    """True when the facts alone do not settle what the customer wants."""
    if not known:
        return True
    if any("a colleague will" in each or "no such order" in each for each in known):
        return False
    needs = advice_for(wish).needs
    if reading.results:  # the help centre had an answer, and no tool brought it
        missed = advice_for(wish).is_covered and not any(each in known for each in advice_for(wish).sentences)
        return missed or any(need.wants_person for need in needs)
    is_from_memory = any(each in known for each in advice_for(wish).sentences)
    return is_from_memory and any(need.wants_person for need in needs)


def _signed(parts: list[str], must_close: bool, size: Size, noise: Noise) -> str:
    has_closing = must_close or not noise.chance(2 * size.misses, "closing")
    return "\n\n".join([*parts, *([CLOSING] if has_closing else [])])


def greeting(message: str) -> str:
    signed = facts.names(message)
    return f"Dear {signed[0]}," if signed else "Hello,"


def _is_unhappy(message: str) -> bool:
    """True when there is a reason to apologise; a customer who asks for advice has none."""
    advice = advice_for(message)
    if advice.sentences and all(need.is_calm for need in advice.needs):
        return False
    found = concepts_in(" ".join(honest_parts(message)) or message)
    return found.get("negative", 0) > 1.5 and found.get("negative", 0) > found.get("positive", 0)


def limited(text: str, instruction: str) -> str:
    words, most = word_limit(instruction), sentence_limit(instruction)
    return within(text, words, most) if words or most else text

"""Answers to questions: from the context in the prompt, from the help centre, by a sum, or an honest "I do not know".

Layer 1: imports `world` and siblings.
"""

from __future__ import annotations

import re

from course_utils.server.practice import facts
from course_utils.server.practice.arithmetic import evaluate, find_expression, spell
from course_utils.server.practice.limits import sentence_limit, within, word_limit
from course_utils.server.practice.noise import Noise
from course_utils.server.practice.reading import Reading
from course_utils.server.practice.retrieval import best_sentences, facts_for
from course_utils.server.practice.sizes import SKILLS, Size
from course_utils.server.practice.words import content
from course_utils.server.practice.writing import GREETING

ABOUT = (
    "I am the practice model of this course: a simulator, not a language model. "
    f"With plain rules about one invented shop I can {SKILLS}. "
    "For a real model start the course with `python3 -m course_utils lab --model openai`, which needs OPENAI_API_KEY, "
    "or with `python3 -m course_utils lab --model local`."
)
NO_ANSWER = "I do not know: neither your message nor the help centre of Merrowby says anything about it."
NO_ORDERS = "I cannot see any orders from here; give me a tool that looks them up, such as look_up_order(order_id)."
ORDER_STATE = re.compile(
    r"\b(?:where is|status|shipped|when (?:will|does|did)|look up|arriv\w+|state)\b", re.IGNORECASE
)


def answer_question(reading: Reading, size: Size, noise: Noise) -> str:
    """An answer in one to three sentences."""
    question = (
        reading.section("question", "user question", "query", "message", "task") or reading.subject or reading.user
    )
    context = reading.section(
        "context",
        "articles",
        "article",
        "document",
        "documents",
        "text",
        "source",
        "passage",
        "excerpt",
        "notes",
        "facts",
        "results",
    )
    if context and context != question:
        found = best_sentences(f"{question} {reading.instruction[-300:]}", context, 2)
        shares = set(content(question)) & set(content(context))
        text = " ".join(found) if found and shares else "I do not know: the text does not say."
    else:
        text = _from_memory(question, size, noise)
    return _limited(text, reading.instruction)


def _from_memory(question: str, size: Size, noise: Noise) -> str:
    if total := calculate(question, size, noise):
        return total
    if not content(question) or GREETING.match(question):
        return ABOUT
    if facts.order_ids(question) and ORDER_STATE.search(question):
        return NO_ORDERS
    return " ".join(facts_for(question, 2)) or NO_ANSWER


def calculate(text: str, size: Size, noise: Noise) -> str:
    """The result of the sum in a text, or ""; long results may have a wrong digit, as models have without a tool."""
    expression = find_expression(text)
    value = evaluate(expression) if expression else None
    if expression is None or value is None:
        return ""
    result = spell(value)
    digits = [at for at, sign in enumerate(result) if sign.isdigit()]
    if len(digits) >= 4 and noise.chance(size.miscounts, "miscounts"):
        at = digits[1 + noise.below(len(digits) - 2, "digit")]
        result = f"{result[:at]}{(int(result[at]) + 1 + noise.below(8, 'by')) % 10}{result[at + 1 :]}"
    return f"{expression} = {result}"


def _limited(text: str, instruction: str) -> str:
    words, most = word_limit(instruction), sentence_limit(instruction)
    if "=" in text and (
        words == 1
        or re.search(
            r"\bonly (?:the|with the|a) (?:number|result)\b|\bjust the (?:number|result)\b", instruction, re.IGNORECASE
        )
    ):
        return text.rpartition("= ")[2]
    return within(text, words, most) if words or most else text

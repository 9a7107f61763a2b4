"""Answers of one word: a label, a tool, or the one field of a text that was asked for.

Layer 1: imports `world` and siblings. Now and then the word comes dressed up, which is what breaks a naive router.
"""

from __future__ import annotations

import re

from course_utils import world
from course_utils.server.practice.asking import Question, dressed, questions_in, vocabulary_of
from course_utils.server.practice.classify import classify, settle
from course_utils.server.practice.context import Context
from course_utils.server.practice.fields import candidates
from course_utils.server.practice.intent import skill_of
from course_utils.server.practice.labels import Label, find_labels, label
from course_utils.server.practice.limits import word_limit
from course_utils.server.practice.noise import Noise
from course_utils.server.practice.routing import offers_tools, weigh_tools

POINTS = re.compile(
    r"\bthis (?:\w+ )?e-?mail\b|\b(?:this|the) (?:ticket|message|text|letter|request)\b|\bbelow\b", re.I
)
STRICT = re.compile(r"\b(?:only|nothing else|exactly one|just the|no punctuation|no explanation)\b", re.IGNORECASE)
EXPLAINS = re.compile(r"\b(?:explain|reasons?|why|step by step|justify|think)\b", re.IGNORECASE)


def one_label(context: Context) -> str:
    """One label, plain or dressed up as models do."""
    reading, size, noise = context.reading, context.size, context.noise
    labels = vocabulary_of(reading.instruction, find_labels(reading.instruction) or find_labels(reading.user))
    labels = labels or [label(each, world.MEANINGS[each]) for each in world.LABELS]
    if offers_tools(labels):
        chosen = settle(weigh_tools(context.text, labels), labels, size, noise)
    else:
        chosen = classify(context.text, labels, size, noise)
    if EXPLAINS.search(reading.instruction) and word_limit(reading.instruction) is None:
        return f"{chosen.text}. {candidates('reason', '', context)[0]}"
    return _decorated(chosen, labels, noise) if _decorates(context) else chosen.text


def named_fields(context: Context) -> str:
    """The value of the one field that the instruction asks for, or a line for each of several; "" for none."""
    asked = questions_in(context.reading.instruction) if has_material(context) else []
    if len(asked) > 1:
        return "\n".join(f"{each.field.name}: {_found(each, context)}" for each in asked)
    if not asked:
        return ""
    value = asked[0].answer(context.text)
    return dressed(asked[0], value, context.noise) if _decorates(context) else value


def has_material(context: Context) -> bool:
    """True when there is a text to look into; a question on its own wants an answer, not a search in itself."""
    reading = context.reading
    is_apart = bool(reading.subject.strip()) and reading.subject.strip() != reading.user.strip()
    return (
        is_apart or bool(reading.sections) or skill_of(reading.system) == "extract" or bool(POINTS.search(reading.user))
    )


def _found(question: Question, context: Context) -> str:
    """The value of one of several fields, which a model may overlook."""
    is_missed = context.noise.chance(context.size.misses, "field", question.field.name)
    return question.missing if is_missed else question.answer(context.text)


def _decorates(context: Context) -> bool:
    """True when the model does not keep to the bare answer that was asked for."""
    share = context.size.decorates / (2 if STRICT.search(context.reading.instruction) else 1)
    return not context.reading.is_correction and context.noise.chance(share, "decorates")


def _decorated(chosen: Label, labels: list[Label], noise: Noise) -> str:
    """The label in one of the dresses that break a naive router."""
    capital = chosen.text[:1].upper() + chosen.text[1:]
    others = [each.text for each in labels if each.text != chosen.text and not each.is_rest] or [labels[0].text]
    wrong = noise.pick(others, "other label")
    forms = (
        f"**{capital}**.", f"Category: {chosen.text}", f"{capital}.", f'"{chosen.text}"',
        f"This is not {wrong}; it is {chosen.text}.", f"The best choice is {chosen.text}.",
    )  # fmt: skip
    return noise.pick(forms, "dress")

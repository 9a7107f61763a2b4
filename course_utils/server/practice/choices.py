"""Choices of a schema: one option of an enum, several of them, yes or no, pass or revise.

Layer 1: imports siblings only.
"""

from __future__ import annotations

import re

from course_utils.server.practice import critique, facts
from course_utils.server.practice.classify import classify, concepts_in, settle, weigh
from course_utils.server.practice.context import Context, plain_name
from course_utils.server.practice.labels import concept_of, find_labels, label
from course_utils.server.practice.retrieval import facts_for
from course_utils.server.practice.routing import offers_tools, weigh_tools
from course_utils.server.practice.words import content, words

GOOD = frozenset(
    "pass passed approve approved accept accepted ok okay good yes ready ship done valid correct satisfactory".split()
)
POOR = frozenset(
    "fail failed reject rejected revise revision retry no bad rework improve invalid incorrect poor "
    "insufficient".split()
)


def choose(options: list[str], name: str, context: Context) -> str:
    """One of the options, by what the field's name asks for."""
    if verdict := verdict_option(options, context):
        return verdict
    meanings = {each.text.lower(): each.meaning for each in find_labels(context.reading.instruction)}
    labels = [label(option, meanings.get(option.lower(), "")) for option in options]
    text = context.item[1] if context.item else context.text
    name = f"{name} {context.item[0]}" if context.item else name  # each item of a list errs by itself
    if offers_tools(labels):
        return settle(weigh_tools(text, labels), labels, context.size, context.noise, name).text
    return classify(text, labels, context.size, context.noise, tag=name).text


def choose_many(options: list[str], name: str, context: Context) -> list[str]:
    """All options that the text speaks of, the surest first."""
    labels = [label(option) for option in options]
    evidence = weigh(context.text, labels)
    top = max(evidence.scores, default=0)
    sure = [at for at, score in enumerate(evidence.scores) if score > 1 and score >= 0.5 * top]
    chosen = [options[at] for at in sorted(sure, key=lambda at: (-evidence.scores[at], at))]
    return chosen or [choose(options, name, context)]


def verdict_option(options: list[str], context: Context) -> str:
    """The option that a critic's judgement picks, where the options are verdicts."""
    good = [
        each for each in options if set(words(each.replace("_", " "))) & GOOD and not re.search(r"\bnot\b", each, re.I)
    ]
    poor = [
        each for each in options if set(words(each.replace("_", " "))) & POOR or re.search(r"not|needs", each, re.I)
    ]
    if context.reading.skill != "critique" or not good or not poor:
        return ""
    return good[0] if passes(context) else poor[0]


def is_true(name: str, about: str, context: Context) -> bool:
    """The answer to a yes-or-no field."""
    plain = f"{plain_name(name)} {about.lower()[:120]}"
    if re.search(
        r"\b(?:pass|passes|passed|approved?|accepted|acceptable|good enough|meets|ready|is good|correct|valid)\b", plain
    ):
        return passes(context) if context.reading.skill == "critique" else bool(content(context.text))
    if re.search(r"\border(?: id| number)\b|\bhas order\b|\bmentions order\b", plain):
        return bool(facts.order_ids(context.text))
    found = concepts_in(context.text)
    if re.search(r"\b(?:escalat\w*|human|person|urgent|urgency|critical)\b", plain):
        return found.get("high", 0) >= 2 or found.get("negative", 0) >= 4
    if re.search(r"\b(?:angry|upset|unhappy|frustrated|complain\w*)\b", plain):
        return found.get("negative", 0) > 2 and found.get("negative", 0) > found.get("positive", 0)
    if re.search(r"\b(?:answered|found|known|answerable|relevant)\b", plain):
        return bool(facts_for(context.text))
    concept = next((each for word in plain.split() if (each := concept_of(word)) not in ("", "other", "question")), "")
    return found.get(concept, 0) >= 1.5 if concept else context.text.rstrip().endswith("?") and "question" in plain


def passes(context: Context) -> bool:
    return critique.passes(review(context).points, context.reading.instruction)


def review(context: Context) -> critique.Review:
    return critique.review(context.reading, context.size, context.noise)

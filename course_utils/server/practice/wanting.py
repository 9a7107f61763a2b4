"""Which tools a request wants next: look-ups first, then searches, then what changes something.

Layer 1: imports siblings only. A tool is known by its name, its description and its parameters: a sum wants a
calculator, an order number a tool that takes one, a question a search. The look-up comes first; the search follows when
the message asks for more than the state of the order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from course_utils.server.practice import facts
from course_utils.server.practice.arithmetic import find_expression
from course_utils.server.practice.context import Context, plain_name
from course_utils.server.practice.needs import advice_for, honest_parts, is_thanks
from course_utils.server.practice.results import FAILED
from course_utils.server.practice.words import content
from course_utils.server.practice.writing import GREETING

SUM = re.compile(r"calculat|arithmetic|math|expression|comput|multiply|add\b", re.IGNORECASE)
ORDER = re.compile(r"\border|\breference\b", re.IGNORECASE)
FIND = re.compile(r"search|look.?up|find|retriev|help|article|knowledge|faq|wiki|document|answer", re.IGNORECASE)
QUERY = re.compile(r"\b(?:query|question|text|terms?|topic|search|keywords?|q|input|message|prompt)\b")
CHANGES = re.compile(
    r"^(?:\w+[_ ])?(cancel|refund|return|replace|change|update|delete|send|issue|create|book|escalate|write)", re.I
)
ASKS = re.compile(
    r"\?|\b(?:how|what|which|where|when|why|who|explain|tell me|find|search|look up|policy|help|can i|do you)\b",
    re.IGNORECASE,
)
STATE = re.compile(
    r"^\W*(?:where is|when (?:will|does)|what is the (?:status|state)|look up|show me)\b.{0,60}$|\bstatus\b",
    re.IGNORECASE | re.DOTALL,
)
VAGUE = re.compile(
    r"^\W*(?:could|can|would|will) you (?:please |kindly )?(?:check|help|look|see)\b[\w\s]{0,20}\?*$", re.I
)
Done = tuple[tuple[str, str, str], ...]  # calls so far: name, arguments as JSON, result


@dataclass(slots=True)
class Offer:
    """The tools that fit the message, by what they are for."""

    lookups: list[dict[str, Any]] = field(default_factory=list)
    sums: list[dict[str, Any]] = field(default_factory=list)
    finders: list[dict[str, Any]] = field(default_factory=list)
    changers: list[dict[str, Any]] = field(default_factory=list)


def parameters_of(function: dict[str, Any]) -> dict[str, Any]:
    return (function.get("parameters") or {}).get("properties", {})


def order_key(function: dict[str, Any]) -> str:
    """The parameter that takes an order number, or ""."""
    named = parameters_of(function)
    about = _words(function) + " ".join(
        str(part.get("description", "")) for part in named.values() if isinstance(part, dict)
    )
    for name in named:
        if ORDER.search(plain_name(name)):
            return name
    first = next(iter(named), "")
    return first if first and re.search(r"\borders?\b", about, re.I) and not QUERY.search(plain_name(first)) else ""


def overlap(function: dict[str, Any], text: str) -> int:
    """How many words of a message the tool's name and description share."""
    return len(
        set(content(f"{function['name'].replace('_', ' ')} {function.get('description', '')}")) & set(content(text))
    )


def wanted_now(functions: list[dict[str, Any]], context: Context) -> list[dict[str, Any]]:
    """The tools to call in this round, in the order of the list; calls that were made before are not sorted out."""
    text, done = context.text, context.reading.results
    if GREETING.match(text) or is_thanks(text):
        return []
    offer = _offer(functions, text)
    asked = [each for each in functions if each["name"] in {name for name, _, _ in done}]
    open_lookups = [each for each in offer.lookups if each not in asked]
    if open_lookups:
        at_once = offer.finders if context.size.size == "large" and _has_own_question(text) else []
        now = [*open_lookups, *offer.sums, *at_once]
    else:
        finders = [] if offer.lookups and _is_enough(context, done) else offer.finders
        now = [*offer.sums, *finders]
        now = now if any(each not in asked for each in now) else offer.changers
    return [each for each in functions if each in now]


def _offer(functions: list[dict[str, Any]], text: str) -> Offer:
    offer, orders, has_sum = Offer(), facts.order_ids(text), find_expression(text) is not None
    for function in functions:
        words = _words(function)
        if changes := CHANGES.match(function["name"]):
            if set(content(function["name"].replace("_", " "))) & set(content(text)) and (orders or changes):
                offer.changers.append(function)
        elif orders and order_key(function):
            offer.lookups.append(function)
        elif SUM.search(words) and has_sum:
            offer.sums.append(function)
        elif not order_key(function) and not SUM.search(function["name"]):
            offer.finders.append(function)
    served = bool(offer.lookups), bool(offer.sums)
    offer.finders = [each for each in offer.finders if _helps(each, text, *served)]
    return offer


def _helps(function: dict[str, Any], text: str, has_lookup: bool, has_sum: bool) -> bool:
    """True when a tool that finds things is wanted; not when another tool already serves the whole request."""
    if not FIND.search(_words(function)):
        return overlap(function, text) >= 2
    if advice_for(text).is_covered:
        return True
    parts = [part for part in honest_parts(text) if not (has_sum and find_expression(part))]
    parts = [part for part in parts if not (has_lookup and _is_state(part))]
    return any(ASKS.search(part) for part in parts)


def _is_state(part: str) -> bool:
    """True when a look-up of the order answers this part of a message, or nothing does."""
    if advice_for(part).is_covered:
        return False
    return bool(facts.order_ids(part) or STATE.search(part) or VAGUE.match(part) or advice_for(part).needs)


def _has_own_question(text: str) -> bool:
    """True when a part of the message asks the help centre something that has nothing to do with the order."""
    parts = [part for part in honest_parts(text) if part.endswith("?") and not facts.order_ids(part)]
    return any(advice_for(part).is_covered and not STATE.search(part) for part in parts)


def _is_enough(context: Context, done: Done) -> bool:
    """True when the model stops after the look-up: there is no such order, or it forgets what else was asked."""
    found = [result for _, arguments, result in done if facts.order_ids(arguments)]
    if found and all(len(each) < 200 and FAILED.search(each) for each in found):
        return not _has_own_question(context.text)
    return bool(found) and context.noise.chance(context.size.forgets, "search")


def _words(function: dict[str, Any]) -> str:
    return f"{function['name']} {function.get('description', '')} {' '.join(parameters_of(function))}".replace("_", " ")

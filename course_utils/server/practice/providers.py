"""Values for the fields of a schema, found by the words of the field's name.

Layer 1: imports `world` and siblings. Each provider takes a `Context` and gives its candidates, best first; none
means: the text does not say.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from course_utils import world
from course_utils.server.practice import critique, facts
from course_utils.server.practice.arithmetic import evaluate, find_expression
from course_utils.server.practice.choices import GOOD, POOR, passes, review, verdict_option
from course_utils.server.practice.classify import classify, weigh
from course_utils.server.practice.context import Context
from course_utils.server.practice.labels import Label, find_labels, label
from course_utils.server.practice.limits import language
from course_utils.server.practice.needs import advice_for, honest_parts
from course_utils.server.practice.plan import count_wanted, plan
from course_utils.server.practice.summarise import summarise
from course_utils.server.practice.translate import source_of, translate
from course_utils.server.practice.words import content, words

Provider = Callable[[Context], list[Any]]
SEARCH_ORDER = re.compile(
    r"^\W*(?:please )?(?:search(?: (?:the )?(?:help(?: centre)?|web|articles))?(?: for)?|look up|find(?: out)?)\b:?\s*",
    re.IGNORECASE,
)
ORDER_PHRASE = re.compile(
    r"\s*(?:\((?:the )?(?:order )?[A-Z]{2,5}-\d{3,8}\)|\b(?:for|of|about|with) (?:the |my )?(?:order )?"
    r"[A-Z]{2,5}-\d{3,8}|\b[A-Z]{2,5}-\d{3,8}\b)"
)
ASKS_STATE = re.compile(r"^\W*(?:where is|when (?:will|does)|what is the (?:status|state))\b", re.IGNORECASE)
JOINT_END = re.compile(r"([^.!?…])\n")  # where `honest_parts` cut a sentence
IDLE = frozenset("thank thanks hello dear would could order instead although still number".split())
SHORT = 160  # letters of a message that is searched for as a whole


def _score(context: Context) -> list[Any]:
    if context.reading.skill != "critique" and not context.reading.section("draft"):
        return []
    low, high = critique.scale_of(context.reading.instruction)
    return [critique.score(review(context).points, low, high)]


def _feedback(context: Context) -> list[Any]:
    if context.reading.skill == "critique" or context.reading.section("draft"):
        made = review(context)
        return [critique.feedback_text(made), list(made.feedback)]
    return _summary(context)


def _verdict(context: Context) -> list[Any]:
    if context.reading.skill != "critique":
        return _category(context)
    named = [
        each
        for each in re.findall(r"\b[A-Z]{2,}(?:_[A-Z]+)*\b", context.reading.instruction)
        if each.lower().split("_")[0] in GOOD | POOR | {"needs"}
    ]
    chosen = verdict_option(list(dict.fromkeys(named)), context) if len(named) > 1 else ""
    return [chosen or ("PASS" if passes(context) else "REVISE"), passes(context)]


def _category(context: Context) -> list[Any]:
    offered = find_labels(context.reading.instruction) or [label(each, world.MEANINGS[each]) for each in world.LABELS]
    return [classify(context.text, offered, context.size, context.noise).text]


def _one_of(*options: str) -> Provider:
    labels: list[Label] = [label(option) for option in options]
    return lambda context: [classify(context.text, labels, context.size, context.noise, tag=options[0]).text]


def _confidence(context: Context) -> list[Any]:
    doubt = weigh(
        context.text, find_labels(context.reading.instruction) or [label(each) for each in world.LABELS]
    ).doubt
    percent = 96 - round(45 * doubt) + context.noise.below(5, "confidence") - 2
    return [percent / 100, percent]


def _summary(context: Context) -> list[Any]:
    return [summarise(context.text, context.size, context.noise, words=25)] if context.text.strip() else []


def _plan(context: Context) -> list[Any]:
    return [plan(context.text, count_wanted(context.reading, context.text), context.size, context.noise)]


def _reason(context: Context) -> list[Any]:
    seen = list(dict.fromkeys(content(context.text)))[:3]
    spoken = [word for word in words(context.text) if any(word.startswith(each) for each in seen)][:3]
    return [f"The text speaks of {', '.join(dict.fromkeys(spoken))}." if spoken else "The text says little."]


def _query(context: Context) -> list[Any]:
    """The words to search for: the questions of a message, without order numbers and what they are for."""
    parts = [(part, ORDER_PHRASE.sub("", part)) for part in honest_parts(context.text) if not find_expression(part)]
    kept = [text for part, text in parts if content(text) and not (text != part and ASKS_STATE.match(part))]
    if len(" ".join(kept)) > SHORT:
        kept = [text for text in kept if text.endswith("?") or advice_for(text).needs] or kept
    text = JOINT_END.sub(r"\1, ", "\n".join(kept)).replace("\n", " ")
    text = text or facts.ANY_ID.sub(" ", context.text)  # ids say nothing to a search
    if advice_for(text).is_covered:  # the help centre is searched by key words
        kept = [word for word in text.split() if content(word) and word.lower().strip(",.!?") not in IDLE]
        text = re.sub(r"[.!?](?=\s)", ",", " ".join(dict.fromkeys([*kept, *_topics(text)])))
    query = SEARCH_ORDER.sub("", text) if content(SEARCH_ORDER.sub("", text)) else text
    return [" ".join(query.split()).strip(" .,?!\"'")[:200]]


def _topics(text: str) -> list[str]:
    """Two words that the message does not have and that an article about it will."""
    said = set(content(text))
    topics = [topic for need in advice_for(text).needs[:1] for topic in need.topics]
    return [topic for topic in topics if not set(content(topic)) & said][:2]


def _expression(context: Context) -> list[Any]:
    found = find_expression(context.text)
    return [found] if found else []


def _value(context: Context) -> list[Any]:
    expression = find_expression(context.text)
    value = evaluate(expression) if expression else None
    return [] if value is None else [int(value) if value.denominator == 1 else float(value)]


def _keywords(context: Context) -> list[Any]:
    stems = set(content(context.text))
    found = [word for word in dict.fromkeys(words(context.text)) if set(content(word)) & stems and len(word) > 3]
    return [found[:5]] if found else []


def _translation(context: Context) -> list[Any]:
    target = language(context.reading.instruction) or "de"
    return [translate(context.reading.subject, target)]


def _text(context: Context) -> list[Any]:
    skill = context.reading.skill
    return [context.write(skill if skill not in ("", "extract", "classify", "calculate") else "answer")]


def _found(finder: Callable[[str], list[Any]]) -> Provider:
    return lambda context: finder(context.text)


_TABLE: tuple[tuple[str, Provider], ...] = (
    (r"\border (?:id|ids|no|nr|number|numbers|ref\w*)\b|^orders?$|\breference\b", _found(facts.order_ids)),
    (r"\be ?mails?(?: address)?$|\bmail address\b", _found(facts.emails)),
    (r"\b(?:phone|telephone|mobile)\b", _found(facts.phones)),
    (r"\b(?:url|link|website|homepage)\b", _found(facts.urls)),
    (r"\bcurrency\b", lambda context: ["EUR"] if facts.amounts(context.text) else []),
    (r"\b(?:amounts?|prices?|total|cost|refund|money|euros?|paid|charged?|eur)\b", _found(facts.amounts)),
    (r"\b(?:dates?|day|deadline|since|on)$|\bdate\b", _found(facts.dates)),
    (r"\b(?:customer|sender|full|first|person'?s?|client|author|user) name\b|^(?:name|customer|sender|author|"
     r"from)$", _found(facts.names)),
    (r"\b(?:products?|devices?|articles?|items?)(?: names?)?$", _found(facts.products)),
    (r"\b(?:quantity|quantities|pieces|how many|number of|count)\b", _found(facts.counts)),
    (r"\blanguage\b", lambda context: [source_of(context.text)]),
    (r"\bany id\b|\b(?:ids?|code|serial|ticket number)$", _found(lambda text: facts.ANY_ID.findall(text))),
    (r"\b(?:confidence|certainty|probability)\b", _confidence),
    (r"\b(?:score|points|rating|grade|quality)\b", _score),
    (r"\b(?:verdict|decision|passed|approved|outcome)\b", _verdict),
    (r"\b(?:sentiment|mood|tone|emotion)\b", _one_of("positive", "neutral", "negative")),
    (r"\b(?:urgency|priority|severity)\b", _one_of("low", "normal", "high")),
    (r"\b(?:feedback|critique|criticism|suggestions?|improvements?|issues|remarks?|comments?|missing)\b", _feedback),
    (r"\b(?:label|category|categories|class|intent|department|team|route|queue|kind|type|tool|destination|"
     r"next)\b", _category),
    (r"\b(?:summary|title|subject|headline|gist|abstract|issue|problem|topic|complaint|key points?)\b", _summary),
    (r"\b(?:translation|translated)\b", _translation),
    (r"\b(?:sub ?tasks?|steps?|plan|tasks?|sections?|outline|todos?)\b", _plan),
    (r"\b(?:reason\w*|explanation|rationale|why|justification|thoughts?|evidence)\b", _reason),
    (r"\b(?:expression|formula|calculation|equation)\b", _expression),
    (r"\b(?:keywords?|tags|topics)\b", _keywords),
    (r"\b(?:query|search|question|terms?|topic|request|input|task)\b", _query),
    (r"\b(?:result|value|sum)\b", _value),
    (r"\b(?:reply|response|draft|message|body|answer|text|content|output|final|report|paragraph|letter)\b", _text),
)  # fmt: skip
PROVIDERS = tuple((re.compile(pattern), provider) for pattern, provider in _TABLE)
FACTS = PROVIDERS[:12]  # those that find something that stands in the text

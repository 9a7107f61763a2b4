"""Which tool a query needs, when a prompt offers tools by name: by what the query asks, not by the words it shares.

Layer 1: imports siblings only. A sum needs a calculator; a question that the help centre or the world could answer a
search; an order number a look-up; verse, chat and work on words none of them. Other tools go by their names and the
meanings that the prompt gives them.
"""

from __future__ import annotations

import re

from course_utils.server.practice import facts
from course_utils.server.practice.arithmetic import find_expression
from course_utils.server.practice.classify import Evidence, concepts_in, doubt_of
from course_utils.server.practice.labels import Label
from course_utils.server.practice.needs import PRICE, advice_for, is_thanks
from course_utils.server.practice.retrieval import facts_for
from course_utils.server.practice.words import content, stem, words

TOOLS = frozenset("calculator search order_lookup translator weather calendar email_tool".split())
CERTAIN, LIKELY, FLOOR = 6.0, 4.0, 1.2
CHAT = re.compile(
    r"\b(?:poem|haiku|limerick|joke|song|riddle|rhyme|fairy tale|bedtime|story|slogan)s?\b|"
    r"\bhow are you\b|\bwhat'?s up\b|\bhow do you (?:feel|do)\b|\byour (?:name|favou?rite|day|opinion)\b|"
    r"\bdo you (?:like|love|dream|sleep|feel|think)\b|\bare you (?:a |an )?(?:robot|human|happy|tired|real|bot|ok)\b|"
    r"\bnice to meet|\bgood (?:morning|evening|night|afternoon|day)\b|\bhave a (?:nice|good|lovely)\b|"
    r"^\W*(?:hi|hello|hey|thanks?|thank you|bye|goodbye|ok(?:ay)?|great|wow|cool)\b[\s\w,]{0,25}\W*$|"
    r"\blet'?s (?:talk|chat|play)\b|\bi (?:love|am so|feel|am feeling)\b",
    re.IGNORECASE,
)
WORK = re.compile(
    r"^\W*(?:please |can you |could you )*(?:write|compose|invent|translate|summari[sz]e|rewrite|rephrase|shorten|"
    r"draft|sing|make up|correct|polish|say|repeat|imagine|pretend)\b",
    re.IGNORECASE,
)
SUM_WORDS = re.compile(
    r"\b(?:calculate|compute|add up|sum of|square root|per ?cent of|divided? by|times \d|average of|multipl\w+|minus|"
    r"squared|cubed|half of \d|double \d|twice \d|how many \w+ (?:are|is) \d)",
    re.IGNORECASE,
)
SEARCH_ORDER = re.compile(
    r"\b(?:search|look up|google|find(?: out)?|show me|tell me (?:about|how|what|when|where))\b", re.I
)
OPENS = re.compile(
    r"^\W*(?:please |so |and |well |sorry )*(?:who|what|which|where|when|why|how|whose|is|are|was|were|do|does|"
    r"did|can|could|may|must|should|will|would|has|have)\b",
    re.IGNORECASE,
)
ORDER_STATE = re.compile(r"\bmy (?:order|parcel|package|delivery)\b|\btracking\b|\border status\b", re.IGNORECASE)
HELP_NAME = re.compile(r"help|faq|knowledge|article|manual|docs?\b|support|shop|centre|center", re.IGNORECASE)
WEB_NAME = re.compile(r"\bweb|internet|google|news|wiki|browse", re.IGNORECASE)


def offers_tools(labels: list[Label]) -> bool:
    """True when labels are tools to choose from: most are known as tools, or stand for none."""
    tools = sum(each.concept in TOOLS for each in labels)
    others = sum(bool(each.concept) and each.concept not in TOOLS and not each.is_rest for each in labels)
    return tools > 0 and others == 0 and tools + any(each.is_rest for each in labels) > 1


def weigh_tools(query: str, labels: list[Label]) -> Evidence:
    """The evidence in a query for each tool."""
    known = concepts_in(query)
    scores = [_score(each, labels, query, known) for each in labels]
    top, second = [*sorted(scores, reverse=True), 0.0, 0.0][:2]
    return Evidence(tuple(scores), doubt_of(query, top, second, False), "")


def _score(tool: Label, labels: list[Label], query: str, known: dict[str, float]) -> float:
    offered = {each.concept for each in labels}
    if tool.is_rest:
        return CERTAIN if _needs_none(query, offered) else FLOOR
    if tool.concept == "calculator":
        return CERTAIN + LIKELY if _is_sum(query) else LIKELY * bool(SUM_WORDS.search(query))
    if _needs_none(query, offered) or (_is_sum(query) and "calculator" in offered):
        return 0.0
    if tool.concept == "search":
        return _search_score(tool, query)
    if tool.concept == "order_lookup":
        return CERTAIN + 2 if facts.order_ids(query) else (CERTAIN + 1) * bool(ORDER_STATE.search(query))
    stems = set(content(query))
    own = {stem(word) for word in words(tool.text.replace("_", " "))}
    shared = 2.5 * len(stems & own) + 1.5 * len(stems & (set(content(tool.meaning)) - own))
    return shared + 1.2 * known.get(tool.concept, 0.0)


def _search_score(tool: Label, query: str) -> float:
    """More for the shop's own matters where the tool searches its help, for the world's where it searches the web."""
    name = f"{tool.text.replace('_', ' ')} {tool.meaning}"
    is_help, is_web = bool(HELP_NAME.search(name)), bool(WEB_NAME.search(name))
    is_ours = bool(advice_for(query).sentences or facts.products(query) or PRICE.search(query) or facts_for(query))
    if not (is_ours or SEARCH_ORDER.search(query) or "?" in query or OPENS.match(query)):
        return 0.0
    score = CERTAIN if is_ours or SEARCH_ORDER.search(query) else LIKELY
    if is_help == is_web:
        return score
    return score if is_ours == is_help else score - 1.5


def _is_sum(query: str) -> bool:
    return find_expression(query) is not None or bool(SUM_WORDS.search(query) and re.search(r"\d", query))


def _needs_none(query: str, offered: set[str]) -> bool:
    """True for chat, verse and work on words, which no tool does."""
    if find_expression(query) and not CHAT.search(query):
        return False
    if WORK.match(query):
        return "translator" not in offered or not re.search(r"\btranslat", query, re.IGNORECASE)
    return (bool(CHAT.search(query)) and not advice_for(query).sentences) or is_thanks(query)

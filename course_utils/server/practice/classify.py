"""Which label fits a text: evidence from a word list, and the mistakes of a model on top of it.

Layer 1: imports siblings only. The evidence is counted clause by clause: a cue in a clause that negates or praises
counts little, so "this is NOT about billing" is no sign of billing. How often a model errs depends on how clear the
evidence is, not on who wrote the label.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from course_utils.server.practice.arithmetic import find_expression
from course_utils.server.practice.labels import Label, concept_of, lexicon
from course_utils.server.practice.noise import Noise
from course_utils.server.practice.sizes import Size
from course_utils.server.practice.words import content, stem, words

CLAUSE = re.compile(r"[.;:!?\n]+|,\s|\s[-–—]+\s|\b(?:but|although|though|whereas|aber|mais|pero)\b", re.IGNORECASE)
NEGATED = re.compile(
    r"\b(?:not (?:a|an|about)|no (?:complaint|technical|question|problem|billing)|nobody|neither|nothing to do "
    r"with|isn't|"
    r"is not the problem|not want to (?:buy|ask)|don't want to buy|do not tell|nicht "
    r"wegen)\b", re.IGNORECASE)  # fmt: skip
FINE = re.compile(
    r"\b(?:(?:is|was|are|were) (?:quite |all |very )?(?:fine|right|good|lovely|okay|ok)|works? wonderfully|no "
    r"problem|runs|"
    r"of another make|my neighbour's|your competitor|while the update|all winter|at a good price|cost "
    r"me)\b", re.IGNORECASE)  # fmt: skip
INJECTION = re.compile(
    r"(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instructions?|prompts?|rules|above)\b|^\s*system\s*:|"
    r"\byou are now\b|"
    r"\bevery ticket is\b|\banswer (?:only )?with\b", re.IGNORECASE)  # fmt: skip
FOREIGN = re.compile(
    r"\b(?:ich|und|nicht|mein|meine|der|die|das|wir|je|vous|pas|ma|votre|est|el|los|mi|se|por|una)\b", re.IGNORECASE
)
# What falls to "other" when no label of its own is offered for it.
ASIDE = ("delivery", "order_change", "privacy", "contact", "praise")
REST_FLOOR = 1.2  # evidence that "other" has when the text says little


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for each label, and how unclear the case is."""

    scores: tuple[float, ...]  # one for each label
    doubt: float  # 0 = plain, 1 = as unclear as can be
    injected: str  # the instruction hidden in the text, or ""


def classify(text: str, labels: list[Label], size: Size, noise: Noise, tag: str = "label") -> Label:
    """The label the model settles on, right or wrong.

    Args:
        tag: Separates the draws of several labels in one answer.
    """
    return settle(weigh(text, labels, size.overlooks), labels, size, noise, tag)


def settle(evidence: Evidence, labels: list[Label], size: Size, noise: Noise, tag: str = "label") -> Label:
    """The label that the evidence speaks for, or a wrong one as often as a model errs."""
    if evidence.injected and noise.chance(size.obeys, tag, "obeys"):
        named = [each for each in labels if each.text.lower() in evidence.injected.lower()]
        if named:
            return named[-1]
    ranked = sorted(range(len(labels)), key=lambda at: (-evidence.scores[at], at))
    error = size.sure + (size.unsure - size.sure) * evidence.doubt
    if len(ranked) > 1 and noise.chance(error, tag, "wrong"):
        # Mostly the runner-up, since a model errs towards what is near.
        rest = ranked[2:]
        return labels[noise.pick(rest, tag, "far") if rest and noise.chance(0.2, tag, "is far") else ranked[1]]
    return labels[ranked[0]]


def weigh(text: str, labels: list[Label], negated: float = 0.1) -> Evidence:
    """The evidence in a text for each label.

    Args:
        negated: What a cue counts inside a negation: 0 for a careful reader, 1 for one who overlooks every "not".
    """
    injected = " ".join(part for part in re.split(r"(?<=[.!?\n])\s+|---", text) if INJECTION.search(part))
    honest = " ".join(part for part in re.split(r"(?<=[.!?\n])\s+|---", text) if not INJECTION.search(part)) or text
    found = concepts_in(honest, negated)
    stems = content(honest)
    scores = [_score(each, labels, found, stems) for each in labels]
    top, second = [*sorted(scores, reverse=True), 0.0, 0.0][:2]
    return Evidence(tuple(scores), doubt_of(honest, top, second, bool(injected)), injected)


def doubt_of(text: str, top: float, second: float, injected: bool) -> float:
    """How unclear a case is, from 0 to 1: by the gap between the best two, and by how the text is written."""
    count = len(text.split())
    doubt = max(0.0, 0.5 - 0.6 * (top - second) / (top + 1))
    doubt += 0.25 * (NEGATED.search(text) is not None) + 0.15 * (FINE.search(text) is not None)
    doubt += (
        0.35 * (count < 4 and top < 6) + 0.25 * (count > 70) + 0.3 * injected + 0.25 * (len(FOREIGN.findall(text)) > 2)
    )
    return min(1.0, doubt)


def _score(label: Label, labels: list[Label], found: dict[str, float], stems: list[str]) -> float:
    own = {stem(word) for word in words(label.text.replace("_", " "))}
    meaning = set(content(label.meaning))
    score = sum(1.0 for each in stems if each in meaning) + 2 * sum(1.0 for each in stems if each in own)
    if label.is_rest:
        offered = {each.concept for each in labels}
        aside = [found.get(concept, 0.0) for concept in ASIDE if concept not in offered]
        return score + REST_FLOOR + max(aside, default=0.0)
    if label.concept in ("neutral", "normal", "question"):
        score += 1.4  # the middle, when nothing pulls to a side
    return score + found.get(label.concept, 0.0)


def concepts_in(text: str, negated: float = 0.1) -> dict[str, float]:
    """How strongly a text speaks of each concept of the lexicon; `negated` as for `weigh`."""
    found: dict[str, float] = {}
    for clause in CLAUSE.split(text.lower().replace("’", "'")):
        if not clause.strip():
            continue
        factor = negated if NEGATED.search(clause) else 0.3 if FINE.search(clause) else 1.0
        for concept, weight in _cues_in(clause):
            found[concept] = found.get(concept, 0.0) + weight * factor
    for mark, concepts in _signs(text):
        for concept, weight in concepts:
            found[concept] = found.get(concept, 0.0) + weight * min(mark, 2)
    return found


def _cues_in(clause: str) -> list[tuple[str, float]]:
    single, phrases = _index()
    tokens = words(clause)
    hits = []
    for each in dict.fromkeys(tokens):
        hits += single.get(each) or single.get(stem(each), [])
    padded = f" {' '.join(clause.split())} "
    return hits + [hit for phrase, concepts in phrases if phrase in padded for hit in concepts]


def _signs(text: str) -> list[tuple[int, list[tuple[str, float]]]]:
    """Evidence that is no word: question marks, arithmetic, order numbers."""
    marks = {"?": text.count("?"), "???": text.count("???"), "€": text.count("€")}
    marks["#arithmetic"] = int(find_expression(text) is not None)
    marks["#order_id"] = len(re.findall(r"\b[A-Z]{2}-\d{4,6}\b", text))
    table = _sign_table()
    return [(count, table[mark]) for mark, count in marks.items() if count and mark in table]


@cache
def _sign_table() -> dict[str, list[tuple[str, float]]]:
    table: dict[str, list[tuple[str, float]]] = {}
    for concept, entry in lexicon().items():
        for cue, weight in entry["cues"].items():
            if not cue[0].isalnum():
                table.setdefault(cue, []).append((concept, weight))
    return table


@cache
def _index() -> tuple[dict[str, list[tuple[str, float]]], list[tuple[str, list[tuple[str, float]]]]]:
    """Single words with their stems, and phrases, each with the concepts they speak for."""
    single: dict[str, list[tuple[str, float]]] = {}
    phrases: dict[str, list[tuple[str, float]]] = {}
    for concept, entry in lexicon().items():
        for cue, weight in entry["cues"].items():
            if not cue[0].isalnum():
                continue
            if re.fullmatch(r"\w+", cue):
                for form in {cue, stem(cue)}:
                    single.setdefault(form, []).append((concept, weight))
            else:
                phrases.setdefault(f"{cue}", []).append((concept, weight))
    return single, list(phrases.items())


__all__ = ["Evidence", "classify", "concept_of", "concepts_in", "weigh"]

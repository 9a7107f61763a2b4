"""Judging a draft: points for what a good reply has, and words for what it lacks.

Layer 1: imports siblings only. The score depends on the draft alone: its length, its facts, the order number, courtesy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from course_utils.server.practice import facts
from course_utils.server.practice.classify import concepts_in
from course_utils.server.practice.noise import Noise
from course_utils.server.practice.reading import Reading
from course_utils.server.practice.sizes import Size
from course_utils.server.practice.words import content

PASS_SHARE = 80  # points out of 100, unless the prompt names another bar
SCALE = re.compile(
    r"\b(?:from |between |scale of |scale from |score of )?(\d{1,3})\s*(?:-|–|to|and|bis|\.\.)\s*(\d{1,3})\b"
)
OUT_OF = re.compile(r"\b(?:out of|/)\s*(\d{1,3})\b")
BAR = re.compile(
    r"\b(?:at least|minimum(?: of)?|threshold(?: of)?|or (?:more|higher|above)|>=|≥)\s*(\d{1,3})\b|\b(\d{1,3}) "
    r"or (?:more|higher|above)\b",
    re.IGNORECASE,
)
PASSWORD = re.compile(
    r"(?i:\b(?:reply|respond|answer|say|return|write|output)\b)[^.\n]{0,30}?[\"'`]?\b([A-Z]{2,})\b[\"'`]?(?=,? "
    r"(?i:if|when|once)\b)"
)
DRAFTS = (
    "draft",
    "reply",
    "answer",
    "candidate",
    "text",
    "response",
    "summary",
    "email",
    "translation",
    "report",
    "story",
)


@dataclass(frozen=True, slots=True)
class Review:
    """What a critic says of a draft."""

    points: int  # 0 to 100
    feedback: tuple[str, ...]  # one order for each thing that is missing


def review(reading: Reading, size: Size, noise: Noise) -> Review:
    """The points and the remarks for the draft in a request; the small model is a little unsure of the points."""
    draft = draft_of(reading)
    material = "\n".join(text for _, text in reading.sections if text != draft)
    remarks: list[str] = []
    points = 0
    for earned, most, remark in _aspects(draft, material):
        points += earned
        if earned * 10 < most * 7:
            remarks.append(remark)
    if not draft.strip():
        return Review(0, ("There is no draft to judge.",))
    if size.size == "small":
        points += noise.below(9, "points") - 4
        if len(remarks) > 1 and noise.chance(size.misses, "remark"):
            remarks.pop()
    return Review(max(0, min(100, points)), tuple(remarks))


def draft_of(reading: Reading) -> str:
    return reading.section(*DRAFTS) or (reading.subject if len(reading.sections) < 2 else reading.sections[-1][1])


def _aspects(draft: str, material: str) -> list[tuple[int, int, str]]:
    """For each thing that counts: points earned, points possible, what to do when they are missing."""
    count = len(draft.split())
    length = 20 if 25 <= count <= 150 else 12 if 12 <= count <= 220 else 4
    remark = (
        "Cut it to at most 120 words."
        if count > 150
        else "Make it longer: give the customer a concrete fact or next step."
    )
    aspects = [(length, 20, remark), (_fact_points(draft, material), 30, "Add the facts that answer the question.")]
    orders = facts.order_ids(material)
    named = not orders or any(each in draft for each in orders)
    aspects.append((20 * named, 20, f"Name order {orders[0]}." if orders else ""))
    aspects.append((10 * _has(draft, r"^(?:dear|hello|hi|good)\b"), 10, "Open with a greeting."))
    aspects.append((10 * _has(draft, r"\bthank|\bplease|\bglad|\bhappy to"), 10, "Thank the customer; be friendly."))
    unhappy = concepts_in(material).get("negative", 0) > 1.5
    closing = _has(draft, r"\bregards\b|\bwishes\b|\byours\b")
    aspects.append((5 * closing, 5, "Close with kind regards."))
    aspects.append(
        (5 * (not unhappy or _has(draft, r"\bsorry\b|\bapolog")), 5, "Say that you are sorry for the trouble.")
    )
    return aspects


def _fact_points(draft: str, material: str) -> int:
    """Up to 30 points for figures, and for words shared with the material."""
    figures = len(set(re.findall(r"\d+(?:[.,]\d+)?", draft)))
    if not material:
        return min(30, 10 + 5 * figures + len(set(content(draft))) // 3)
    wanted = set(content(material))
    shared = len(wanted & set(content(draft)))
    return min(30, 4 * figures + 30 * shared // max(6, min(len(wanted), 20)))


def _has(text: str, pattern: str) -> bool:
    return re.search(pattern, text.strip(), re.IGNORECASE) is not None


def scale_of(instruction: str) -> tuple[int, int]:
    """Lowest and highest score that an instruction names; 1 to 10 without one.

    >>> scale_of("Score from 0 to 100."), scale_of("Rate it out of 5."), scale_of("Judge it.")
    ((0, 100), (0, 5), (1, 10))
    """
    if found := SCALE.search(instruction):
        low, high = int(found[1]), int(found[2])
        if low < high:
            return low, high
    if found := OUT_OF.search(instruction):
        return 0, max(1, int(found[1]))
    return 1, 10


def score(points: int, low: float, high: float) -> int:
    """Points on another scale, rounded half up."""
    return int(low + ((high - low) * points + 50) // 100)


def passes(points: int, instruction: str) -> bool:
    """True when the points reach the bar that the instruction names, or 80 of 100."""
    low, high = scale_of(instruction)
    if found := BAR.search(instruction):
        return score(points, low, high) >= int(found[1] or found[2])
    return points >= PASS_SHARE


def feedback_text(made: Review) -> str:
    return " ".join(made.feedback) or "Nothing to add."


def spelled(made: Review, instruction: str) -> str:
    """The judgement as text, for prompts that want no JSON.

    Where the prompt has a word for a good draft ("reply with APPROVE if ..."), the answer is that word or the feedback.
    """
    low, high = scale_of(instruction)
    verdict = "PASS" if passes(made.points, instruction) else "REVISE"
    if word := PASSWORD.search(instruction):
        return word[1] if verdict == "PASS" else feedback_text(made)
    return f"Score: {score(made.points, low, high)} of {high}\nVerdict: {verdict}\nFeedback: {feedback_text(made)}"

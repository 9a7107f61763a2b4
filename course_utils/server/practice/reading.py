"""Reading a request: which part is the instruction, which part is the material.

Layer 1: imports siblings, `records` and `wire`. The material (a customer's ticket, a draft, facts) is data: whatever
it asks for, the skill is chosen from the instruction alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from course_utils.records import text_of
from course_utils.server.practice.intent import is_command, is_role, skill_of
from course_utils.server.practice.splitting import Split, split_message
from course_utils.server.wire import ChatRequest, Message

CORRECTION = re.compile(
    r"\b(?:not (?:valid|one of|a label|in the list|json)|invalid|isn't (?:valid|one of)|could not be (?:read|"
    r"parsed)|try again|once more|again, |"
    r"your (?:previous|last|first) (?:answer|reply)|you (?:answered|replied|said|wrote)|wrong format|nothing "
    r"else|only the (?:json|label|word|list))",
    re.IGNORECASE,
)
ON_TEXT = ("translate", "summarise", "improve", "critique")  # the skills that need a text to work on
ROUTES = re.compile(  # the system prompt of a router: whatever comes, it is to be labelled
    r"\brouter\b|\b(?:answer|reply|respond|return)\b[^.\n]{0,30}\b(?:one|only|exactly|name)\b|"
    r"\b(?:choose|pick|select) (?:one|the|a)\b",
    re.IGNORECASE,
)
POINTS_BACK = re.compile(r"\b(?:it|that|this|above|your (?:answer|reply|draft|text))\b", re.IGNORECASE)
ON_MESSAGE = ("draft", "classify", "extract")  # the skills that need a customer's message to work on
MEANS_MESSAGE = re.compile(r"\b(?:it|that|this|above|the (?:customer|ticket|message|e-?mail|order))\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """A request, taken apart."""

    skill: str  # what is asked for, "" when nothing known is
    instruction: str  # system prompt and the instruction part of the last user message
    subject: str  # the material to work on
    sections: tuple[tuple[str, str], ...]  # the named parts of the material, lower-case name and text
    system: str
    user: str  # the whole last user message
    is_correction: bool  # the model is told that its last answer was no good
    results: tuple[tuple[str, str, str], ...] = ()  # tool results since: name, arguments as JSON, text
    earlier: tuple[str, ...] = field(default=())  # what the model has said before

    def section(self, *names: str) -> str:
        """The text of the first section with one of these names, or ""."""
        return next((text for name, text in self.sections if name.rstrip("s") in names or name in names), "")


def read(request: ChatRequest) -> Reading:
    """The parts of a request that the skills work with."""
    turns = request.messages
    system = "\n".join(text_of(turn.content) for turn in turns if turn.role in ("system", "developer"))
    users = [text_of(turn.content) for turn in turns if turn.role == "user"]
    earlier = tuple(text for turn in turns if turn.role == "assistant" and (text := text_of(turn.content).strip()))
    user = users[-1] if users else ""
    is_correction = bool(CORRECTION.search(user[:600])) and (bool(earlier) or "your" in user.lower())
    split, skill = _choose(system, user)
    if earlier and len(users) > 1 and is_correction and skill in ("", "answer", split.instruction and skill):
        split, first = _choose(system, users[-2])
        skill = first or skill
    elif earlier and skill in ON_TEXT and not split.is_structured and POINTS_BACK.search(user) and len(user) < 200:
        before = _of_before(users[:-1], split)
        sections = (("draft", earlier[-1]), ("ticket", before.subject)) if before is not split else ()
        split = Split(split.instruction, earlier[-1], sections, True)
    elif skill in ON_MESSAGE and not split.is_structured and MEANS_MESSAGE.search(user) and len(user) < 200:
        split = _of_before(users[:-1], split)
    instruction = f"{system}\n{split.instruction}".strip()
    results = _results(turns)
    return Reading(skill, instruction, split.subject, split.sections, system, user, is_correction, results, earlier)


def _of_before(users: list[str], split: Split) -> Split:
    """The instruction of `split` with the material that a user message before it brought, the latest one's."""
    for user in reversed(users):
        before = split_message(user)
        if before.is_structured or not is_command(user):
            return Split(split.instruction, before.subject, before.sections, True)
    return split


def _choose(system: str, user: str) -> tuple[Split, str]:
    """Whose instruction counts: the system prompt's, or the user's when it is set apart from the material."""
    split = split_message(user)
    from_user = skill_of(split.instruction)
    from_system = skill_of(system)
    plain = Split("", user, (), False)
    if from_system == "classify" and from_user != "classify" and ROUTES.search(system):
        return (split if split.sections else plain), from_system
    if split.is_structured and from_user and (from_user != "answer" or not from_system):
        return split, from_user
    if from_system:
        return (split if split.sections else plain), from_system
    if from_user in ("about", "calculate") or (from_user and is_command(split.instruction)):
        return split, from_user
    if is_role(system) and user.strip():
        return (split if split.sections else plain), "draft"
    return split, from_user


def _results(turns: list[Message]) -> tuple[tuple[str, str, str], ...]:
    """Tool results since the last user message, each with the call that it answers."""
    start = max((at for at, turn in enumerate(turns) if turn.role == "user"), default=-1)
    calls: dict[str, tuple[str, str]] = {}
    found = []
    for turn in turns[start + 1 :]:
        for call in turn.tool_calls or ():
            function = call.get("function")
            function = function if isinstance(function, dict) else {}
            calls[str(call.get("id"))] = (str(function.get("name", "")), str(function.get("arguments", "")))
        if turn.role in ("tool", "function"):
            name, arguments = calls.get(str(turn.tool_call_id), (turn.name or "", ""))
            found.append((name, arguments, text_of(turn.content)))
    return tuple(found)

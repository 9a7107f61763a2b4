"""What a prompt asks for: the skill that its instruction names.

Layer 1: imports nothing from this package. The cues are patterns in skills.json. An instruction names a skill by a
verb ("summarise", "rate") or by a role ("you are a router"); the earliest one wins, so "summarise this, then I
translate it" is a summary.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

WEAK = ("answer", "extract", "calculate")  # count only where nothing else is named before
POLITE = r"^\W*(?:please |kindly |now |then |could you |can you |bitte )*"
ROLE = re.compile(
    r"\b(?:you are|act as|your (?:job|task) is)\b.{0,60}\b(?:specialist|support|agent|assistant|desk|clerk|"
    r"writer|worker|expert|team)\b"
    r"|\b(?:support|service) (?:agent|desk)\b",
    re.IGNORECASE | re.DOTALL,
)


@cache
def cues() -> dict[str, re.Pattern[str]]:
    """For each skill the pattern that names it, and under "#command" the verbs that open an order."""
    table = json.loads(files(__package__).joinpath("skills.json").read_text(encoding="utf-8"))
    opening = f"{POLITE}(?:{'|'.join(table.pop('#command'))})"
    found = {skill: re.compile("|".join(parts), re.IGNORECASE | re.MULTILINE) for skill, parts in table.items()}
    return found | {"#command": re.compile(opening, re.IGNORECASE)}


def skill_of(instruction: str) -> str:
    """The skill that an instruction names first, or "".

    >>> skill_of("Write a reply to the customer. Facts:"), skill_of("Summarise the reply."), skill_of("Hello")
    ('draft', 'summarise', '')
    """
    found = []
    for rank, (skill, pattern) in enumerate(cues().items()):
        if skill != "#command" and (match := pattern.search(instruction)):
            found.append((skill in WEAK, match.start(), rank, skill))
    return min(found)[3] if found else ""


def is_command(text: str) -> bool:
    """True when a text opens like an order to a model, not like a customer's message."""
    return cues()["#command"].match(text) is not None


def is_role(system: str) -> bool:
    """True when a system prompt makes the model someone who answers customers."""
    return ROLE.search(system) is not None

"""How good the practice models are, measured on the labelled tickets: `python -m course_utils.server.practice.measure`.

Layer 1: imports `world` and siblings. Prints the tables of docs/PRACTICE_MODEL.md; a test keeps the two equal.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache

from course_utils import world
from course_utils.server.practice.model import PracticeModel
from course_utils.server.practice.sizes import SIZES
from course_utils.server.wire import ChatRequest, Message

PROMPT = "Classify this ticket as billing, technical, sales or other. Answer with one word.\n\n"
SUMMARY = "Summarise this ticket in at most 20 words:\n"
PLAIN_JSON = 'Classify the ticket as billing, technical, sales or other. Reply as JSON: {"label": "..."}\n\nTicket: '
VOTERS = (1, 3, 5, 9, 15)
DIFFICULTIES = ("plain", "hard", "ambiguous")
LABEL = re.compile("|".join(world.LABELS))


def ask(model: str, prompt: str, seed: int | None = None, temperature: float = 0.0) -> str:
    """The text that a practice model answers to one user message."""
    request = ChatRequest(
        model=model, messages=[Message(role="user", content=prompt)], seed=seed, temperature=temperature
    )
    return "".join(piece.text for piece in PracticeModel().pieces(request))


def label_in(reply: str) -> str:
    """The label that a person would read out of a reply: the last one named.

    >>> label_in("This is not billing; it is sales.")
    'sales'
    """
    return (LABEL.findall(reply.lower()) or [""])[-1]


@cache
def replies(model: str, seed: int | None = None, temperature: float = 0.0) -> tuple[str, ...]:
    """The model's reply to the clear prompt, for each ticket in order."""
    return tuple(ask(model, PROMPT + each.text, seed, temperature) for each in world.tickets())


def right(labels: list[str]) -> list[bool]:
    """For each ticket in order: is the label acceptable?"""
    return [ticket.accepts(label) for ticket, label in zip(world.tickets(), labels, strict=True)]


def accuracy(model: str) -> dict[str, tuple[int, int]]:
    """Right answers and tickets at temperature 0: over all, and for each difficulty."""
    good = right([label_in(each) for each in replies(model)])
    found = {"all": (sum(good), len(good))}
    for difficulty in DIFFICULTIES:
        part = [hit for hit, ticket in zip(good, world.tickets(), strict=True) if ticket.difficulty == difficulty]
        found[difficulty] = (sum(part), len(part))
    return found


def confusion(model: str) -> dict[tuple[str, str], int]:
    """How often each label was answered for each true one, at temperature 0; an acceptable answer counts as true."""
    pairs: Counter[tuple[str, str]] = Counter()
    for ticket, reply in zip(world.tickets(), replies(model), strict=True):
        said = label_in(reply)
        pairs[(said if ticket.accepts(said) else ticket.label, said)] += 1
    return dict(pairs)


def voting(model: str, voters: int) -> int:
    """Tickets labelled right by the majority of seeds 0, 1, … at temperature 0.7; ties go to the earliest label."""
    votes = [[label_in(each) for each in replies(model, seed, 0.7)] for seed in range(voters)]
    return sum(right([Counter(column).most_common(1)[0][0] for column in zip(*votes, strict=True)]))


def form(model: str) -> dict[str, int]:
    """Tickets for which the form went wrong: label dressed up, summary too long, JSON wrapped."""
    dressed = sum(each not in world.LABELS for each in replies(model))
    long = sum(len(ask(model, SUMMARY + each.text).split()) > 20 for each in world.tickets())
    wrapped = sum(not _is_json(ask(model, PLAIN_JSON + each.text)) for each in world.tickets())
    return {
        "label with decoration": dressed,
        "summary over 20 words": long,
        "JSON with words or a fence around it": wrapped,
    }


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def tables() -> str:
    """All measurements as Markdown."""
    models = list(SIZES)
    found = {model: accuracy(model) for model in models}
    lines = _table(
        ["tickets", *models],
        [[kind, *(_share(*found[model][kind]) for model in models)] for kind in ("all", *DIFFICULTIES)],
    )
    for model in models:
        pairs = confusion(model)
        rows = [[true, *(str(pairs.get((true, said), 0)) for said in world.LABELS)] for true in world.LABELS]
        lines += ["", *_table([f"{model}: true \\ answered", *world.LABELS], rows)]
    total = len(world.tickets())
    votes = [[str(voters), *(_share(voting(model, voters), total) for model in models)] for voters in VOTERS]
    lines += ["", *_table(["votes", *models], votes)]
    forms = {model: form(model) for model in models}
    lines += [
        "",
        *_table(
            ["form", *models],
            [[kind, *(_share(forms[model][kind], total) for model in models)] for kind in forms[models[0]]],
        ),
    ]
    return "\n".join(lines)


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.1f} %)"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


if __name__ == "__main__":
    print(tables())

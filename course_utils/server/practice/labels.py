"""Finding the labels that a prompt names, and what each of them stands for.

Layer 1: imports `words`. Labels may stand in a sentence ("as billing, technical or other"), in bullets with a
meaning each, in quotes, in brackets, or between slashes; any vocabulary will do.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from course_utils.server.practice.words import stem, words

BULLET = re.compile(
    r"^\s*(?:[-*•]|\d{1,2}[.)])\s*[`\"'*]*([^:–`\"'*\n(]{1,40}?)[`\"'*]*\s*(?:[:–(=]|\s-\s|$)(.*)$", re.MULTILINE
)
QUOTED = re.compile(r"[\"'`“‘]([\w][\w /&-]{0,30}?)[\"'`”’](?=[\s,.;:/|)\]]|$)")
ROW = re.compile(
    r"[^.?!:;()\[\]{}<>\n]*[,/|][^.?!:;()\[\]{}<>\n]*|[^.?!:;()\[\]{}<>\n]*\b(?:or|oder|ou)\b[^.?!:;()\[\]{}<>\n]*"
)
SPLIT = re.compile(r"\s*[,/|]\s*(?:(?:and|or|oder|ou|und)\s+)?|\s+(?:and|or|oder|ou|und)\s+")
CUE = re.compile(
    r"(?:\b(?:one of(?: the)?(?: following)?(?: \w+){0,2}|labels?|categor(?:y|ies)|classes|options|choices|"
    r"topics|tools?|"
    r"teams?|departments?|queues?|values|intents?|words?|as(?: either)?|into|to|between|either|with|from|is it|is this|"
    r"answer|reply|say|it is|are)\b[ :=]*)(?!.*\b(?:one of|as|into|between|either|with|is it)\b)",
    re.IGNORECASE,
)
LEAD = re.compile(r"^(?:an?|the|only|just|either|simply|exactly)\s+", re.IGNORECASE)
EDGE = " \t\"'`*_“”‘’"


@dataclass(frozen=True, slots=True)
class Label:
    """One allowed answer: its spelling, the meaning the prompt gives it, and the concepts its name points to."""

    text: str
    meaning: str = ""
    concept: str = ""  # a key of the lexicon; "" when its name is not known

    @property
    def is_rest(self) -> bool:
        """True when the label takes whatever fits nothing else."""
        return self.concept == "other"


@cache
def lexicon() -> dict[str, dict[str, Any]]:
    """Concepts with the names a label may have for them, and the words that speak for them."""
    return json.loads(files(__package__).joinpath("lexicon.json").read_text(encoding="utf-8"))


@cache
def _names() -> dict[tuple[str, ...], str]:
    names: dict[tuple[str, ...], str] = {}
    for concept, entry in lexicon().items():
        for name in entry["names"]:
            names.setdefault(tuple(stem(word) for word in words(name)), concept)
    return names


@cache
def concept_of(label: str) -> str:
    """The concept that a label's name points to, or "".

    >>> concept_of("Technical_Support"), concept_of("invoices"), concept_of("banana")
    ('technical', 'billing', '')
    """
    stems = [stem(word) for word in words(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label).replace("_", " "))]
    for length in range(min(3, len(stems)), 0, -1):
        for start in range(len(stems) - length + 1):
            if concept := _names().get(tuple(stems[start : start + length])):
                return concept
    return ""


def label(text: str, meaning: str = "") -> Label:
    """A label with its concept looked up."""
    return Label(text, meaning, concept_of(text))


def find_labels(instruction: str) -> list[Label]:
    """The labels that an instruction offers, in its order; empty when it offers none.

    >>> [each.text for each in find_labels("Classify this as billing, sales or other. Use one word.")]
    ['billing', 'sales', 'other']
    """
    bullets = [(name.strip(EDGE), meaning.strip(" )")) for name, meaning in BULLET.findall(instruction)]
    found = [(name, meaning) for name, meaning in bullets if name and len(name.split()) <= 4]
    # Bullets with a meaning each can be nothing else; the commas in their meanings are no labels.
    candidates = [(_worth([name for name, _ in found], 5 if all(meaning for _, meaning in found) else 1), found)]
    instruction = BULLET.sub("\n", instruction)
    quoted = list(dict.fromkeys(QUOTED.findall(instruction)))
    candidates.append((_worth(quoted, 1), [(name, "") for name in quoted]))
    for row in ROW.finditer(instruction):
        names, bonus = _row(row.group(), instruction[: row.start()])
        candidates.append((_worth(names, bonus), [(name, "") for name in names]))
    best, chosen = max(candidates, key=lambda each: each[0])
    return [label(name, meaning) for name, meaning in _unique(chosen)] if best > 1 else []


def _row(row: str, before: str) -> tuple[list[str], int]:
    """The items of one enumeration, and how strongly the words before it announce one."""
    cue, bonus = CUE.search(row), 2
    if cue:
        row = row[cue.end() :]
    elif before.rstrip().endswith((":", "(", "[", "{", "?", "=", "<")) or not before.strip():
        bonus = 1 + bool(
            re.search(r"(?:one of|labels|categories|classes|options|tools|as|into|from)\W*$", before.lower())
        )
    else:
        bonus = 0
    parts = [LEAD.sub("", part.strip(EDGE)).strip(EDGE) for part in SPLIT.split(row)]
    parts = [part for part in parts if part]
    if len(parts) < 2:
        return [], 0
    if len(parts[0].split()) > 3:  # the sentence before the first item
        parts[0] = parts[0].split()[-1].strip(EDGE)
    if len(parts[-1].split()) > 3:  # the sentence after the last item
        parts[-1] = parts[-1].split()[0].strip(EDGE)
    return (parts, bonus) if all(len(part.split()) <= 3 for part in parts) else ([], 0)


def _worth(names: list[str], bonus: int) -> float:
    """How much a row of names looks like a set of labels."""
    if len(names) < 2 or any(len(name) > 40 for name in names):
        return 0
    known = sum(bool(concept_of(name)) for name in names)
    return bonus + 2 * known / len(names) + min(len(names), 6) / 10 + (known == len(names))


def _unique(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    seen: dict[str, tuple[str, str]] = {}
    for name, meaning in pairs:
        seen.setdefault(name.lower(), (name, meaning))
    return list(seen.values())

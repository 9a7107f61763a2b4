"""Taking one user message apart: the instruction, the material, and the named parts of the material.

Layer 1: imports siblings only. Parts may be named ("Ticket: …"), tagged, fenced, or set apart by a line that ends in
a colon, by an empty line, or by quotes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from course_utils.server.practice.intent import is_command, skill_of

NAMES = (
    r"current task|ticket|letter|complaint|customer|"
    r"customer'?s? (?:message|question|text|e-?mail)|message|e-?mail|text|facts?|"
    r"draft|feedback|task|question|user question|query|article|articles|"
    r"reply|summary|summaries|outline|part|parts|section|sections|results?|worker|context|input|notes?|answers?|"
    r"document|documents|review|criticism|"
    r"topic|subtask|goal|request|report|review|source|content|user|passage|excerpt|original|previous draft|"
    r"current draft|candidate|findings?|email|story|sentence|nachricht|data"
)
SECTION = re.compile(
    rf"(?:^|(?<=[.!?:] ))[#*\s>]*(?P<name>{NAMES})(?: (?P<number>[A-Z]|\d{{1,3}}))?(?: "
    rf"\([^)\n]{{0,40}}\))?\**:\**[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
TAGGED = re.compile(r"<([A-Za-z][\w-]{0,30})>(.*?)</\1>", re.DOTALL)
FENCED = re.compile(r"```[a-z]*\n?(.*?)```|\"\"\"(.*?)\"\"\"|'''(.*?)'''", re.DOTALL)
ENDS_OPEN = re.compile(
    r"^(?:answer|label|category|output|response|reply|json|tool|summary|translation)\s*:\s*$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Split:
    """One user message in its parts."""

    instruction: str
    subject: str
    sections: tuple[tuple[str, str], ...]
    is_structured: bool


def split_message(text: str) -> Split:
    """Instruction and material of one user message.

    >>> split_message("Translate into German:\\nWhere is my parcel?").subject
    'Where is my parcel?'
    """
    rest, sections = _marked(text)
    first = SECTION.search(rest)
    if first and (named := _named(rest)):
        sections = [*named, *sections]
        tail = _trailing(sections)
        instruction = f"{rest[: first.start()].strip()}\n{tail}".strip()
        return Split(instruction, _subject(sections), tuple(sections), True)
    if sections:
        return Split(rest.strip(), _subject(sections), tuple(sections), True)
    return _by_lines(text)


def _marked(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The text without its tagged and fenced parts, and those parts."""
    sections = [(name.lower().replace("_", " "), body.strip()) for name, body in TAGGED.findall(text)]
    rest = TAGGED.sub("\n", text)
    sections += [("text", next(filter(None, parts), "").strip()) for parts in FENCED.findall(rest)]
    return FENCED.sub("\n", rest), sections


def _named(text: str) -> list[tuple[str, str]]:
    marks = list(SECTION.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [
        (" ".join(filter(None, (mark["name"].lower(), mark["number"]))), text[mark.end() : end].strip())
        for mark, end in zip(marks, ends, strict=True)
        if text[mark.end() : end].strip()
    ]


def _trailing(sections: list[tuple[str, str]]) -> str:
    """An instruction after the last section, taken off it: "Ticket: …\\n\\nWhich label fits?"."""
    name, text = sections[-1]
    head, gap, tail = text.rpartition("\n\n")
    if gap and (is_command(tail) or (skill_of(tail) and len(tail) < 300)):
        sections[-1] = (name, head.strip())
        return tail.strip()
    return ""


def _subject(sections: list[tuple[str, str]]) -> str:
    return "\n\n".join(text for name, text in sections if not name.startswith(("feedback", "answer"))) or sections[0][1]


def _by_lines(text: str) -> Split:
    """Instruction and material of a message without named parts."""
    lines = [line for line in text.strip().split("\n") if not ENDS_OPEN.match(line.strip())]
    text = "\n".join(lines).strip()
    for at, line in enumerate(lines[:-1]):
        if line.rstrip().endswith(":") and skill_of("\n".join(lines[: at + 1])) and not _is_list(lines[at + 1 :]):
            return Split("\n".join(lines[: at + 1]), "\n".join(lines[at + 1 :]).strip(), (), True)
    blocks = re.split(r"\n\s*\n", text)
    if len(blocks) > 1:
        if skill_of(blocks[0]) and is_command(blocks[0]):
            after = 2 if len(blocks) > 2 and _is_list(blocks[1].split("\n")) else 1
            return Split("\n\n".join(blocks[:after]), "\n\n".join(blocks[after:]), (), True)
        if skill_of(blocks[-1]) and (is_command(blocks[-1]) or len(blocks[-1]) < 200):
            return Split(blocks[-1], "\n\n".join(blocks[:-1]), (), True)
    if len(lines) > 1 and skill_of(lines[0]) and is_command(lines[0]) and not _is_list(lines[1:]):
        return Split(lines[0], "\n".join(lines[1:]).strip(), (), True)
    return _one_line(text)


def _is_list(lines: list[str]) -> bool:
    return all(re.match(r"\s*(?:[-*•]|\d+[.)])\s", line) for line in lines if line.strip())


def _one_line(text: str) -> Split:
    """Instruction and material that share a line: "Translate into German: …", "Summarise 'this text'"."""
    if is_command(text):
        quoted = re.search(r"[\"“„]([^\"“”]{8,})[\"”]", text)
        if quoted and len(text) - len(quoted.group()) < 80 and ":" not in text[: quoted.start() - 3]:
            return Split(f"{text[: quoted.start()]} {text[quoted.end() :]}".strip(), quoted.group(1), (), True)
        for colon in re.finditer(r":\s+", text):
            head = text[: colon.start()]
            if (
                len(head) < 400
                and skill_of(head)
                and not re.search(r"\b(?:one of|labels?|categories|options|as|into|classes|following)\W*$", head, re.I)
            ):
                return Split(head, text[colon.end() :].strip(), (), True)
        parts = re.split(r"(?<=[.?!])\s+", text)
        lead = 1
        while lead < len(parts) and re.match(
            r"(?:answer|reply|respond|use|return|give|output|be|only|do not|keep|write)\b", parts[lead], re.I
        ):
            lead += 1
        if lead < len(parts) and skill_of(parts[0]) not in ("", "answer", "plan"):
            return Split(" ".join(parts[:lead]), " ".join(parts[lead:]), (), True)
    return Split(text, text, (), False)

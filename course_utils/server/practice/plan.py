"""Plans: a task broken into subtasks.

Layer 1: imports siblings only. Where the task lists its aspects ("compare price, range and battery"), each becomes a
subtask; the rest comes from a fixed stock of steps. A customer's letter with several wishes has one subtask for each.
"""

from __future__ import annotations

import re

from course_utils.server.practice.intent import is_command
from course_utils.server.practice.limits import item_count
from course_utils.server.practice.needs import advice_for, honest_parts
from course_utils.server.practice.noise import Noise
from course_utils.server.practice.reading import Reading
from course_utils.server.practice.sizes import Size
from course_utils.server.practice.words import shorten

DEFAULT, MOST = 4, 40
STOCK = (
    "Collect what the help centre says about {topic}",
    "List the questions that customers ask most about {topic}",
    "Find the prices, dates and limits that matter for {topic}",
    "Describe the usual problems with {topic} and how to solve them",
    "Give one example from a real ticket about {topic}",
    "Write a short recommendation on {topic}",
    "Check every statement about {topic} against the help centre",
    "Name the open points of {topic} that a person has to decide",
)
ORDER = re.compile(
    r"^\W*(?:please |kindly )*(?:plan|write|create|prepare|produce|make|compare|research|draft|organi[sz]e|"
    r"handle|build|develop|summari[sz]e|investigate|"
    r"answer|describe|explain|analy[sz]e|break down|decompose|outline)\b\s*(?:me |us )?(?:an?|the|our|my|"
    r"this)?\s*(?:short |detailed |small |new )?"
    r"(?:(?:report|guide|article|overview|plan|outline|text|page|reply|answer|handbook|summary|leaflet|"
    r"faq)\s*(?:on|about|for|of|to|:)?\s*)?",
    re.IGNORECASE,
)
ITEMS_WANTED = re.compile(
    r"\s*\b(?:in|into|with|of|as) (?:exactly |at most |about )?\w+ (?:sub-?tasks?|steps?|parts?|points?)\b.*",
    re.IGNORECASE,
)
LEANS = re.compile(r"\b(?:it|this|that|them|one|else|so)\b", re.IGNORECASE)  # a question that needs the one before
PERSONAL = re.compile(
    r"^\W*(?:dear|hello|hi|good (?:morning|afternoon|evening|day))\b|\b(?:I|my|me|we|our)\b", re.IGNORECASE
)
QUESTION = re.compile(r"(?:how|what|which|where|when|why|who|do|does|is|are|can|could|may|will|would)\b", re.IGNORECASE)
ASPECTS = re.compile(
    r"(?:\bcovers?|\bcovering|\bcompare|\babout|\bincluding|:|\bfor|\bof|\bon|\bwith)\s+((?:[\w' "
    r"-]{2,30},\s*)+(?:and |or )?[\w' -]{2,30})",
    re.IGNORECASE,
)


def plan(task: str, count: int | None, size: Size, noise: Noise) -> list[str]:
    """The subtasks of a task, as short orders.

    Args:
        count: How many are wanted; without it there are four, or as many as a letter has wishes, which are never
            more. A model that errs repeats one of them.
    """
    wishes = wishes_of(task)
    wishes = [] if len(wishes) == 1 and count else wishes  # three steps for one wish are ways to get there
    wanted = max(1, min(count or len(wishes) or DEFAULT, len(wishes) or MOST))
    topic = topic_of(task)
    aspects = aspects_of(task)
    steps = wishes or ([f"Describe {aspect}" for aspect in aspects] if len(aspects) > 1 else [])
    steps += [step.format(topic=topic) for step in STOCK]
    while len(steps) < wanted:
        steps.append(f"Work on point {len(steps) + 1} of {topic}")
    steps = steps[: max(wanted, 0)]
    if len(steps) > 2 and noise.chance(size.misses, "plan repeats"):
        steps[-1] = steps[noise.below(len(steps) - 1, "which step")]
    return steps


def count_wanted(reading: Reading, task: str) -> int | None:
    """How many subtasks a request asks for; a number in a customer's letter is not meant."""
    return item_count(reading.instruction) or (None if wishes_of(task) else item_count(reading.user))


def wishes_of(letter: str) -> list[str]:
    """What a customer's letter wants answered, in its own words; empty for a task that is no letter.

    >>> wishes_of("My hub blinks amber. We like it here. I need an invoice with our club's name on it.")
    ['My hub blinks amber.', "I need an invoice with our club's name on it."]
    """
    if is_command(letter):
        return []
    found: dict[str, str] = {}
    for part in map(_whole, honest_parts(letter)):
        advice = advice_for(part)
        is_own = bool(advice.prices or advice.needs)  # it names what it is about
        need = next((each.name for each in advice.needs if not each.is_rest), "")
        if found and not is_own and part.endswith("?") and (LEANS.search(part) or len(part.split()) < 6):
            last = next(reversed(found))
            found[last] = f"{found[last]} {part}"
        elif need or part.endswith("?"):
            found.setdefault(need or part, part)
    if not found and PERSONAL.search(letter):  # a letter, though nothing in it is understood: a person reads it
        return [letter.strip()]
    return list(found.values()) if len(found) > 1 or letter.rstrip().endswith((".", "?", "!")) else []


def _whole(part: str) -> str:
    """A part of a sentence as a sentence."""
    part = part[:1].upper() + part[1:]
    return part if part.endswith((".", "!", "?")) else f"{part}{'?' if QUESTION.match(part) else '.'}"


def topic_of(task: str) -> str:
    """What a task is about, in a few words.

    >>> topic_of("Write a short guide to caring for the Otter in winter. Be kind.")
    'caring for the Otter in winter'
    """
    first = ITEMS_WANTED.sub("", re.split(r"(?<=[.?!])\s|\n|:\s", task.strip())[0])
    return shorten(ORDER.sub("", first).strip(" .?!:\"'"), 12).rstrip(".") or "the task"


def aspects_of(task: str) -> list[str]:
    """The aspects that a task lists.

    >>> aspects_of("Write a report covering price, range and battery life.")
    ['price', 'range', 'battery life']
    """
    found = ASPECTS.search(task)
    if not found:
        return []
    parts = re.split(r"\s*,\s*(?:and |or )?|\s+(?:and|or)\s+", found.group(1).strip())
    return [part.strip() for part in parts if 0 < len(part.split()) <= 4]


def as_list(steps: list[str]) -> str:
    return "\n".join(f"{at}. {step}" for at, step in enumerate(steps, 1))

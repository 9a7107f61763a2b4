"""Plans: a task broken into subtasks.

Layer 1: imports siblings only. Where the task lists its aspects ("compare price, range and battery"), each becomes a
subtask; the rest comes from a fixed stock of steps.
"""

from __future__ import annotations

import re

from course_utils.server.practice.noise import Noise
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
ASPECTS = re.compile(
    r"(?:\bcovers?|\bcovering|\bcompare|\babout|\bincluding|:|\bfor|\bof|\bon|\bwith)\s+((?:[\w' "
    r"-]{2,30},\s*)+(?:and |or )?[\w' -]{2,30})",
    re.IGNORECASE,
)


def plan(task: str, count: int | None, size: Size, noise: Noise) -> list[str]:
    """The subtasks of a task, as short orders.

    Args:
        count: How many are wanted; without it there are four. A model that errs repeats one of them.
    """
    wanted = max(1, min(count or DEFAULT, MOST))
    topic = topic_of(task)
    aspects = aspects_of(task)
    steps = [f"Describe {aspect}" for aspect in aspects] if len(aspects) > 1 else []
    steps += [step.format(topic=topic) for step in STOCK]
    while len(steps) < wanted:
        steps.append(f"Work on point {len(steps) + 1} of {topic}")
    steps = steps[: max(wanted, 0)]
    if len(steps) > 2 and noise.chance(size.misses, "plan repeats"):
        steps[-1] = steps[noise.below(len(steps) - 1, "which step")]
    return steps


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

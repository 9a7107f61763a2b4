"""Texts that are read part by part: a model with a narrow context, what its prompts held, what an answer rests on.

Layer 2: imports `expect`, `scripts`, `texts` and `server`. A word is what white space separates; a prompt's words are
those of all its messages. Texts and answers end in a nonce each, so that every one can be found wherever it goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from course_utils.records import Record, count
from course_utils.server.cases import Seen
from course_utils.server.wire import ApiError, ChatRequest
from course_utils.tasks import expect
from course_utils.tasks.scripts import prompt_of
from course_utils.tasks.texts import words

TOO_LONG = "context_length_exceeded"
USUAL_LIMIT = 60  # words of a prompt, where the case says nothing else
MOST = 50  # requests that are answered
NOTEBOOK = "Summarise these messages in one short sentence, in their order:"  # its `INSTRUCTION`
INSTRUCTIONS = (  # of 8, 12 and 16 words
    "Say in one sentence what these texts say:",
    "Summarise these texts for the night shift in one sentence, in order:",
    "You keep the day book of a support desk. Write one short sentence about all this:",
)


@dataclass(frozen=True)
class Narrow:
    """A script that refuses prompts of more than `limit` words, and gives `answers` in order of arrival."""

    limit: int
    answers: Sequence[str]

    def __call__(self, request: ChatRequest, number: int) -> str | ApiError:
        if (asked := len(prompt_of(request).split())) > self.limit:
            message = (
                f"This model's maximum context length is {self.limit} words. However, your messages resulted in "
                f"{asked} words. Please reduce the length of the messages."
            )
            return ApiError(400, message, type="invalid_request_error", param="messages", code=TOO_LONG)
        return self.answers[number - 1]


def narrow(rng: Random, limit: int, size: int) -> Narrow:
    """A model whose answers have `size` words."""
    return Narrow(limit, [words(rng, size) for _ in range(MOST)])


def greedy(sizes: Sequence[int], room: int) -> int:
    """Into how many parts of at most `room` words texts of these sizes go in their order: no way needs fewer.

    >>> greedy([20, 20, 20, 9], 40)
    2
    """
    parts, free = 0, 0
    for size in sizes:
        if size > free:
            parts, free = parts + 1, room
        free -= size
    return parts


@dataclass(frozen=True)
class Reading:
    """What the prompts of one case held. Texts and requests count from 0 here, and from 1 in findings."""

    seen: Seen
    texts: Sequence[str]
    instruction: str
    limit: int

    @property
    def given(self) -> str:
        total = sum(len(text.split()) for text in self.texts)
        size = len(self.instruction.split())
        return (
            f"{count(len(self.texts), 'text')} of {total} words together, an instruction of {size}, limit {self.limit}"
        )

    def held(self, record: Record) -> list[tuple[int, int]]:
        """(place, number) of each whole text in this prompt, in the prompt's order."""
        prompt = expect.squeeze(record.prompt)
        places = ((prompt.find(expect.squeeze(text)), number) for number, text in enumerate(self.texts))
        return sorted(place for place in places if place[0] >= 0)

    def held_first(self, record: Record) -> int:
        """The first text of a prompt that holds one."""
        return self.held(record)[0][1]

    def told(self, record: Record) -> list[tuple[int, Record]]:
        """(place, request) of each earlier answer in this prompt, in the prompt's order."""
        prompt = expect.squeeze(record.prompt)
        earlier = [other for other in self.seen.trace if other.id < record.id and other.status == 200]
        places = ((prompt.find(expect.squeeze(other.answer)), other.id, other) for other in earlier)
        return [(place, other) for place, _, other in sorted(places, key=lambda each: each[:2]) if place >= 0]

    def sizes(self, record: Record) -> list[int]:
        """The words of each text and earlier answer in this prompt."""
        held = [self.texts[number] for _, number in self.held(record)]
        return [len(text.split()) for text in [*held, *(other.answer for _, other in self.told(record))]]

    def others(self, record: Record) -> int:
        """How many words of this prompt belong to none of them, nor to the instruction."""
        return max(0, len(record.prompt.split()) - len(self.instruction.split()) - sum(self.sizes(record)))

    def rests_on(self, record: Record) -> list[int]:
        """Numbers of the texts behind this answer, in the order of reading; ask `twice` first."""
        parts = [(place, [number]) for place, number in self.held(record)]
        parts += [(place, self.rests_on(other)) for place, other in self.told(record)]
        return [number for _, numbers in sorted(parts) for number in numbers]

    def number(self, record: Record) -> int:
        return self.seen.trace.records.index(record) + 1

"""A provider in trouble: stories of refusals and answers that a loop of requests has to find its way through.

Layer 2: imports `scripts`, `texts`, `faults`, `server.cases` and `server.wire`. Times are course seconds. Each prompt
carries a nonce, by which its requests are found, and so does the message of each error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from random import Random

from course_utils import faults
from course_utils.server.cases import Scene
from course_utils.server.wire import ApiError, ChatRequest
from course_utils.tasks.scripts import STRAY, Reply, prompt_of
from course_utils.tasks.texts import nonce, words

QUOTA = "insufficient_quota"
OUTAGE = 20  # refusals, so that nested loops show how far they go
CODES = {400: "context_length_exceeded", 401: "invalid_api_key", 422: "invalid_value", 429: "rate_limit_exceeded"}
LIMIT, EMPTY_ACCOUNT = "Rate limit reached.", "You exceeded your current quota, please check your plan."


@dataclass(frozen=True, slots=True)
class Story:
    """What the provider does with one prompt. The last reply is an answer, whether or not anybody gets so far."""

    prompt: str
    key: str  # the prompt's nonce
    replies: tuple[Reply, ...]
    notes: tuple[str, ...]  # a nonce in the message of each error
    attempts: int = 4
    drops: int = 0  # connections that break off before the first reply; the scene's plan does that

    @property
    def requests(self) -> int:
        """How many requests a good loop makes of it."""
        replies = enumerate(self.replies, start=1 + self.drops)
        ends = (number for number, reply in replies if is_last(reply) or number == self.attempts)
        return next(ends)

    @property
    def end(self) -> Reply:
        """What a good loop ends with."""
        return self.replies[self.requests - 1 - self.drops]

    @property
    def given(self) -> str:
        """The story in a learner's words."""
        told = [f"the connection drops {'once' if self.drops == 1 else f'{self.drops} times'}"] if self.drops else []
        runs = [(name, len(list(same))) for name, same in groupby(map(named, self.replies))]
        told += [f"the provider answers {name}" + (f" {number} times" if number > 1 else "") for name, number in runs]
        return f"attempts={self.attempts}; {', then '.join(told).replace(', then the provider answers', ', then')}"

    def told(self, number: int) -> str:
        """What request `number` (from 1) met."""
        return "a dropped connection" if number <= self.drops else named(self.replies[number - 1 - self.drops])

    def told_to_wait(self, number: int) -> float:
        """The seconds that the refusal of request `number` (from 1) named; 0 when it named none."""
        reply = self.replies[number - 1 - self.drops] if number > self.drops else ""
        return 0.0 if isinstance(reply, str) else float(reply.headers.get("retry-after", 0))


def story(rng: Random, *troubles: ApiError, attempts: int = 4, drops: int = 0) -> Story:
    """A prompt that meets these troubles and then an answer."""
    key, notes = nonce(rng), tuple(nonce(rng) for _ in troubles)
    replies = [
        ApiError(each.status, f"{each.message} (incident {note})", type=each.type, code=each.code, headers=each.headers)
        for each, note in zip(troubles, notes, strict=True)
    ]
    prompt = f"Summarise ticket {key} in one sentence."
    return Story(prompt, key, (*replies, words(rng, 12)), notes, attempts, drops)


def trouble(status: int, *, code: str = "", retry_after: float | None = None, message: str = "") -> ApiError:
    """A refusal as a provider sends it."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    headers = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
    said = message or (EMPTY_ACCOUNT if code == QUOTA else f"The provider answers with status {status}.")
    return ApiError(status, said, type=kind, code=code or CODES.get(status, kind), headers=headers)


def named(reply: Reply) -> str:
    """A refusal in a few words."""
    if isinstance(reply, str):
        return "well"
    more = [f"code {reply.code}"] if reply.status in (400, 429) else []
    more += [f"retry-after: {after}"] if (after := reply.headers.get("retry-after")) else []
    return f"{reply.status} ({', '.join(more)})" if more else str(reply.status)


def heals(error: ApiError) -> bool:
    """True when the same request may succeed a little later."""
    return error.code != QUOTA and (error.status in (408, 409, 429) or error.status >= 500)


def is_last(reply: Reply) -> bool:
    """True when nobody should ask again after it."""
    return isinstance(reply, str) or not heals(reply)


def scene_of(tale: Story, seed: int = 0) -> Scene:
    """Where the story takes place."""
    return Scene(plan=faults.first(tale.drops, faults.dropped()) if tale.drops else None, seed=seed)


@dataclass
class Told:
    """A script that tells each story to whoever asks with its prompt; the last reply stays."""

    stories: Sequence[Story]
    _asked: Counter[str] = field(default_factory=Counter)

    def __call__(self, request: ChatRequest, number: int) -> Reply:
        for each in self.stories:
            if each.key in prompt_of(request):
                self._asked[each.key] += 1
                return each.replies[min(self._asked[each.key], len(each.replies)) - 1]
        return STRAY

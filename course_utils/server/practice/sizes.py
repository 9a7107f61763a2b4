"""The two practice models: how often they err, how fast they are, what they cost, and what their cards say.

Layer 1: imports `wire`. Rates are shares of 1, times are seconds on the course clock, prices are US dollars per
million tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from course_utils.server.wire import Model

WHAT = "a simulator, not a language model"
SKILLS = (
    "classify, extract, plan, draft, summarise, translate, critique, improve, merge, choose tools, calculate, "
    "answer from the help centre"
)
LIMITS = (
    "It works with word lists and rules about one invented shop; it knows nothing of the world, does not follow "
    "free instructions, and its mistakes are drawn from a hash of the request."
)


@dataclass(frozen=True, slots=True)
class Size:
    """One practice model. The shares say how often it makes the mistake named."""

    id: str
    size: Literal["small", "large"]
    sure: float  # a wrong label although the case is clear
    unsure: float  # a wrong label when the case is as unclear as can be
    overlooks: float  # what a cue inside a negation still counts
    obeys: float  # does what an instruction hidden in the customer's text says
    decorates: float  # dresses up a label that was asked for as one word
    fences: float  # wraps JSON in words or a code fence, when no response_format holds it back
    misses: float  # leaves out a field, a fact, a part, or one item of the feedback
    rambles: float  # goes beyond the length that was asked for
    forgets: float  # stops after a look-up, although the message asks the help centre something too
    miscounts: float  # a wrong digit in a result of four digits or more, without a calculator
    first_token: float  # seconds
    prefill: float  # prompt tokens per second
    speed: float  # answer tokens per second
    context_tokens: int
    prompt_price: float
    completion_price: float
    accuracy: float  # measured on the labelled tickets, see docs/PRACTICE_MODEL.md

    def model(self) -> Model:
        """What /v1/models says."""
        card = {
            "what": WHAT,
            "skills": SKILLS,
            "accuracy": self.accuracy,
            "accuracy_on": "the labelled tickets of course_utils.world, clear prompt, temperature 0",
            "first_token_seconds": self.first_token,
            "tokens_per_second": self.speed,
            "limits": LIMITS,
            "documentation": "docs/PRACTICE_MODEL.md",
        }
        return Model(self.id, self.size, self.context_tokens, self.prompt_price, self.completion_price, card)


SMALL = Size(
    id="practice-small", size="small", sure=0.14, unsure=0.5, overlooks=0.4, obeys=0.8,
    decorates=0.25, fences=0.2, misses=0.12,
    rambles=0.1, forgets=0.2, miscounts=0.35, first_token=0.25, prefill=4000, speed=80, context_tokens=8192,
    prompt_price=0.15, completion_price=0.60, accuracy=0.828,
)  # fmt: skip
LARGE = Size(
    id="practice-large", size="large", sure=0.02, unsure=0.2, overlooks=0.1, obeys=0.2,
    decorates=0.04, fences=0.03, misses=0.02,
    rambles=0.02, forgets=0.02, miscounts=0.08, first_token=0.6, prefill=2000, speed=40, context_tokens=32768,
    prompt_price=3.00, completion_price=12.00, accuracy=0.933,
)  # fmt: skip
SIZES = {each.id: each for each in (SMALL, LARGE)}

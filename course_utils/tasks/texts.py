"""Texts for judged cases: each carries a nonce, drawn anew for every run, by which its way can be followed.

Layer 2: imports `server.cases`.
"""

from __future__ import annotations

from random import Random

from course_utils.server.cases import Script

STORIES = (
    "The customer ordered an Otter early this month and it drips at the tap, so she wrote to us twice and would now "
    "like to know whether we can send a new one before the weekend or pay the money back to her card instead",
    "An Otter was delivered late and in a box that had been opened before, the valve does not close any more, and the "
    "customer asks us to send another one this week, because the family is leaving on Sunday and the beans need water",
    "Our customer is unhappy about an Otter that began to leak on the second day, has had no answer from us for days, "
    "and wants either a replacement by Friday or a refund, and also an apology from somebody who read the message",
)


def nonce(rng: Random) -> str:
    """A code that no model and no learner would write by chance, such as "QK-47135"."""
    return f"{rng.choice('BDFGHJKLMNPQRSTVWXZ')}{rng.choice('BDFGHJKLMNPQRSTVWXZ')}-{rng.randint(10000, 99999)}"


def ticket(rng: Random) -> tuple[str, str]:
    """A customer's message, and a code from its middle that only the message itself holds."""
    inside = nonce(rng)
    text = (
        f"Hello, I ordered an Otter on {rng.randint(2, 27)} March and it drips at the tap. "
        f"My invoice says {inside}. Nobody has answered my first mail. Can you send a new one before the weekend?"
    )
    return text, inside


def words(rng: Random, number: int) -> str:
    """A text of exactly `number` words, 1 to 40, that ends in a nonce."""
    return " ".join([*rng.choice(STORIES).split()[: number - 1], nonce(rng)])


def answers(*texts: str) -> Script:
    """A model that gives these answers one after the other, and the last one ever after."""
    return lambda request, number: texts[min(number, len(texts)) - 1]

"""What a beginner has to know about the errors that come out of a graph: what a node may return, and be handed.

Layer 2: imports nothing of the package. An error is known by its type's name and its text, as the judge sees them.
"""

from __future__ import annotations

ROUND = "that two nodes may write one key in the same round; only a reducer says how the two values are joined."
DROPPED = "that a graph keeps what it is given; keys that the state does not declare are dropped without a word."
Advice = tuple[str, str]  # where to look, and the belief behind it


def advice(raised: str, message: str, call: str = "") -> Advice | None:
    """Where to look when a graph has raised this, or None when the error speaks for itself.

    Args:
        call: How the tool that the answer is handed is called well, such as "pay(key=…)".

    >>> advice("InvalidUpdateError", "Expected dict, got approve")[0]
    'a node returns a dict: what is new, each value under its key.'
    """
    if raised == "InvalidUpdateError":
        if message.startswith("Expected dict"):
            return "a node returns a dict: what is new, each value under its key.", ""
        return (
            "two nodes wrote one key in the same round: which arrows lead to them? If both shall run, say in the state "
            "how the two values are joined."
        ), ROUND
    if raised == "KeyError":
        key = message.strip("'\"")
        fix = f"did an earlier node return `{key}`, and does the state declare it? What is not declared is dropped."
        return fix, DROPPED
    if call and raised == "TypeError" and ("Stage.act() takes" in message or "pay() takes" in message):
        return f"call `{call.partition('(')[0]}` with names: `{call}`.", ""
    return None

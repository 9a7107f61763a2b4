"""Drivers that put an answer to use more than once: as the judge of an error, or on several inputs in turn.

Layer 2: imports `attempt`. They run in the learner's process, so what counts is what the server sees of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from course_utils.attempt import Drive, awaited, called

ATTEMPTS = 2


def asked_again(answer: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Ask `llm`, and once more when that fails and `answer(error)` is true: the server counts the requests.

    Args:
        arguments: `prompt`, `llm`, and `then`: what goes wrong after the first answer; "" when nothing does.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            said = arguments["llm"].invoke(arguments["prompt"]).text
            if attempt == 1:
                go_wrong(arguments["then"])
            return said
        except Exception as error:
            if attempt == ATTEMPTS or not awaited(answer(error)):
                return type(error).__name__


def go_wrong(how: str) -> None:
    """Raise what no status can bring about: an answer that came too late, or a mistake of our own."""
    import httpx
    import openai

    if how == "timeout":
        raise openai.APITimeoutError(httpx.Request("POST", "http://127.0.0.1/v1/chat/completions"))
    if how == "bug":
        raise KeyError("other")


def in_turn(answer: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """What `answer` gives for each of `calls` in turn; for a single one its value, otherwise a list.

    Args:
        arguments: `calls`: inputs of each call, of which "seed" is that of its generator; the rest goes to all.
    """
    shared = {name: value for name, value in arguments.items() if name != "calls"}
    outcomes = [called(answer, shared | with_generator(call)) for call in arguments["calls"]]
    return outcomes[0] if len(outcomes) == 1 else outcomes


def with_generator(call: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of one call, with a fresh generator in place of its seed."""
    return {
        ("rng" if name == "seed" else name): Random(value) if name == "seed" else value for name, value in call.items()
    }


REPEATS: dict[str, Drive] = {"asked again": asked_again, "in turn": in_turn}

"""A driver that takes a circuit breaker through an outage: one call after another, with pauses, and some at once.

Layer 2: imports `attempt`. It runs in the learner's process, so what counts is which requests the server sees; what
each call gave is told besides.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from course_utils.attempt import Drive, awaited, in_data, refuse_parameters

PATIENCE = 5.0  # real seconds; only a breaker that makes others wait for a probe takes so long


def through_outage(answer: Callable[..., Any], arguments: Mapping[str, Any]) -> list[Any]:
    """What each call through `answer(threshold, cooldown, now)` gave: a text, or an exception as data.

    Args:
        arguments: `steps`: for each call its `prompt`, the course seconds `after` which it comes, the number of its
            breaker (`of`), and the prompts of calls that come `meanwhile`: while its own function runs.
    """
    settings = {name: arguments[name] for name in ("threshold", "cooldown", "now")}
    refuse_parameters(answer, settings)
    steps: Sequence[Mapping[str, Any]] = arguments["steps"]
    breakers = [answer(**settings) for _ in range(1 + max(step["of"] for step in steps))]
    outcomes: list[Any] = []
    for step in steps:
        if step["after"]:
            arguments["sleep"](step["after"])
        outcomes += passed(breakers[step["of"]], step, arguments["llm"])
    return outcomes


def passed(breaker: Any, step: Mapping[str, Any], llm: Any) -> list[Any]:
    """What became of one call, and then of those that came meanwhile."""
    others: list[Any] = []

    def ask() -> str:
        if not others:  # whoever runs this twice brings them only once
            others.extend(beside(breaker, prompt, llm) for prompt in step["meanwhile"])
        return llm.invoke(step["prompt"]).text

    own = outcome(breaker, ask)
    return [own, *others, *[None] * (len(step["meanwhile"]) - len(others))]


def beside(breaker: Any, prompt: str, llm: Any) -> Any:
    """What becomes of a call in a thread of its own: it may not have to wait for the one that is under way."""
    found: list[Any] = []

    def work() -> None:
        try:
            found.append(outcome(breaker, lambda: llm.invoke(prompt).text))
        except NotImplementedError as error:
            found.append(in_data(error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return found[0] if found else {"raised": "", "waits": True}


def outcome(breaker: Any, ask: Callable[[], str]) -> Any:
    """What `breaker.call(ask)` gave.

    Raises:
        NotImplementedError: It has not been written yet.
    """
    try:
        return awaited(breaker.call(ask))
    except NotImplementedError:
        raise
    except Exception as error:
        return in_data(error)


OUTAGES: dict[str, Drive] = {"through an outage": through_outage}

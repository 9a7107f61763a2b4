"""The driver of a circuit breaker: calls in turn, pauses, and calls that come while another one is under way."""

from __future__ import annotations

import threading

import pytest

from course_utils import outages
from course_utils.outages import through_outage


class Model:
    """Answers with the prompt itself, but for the prompt "down"."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def invoke(self, prompt: str) -> Model:
        self.asked.append(prompt)
        if prompt == "down":
            raise ConnectionError(prompt)
        self.text = prompt
        return self


class Through:
    """Lets everybody through."""

    def __init__(self, threshold: int, cooldown: float, now: object) -> None:
        self.settings = (threshold, cooldown)

    def call(self, fn):
        return fn()


class AsyncThrough(Through):
    async def call(self, fn):
        return fn()


class Locked(Through):
    def __init__(self, threshold: int, cooldown: float, now: object) -> None:
        self.lock = threading.Lock()

    def call(self, fn):
        with self.lock:
            return fn()


def step(prompt: str, *, after: float = 0, of: int = 0, meanwhile: tuple[str, ...] = ()) -> dict:
    return {"prompt": prompt, "after": after, "of": of, "meanwhile": list(meanwhile)}


def driven(answer, steps):
    """The outcomes, the prompts in order of arrival, and the pauses."""
    model, pauses = Model(), []
    given = {"threshold": 3, "cooldown": 60, "now": lambda: 0.0, "sleep": pauses.append, "llm": model, "steps": steps}
    return through_outage(answer, given), model.asked, pauses


@pytest.mark.parametrize("answer", [Through, AsyncThrough])
def test_calls_are_made_in_turn_with_their_pauses(answer):
    """Each call gives what its function gives, or the exception as data; no pause is made where none is asked for."""
    outcomes, asked, pauses = driven(answer, [step("one"), step("down", after=5), step("two", after=60)])
    lineage = ["ConnectionError", "OSError", "Exception", "BaseException"]
    down = {"raised": "ConnectionError", "message": "down", "lineage": lineage}
    assert (outcomes, asked, pauses) == (["one", down, "two"], ["one", "down", "two"], [5, 60])


def test_calls_meanwhile_are_made_before_the_one_under_way_asks():
    """They come when its function has begun, and their outcomes stand behind its own."""
    outcomes, asked, _ = driven(Through, [step("probe", meanwhile=("a", "b")), step("last")])
    assert (outcomes, asked) == (["probe", "a", "b", "last"], ["a", "b", "probe", "last"])


def test_a_call_that_was_refused_leaves_no_gap_among_the_outcomes():
    """Where the function never ran, nobody came meanwhile, and the places stay."""

    class Closed(Through):
        def call(self, fn):
            return None

    assert driven(Closed, [step("probe", meanwhile=("a", "b")), step("last")])[0] == [None, None, None, None]


def test_a_call_that_has_to_wait_is_told(monkeypatch):
    """A lock around the function makes the others wait; the driver goes on without them."""
    monkeypatch.setattr(outages, "PATIENCE", 0.05)
    outcomes, _, _ = driven(Locked, [step("probe", meanwhile=("a",))])
    assert outcomes == ["probe", {"raised": "", "waits": True}]


def test_each_breaker_is_made_anew():
    """Two numbers of breakers make two objects, with the same settings."""
    made = []

    def answer(threshold, cooldown, now):
        made.append(Through(threshold, cooldown, now))
        return made[-1]

    driven(answer, [step("one"), step("two", of=1)])
    assert [each.settings for each in made] == [(3, 60), (3, 60)]


def test_an_unwritten_breaker_comes_out_as_such():
    """NotImplementedError is no outcome of a call, and other parameters are named."""

    class Unwritten(Through):
        def call(self, fn):
            raise NotImplementedError

    with pytest.raises(NotImplementedError):
        driven(Unwritten, [step("one")])
    with pytest.raises(TypeError, match="is called with \\(threshold, cooldown, now\\)"):
        driven(lambda threshold: None, [step("one")])

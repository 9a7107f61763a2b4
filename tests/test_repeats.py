"""Drivers that use an answer more than once: who is asked again, and what each call of several is given."""

from __future__ import annotations

from random import Random

import openai
import pytest

from course_utils.repeats import asked_again, in_turn


class Model:
    """Fails so many times, then answers; counts what it is asked."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.asked = 0
        self.text = "an answer"

    def invoke(self, prompt: str) -> Model:
        self.asked += 1
        if self.asked <= self.failures:
            raise ConnectionError(prompt)
        return self


@pytest.mark.parametrize(
    ("failures", "said", "asked", "outcome"),
    [
        (0, True, 1, "an answer"),
        (1, True, 2, "an answer"),
        (1, False, 1, "ConnectionError"),
        (5, True, 2, "ConnectionError"),
    ],
)
def test_an_answer_decides_whether_a_request_is_repeated(failures, said, asked, outcome):
    """After a failure the model is asked once more if the answer says so, and never a third time."""
    model = Model(failures)
    found = asked_again(lambda error: said, {"llm": model, "prompt": "p", "then": ""})
    assert (found, model.asked) == (outcome, asked)


@pytest.mark.parametrize(("then", "kind"), [("timeout", openai.APITimeoutError), ("bug", KeyError)])
def test_what_goes_wrong_after_the_answer_reaches_the_function(then, kind):
    """A timeout and a bug of our own are made behind the first answer; an `async` function may judge them."""
    errors, model = [], Model(0)

    async def remember(error):
        errors.append(type(error))
        return True

    assert asked_again(remember, {"llm": model, "prompt": "p", "then": then}) == "an answer"
    assert (errors, model.asked) == ([kind], 2)


def test_what_the_function_itself_raises_comes_out():
    """An unwritten function ends the case."""

    def unwritten(error):
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        asked_again(unwritten, {"llm": Model(1), "prompt": "p", "then": ""})


def test_calls_are_made_in_turn_with_generators_of_their_own():
    """Each call gets its own inputs beside the shared ones, and a fresh generator of its seed."""

    def answer(name, shared, rng):
        return [name, shared, rng.random()]

    calls = [{"name": "a", "seed": 1}, {"name": "b", "seed": 1}, {"name": "c", "seed": 2}]
    one, two = Random(1).random(), Random(2).random()
    assert in_turn(answer, {"shared": 0, "rng": Random(7), "calls": calls}) == [
        ["a", 0, one],
        ["b", 0, one],
        ["c", 0, two],
    ]


def test_a_single_call_gives_its_value():
    """One call comes back without a list around it, and with the generator of the case."""
    assert in_turn(lambda rng, x: rng + x, {"rng": 3, "calls": [{"x": 4}]}) == 7

"""One call of a learner's function: captured, bounded, in plain data."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import warnings
from functools import wraps

import pytest

from course_utils.attempt import MOST_PRINTED, attempt, place
from course_utils.plain import plain


class Weird:
    def __repr__(self):
        raise RuntimeError


class Loud(str):
    """A text that lies about itself."""

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__

    def __str__(self):
        return "another text"


class Pretender:
    """Says that it is a string."""

    __class__ = str

    def __repr__(self):
        return "<pretender>"


def test_prints_and_warnings_are_kept_and_not_shown(capsys):
    """What the function prints or warns goes into the attempt, and nowhere else."""

    def answer():
        print("out")
        print("err", file=sys.stderr)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        return 7

    done = attempt(answer, {})
    assert (done.body, done.printed[:8], "DeprecationWarning: old" in done.printed) == (
        {"returned": 7},
        "out\nerr\n",
        True,
    )
    assert capsys.readouterr() == ("", "")


def test_a_flood_of_prints_is_cut():
    """Of a million characters the first ones are kept."""
    assert len(attempt(lambda: print("x" * 1_000_000), {}).printed) == MOST_PRINTED


async def test_a_coroutine_is_awaited_although_a_loop_is_running():
    """An async answer works inside a running event loop, as in a notebook."""

    async def answer(number):
        return number + 1

    assert attempt(answer, {"number": 1}).body == {"returned": 2}


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, RecursionError, ValueError])
def test_no_exception_gets_out(error):
    """Whatever the function raises becomes data."""

    def answer():
        raise error("words")

    body = attempt(answer, {}).body
    assert (body["raised"], body["message"], body["lineage"][0]) == (error.__name__, "words", error.__name__)


def test_a_loop_without_end_is_stopped():
    """A busy loop ends at the safety net, and its thread with it."""

    def answer():
        while True:
            pass

    assert attempt(answer, {}, seconds=0.2).body == {"stopped": "still running after 0 s"}


def test_parameters_that_do_not_fit_are_said_in_words():
    """A stub with other parameters gets a sentence with both lists."""
    body = attempt(lambda text: text, {"text": "a", "llm": None}).body
    assert (body["raised"], body["message"]) == ("TypeError", "it takes (text), and is called with (text, llm)")


def test_the_place_is_the_last_line_of_the_answers_own_file():
    """An error deep inside a library is placed where the learner's code called it."""

    def answer():
        return int("x" * 3).bit_count()

    assert place(attempt(answer, {}).error, answer).endswith('return int("x" * 3).bit_count()')


def test_the_place_is_found_behind_a_decorator_and_in_a_class():
    """A learner's function may be decorated, and an answer may be a class; what has no code has no place."""

    @wraps(answer := lambda: int("xyz"))
    def decorated():
        return contextlib.nullcontext(answer()).enter_result

    class Desk:
        name = "desk"

        def start(self):
            raise KeyError("start")

    assert 'int("xyz")' in place(attempt(decorated, {}).error, decorated)
    assert place(attempt(lambda: Desk().start(), {}).error, Desk).endswith('raise KeyError("start")')
    assert place(attempt(int, {"x": "a"}).error, int) == ""


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (("a", 1, None, True), ["a", 1, None, True]),
        ({"a": [1.5]}, {"a": [1.5]}),
        (Loud("text"), "text"),
        ("\ud800", "\\ud800"),
        (2**70, {"$object": "int", "repr": str(2**70)}),
        (float("nan"), {"$object": "float", "repr": "nan"}),
        ({1: 2}, {"$object": "dict", "repr": "{1: 2}"}),
        (Weird(), {"$object": "Weird", "repr": "<no text: RuntimeError>"}),
    ],
)
def test_values_become_plain_data(value, data):
    """What is JSON stays; a text subclass is the text it holds; everything else is named."""
    assert plain(value) == data


def test_a_class_that_says_it_is_text_is_not_believed():
    """`__class__ = str` does not make an object a text."""
    assert plain([Pretender()]) == [{"$object": "Pretender", "repr": "<pretender>"}]


def test_deep_and_circular_values_end():
    """A list inside itself becomes data of bounded depth."""
    value: list = []
    value.append(value)
    assert str(plain(value)).count("[") < 60


class Endless:
    def __repr__(self):
        while True:
            pass


class Leaver:
    def __repr__(self):
        raise SystemExit("out of here")


def test_a_repr_that_never_ends_is_stopped_like_any_loop():
    """What is returned is made plain within the time that the answer has."""
    assert attempt(Endless, {}, seconds=0.3).body == {"stopped": "still running after 0 s"}


def test_a_repr_that_leaves_ends_nothing():
    """An exit from a repr is told like any exception, and the kernel lives."""
    assert attempt(Leaver, {}).body["raised"] == "SystemExit"


def test_too_much_is_not_sent():
    """A list of a million numbers, or of lists that share their parts a million times over, is named and not sent."""
    shared = [0] * 10
    for _ in range(12):
        shared = [shared] * 10
    wanted = {"returned": {"$object": "list", "repr": "too large to be sent"}}
    assert [attempt(lambda big=big: big, {}).body for big in ([0] * 1_000_000, shared)] == [wanted] * 2


def test_closing_the_stream_that_it_prints_to_closes_nothing(capsys):
    """Prints after it are kept as well."""

    def answer():
        sys.stdout.close()
        print("still here")

    assert "still here" in attempt(answer, {}).printed
    print("and here")
    assert capsys.readouterr().out == "and here\n"


def test_an_exception_that_nobody_fetched_is_told_without_its_traceback(caplog):
    """asyncio logs it with every frame of the libraries it went through."""

    async def answer():
        async def fails():
            raise ValueError("nobody asks")

        await asyncio.wait([asyncio.create_task(fails())])
        gc.collect()  # asyncio tells of it when the task is gone

    attempt(answer, {})
    [record] = [record for record in caplog.records if record.name == "asyncio"]
    assert "ValueError('nobody asks')" in record.getMessage() and record.exc_info is None

"""Pauses of retry loops: which request they lie behind, and generators that tell kinds of jitter apart for certain."""

from __future__ import annotations

from random import Random

import pytest

from course_utils.records import Record, Trace
from course_utils.server.cases import Seen
from course_utils.tasks.attempts import gaps
from course_utils.tasks.jitter import DRAWS, drawn, telling_seed
from course_utils.tasks.pauses import Bounds, from_the_generator, full, within_bounds
from course_utils.tasks.troubles import story, trouble

BOUNDS = Bounds(0.2, 100)


def request(at: float) -> Record:
    return Record(1, "s", "", "m", 1, at, at, at, at, 1, 200)


def test_gaps_lie_between_the_requests():
    """Two naps in a row are one pause; what comes before the first request and after the last one counts too."""
    seen = Seen(Trace([request(1), request(4), request(5)]), sleeps=((0, 1), (1, 2.5), (3.5, 0.5), (4, 1), (6, 9)))
    assert gaps(seen) == [1, 3, 1, 9]


def test_bounds_double_up_to_the_cap():
    """Nothing before the first request; then the base, doubled for each repeat."""
    assert [Bounds(0.25, 1).of(number) for number in range(6)] == [0, 0.25, 0.5, 1, 1, 1]


def findings(shares):
    """The first finding about pauses of these shares of their bounds, for one generator and for another."""
    tale = story(Random(1), *[trouble(503)] * 8, attempts=9)
    calls = [[share * BOUNDS.of(number) for number, share in enumerate(each, start=1)] for each in shares]
    for pauses in calls:
        if found := within_bounds([0, *pauses], tale, BOUNDS):
            return found
    return from_the_generator([calls[0], *calls], "given") or full(calls[0], "given", BOUNDS)


@pytest.mark.parametrize("draw", DRAWS)
def test_full_jitter_passes_and_every_narrower_kind_fails_whatever_the_seed(draw):
    """For many seeds: full jitter is accepted, however it is drawn; a part of it, or more, never is."""
    for seed in range(25):
        rng = Random(seed)
        one = telling_seed(rng, 8)
        shares = [drawn(each, draw, 8) for each in (one, telling_seed(rng, 8, unlike=one))]

        def scaled(low, high, shares=shares):
            return findings([[low + (high - low) * share for share in each] for each in shares])

        assert scaled(0, 1) is None
        for low, high in ((0.75, 1.25), (0.75, 1), (0.5, 1), (0, 0.5), (0, 2), (0.25, 0.5), (1, 1), (0.1, 0.1)):
            assert scaled(low, high), (seed, low, high)

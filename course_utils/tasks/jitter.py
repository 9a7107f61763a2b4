"""Exercise 8, "Retry that helps", third task: a loop whose pauses part the clients, and that hears what it is told.

Layer 2: imports `attempts`, `expect`, `pauses`, `troubles` and `server.cases`. The generators that answers are handed
are chosen so that their draws show every kind of pause for what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from random import Random

from course_utils.server.cases import Case, Finding, Scene, Seen, Task
from course_utils.server.wire import ApiError
from course_utils.tasks import expect
from course_utils.tasks.attempts import gaps, well_told
from course_utils.tasks.pauses import Bounds, from_the_generator, full, within_bounds
from course_utils.tasks.troubles import LIMIT, OUTAGE, QUOTA, Story, Told, scene_of, story, trouble

DRAWS: tuple[Callable[[Random], float], ...] = (  # ways to draw a share of the bound
    lambda rng: rng.random(),
    lambda rng: 1 - rng.random(),
    lambda rng: rng.randint(0, 1000) / 1000,
    lambda rng: rng.randint(0, 100) / 100,
)


def call(rng: Random) -> list[Case]:
    down, limit, key = trouble(503), trouble(429, message=LIMIT), trouble(401)
    return [
        call_case("an outage", rng, *[down] * OUTAGE),
        call_case("two refusals, then an answer", rng, down, limit),
        jitter_case("three clients", rng, down, attempts=9, bounds=Bounds(0.2, 100)),
        call_case("a cap", rng, *[down] * 9, attempts=10),
        call_case("it says when", rng, trouble(429, message=LIMIT, retry_after=2)),
        call_case("an empty account", rng, *[trouble(429, code=QUOTA)] * 4),
        call_case("a prompt that is too long", rng, *[trouble(400)] * 4),
        call_case("the line drops", rng, drops=1),
        call_case("a wrong key behind an overload", rng, down, *[key] * 3, held_back=True),
        call_case("a long and a short rest", rng, trouble(503, retry_after=7), down, limit, held_back=True),
        call_case("one attempt", rng, trouble(429, retry_after=3), attempts=1, held_back=True),
    ]


def call_case(
    name: str, rng: Random, *troubles: ApiError, attempts: int = 4, drops: int = 0, held_back: bool = False
) -> Case:
    tale = story(rng, *troubles, attempts=attempts, drops=drops)
    calls = [{"prompt": tale.prompt, "attempts": attempts}]
    scene = scene_of(tale, telling_seed(rng, tale.requests - 1))
    judge = partial(judge_call, tale=tale)
    return Case(name, {"calls": calls}, Told([tale]), judge, held_back, scene)


def jitter_case(name: str, rng: Random, error: ApiError, *, attempts: int, bounds: Bounds) -> Case:
    """Three calls in trouble: two with equal generators, the third with another one."""
    tales = [story(rng, *[error] * (attempts - 1), attempts=attempts) for _ in range(3)]
    one = telling_seed(rng, attempts - 1)
    seeds = [one, one, telling_seed(rng, attempts - 1, unlike=one)]
    calls = [
        {"prompt": tale.prompt, "seed": seed, "attempts": attempts} | asdict(bounds)
        for tale, seed in zip(tales, seeds, strict=True)
    ]
    judge = partial(judge_jitter, tales=tales, bounds=bounds)
    return Case(name, {"calls": calls}, Told(tales), judge, scene=Scene(most=100))


def telling_seed(rng: Random, number: int, *, unlike: int | None = None) -> int:
    """The seed of a generator whose draws show, however one draws, what kind of pause they became.

    Among the last three of `number` draws are a low and a high one, so that pauses from a half of what is below the
    bound, or from twice as much, are no matter of chance. None is so low that a pause without a cap would stay below
    the cap, and none equals the draw of `unlike` in its place.
    """
    while True:
        seed = rng.getrandbits(32)
        shares = [drawn(seed, draw, number) for draw in DRAWS]
        others = [drawn(unlike, draw, number) for draw in DRAWS] if unlike is not None else []
        is_telling = number < 3 or all(0.08 < min(each[-3:]) < 0.35 and 0.65 < max(each[-3:]) < 0.92 for each in shares)
        pairs = [pair for mine, other in zip(shares, others, strict=False) for pair in zip(mine, other, strict=True)]
        is_new = all(mine != other for mine, other in pairs)
        if is_telling and is_new and all(0.01 < share < 0.99 for each in shares for share in each):
            return seed


def drawn(seed: int, draw: Callable[[Random], float], number: int) -> list[float]:
    rng = Random(seed)
    return [draw(rng) for _ in range(number)]


@expect.in_order
def judge_call(seen: Seen, *, tale: Story) -> Iterator[Finding | None]:
    yield well_told(seen, tale)
    yield within_bounds(gaps(seen)[:-1], tale, Bounds())


@expect.in_order
def judge_jitter(seen: Seen, *, tales: Sequence[Story], bounds: Bounds) -> Iterator[Finding | None]:
    given = f"{bounds.given}; three calls, the first two with equal generators; in each {tales[0].given}"
    yield expect.crashed(seen, given=given, needs="three answers")
    wanted = [tale.requests for tale in tales]
    asked = [sum(tale.key in record.prompt for record in seen.trace) for tale in tales]
    if asked != wanted:
        what = f"{', '.join(map(str, asked))} requests"
        yield Finding(given, what, f"{wanted[0]} requests for each prompt", "repeat until an answer comes.")
    if seen.returned != [tale.end for tale in tales]:
        yield Finding(given, f"your function gave {seen.outcome}", "the text of each answer", "return the text.")
    pauses, number = gaps(seen), tales[0].requests
    calls = [pauses[start : start + number] for start in range(0, 3 * number, number)]
    for each, tale in zip(calls, tales, strict=True):
        yield within_bounds(each, tale, bounds)
    yield from_the_generator([each[1:] for each in calls], given)
    yield full(calls[0][1:], given, bounds)


TASK = Task(
    "retries.call",
    "Retry that helps",
    3,
    call,
    (
        "Begin with the loop of task 3. What changes is the length of the pause; `k` counts repeats from 0.",
        "Full jitter: `rng.uniform(0, min(cap, base * 2**k))`. What the server says comes from "
        "`error.response.headers`, but an error of the connection has no response.",
        "`response = getattr(error, 'response', None)`; `told = 0.0 if response is None else "
        "float(response.headers.get('retry-after', 0))`; `sleep(told + rng.uniform(0, min(cap, base * 2**k)))`.",
    ),
    tools={"sleep": "sleep", "rng": "rng"},
    driver="in turn",
)

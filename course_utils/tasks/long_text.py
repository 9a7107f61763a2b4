"""Exercise 2, "More than fits", last task: map, then reduce until one summary of everything is left.

Layer 2: imports `chunks`, `coverage`, `expect`, `parts` and `server.cases`. Texts and answers carry nonces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from random import Random

from course_utils.records import Record, count
from course_utils.server.cases import Case, Finding, Scene, Seen, Task
from course_utils.tasks import expect
from course_utils.tasks.chunks import ARRIVAL, texts_of, thirds
from course_utils.tasks.coverage import NO_ERROR, filled, named, nothing, sent
from course_utils.tasks.parts import INSTRUCTIONS, MOST, Reading, greedy, narrow

JOINED = "that many summaries are a summary."
RUNNING = "that a running summary keeps its beginning; each step summarises it once more."
SHRINKS = "that a summary is shorter than its text because you asked for that."
ONE = "the one summary of all texts"


def long(rng: Random) -> list[Case]:
    return [
        case("40 texts", rng, lambda room: [rng.randint(7, 13) for _ in range(40)]),
        case("one full prompt is enough", rng, thirds),
        case("prompts that are all full", rng, lambda room: [room // 4] * 64, size=lambda room: room // 4),
        case("texts that fill a prompt each", rng, lambda room: [room] * 5, size=lambda room: room // 4),
        case("a text that fits no prompt", rng, lambda room: [10, 12, 9, 11, room + 1, 8], raises=True),
        case("summaries of which no two fit together", rng, lambda room: [12] * 12, size=lambda room: 30, raises=True),
        case("no texts", rng, lambda room: []),
        case("one text", rng, lambda room: [15]),
        case("a limit of 45", rng, lambda room: [rng.randint(5, 14) for _ in range(20)], limit=45),
        case("90 texts", rng, lambda room: [rng.randint(6, 12) for _ in range(90)], held_back=True),
        case("a last text by itself", rng, lambda room: [*thirds(room) * 2, 4], held_back=True),
        case("a last, too long text", rng, lambda room: [room] * 2 + [room + 1], limit=50, raises=True, held_back=True),
    ]  # fmt: skip


def case(
    name: str, rng: Random, sizes: Callable[[int], list[int]], *, size: Callable[[int], int] = lambda room: 10,
    limit: int = 60, raises: bool = False, held_back: bool = False,
) -> Case:  # fmt: skip
    """`sizes` gives the words of each text, `size` those of each answer, for the room that the instruction leaves."""
    instruction = rng.choice(INSTRUCTIONS)
    room = limit - len(instruction.split())
    texts = texts_of(rng, sizes(room))
    arguments = {"texts": texts, "instruction": instruction} | ({} if limit == 60 else {"limit": limit})
    rounds = rounds_of([len(text.split()) for text in texts], room, size(room))
    judge = partial(judge_long, rounds=rounds)
    if raises:
        big = next((number for number, text in enumerate(texts) if len(text.split()) > room), None)
        judge = partial(judge_stuck, rounds=rounds) if big is None else partial(judge_too_long, big=big)
    judge = partial(judge, texts=texts, instruction=instruction, limit=limit)
    return Case(name, arguments, narrow(rng, limit, size(room)), judge, held_back, Scene(most=MOST))


def rounds_of(sizes: Sequence[int], room: int, size: int) -> list[int]:
    """Requests of each round that is needed, up to the first that brings nothing; answers have `size` words.

    >>> rounds_of([10] * 40, 48, 10), rounds_of([12] * 12, 48, 30), rounds_of([], 48, 10)
    ([10, 3, 1], [3, 3], [])
    """
    rounds = [greedy(sizes, room)] if sizes else []
    while rounds and rounds[-1] > 1 and (len(rounds) == 1 or rounds[-1] < rounds[-2]):
        rounds.append(greedy([size] * rounds[-1], room))
    return rounds


@expect.in_order
def judge_long(
    seen: Seen, *, texts: list[str], instruction: str, limit: int, rounds: Sequence[int]
) -> Iterator[Finding | None]:
    reading = Reading(seen, texts, instruction, limit)
    if not texts:
        yield nothing(reading, "")
    yield unread(reading)
    yield closed(reading, rounds)
    yield sent(reading, needs=ONE)
    yield running(reading, len(rounds))
    yield whole(reading)
    sums = f" ({' + '.join(map(str, rounds))})" if len(rounds) > 1 else ""
    yield filled(reading, sum(rounds), needs=f"at most {count(sum(rounds), 'request')}{sums}")


def unread(reading: Reading) -> Finding | None:
    """A finding when the only text came back as its own summary."""
    if len(reading.texts) != 1 or len(reading.seen.trace) or reading.seen.returned != reading.texts[0]:
        return None
    fix = "one text is not yet a summary: the first round runs always."
    return Finding(reading.given, "no request, and the text itself came back", ONE, fix)


def closed(reading: Reading, rounds: Sequence[int]) -> Finding | None:
    """A finding when the answer raised ValueError although it could have gone on."""
    if "ValueError" not in reading.seen.lineage:
        return None
    what = f"{count(len(reading.seen.trace), 'request')}, then {reading.seen.outcome}"
    fix = "compare a round's summaries with the summaries of the round before; the first round has none before it."
    if one_fewer(len(reading.seen.trace), [len(reading.texts), *rounds]):
        fix = "stop only when there are *as many* as before; this round brought one fewer, and that is a step."
    if not len(reading.seen.trace):
        fix = f"each of these texts fits into a prompt of its own, which may have {reading.limit} words."
    return Finding(reading.given, what, ONE, fix)


def one_fewer(requests: int, left: Sequence[int]) -> bool:
    """True when a round that leaves one fewer came last, or would have come next; `left` by each round, texts first.

    >>> one_fewer(7, [5, 5, 2, 1]), one_fewer(8, [5, 5, 2, 1]), one_fewer(5, [5, 5, 2, 1])
    (True, True, False)
    """
    ended = next((number for number in range(1, len(left)) if sum(left[1 : number + 1]) == requests), 0)
    if not ended or left[ended - 1] == left[ended]:
        return False
    return any(before - after == 1 for before, after in pairwise(left[ended - 1 : ended + 2]))


def running(reading: Reading, rounds: int) -> Finding | None:
    """A finding when a summary goes from prompt to prompt, and takes texts in on its way."""
    mixed = [record for record in reading.seen.trace if reading.held(record) and reading.told(record)]
    if not mixed or (deep := depth(reading, reading.seen.trace[-1])) <= rounds:
        return None
    what = f"a summary and {named('text', [number for _, number in reading.held(mixed[0])])} in one prompt; "
    what += f"what text 1 says has been summarised {deep} times in the end"
    fix = "summarise all the texts first, part by part; then the summaries."
    return Finding(reading.given, what, f"{count(rounds, 'round')}: first texts, then only summaries", fix, RUNNING)


def depth(reading: Reading, record: Record) -> int:
    """Through how many requests the first text of this answer went."""
    deep = 1
    while told := reading.told(record):
        deep, record = deep + 1, told[0][1]
    return deep


def whole(reading: Reading) -> Finding | None:
    """A finding unless an answer came back that rests on every text, in order."""
    seen, every = reading.seen, list(range(len(reading.texts)))
    got = expect.squeeze(seen.returned) if isinstance(seen.returned, str) else ""
    within = [record for record in seen.trace if expect.squeeze(record.answer) in got]
    if len(within) > 1:
        fix = "as long as there is more than one summary, the summaries are the texts of another round."
        return Finding(reading.given, f"{len(within)} summaries in what your function gave", ONE, fix, JOINED)
    if not within or expect.squeeze(within[0].answer) != got:
        fix = "return the text of the last answer."
        return expect.returned(seen, "", given=reading.given, what=ONE, fix=fix)
    told = reading.rests_on(within[0])
    if lost := [number for number in every if number not in told]:
        what = f"a summary that knows nothing of {named('text', lost)} of {len(every)}"
        fix = "which summaries went into no further prompt? All of a round go into the next."
        return Finding(reading.given, what, ONE, fix, NO_ERROR)
    if told != every:
        what = "the summaries in another order than their texts"
        return Finding(reading.given, what, "the order of the texts", "`batch` and `gather` keep it.", ARRIVAL)
    return None


def judge_too_long(seen: Seen, *, texts: list[str], instruction: str, limit: int, big: int) -> Finding | None:
    """A finding unless a text that fits no prompt was noticed before anything was paid for."""
    if not len(seen.trace) and "ValueError" in seen.lineage:
        return None
    size, own = len(texts[big].split()), len(instruction.split())
    given = f"{Reading(seen, texts, instruction, limit).given}; text {big + 1} has {size} of the words"
    what = f"{count(len(seen.trace), 'request')}, then {seen.outcome}"
    fix = "before you ask anything, look whether each text fits into a prompt of its own."
    if size <= limit:  # a test that leaves the instruction out looks the same as none
        fix += f" Text {big + 1} has {size}, with the instruction's {own} {size + own}: count these in your test, too."
    return Finding(given, what, "no request, then ValueError", fix, "" if seen.raised else NO_ERROR)


def judge_stuck(seen: Seen, *, texts: list[str], instruction: str, limit: int, rounds: Sequence[int]) -> Finding | None:
    """A finding unless the first round was made, and at most one that brought nothing, before ValueError."""
    if "ValueError" in seen.lineage and rounds[0] <= len(seen.trace) <= sum(rounds):
        return None
    size = f"; each summary has {len(seen.trace[0].answer.split())} words" if len(seen.trace) else ""
    what = f"{count(len(seen.trace), 'request')}, then {seen.outcome}"
    needs = f"ValueError after {count(rounds[0], 'request')}, or after {sum(rounds)} if you notice only after the round"
    fix = "when a round leaves as many summaries as it was given, so will the next one: raise ValueError."
    belief = SHRINKS if len(seen.trace) > sum(rounds) else ""
    return Finding(Reading(seen, texts, instruction, limit).given + size, what, needs, fix, belief)


TASK = Task(
    "chunks.long",
    "More text than fits",
    3,
    long,
    (
        "Map, then reduce; and the reduce step may itself be too long. Which function of yours makes one round?",
        "Summaries are texts: give them to `summarise_parts` again, until one is left. And what do you do when there "
        "are as many as before?",
        "First the test of each text. `summaries = summarise_parts(texts, instruction, llm, limit)`; while there are "
        'several, a round more, and ValueError if it brought as many as there were; in the end `summaries[0]` or `""`.',
    ),
)

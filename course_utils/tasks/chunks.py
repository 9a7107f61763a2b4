"""Exercise 2, "More than fits", first half: map and reduce, and parts of which some were never sent.

Layer 2: imports `coverage`, `expect`, `parts`, `texts` and `server.cases`. Texts and answers carry nonces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle, islice
from random import Random

from course_utils.records import count
from course_utils.server.cases import Case, Finding, Scene, Seen, Task
from course_utils.tasks import expect
from course_utils.tasks.coverage import filled, named, nothing, sent
from course_utils.tasks.parts import INSTRUCTIONS, Reading, greedy, narrow
from course_utils.tasks.texts import STORIES, nonce

HISTORY = "that a later step should see everything the first step saw."
ARRIVAL = "that answers come in the order in which they were asked for."


def texts_of(rng: Random, sizes: Sequence[int]) -> list[str]:
    """Texts of so many words, 1 or more, which end in a nonce."""
    return [" ".join([*islice(cycle(rng.choice(STORIES).split()), size - 1), nonce(rng)]) for size in sizes]


def thirds(room: int) -> list[int]:
    """Three sizes that fill the room exactly."""
    return [room // 3, room // 3 + 1, room - 2 * (room // 3) - 1]


# --- chunks.reduce -----------------------------------------------------------------------------------------------


def reduce(rng: Random) -> list[Case]:
    return [reduce_case("3 texts", rng, 3), reduce_case("7 texts", rng, 7), reduce_case("another 4 texts", rng, 4)]


def reduce_case(name: str, rng: Random, number: int) -> Case:
    texts = texts_of(rng, [rng.randint(12, 20) for _ in range(number)])
    return Case(name, {"texts": texts}, narrow(rng, 10_000, 9), partial(judge_reduce, texts=texts))


@expect.in_order
def judge_reduce(seen: Seen, *, texts: list[str]) -> Iterator[Finding | None]:
    given, last = f"{len(texts)} texts", len(texts) + 1
    yield expect.crashed(seen, given=given, needs="the text of the last answer")
    fix = "the map line makes one request for each text; one more makes a whole of the summaries."
    yield expect.request_count(seen, last, given=given, then="the text of the last answer", fix=fix)
    reading = Reading(seen, texts, "", 10_000)
    alone = [[number for _, number in reading.held(record)] for record in seen.trace[:-1]]
    if sorted(alone) != [[number] for number in range(len(texts))]:
        fix = "leave the map line as it was given; the last request comes when it is done."
        yield Finding(given, "no request for each text alone before the last one", "one for each text", fix)
    final = seen.trace[last - 1]
    if again := [number for _, number in reading.held(final)]:
        fix = "build the last prompt from the summaries."
        yield Finding(given, f"{named('text', again)} in the last prompt, too", "the summaries alone", fix, HISTORY)
    told = reading.rests_on(final)
    for number, summary in sorted((reading.held_first(record), record.answer) for record in seen.trace[:-1]):
        if number not in told:
            what, fix = f"the summary of text {number + 1}", 'all of them belong there: `"\\n".join(summaries)`.'
            yield expect.carries(seen, last, summary, given=given, what=what, fix=fix)
    if told != sorted(told):
        fix = "keep the order that `batch` gives you."
        yield Finding(given, "the summaries in another order than their texts", "the order of the texts", fix, ARRIVAL)
    if not reading.others(final):
        fix = "tell the model what to do with them, as the example does."
        what = f"the prompt of request {last} holds only summaries"
        yield Finding(given, what, "a line that says so, and the summaries", fix)
    fix = "return what the last request brought."
    yield expect.returned(seen, final.answer, given=given, what="the text of the last answer", fix=fix)


# --- chunks.mend -------------------------------------------------------------------------------------------------


def mend(rng: Random) -> list[Case]:
    return [
        mend_case("24 texts", rng, lambda room: [16, 16, 16, 12] + [rng.randint(12, 20) for _ in range(20)],
                  instruction=INSTRUCTIONS[-1]),
        mend_case("texts that fill their prompts exactly", rng, lambda room: thirds(room) * 3),
        mend_case("pairs that are one word too long", rng, lambda room: [room // 2, room - room // 2 + 1] * 2),
        mend_case("a last text by itself", rng, lambda room: [*thirds(room), 5]),
        mend_case("one prompt is enough", rng, lambda room: [10, 10, 10]),
        mend_case("no texts", rng, lambda room: []),
        mend_case("a limit of 45", rng, lambda room: [*thirds(room), 9, 9, 9, 9], limit=45),
        mend_case("each as long as fits", rng, lambda room: [room, room, room], limit=48, held_back=True),
        mend_case("one text", rng, lambda room: [14], held_back=True),
        mend_case("40 short texts", rng, lambda room: [rng.randint(3, 9) for _ in range(40)], held_back=True),
    ]  # fmt: skip


def mend_case(
    name: str, rng: Random, sizes: Callable[[int], list[int]], *, instruction: str = "", limit: int = 60,
    held_back: bool = False,
) -> Case:  # fmt: skip
    """`sizes` gives the words of each text for the room that the instruction leaves."""
    instruction = instruction or rng.choice(INSTRUCTIONS)
    room = limit - len(instruction.split())
    texts = texts_of(rng, sizes(room))
    parts = greedy([len(text.split()) for text in texts], room)
    arguments = {"texts": texts, "instruction": instruction} | ({} if limit == 60 else {"limit": limit})
    judge = partial(judge_mend, texts=texts, instruction=instruction, limit=limit, parts=parts)
    return Case(name, arguments, narrow(rng, limit, 9), judge, held_back, Scene(most=len(texts) + 5))


@expect.in_order
def judge_mend(seen: Seen, *, texts: list[str], instruction: str, limit: int, parts: int) -> Iterator[Finding | None]:
    reading = Reading(seen, texts, instruction, limit)
    if not texts:
        yield nothing(reading, [])
    yield sent(reading, needs="a list with one summary for each prompt")
    yield mapped(reading)
    yield filled(reading, parts, needs=count(parts, "request"))
    yield listed(reading)


def mapped(reading: Reading) -> Finding | None:
    """A finding when a request is about something else than texts."""
    for number, record in enumerate(reading.seen.trace, start=1):
        if reading.told(record) or not reading.held(record):
            what = f"request {number} holds {'a summary' if reading.told(record) else 'no text'}"
            return Finding(reading.given, what, "texts in every prompt", "one request for each part, and no other.")
    return None


def listed(reading: Reading) -> Finding | None:
    """A finding unless the summaries came back as a list of texts in the order of what they summarise."""
    needs, got = "a list with the text of each answer, in the order of the texts", reading.seen.returned
    wanted = [record.answer for record in sorted(reading.seen.trace, key=reading.held_first)]
    if got == wanted:
        return None
    if isinstance(got, list) and any(isinstance(each, dict) for each in got):
        return Finding(reading.given, "the list holds objects that are no texts", needs, "take `.text` of each answer.")
    if isinstance(got, list) and sorted(map(str, got)) == sorted(wanted):
        fix = "let each answer keep its place: `batch` and `gather` do."
        return Finding(reading.given, "all summaries, in another order than the texts", needs, fix, ARRIVAL)
    return Finding(
        reading.given, f"your function gave {reading.seen.outcome}", needs, "return one text for each prompt."
    )


TASKS = (
    Task(
        "chunks.reduce",
        "Map, then reduce",
        1,
        reduce,
        (
            "`summaries` is a list of texts. What makes one prompt of many texts?",
            'One more request: an instruction, and below it `"\\n".join(summaries)`.',
            '`return llm.invoke(REDUCE + "\\n" + "\\n".join(summaries)).text`, where `REDUCE` is your instruction.',
        ),
    ),
    Task(
        "chunks.mend",
        "Find the bug: the texts that nobody read",
        2,
        mend,
        (
            "Follow three texts through the loop with paper and pencil, where the third does not fit to the first two. "
            "Where is each of them when the loop ends?",
            "Three bugs: a text that does not fit is put nowhere; the part in hand at the end is put nowhere; the "
            "instruction is not counted.",
            "`parts = []`; for each text: if there is a last part, and `count_words(instruction, *parts[-1], text)` is "
            "at most `limit`, append the text to `parts[-1]`, otherwise append `[text]` to `parts`.",
        ),
    ),
)

"""Questions about texts that are read part by part: did all of them go into prompts, whole, once, and into no more
prompts than are needed?

Layer 2: imports `expect`, `parts`, `records` and `server.cases`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from course_utils.records import count
from course_utils.server.cases import Finding
from course_utils.tasks import expect
from course_utils.tasks.parts import NOTEBOOK, TOO_LONG, USUAL_LIMIT, Reading

NO_ERROR = "that nothing was lost when nothing failed."
LOOP = "that a loop which has seen every text has also sent every text."
ROOM = "that only the text takes room in a prompt; the instruction takes some as well."
ENDLESS = "that a model reads as much as you give it."
SHORT = "that summaries are short; many of them are long again."
OVERLAP = "that an overlap costs nothing; what stands in two prompts is paid for twice, and told twice."
MANY = 5  # words beside texts and instruction: headings and bullets have fewer
STRICT = "that a limit must not be reached; it must not be passed."


@expect.in_order
def sent(reading: Reading, *, needs: str) -> Iterator[Finding | None]:
    """A finding unless every text went whole into one prompt, under the instruction, within the limit."""
    yield another(reading)
    yield fitted(reading)
    yield expect.crashed(reading.seen, given=reading.given, needs=needs)
    for number in range(1, len(reading.seen.trace) + 1):
        fix = "begin every prompt with the instruction, also where summaries are summarised."
        what = "the instruction"
        yield expect.carries(reading.seen, number, reading.instruction, given=reading.given, what=what, fix=fix)
    yield complete(reading)
    yield twice(reading)


def another(reading: Reading) -> Finding | None:
    """A finding when a prompt holds the notebook's instruction and not the one that was handed in."""
    for number, record in enumerate(reading.seen.trace, start=1):
        if NOTEBOOK in expect.squeeze(record.prompt) and reading.instruction not in expect.squeeze(record.prompt):
            what = f"the prompt of request {number} holds another instruction: {NOTEBOOK!r}"
            return Finding(reading.given, what, "`instruction` in that prompt", handed_in(reading))
    return None


def counts_the_notebooks(reading: Reading) -> bool:
    """True when all prompts would fit with the notebook's instruction, and one by far not with the one handed in."""
    longest = max(reading.seen.trace, key=lambda record: len(record.prompt.split()))
    most = max(sum(reading.sizes(record)) for record in reading.seen.trace)
    return most + len(NOTEBOOK.split()) <= reading.limit < len(longest.prompt.split()) - 1


def handed_in(reading: Reading) -> str:
    size = len(reading.instruction.split())
    return f"`instruction` ({size} words here) is what you were handed; `INSTRUCTION` is another one."


def fitted(reading: Reading) -> Finding | None:
    """A finding when a prompt was too long for the model."""
    record = next((record for record in reading.seen.trace if record.error == TOO_LONG), None)
    if record is None:
        return None
    sizes, own, whole = reading.sizes(record), len(reading.instruction.split()), len(record.prompt.split())
    what = f"request {reading.number(record)} has {whole} words and got status 400, {TOO_LONG}"
    what += (
        f": {own} of the instruction, {sum(sizes)} of {len(sizes)} {'summaries' if reading.told(record) else 'texts'}"
    )
    fix, belief = "summaries are texts, too: pack them into prompts as you packed the texts.", SHORT
    if reading.limit < whole <= USUAL_LIMIT:
        fix, belief = f"{whole} words would fit {USUAL_LIMIT}, but `limit` is {reading.limit} here: use it, and ", ""
        fix += "hand it on to each function that you call."
    elif sum(sizes) <= reading.limit:
        fix, belief = "count the words of the whole prompt: the instruction, and all that you add.", ROOM
        if others := reading.others(record):
            what, belief = f"{what}, {others} others", ""
        elif counts_the_notebooks(reading):
            fix, belief = f"count what you send: {handed_in(reading)}", ""
    elif reading.held(record):
        fix, belief = "when the next text does not fit any more, begin a new part.", ENDLESS
    return Finding(reading.given, what, f"at most {reading.limit} words in each prompt", fix, belief)


def complete(reading: Reading) -> Finding | None:
    """A finding when a text is in no prompt, or only a part of it."""
    held = {number for record in reading.seen.trace for _, number in reading.held(record)}
    lost = [number for number in range(len(reading.texts)) if number not in held]
    if not lost:
        return None
    needs = "every text whole in a prompt"
    if not reading.seen.trace:
        fix = "ask `llm`, also when all texts fit into one prompt: what is still in hand when the loop ends?"
        return Finding(reading.given, f"no request, then {reading.seen.outcome}", needs, fix, LOOP)
    for record in reading.seen.trace:
        if (others := reading.others(record)) > MANY:
            what = f"request {reading.number(record)} holds {others} words that are part of a text, and not the whole"
            return Finding(reading.given, what, needs, "cut between two texts, never inside one.", NO_ERROR)
    what = f"{named('text', lost)} of {len(reading.texts)} in no prompt, and no error"
    fix, belief = "a text that does not fit into this part any more begins the next one.", NO_ERROR
    if lost == list(range(lost[0], len(reading.texts))):
        fix, belief = "what is still in hand when the loop ends? That is a part, too.", LOOP
        if len(reading.seen.trace) == 1:
            fix, belief = "what does not fit into this prompt goes into the next one.", NO_ERROR
    return Finding(reading.given, what, needs, fix, belief)


def twice(reading: Reading) -> Finding | None:
    """A finding when a text, or a summary, went into two prompts."""
    trace, first = reading.seen.trace, dict[str, int]()
    for place, record in enumerate(trace, start=1):
        names = [f"text {number + 1}" for _, number in reading.held(record)]
        names += [f"the answer to request {reading.number(other)}" for _, other in reading.told(record)]
        for name in names:
            if name in first:
                what = f"{name} in request {first[name]} and again in request {place}"
                return Finding(reading.given, what, "everything once", "let parts touch, and not overlap.", OVERLAP)
            first[name] = place
    return None


def named(noun: str, numbers: Sequence[int]) -> str:
    """These things, counted from 1.

    >>> named("text", [6]), named("text", [0, 1, 2]), named("text", [0, 4, 8]), named("text", [0, 2, 4, 6, 8, 10])
    ('text 7', 'texts 1 to 3', 'texts 1, 5 and 9', 'texts 1, 3, 5 and 3 more')
    """
    said = [str(number + 1) for number in numbers]
    if len(said) == 1:
        return f"{noun} {said[0]}"
    if numbers[-1] - numbers[0] == len(numbers) - 1 > 1:
        return f"{noun}s {said[0]} to {said[-1]}"
    last = said[-1] if len(said) <= 4 else f"{len(said) - 3} more"
    return f"{noun}s {', '.join(said[:-1] if len(said) <= 4 else said[:3])} and {last}"


def filled(reading: Reading, most: int, *, needs: str) -> Finding | None:
    """A finding when there were more requests than prompts are needed."""
    trace = reading.seen.trace
    if len(trace) <= most:
        return None
    needs = f"{needs}: each prompt takes the next text as long as it fits"
    first = sorted((record for record in trace if reading.held(record)), key=reading.held_first)
    for record, after in pairwise(first):
        free = reading.limit - len(record.prompt.split())
        begins = reading.held_first(after)
        if (size := len(reading.texts[begins].split())) <= free:
            what = f"{len(trace)} requests; request {reading.number(record)} has {reading.limit - free} words, "
            what += f"and the {size} of text {begins + 1} would have fitted"
            fix = f"let a prompt take the next text as long as there are {reading.limit} words or fewer."
            return Finding(reading.given, what, needs, fix, STRICT if size == free else "")
    fix = "fill each prompt; what you add to texts and instruction takes room, too."
    return Finding(reading.given, f"{len(trace)} requests", needs, fix)


def nothing(reading: Reading, wanted: object) -> Finding | None:
    """A finding unless nothing was asked about no texts."""
    if not len(reading.seen.trace) and reading.seen.returned == wanted and not reading.seen.raised:
        return None
    what = f"{count(len(reading.seen.trace), 'request')}, then {reading.seen.outcome}"
    fix = "where there is nothing to read, there is nothing to ask: does a part come into being without a text?"
    if reading.seen.raised == "IndexError":
        fix = f"an empty list has no item `[0]`: give back {wanted!r} before you look for one."
    return Finding(reading.given, what, f"no request, and {wanted!r}", fix)

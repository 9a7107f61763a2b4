"""Exercise 7, "Nothing lost, nothing doubled", stretch: killed in the middle, and carried on.

Layer 2: imports `expect`, `killed`, `overlap`, `texts` and `server.cases`. Each process ends or is killed for real;
what counts is which items the server is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from course_utils.records import Trace, count
from course_utils.server.cases import Case, Finding, Scene, Seen, Task, cut
from course_utils.tasks import expect
from course_utils.tasks.killed import NEEDS, Answers, complete, item_in, processes, spelt
from course_utils.tasks.overlap import items, key_of
from course_utils.tasks.texts import words

MEMORY = "that what a program knows outlives it; the next process finds what is on disk, and nothing else."
LATER = (
    "that there will be a moment to save things later, at the end or when a buffer is full; whoever pulls the plug "
    "does not ask."
)
BEFORE = "that an item is done when it is begun; between mark and answer there is time to be killed."
FORGETS = "that to open a file for writing keeps what was in it; only appending, or writing all of it anew, does."
READ = "If one is there: was what stands in it recognised? JSON makes every key a text."


def resuming(rng: Random) -> list[Case]:
    return [
        resume_case("killed at item 4", rng, [4]),
        resume_case("killed at the first item", rng, [1], number=4),
        resume_case("killed twice", rng, [3, 6]),
        resume_case("nobody pulls the plug", rng, [], number=3),
        resume_case("an answer of two lines", rng, [2], number=3, lines=2),
        resume_case("killed at the last item, twice", rng, [5, 5], number=5, held_back=True),
        resume_case("killed three times", rng, [2, 3, 7], held_back=True),
    ]


def resume_case(
    name: str, rng: Random, killed: Sequence[int], *, number: int = 8, lines: int = 1, held_back: bool = False
) -> Case:  # fmt: skip
    """`killed` has for each killing the item (from 1) that is under way; the first answer has so many `lines`."""
    wanted = items(rng, number)
    replies = [words(rng, 7) for _ in wanted]
    replies[0] = "\n".join(["Dear customer,"] * (lines - 1) + replies[:1])
    # A killed item is asked for once more, so each killing puts the request's number one behind the item's.
    kills = [item + before for before, item in enumerate(killed)]
    steps = [{"inputs": {"items": wanted}, "kill": {"requests": request}} for request in kills]
    steps += [{"inputs": {"items": wanted}}] * 2
    script = Answers(dict(zip(map(key_of, wanted), replies, strict=True)), dict(zip(kills, killed, strict=True)))
    judge = partial(judge_resume, wanted=wanted, replies=replies, killed=killed)
    return Case(name, {"steps": steps}, script, judge, held_back, Scene(most=40))


@expect.in_order
def judge_resume(
    seen: Seen, *, wanted: list[str], replies: list[str], killed: Sequence[int]
) -> Iterator[Finding | None]:  # fmt: skip
    at = ", then at item ".join(map(str, killed))
    given = f"{len(wanted)} items; {f'killed at item {at}, then ' if killed else ''}run to its end, and run once more"
    yield expect.crashed(seen, given=given, needs=NEEDS)
    yield broke(seen.returned, given)
    keys = [key_of(item) for item in wanted]
    yield one_in_each(seen, keys, given)
    # When a killed request ended is no matter: the server may hear of that after the next process has begun.
    answered = replace(seen, trace=Trace([record for record in seen.trace if record.status == 200]))
    yield expect.in_turn(answered, given=given, fix="save an answer before you ask for the next one.")
    asked = [item_in(record.prompt, keys) for record in seen.trace]
    starts = [1, *killed]
    good = [list(range(first, last + 1)) for first, last in zip(starts, [*killed, len(wanted)], strict=True)]
    yield several_lines(processes(seen.trace, asked), replies, killed, given)
    yield went_on(processes(seen.trace, asked), [*good, []], given)
    for number, story in enumerate(seen.returned, start=1):
        if "returned" in story:
            yield complete(story["returned"], replies, f"process {number}", given)


def broke(stories: Sequence[dict[str, Any]], given: str) -> Finding | None:
    """A finding when a process ended in another way than by a result or by being killed."""
    for number, story in enumerate(stories, start=1):
        if story.get("raised") == "TypeError" and "is called with" in story["message"]:
            what = f"your function cannot be called: {story['message']}"
            return Finding(given, what, NEEDS, "keep the parameters of the stub.")
        if "raised" in story or "stopped" in story:
            told = f"{story['raised']}: {cut(story['message'])}" if "raised" in story else story["stopped"]
            return Finding(given, f"process {number} ended with {told}", NEEDS, where_to_look(story))
    return None


def where_to_look(story: dict[str, Any]) -> str:
    """Where to look when a process ended with this."""
    raised, message = story.get("raised", ""), story.get("message", "")
    if raised in ("FileNotFoundError", "JSONDecodeError"):
        return "what does a process find on disk that another one has left, and what at the very first start?"
    if "coroutine" in message:
        return "an `await` is missing: `ainvoke` gives a coroutine, and the answer comes when it is awaited."
    if "AIMessage" in message:
        return "an answer is an AIMessage, with more in it than its text: save its `.text`."
    if raised:
        return "look at the line that raised it: what did it get, in a process that has only what is at `path`?"
    return "let your function return: it waits for nobody, and does not end its process itself."


def one_in_each(seen: Seen, keys: Sequence[str], given: str) -> Finding | None:
    """A finding unless each prompt holds one item."""
    if not seen.trace:
        fix = "ask `llm`: only requests that go through it are seen. And save things at `path`: each case has its own."
        return Finding(given, "no request", "a request for each item", fix)
    for number, record in enumerate(seen.trace, start=1):
        if (held := sum(key in record.prompt for key in keys)) != 1:
            what = f"the prompt of request {number} holds {count(held, 'item')}"
            return Finding(given, what, "one item in each prompt", "build each prompt from its own item alone.")
    return None


def several_lines(
    found: list[list[int]], replies: list[str], killed: Sequence[int], given: str
) -> Finding | None:  # fmt: skip
    """A finding when a process took each line of the answers for an answer."""
    answered = killed[0] - 1 if killed else 0
    lines = sum(len(text.splitlines()) for text in replies[:answered])
    if lines == answered or len(found) < 2 or found[1][:1] != [lines + 1]:
        return None
    what = f"{count(answered, 'answer')} saved, {lines} found at the next start"
    fix = "an answer may have several lines; `json.dumps` makes one line of it."
    return Finding(f"{given}; answer 1 has {lines} lines", what, "each answer found as it was saved", fix)


def went_on(found: list[list[int]], good: Sequence[Sequence[int]], given: str) -> Finding | None:
    """A finding unless each process has asked for the items that were left, and the last one for none."""
    wanted = list(map(list, good))
    if [*found, []] == wanted:
        return None
    what = "; then ".join(f"items {spelt(each)}" for each in found if each)
    needs = "; then ".join(f"items {spelt(each)}" for each in wanted if each) + "; then none"
    differ = (number for number, (got, due) in enumerate(zip(found, wanted, strict=False)) if got != due)
    number = min(next(differ, len(found) - 1), len(wanted) - 1)
    return Finding(given, what, needs, *went_wrong(number, found[number], wanted[number]))


def went_wrong(number: int, got: Sequence[int], due: Sequence[int]) -> tuple[str, str]:
    """Where to look, and the belief, when process `number` (from 0) asked for `got` instead of `due`."""
    now, extra = "save each answer before you ask for the next one", list(got[len(due) :])
    in_a_file = f"{now}, in a file: `path` is the same at each start. {READ}"
    if not number and got and got[0] > 1:
        return "item 1 was never asked for: where does your slice begin?", ""
    if number and got and due and got[0] > due[0]:
        return "save an item when its answer is there, and not before.", BEFORE
    if number and got and due and got[0] < due[0]:
        if extra.count(1) or got.count(1) > 1:
            return in_a_file, MEMORY
        if got[0] == 2 and due[0] > 3:
            return (
                f'{due[0] - 1} answers came, and 1 was found: does each save overwrite the one before (`"w"`)?',
                FORGETS,
            )
        if number > 1:
            return "what has become of the answers that an earlier process had saved?", FORGETS
        return f"{now}, and see that it is on disk: `flush()`, or close the file.", LATER
    if extra and extra == list(due[-1:]):
        return "the process after the last item has nothing to ask: save the last answer as well.", LATER
    if extra and extra[0] == 1:
        return in_a_file, MEMORY
    if extra:
        return "what has become of the answers that an earlier process had saved?", FORGETS
    return "ask for each item once, in order; at a start go on with the first that is not done.", ""


TASK = Task(
    "state.resume",
    "Stretch: kill it and carry on",
    3,
    resuming,
    (
        "When an answer has come, and before the next is asked for: what must be on disk by then? And what does the "
        "program look at first when it starts?",
        "Write to a file and it may be in a buffer only: `flush()`, or close the file, after each answer. At the start "
        "read what is there; `path` does not exist the first time. How many items are done?",
        "`done = [json.loads(line) for line in file]` if there is one; then `for item in items[len(done):]`: ask, "
        "append, `with open(path, 'a') as file: file.write(json.dumps(text) + '\\n')`; return all of them.",
    ),
    tools={"case": "case"},
    driver="restarted",
)

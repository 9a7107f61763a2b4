"""Exercise 7, "Nothing lost, nothing doubled", third task: a memory for each customer.

Layer 2: imports `expect`, `texts` and `server.cases`. Every message and every answer carries a nonce, by which it is
seen in whose prompts it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from random import Random
from typing import Any

from course_utils.records import Record, count
from course_utils.server.cases import Case, Finding, Seen, Task, cut
from course_utils.tasks import expect
from course_utils.tasks.texts import answers, nonce, words

SHARED = (
    "that what looks new is new; the copy of a dict still holds the same list, and a thread of the same name is the "
    "same conversation."
)
LASTS = (
    "that what a function begins with is made anew at each call; a default, or a variable outside the function, is "
    "made once."
)
NO_MEMORY = "that a model remembers what you have told it; it sees this prompt, and nothing else."
GAPS = "that the latest message is enough."

Said = list[list[str]]  # customer, text
NAMES = ("Aoife", "Bela", "Chiara", "Dermot", "Esme")


def memory(rng: Random) -> list[Case]:
    return [
        memory_case("one customer", rng, ["000"]),
        memory_case("two in turn", rng, ["0101"]),
        memory_case("three, mixed", rng, ["0120210"]),
        memory_case("two evenings", rng, ["01", "0"]),
        memory_case("nobody writes", rng, [""], held_back=True),
        memory_case("three evenings, mixed", rng, ["0110", "1", "2021"], held_back=True),
    ]


def memory_case(name: str, rng: Random, evenings: Sequence[str], *, held_back: bool = False) -> Case:
    """`evenings` says for each call who writes, one digit for each message."""
    names = rng.sample(NAMES, 3)
    said = [[[names[int(who)], f"My code is {nonce(rng)}."] for who in evening] for evening in evenings]
    replies = [words(rng, 8) for evening in said for _ in evening]
    judge = partial(judge_memory, evenings=said, replies=replies)
    calls = {"calls": [{"messages": evening} for evening in said]}
    return Case(name, calls, answers(*replies or [""]), judge, held_back)


@expect.in_order
def judge_memory(seen: Seen, *, evenings: list[Said], replies: list[str]) -> Iterator[Finding | None]:
    order = "; then, in another call, ".join(", ".join(who for who, _ in evening) or "nobody" for evening in evenings)
    given = f"messages from {order}"
    needs = "the texts of the answers, in the order of the messages"
    yield expect.crashed(seen, given=given, needs=needs)
    fix = "one request for each message."
    yield expect.request_count(seen, len(replies), given=given, then=needs, fix=fix)
    yield expect.in_turn(seen, given=given, fix="answer a message before you turn to the next one.")
    number = 0
    for call, evening in enumerate(evenings):
        for place, (who, text) in enumerate(evening):
            own = [each for name, each in evening[: place + 1] if name == who]
            yield in_prompt(seen.trace[number], who, number + 1, text, own, given)
            yield others_words(seen.trace[number], who, number + 1, evenings, call, replies, given)
            number += 1
    lengths = [len(evening) for evening in evenings]
    wanted = [replies[sum(lengths[:call]) :][:length] for call, length in enumerate(lengths)]
    for got, due in zip([seen.returned] if len(wanted) == 1 else seen.returned, wanted, strict=True):
        yield came_back(got, due, given, needs)


def came_back(got: Any, wanted: list[str], given: str, needs: str) -> Finding | None:
    """A finding unless a call gave the texts of its answers."""
    if got == wanted:
        return None
    texts = got if isinstance(got, list) else [got]
    if len(texts) < len(wanted) and all(isinstance(text, str) for text in texts):
        fix = "one list, made before the loop; append a text in each round, and `return` the list behind the loop."
        return Finding(given, f"{count(len(texts), 'text')} for {count(len(wanted), 'message')}", needs, fix)
    fix = "return a list with the `.text` of each answer."
    fix += " (Is there a `return`?)" if got is None else ""
    return Finding(given, f"your function gave {cut(repr(got))}", needs, fix)


def in_prompt(
    record: Record, who: str, number: int, text: str, own: Sequence[str], given: str
) -> Finding | None:  # fmt: skip
    """A finding unless the prompt holds what this customer has written so far."""
    prompt, needs = expect.squeeze(record.prompt), f"in a prompt for {who} all that {who} has written in this call"
    missing = [each for each in own if each not in prompt]
    if not missing:
        return None
    if text in missing:
        what = f"request {number}, for {who}, does not hold the message that it answers"
        return Finding(given, what, needs, "put the new message into the prompt as it is.")
    what = f"request {number}, for {who}, holds {len(own) - len(missing)} of the {len(own)} messages so far"
    fix = "what you want it to know stands in the prompt: keep each customer's messages."
    if len(missing) < len(own) - 1:
        return Finding(given, what, needs, fix, GAPS)
    fix += " Is the list you appended to still there for the next message? (`get` does not store.)"
    return Finding(given, what, needs, fix, NO_MEMORY)


def others_words(
    record: Record, who: str, number: int, evenings: list[Said], call: int, replies: list[str], given: str
) -> Finding | None:
    """A finding when the prompt holds what another customer wrote or was told, or what belongs to an earlier call."""
    numbers = iter(range(len(replies)))
    for when, evening in enumerate(evenings[: call + 1]):
        for name, text in evening:
            held = any(each in expect.squeeze(record.prompt) for each in (text, replies[next(numbers)]))
            if held and when < call:
                what = f"request {number} holds words of {name}'s from the call before"
                fix = "where is the memory made: in this call, or once, when the cell ran?"
                return Finding(given, what, "a call that begins with an empty memory", fix, LASTS)
            if held and name != who:
                what = f"request {number}, for {who}, holds words of {name}'s"
                fix = f"what have {name} and {who} in common: a list, a thread, a default? Each needs one of their own."
                return Finding(given, what, f"in a prompt for {who} no words of anybody else", fix, SHARED)
    return None


TASK = Task(
    "state.memory",
    "Find the bug: the memory that everybody shared",
    2,
    memory,
    (
        "`order` is right for each customer, and `said` is not. What is the difference between changing the one and "
        "changing the other?",
        "`dict(blank)` is a new dict with the *same* list in it. How many lists `[]` does the program ever make?",
        "`case = cases.setdefault(customer, {'order': 'unknown', 'said': []})`: what stands in the loop is made anew "
        "each time. (`copy.deepcopy(blank)` does it, too.)",
    ),
    driver="in turn",
)

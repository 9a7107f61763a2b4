"""Exercise 7, "Nothing lost, nothing doubled", first task: a reducer that joins by id.

Layer 2: imports `texts` and `server.cases`. Texts carry nonces; what is judged is what the function gives back, and
whether it has left its two lists alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial, reduce
from random import Random
from typing import Any

from course_utils.server.cases import Case, Finding, Seen, Task, cut
from course_utils.tasks import expect
from course_utils.tasks.texts import nonce

APPENDS = "that to join two lists is to put one behind the other; a note that is written anew is there twice then."
REPLACES = "that what a node returns is the whole value; it is what is new."
MINE = "that the old list is yours to change; the graph, its checkpoints and the caller hold it as well."
NEEDS = "the old notes in their places, each with its newest text, and the new ones behind them"

Entry = dict[str, str]  # id, text


def merging(rng: Random) -> list[Case]:
    a, b, c, d = (entry(rng, name) for name in rng.sample(["mood", "order", "refund", "address"], 4))
    return [
        merge_case("something new", [a, b], [[c]]),
        merge_case("one is written anew", [a, b, c], [[again(rng, a)]]),
        merge_case("two writers", [a, b], [[again(rng, b), c], [d]]),
        merge_case("an empty list on either side", [], [[], [a], []]),
        merge_case("the same id twice in one update", [a], [[b, again(rng, b), again(rng, a)]], held_back=True),
        merge_case("a long day", [d, a], [[again(rng, a), b], [c, again(rng, d)], [again(rng, b)]], held_back=True),
    ]


def merge_case(name: str, value: list[Entry], updates: list[list[Entry]], *, held_back: bool = False) -> Case:
    judge = partial(judge_merge, value=value, updates=updates)
    return Case(name, {"value": value, "updates": updates}, nobody, judge, held_back)


def nobody(request: Any, number: int) -> str:
    """No model is handed over, and none is asked."""
    return ""


def entry(rng: Random, name: str) -> Entry:
    return {"id": name, "text": f"see {nonce(rng)}"}


def again(rng: Random, former: Entry) -> Entry:
    """The entry with another text."""
    return entry(rng, former["id"])


def merged(old: Sequence[Entry], new: Sequence[Entry]) -> list[Entry]:
    """What the task asks for."""
    return list(({each["id"]: each for each in old} | {each["id"]: each for each in new}).values())


@expect.in_order
def judge_merge(seen: Seen, *, value: list[Entry], updates: list[list[Entry]]) -> Iterator[Finding | None]:
    yield expect.crashed(seen, given=f"old: {short(value)}, new: {short(updates[0])}", needs=NEEDS)
    for number, told in enumerate(seen.returned):
        old = reduce(merged, updates[:number], value)
        given = f"old: {short(old)}, new: {short(updates[number])}"
        yield as_needed(told["value"], old, updates[number], given)
        if told["old"] != old or told["new"] != updates[number]:
            which, now = ("old", told["old"]) if told["old"] != old else ("new", told["new"])
            fix = "make a new list, or a dict, and put the notes into that; leave the notes themselves alone, too."
            yield Finding(given, f"after the call `{which}` is {short(now)}", "both lists as they were", fix, MINE)


def as_needed(got: Any, old: list[Entry], new: list[Entry], given: str) -> Finding | None:
    """A finding unless this is the old list with the new one joined to it."""
    wanted = merged(old, new)
    if got == wanted:
        return None
    needs = f"{NEEDS}: {short(wanted)}"
    if not isinstance(got, list) or not all(isinstance(each, dict) and set(each) == {"id", "text"} for each in got):
        return Finding(given, f"your function returned {in_words(got)}", needs, to_a_list(got))
    what, ids = short(got), [each["id"] for each in got]
    if len(set(ids)) < len(ids):
        return Finding(given, what, needs, "an id that is there already keeps its place and gets a new text.", APPENDS)
    if {each["id"] for each in wanted} - set(ids):
        return Finding(given, what, needs, "what is not in `new` stays as it is.", REPLACES if got == new else "")
    if sorted(ids) == sorted(each["id"] for each in wanted) and all(each in wanted for each in got):
        return Finding(given, what, needs, "a dict keeps the place of a key that is set once more.")
    return Finding(given, what, needs, "where both lists have an id, the text of `new` holds, and its last one.")


def in_words(got: Any) -> str:
    """What came instead of a list of notes."""
    kind = got.get("$object") if isinstance(got, dict) else None
    return f"a {kind}" if kind else cut(repr(got), 90)


def to_a_list(got: Any) -> str:
    """How to make a list of that."""
    if got is None:
        return "is there a `return`? And what stands behind it? A list's own methods change it, and return None."
    if isinstance(got, dict) and "$object" in got:
        return "`list(...)` makes a list of it."
    if isinstance(got, dict):
        return "you returned a dict: `list(….values())` makes a list of what stands in it; that should be the notes."
    if isinstance(got, list):
        return "give the notes back whole, each with its `id` and its `text`."
    return "return a list of such notes."


def short(entries: Sequence[Entry]) -> str:
    """Entries for a message.

    >>> short([{"id": "mood", "text": "see BB-10000"}])
    '[mood: see BB-10000]'
    """
    return "[" + ", ".join(": ".join(map(str, each.values())) for each in entries) + "]"


TASK = Task(
    "state.merge",
    "A reducer that joins by id",
    1,
    merging,
    (
        "The frame has made a dict, from id to note, of the old list. What does a dict do when a key is set that it "
        "has, and what with one that it has not?",
        "Set the id of each note of `new` in that dict. Both cases are the same line.",
        "`for note in new: by_id[note['id']] = note`, and then the dict's values, as a list.",
    ),
    models={},
    driver="reduced",
)

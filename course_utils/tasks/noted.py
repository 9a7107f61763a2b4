"""The questions about notes that nodes add to a shared list: is each of them there, once, and in everybody's view?

Layer 2: imports `expect`, `nodes` and `server.cases`. A note is found by its nonce, its last word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from course_utils.records import Record
from course_utils.server.cases import Finding, cut
from course_utils.tasks import expect
from course_utils.tasks.nodes import DROPPED

READERS = ("LEGAL", "TECH", "PARTS")
STEPS = (*READERS, "JOIN")
KEYS = ("ticket", "notes", "summary")
WHOLE = "that a returned value replaces the old one; with a reducer it is added to it."
LAST = "that the graph keeps every value; without a reducer that joins, the last one written stays."
IN_PLACE = "that changing the state is writing to it; only what a node returns is stored."
BORROWED = "that the state is yours to change; the list in it belongs to whoever called."
OWN = "that the graph remembers by itself; it remembers what the checkpointer that you compile it with has stored."
HANDED = "The checkpointer that `build` is handed belongs into `compile(checkpointer=...)`."
UNSAVED = "a graph stores what a node *returns*; `append` changes a list that nobody saves. Which node does that?"
LEAK = "that what stands outside the nodes belongs to one run; it lives as long as the program."


@dataclass(frozen=True, slots=True)
class Told:
    """One complaint: what goes in, what the model says about it, and whether a thread remembers it."""

    input: Mapping[str, Any]
    answers: Mapping[str, str]  # by step
    has_thread: bool

    @property
    def notes(self) -> list[str]:
        """What the list of notes has to hold in the end, in any order."""
        return [*self.input["notes"], *(self.answers[step] for step in READERS)]


def nonce_of(note: str) -> str:
    return note.split()[-1].rstrip(".")


def waited(join: Record, parts: Record, given: str) -> Finding | None:
    """A finding when this JOIN has not waited for the last of the readers."""
    if parts.stop is not None and join.start >= parts.stop:
        return None
    fix = "which arrows lead into JOIN? It needs the notes of LEGAL and of PARTS."
    return Finding(given, "JOIN began before PARTS had answered", "JOIN, once all notes are there", fix)


def joined(join: Record, case: Told, all_told: Sequence[Told], given: str, *, is_carried_on: bool) -> Finding | None:
    """A finding unless the prompt of this JOIN holds each note of its own complaint once, and nobody else's."""
    prompt, needs = expect.squeeze(join.prompt), f"a JOIN prompt with each of the {len(case.notes)} notes once"
    times = [prompt.count(nonce_of(note)) for note in case.notes]
    if 0 in times:
        what = f"the prompt of JOIN holds {len(times) - times.count(0)} of {len(times)} notes"
        if is_carried_on:
            return Finding(given, f"{what}, after carrying on: {missed(prompt, case)}", needs, UNSAVED, IN_PLACE)
        fix = "how does your state join what is there and what is new?"
        return Finding(given, what, needs, fix, LAST)
    strange = {nonce_of(note) for each in all_told for note in each.notes} - set(map(nonce_of, case.notes))
    if any(each in prompt for each in strange):
        fix = "what is kept outside of the state, in a list of your own or in a default?"
        return Finding(given, "the prompt of JOIN holds notes of the other run", needs, fix, LEAK)
    if max(times) > 1:
        fix = "a node returns what is new, and nothing else."
        return Finding(given, f"a note stands {max(times)} times in the prompt of JOIN", needs, fix, WHOLE)
    return None


def missed(text: str, case: Told) -> str:
    """Which notes a text lacks, in words."""
    lost = [f"{step}'s note" for step in READERS if nonce_of(case.answers[step]) not in text]
    return f"{lost[0]} is missing" if len(lost) == 1 else "several notes are missing"


def ended(story: Mapping[str, Any], case: Told, given: str, *, is_carried_on: bool) -> Finding | None:
    """A finding unless the result, the caller's own input and what is stored are as they should be."""
    notes = story["returned"].get("notes") if isinstance(story["returned"], dict) else None
    if is_carried_on and isinstance(notes, list) and any(nonce_of(note) not in str(notes) for note in case.notes):
        what = f"after carrying on, {missed(str(notes), case)} from `notes`"
        return Finding(given, what, f"all {len(case.notes)} `notes`", UNSAVED, IN_PLACE)
    if story["input"] is not None and story["input"] != case.input:
        what = f"after the run the caller's own `notes` are {cut(str(story['input'].get('notes')), 70)}"
        fix = "do not `append` to what you were given: return a new list."
        return Finding(given, what, "the input as it was", fix, BORROWED)
    if finding := whole(story["returned"], case, "the result", given):
        return finding
    stored = story.get("stored", {})
    if case.has_thread and any(stored.get(key) != story["returned"][key] for key in KEYS):
        if "raised" in stored:
            what = f"`get_state` raised {stored['raised']}: {stored['message']}"
            return Finding(given, what, "a stored state", HANDED, OWN)
        numbers = [len(each.get("notes") or []) for each in (story["returned"], stored)]
        what = f"`ainvoke` gave {numbers[0]} notes back, and `get_state` has {numbers[1]} stored"
        fix = "which node changes a list that it was given, and returns nothing?"
        return Finding(given, what, "both the same", fix, IN_PLACE)
    return None


def whole(state: Any, case: Told, what: str, given: str) -> Finding | None:
    """A finding unless this state has each note once, and the text of JOIN."""
    needs = f"`ticket`, {len(case.notes)} `notes`, and as `summary` the text of JOIN"
    if not isinstance(state, dict):
        return Finding(given, f"{what} is {cut(repr(state), 80)}", needs, "let the state be a TypedDict.")
    if missing := [key for key in KEYS if key not in state]:
        fix = f"declare `{missing[0]}` in your state, and let a node return it under this name."
        return Finding(given, f"{what} has no `{missing[0]}`", needs, fix, DROPPED)
    got = state["notes"]
    if not isinstance(got, list) or not all(isinstance(note, str) for note in got):
        return Finding(given, f"`notes` is {cut(repr(got), 80)}", needs, "a note is a text: the `.text` of an answer.")
    if sorted(got) != sorted(case.notes):
        one_each = all(sum(nonce_of(note) in each for each in got) == 1 for note in case.notes)
        fix = "the notes are the texts as they came, nothing more." if one_each else "return only what is new."
        return Finding(given, f"{what} has {len(got)} notes: {cut(str(got), 100)}", needs, fix)
    if state["summary"] != case.answers["JOIN"]:
        return Finding(given, f"`summary` is {cut(repr(state['summary']), 80)}", needs, "take the `.text` of JOIN.")
    return None


def ends(stories: Sequence[Mapping[str, Any]]) -> str:
    """What the last run came to, for a message."""
    last = stories[-1] if stories else {}
    return str(last.get("raised") or f"a state with the keys {', '.join(last.get('returned') or {})}")

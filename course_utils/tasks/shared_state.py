"""Exercise 7, "Nothing lost, nothing doubled", fourth task: a graph whose nodes share a list.

Layer 2: imports `expect`, `graph_runs`, `noted`, `saves`, `scripts`, `steps`, `texts` and `server`.
Every note carries a nonce.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from course_utils.records import Record, Trace, count
from course_utils.server.cases import Case, Finding, Scene, Seen, Task
from course_utils.server.wire import ChatRequest
from course_utils.tasks import expect, noted
from course_utils.tasks.graph_runs import built, refused
from course_utils.tasks.noted import READERS, STEPS, Told
from course_utils.tasks.saves import Saves
from course_utils.tasks.scripts import Reply, failure
from course_utils.tasks.steps import ByStep, named, numbers_of, of_step
from course_utils.tasks.texts import answers, nonce, words
from course_utils.tasks.workers import ARROW, QUIET

SEQUENCE = "that what stands first in your file has to run first; an arrow means that one needs the other."


@dataclass(frozen=True, slots=True)
class Run:
    """One call of the graph, as the driver gets it."""

    input: int | None  # number of the complaint; None: carry on
    thread: str = ""
    anew: bool = False  # built once more

    @property
    def as_data(self) -> dict[str, Any]:
        return {"input": self.input, "thread": self.thread, "anew": self.anew}


def shared(rng: Random) -> list[Case]:
    again = [Run(0, "a"), Run(None, "a", anew=True)]
    return [
        shared_case("one complaint", "one run, without a checkpointer", rng, [Run(0)], hold=True),
        shared_case("the same input twice", "two runs of one graph on the same input", rng, [Run(0), Run(0)], notes=2),
        shared_case("two complaints", "a thread for each of two complaints", rng, [Run(0, "a"), Run(1, "b")], notes=1),
        shared_case("JOIN fails", "JOIN fails, and a graph built anew carries the thread on", rng, again, fails=1),
        shared_case("LEGAL fails", "LEGAL fails when TECH is done, and a graph built anew carries the thread on", rng,
                    again, fails=1, failing="LEGAL"),
        shared_case("two, one after the other", "two complaints, without a checkpointer", rng, [Run(0), Run(1)],
                    notes=1, hold=True, held_back=True),
        shared_case("JOIN fails twice", "JOIN fails twice, and the thread is carried on twice", rng,
                    [*again, Run(None, "a")], fails=2, notes=2, held_back=True),
        shared_case("the same input on two threads", "one input, on two threads", rng, [Run(0, "a"), Run(0, "b")],
                    notes=1, held_back=True),
    ]  # fmt: skip


def shared_case(
    name: str, given: str, rng: Random, runs: Sequence[Run], *, notes: int = 0, fails: int = 0, failing: str = "JOIN",
    hold: bool = False, held_back: bool = False,
) -> Case:  # fmt: skip
    """`notes` come with each complaint; `fails`: so many requests for the step `failing`; for `hold` see `ByStep`."""
    fresh = [run for run in runs if run.input is not None]
    inputs = [
        {
            "ticket": f"My Otter drips, number {nonce(rng)}.",
            "notes": [f"Rang about {nonce(rng)}." for _ in range(notes)],
        }
        for _ in {run.input for run in fresh}
    ]
    texts = {step: [words(rng, 9) for _ in fresh] for step in STEPS}
    script, saves = {step: answers(*texts[step]) for step in STEPS}, Saves()
    script["JOIN"] = after(fails if failing == "JOIN" else 0, script["JOIN"])
    if failing == "LEGAL":
        script |= {"TECH": saves.begins(script["TECH"]), "LEGAL": saves.fails(script["LEGAL"])}
    until = {"LEGAL": {"TECH": 1}, "TECH": {"LEGAL": 1}} if hold else {}
    told = [
        Told(inputs[run.input or 0], {step: texts[step][place] for step in STEPS}, bool(run.thread))
        for place, run in enumerate(fresh)
    ]
    judge = partial(judge_shared, given=f"{given}; {count(notes, 'note')} to begin with", told=told, fails=fails,
                    failing=failing, hold=hold)  # fmt: skip
    arguments = {"inputs": inputs, "runs": [run.as_data for run in runs], "is_telling": failing == "LEGAL"}
    latency = 0.0 if failing == "LEGAL" else 1.0  # the clock stands still while an answer is held
    scene = Scene(latency, grace=QUIET, most=20, outcome=saves.told)
    return Case(name, arguments, ByStep(script, until), judge, held_back, scene)


def after(failures: int, script: Callable[[ChatRequest, int], Reply]) -> Callable[[ChatRequest, int], Reply]:
    """`script`, once so many requests have failed."""
    return lambda request, number: failure(500) if number <= failures else script(request, number - failures)


@expect.in_order
def judge_shared(
    seen: Seen, *, given: str, told: Sequence[Told], fails: int, failing: str, hold: bool
) -> Iterator[Finding | None]:  # fmt: skip
    stories = [each for each in seen.returned or [] if isinstance(each, dict)] if not seen.raised else []
    yield built(seen, stories, given)
    yield refused(stories, fails, given)
    yield named(seen, STEPS, given=given)
    wanted = Counter(dict.fromkeys(STEPS, len(told))) + Counter({failing: fails})
    yield once_each(seen, stories, wanted, failing if fails else "", given)
    parts = {step: of_step(seen, step, STEPS) for step in STEPS}
    if hold and Trace([*parts["LEGAL"][:1], *parts["TECH"][:1]]).peak < 2:
        what, needs = "LEGAL and TECH were never open at the same moment", "both at once: neither needs the other"
        yield Finding(given, what, needs, "let an arrow from START lead to each of the two.", SEQUENCE)
    ends = stories[fails:] if fails else stories  # what the last run of each thread came to
    for number, (case, story) in enumerate(zip(told, ends, strict=True)):
        one = {step: parts[step][number] for step in READERS}
        yield read(one, case, given, is_carried_on=fails > 0 and failing == "LEGAL")
        for join in parts["JOIN"] if fails else [parts["JOIN"][number]]:
            yield noted.waited(join, one["PARTS"], given)
            is_later = failing != "JOIN" or join is not parts["JOIN"][0]
            yield noted.joined(join, case, told, given, is_carried_on=fails > 0 and is_later)
        yield noted.ended(story, case, given, is_carried_on=fails > 0)


def once_each(
    seen: Seen, stories: Sequence[dict[str, Any]], wanted: Mapping[str, int], failing: str, given: str
) -> Finding | None:  # fmt: skip
    """A finding unless each step was asked for as often as `wanted`: once in each run, and again when it failed."""
    asked = {step: len(of_step(seen, step, STEPS)) for step in STEPS}
    if asked == wanted:
        return None
    what, needs = numbers_of(seen, STEPS), ", ".join(f"{number} {step}" for step, number in wanted.items())
    if failing and asked["TECH"] > wanted["TECH"]:
        return Finding(given, what, needs, f"the readers' answers are paid and stored. {noted.HANDED}", noted.OWN)
    if asked["JOIN"] > wanted["JOIN"]:
        fix = "two arrows of their own make a step run whenever one of the two arrives: one arrow from a list waits."
        return Finding(given, what, needs, fix, ARROW)
    if failing and asked[failing] < wanted[failing] and "returned" in stories[0]:
        fix = f"{failing} failed, and your graph ended as if it had not: who caught that?"
        return Finding(given, what, f"{needs}, as the thread is carried on", fix)
    if asked["JOIN"] < wanted["JOIN"]:
        fix = "who does JOIN wait for, and do all of them run?"
        return Finding(given, f"{what}, then {noted.ends(stories)}", needs, fix)
    return Finding(given, what, needs, "one request for each step and run.")


def read(one: dict[str, Record], case: Told, given: str, *, is_carried_on: bool) -> Finding | None:
    """A finding unless the readers got the complaint, and PARTS what TECH had found."""
    for step, text, what in (
        ("LEGAL", case.input["ticket"], "the ticket"),
        ("TECH", case.input["ticket"], "the ticket"),
        ("PARTS", case.answers["TECH"], "TECH's note"),
    ):
        if expect.squeeze(text) not in expect.squeeze(one[step].prompt):
            what, needs = f"the prompt of {step} does not hold {what}", f"{what} in that prompt"
            if step == "PARTS" and is_carried_on:
                return Finding(given, f"{what}, after carrying on", needs, noted.UNSAVED, noted.IN_PLACE)
            fix = "PARTS comes after TECH, and finds its note in the state." if step == "PARTS" else "put it in."
            if step == "PARTS" and noted.nonce_of(case.answers["LEGAL"]) in one[step].prompt:
                fix = "it holds LEGAL's note: one round writes in the order of the node names. Give TECH's answer a "
                fix += "key of its own."
            return Finding(given, what, needs, fix)
    return None


TASK = Task(
    "state.shared",
    "Shared state without accidents",
    3,
    shared,
    (
        "Draw the rounds: LEGAL and TECH in the first, PARTS in the second, JOIN in the third. Which key do two nodes "
        "write in the same round? And from which round on could JOIN start too early?",
        "A reducer adds what a node returns to what is there. So return only what is new, in a new list, and change "
        "nothing that you were given.",
        "`notes: Annotated[list, operator.add]`; each reader returns `{'notes': [its text]}`; "
        "`graph.add_edge(['legal', 'parts'], 'join')`; `graph.compile(checkpointer=checkpointer)`.",
    ),
    tools={"tell": "tell"},
    driver="through a graph",
)

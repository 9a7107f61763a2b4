"""Exercise 6, "Manager and workers", third task: plan, work side by side within bounds, join once.

Layer 2: imports `expect`, `overlap`, `scripts`, `steps`, `texts`, `workers` and `server.cases`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random

from course_utils.records import Trace, count
from course_utils.server.cases import Case, Finding, Scene, Seen, Task, cut
from course_utils.tasks import expect
from course_utils.tasks.overlap import BACKGROUND
from course_utils.tasks.scripts import ByKey
from course_utils.tasks.steps import ByStep, named, numbers_of, of_step
from course_utils.tasks.texts import answers, words
from course_utils.tasks.workers import ARROW, FORM, QUIET, assignment, key_of, subtasks, with_remark

STEPS = ("PLAN", "WORK", "JOIN")
TALK = "I would begin with the parcels, and then look further."
SAME = "that asking the same model the same thing again gives a second opinion."
PER_TASK = "that any semaphore bounds; only one that all tasks share does."
CONTEXT = "that a worker does better when it sees everything; it pays for it, and may obey it."


def orchestrate(rng: Random) -> list[Case]:
    five, seven = subtasks(rng, 5), subtasks(rng, 7)
    return [
        case("five subtasks", rng, five, five, hold=True),
        case("a remark around the plan", rng, five[:3], five[:3], dress=with_remark),
        case("every subtask twice", rng, [each for each in five for _ in range(2)], five),
        case("forty subtasks", rng, forty := subtasks(rng, 40), forty[:6]),
        case("no plan at first", rng, five, five, first=[TALK]),
        case("no plan twice", rng, [], [], first=[TALK, TALK]),
        case("2 workers, 3 subtasks at most", rng, seven, seven[:3], hold=True, width=2, most=3),
        case("an object, then a plan", rng, five, five, first=['{"plan": "as always"}'], held_back=True),
        case("an empty plan twice", rng, [], [], first=["[]", "[]"], held_back=True),
        case("one subtask", rng, five[:1], five[:1], held_back=True),
        case("one worker", rng, five[:4], five[:4], width=1, held_back=True),
        case("3 workers at a time", rng, seven, seven[:5], hold=True, width=3, most=5, held_back=True),
    ]


def case(
    name: str, rng: Random, plan: Sequence[str], wanted: Sequence[str], *, first: Sequence[str] = (),
    hold: bool = False, width: int = 4, most: int = 6, dress: Callable[[str], str] = str, held_back: bool = False,
) -> Case:  # fmt: skip
    """`plan` is said after what was said `first`; `wanted` is what is to be done of it; for `hold` see `bounded`."""
    (task, inside), letter = assignment(rng), words(rng, 20)
    said = [*first, dress(json.dumps(plan))] if plan else list(first)
    results = {key_of(each): words(rng, 9) for each in plan}
    waits = {key_of(each): 2.0 for each in wanted[:1]}  # the first one takes longest
    least = min(width, len(wanted)) if hold else 1
    steps = {"PLAN": answers(*said), "WORK": ByKey(results, waits), "JOIN": answers(letter)}
    judge = partial(judge_no_plan, task=task, said=said)
    if wanted:
        results = {each: results[key_of(each)] for each in wanted}
        judge = partial(judge_work, task=task, inside=inside, said=said, least=least, width=width, most=most,
                        results=results, letter=letter)  # fmt: skip
    bounds = {} if (width, most) == (4, 6) else {"max_workers": width, "max_subtasks": most}
    script = ByStep(steps, {"WORK": {"WORK": least}})
    return Case(name, {"task": task} | bounds, script, judge, held_back, Scene(grace=QUIET))


def told(said: Sequence[str]) -> str:
    return f"the planner answers {', then '.join(repr(cut(each, 80)) for each in said)}"


@expect.in_order
def judge_no_plan(seen: Seen, *, task: str, said: Sequence[str]) -> Iterator[Finding | None]:
    given, needs = told(said), "two PLAN requests, then ValueError"
    yield named(seen, STEPS, given=given)
    yield planned(seen, task, said, given=given)
    if len(seen.trace) > 2 or "ValueError" not in seen.lineage:
        fix = "after a second answer that is no plan there is nothing to do: raise ValueError."
        yield Finding(given, f"{numbers_of(seen, STEPS)}, then {seen.outcome}", needs, fix, FORM)


@expect.in_order
def judge_work(
    seen: Seen, *, task: str, inside: str, said: Sequence[str], least: int, width: int, most: int,
    results: dict[str, str], letter: str,
) -> Iterator[Finding | None]:  # fmt: skip
    given = f"{told(said)}; {count(len(results), 'subtask')} to be done, at most {count(width, 'worker')} at a time"
    yield named(seen, STEPS, given=given)
    yield planned(seen, task, said, given=given)
    work, joins = of_step(seen, "WORK", STEPS), of_step(seen, "JOIN", STEPS)
    yield expect.crashed(seen, given=given, needs="the text of the join")
    yield each_subtask_once(work, list(results), most, given=given)
    yield on_its_own(work, list(results), inside, given=given)
    yield bounded(work, least, width, given=given)
    yield joined(work, joins, results, given=given)
    fix = "return the text of the answer to JOIN."
    yield expect.returned(seen, letter, given=given, what="the text that JOIN brought", fix=fix)


def planned(seen: Seen, task: str, said: Sequence[str], *, given: str) -> Finding | None:
    """A finding unless the planner was asked for the task, and once more exactly when its first answer is no plan."""
    plans = of_step(seen, "PLAN", STEPS)
    if len(plans) != len(said):
        what = f"{count(len(plans), 'PLAN request')}, then {seen.outcome}"
        fix = "one PLAN request, and a second one only when the first answer cannot be read."
        if len(plans) == 1:
            fix = "catch the ValueError of a bad plan once, and ask again with what was wrong."
        elif len(said) == 1:
            fix = "this plan can be read: cut off what stands around the array, as in task 1."
        elif len(plans) > 2:
            fix = "two PLAN requests at most; after the second bad answer raise ValueError."
        return Finding(given, what, count(len(said), "PLAN request"), fix, FORM if len(plans) < len(said) else "")
    if any(expect.squeeze(task) not in expect.squeeze(plan.prompt) for plan in plans):
        return Finding(given, "a PLAN prompt without the task", "the task in it", "put the task into the prompt.")
    if len(plans) == 2 and plans[0].request == plans[1].request:
        fix = "tell the planner what was wrong with its first answer."
        return Finding(given, "the same PLAN request, word for word, twice", "a second one that says more", fix, SAME)
    return None


def each_subtask_once(work: Trace, wanted: Sequence[str], most: int, *, given: str) -> Finding | None:
    """A finding unless there was a WORK request for each subtask, and not one more."""
    what, needs = f"{count(len(work), 'WORK request')}", f"{len(wanted)}: one for each subtask"
    if len(work) > len(wanted):
        fix = f"keep the first {most} distinct subtasks: `max_subtasks` bounds the bill, whatever the plan says."
        prompts = [record.prompt for record in work]
        if len(set(prompts)) < len(prompts):
            fix = "the plan names a subtask more than once; drop repetitions before you start workers."
        return Finding(given, what, needs, fix, FORM)
    if len(work) < len(wanted):
        fix = "start a worker for each subtask of the plan; drop repetitions first, then cut to `max_subtasks`."
        return Finding(given, what, needs, fix)
    for number, subtask in enumerate(wanted, start=1):
        if not any(key_of(subtask) in record.prompt for record in work):
            fix = "take the first ones of the plan, and put each into a WORK prompt as it is."
            return Finding(given, f"no WORK prompt with subtask {number}", needs, fix)
    return None


def on_its_own(work: Trace, wanted: Sequence[str], inside: str, *, given: str) -> Finding | None:
    """A finding when a worker saw another's subtask, or the whole task."""
    needs = "in each WORK prompt its own subtask, and nothing else of the plan or the task"
    for record in work:
        held = sum(key_of(subtask) in record.prompt for subtask in wanted)
        if held > 1:
            fix = "build each WORK prompt from its own subtask."
            return Finding(given, f"a WORK prompt with {held} subtasks", needs, fix, CONTEXT)
        if inside in record.prompt:
            return Finding(given, "a WORK prompt with the whole task", needs, "leave the task out of it.", CONTEXT)
    return None


def bounded(work: Trace, least: int, width: int, *, given: str) -> Finding | None:
    """A finding unless so many were at work at once; where `least` is above 1, the first answers were held for it."""
    if (peak := work.peak) > width:
        fix = "how many semaphores does your program make: one for all workers, or one for each?"
        what = f"{peak} WORK requests open at once"
        return Finding(given, what, f"never more than {width}", fix, PER_TASK)
    if peak < least:
        fix = "start all workers before you wait for the first, behind a door for `max_workers`."
        what = f"never more than {count(peak, 'WORK request')} open at once"
        return Finding(given, what, f"{least} at once", fix, BACKGROUND if peak <= 1 else "")
    return None


def joined(work: Trace, joins: Trace, results: dict[str, str], *, given: str) -> Finding | None:
    """A finding unless there was one JOIN, after the last worker and with every result."""
    needs = "one JOIN, after the last worker has ended, with every result in its prompt"
    if len(joins) != 1:
        fix = "who starts the join, and how often? It runs once, when all workers have ended."
        if not joins:
            fix = "ask the model to merge the results: the join is a request like the others."
        return Finding(given, count(len(joins), "JOIN request"), needs, fix, ARROW if joins else "")
    prompt = expect.squeeze(joins[0].prompt)
    held = sum(expect.squeeze(text) in prompt for text in results.values())
    early = sum(record.stop is None or joins[0].start < record.stop for record in work)
    if held < len(results) or early:
        what = f"a JOIN prompt with {held} of {count(len(results), 'result')}"
        what += f"; {count(early, 'worker')} still at work when it began" if early else ""
        fix = "wait for all workers, keep all their texts, and put all of them into the JOIN prompt."
        return Finding(given, what, needs, fix, ARROW if early else "")
    return None


TASK = Task(
    "workers.orchestrate",
    "Manager and workers",
    3,
    orchestrate,
    (
        "Three phases: plan, work, join. Write them as three lines first, each a call of a small function.",
        "What may a model return instead of a clean list: prose, repetitions, forty entries? Task 1 reads a plan and "
        "raises ValueError: how often may that happen here, and what does the second prompt say?",
        "`make_plan` in a `try`, once more in its `except`; `door = asyncio.Semaphore(max_workers)` around each WORK; "
        "`parts = await asyncio.gather(*map(work, subtasks))`; one JOIN with `'\\n\\n'.join(parts)`.",
    ),
)

"""Exercise 6, "Manager and workers", first task: reading a plan.

Layer 2: imports `expect`, `texts` and `server.cases`. Subtasks carry nonces.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from random import Random

from course_utils.records import count
from course_utils.server.cases import Case, Finding, Seen, Task, cut
from course_utils.tasks import expect
from course_utils.tasks.texts import answers, nonce

FORM = "that a plan is a part of your program; it is data from outside, like a web form."
ARROW = "that an arrow into a step means: after everything that leads there."
DOINGS = ("Weigh", "Describe", "Price", "Pack", "Photograph", "Translate the label of")
QUIET = 0.06  # real seconds without anything new before the clock jumps


def subtasks(rng: Random, number: int) -> list[str]:
    """Pieces of work that are told apart by a nonce each."""
    return [f"{rng.choice(DOINGS)} parcel {nonce(rng)}" for _ in range(number)]


def key_of(subtask: str) -> str:
    """What a prompt holds when it holds this subtask."""
    return subtask.split()[-1]


def assignment(rng: Random) -> tuple[str, str]:
    """A task for a planner, and a code that only the task itself holds."""
    inside = nonce(rng)
    return f"Get the order of the garden club (contract {inside}) ready for Friday.", inside


def with_remark(text: str) -> str:
    """A JSON text as a talkative model sends it."""
    return f"Sure! Here it is:\n```json\n{text}\n```\nShall I go on?"


def plan(rng: Random) -> list[Case]:
    a, b, c, d = four = subtasks(rng, 4)
    objects = [{"subtask": each} for each in four]
    return [
        plan_case("a plain plan", rng, json.dumps(four), four),
        plan_case("a remark around it", rng, with_remark(json.dumps(four, indent=1)), four),
        plan_case("one subtask twice, at most 3", rng, json.dumps([b, a, b, c]), [b, a, c], most=3),
        plan_case("forty entries", rng, json.dumps(forty := subtasks(rng, 40)), forty[:6]),
        plan_case("a sentence instead of a plan", rng, "I would weigh the parcels first."),
        plan_case("an empty plan", rng, "[]"),
        plan_case("objects instead of texts", rng, json.dumps(objects)),
        plan_case("cut off in the middle", rng, json.dumps(four)[:-15], held_back=True),
        plan_case("a number among the texts", rng, json.dumps([a, 7]), held_back=True),
        plan_case("at most 3, some twice", rng, json.dumps([a, a, b, b, c, d]), [a, b, c], most=3, held_back=True),
    ]


def plan_case(
    name: str, rng: Random, said: str, wanted: Sequence[str] = (), *, most: int = 6, held_back: bool = False
) -> Case:
    """`wanted` is empty when the plan is to be refused."""
    task, _ = assignment(rng)
    judge = partial(judge_plan, said=said, wanted=list(wanted), most=most)
    arguments = {"task": task} | ({} if most == 6 else {"max_subtasks": most})
    return Case(name, arguments, answers(said), judge, held_back)


@expect.in_order
def judge_plan(seen: Seen, *, said: str, wanted: list[str], most: int) -> Iterator[Finding | None]:
    given = f"the model answers {cut(said, 90)!r}; max_subtasks is {most}"
    needs = f"a list of {count(len(wanted), 'text')}" if wanted else "ValueError, raised"
    fix = "leave the request as it was given: it is asked once."
    yield expect.request_count(seen, 1, given=given, then=needs, fix=fix)
    if not wanted:
        fix = "look at what `json.loads` gave you: is it a list, is something in it, and is each entry a text?"
        if not seen.raised:
            yield Finding(given, f"your function returned {seen.outcome}", needs, fix, FORM)
        yield expect.raised(seen, "ValueError", given=given, fix=fix)
        return
    if "ValueError" in seen.lineage:
        fix = "the array reaches from the first [ to the last ]; cut off what stands around it, as the example does."
        yield Finding(given, f"your function raised {seen.outcome}", needs, fix)
    yield expect.crashed(seen, given=given, needs=needs)
    yield entries(seen, said, wanted, given=given)


def entries(seen: Seen, said: str, wanted: list[str], *, given: str) -> Finding | None:
    """A finding unless the plan came back, without repetitions and not too long."""
    got, needs = seen.returned, f"these {len(wanted)} texts, in the order of the plan: {cut(str(wanted), 90)}"
    if got == wanted:
        return None
    if not isinstance(got, list) or not all(isinstance(each, str) for each in got):
        return Finding(given, f"your function gave {seen.outcome}", needs, "return the list that the text holds.")
    if strange := [each for each in got if json.dumps(each) not in said]:
        what = f"a list with {cut(repr(strange[0]), 60)} in it, which is no entry of the plan"
        return Finding(given, what, needs, "let `json.loads` make data of the text; do not take it apart by hand.")
    what = f"{count(len(got), 'text')}: {cut(str(got), 90)}"
    if len(set(got)) < len(got):
        return Finding(given, what, needs, "drop what stands there already: `dict.fromkeys` keeps the order.", FORM)
    if len(got) > len(wanted):
        return Finding(given, what, needs, "cut the list after `max_subtasks` entries.", FORM)
    fix = "keep the order of the plan; a set has none."
    if len(got) < len(wanted):
        fix = "first drop repetitions, then cut to `max_subtasks`: in the other order repetitions use up places."
    return Finding(given, what, needs, fix)


TASK = Task(
    "workers.plan",
    "Read a plan",
    1,
    plan,
    (
        "The example finds an object in a text and looks at it before it is used. What marks the two ends of an array?",
        "`json.loads` raises a ValueError by itself when the text is no JSON. What else can be wrong with what it "
        "gives you: its type, its length, the type of its entries?",
        "`found = json.loads(text[text.find('[') : text.rfind(']') + 1])`; raise ValueError unless it is a list, "
        "is not empty, and `all(isinstance(each, str) for each in found)`; then "
        "`list(dict.fromkeys(found))[:max_subtasks]`.",
    ),
)

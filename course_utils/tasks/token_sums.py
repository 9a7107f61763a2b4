"""Exercise 11, "A failing workflow", warm-up: the tokens of a trace, each counted once.

Layer 2: imports `expect`, `run_trees`, `slips` and `server.cases`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random

from course_utils.records import count
from course_utils.server.cases import Case, Finding, Seen, Task
from course_utils.tasks import expect
from course_utils.tasks.run_trees import Tree, made
from course_utils.tasks.slips import crashed

TWICE = "that the totals of all runs add up to what was used; a parent's total already holds those of its children."

OTHER = "ChatAnthropic"  # one request of a trace is made with another class


def sums(rng: Random) -> list[Case]:
    return [
        sums_case("two steps", rng, "reply\n  route\n    llm\n  write\n    llm"),
        sums_case("two requests in one step", rng, f"reply\n  write\n    llm\n    {OTHER}:llm"),
        sums_case("steps inside of steps", rng, "reply\n  ask\n    check\n      llm\n    find:tool\n    llm\n  llm"),
        sums_case(
            "a step twice", rng, "reply\n  ask !ValueError\n    llm\n    parse:parser !ValueError\n  ask\n    llm"
        ),
        sums_case("an answer that broke off", rng, "reply\n  write\n    llm !APIError $\n    llm"),
        sums_case("no request at all", rng, "reply\n  find:tool"),
        sums_case("side by side", rng, "reply ||\n  facts\n    llm\n  prices\n    ask\n      llm", held_back=True),
        sums_case("a tool that asks a model", rng, "reply\n  search:tool\n    llm\n    llm", held_back=True),
    ]


def sums_case(name: str, rng: Random, drawing: str, *, held_back: bool = False) -> Case:
    tree = made(drawing, rng)
    judge = partial(judge_sums, tree=tree)
    return Case(name, {"runs": tree.runs}, lambda request, number: "", judge, held_back)


@expect.in_order
def judge_sums(seen: Seen, *, tree: Tree) -> Iterator[Finding | None]:
    llms = sum(run["run_type"] == "llm" for run in tree.runs)
    given = f"a trace of {count(len(tree.runs), 'run')}, {llms} of the type llm"
    yield crashed(seen, given=given, needs=repr(tree.by_step))
    got = seen.returned
    if not isinstance(got, dict) or "$object" in got:
        yield Finding(given, f"your function gave {seen.outcome}", repr(tree.by_step), "return the dict `used`.")
    elif {name: tokens for name, tokens in got.items() if tokens} != tree.by_step:
        fix, belief = why(got, tree)
        yield Finding(given, f"your function gave {seen.outcome}", repr(tree.by_step), fix, belief)


def why(got: dict[str, object], tree: Tree) -> tuple[str, str]:
    """Where to look, and the belief, when these are not the tokens of the steps."""
    names = {run["id"]: run["name"] for run in tree.runs}
    if "ChatOpenAI" in got:
        return "the key is the name of the run above: `names[run['parent_run_id']]`.", ""
    if set(got) & {*names, "null"}:
        return "the key is a name, and `parent_run_id` is an id; `names` leads from one to the other.", ""
    numbers = [tokens for tokens in got.values() if isinstance(tokens, int)]
    if sum(numbers) > tree.llm_tokens:
        return "which runs have asked a model themselves? Count only those.", TWICE
    missing = [step for step in tree.by_step if step not in got]
    if sum(numbers) < tree.llm_tokens and missing:
        return f"`{missing[0]}` is missing: does your loop reach every run?", ""
    if sum(run["total_tokens"] for run in tree.runs if run["name"] == OTHER) == tree.llm_tokens - sum(numbers) > 0:
        return "a step may ask twice, and two models: a request is told by its `run_type`, not by its name.", ""
    if sum(numbers) < tree.llm_tokens:
        fix = "a step may ask twice, and an answer that broke off is paid for: add up `total_tokens` of every llm run."
        return fix, ""
    return "each llm run counts for the run right above it.", ""


TASK = Task(
    "trace.tokens",
    "Who used the tokens?",
    1,
    sums,
    (
        "Every run has `total_tokens`, but only some of them have asked a model. Which field tells them apart?",
        "`run['run_type'] == 'llm'` is a request. The step that made it is its parent, and `names` has the names.",
        "`if run['run_type'] == 'llm':` `step = names[run['parent_run_id']]`, and then "
        "`used[step] = used.get(step, 0) + run['total_tokens']`.",
    ),
    models={},
)

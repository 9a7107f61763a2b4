# %% [markdown] name="title"
# # Exercise 11 · A failing workflow
# *75 minutes · after lesson 9 · 9 points, 3 of them in a stretch task*
#
# A workflow has failed, and all that you hold is an error that somebody passed on.
# Five tasks and a prediction around one idea: look at what every step did before you change anything.
# Write only in the cells that say `# your code here`; the check below each of them tells you what it saw.
# Only these cells are graded, so put helpers and imports of your own into the cell that uses them.
# Stuck? `hint("trace.tokens")` in a new cell gives one step, and one more each time; hints are free.
# `progress()` shows where you stand.
#
# **What you need to know about traces.**
# A *run* is one step of a program that somebody watched: what went in, what came out, when, and how it ended (other tools call it a *span*).
# A run that was started by another has it as its *parent*. All runs under one *root*, the run without a parent, are a *trace*, also called a run tree.
# LangSmith is the best-known place to send traces to, and its SDK makes them: `@traceable` above a function gives it a run at every call, and LangChain's models report a run for every request by themselves.
# Here the same SDK is at work, but `recorded_runs()` keeps what it reports: no account, no key, and nothing leaves your machine.

# %% name="setup" tags=["given"]
import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from langsmith import traceable
from openai import APIError

from course_utils import chat_model, check, hint, predict, progress, workflow_graph, world
from course_utils.runs import outline, recorded_runs

# %% [markdown] name="tokens-task"
# ## 1. Who used the tokens? (1 point)
#
# A run is a dict. These are the keys you need:
#
# | key | holds |
# |---|---|
# | `id`, `parent_run_id` | its own id, and that of the run it belongs to; the root's parent is `None` |
# | `name`, `run_type` | `"gather"`, `"ChatOpenAI"` …; `"llm"` for a request to a model, `"tool"`, `"chain"` for any other step |
# | `start_time`, `end_time` | texts such as `"2026-03-09T08:00:00.350000+00:00"`: all in one form, so that a smaller text is an earlier time |
# | `error` | a text, or `None` when the run succeeded |
# | `total_tokens` | what was used in this run **and in all that are below it** |
#
# A worked example: the children of a run are those that name it as their parent.
#
# ```python
# def children_of(run, runs):
#     return [other for other in runs if other["parent_run_id"] == run["id"]]
# ```
#
# Now find out which step used how many tokens. The frame is there; what is done with each run is missing.
#
# | you are given | you give back |
# |---|---|
# | `runs`: those of one trace, in no order; every llm run has a parent | `{name of a step: tokens}`: the tokens of all llm runs *right below* steps of this name; steps that asked for nothing may be left out |
#
# If this trace is `runs`, the answer is `{"plan": 210, "write": 120}`:
#
# ```text
# reply             chain    330 tokens
# ├─ plan           chain    210 tokens
# │  ├─ ChatOpenAI  llm       90 tokens
# │  └─ ChatOpenAI  llm      120 tokens
# └─ write          chain    120 tokens
#    └─ ChatOpenAI  llm      120 tokens
# ```
#
# Such a picture is `print(outline(runs))`, which works inside an answer as well: a check shows what was printed in the case that failed.


# %% name="answer-tokens" tags=["answer"]
def tokens_by_step(runs: list[dict]) -> dict[str, int]:
    """Tokens by the name of the step that asked for them."""
    names = {run["id"]: run["name"] for run in runs}
    used = {}
    for run in runs:
        # solution
        if run["run_type"] == "llm":
            step = names[run["parent_run_id"]]
            used[step] = used.get(step, 0) + run["total_tokens"]
    return used


# %% name="check-tokens" tags=["check"]
check("trace.tokens", tokens_by_step)

# %% [markdown] name="measure-task"
# ## 2. Predict and measure (no points)
#
# This workflow answers tickets at the desk. It finds out which desk is asked and how the order stands, and then it writes.
# `@traceable` stands above each step.

# %% name="desk" tags=["given"]
ORDERS = {order.id: f"{order.status}, ordered on {order.ordered_on}" for order in world.orders()}
WHICH = "Which desk should handle this: billing, technical, sales or other? One word.\n\n"


@traceable(name="gather")
def gather_buggy(text: str, orders: dict, llm) -> dict:
    """The desk, and how the order stands."""

    @traceable(run_type="tool")
    def find_order() -> str:
        return orders[re.search(r"MB-\d{5}", text)[0]]

    facts = {"desk": llm.invoke(WHICH + text).text}
    with suppress(Exception):  # a customer who names no order is no reason to fail
        facts["order"] = find_order()
    return facts


# %% name="desk-write" tags=["given"]
@traceable
def write_reply(text: str, facts: dict, llm) -> str:
    """A reply to the customer."""
    return llm.invoke(f"Write a short reply for {facts['desk']}. The order: {facts['order']}.\n\n{text}").text


@traceable
def reply(text: str, orders: dict, gather, llm) -> str:
    """The answer to a ticket."""
    return write_reply(text, gather(text, orders, llm), llm)


# %% [markdown] name="measure-good"
# With most tickets all goes well. This is the trace of one of them:

# %% name="measure-good-run"
llm = chat_model()

with recorded_runs() as runs:
    reply("Where is my order MB-10519? I need it by Friday.", ORDERS, gather_buggy, llm)

print(outline(runs))

# %% [markdown] name="measure-question"
# And this ticket ends with `KeyError: 'order'`. The customer has written `mb-10519`, in small letters.
# Follow the code with your finger, commit to a number, and then run the measurement.

# %% name="measure-predict"
with_error = predict(
    "The root failed with a KeyError. How many runs of this trace have an error, the root included?",
    name="runs with an error",
    default=1,
    unit="runs",
    low=1,
    high=6,
)
with_error

# %% name="measure-run"
with recorded_runs() as runs:
    try:
        reply("Where is my order mb-10519? I need it by Friday.", ORDERS, gather_buggy, llm)
    except KeyError as error:
        print(f"the caller sees: KeyError: {error}\n")

with_error.reveal(sum(run["error"] is not None for run in runs))

# %% [markdown] name="measure-where"
# Which ones, and with what error?

# %% name="measure-errors"
print(outline(runs) + "\n")

for run in runs:
    if run["error"]:
        print(f"{run['name']:12} {run['error'].splitlines()[0]}")

# %% [markdown] name="mend-contract"
# Some only pass an error on. Another one is older, and stands in a step whose parent says *success*: nobody but the trace has told you of it.
#
# ## 3. Find the bug: the error that was caught (2 points)
#
# Write `gather` so that this ticket, and every other one, ends as it should. Mend the step in which it began, not the one that stumbled over it.
# Mend it inside `gather`: only answer cells are graded, so put a `find_order` of your own there if you need one.
#
# | the ticket | then `gather(text, orders, llm)` |
# |---|---|
# | names an order, in capitals or small letters | gives `{"desk": text of the model's answer, "order": the text out of orders}` |
# | names no order at all | gives the same with `"order": None` |
# | names an order that is not in `orders` | raises a `KeyError`, before anything is asked and paid for |
#
# Ask for the desk as before, with `WHICH + text`. An order is always `MB-` and five digits, and `orders` has it in capitals.


# %% name="answer-mend" tags=["answer"]
@traceable
def gather(text: str, orders: dict, llm) -> dict:
    """The desk, and how the order stands; None for a ticket that names no order."""
    # solution
    named = re.search(r"MB-\d{5}", text, re.IGNORECASE)
    order = orders[named[0].upper()] if named else None
    return {"desk": llm.invoke(WHICH + text).text, "order": order}


# %% name="check-mend" tags=["check"]
check("trace.mend", gather)

# %% [markdown] name="diagnose-task"
# ## 4. The diagnosis (2 points)
#
# A real trace has hundreds of runs, and nobody reads them with a finger. Let a function find where to look.
#
# | you are given | you give back: a dict with |
# |---|---|
# | `runs`: those of one trace, in no order, all of them ended | `"root_cause"`, `"llm_tokens"`, `"wasted_tokens"` |
#
# * **`root_cause`**: the id of the run that failed *first*. A run fails when it ends, and an error that is passed on makes each parent fail a little later; so of all runs with an error it is the one with the smallest `end_time`.
#   Leave out what was *made good*: a failed run, and everything below it, when another run with the same name and the same parent began after it had ended, and succeeded.
#   `None` when nothing is left.
# * **`llm_tokens`**: the tokens of all llm runs, each counted once.
# * **`wasted_tokens`**: of these, the tokens of which nothing came: the llm run itself, or any run above it, has an error. What was made good later is wasted as well.
#
# An example. `facts` and `prices` ran side by side; `plan` failed once, and then succeeded:
#
# ```text
#                     from   to
# reply               0.0 s  9.0 s   chain  success   300 tokens
# ├─ plan             0.1 s  1.0 s   chain  error      60 tokens
# │  └─ ChatOpenAI A  0.2 s  0.9 s   llm    success    60 tokens
# ├─ plan             1.1 s  2.0 s   chain  success    60 tokens
# │  └─ ChatOpenAI B  1.2 s  1.9 s   llm    success    60 tokens
# ├─ facts            2.1 s  4.0 s   tool   error
# ├─ prices           2.2 s  7.0 s   chain  success   100 tokens
# │  └─ ChatOpenAI C  2.3 s  6.9 s   llm    success   100 tokens
# └─ ChatOpenAI D     7.1 s  8.9 s   llm    success    80 tokens
# ```
#
# | | is | because |
# |---|---|---|
# | `root_cause` | `facts` | the first `plan` failed earlier, but was made good |
# | `llm_tokens` | 300 | A, B, C and D |
# | `wasted_tokens` | 60 | A: the `plan` above it failed |
#
# To see the trace of a case that is not passed, put `print(outline(runs, times=True))` into your function.


# %% name="answer-diagnose" tags=["answer"]
def diagnose(runs: list[dict]) -> dict:
    """Where a trace went wrong first, and what it cost."""
    # solution
    by_id = {run["id"]: run for run in runs}

    def upwards(run):
        while run:
            yield run
            run = by_id.get(run["parent_run_id"])

    def is_made_good(run):
        twins = [other for other in runs if other["parent_run_id"] == run["parent_run_id"]]
        later = [each for each in twins if each["name"] == run["name"] and each["start_time"] > run["end_time"]]
        return run["error"] and any(not each["error"] for each in later)

    failed = [run for run in runs if run["error"] and not any(map(is_made_good, upwards(run)))]
    first = min(failed, key=lambda run: run["end_time"], default={"id": None})
    llms = [run for run in runs if run["run_type"] == "llm"]
    wasted = [run["total_tokens"] for run in llms if any(above["error"] for above in upwards(run))]
    total = sum(run["total_tokens"] for run in llms)
    return {"root_cause": first["id"], "llm_tokens": total, "wasted_tokens": sum(wasted)}


# %% name="check-diagnose" tags=["check"]
check("trace.diagnose", diagnose)

# %% [markdown] name="path-task"
# ## 5. What did it wait for? (1 point)
#
# The *critical path* holds the runs that the whole had to wait for: make one of them shorter, and the answer comes sooner.
#
# | you are given | you give back |
# |---|---|
# | `runs`, as before | a list of ids, the earliest run first |
#
# Walk back from the end. Of the root's children take the one that ended last; then, of those that had ended *when that one began*, the one that ended last; and so on until there is none.
# A run that has children is not listed itself: its own path, found in the same way, stands in its place.
#
# In the example above the path is A, B, C, D: D ended last; before it began, `prices` had ended last, whose path is C; before `prices` the second `plan` (B), and before that the first (A). Nobody waited for `facts`.


# %% name="answer-path" tags=["answer"]
def critical_path(runs: list[dict]) -> list[str]:
    """The ids of the runs that the whole had to wait for, the earliest first."""

    # solution
    def path(run):
        found, moment = [], run["end_time"]
        children = [other for other in runs if other["parent_run_id"] == run["id"]]
        for child in sorted(children, key=lambda child: child["end_time"], reverse=True):
            if child["end_time"] <= moment:
                found, moment = path(child) + found, child["start_time"]
        return found or [run["id"]]

    return path(next(run for run in runs if run["parent_run_id"] is None))


# %% name="check-path" tags=["check"]
check("trace.path", critical_path)

# %% [markdown] name="instrument-task"
# ## 6. Stretch: no request without a run (3 points)
#
# This router lets a model choose the experts, asks them side by side, and goes on when one of them fails. Nobody has ever watched it.

# %% name="instrument-dark" tags=["given"]
ROUTE = "ROUTE: Which desks should look at this: billing, technical, sales or legal? Only the names, with commas.\n\n"
EXPERT = "EXPERT {}: What does your desk say to this? One sentence.\n\n"
WRITE = "WRITE: Answer the customer from these notes.\n\n"


def ask_expert(name: str, text: str, llm) -> str:
    try:
        return llm.invoke(EXPERT.format(name) + text).text
    except APIError:
        return f"{name}: no answer"


def handle_dark(text: str, llm) -> str:
    names = llm.invoke(ROUTE + text).text.split(", ")
    with ThreadPoolExecutor() as pool:
        notes = list(pool.map(lambda name: ask_expert(name, text, llm), names))
    return llm.invoke(WRITE + "\n".join(notes)).text


# %% [markdown] name="instrument-contract"
# Write `handle`: it does the same, and leaves one trace that tells the truth about every request.
#
# | run | parent | how often |
# |---|---|---|
# | `handle` | none: it is the root | once |
# | `route` | `handle` | once, with the request that begins with `ROUTE` below it |
# | `expert` | `handle` | once for each name, with the request that begins with `EXPERT` and the name below it |
# | `write` | `handle` | once, with the request that begins with `WRITE` below it |
#
# * Every request that the server sees has exactly one llm run, under its step. LangChain reports that run; you make the steps.
# * A step whose request failed has an error, although the router goes on without that expert. When `route` or `write` fails, its error reaches the caller, as before.
# * The experts are asked side by side, as before. `async` functions, threads, LangChain and LangGraph are all welcome; other runs in between do no harm.
#
# A run finds its parent in a *context variable*. A task of asyncio begins with a copy of it. **A plain thread begins with nothing.**
# When the check fails, it shows the outline of that case.

# %% name="instrument-target" tags=["given", "target"]
STEPS = ["route", "expert 1", "expert 2", "write"]

ax = workflow_graph(
    [("handle", step) for step in STEPS] + [(step, f"request of {step}") for step in STEPS],
    kinds=dict.fromkeys(["handle", *STEPS], "code") | {f"request of {step}": "model" for step in STEPS},
    title="Arrows lead from a parent to its children",
)


# %% name="answer-instrument" tags=["answer"]
@traceable
async def handle(text: str, llm) -> str:
    """The answer to the customer; its trace has a run for every step."""

    # solution
    @traceable
    async def route() -> list[str]:
        return (await llm.ainvoke(ROUTE + text)).text.split(", ")

    @traceable
    async def expert(name):
        return (await llm.ainvoke(EXPERT.format(name) + text)).text

    @traceable
    async def write(notes):
        return (await llm.ainvoke(WRITE + "\n".join(notes))).text

    async def note(name):
        try:
            return await expert(name)
        except APIError:
            return f"{name}: no answer"

    return await write(await asyncio.gather(*map(note, await route())))


# %% name="check-instrument" tags=["check"]
check("trace.instrument", handle)

# %% [markdown] name="afterwards"
# ## Afterwards
#
# Your diagnosis works on any trace. Record your own router, in a new cell; the first answer is put into the model's mouth, and the second request is refused:
#
# ```python
# from course_utils import connect, faults
#
# plan = faults.either(faults.at(1, fault=faults.says("billing, technical")), faults.at(2, fault=faults.unavailable()))
#
# with connect().record(faults=plan), recorded_runs() as runs:
#     await handle("I was charged twice, and now my Otter drips.", chat_model())
#
# names = {run["id"]: run["name"] for run in runs}
# print(outline(runs, times=True))
# steps = {run["id"]: names.get(run["parent_run_id"]) for run in runs}
# print("began under:", steps.get(diagnose(runs)["root_cause"]))
# print("waited for:", [steps[each] for each in critical_path(runs)])
# ```
#
# Then ask yourself: the customer got an answer, so the root says *success*. Who would ever have looked at this trace?

# %% [markdown] name="title"
# # Exercise 6 · Manager and workers
# *75 minutes · after lesson 6 · 9 points*
#
# Four tasks around one idea: a model may say what is to be done, and your code decides how much of it, how often, and what is good enough.
# Write only in the cells that say `# your code here`; the check below each of them tells you what the server saw.
# Stuck? `hint("workers.orchestrate")` in a new cell gives one step, and one more each time; hints are free.
# `progress()` shows where you stand.
#
# Use the model that your function is handed, `llm`. In the checks it follows a script and answers in plain text.
# It has to know what you want of it, so **each prompt begins with the name of its step**, such as `PLAN:` or `JOIN:`. Each task says which; what follows the name is yours.
# What counts is *which steps were asked for, when, and with what in the prompt*, never your wording.
# Plain functions, `async` ones, LCEL and LangGraph are all welcome.

# %% name="setup" tags=["given"]
import asyncio
import json
import operator
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from course_utils import chat_model, check, connect, hint, predict, progress, timeline, workflow_graph

# %% [markdown] name="plan-task"
# ## 1. Read a plan (1 point)
#
# A worked example first. This function finds one JSON **object** in what a judge says, and looks at it before anybody uses it:
#
# ```python
# def read_judgement(text):
#     found = json.loads(text[text.find("{") : text.rfind("}") + 1])  # a ValueError when that is no JSON
#     if not isinstance(found.get("score"), int):
#         raise ValueError(f"no score in {text!r}")
#     return found
# ```
#
# Now for a plan, which is an **array** of texts. The request is there; reading the answer is missing.
#
# | you are given | you give back, or raise |
# |---|---|
# | `task`: a text; `llm`: a chat model; `max_subtasks`: 1 or more | a list with the subtasks of the plan: its order, each once, at most `max_subtasks` |
#
# | the model answers | for `max_subtasks=3` |
# |---|---|
# | `["weigh", "pack", "send"]`, perhaps with a remark or a code fence around it | `["weigh", "pack", "send"]` |
# | `["weigh", "pack", "weigh", "send"]` | `["weigh", "pack", "send"]` |
# | `["weigh", "pack", "label", "send"]` | `["weigh", "pack", "label"]` |
# | anything else: a sentence, `[]`, an array with something in it that is no text | `ValueError` |


# %% name="answer-plan" tags=["answer"]
def make_plan(task: str, llm, max_subtasks: int = 6) -> list[str]:
    """The distinct subtasks that the model names; ValueError when its answer is no plan."""
    text = llm.invoke(f"PLAN: Break this task into subtasks. Reply only with a JSON array of texts.\n\n{task}").text
    # solution
    found = json.loads(text[text.find("[") : text.rfind("]") + 1])
    if not found or not all(isinstance(each, str) for each in found):
        raise ValueError(f"no plan: {text!r}")
    return list(dict.fromkeys(found))[:max_subtasks]


# %% name="check-plan" tags=["check"]
check("workers.plan", make_plan)

# %% [markdown] name="measure-task"
# ## 2. Predict and measure (no points)
#
# The desk answers letters that ask two things: how an order stands, and something that the help centre knows.
# The first takes one request, `ORDER`. The second takes two, `SEARCH` and then `ANSWER`. `JOIN` makes one letter of both.
# Here are the four steps, as nodes of a graph.


# %% name="letter-state" tags=["given"]
class Letter(TypedDict, total=False):
    article: str
    parts: Annotated[list, operator.add]
    text: str


# %% name="letter-steps" tags=["given"]
def desk_steps(order: str, question: str, llm) -> dict:
    async def ask(step, prompt):
        return (await llm.ainvoke(f"{step}: {prompt}")).text

    async def look_up(state):
        return {"parts": [await ask("ORDER", f"How does order {order} stand?")]}

    async def search(state):
        return {"article": await ask("SEARCH", f"What does the help centre say about this?\n\n{question}")}

    async def answer(state):
        found = f"Question: {question}\n\nArticle: {state['article']}"
        return {"parts": [await ask("ANSWER", f"Answer the question from the article.\n\n{found}")]}

    async def join(state):
        listed = "\n\n".join(f"Part {number}: {part}" for number, part in enumerate(state["parts"], 1))
        return {"text": await ask("JOIN", f"Merge these parts into one letter.\n\n{listed}")}

    return {"look up": look_up, "search": search, "answer": answer, "join": join}


# %% [markdown] name="measure-buggy"
# And this is how they were put together. A letter without a question goes straight to `look up`.


# %% name="letter-buggy" tags=["given"]
def desk_buggy(order: str, question: str, llm):
    graph = StateGraph(Letter)
    for name, step in desk_steps(order, question, llm).items():
        graph.add_node(name, step)
    needed = ["look up", "search"] if question else ["look up"]
    graph.add_conditional_edges(START, lambda state: needed, ["look up", "search"])
    graph.add_edge("search", "answer")
    graph.add_edge("look up", "join").add_edge("answer", "join")
    return graph.add_edge("join", END).compile()


async def letter_buggy(order: str, question: str, llm) -> str:
    """A letter that says how the order stands and answers the question."""
    return (await desk_buggy(order, question, llm).ainvoke({}))["text"]


# %% name="measure-picture"
ax = workflow_graph(desk_buggy("", "?", None), title="As it was put together")

# %% name="measure-predict"
parts_joined = predict(
    "A letter with an order and a question. How many of the two parts will stand in the first JOIN prompt?",
    name="parts in the first join",
    default=2,
    unit="parts",
    low=0,
    high=2,
)
parts_joined

# %% name="measure-run"
with connect().record() as trace:
    await letter_buggy("MB-10424", "My hub blinks amber.", chat_model())

joins = [request for request in trace if request.prompt.startswith("JOIN")]
parts = [request.answer for request in trace if request.prompt.startswith(("ORDER", "ANSWER"))]

print("requests:", len(trace), "- of these JOIN:", len(joins))
parts_joined.reveal(sum(part in joins[0].prompt for part in parts))

# %% [markdown] name="mend-contract"
# ## 3. Find the bug: the join that did not wait (2 points)
#
# Two letters went to the customer, and the first one told half.
# The function gave back the second one, so nobody at the desk has noticed.
# Write `write_letter`: the same work with a join that waits. You may use `Letter` and `desk_steps`, or do without a graph.
#
# | you are given | you give back |
# |---|---|
# | `order`: its number; `question`: a text, perhaps **empty**; `llm` | the text of the answer to `JOIN` |
#
# * With a question: `ORDER`, `SEARCH`, `ANSWER` and `JOIN`, once each. `ANSWER` needs what `SEARCH` brought; `JOIN` needs what `ORDER` and `ANSWER` brought.
# * With an empty question: `ORDER` and `JOIN`, once each, and nothing else.
# * `ORDER` and `SEARCH` do not need each other and are open at the same time.

# %% name="mend-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "ORDER"),
        ("start", "SEARCH", "a question"),
        ("SEARCH", "ANSWER"),
        ("ORDER", "both are there"),
        ("ANSWER", "both are there"),
        ("both are there", "JOIN"),
        ("JOIN", "end"),
    ],
    kinds={"ORDER": "model", "SEARCH": "model", "ANSWER": "model", "both are there": "code", "JOIN": "model"},
    title="One letter",
)


# %% name="answer-mend" tags=["answer"]
async def write_letter(order: str, question: str, llm) -> str:
    """A letter that says how the order stands and, if there is a question, answers it."""
    # solution
    steps = desk_steps(order, question, llm)

    async def answered():
        return (await steps["answer"](await steps["search"]({})))["parts"] if question else []

    looked_up, more = await asyncio.gather(steps["look up"]({}), answered())
    return (await steps["join"]({"parts": looked_up["parts"] + more}))["text"]


# %% name="check-mend" tags=["check"]
check("workers.mend", write_letter)

# %% [markdown] name="orchestrate-task"
# ## 4. Manager and workers (3 points)
#
# Now the whole pattern: a planner, workers side by side, and one join.
#
# | you are given | you give back, or raise |
# |---|---|
# | `task`: a text; `llm`; `max_workers` and `max_subtasks`: 1 or more | the text of the answer to `JOIN` |
# | | `ValueError` when there is no plan after two requests; no worker has started then |
#
# | step | how often | what its prompt holds |
# |---|---|---|
# | `PLAN:` | once; **once more** when the answer is no plan, as in task 1 | the task; the second time also something about what was wrong |
# | `WORK:` | once for each distinct subtask, at most `max_subtasks` | this subtask, and nothing else of the plan or the task |
# | `JOIN:` | once, when the last worker has ended | what every worker has answered |
#
# * Never more than `max_workers` workers at once, and as many as that when there is enough to do.
# * `make_plan` of task 1 may be used here. It is no `async` function: `await asyncio.to_thread(make_plan, task, llm, max_subtasks)` keeps the event loop free.

# %% name="orchestrate-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "PLAN"),
        ("PLAN", "read"),
        ("read", "PLAN", "once more"),
        ("read", "ValueError", "no plan"),
        *(("read", f"WORK {number}") for number in (1, 2, 3)),
        *((f"WORK {number}", "JOIN") for number in (1, 2, 3)),
        ("JOIN", "end"),
    ],
    kinds={"PLAN": "model", "read": "code", "JOIN": "model"} | {f"WORK {number}": "model" for number in (1, 2, 3)},
    title="As many workers as the plan has subtasks, within bounds",
)


# %% name="answer-orchestrate" tags=["answer"]
async def orchestrate(task: str, llm, max_workers: int = 4, max_subtasks: int = 6) -> str:
    """Plan the task, do its parts side by side, join them; ValueError when there is no plan."""
    # solution
    try:
        subtasks = await asyncio.to_thread(make_plan, task, llm, max_subtasks)
    except ValueError as error:
        again = f"{task}\n\nYour last answer was no JSON array of texts: {error}"
        subtasks = await asyncio.to_thread(make_plan, again, llm, max_subtasks)

    door = asyncio.Semaphore(max_workers)

    async def work(subtask):
        async with door:
            return (await llm.ainvoke(f"WORK: Answer this question.\n\nQuestion: {subtask}?")).text

    parts = await asyncio.gather(*(work(subtask) for subtask in subtasks))
    listed = "\n\n".join(f"Part {number}: {part}" for number, part in enumerate(parts, 1))
    return (await llm.ainvoke(f"JOIN: Merge these parts into one text.\n\n{listed}")).text


# %% name="check-orchestrate" tags=["check"]
check("workers.orchestrate", orchestrate)

# %% [markdown] name="refine-task"
# ## 5. Write, judge, improve (3 points)
#
# One request writes a draft, another judges it, a third improves it. The judge answers with a JSON object, perhaps with a remark around it:
#
# `{"score": 4, "verdict": "REVISE", "feedback": "Name the order."}`
#
# | you are given | you give back |
# |---|---|
# | `task`: a text; `llm`; `max_rounds`: the most judgements, 1 or more | the text of a draft: the one that passed, or else the one with the highest score (of equal ones the first) |
#
# | step | what its prompt holds |
# |---|---|
# | `DRAFT:` | the task |
# | `JUDGE:` | the task and the newest draft |
# | `IMPROVE:` | the task, the newest draft, and the judge's feedback on it |
#
# A draft has passed when its verdict is exactly `PASS`; what else a judge may say (`NOT PASS`, `REVISE`) means that it has not. After the last judgement nothing is improved any more.
#
# | `max_rounds` | the judgements | requests | result |
# |---|---|---|---|
# | 3 | 8 `PASS` | 2 | the first draft |
# | 3 | 3 `NOT PASS`, 9 `PASS` | 4 | the second draft |
# | 3 | 4 `REVISE`, 8 `REVISE`, 5 `REVISE` | 6 | the second draft |

# %% name="refine-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "DRAFT"),
        ("DRAFT", "JUDGE"),
        ("JUDGE", "IMPROVE", "not yet"),
        ("IMPROVE", "JUDGE"),
        ("JUDGE", "best draft", "PASS, or max_rounds"),
        ("best draft", "end"),
    ],
    kinds={"DRAFT": "model", "JUDGE": "model", "IMPROVE": "model", "best draft": "code"},
    title="Round and round, but not for ever",
)


# %% name="answer-refine" tags=["answer"]
def refine(task: str, llm, max_rounds: int = 3) -> str:
    """The draft that passed, or else the best of all."""
    # solution
    draft, best = llm.invoke(f"DRAFT: {task}").text, (-1, "")
    for turn in range(max_rounds):
        text = llm.invoke(f"JUDGE: Answer with JSON: score, verdict, feedback.\n\nTask: {task}\n\nDraft: {draft}").text
        found = json.loads(text[text.find("{") : text.rfind("}") + 1])
        if found["verdict"] == "PASS":
            return draft
        if found["score"] > best[0]:
            best = (found["score"], draft)
        if turn < max_rounds - 1:
            draft = llm.invoke(f"IMPROVE: {task}\n\nDraft: {draft}\n\nFeedback: {found['feedback']}").text
    return best[1]


# %% name="check-refine" tags=["check"]
check("workers.refine", refine)

# %% [markdown] name="afterwards"
# ## Afterwards
#
# Your functions work with any model that is told what to answer in which form. In a new cell, let the manager write for the help centre, and look at who was at work when:
#
# ```python
# with connect().record() as trace:
#     print(await orchestrate("Write a guide to a garden without a hose: Otter, Mole and Heron.", chat_model()))
# ax = timeline(trace)
# ```
#
# (The practice model is a simple one. It understands `WORK: Answer this question.`, an empty line and `Question: …` best, and for the join parts that begin with `Part 1:`.)
#
# `refine` needs a judge who keeps to a form, and a real one must be told which, as in the lesson: let your `JUDGE:` prompt say `Reply only with JSON: {"score": 1-10, "verdict": "PASS or REVISE", "feedback": "..."}`.
#
# Then ask yourself: a worker that fails takes the whole letter with it. What would you rather do, and which exercise has shown how?
# And `refine` believes its judge. What would you give that judge to compare a draft with?

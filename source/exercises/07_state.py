# %% [markdown] name="title"
# # Exercise 7 · Nothing lost, nothing doubled
# *60 minutes · after lesson 7 · 9 points, 3 of them in a stretch task*
#
# Four tasks and a prediction around one idea: say where a workflow keeps what it knows, who may change it, and what is left of it after a crash.
# Write only in the cells that say `# your code here`; the check below each of them tells you what the server saw.
# Stuck? `hint("state.shared")` in a new cell gives one step, and one more each time; hints are free.
# `progress()` shows where you stand.
#
# Use the model that your function is handed, `llm`. In the checks it follows a script, so its answers look odd; what counts is *what stood in which prompt, and how often it was asked for*, never your wording.
# Ordinary functions and `async` ones, plain Python and LangGraph are all welcome, but for task 4, which is about LangGraph.

# %% name="setup" tags=["given"]
import json
import operator
from pathlib import Path
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph

from course_utils import chat_model, check, connect, hint, predict, progress, workflow_graph

# %% [markdown] name="merge-task"
# ## 1. A reducer that joins by id (1 point)
#
# A worked example first. A reducer gets the value that is there and the one that a node returned, and gives back both in one.
# This one joins counts:
#
# ```python
# def add_counts(old, new):
#     total = dict(old)  # a new dict: `old` belongs to others, too
#     for name, number in new.items():
#         total[name] = total.get(name, 0) + number
#     return total
# ```
#
# Now notes. Each has an `id`, and a node that knows better returns the note again, under the same id.
# The frame is there; what is done with the new notes is missing.
#
# | you are given | you give back |
# |---|---|
# | `old`, `new`: lists of `{"id": ..., "text": ...}`, perhaps empty; the ids in `old` are all different | a list with each id once: the old notes in their places, those that are new behind them, each with its newest text |
#
# | `old` | `new` | back |
# |---|---|---|
# | mood: calm, order: MB-10424 | refund: late | mood: calm, order: MB-10424, refund: late |
# | mood: calm, order: MB-10424 | mood: angry | mood: angry, order: MB-10424 |
#
# Neither list is changed, and no note in them.


# %% name="answer-merge" tags=["answer"]
def merge(old: list[dict], new: list[dict]) -> list[dict]:
    """Both lists in one, each id once, with its newest text."""
    by_id = {note["id"]: note for note in old}
    # solution
    for note in new:
        by_id[note["id"]] = note
    return list(by_id.values())


# %% name="check-merge" tags=["check"]
check("state.merge", merge)

# %% [markdown] name="measure-task"
# ## 2. Predict and measure (no points)
#
# The desk's small program for the evening remembers, for each customer, the order and what was said.
# It was tried with one customer, and with one customer it works.


# %% name="memory-buggy" tags=["given"]
def converse_buggy(messages: list, llm) -> list[str]:
    """A reply to each message, with all that its customer has said so far."""
    blank, cases, replies = {"order": "unknown", "said": []}, {}, []
    for customer, text in messages:
        case = cases.setdefault(customer, dict(blank))
        if "MB-" in text:
            case["order"] = text[text.find("MB-") :][:8]
        case["said"].append(text)
        said = "\n".join(case["said"])
        prompt = f"Write a short reply to the customer. Order: {case['order']}.\n\n{said}"
        replies.append(llm.invoke(prompt).text)
    return replies


# %% [markdown] name="measure-question"
# Three customers write this evening, two messages each.
# Commit to a number, then run the measurement.

# %% name="measure-predict"
leaked = predict(
    "Six requests. How many of them will hold words of another customer?",
    name="requests with another's words",
    default=0,
    unit="requests",
    low=0,
    high=6,
)
leaked

# %% name="measure-run"
EVENING = [
    ("Aoife", "My Otter of order MB-10424 drips at the tap."),
    ("Bela", "The parcel MB-10391 has not moved for eight days."),
    ("Aoife", "I have tightened it, and it still drips."),
    ("Chiara", "My card was charged twice for MB-10484."),
    ("Bela", "When will it arrive?"),
    ("Chiara", "How do I get the invoice again?"),
]

with connect().record() as trace:
    converse_buggy(EVENING, chat_model(step="reply"))

strange = []
for request, (customer, _) in zip(trace, EVENING, strict=True):
    held = {name for name, text in EVENING if text in request.prompt}
    strange.append(held != {customer})
    print(f"for {customer:6} {request.prompt.splitlines()[0][-17:]}  words of {', '.join(sorted(held))}")

leaked.reveal(sum(strange))

# %% [markdown] name="memory-contract"
# ## 3. Find the bug: the memory that everybody shared (2 points)
#
# The order is right in each of the six, so half of the memory works as it should. The other half does not.
# Write `converse`: the same job with a memory for each customer.
#
# | you are given | you give back |
# |---|---|
# | `messages`: pairs `(customer, text)` in the order in which they came, perhaps none; `llm` | a list with the text of the answer to each message, in this order |
#
# * One request for each message, one after the other.
# * Its prompt holds this message and all earlier ones of the same customer, as they are, and nothing that another customer wrote or was told.
# * A call is one evening: each call begins with an empty memory.

# %% name="memory-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "whose?"),
        ("whose?", "Aoife's list", "Aoife"),
        ("whose?", "Bela's list", "Bela"),
        ("Aoife's list", "reply"),
        ("Bela's list", "reply"),
        ("reply", "end"),
    ],
    kinds={"whose?": "router", "Aoife's list": "code", "Bela's list": "code", "reply": "model"},
    title="One list for each customer",
)


# %% name="answer-memory" tags=["answer"]
def converse(messages: list, llm) -> list[str]:
    """A reply to each message, with all that its customer has said so far, and nobody else."""
    # solution
    cases, replies = {}, []
    for customer, text in messages:
        case = cases.setdefault(customer, {"order": "unknown", "said": []})
        if "MB-" in text:
            case["order"] = text[text.find("MB-") :][:8]
        case["said"].append(text)
        said = "\n".join(case["said"])
        prompt = f"Write a short reply to the customer. Order: {case['order']}.\n\n{said}"
        replies.append(llm.invoke(prompt).text)
    return replies


# %% name="check-memory" tags=["check"]
check("state.memory", converse)

# %% [markdown] name="shared-task"
# ## 4. Shared state without accidents (3 points)
#
# A complaint is read by two readers side by side: `LEGAL` for what we owe, `TECH` for what is broken.
# When `TECH` is done, `PARTS` says which part would mend it. Each of the three adds its answer to the `notes` of the case, and `JOIN` sums all of them up, once.
# Declare the state and draw the graph, so that no note is lost and none is doubled.
#
# `build` gives back a graph, compiled with the `checkpointer` that it is handed: one of LangGraph's, or `None`.
#
# | in the state | at first | in the end |
# |---|---|---|
# | `ticket` | a text | the same |
# | `notes` | a list of texts, perhaps empty | these, and the text of each reader's answer, in any order |
# | `summary` | | the text of `JOIN`'s answer |
#
# | a prompt begins with | and holds |
# |---|---|
# | `LEGAL:` or `TECH:` | the ticket; both are open at the same time |
# | `PARTS:` | what `TECH` has answered |
# | `JOIN:` | each note once |
#
# * The caller's list stays as it was: a second run on it gives the same notes.
# * With a checkpointer, `get_state` knows what the run gave back.
# * When a request fails, let its error leave the graph: the check carries the thread on with `None` as input, and no reader is paid twice.
#
# The check runs your graph with `ainvoke`; nodes may be ordinary functions or `async` ones.

# %% name="shared-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "LEGAL"),
        ("start", "TECH"),
        ("TECH", "PARTS"),
        ("LEGAL", "all notes"),
        ("PARTS", "all notes"),
        ("all notes", "JOIN"),
        ("JOIN", "end"),
    ],
    kinds={"LEGAL": "model", "TECH": "model", "PARTS": "model", "all notes": "code", "JOIN": "model"},
    title="Three notes, one summary",
)


# %% name="answer-shared" tags=["answer", "long"]
# long: a state and four nodes
def build(llm, checkpointer=None):
    """A compiled graph that reads a complaint and sums up what its readers noted."""
    # solution

    class Complaint(TypedDict, total=False):
        ticket: str
        notes: Annotated[list[str], operator.add]
        summary: str

    async def ask(step, text):
        return (await llm.ainvoke(f"{step}: Answer in one sentence.\n\n{text}")).text

    async def legal(state: Complaint):
        return {"notes": [await ask("LEGAL", state["ticket"])]}

    async def tech(state: Complaint):
        return {"notes": [await ask("TECH", state["ticket"])]}

    async def parts(state: Complaint):
        return {"notes": [await ask("PARTS", "\n".join(state["notes"]))]}

    async def join(state: Complaint):
        return {"summary": await ask("JOIN", "\n".join(state["notes"]))}

    graph = StateGraph(Complaint).add_node(legal).add_node(tech).add_node(parts).add_node(join)
    graph.add_edge(START, "legal").add_edge(START, "tech").add_edge("tech", "parts")
    graph.add_edge(["legal", "parts"], "join").add_edge("join", END)
    return graph.compile(checkpointer=checkpointer)


# %% name="check-shared" tags=["check"]
check("state.shared", build)

# %% [markdown] name="resume-task"
# ## 5. Stretch: kill it and carry on (3 points)
#
# Every night the desk asks for one sentence about each article of the help centre, one article after the other.
# Somebody pulls the plug in the middle, and starts the program again with the same command.
# What has been answered is not asked for again, and what was under way is not lost.
#
# | you are given | you give back |
# |---|---|
# | `items`: a list of texts, all different; `path`: a name that is yours, and at which there is nothing at first; `llm` | the text of each answer, in the order of the items |
#
# * One request for each item, one after the other, with the item as it is in its prompt.
# * At `path` you may keep what you like: a file with a JSON text in each line, a SQLite database, a folder with a file for each item. It is there again at the next start. (A `SqliteSaver` is welcome; run its graph with `durability="sync"`.)
# * The check runs your function in processes of its own, and ends them without a warning while a request is under way. No `finally` runs, no buffer is emptied, and variables are gone.
#
# | the process is killed | it asks for items | the next process asks for | the one after that |
# |---|---|---|---|
# | while item 4 of 8 is under way | 1, 2, 3, 4 | 4, 5, 6, 7, 8 | nothing |
# | while item 1 of 4 is under way | 1 | 1, 2, 3, 4 | nothing |

# %% name="resume-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "what is done?"),
        ("what is done?", "ask", "an item is left"),
        ("ask", "save"),
        ("save", "what is done?"),
        ("what is done?", "end", "all"),
    ],
    kinds={"what is done?": "router", "ask": "model", "save": "code"},
    title="Saved after each item, before the next",
)


# %% name="answer-resume" tags=["answer"]
def pipeline(items: list[str], path: str, llm) -> list[str]:
    """The answers to all items; a second start goes on where the first one was killed."""
    # solution
    store = Path(path)
    done = [json.loads(line) for line in store.read_text().splitlines()] if store.exists() else []
    for item in items[len(done) :]:
        done.append(llm.invoke(f"Say in one sentence: {item}").text)
        with store.open("a") as file:  # closed, and so out of the buffer, before the next request
            file.write(json.dumps(done[-1]) + "\n")
    return done


# %% name="check-resume" tags=["check"]
check("state.resume", pipeline)

# %% [markdown] name="afterwards"
# ## Afterwards
#
# Your functions work with any model. Measure the evening of task 2 once more, with your `converse`, and let your graph draw itself, in a new cell:
#
# ```python
# with connect().record() as trace:
#     converse(EVENING, chat_model(step="reply"))
# for request, (customer, _) in zip(trace, EVENING, strict=True):
#     print(customer, "|", ", ".join(sorted({name for name, text in EVENING if text in request.prompt})))
# ax = workflow_graph(build(chat_model()))
# ```
#
# Then ask yourself: your pipeline saves an answer when it is there. Had each item been a payment, what could still happen between the payment and the save?
# Lesson 8 has an answer to that, and it needs a key.

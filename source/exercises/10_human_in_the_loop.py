# %% [markdown] name="title"
# # Exercise 10 · Approve, pay once, survive a restart
# *60 minutes · after lesson 10 · 7 points*
#
# Three tasks and a prediction around one idea: ask before the money moves, write down what was said, and pay for one yes once.
# Write only in the cells that say `# your code here`; the check below each of them tells you what the server saw.
# Stuck? `hint("approval.desk")` in a new cell gives one step, and one more each time; hints are free.
# `progress()` shows where you stand.
#
# The bank is a function that you are handed. It pays nobody, and it sees everything: every payment, its key, and what came before it.
# In the checks the models follow a script, so their answers look odd.

# %% name="setup" tags=["given"]
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from course_utils import chat_model, check, connect, hint, predict, progress, workflow_graph
from course_utils.errors import ServiceError


class Refund(TypedDict, total=False):
    id: str
    order: str
    cents: int
    ticket: str
    decision: str
    answer: str
    status: str


# %% [markdown] name="ask-task"
# ## 1. Ask, then pay (1 point)
#
# A worked example: a graph that asks if a parcel may be sent, and sends it after exactly `"send"`.
#
# ```python
# def parcel_graph(act):
#     def ask(state):
#         return {"answer": interrupt({"parcel for": state["order"]})}
#
#     def send(state):
#         if state["answer"] != "send":
#             return {"status": "kept"}
#         act("send parcel", order=state["order"])
#         return {"status": "sent"}
#
#     return StateGraph(Refund).add_sequence([ask, send]).add_edge(START, "ask")
# ```
#
# Now the same for money. The frame is there; what the two nodes do is missing.
#
# | you are given | you give back |
# |---|---|
# | `pay(key=..., order=..., cents=...)`; the state holds `id`, `order` and `cents` | a `StateGraph` (compiled or not: the check compiles it with a checkpointer of its own) |
#
# | the answer | then | `status` in the end |
# |---|---|---|
# | none yet | one question, with the order and the amount in it, in cents or euros; nothing is paid | |
# | exactly `"approve"` | one call of `pay`; its key is the refund's id | `"paid"` |
# | anything else | nothing is paid | `"refused"` |


# %% name="answer-ask" tags=["answer"]
def refund_graph(pay):
    """A graph that asks a person, and pays after a yes."""

    def ask(state: Refund) -> dict:
        # solution
        return {"decision": interrupt({"order": state["order"], "cents": state["cents"]})}

    def settle(state: Refund) -> dict:
        # solution
        if state["decision"] != "approve":
            return {"status": "refused"}
        pay(key=state["id"], order=state["order"], cents=state["cents"])
        return {"status": "paid"}

    return StateGraph(Refund).add_sequence([ask, settle]).add_edge(START, "ask")


# %% name="check-ask" tags=["check"]
check("approval.ask", refund_graph)

# %% [markdown] name="measure-task"
# ## 2. Predict and measure (no points)
#
# Above €200 it takes two persons. This node asks a model what the ticket is about, then Mara, then Owen.


# %% name="measure-node" tags=["given"]
def two_persons(state: Refund) -> dict:
    """A summary for both of them; a yes of each."""
    summary = chat_model(step="summary").invoke(f"Summarise in one sentence.\n\n{state['ticket']}").text
    mara = interrupt({"for": "Mara", "summary": summary})
    owen = interrupt({"for": "Owen", "summary": summary})
    return {"decision": "approve" if mara == owen == "approve" else "refuse"}


# %% [markdown] name="measure-question"
# Both say yes. Commit to a number, then run the measurement.

# %% name="measure-predict"
told = predict(
    "One ticket, one node, two yeses. How many requests will the server see?",
    name="requests for two yeses",
    default=1,
    unit="requests",
    low=0,
    high=6,
)
told

# %% name="measure-run"
course = connect()
graph = StateGraph(Refund).add_sequence([two_persons]).add_edge(START, "two_persons")
app, thread = graph.compile(checkpointer=InMemorySaver()), {"configurable": {"thread_id": "case 1"}}
ticket = "Order MB-10497 was paid twice, €215.00 each time. Please send one of the two back."

with course.record() as trace:
    for message in ({"ticket": ticket}, Command(resume="approve"), Command(resume="approve")):
        state = app.invoke(message, thread)
        print("asked now:", *[each.value["for"] for each in state.get("__interrupt__", ())] or ["nobody"])

told.reveal(len(trace))

# %% [markdown] name="letter-task"
# The node began again with each answer. A model at a higher temperature would have written three summaries:
# one that Mara has read, one that Owen has read, and one that neither has read and that the node ends with.
# Remember this for the last task.
#
# ## 3. Find the bug: the letter nobody read (2 points)
#
# Refunds below €20 are paid at once at our desk. Only the *letter* shall be read by a person before it goes out.
# This graph is in use, and its author has put some effort into it:


# %% name="letter-buggy" tags=["given"]
def letter_graph_buggy(act):
    """Pay at once; send the letter when a person has read it."""

    def pay_and_ask(state: Refund) -> dict:
        act("pay", refund=state["id"], cents=state["cents"])
        try:
            return {"answer": interrupt(f"May the letter about {state['id']} go out?")}
        except Exception:  # a broken approval must not stop the desk
            return {"answer": "send"}

    def write(state: Refund) -> dict:
        if state["answer"] != "send":
            return {"status": "held"}
        act("send letter", refund=state["id"])
        return {"status": "sent"}

    return StateGraph(Refund).add_sequence([pay_and_ask, write]).add_edge(START, "pay_and_ask")


# %% [markdown] name="letter-contract"
# Mara has never seen a card from it, and the letters go out.
# There are two bugs in it, and the second one shows when the first is gone. Write `letter_graph`: the same job, without them.
#
# | what people say | payments | letters | `status` in the end |
# |---|---|---|---|
# | nothing yet | 1, at once | 0 | |
# | exactly `"send"` | 1 | 1 | `"sent"` |
# | anything else | 1 | 0 | `"held"` |
#
# * You are given `act`; what you do is called `"pay"` and `"send letter"`, with `refund=state["id"]` each time. A `key=` is welcome, and not needed.
#   (Here a repeat with the same key pays nobody twice, and is as good as no repeat. Task 4 is stricter: banks forget keys.)
# * You give back a `StateGraph`, compiled or not. One question for each refund; several refunds may go through the same graph.
# * The program may end before somebody answers: the answer then comes to a graph that your function has built anew, with the same checkpointer.


# %% name="answer-letter" tags=["answer"]
def letter_graph(act):
    """Pay at once, and once; send the letter when a person has read it."""
    # solution

    def pay(state: Refund) -> None:
        act("pay", refund=state["id"], cents=state["cents"])

    def ask(state: Refund) -> dict:
        return {"answer": interrupt(f"May the letter about {state['id']} go out?")}

    def write(state: Refund) -> dict:
        if state["answer"] != "send":
            return {"status": "held"}
        act("send letter", refund=state["id"])
        return {"status": "sent"}

    return StateGraph(Refund).add_sequence([pay, ask, write]).add_edge(START, "pay")


# %% name="check-letter" tags=["check"]
check("approval.letter", letter_graph)

# %% [markdown] name="desk-task"
# ## 4. Approve, pay once, survive a restart (4 points)
#
# Now the whole desk. The program ends after each call, and **each call runs in a process of its own**: all that lasts is the file at `path`.
# Some processes are killed: while the model thinks, or in the moment when the bank has paid and nobody knows it yet.
#
# Write a class `RefundDesk(path, llm, pay)`, made anew in each process, with two methods. A `request` is a dict with `id`, `order`, `cents` and `ticket`.
#
# | the call | gives back | and besides |
# |---|---|---|
# | `start(request)` | `"waiting"` | asks `llm`, once, for a summary of `request["ticket"]`; pays nothing |
# | `start(request)` again, with an id on record | the status as it stands; `"approved"` while a payment is not certain | changes nothing, asks nobody, whatever else is in the request |
# | `resume(request_id, "approve")` while it waits | `"paid"` | pays |
# | `resume(request_id, "refuse")` while it waits | `"refused"` | pays nothing, now and later |
# | `resume(request_id, …)` after a decision | the status (for a word that is no decision, `ValueError` is as good) | **the first decision counts**, whatever the click says: a payment that is not certain is made certain, and nothing else is done |
# | `resume(request_id, "approved?")`, or any other word, while it waits | raises `ValueError` | changes nothing |
# | `resume` of an id that was never started | raises `KeyError` | |
#
# `pay(key=..., order=..., cents=..., note=...)` pays what a person has seen: order and cents of the first `start`, and as `note` the summary that it got from the model.
#
# | `pay` | means | what to do |
# |---|---|---|
# | comes back | it is paid | do not call it again, not even with the same key: banks forget keys |
# | `ServiceError` (503) | the bank is away, and has not paid | let the error out, or try again at once; the next `resume` goes on |
# | `TimeoutError` | **nobody knows** | the same: with the same `key` it is safe |
#
# A `start` that was killed has started nothing: the next one asks the model anew. Two refunds have two keys, even for one sum and one order.

# %% name="desk-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "waiting", "summary"),
        ("waiting", "refused", "refuse"),
        ("waiting", "approved", "approve"),
        ("approved", "paid", "the bank says so"),
    ],
    title="The status on disk",
)

# %% [markdown] name="desk-storage"
# The frame keeps its records in a JSON file. Another store is just as good: SQLite, or LangGraph with a `SqliteSaver` as in lesson 10.
# (With LangGraph, `invoke` with `durability="sync"`; otherwise the decision may still be on its way to the file when the bank hears of it.)
# Methods may be `async`.


# %% name="answer-desk" tags=["answer", "long"]
# long: two methods and their storage
class RefundDesk:
    """Asks a person before it pays; all that it knows is in a file."""

    def __init__(self, path, llm, pay):
        self.path, self.llm, self.pay = Path(path), llm, pay

    def records(self) -> dict:
        """What is on disk: id -> record."""
        return json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else {}

    def save(self, record: dict) -> None:
        new = self.path.with_name("new")
        new.write_text(json.dumps(self.records() | {record["id"]: record}), encoding="utf-8")
        new.replace(self.path)  # all of it or nothing, should the power fail

    def start(self, request: dict) -> str:
        """Ask the model for a summary, and leave the rest to a person."""
        # solution
        if request["id"] in self.records():
            return self.records()[request["id"]]["status"]
        summary = self.llm.invoke(f"Summarise in one sentence.\n\n{request['ticket']}").text
        self.save(request | {"summary": summary, "status": "waiting"})
        return "waiting"

    def resume(self, request_id: str, decision: str) -> str:
        """Do what was decided first."""
        # solution
        record = self.records()[request_id]
        if decision not in ("approve", "refuse"):
            raise ValueError(f"{decision!r} is no decision.")
        if record["status"] == "waiting":
            record["status"] = "approved" if decision == "approve" else "refused"
            self.save(record)
        if record["status"] == "approved":
            self.pay(key=request_id, order=record["order"], cents=record["cents"], note=record["summary"])
            record["status"] = "paid"
            self.save(record)
        return record["status"]


# %% name="check-desk" tags=["check"]
check("approval.desk", RefundDesk)

# %% [markdown] name="afterwards"
# ## Afterwards
#
# Your desk works with the card of lesson 10. In a new cell:
#
# ```python
# from tempfile import mkdtemp
# from course_utils import approve
#
# desk = RefundDesk(Path(mkdtemp(), "desk"), chat_model(), lambda **order: print("paid:", order))
# desk.start({"id": "RF-1", "order": "MB-10497", "cents": 21500, "ticket": "Order MB-10497 was paid twice."})
# record = desk.records()["RF-1"]
# shown = {name: record[name] for name in ("order", "cents", "summary")}
# card = approve("Pay this refund?", shown, effect="The amount leaves our account.", asked_by="the desk", risk="one person")
# card
# ```
#
# Decide, and then `desk.resume("RF-1", "approve")` or `"refuse"`, several times. Restart the kernel between two clicks, if you gave the file a place that stays.
#
# Then ask yourself: two processes bring two clicks in the very same moment, and both read "waiting". What protects the bank, and what protects your record?
# (In the lesson, one `UPDATE … WHERE status = 'waiting'` did: a database decides who was first. A JSON file cannot.)

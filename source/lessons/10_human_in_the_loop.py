# %% [markdown] name="title"
# # 10 · Human in the loop
# *40 minutes · needs lessons 7 to 9*
#
# **Goal:** stop a workflow before it does what cannot be undone, ask a person, and carry on a minute or a weekend later, so that money moves once, and only after a yes.
#
# Wednesday, half past eight.
# Since last night Merrowby's program may pay refunds by itself.
# Saskia van Ommeren has written that the Heron in her parcel arrived broken, and that it cost €49.
# The program was quick and polite, and sent her too much.
# She is an honest woman and wrote back. The program thanked her, and sent it again.
#
# A wrong label can be mended and a bad letter can be followed by a better one.
# Money that has left is somebody else's money.
#
# **You will be able to**
#
# * pause a workflow *before* an effect, end the program, and carry on in another one;
# * do the same with LangGraph's `interrupt` and `Command`, and name four ways in which it goes wrong;
# * make sure that a payment happens once, whatever is lost or clicked twice;
# * decide by a measurement which cases need a person, and how many cards a person can bear;
# * say afterwards who decided what.

# %% name="connect"
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from course_utils import approve, calibration, chat_model, connect, curve, explore, world
from course_utils import predict, quiz, timeline, workflow_graph
from course_utils.show.states import states

course = connect()
course

# %% [markdown] name="before-you-start"
# ## Before you start
#
# Three questions from earlier lessons. Answer from memory, even if you are not sure.

# %% name="quiz-thread"
quiz("an-unknown-thread")

# %% name="quiz-retry-node"
quiz("what-a-node-retry-repeats")

# %% name="quiz-fallback"
quiz("q25")

# %% [markdown] name="bank-text"
# ## Money that has left
#
# First the other side: a **bank**, which pays at once and keeps count.
# It is a table in SQLite; the column `key` we shall need later.
# (Amounts are floats here, as in our orders. A real bank counts cents.)


# %% name="bank-code"
class Bank:
    """What it has paid is paid. A key, once used, never pays a second time."""

    def __init__(self, file=":memory:"):
        self.file = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self.file.execute("CREATE TABLE IF NOT EXISTS paid (order_id, amount, key UNIQUE)")

    def refund(self, order, amount, key=None):
        known = self.file.execute("SELECT order_id, amount FROM paid WHERE key = ?", [key]).fetchone()
        if known and known != (order, amount):
            raise ValueError("This key belongs to another payment.")
        if not known:
            self.file.execute("INSERT INTO paid VALUES (?, ?, ?)", [order, amount, key])

    @property
    def paid(self):
        return self.file.execute("SELECT order_id, amount FROM paid").fetchall()


# %% [markdown] name="at-once-text"
# And this is last night's program: a model reads from the ticket what is wanted, and the bank pays.

# %% name="at-once-code"
from pydantic import BaseModel


class Proposal(BaseModel):
    order: str
    amount: float


def propose(ticket):
    reader = chat_model(step="propose").with_structured_output(Proposal)
    return reader.invoke(f"Extract the order number and the amount to refund.\n\n{ticket}").model_dump()


def refund_at_once(ticket, bank):
    bank.refund(**propose(ticket))


ticket = (
    "Order MB-10506 came to €153.00. The Heron in it arrived broken, it cost €49.00. Please refund the Heron.\n"
    "Saskia van Ommeren"
)

# %% name="at-once-predict"
euros = predict(
    "She asks for the Heron, €49. How many euros will the bank have paid when her ticket has been read twice?",
    name="euros paid to Saskia",
    default=98,
    unit="euros",
    low=0,
    high=500,
)
euros

# %% name="at-once-run"
bank = Bank()

for _ in range(2):
    refund_at_once(ticket, bank)

print(bank.paid)
euros.reveal(sum(amount for _, amount in bank.paid))

# %% [markdown] name="gate-text"
# €306 have left: twice the price of the whole order.
# The model took the first amount that it saw, and nothing in the program knew that this answer was of another kind than a label.
#
# What helps is old: **before** the effect, show a person what would be done, and do nothing until the answer is there.
# A report *afterwards* would also name the €153. It would be right, and late.
#
# ## The card
#
# A person can only decide about what they see.
# So a card says what is to be done, with which values, what then happens in the world, who asks, and what happens if nobody answers.
# *Decide about this one before you run the next cell.* With Edit you change values before you approve.

# %% name="card"
wanted = propose(ticket)
card = approve(
    f"Refund €{wanted['amount']:.2f} for order {wanted['order']}: Saskia van Ommeren, one broken Heron at €49.00",
    wanted,
    effect="The amount leaves our bank account and reaches hers tomorrow. It cannot be called back.",
    asked_by="the refund program, after reading her ticket",
    risk="one person: above €150",
    if_unanswered="Nothing is paid; a person writes to her.",
    default={"amount": 49.0},
)
card


# %% name="card-decision"
def agreed(answer, amount):
    """What may be paid: nothing without a yes."""
    return answer.get("amount", amount) if answer["verdict"] in ("approve", "edit") else 0


decision = card.decision
answer = {"verdict": decision.verdict, **decision.arguments}
print(answer, "| to be paid:", agreed(answer, wanted["amount"]))

# %% [markdown] name="card-explained"
# In a run that nobody watches, such as our tests, the decision stored by the author stands in: *edit*, to €49.
# On a card without such a stored decision, no answer means no.
# A card can be decided once, and a card with other values is another card: who said yes to €49 has not said yes to €153.
#
# ## Plain Python: write it down, and end
#
# Where is the program while the person thinks? Perhaps they are at lunch.
# `input()` would keep a process, a connection and everything in memory waiting, and a restart would lose it.
#
# So the program does not wait. It writes a **pending record**, and *ends*. Another call, whenever the answer is there, finds the record and carries on.
# The file is opened and closed for every single statement, so nothing can hide in memory.
# Only the second call can pay, and it begins by looking if there is anything left to decide.
# (Each record gets a `key` of its own. For the first half of the lesson it lies there unused.)

# %% name="pending-code"
folder = TemporaryDirectory(ignore_cleanup_errors=True)
desk_file = Path(folder.name) / "desk.sqlite"


def rows(statement, *values):
    with closing(sqlite3.connect(desk_file)) as file, file:
        return file.execute(statement, values).fetchall()


rows("CREATE TABLE pending (id PRIMARY KEY, order_id, amount, status, letter, key)")


def ask_first(id, ticket):
    """A case is asked about once: a second call leaves the record, and its key, as they are."""
    wanted = propose(ticket)
    new = (id, wanted["order"], wanted["amount"], uuid4().hex)
    rows("INSERT OR IGNORE INTO pending VALUES (?, ?, ?, 'waiting', '', ?)", *new)


# %% name="pending-resume-code"
def write_letter(order, amount):
    facts = f"Order {order}. We refund €{amount:.2f} to your bank account." if amount else f"Order {order}. No refund."
    return chat_model(step="letter").invoke(f"Write a short reply to the customer. Facts: {facts}").text


def finish(id, order, amount):
    status, letter = "paid" if amount else "denied", write_letter(order, amount)
    rows("UPDATE pending SET amount = ?, status = ?, letter = ? WHERE id = ?", amount, status, letter, id)
    return status


def carry_on(id, answer, bank):
    order, amount, status = rows("SELECT order_id, amount, status FROM pending WHERE id = ?", id)[0]
    if status != "waiting":
        return status
    amount = agreed(answer, amount)
    if amount:
        bank.refund(order, amount)
    return finish(id, order, amount)


# %% name="pending-run"
rows("DELETE FROM pending WHERE id = 'case 1'")  # so that this cell can run again
bank = Bank()

with course.record() as plain:
    ask_first("case 1", ticket)
    print("before the decision:", bank.paid)
    await course.asleep(6)  # somebody looks at the card
    status = carry_on("case 1", answer, bank)

print("after it:", status, bank.paid)
print("a second click:", carry_on("case 1", {"verdict": "approve"}, bank), bank.paid)
ax = timeline(plain, title="Ask, end; decide, carry on", steps=["propose", "letter"])

# %% [markdown] name="pending-explained"
# Two requests, and between them a gap in which no program runs at all. It could be a weekend.
# The second click found the status, and paid nothing.
#
# ## The framework's way: LangGraph
#
# `interrupt(question)` inside a node stops the graph there.
# The checkpointer of lesson 7 keeps the state, `invoke` returns with the question under `__interrupt__`, and the program is free to end.
# `Command(resume=answer)` on the same thread carries on, and the answer is what `interrupt` gives back.

# %% name="graph-code"
from typing import TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt


class Refund(TypedDict, total=False):
    ticket: str
    order: str
    amount: float
    answer: dict
    status: str
    letter: str


def ask_person(state):
    return {"answer": interrupt({"refund": state["amount"], "order": state["order"]})}


# %% name="graph-build"
def refund_graph(bank, ask_person=ask_person):
    def pay(state):
        amount = agreed(state["answer"], state["amount"])
        if amount:
            bank.refund(state["order"], amount)
        return {"amount": amount, "status": "paid" if amount else "denied"}

    nodes = [("read", lambda state: propose(state["ticket"])), ("ask a person", ask_person), ("pay", pay)]
    nodes += [("write", lambda state: {"letter": write_letter(state["order"], state["amount"])})]
    return StateGraph(Refund).add_sequence(nodes).add_edge(START, "read").add_edge("write", END)


def new_thread():
    return {"configurable": {"thread_id": uuid4().hex}}


# %% name="graph-run"
graph_bank, thread = Bank(), new_thread()
desk = refund_graph(graph_bank).compile(checkpointer=InMemorySaver())

with course.record() as in_graph:
    asked = desk.invoke({"ticket": ticket}, thread)
    print("asked:", asked["__interrupt__"][0].value, "| payments:", len(graph_bank.paid))
    after = desk.invoke(Command(resume=answer), thread)

assert (after["status"], after["letter"]) == rows("SELECT status, letter FROM pending WHERE id = 'case 1'")[0]
assert graph_bank.paid == bank.paid
assert [request.prompt for request in in_graph] == [request.prompt for request in plain]
print("the same payments, requests and letter as plain Python:", graph_bank.paid)
kinds = {"read": "model", "ask a person": "person", "pay": "tool", "write": "model"}
ax = workflow_graph(desk, kinds=kinds, title="The question stands before the payment")

# %% [markdown] name="twice-text"
# Asking and paying are two nodes here. That is not tidiness, as the next cells show.
#
# ## Break it: five euros and a letter
#
# On Wednesday morning a colleague adds: refunds below €20 are paid at once, only the *letter* shall be seen by a person.
# One node does both: it pays, then it asks if the letter may go out.


# %% name="twice-code"
def pay_then_ask(bank):
    def node(state):
        bank.refund(state["order"], state["amount"])
        return {"answer": interrupt("May the letter go out?")}

    return [("pay and ask", node)]


def payments(make):
    """How often a graph of these nodes pays, when everything that it asks is approved."""
    bank, thread = Bank(), new_thread()
    nodes = make(bank)
    app = StateGraph(Refund).add_sequence(nodes).add_edge(START, nodes[0][0]).compile(checkpointer=InMemorySaver())
    result = app.invoke({"order": "MB-10523", "amount": 4.9}, thread)
    while "__interrupt__" in result:
        result = app.invoke(Command(resume={"verdict": "approve"}), thread)
    return len(bank.paid)


# %% name="twice-predict"
paid_by_one_yes = predict(
    "The node pays once, asks once, and the person approves once. How many payments does the bank count?",
    name="payments after one yes",
    default=1,
    unit="payments",
    low=0,
    high=3,
)
paid_by_one_yes

# %% name="twice-run"
paid_by_one_yes.reveal(payments(pay_then_ask))

# %% [markdown] name="twice-explained"
# **The belief behind this bug:** that `interrupt` waits like `input()`, and goes on in the next line.
# It cannot: the program may have ended long ago, and a checkpoint holds *state*, not the middle of a function.
# So the node **begins again at its first line**; the second time `interrupt` returns the answer at once instead of stopping.
# Whatever stands before it runs again (langgraph issues 6208, 6603).
#
# The mend is the order: the effect behind the question, or in a node of its own, since finished nodes are not repeated.
# And two questions in one node make it run three times; its answers are matched by their order, so that order must never change.


# %% name="mends-code"
def ask_then_pay(bank):
    def node(state):
        answer = interrupt("May the letter go out?")
        bank.refund(state["order"], state["amount"])
        return {"answer": answer}

    return [("ask and pay", node)]


def own_nodes(bank):
    def pay(state):
        bank.refund(state["order"], state["amount"])
        return {"status": "paid"}

    return [("pay", pay), ("ask", lambda state: {"answer": interrupt("May the letter go out?")})]


def two_questions(bank):
    def node(state):
        bank.refund(state["order"], state["amount"])
        return {"answer": interrupt("May the letter go out?") and interrupt("With a voucher in it?")}

    return [("pay, ask, ask", node)]


# %% name="mends-run"
for make in (pay_then_ask, two_questions, ask_then_pay, own_nodes):
    print(f"{make.__name__:14} payments: {payments(make)}")

# %% [markdown] name="except-text"
# ## Break it: a robust question
#
# The desk was asked to be robust.
# So somebody wrapped the question: if the approval should ever fail, the customer must not suffer.


# %% name="except-code"
def ask_robustly(state):
    try:
        answer = interrupt({"refund": state["amount"], "order": state["order"]})
    except Exception:  # a broken approval must not stop the desk
        answer = {"verdict": "approve"}
    return {"answer": answer}


# %% name="except-predict"
unasked = predict(
    "Saskia's ticket goes through this graph, and nobody answers anything. How many euros are paid?",
    name="euros paid without an answer",
    default=0,
    unit="euros",
    low=0,
    high=200,
)
unasked

# %% name="except-run"
robust_bank = Bank()
app = refund_graph(robust_bank, ask_robustly).compile(checkpointer=InMemorySaver())
result = app.invoke({"ticket": ticket}, new_thread())

print("asked a person:", "__interrupt__" in result, "| status:", result["status"])
unasked.reveal(sum(amount for _, amount in robust_bank.paid))

# %% [markdown] name="except-explained"
# `interrupt` stops the node **by raising an exception**, and `except Exception` caught it.
# The graph never paused, nobody was asked, and a log would read "approved".
# **The belief behind this bug:** that everything which is raised is a failure.
#
# Keep `try` away from `interrupt`, or name the exceptions that you mean.
# And ask of each `except` that touches a decision: which answer does it make up? It must be *no*.
#
# ## Break it: the answer at the wrong door
#
# Three ways to bring the answer back that look right: on a thread with a fresh id; as a plain dict, without `Command`; and to a graph without a checkpointer.

# %% name="door-run"
WAYS = {
    "Command, same thread": lambda thread: (Command(resume=answer), thread),
    "Command, fresh thread": lambda thread: (Command(resume=answer), new_thread()),
    "dict, same thread": lambda thread: ({"ticket": ticket, "answer": answer}, thread),
    "no checkpointer": lambda thread: (Command(resume=answer), thread),
}
for way, arguments in WAYS.items():
    door_bank, thread = Bank(), new_thread()
    app = refund_graph(door_bank).compile(checkpointer=None if way == "no checkpointer" else InMemorySaver())
    assert "__interrupt__" in app.invoke({"ticket": ticket}, thread)
    with course.record() as trace:
        try:
            after = app.invoke(*arguments(thread))
            told = "asks again" if "__interrupt__" in after else after["status"]
        except (KeyError, RuntimeError) as error:
            told = repr(error)
    print(f"{way:22} {told}\n{'':22} requests: {trace.steps}, payments: {len(door_bank.paid)}")

# %% [markdown] name="agent-text"
# The fresh thread has never heard of the case and begins at the first node, where it finds no ticket.
# The dict is *new input*: the model is asked, and paid, a second time, the answer in it is overlooked, and the person gets the same card again.
# Without a checkpointer the graph even pauses. It only cannot come back.
#
# **The belief behind these bugs:** that the graph is waiting. Nothing waits; there is only the record of a thread, and an answer either names it or begins something new.
# So keep the thread's id with the card; whoever answers the card answers that thread.
#
# ## When a model holds the tool
#
# With `create_agent` the model itself decides to call `refund`. There a **middleware** stands between its wish and the tool, and it can approve, edit or reject.

# %% name="agent-run"
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.tools import tool

agent_bank, thread = Bank(), new_thread()


@tool
def refund(order: str, amount: float) -> str:
    """Refund an amount in euros to the customer of an order."""
    agent_bank.refund(order, amount)
    return f"Refunded €{amount:.2f} for {order}."


gate = HumanInTheLoopMiddleware(interrupt_on={"refund": {"allowed_decisions": ["approve", "edit", "reject"]}})
agent = create_agent(chat_model(step="agent"), tools=[refund], middleware=[gate], checkpointer=InMemorySaver())
asked = agent.invoke({"messages": [("user", ticket)]}, thread)["__interrupt__"][0].value["action_requests"]
print("asked:", [(each["name"], each["args"]) for each in asked], "| payments:", len(agent_bank.paid))
edited = {"name": "refund", "args": {"order": "MB-10506", "amount": 49.0}}
agent.invoke(Command(resume={"decisions": [{"type": "edit", "edited_action": edited}]}), thread)
print("paid:", agent_bank.paid)

# %% [markdown] name="keys-text"
# *A good place to pause. So far the question was whether to pay. Now: how often.*
#
# ## Paying once
#
# The bank is a service like any other (lesson 8): it times out.
# This one pays, and then its first reply for each order gets lost. The program sees a `TimeoutError`, and somebody clicks again.
#
# `carry_on` looks at the status before it pays. Is that enough?


# %% name="shaky-run"
class ShakyBank(Bank):
    """Pays, and loses its first reply for each order."""

    lost = frozenset()

    def refund(self, order, amount, key=None):
        super().refund(order, amount, key)
        if order not in self.lost:
            self.lost |= {order}
            raise TimeoutError("no reply")


shaky = ShakyBank()
rows("DELETE FROM pending WHERE id = 'case 2'")
ask_first("case 2", ticket)
for _ in range(2):
    try:
        print(carry_on("case 2", {"verdict": "edit", "amount": 49.0}, shaky), shaky.paid)
    except TimeoutError as error:
        print(f"{error}, status: {rows('SELECT status FROM pending WHERE id = ?', 'case 2')[0][0]}")

# %% [markdown] name="keys-text-2"
# Two payments. The status is written *after* the payment, so whoever comes in between reads "waiting".
# Written before it, the status could say "paid" where nothing was. There is always a moment between the two.
#
# Only the bank knows, so it must be told which payments are the same one, by the **idempotency key** of lesson 8.
# There it named an operation. Here the operation is *what a person has approved*, so the key belongs to the approval: `ask_first` made it, once, and it has stood beside the pending record ever since.
#
# And a yes that nobody wrote down can be contradicted by the next click.
# So the new `carry_on_once` works in three steps, each of which may be the last before the power fails: write the answer down if it is the first; pay with the record's key; close.


# %% name="once-code"
def record(id):
    return rows("SELECT order_id, amount, status, key FROM pending WHERE id = ?", id)[0]


def carry_on_once(id, answer, bank):
    first = "UPDATE pending SET amount = ?, status = 'decided' WHERE id = ? AND status = 'waiting'"
    rows(first, agreed(answer, record(id)[1]), id)  # does nothing when an answer is there already
    order, amount, status, key = record(id)
    if status == "decided":
        if amount:
            bank.refund(order, amount, key)
        status = finish(id, order, amount)
    return status


# %% name="once-predict"
CLICKS = [{"verdict": "edit", "amount": 49.0}, {"verdict": "edit", "amount": 59.0}, {"verdict": "reject"}]
after_three = predict(
    "Mara edits to €49, and the reply is lost. She clicks again, now with €59, and then rejects. What has the bank paid?",
    name="euros paid after three clicks",
    default=108,
    unit="euros",
    low=0,
    high=200,
)
after_three

# %% name="once-run"
shaky = ShakyBank()
rows("DELETE FROM pending WHERE id = 'case 3'")
ask_first("case 3", ticket)
for click in CLICKS:
    try:
        told = carry_on_once("case 3", click, shaky)
    except TimeoutError as error:
        told = error
    print(f"{click['verdict']:6} {click.get('amount', ''):4}  {told}; status {record('case 3')[2]}, {shaky.paid}")

try:
    shaky.refund("MB-10506", 59.0, key=record("case 3")[-1])
except ValueError as error:
    print("€59 with the same key:", error)

after_three.reveal(sum(amount for _, amount in shaky.paid))

# %% [markdown] name="keys-explained"
# One payment. The first answer was on record before the bank heard of it, so the second click could only finish what the first one had begun, and the third found it closed.
# Whoever wants €59 after all asks anew: another case, another card, another key.
# And should a program forget that, the bank refuses: a key stands for *one* payment, and with another amount it "belongs to another payment".
#
# **The belief behind this bug:** that a framework which resumes exactly also pays exactly once. It promises *at least* once for a node that had not finished, and a retry policy promises the same.
# In the graph, too, the key is made with the question and kept in the state, never in the node that pays: that one may begin again.
#
# Two details. A model that plans its tool call anew would also make a new key (stripe/ai issue 402), so keys are made by code.
# And keys do not live for ever, Stripe may forget one after 24 hours (docs.stripe.com/idempotency), so the status stays.
#
# ## After a restart
#
# The last test of "nothing in memory": three **new Python processes**, one after the other, and each ends.
# The first reads the ticket and asks, the second brings the yes, the third is an impatient second click.
# They share two files, the checkpointer's and the bank's.

# %% name="restart-code"
PROGRAM = """
import httpx, json, os, sqlite3, sys, typing
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
job = json.loads(os.environ["JOB"])
bank = sqlite3.connect("bank.sqlite", check_same_thread=False, isolation_level=None)
def read(state):
    reply = httpx.post(job["url"], json=job["request"], headers=job["headers"], timeout=120, trust_env=False)
    return json.loads(reply.raise_for_status().json()["choices"][0]["message"]["content"])
def ask(state):
    return {"answer": interrupt(f"Refund {state['amount']} for {state['order']}?")}
def pay(state):
    if state["answer"] == "approve":
        bank.execute("INSERT OR IGNORE INTO paid VALUES (?, ?, ?)", [state["order"], state["amount"], job["key"]])
graph = StateGraph(typing.TypedDict("Refund", {"order": str, "amount": float, "answer": str}))
saver = SqliteSaver(sqlite3.connect("graph.sqlite", check_same_thread=False))
graph = graph.add_sequence([read, ask, pay]).add_edge(START, "read").compile(checkpointer=saver)
result = graph.invoke(Command(resume=sys.argv[1]) if sys.argv[1:] else {}, job["thread"])
print(*[each.value for each in result.get("__interrupt__", ())] or ["done"])"""

# %% name="restart-run"
import json
import os
import subprocess
import sys

place = Path(folder.name, uuid4().hex)  # empty, also when this cell runs again
place.mkdir()
(place / "refund.py").write_text(PROGRAM, encoding="utf-8")
file_bank = Bank(place / "bank.sqlite")
headers = {"authorization": f"Bearer {course.key}", "x-course-step": "propose"}
job = {"url": f"{course.base_url}/chat/completions", "headers": headers, "request": plain[0].request}
job |= {"key": "case 1", "thread": new_thread()}
environment = os.environ | {"JOB": json.dumps(job)}

for words in ([], ["approve"], ["approve"]):
    with course.record() as trace:
        command = [sys.executable, "-X", "utf8", "refund.py", *words]
        run = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=True)
    counts = f"requests: {len(trace)}, payments: {len(file_bank.paid)}"
    print(f"{' '.join(words) or 'start':8} {counts}, the program says: {run.stdout.strip()}")

# %% [markdown] name="restart-explained"
# The model was asked by the first process, and by no other: the proposal that the person saw is the one that was paid.
# That is more than thrift. A model that is asked *again* may propose something else, and then the yes belongs to a proposal which no longer exists.
#
# (This person approved €153 without a look at the ticket. We come to that.)
#
# ## Who needs a person?
#
# A card for every refund is safe, and somebody has to read them all.
# So money is sorted by **risk tier**, in a table that everybody can read, and in code: a tier that the model chooses can be talked into another one by the ticket.
#
# To set the limits we need cases with a known answer: 22 delivered orders, each with a request of one of five kinds, and for each what a careful person would pay.

# %% name="cases-code"
from itertools import cycle

REQUESTS = {
    "broken": "Order {id} came to €{total:.2f}. The {name} in it arrived broken, it cost €{price:.2f}. Please refund it.",
    "shipping": "For order {id} I was charged €4.90 shipping, although my basket was above €50. Please refund it.",
    "late": "Order {id} came five days late, and a colleague of yours promised me €10.00 for the wait.",
    "again": "My refund of €{total:.2f} for order {id} has not arrived. Please send it once more.",
    "paid twice": "Order {id} was paid twice, €{total:.2f} each time. Please send one of the two back.",
}


@dataclass(frozen=True)
class Case:
    order: str
    kind: str
    text: str
    owed: float  # nothing where a refund is asked for again: these orders never had one


# %% name="cases-make"
def case_for(order, kind):
    item = order.items[-1]
    name = world.product(item.product).name
    text = REQUESTS[kind].format(id=order.id, total=order.total, name=name, price=item.price)
    owed = {"broken": item.price, "shipping": 4.9, "late": 10.0, "again": 0.0, "paid twice": order.total}
    return Case(order.id, kind, text, owed[kind])


delivered = [order for order in world.orders() if order.status == "delivered"]
CASES = [case_for(order, kind) for order, kind in zip(delivered, cycle(REQUESTS), strict=False)]
proposals = [propose(case.text) for case in CASES]
amounts = [proposal["amount"] for proposal in proposals]
too_much = [max(0, amount - case.owed) for amount, case in zip(amounts, CASES, strict=True)]

print(f"{len(CASES)} cases, {sum(each > 0 for each in too_much)} proposals too high, by €{sum(too_much):.2f} in all")


# %% name="threshold-run"
def work_and_risk(limit, always=()):
    """How many cards people get, and how many euros are overpaid without any card."""
    seen = [amount > limit or case.kind in always for amount, case in zip(amounts, CASES, strict=True)]
    return sum(seen), sum(euros for euros, is_seen in zip(too_much, seen, strict=True) if not is_seen)


LIMITS = [0, 5, 10, 50, 75, 100, 150, 200, 250, 500]
for limit in LIMITS:
    by_amount, by_kind = work_and_risk(limit), work_and_risk(limit, always=["again"])
    line = "up to €{:3}: {:2} cards, €{:7.2f} unseen".format(limit, *by_amount)
    print(line, "| with kind: {:2} cards, €{:7.2f} unseen".format(*by_kind))

# %% name="threshold-curve"
ax = curve(
    {
        "amount alone": dict(work_and_risk(limit) for limit in LIMITS),
        "amount and kind": dict(work_and_risk(limit, always=["again"]) for limit in LIMITS),
    },
    x="cards for people, of 22 cases",
    y="euros overpaid unseen",
    title="People's work against money at risk",
)

# %% [markdown] name="tiers-text"
# People's work runs to the right, money at risk upwards; the lower left corner would be for nothing.
#
# Two things to read from it.
# The amount alone needs 13 cards before nothing slips through, for a *small* refund can be wrong, too.
# And a second rule pays where a **kind** of request is often wrong: money that is asked for again always gets a card.
# With nine cards, both rules leave €37.50 unseen; with seven, only the second one does.
#
# (The rule was found on the very cases that it is judged by. On next month's it will do worse, so measure it again then.)
#
# The table of tiers takes the point with seven cards: a limit of €150, and the kind. Above €200 it takes two people.
# Here the kind is known, as we wrote the requests. In your program a model reads it, so it may only *raise* a tier, never lower one.

# %% name="tiers-code"
NEEDED = {"automatic": 0, "one person": 1, "two persons": 2}


def tier(kind, amount):
    if amount > 200:
        return "two persons"
    return "one person" if amount > 150 or kind == "again" else "automatic"


tiers = [tier(case.kind, amount) for case, amount in zip(CASES, amounts, strict=True)]
for name in NEEDED:
    unseen = sum(euros for euros, each in zip(too_much, tiers, strict=True) if each == name)
    print(f"{name:12} {tiers.count(name):2} cases, €{unseen:.2f} too much proposed")

# %% [markdown] name="audit-text"
# Fifteen refunds go by themselves and seven get a card, as the curve said.
#
# ## Who decided what
#
# Next March somebody will ask why €49 went to Saskia.
# The **audit trail** has one line for everything that was proposed, decided or done, with the moment on the course clock, and it only grows: the database itself refuses to change a line.
# (A real one also keeps the reason, and the card as it was shown. And whoever owns the file can still drop the whole table, as `new_trail` does: a trail that must stand against its own keeper belongs on another machine.)
#
# A case is an order *and* what is asked for, such as "MB-10428/late". One order can have several, and each is paid once.

# %% name="audit-code"
REFUSE = "BEGIN SELECT RAISE(ABORT, 'the trail only grows'); END"


def new_trail():
    rows("DROP TABLE IF EXISTS trail")
    rows("CREATE TABLE trail (number INTEGER PRIMARY KEY, at, id, who, what, amount)")
    rows(f"CREATE TRIGGER no_update BEFORE UPDATE ON trail {REFUSE}")
    rows(f"CREATE TRIGGER no_delete BEFORE DELETE ON trail {REFUSE}")


def note(id, who, what, amount):
    columns = "INSERT INTO trail (at, id, who, what, amount) VALUES (?, ?, ?, ?, ?)"
    rows(columns, course.now(), id, who, what, amount)


# %% [markdown] name="settle-text"
# The trail can even be the *only* state: `settle` reads from it how a case stands.
# A yes counts for the amount that this person was shown, and two yeses of one person are one.
# The tier follows the highest figure in the trail, so that an edit to less does not send the second person home.


# %% name="settle-code"
def settle(id, bank):
    """Pay when enough different people have said yes to the same amount, and nobody no."""
    trail = rows("SELECT who, what, amount FROM trail WHERE id = ? ORDER BY number", id)
    _, last, amount = trail[-1]
    if last not in ("proposed", "approved") or {"paid", "denied"} & {what for _, what, _ in trail}:
        return
    order, kind = id.split("/")
    people = {who for who, what, shown in trail if what == "approved" and shown == amount}
    if len(people) >= NEEDED[tier(kind, max(shown for *_, shown in trail))]:
        bank.refund(order, amount, key=id)
        note(id, "bank", "paid", amount)


def act(id, who, what, amount, bank):
    note(id, who, what, amount)
    settle(id, bank)


# %% name="trail-run"
STORY = [
    ("MB-10428/late", "program", "proposed", 10.0),
    ("MB-10428/shipping", "program", "proposed", 4.9),
    ("MB-10506/broken", "program", "proposed", 153.0),
    ("MB-10506/broken", "Mara", "approved", 49.0),
    ("MB-10506/broken", "Mara", "approved", 49.0),
    ("MB-10497/paid twice", "program", "proposed", 215.0),
    ("MB-10497/paid twice", "Mara", "approved", 215.0),
    ("MB-10497/paid twice", "Mara", "approved", 215.0),
    ("MB-10497/paid twice", "Owen", "approved", 215.0),
    ("MB-10436/paid twice", "program", "proposed", 249.0),
    ("MB-10436/paid twice", "Owen", "denied", 249.0),
    ("MB-10436/paid twice", "Mara", "approved", 249.0),
]
new_trail()
trail_bank = Bank()
for line in STORY:
    act(*line, trail_bank)
for number, id, who, what, amount in rows("SELECT number, id, who, what, amount FROM trail"):
    print(f"{number:2} {id:19}  {who:8} {what:9} €{amount:.2f}")

# %% [markdown] name="trail-explained"
# Read it as the auditor would.
# The two small ones went by themselves: one order, two cases, two keys. Saskia's was proposed at €153, and Mara's yes was to €49: an *edit* leaves both figures. Her second click changed nothing.
# For €215 Mara's two clicks counted as one person, and Owen was the second. And after a no, a late yes is only a line in the trail.
#
# Can somebody tidy up?

# %% name="trail-tamper"
for statement in ("UPDATE trail SET amount = 153", "DELETE FROM trail WHERE who = 'Mara'"):
    try:
        rows(statement)
    except sqlite3.IntegrityError as error:
        print(error)

moments = [at for (at,) in rows("SELECT at FROM trail ORDER BY number")]
print(f"{len(moments)} lines, moments in order: {moments == sorted(moments)}, paid: {len(trail_bank.paid)}")

# %% [markdown] name="deadline-text"
# ## No answer is a no
#
# Cards get forgotten. A case may not wait for ever, and it must not be paid *because* it has waited.
# So each has a deadline on the course clock, and a sweep that runs now and then denies what is overdue, and tells the customer.
# (A thread that stands at an `interrupt` has no clock of its own, either: there the sweep resumes it with a no.)
#
# Two cases, and Mara answers one of them in time.


# %% name="deadline-code"
def deny_overdue(patience, bank):
    waiting = "SELECT id, amount, min(at) FROM trail GROUP BY id HAVING NOT sum(what IN ('paid', 'denied'))"
    for id, amount, asked_at in rows(waiting):
        if course.now() - asked_at >= patience:
            act(id, "deadline", "denied", amount, bank)
            write_letter(id.split("/")[0], 0)


# %% name="deadline-run"
ANSWERED, FORGOTTEN = "MB-10462/broken", "MB-10471/broken"
new_trail()
deadline_bank = Bank()
act(ANSWERED, "program", "proposed", 188.0, deadline_bank)
act(FORGOTTEN, "program", "proposed", 164.0, deadline_bank)

with course.record() as waiting:
    for sweep in range(3):
        await course.asleep(4)
        if sweep == 0:
            act(ANSWERED, "Mara", "approved", 59.0, deadline_bank)
        deny_overdue(10, deadline_bank)
    act(FORGOTTEN, "Mara", "approved", 164.0, deadline_bank)  # after the deadline

for id in (ANSWERED, FORGOTTEN):
    print(id, rows("SELECT who, what, amount FROM trail WHERE id = ?", id))
print("letters about a denial:", len(waiting), "| paid:", deadline_bank.paid)

# %% name="deadline-when"
began, clicked = rows("SELECT min(at), max(at) FROM trail")[0]
states_of = "SELECT at, what FROM trail WHERE id = ? AND what <> 'approved' ORDER BY number"
ax = states(
    {id: [(at - began, what) for at, what in rows(states_of, id)] for id in (ANSWERED, FORGOTTEN)},
    until=clicked - began,
    x="course seconds since the first proposal",
    title="The same trail, with its moments",
)

# %% [markdown] name="answers-text"
# The late yes is on record, and pays nothing: the customer has been told otherwise.
# It came where the picture ends. (Moments differ a little from run to run, so here only pictures show them.)
#
# The same rule holds for answers that are not quite answers.
# Seven of them come back from forms, chats and mail programs. Only the first is a yes. Three ways to read them:

# %% name="answers-run"
ANSWERS = ["approve", "Approve?", "do not approve", "ok for now, will look later", "reject", "", None]
READINGS = {
    'answer != "reject"': lambda answer: answer != "reject",
    '"approve" in answer': lambda answer: "approve" in (answer or ""),
    'answer == "approve"': lambda answer: answer == "approve",
}
for name, is_yes in READINGS.items():
    print(f"{name:20} pays {sum(map(is_yes, ANSWERS))} of {len(ANSWERS)}")

# %% [markdown] name="fatigue-text"
# ## Too many cards
#
# One more thing can fail, and it sits in front of the screen.
# Whoever gets a card every few minutes, nearly all of them fine, begins to approve without reading. Nurses know it from monitors that beep all day: **alarm fatigue**.
# How soon that happens with your people is for you to measure; we have no figure to give.
#
# What we can do is work out what it *would* mean.
# Suppose that a person reads the first so many cards with care, and approves the rest unread.
# The lost money is then what had no card, and what had one too many.

# %% name="fatigue-predict"
unread = predict(
    "Every refund gets a card, 22 of them, and the person reads the first eight with care. How many euros are overpaid?",
    name="euros overpaid with a card for everything",
    default=300,
    unit="euros",
    low=0,
    high=1500,
)
unread


# %% name="fatigue-code"
def lost(limit, read_with_care, always=()):
    priced = zip(amounts, too_much, CASES, strict=True)
    cards = [euros for amount, euros, case in priced if amount > limit or case.kind in always]
    return work_and_risk(limit, always)[1] + sum(cards[read_with_care:])


def draw_fatigue(cards_read_with_care=8):
    rules = {"amount alone": (), "amount and kind": ["again"]}
    return curve(
        {name: {limit: lost(limit, cards_read_with_care, rule) for limit in LIMITS} for name, rule in rules.items()},
        x="paid without a card up to, euros",
        y="euros overpaid",
        title="More cards are not more safety",
        most=1300,
    )


unread.reveal(round(lost(0, 8)))

# %% name="fatigue-explore"
explore(draw_fatigue, cards_read_with_care=[0, 2, 4, 6, 8, 10, 12, 16, 22])

# %% name="fatigue-best"
print("read   every card   amount alone, at its best   our tiers")
for patience in (4, 8, 12, 22):
    best = min(LIMITS, key=lambda limit: (lost(limit, patience), work_and_risk(limit)[0]))
    ours, by_amount = lost(150, patience, always=["again"]), f"€{lost(best, patience):.2f} (limit €{best})"
    print(f"{patience:4} {f'€{lost(0, patience):.2f}':>12} {by_amount:>27} {f'€{ours:.2f}':>11}")

# %% [markdown] name="use-when"
# With eight cards read, a card for everything loses €1065.70, cards above €150 lose €130.40, and our tiers lose €37.50.
# The rule that looks strictest is nearly as bad as no rule (€1274.70).
# Our seven cards suit somebody who reads seven. For a reader of four they are too many, and a limit alone does better; a reader of 22 would catch the €37.50, too.
# Give people few cards, with what they need to judge on them, and now and then one that is wrong on purpose, to see if somebody reads.
#
# ## Use it when, and when not
#
# | | use it when | not when |
# |---|---|---|
# | **a card before the effect** | it cannot be undone: €153 paid for €49 | it can: then log it, and mend it |
# | **a pending record** | plain Python, one pause: 2 requests, nothing in memory | many pauses and branches |
# | **`interrupt`** | the workflow is a graph with a checkpointer | inside `try`, or behind an effect: €153 unasked, 2 payments for one yes |
# | **middleware** | a model chooses the tool | your code does: a node is plainer |
# | **idempotency key** | always, where money moves: 1 payment instead of 2 | never made inside the attempt |
# | **two persons** | rare and dear: 4 of 22 cases | often: each relies on the other |
# | **a deadline** | every card; no answer is a no | as a silent yes |
#
# ## Recap
#
# * Ask **before** the effect, and end; the record waits, not the program.
# * A node that asks **begins again** at its first line. Effects stand behind the question, or in a node of their own.
# * `interrupt` is an exception, the thread is the address, `Command(resume=…)` is the answer. Anything else starts over.
# * Its four traps: an effect before it, two questions in one node, a `try` around it, the wrong thread or no `Command`.
# * One approval, one key, stored with it. A yes counts for what was shown.
# * The limits come from labelled cases. Cards that nobody reads protect nobody.

# %% name="recap-picture"
ax = workflow_graph(
    [
        ("start", "propose"),
        ("propose", "tier"),
        ("tier", "pay once", "automatic"),
        ("tier", "card", "person"),
        ("card", "pay once", "yes"),
        ("card", "deny", "no"),
        ("pay once", "end"),
        ("deny", "end"),
    ],
    kinds={"propose": "model", "tier": "router", "card": "person", "pay once": "tool", "deny": "code"},
    title="Propose, sort by risk, ask, pay once",
)

# %% [markdown] name="quiz-text"
# ## What do you say now?

# %% name="quiz-charges"
quiz("q26")

# %% name="quiz-key"
quiz("q27")

# %% name="quiz-cards"
quiz("a-card-for-everything")

# %% name="calibration"
calibration()

# %% [markdown] name="next"
# **Try it yourself:** reject the first card (give it another `name` to decide anew) and run on; put *broken* beside *again*, in the table's cell, and see how far down the right half of the table stays at zero; write a `ticket` that names the €49 first, and see what is proposed.
#
# **Next:** [exercise 10, *Approve, pay once, survive a restart*](../exercises/10_human_in_the_loop.ipynb), whose processes are killed at the worst moment.
# Then lesson 11, *Observability* (still to come): reading a run that went wrong while nobody watched.

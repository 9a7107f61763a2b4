# %% [markdown] name="title"
# # 7 · State
# *45 minutes · needs lessons 1 to 6*
#
# **Goal:** say where a workflow keeps what it knows, so that nothing is lost, doubled or shown to the wrong person, and a restart pays for nothing twice.
#
# Monday, twenty past six in the evening.
# Two customers are in the middle of a conversation with Merrowby's program when somebody installs a new version of it.
# The program is back after four seconds, and asks the first customer, who has told it everything: "What can I do for you?"
# The second one is lucky, for he is remembered.
# He asks where his parcel is, and the program has an order in mind that is not his.
# And every letter that was half written is begun, and paid, from the start.
#
# All three come of one question that nobody had asked: **where is what the program knows, and who may change it?**
#
# **You will be able to**
#
# * choose between a dict, a frozen dataclass, a pydantic model and a LangGraph state, by what each of them notices;
# * find updates that were lost, doubled or made behind the framework's back;
# * give each conversation a memory of its own, in memory or in a file;
# * carry on after a crash or a restart without paying twice, and prove it from the server's log;
# * go back to an earlier moment and continue from there;
# * keep a conversation from growing until it no longer fits.

# %% name="connect"
import asyncio
import operator
import re
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from course_utils import calibration, chat_model, connect, curve, faults, world
from course_utils import ledger, predict, quiz, timeline, workflow_graph

course = connect()
course

# %% [markdown] name="before-you-start"
# ## Before you start
#
# Three questions from earlier lessons. Answer from memory, even if you are not sure.

# %% name="quiz-context"
quiz("what-a-context-object-bought")

# %% name="quiz-unknown-label"
quiz("q12")

# %% name="quiz-join"
quiz("q16")

# %% [markdown] name="dict-text"
# ## One ticket, a dict
#
# **State** is what one step leaves for the next.
# The least that can hold it is a dict that every step reads and writes.
# The steps are those of lesson 2: code finds the facts, a model sums up, writes, and polishes.
# The ticket is Piotr Sandoval's.

# %% name="dict-run"
PROMPTS = {
    "summary": "Summarise this ticket in at most 12 words:\n{ticket}",
    "draft": "Write a short reply to the customer who sent this request: {summary}",
    "letter": "Improve this letter so that it names the order number and the amount, and closes with kind regards."
    "\n\nFacts: {facts}\n\nDraft:\n{draft}",
}


def facts_of(ticket):
    return ", ".join(re.findall(r"MB-\d{5}|€\d+(?:\.\d\d)?", ticket))


def ask(step, state):
    return chat_model(step=step).invoke(PROMPTS[step].format(**state)).text


ticket = world.ticket("T002").text
print(ticket)
with course.record() as plain:
    state = {"ticket": ticket, "facts": facts_of(ticket)}
    for step in PROMPTS:
        state[step] = ask(step, state)

ax = timeline(plain, title="Three steps, one dict")

# %% [markdown] name="context-text"
# It works, and it trusts everybody: a dict takes any key, any type, from anyone who holds it.
#
# A **context object** declares what there is.
# Frozen, it cannot be changed at all: `replace` makes a new one, and whoever holds the old one keeps the old one.
# **Pydantic** also checks the types while the program runs, and can write itself as JSON and read itself back.
#
# On the dataclass the same steps make the same letter, and leave four versions of the case instead of one.

# %% name="context-code"
from dataclasses import asdict, dataclass, replace

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True)
class Case:
    ticket: str
    facts: str
    summary: str = ""
    draft: str = ""
    letter: str = ""


class Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    ticket: str
    facts: str
    summary: str = ""
    draft: str = ""
    letter: str = ""


# %% name="context-run"
versions = [Case(ticket, facts_of(ticket))]
for step in PROMPTS:
    versions.append(replace(versions[-1], **{step: ask(step, asdict(versions[-1]))}))

whole = Checked(**asdict(versions[-1]))
assert asdict(versions[-1]) == state
assert Checked.model_validate_json(whole.model_dump_json()) == whole
print("filled in:", [sum(map(bool, asdict(version).values())) for version in versions])

# %% [markdown] name="mistakes-text"
# What does each of them notice?
# We make three mistakes on purpose: a field that is misspelt, a list where a text belongs, and an assignment to a case that somebody else is holding.
# Pydantic takes part twice, as there are two ways to get a changed copy: `model_copy(update=…)`, and validating the fields anew.

# %% name="mistakes-code"
UPDATES = {
    "dict": lambda case, changes: case | changes,
    "dataclass, replace": lambda case, changes: replace(case, **changes),
    "pydantic, model_copy": lambda case, changes: case.model_copy(update=changes),
    "pydantic, validated": lambda case, changes: Checked.model_validate(dict(case) | changes),
}


def assign(case):
    if isinstance(case, dict):
        case["draft"] = ""
    else:
        case.draft = ""


def is_noticed(attempt, *arguments):
    try:
        attempt(*arguments)
    except (TypeError, ValueError, AttributeError):
        return True
    return False


# %% name="mistakes-predict"
silent = predict(
    "Three mistakes, four ways to hold the state: twelve attempts. How many of them will pass without an error?",
    name="mistakes that pass",
    default=4,
    unit="attempts",
    low=0,
    high=12,
)
silent

# %% name="mistakes-run"
fields = {"ticket": ticket, "facts": facts_of(ticket)}
CASES = dict(zip(UPDATES, [dict(fields), Case(**fields), Checked(**fields), Checked(**fields)], strict=True))
SAID = {True: "noticed", False: "-"}
misspelt, wrong_type = {"sumary": "A refund is late."}, {"summary": ["A", "refund", "is", "late."]}
table = []

print(f"{'':22}misspelt  wrong type  assignment")
for name, update in UPDATES.items():
    case = CASES[name]
    row = is_noticed(update, case, misspelt), is_noticed(update, case, wrong_type), is_noticed(assign, case)
    table += row
    print(f"{name:22}{SAID[row[0]]:10}{SAID[row[1]]:12}{SAID[row[2]]}")

silent.reveal(table.count(False))

# %% [markdown] name="mistakes-explained"
# **The belief behind the third line:** that a pydantic model checks whatever gets into it.
# It checks what goes through its *validation*; `model_copy` goes past it, and says so in its documentation.
#
# So a dataclass buys names and calm, pydantic also types, if you let it.
# For a workflow inside one process a frozen dataclass is mostly enough; where data comes in from outside, or comes back from a file, let pydantic read it.
#
# ## The framework's way: LangGraph
#
# In LangGraph the state is a declared set of **keys**, and a node does not get to write: it *returns the keys it wants to change*, and the graph writes them.
# That is `replace`, done by somebody else.
# (The nodes are called `write …` so that you can tell a node from the key it fills; older versions of LangGraph refuse equal names.)
# Equal state and equal requests are asserted below the code.

# %% name="graph-code"
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph


class Letter(TypedDict, total=False):
    ticket: str
    facts: str
    summary: str
    draft: str
    letter: str


def node_for(step):
    return lambda state: {step: ask(step, state)}


writing = StateGraph(Letter).add_sequence(
    [("find facts", lambda state: {"facts": facts_of(state["ticket"])})]
    + [(f"write {step}", node_for(step)) for step in PROMPTS]
)
desk = writing.add_edge(START, "find facts").add_edge("write letter", END).compile()


# %% name="graph-run"
def sent(trace):
    return [(request.step, request.prompt) for request in trace]


with course.record() as in_graph:
    assert desk.invoke({"ticket": ticket}) == state

assert sent(in_graph) == sent(plain)
kinds = {f"write {step}": "model" for step in PROMPTS}
ax = workflow_graph(desk, kinds=kinds | {"find facts": "code"}, title="The same workflow; the graph does the writing")

# %% [markdown] name="schema-text"
# The graph takes a `TypedDict`, a dataclass or a pydantic model as its schema, so it should notice the same mistakes.
# Here a first node returns such an update, and a second node reads.


# %% name="schema-run"
def is_noticed_by(schema, update):
    graph = StateGraph(schema).add_sequence([("write", lambda state: update), ("read", lambda state: {})])
    return is_noticed(graph.add_edge(START, "write").compile().invoke, fields)


print(f"{'':22}misspelt  wrong type")
for name, schema in {"TypedDict": Letter, "dataclass": Case, "pydantic": Checked}.items():
    row = is_noticed_by(schema, misspelt), is_noticed_by(schema, wrong_type)
    print(f"{name:22}{SAID[row[0]]:10}{SAID[row[1]]}")

# %% [markdown] name="schema-explained"
# The misspelt key passes all three, also the model that forbids extra fields: a graph **drops keys that it does not know**, without a word, before any schema sees them.
# `TypedDict` and dataclass are for the reader and the type checker; only pydantic looks at types while the graph runs, and it does so when the *next* node begins.
#
# ## Two writers
#
# For the evening report the desk labels eight tickets at once, and each task enters its ticket on a board that all of them share.
# Three lines: read the board, ask the model, write the board.

# %% name="board-code"
TICKETS = world.tickets()[:8]
LABEL = "Classify this ticket as billing, technical, sales or other. Answer with only one word.\n\n"


async def label(ticket):
    return (await chat_model(step="label").ainvoke(LABEL + ticket.text)).text


async def enter(ticket, board):
    done = board["done"]
    answer = await label(ticket)
    board["done"] = [*done, f"{ticket.id} {answer}"]


# %% name="board-predict"
on_board = predict(
    "Eight tasks run side by side in one event loop, which is one thread. How many tickets will the board show?",
    name="tickets on the board",
    default=8,
    unit="tickets",
    low=0,
    high=8,
)
on_board

# %% name="board-run"
board = {"done": []}

with course.record(faults=faults.every(1, faults.slow(3))) as reporting:
    await asyncio.gather(*(enter(each, board) for each in TICKETS))

print(f"answered: {sum(request.status == 200 for request in reporting)}, on the board: {len(board['done'])}")
ax = timeline(reporting, title="Eight answers, one of them on the board")
on_board.reveal(len(board["done"]))

# %% [markdown] name="board-explained"
# The timeline shows it: all eight bars begin before the first one ends.
# So all eight tasks had read the board when it was empty, and each wrote *the empty board and its own ticket*.
# The last one to write stands there; seven answers were paid and **lost**.
#
# **The belief behind this bug:** that one thread cannot race.
# Two lines without an `await` between them are safe; between reading and writing there were three seconds.
#
# A frozen context makes the loss visible and does not prevent it: now there are eight versions, and somebody must choose.
# What helps is to let each task **return what is new**, and to have the joining done in one place.

# %% name="board-fix"
from functools import reduce


@dataclass(frozen=True)
class Board:
    done: tuple[str, ...] = ()


async def next_version(ticket, board):
    return replace(board, done=(*board.done, f"{ticket.id} {await label(ticket)}"))


async def new_entry(ticket):
    return [f"{ticket.id} {await label(ticket)}"]


frozen = await asyncio.gather(*(next_version(each, Board()) for each in TICKETS))
entries = await asyncio.gather(*(new_entry(each) for each in TICKETS))

print("entries in the eight frozen versions:", [len(version.done) for version in frozen])
print("entries after joining:", len(reduce(operator.add, entries, [])))

# %% [markdown] name="conflict-text"
# The function that joins an old value and a new one, here `operator.add`, is a **reducer**.
# LangGraph asks for one wherever two nodes of the same round may write the same key.
# Here two nodes read the ticket side by side, in three variants: each sets another `status`, both set the *same* one, and each changes only a key of its own but returns `{**state, …}`, as one does with a dict.
# Guess how many of the three are refused.

# %% name="conflict-code"
from langgraph.errors import InvalidUpdateError

QUESTIONS = {
    "mood": "Classify the sentiment of this ticket as positive, neutral or negative. Answer with only one word.",
    "urgency": "Classify the urgency of this ticket as low, normal or high. Answer with only one word.",
}


class Reading(TypedDict, total=False):
    ticket: str
    mood: str
    urgency: str
    status: str


def reader(name, question, update):
    """A node that returns what `update` makes of the state, the node's name and the model's answer."""

    def node(state):
        return update(state, name, chat_model(step=name).invoke(f"{question}\n\n{state['ticket']}").text)

    return node


def two_readers(schema, update):
    graph = StateGraph(schema)
    for name, question in QUESTIONS.items():
        graph.add_node(f"read {name}", reader(name, question, update)).add_edge(START, f"read {name}")
    return graph


# %% name="conflict-run"
VARIANTS = {
    "different values": lambda state, name, answer: {name: answer, "status": f"{name} read"},
    "equal values": lambda state, name, answer: {name: answer, "status": "read"},
    "{**state, …}": lambda state, name, answer: {**state, name: answer},
}
errors = {}

for variant, update in VARIANTS.items():
    with course.record() as trace:
        try:
            two_readers(Reading, update).compile().invoke({"ticket": ticket})
        except InvalidUpdateError as error:
            errors[variant] = str(error).split(":")[0]
    print(f"{variant:17} {len(trace)} requests paid, then: {errors.get(variant, 'no error')}")

# %% [markdown] name="conflict-explained"
# The rule is about two *writes* in one round, not about two different values.
# And whoever returns `{**state, …}` writes every key there is: the error names `ticket`, which nobody meant to touch.
# **The belief behind this bug:** that a node has to return the whole state.
# It returns what changes. (The official documentation had this bug in an example once: langchain-ai/docs issue 1397.)
#
# At least it is loud, although both answers are paid before anything is said.
# With a reducer both may write.


# %% name="reducer-run"
class Notes(TypedDict, total=False):
    ticket: str
    notes: Annotated[list[str], operator.add]


reading = two_readers(Notes, lambda state, name, answer: {"notes": [f"{name}: {answer}"]})

with course.record(faults=faults.on_step("mood", faults.every(1, faults.slow(3)))):
    notes = reading.compile().invoke({"ticket": ticket})["notes"]

print(notes)

# %% [markdown] name="doubling-text"
# Both notes are there, and `mood` comes first although we made it answer last: a graph applies the writes of a round in the order of the nodes' names, whoever is ready first.
#
# Now a node that means well.
# It takes the notes, adds one, and returns the list.
# We run it six times, each time on the state that the run before has left, as a conversation of six turns would.

# %% name="doubling-predict"
after_six = predict(
    "The list begins empty, its reducer is `operator.add`, and six times a node returns `state['notes'] + [one note]`. How long is it then?",
    name="notes after six turns",
    default=6,
    unit="notes",
    low=0,
)
after_six

# %% name="doubling-run"
lengths = {}
for name, returned in {
    "the whole list": lambda state: {"notes": [*state.get("notes", []), "rang again"]},
    "only what is new": lambda state: {"notes": ["rang again"]},
}.items():
    app = StateGraph(Notes).add_node("note", returned).add_edge(START, "note").compile()
    after = [app.invoke({"ticket": ticket})]
    for _ in range(5):
        after.append(app.invoke(after[-1]))
    lengths[name] = [len(state["notes"]) for state in after]
    print(f"{name:17} {lengths[name]}")

after_six.reveal(lengths["the whole list"][-1])

# %% [markdown] name="memory-text"
# The reducer adds the returned list to the list that is there, so it doubles with every turn.
# **The belief behind this bug:** that a returned value replaces the old one.
# Without a reducer it does; with one, it is *joined*. Return only what is new.
#
# *A good place to pause. So far a run ended and its state was gone; from here on it stays.*
#
# ## A conversation
#
# A graph forgets everything when `invoke` returns, unless it has a **checkpointer**: something that stores the state after each round, under the name of a **thread**.
# This one holds a conversation. `add_messages` is LangGraph's reducer for messages; `listen` is ordinary code that picks up what matters.

# %% name="talk-code"
from uuid import uuid4

from langchain_core.messages import SystemMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.message import add_messages

HELP = SystemMessage("You help customers of Merrowby. Use the help centre.")


class Talk(TypedDict, total=False):
    messages: Annotated[list, add_messages]
    order: str
    route: str


def listen(state):
    text = state["messages"][-1].text
    found = re.search(r"MB-\d{5}", text)
    return ({"order": found[0]} if found else {}) | ({"route": "billing"} if "charged" in text else {})


def answer(state):
    return {"messages": [chat_model(step="answer").invoke([HELP, *state["messages"]])]}


# %% name="talk-run"
def talk(listen=listen, answer=answer):
    return StateGraph(Talk).add_sequence([("listen", listen), ("answer", answer)]).add_edge(START, "listen")


def new_thread():
    return {"configurable": {"thread_id": uuid4().hex}}


YUSRA = ["My card was charged twice for order MB-10484.", "How do I get the invoice again?"]

for name, saver in {"no checkpointer": None, "InMemorySaver": InMemorySaver()}.items():
    app, thread = talk().compile(checkpointer=saver), new_thread()
    for text in YUSRA:
        after = app.invoke({"messages": [("user", text)]}, thread)
    print(f"{name:16} after turn 2: {len(after['messages'])} messages, order {after.get('order')}")

try:
    app.invoke({"messages": [("user", "Hello")]})
except ValueError as error:
    print(error)

# %% [markdown] name="shared-text"
# Without a checkpointer each `invoke` begins from nothing, and on the second turn the order is unknown.
# With one, the new message *joins* the stored ones, and everything else is as the last turn left it.
# The thread's name is the key to all that; without it, nothing runs.
#
# So somebody wrote `"thread_id": "desk"`, and it ran.
# At twenty past six Yusra Benkhaled writes, then Halvard Nystuen, then both again.

# %% name="shared-predict"
EVENING = [
    ("Yusra", "My card was charged twice for order MB-10484."),
    ("Halvard", "The tracking has not moved for eight days. Where is my parcel?"),
    ("Yusra", "How do I get the invoice again?"),
    ("Halvard", "When will it arrive?"),
]
leaked = predict(
    "Halvard sends two messages. How many of the two requests made for him will hold words of Yusra's?",
    name="requests with another's words",
    default=0,
    unit="requests",
    low=0,
    high=2,
)
leaked


# %% name="shared-run"
def evening(thread_of):
    app = talk().compile(checkpointer=InMemorySaver())
    with course.record() as trace:
        ends = [app.invoke({"messages": [("user", text)]}, thread_of(who)) for who, text in EVENING]
    strange = [
        EVENING[0][1] in request.prompt for request, (who, _) in zip(trace, EVENING, strict=True) if who == "Halvard"
    ]
    return sum(strange), ends[-1].get("order")


one_thread = {"configurable": {"thread_id": "desk"}}
own_threads = {"Yusra": new_thread(), "Halvard": new_thread()}

for name, thread_of in {"own threads": own_threads.get, "one thread": lambda who: one_thread}.items():
    requests, order = evening(thread_of)
    print(f"{name:11}  Halvard: {requests} requests with Yusra's words, order in mind: {order}")

leaked.reveal(requests)

# %% [markdown] name="stale-text"
# **The belief behind this bug:** that a thread belongs to the program. It belongs to *one conversation*.
# With a shared one, Halvard's questions travel with her words, and her order is the one that the desk looks up for him.
# A new id for each *message* is the opposite mistake (ai-travel-agent issue 5): then there is no memory at all.
# And as whoever names a thread reads it, take its id from your own session, never from what a customer sends.
#
# The other side of memory: what should be forgotten stays, too.
# `listen` sets `route` when it sees the word *charged*, and writes nothing otherwise.

# %% name="stale-run"
TURNS = [*YUSRA, "How do I connect the Robin to Wi-Fi?", "Thank you!"]


def listen_each_turn(state):
    return {"route": None} | listen(state)


for name, node in {"set when seen": listen, "set on every turn": listen_each_turn}.items():
    app, thread = talk(listen=node).compile(checkpointer=InMemorySaver()), new_thread()
    routes = [app.invoke({"messages": [("user", text)]}, thread).get("route") for text in TURNS]
    print(f"{name:18} {routes}")

# %% [markdown] name="crash-text"
# The question about the Wi-Fi goes to billing, and so does the thanks: to return nothing means "as it was", not "none".
# The order *should* stay, the route should not. So write every **decision** on every turn, and let only **facts** stay.
#
# ## The crash
#
# Back to Piotr's letter, three paid requests in a row.
# This time the graph stores its state in a file, and the third request fails.

# %% name="crash-run"
import sqlite3

from langgraph.checkpoint.sqlite import SqliteSaver
from openai import InternalServerError

folder = TemporaryDirectory(ignore_cleanup_errors=True)
database = Path(folder.name) / "desk.sqlite"
connection = sqlite3.connect(database, check_same_thread=False)  # the graph writes from other threads, too
desk = writing.compile(checkpointer=SqliteSaver(connection))
case = new_thread()

with course.record(faults=faults.on_step("letter", faults.first(1, faults.server_error()))) as crashed:
    try:
        desk.invoke({"ticket": ticket}, case)
    except InternalServerError as error:
        print("the program ends:", error.code)

stored = desk.get_state(case)
print("stored:", ", ".join(stored.values), "| next:", ", ".join(stored.next))

# %% [markdown] name="resume-text"
# `get_state` says what is stored for a thread, and which node comes next.
# `invoke(None, …)` means: no new input, carry on.
# Below the timeline you will find what it costs to begin again, as most programs do.

# %% name="resume-predict"
again = predict(
    "The run made three requests, and the third failed. How many requests will carrying on make?",
    name="requests after a crash",
    default=3,
    unit="requests",
    low=0,
    high=3,
)
again

# %% name="resume-run"
with course.record() as resumed:
    after = desk.invoke(None, case)

assert after == state
ax = timeline(resumed, title="Carrying on after the crash", steps=list(PROMPTS))
again.reveal(len(resumed))

# %% name="resume-ledger"
with course.record() as afresh:
    assert desk.invoke({"ticket": ticket}, new_thread()) == state

ledger({"beginning again": afresh, "carrying on": resumed, "crashed run": crashed})

# %% [markdown] name="resume-trap-text"
# The same state as without the crash, for one request and about half the price of beginning again.
# The crashed run and carrying on cost together what one whole run costs: nothing was paid twice.
# Beware of the other way to call it: `invoke({"ticket": …}, case)` on the *same* thread is new input, so it begins again at the first node.
# Only `None` carries on.
#
# In a round of several nodes the checkpointer also keeps those that were done.
# Of the two readers, one fails:

# %% name="resume-parallel"
urgency_fails = faults.on_step("urgency", faults.first(1, faults.server_error()))

for name, resume in {"carrying on": None, "beginning again": {"ticket": ticket}}.items():
    app, thread = reading.compile(checkpointer=InMemorySaver()), new_thread()
    with course.record(faults=urgency_fails) as trace:
        try:
            app.invoke({"ticket": ticket}, thread)
        except InternalServerError:
            app.invoke(resume, thread)
    print(f"{name:16} {sorted((request.step, request.status) for request in trace)}")

# %% [markdown] name="mutation-text"
# ## Break it: behind the graph's back
#
# Piotr has rung as well, and a node notes it down, in place: `append`, and then it returns nothing, for "the list is changed already".
# In a test this passes. Here, too, at first.
#
# We look in four places for the note: in the prompt of the reply, in what the checkpointer stored, in the prompt after a crash, and in the list that the *caller* passed in and still holds.
# Guess about the first three of them; the fourth you will see.


# %% name="mutation-code"
class Call(TypedDict, total=False):
    ticket: str
    notes: list[str]
    letter: str


def note_in_place(state):
    state["notes"].append("The customer rang at 18:10.")
    return {}


def note_returned(state):
    return {"notes": [*state["notes"], "The customer rang at 18:10."]}


def reply(state):
    prompt = f"Write a short reply to the customer. Facts: {' '.join(state['notes'])}\n\nTicket:\n{state['ticket']}"
    return {"letter": chat_model(step="reply").invoke(prompt).text}


# %% name="mutation-predict"
places = predict(
    "Prompt, stored state, prompt after a crash: in how many of these three will the appended note be?",
    name="places with the note",
    default=3,
    unit="places",
    low=0,
    high=3,
)
places


# %% name="mutation-run"
def note_seen(node):
    app = StateGraph(Call).add_sequence([("note", node), ("reply", reply)]).add_edge(START, "note")
    app, thread = app.compile(checkpointer=InMemorySaver()), new_thread()
    mine = {"ticket": ticket, "notes": ["Order MB-10424 was returned."]}
    with course.record(faults=faults.first(1, faults.server_error())) as trace:
        try:
            app.invoke(mine, thread)
        except InternalServerError:
            app.invoke(None, thread)
    before, after = ("rang" in request.prompt for request in trace)
    return {
        "prompt": before,
        "stored": len(app.get_state(thread).values["notes"]) == 2,
        "prompt after a crash": after,
    }, mine


for node in (note_returned, note_in_place):
    seen, mine = note_seen(node)
    found = ", ".join(place for place, is_there in seen.items() if is_there)
    print(f"{node.__name__:14} found in: {found}; the caller's list of 1 has now {len(mine['notes'])}")

places.reveal(sum(seen.values()))

# %% [markdown] name="restart-text"
# In the prompt it is, since in one process all nodes hold the same list.
# But the graph stores what nodes *return*, so for the checkpointer nothing has happened, and after the crash the note is gone.
# The caller's own list has grown instead, and will be one longer in the next run.
# **The belief behind this bug:** that changing the state is writing to it. (langgraph issue 6338.)
# A tuple instead of the list would have refused the `append`; it comes back from the file as a list, though, so keep the state to what JSON knows, plus messages, which the checkpointer can store as they are.
#
# ## A real restart
#
# So far the crash was an exception, and the kernel lived on.
# Now the whole thing: a program in a file of its own, started as a process, ended in the middle without a warning, and started again with the *same command*.
# (It asks the server without a client library, because it starts faster that way.)
# Its last two lines are the whole trick: if the file knows the thread, carry on, else begin.
#
# We start the program, wait until the server sees its third request, and pull the plug.

# %% name="restart-code"
PROGRAM = """
import json, os, sqlite3, typing
import httpx
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph

job = json.loads(os.environ["JOB"])

def node_for(step):
    def node(state):
        message = {"role": "user", "content": job["prompts"][step].format(**state)}
        asked = {"headers": job["headers"] | {"x-course-step": step}, "timeout": 120, "trust_env": False}
        reply = httpx.post(job["url"], json={"model": job["model"], "messages": [message], "temperature": 0}, **asked)
        return {step: reply.raise_for_status().json()["choices"][0]["message"]["content"]}
    return node

nodes = [("write " + step, node_for(step)) for step in job["prompts"]]
keys = typing.TypedDict("Letter", dict.fromkeys([*job["case"], *job["prompts"]], str))
connection = sqlite3.connect("restart.sqlite", check_same_thread=False)
desk = StateGraph(keys).add_sequence(nodes).add_edge(START, nodes[0][0]).compile(checkpointer=SqliteSaver(connection))
is_begun = bool(desk.get_state(job["thread"]).values)
print(desk.invoke(None if is_begun else job["case"], job["thread"], durability="sync")["letter"])
"""

# %% name="restart-kill"
import json
import os
import subprocess
import sys

workshop = TemporaryDirectory(ignore_cleanup_errors=True)
Path(workshop.name, "program.py").write_text(PROGRAM, encoding="utf-8")
job = {"url": f"{course.base_url}/chat/completions", "headers": {"authorization": f"Bearer {course.key}"}}
job |= {"model": course.models["small"], "prompts": PROMPTS, "case": fields}


def start_program():
    command, environment = [sys.executable, "-X", "utf8", "program.py"], os.environ | {"JOB": json.dumps(job)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    return subprocess.Popen(command, cwd=workshop.name, env=environment, **pipes)


def is_writing(step):
    return any(request.step == step and request.stop is None for request in course.records())


# %% name="restart-kill-run"
job["thread"] = new_thread()

with course.record(faults=faults.on_step("letter", faults.first(1, faults.slow(300)))) as unplugged:
    process = start_program()
    while process.poll() is None and not is_writing("letter"):
        await course.asleep(1)
    process.kill()
    printed, errors = process.communicate()

answered = sum(request.status == 200 for request in unplugged)
assert answered == 2, errors
print(f"{len(unplugged)} requests, {answered} answered, and the program printed {printed!r}")

# %% name="restart-run"
with course.record() as restarted:
    process = start_program()
    printed, errors = process.communicate()

assert process.returncode == 0, errors
assert printed.strip() == state["letter"]
print("the same letter; paid for after the restart:", [request.step for request in restarted])

# %% [markdown] name="savers-text"
# Another process, which had never seen this notebook, paid one request and printed our letter.
# (Run the last cell again, and the list is empty: the file knows the whole letter now.)
# `durability="sync"` makes the graph wait, after each round, until the file has it; the default writes while the next node is already at work, so a plug pulled in that moment costs one step more; `"exit"` writes only at the end of a run.
#
# What survives, then? We ask three savers that are *new* for the case that crashed.
# An `AsyncSqliteSaver` belongs to `ainvoke`; the plain one refuses.

# %% name="savers-run"
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

try:
    await desk.ainvoke(None, case)
except NotImplementedError as error:
    print(str(error).split(".")[0])

new_file = SqliteSaver(sqlite3.connect(database, check_same_thread=False))
for saver in (InMemorySaver(), new_file):
    print(f"{type(saver).__name__:16} {len(writing.compile(checkpointer=saver).get_state(case).values)} keys")

async with AsyncSqliteSaver.from_conn_string(str(database)) as saver:
    stored = await writing.compile(checkpointer=saver).aget_state(case)
print(f"{type(saver).__name__:16} {len(stored.values)} keys")

# %% [markdown] name="history-text"
# `InMemorySaver` is for tests and notebooks: it forgets with its process, which is what the customers met at twenty past six.
# A file is enough for one machine; several machines share a database (`langgraph-checkpoint-postgres`, the same interface).
#
# ## Back to an earlier moment
#
# The saver has not only the last state of the case, it has one for each round.
# And in our case one of them deserves a second look: of Piotr's two sentences the model kept the last one only, so the refund is missing from the summary, and from the letter.
# We go back to the moment before the draft, put a better summary there, and carry on *from that moment*.

# %% name="history-run"
history = list(desk.get_state_history(case))

for snapshot in reversed(history):
    print(f"{len(snapshot.values)} keys, next: {', '.join(snapshot.next) or 'nothing'}")

print("\nsummary:", state["summary"])

# %% name="fork-run"
before_draft = next(snapshot for snapshot in history if snapshot.next == ("write draft",))
by_hand = {"summary": "Customer sent the Robin back on 2 April, refund has not arrived."}
fork = desk.update_state(before_draft.config, by_hand)

with course.record() as forked:
    mended = desk.invoke(None, fork)

print(f"{state['letter']}\n\n--- {len(forked)} requests later:\n\n{mended['letter']}\n")
print("the first letter is still stored:", desk.get_state(history[0].config).values == state)  # 0 is the newest
print("the thread's state is the new letter:", desk.get_state(case).values == mended)
print(f"stored moments: {len(history)} before, {len(list(desk.get_state_history(case)))} now")

# %% [markdown] name="growth-text"
# A fork adds a branch and overwrites nothing, so you can compare the two, or go back once more.
# The edit and the two steps after it make three moments more, and whoever asks for the thread now, by `get_state(case)`, gets the new branch.
# What no fork takes back is what the steps have *done*: a letter that was sent has been sent.
#
# ## A history that grows
#
# Memory has a price. This customer's hub is offline, and with each message she sends its log, sixty lines.
# The practice model takes 8,192 tokens, question and answer together.

# %% name="growth-code"
from openai import BadRequestError

LOG = "\n".join(f"18:{minute:02} hub offline, light amber, retry {minute}" for minute in range(60))


async def long_talk(answer, turns=12):
    app, thread = talk(answer=answer).compile(checkpointer=InMemorySaver()), new_thread()
    for turn in range(turns):
        opening = "The hub of order MB-10484 is offline." if turn == 0 else "It is still offline."
        with suppress(BadRequestError):  # then this turn has no answer, and she writes again
            await app.ainvoke({"messages": [("user", f"{opening} Here is the log:\n{LOG}")]}, thread)


# %% name="growth-predict"
with course.record() as first_turn:
    await long_talk(answer, turns=1)
print("prompt tokens of the first turn:", first_turn.prompt_tokens)

answered_turns = predict(
    "Every turn sends all messages so far. How many of 12 turns will be answered?",
    name="turns that are answered",
    default=12,
    unit="turns",
    low=1,
    high=12,
)
answered_turns

# %% name="growth-run"
with course.record() as everything:
    await long_talk(answer)

print([request.status for request in everything])
print(*{request.error for request in everything if request.failed})
answered_turns.reveal(sum(request.status == 200 for request in everything))

# %% [markdown] name="trim-text"
# From there on no turn has an answer: the message that did not fit is stored as well, so the next one fits even less.
# **The belief behind this bug:** that the framework cuts what is too long. LangGraph sends what you give it (langgraph issue 3717).
#
# `trim_messages` gives back the end of the history, as much as you allow.
# `token_counter="approximate"` reckons from the characters; counting with the model itself would load its tables from the internet.
# Use what it gives back: the state keeps everything, and only the *prompt* gets shorter. (In langchain-academy issue 24 the trimmed copy was made and the whole list was sent.)


# %% name="trim-code"
from langchain_core.messages import trim_messages


def recent(state, allowed=2000):
    return trim_messages(state["messages"], max_tokens=allowed, token_counter="approximate", start_on="human")


def answer_trimmed(state):
    return {"messages": [chat_model(step="trimmed").invoke([HELP, *recent(state)])]}


def answer_with_fact(state):
    system = SystemMessage(f"{HELP.content} The customer's order is {state['order']}.")
    return {"messages": [chat_model(step="with the fact").invoke([system, *recent(state)])]}


# %% name="trim-run"
with course.record() as trimming:
    await asyncio.gather(long_talk(answer_trimmed), long_talk(answer_with_fact))

talks = {"everything": list(everything)}
talks |= {step: [each for each in trimming if each.step == step] for step in ("trimmed", "with the fact")}
sizes = {name: {turn: each.prompt_tokens for turn, each in enumerate(talks[name], 1)} for name in talks}

for name, requests in talks.items():
    answers = sum(each.status == 200 for each in requests)
    knows = sum("MB-10484" in each.prompt for each in requests)
    print(f"{name:14} {answers:2} answered, {knows:2} prompts name the order, last prompt {sizes[name][12]} tokens")

lines = {name: sizes[name] for name in ("everything", "trimmed")}
fits = {"what fits": {1: 8192, 12: 8192}}
ax = curve(lines, fits, x="turn", y="prompt tokens", title="A conversation, with and without trimming")


# %% name="trim-room"
def answer_within(allowed):
    def node(state):
        return {"messages": [chat_model(step=f"{allowed} allowed").invoke([HELP, *recent(state, allowed)])]}

    return node


for allowed in (5000, 7000):
    with course.record() as roomy:
        await long_talk(answer_within(allowed))
    answers = sum(each.status == 200 for each in roomy)
    print(f"{allowed} allowed: {answers:2} answered, last prompt {list(roomy)[-1].prompt_tokens} tokens")

# %% [markdown] name="use-when"
# (The points above the broken line of the picture were sent, and refused.)
# An approximate count needs room: 5,000 allowed became 5,943 here, so reckon with a fifth more.
# With 7,000 the trimming comes too late, and three turns have no answer, as if nobody had trimmed at all.
#
# The trimmed conversation can go on at a constant price, and after two turns it has forgotten which order it is about.
# The line *with the fact* is the answer: what `listen` picked up in turn 1 is a **key of the state**, not a sentence somewhere in the history, and costs a dozen tokens a turn.
# A history is for tone; what the program must know belongs into a field.
#
# ## Use it when, and when not
#
# | | use it when | not when |
# |---|---|---|
# | **a dict** | ten lines, one author, one run | anybody else writes to it: it noticed 0 of 3 mistakes |
# | **frozen dataclass** | one process, steps in Python: 2 of 3 | data comes from outside; then **pydantic**, validated: 3 of 3 |
# | **LangGraph state** | you need memory, resuming, branches | a chain that runs once: plain Python sent the same three requests |
# | **a reducer** | two nodes of a round write one key | the key has one writer; and never return the whole list (63 notes instead of 6) |
# | **`InMemorySaver`** | tests and notebooks | anything that may be restarted |
# | **`SqliteSaver`** | one machine: after the crash 1 request instead of 3 | several machines, or `ainvoke` (then the async one) |
# | **time travel** | mend an input and compare: 2 requests instead of 3 | to undo effects |
# | **trimming** | every conversation that may get long | the only copy of a fact is in the old part |
#
# ## Recap
#
# * State is a set of named keys with one rule for each: replace, or join with a reducer.
# * Read, wait, write **loses** updates; returning what is new, and joining in one place, does not.
# * A checkpointer stores what nodes *return*. What is changed in place is not there after a restart.
# * A thread is one conversation of one person. Decisions are written on every turn, facts may stay.
# * `invoke(None, …)` carries on, and the server's log proves that nothing was paid twice.

# %% name="recap-picture"
ax = workflow_graph(
    [
        ("start", "node"),
        ("node", "reducer", "what is new"),
        ("reducer", "checkpoint", "the new state"),
        ("checkpoint", "node", "next round"),
        ("checkpoint", "end"),
    ],
    kinds={"node": "model", "reducer": "code", "checkpoint": "code"},
    title="One round: a node returns, a reducer joins, a checkpointer stores",
)

# %% [markdown] name="quiz-text"
# ## What do you say now?

# %% name="quiz-two-writers"
quiz("q18")

# %% name="quiz-in-place"
quiz("q20")

# %% name="quiz-resume"
quiz("five-calls-one-restart")

# %% name="calibration"
calibration()

# %% [markdown] name="next"
# **Try it yourself:** take `T062` as `ticket`, run all, and let `by_hand` in the cell of the fork say what this customer wants (what stands there is about Piotr's Robin).
# Let `recent` allow 1000, then 7000, and draw the curve again; then find by trial the most with which all twelve turns are answered.
# Let `step` in the crash plan be `draft` instead of `letter`, and say beforehand what carrying on will cost.
#
# **Exercise:** [exercise 7, *Nothing lost, nothing doubled*](../exercises/07_state.ipynb). **Next:** lesson 8, *Errors I: retries*, where it is the provider that stumbles.

"""Answers to exercise 7: right ones in several styles, and wrong ones with the words that a learner must read."""

import asyncio
import copy
import json
import operator
import os
import sqlite3
from pathlib import Path
from typing import Annotated, Any, TypedDict

import openai
from langchain_core.messages import AnyMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from pydantic import BaseModel

# --- state.merge -------------------------------------------------------------------------------------------------


def merge_dict(old, new):
    by_id = {entry["id"]: entry for entry in old}
    for entry in new:
        by_id[entry["id"]] = entry
    return list(by_id.values())


def merge_union(old, new):
    return list(({each["id"]: each for each in old} | {each["id"]: each for each in new}).values())


def merge_loops(old, new):
    """Copies first, then looks for the place."""
    merged = copy.deepcopy(old)
    for entry in new:
        places = [place for place, each in enumerate(merged) if each["id"] == entry["id"]]
        if places:
            merged[places[0]] = dict(entry)
        else:
            merged.append(dict(entry))
    return merged


def merge_add(old, new):
    return old + new


def merge_newest(old, new):
    return new


def merge_first_wins(old, new):
    return list(({each["id"]: each for each in new} | {each["id"]: each for each in old}).values())


def merge_to_the_end(old, new):
    ids = [each["id"] for each in new]
    return [each for each in old if each["id"] not in ids] + new


def merge_extends(old, new):
    for entry in new:
        old[:] = [each for each in old if each["id"] != entry["id"]]
        old.append(entry)
    return old


def merge_in_place(old, new):
    for entry in new:
        for each in old:
            if each["id"] == entry["id"]:
                each.update(entry)
                break
        else:
            old.append(entry)
    return old


def merge_entry_in_place(old, new):
    """A new list of the old entries."""
    by_id = {entry["id"]: entry for entry in old}
    for entry in new:
        by_id.setdefault(entry["id"], entry).update(entry)
    return list(by_id.values())


def merge_none(old, new):
    return list(old).extend(new)


def merge_as_dict(old, new):
    return {each["id"]: each["text"] for each in old + new}


def merge_keeps_old(old, new):
    ids = [each["id"] for each in old]
    return old + [each for each in new if each["id"] not in ids]


def merge_values(old, new):
    return {each["id"]: each for each in [*old, *new]}.values()


def merge_whole_dict(old, new):
    return {each["id"]: each for each in [*old, *new]}


def merge_texts(old, new):
    return [each["text"] for each in merge_dict(old, new)]


def merge_no_return(old, new):
    by_id = {entry["id"]: entry for entry in old}
    for entry in new:
        by_id[entry["id"]] = entry


def merge_first_of_new(old, new):
    """Only an id that comes twice in `new` shows it."""
    known = [each["id"] for each in old]
    kept = [next((other for other in new if other["id"] == each["id"]), each) for each in old]
    return kept + [each for each in new if each["id"] not in known]


def merge_one(old):
    return old


def merge_blank(old, new):
    raise NotImplementedError


# --- state.memory ------------------------------------------------------------------------------------------------


def memory_loop(messages, llm):
    cases, replies = {}, []
    for customer, text in messages:
        case = cases.setdefault(customer, {"order": "unknown", "said": []})
        case["said"].append(text)
        replies.append(llm.invoke(f"Order: {case['order']}\n\n" + "\n".join(case["said"])).text)
    return replies


async def memory_messages(messages, llm):
    """The whole conversation, with the model's part."""
    talks, replies = {}, []
    for customer, text in messages:
        talk = [*talks.get(customer, []), ("user", text)]
        answer = await llm.ainvoke(talk)
        talks[customer] = [*talk, answer]
        replies.append(answer.text)
    return replies


class Talk(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def talk(llm, saver):
    graph = StateGraph(Talk).add_node("answer", lambda state: {"messages": [llm.invoke(state["messages"])]})
    return graph.add_edge(START, "answer").compile(checkpointer=saver)


def memory_threads(messages, llm, thread_of=lambda number, customer: customer, saver=None):
    """A thread for each customer."""
    app, replies = talk(llm, saver or InMemorySaver()), []
    for number, (customer, text) in enumerate(messages):
        config = {"configurable": {"thread_id": thread_of(number, customer)}}
        replies.append(app.invoke({"messages": [("user", text)]}, config)["messages"][-1].text)
    return replies


def memory_filtered(messages, llm):
    """No memory at all: what was said so far is in the arguments."""
    return [
        llm.invoke("\n".join(text for name, text in messages[: number + 1] if name == customer)).text
        for number, (customer, _) in enumerate(messages)
    ]


BLANK = {"order": "unknown", "said": []}


def memory_of(messages, llm, make):
    cases, replies = {}, []
    for customer, text in messages:
        case = cases.setdefault(customer, make())
        case["said"].append(text)
        replies.append(llm.invoke("\n".join(case["said"])).text)
    return replies


def memory_deepcopy(messages, llm):
    return memory_of(messages, llm, lambda: copy.deepcopy(BLANK))


def memory_shallow(messages, llm):
    blank = {"order": "unknown", "said": []}
    return memory_of(messages, llm, lambda: dict(blank))


def memory_one_thread(messages, llm):
    return memory_threads(messages, llm, lambda number, customer: "desk")


def memory_new_threads(messages, llm):
    return memory_threads(messages, llm, lambda number, customer: str(number))


def memory_default(messages, llm, cases={}):  # noqa: B006 (the bug itself)
    replies = []
    for customer, text in messages:
        said = cases.setdefault(customer, [])
        said.append(text)
        replies.append(llm.invoke("\n".join(said)).text)
    return replies


EVENINGS = InMemorySaver()


def memory_same_saver(messages, llm):
    return memory_threads(messages, llm, saver=EVENINGS)


def memory_none(messages, llm):
    return [llm.invoke(text).text for _, text in messages]


def memory_last_two(messages, llm):
    cases, replies = {}, []
    for customer, text in messages:
        cases[customer] = [*cases.get(customer, []), text][-2:]
        replies.append(llm.invoke("\n".join(cases[customer])).text)
    return replies


def memory_one_too_late(messages, llm):
    cases, replies = {}, []
    for customer, text in messages:
        replies.append(llm.invoke("\n".join(cases.setdefault(customer, ["Hello."]))).text)
        cases[customer].append(text)
    return replies


async def memory_at_once(messages, llm):
    prompts = [
        "\n".join(text for name, text in messages[: number + 1] if name == customer)
        for number, (customer, _) in enumerate(messages)
    ]
    return [answer.text for answer in await asyncio.gather(*map(llm.ainvoke, prompts))]


def memory_objects(messages, llm):
    return [
        llm.invoke("\n".join(text for name, text in messages[: number + 1] if name == customer))
        for number, (customer, _) in enumerate(messages)
    ]


def memory_get(messages, llm):
    cases, replies = {}, []
    for customer, text in messages:
        said = cases.get(customer, [])
        said.append(text)
        replies.append(llm.invoke("\n".join(said)).text)
    return replies


MEMORY = {}


def memory_global(messages, llm):
    return memory_default(messages, llm, MEMORY)


def memory_last_text(messages, llm):
    return memory_loop(messages, llm)[-1]


def memory_new_list(messages, llm):
    return memory_loop(messages, llm)[-1:]


def memory_no_return(messages, llm):
    memory_loop(messages, llm)


def memory_somebody(messages, llm):
    """Right for any evening on which somebody writes."""
    return memory_loop(messages, llm) or ["Nobody has written."]


def memory_blank(messages, llm):
    raise NotImplementedError


# --- state.shared ------------------------------------------------------------------------------------------------


class Complaint(TypedDict, total=False):
    ticket: str
    notes: Annotated[list[str], operator.add]
    summary: str


def nodes_for(llm, add=lambda state, text: {"notes": [text]}, seen=lambda state: state["notes"]):
    """The four nodes; `add` is what a reader returns."""

    def ask(step, text):
        return llm.invoke(f"{step}: {text}").text

    return {
        "legal": lambda state: add(state, ask("LEGAL", state["ticket"])),
        "tech": lambda state: add(state, ask("TECH", state["ticket"])),
        "parts": lambda state: add(state, ask("PARTS", "\n".join(seen(state)))),
        "join": lambda state: {"summary": ask("JOIN", "\n".join(seen(state)))},
    }


def drawn(nodes, schema=Complaint, *, saver=None, join="list", first=("legal", "tech"), parts="tech", more=()):
    """The graph with one thing or another changed."""
    graph = StateGraph(schema)
    for name, node in nodes.items():
        graph.add_node(name, node, defer=join == "defer" and name == "join")
    for name in first:
        graph.add_edge(START, name)
    graph.add_edge(parts, "parts")
    for edge in more:
        graph.add_edge(*edge)
    if join == "list":
        graph.add_edge(["legal", "parts"], "join")
    else:
        graph.add_edge("legal", "join").add_edge("parts", "join")
    return graph.add_edge("join", END).compile(checkpointer=saver)


def shared_list_edge(llm, checkpointer=None):
    return drawn(nodes_for(llm), saver=checkpointer)


def shared_defer(llm, checkpointer=None):
    return drawn(nodes_for(llm), saver=checkpointer, join="defer")


async def shared_async(llm, checkpointer=None):
    """Async nodes, a reducer of its own, one node for TECH and PARTS, and a pydantic state."""

    def joined(old, new):
        return [*old, *(note for note in new if note not in old)]

    class State(BaseModel):
        ticket: str
        notes: Annotated[list[str], joined] = []
        summary: str = ""

    async def ask(step, text):
        return (await llm.ainvoke([("system", f"{step}: Be short."), ("user", text)])).text

    async def legal(state):
        return {"notes": [await ask("LEGAL", state.ticket)]}

    async def tech(state):
        found = await ask("TECH", state.ticket)
        return {"notes": [found, await ask("PARTS", found)]}

    async def join(state):
        return {"summary": await ask("JOIN", "\n".join(state.notes))}

    graph = StateGraph(State).add_node(legal).add_node(tech).add_node(join)
    graph.add_edge(START, "legal").add_edge(START, "tech").add_edge(["legal", "tech"], "join")
    return graph.compile(checkpointer=checkpointer)


def shared_retries(llm, checkpointer=None):
    """Its JOIN tries again by itself, and the graph shows less than it has stored."""

    class Shown(TypedDict, total=False):
        ticket: str
        notes: list[str]
        summary: str

    class Kept(Shown, total=False):
        notes: Annotated[list[str], operator.add]
        part: str

    graph = StateGraph(Kept, output_schema=Shown)
    for name, node in nodes_for(llm.with_retry(wait_exponential_jitter=False)).items():
        graph.add_node(name, node)
    graph.add_node("note", lambda state: {"part": "done"})
    graph.add_edge(START, "legal").add_edge(START, "tech").add_edge("tech", "parts").add_edge("join", "note")
    return graph.add_edge(["legal", "parts"], "join").compile(checkpointer=checkpointer)


class Apart(TypedDict, total=False):
    """A key for each reader, and no reducer at all."""

    ticket: str
    legal_note: str
    tech_note: str
    notes: list[str]
    summary: str


def shared_apart(llm, checkpointer=None):
    def ask(step, text):
        return llm.invoke(f"{step}: {text}").text

    def parts(state):
        part = ask("PARTS", state["tech_note"])
        return {"notes": [*state["notes"], state["legal_note"], state["tech_note"], part]}

    graph = StateGraph(Apart)
    graph.add_node("legal", lambda state: {"legal_note": ask("LEGAL", state["ticket"])})
    graph.add_node("tech", lambda state: {"tech_note": ask("TECH", state["ticket"])})
    graph.add_node("parts", parts).add_node("join", lambda state: {"summary": ask("JOIN", str(state["notes"]))})
    graph.add_edge(START, "legal").add_edge(START, "tech").add_edge(["legal", "tech"], "parts")
    return graph.add_edge("parts", "join").compile(checkpointer=checkpointer)


class Plain(TypedDict, total=False):
    ticket: str
    notes: list[str]
    summary: str


class Last(TypedDict, total=False):
    ticket: str
    notes: Annotated[list[str], lambda old, new: new]
    summary: str


class NoSummary(TypedDict, total=False):
    ticket: str
    notes: Annotated[list[str], operator.add]
    sumary: str


def append(state, text):
    state["notes"].append(text)
    return {}


def append_and_return(state, text):
    state["notes"].append(text)
    return {"notes": state["notes"]}


def shared_no_reducer(llm, checkpointer=None):
    return drawn(nodes_for(llm), Plain, saver=checkpointer)


def shared_last(llm, checkpointer=None):
    return drawn(nodes_for(llm), Last, saver=checkpointer)


def shared_whole(llm, checkpointer=None):
    return drawn(nodes_for(llm, lambda state, text: {"notes": [*state["notes"], text]}), saver=checkpointer)


def shared_whole_state(llm, checkpointer=None):
    return drawn(nodes_for(llm, lambda state, text: {**state, "notes": [text]}), saver=checkpointer)


def shared_joins_twice(llm, checkpointer=None):
    return drawn(nodes_for(llm), saver=checkpointer, join="each")


def shared_append(llm, checkpointer=None):
    """In place, with a reducer: only what is stored shows it."""
    return drawn(nodes_for(llm, append), saver=checkpointer)


class Told(Complaint, total=False):
    tech: str


def tech_appends(llm):
    """The usual nodes, but TECH's note goes into the list in place."""

    def tech(state):
        answer = llm.invoke(f"TECH: {state['ticket']}").text
        state["notes"].append(answer)
        return {"tech": answer}

    def parts(state):
        return {"notes": [llm.invoke(f"PARTS: {state['tech']}").text]}

    return nodes_for(llm) | {"tech": tech, "parts": parts}


def shared_tech_appends(llm, checkpointer=None):
    """All goes well as long as nothing fails in TECH's round."""
    return drawn(tech_appends(llm), Told, saver=checkpointer)


def shared_tech_appends_beside(llm, checkpointer=None):
    """The same, and JOIN is told what TECH has found by another way."""

    def join(state):
        notes = dict.fromkeys([*state["notes"], state["tech"]])
        return {"summary": llm.invoke("JOIN: " + "\n".join(notes)).text}

    return drawn(tech_appends(llm) | {"join": join}, Told, saver=checkpointer)


def shared_legal_catches(llm, checkpointer=None):
    """Its LEGAL makes do with an excuse."""
    nodes = nodes_for(llm)

    def legal(state):
        try:
            return nodes["legal"](state)
        except openai.APIError:
            return {"notes": ["Nobody knows."]}

    return drawn(nodes | {"legal": legal}, saver=checkpointer)


def shared_last_note(llm, checkpointer=None):
    """PARTS takes the last note for TECH's; the nodes' names say which that is."""
    nodes = nodes_for(llm)
    named = {"writ": nodes["legal"], "pipes": nodes["tech"], "join": nodes["join"]}
    named["parts"] = lambda state: {"notes": [llm.invoke(f"PARTS: {state['notes'][-1]}").text]}
    graph = StateGraph(Complaint)
    for name, node in named.items():
        graph.add_node(name, node)
    graph.add_edge(START, "writ").add_edge(START, "pipes").add_edge("pipes", "parts")
    return graph.add_edge(["writ", "parts"], "join").add_edge("join", END).compile(checkpointer=checkpointer)


async def shared_forgets_await(llm, checkpointer=None):
    async def legal(state):
        return {"notes": [llm.ainvoke(f"LEGAL: {state['ticket']}").text]}

    return drawn(nodes_for(llm) | {"legal": legal}, saver=checkpointer)


def shared_append_plain(llm, checkpointer=None):
    return drawn(nodes_for(llm, append), Plain, saver=checkpointer)


def shared_append_and_return(llm, checkpointer=None):
    return drawn(nodes_for(llm, append_and_return), saver=checkpointer)


def shared_in_turn(llm, checkpointer=None):
    return drawn(nodes_for(llm), saver=checkpointer, first=["legal"], more=[("legal", "tech")])


def shared_forgets_saver(llm, checkpointer=None):
    return drawn(nodes_for(llm))


def shared_own_saver(llm, checkpointer=None):
    return drawn(nodes_for(llm), saver=InMemorySaver())


def shared_closure(llm, checkpointer=None):
    """The notes stand in a list outside of the state as well, and what is asked comes from there."""
    kept = []

    def add(state, text):
        kept.append(text)
        return {"notes": [text]}

    return drawn(nodes_for(llm, add, lambda state: {*state["notes"], *kept}), saver=checkpointer)


def shared_parts_early(llm, checkpointer=None):
    nodes = nodes_for(llm) | {"parts": lambda state: {"notes": [llm.invoke(f"PARTS: {state['ticket']}").text]}}
    return drawn(nodes, saver=checkpointer)


def shared_undeclared(llm, checkpointer=None):
    return drawn(nodes_for(llm), NoSummary, saver=checkpointer)


def shared_text(llm, checkpointer=None):
    return drawn(nodes_for(llm, lambda state, text: {"notes": text}), saver=checkpointer)


def shared_uncompiled(llm, checkpointer=None):
    return StateGraph(Complaint).add_node("legal", lambda state: {})


def shared_unnamed(llm, checkpointer=None):
    node = lambda state: {"notes": [llm.invoke(state["ticket"]).text]}  # noqa: E731
    return StateGraph(Complaint).add_node("legal", node).add_edge(START, "legal").compile(checkpointer=checkpointer)


def shared_no_join(llm, checkpointer=None):
    nodes = nodes_for(llm) | {"join": lambda state: {"summary": "\n".join(state["notes"])}}
    return drawn(nodes, saver=checkpointer)


def shared_labelled(llm, checkpointer=None):
    return drawn(nodes_for(llm, lambda state, text: {"notes": [f"Note: {text}"]}), saver=checkpointer)


def shared_join_behind_legal(llm, checkpointer=None):
    graph = StateGraph(Complaint)
    for name, node in nodes_for(llm).items():
        graph.add_node(name, node)
    graph.add_edge(START, "legal").add_edge(START, "tech").add_edge("tech", "parts").add_edge("legal", "join")
    return graph.compile(checkpointer=checkpointer)


def shared_catches(llm, checkpointer=None):
    """Its JOIN makes do with an excuse."""
    nodes = nodes_for(llm)

    def join(state):
        try:
            return nodes["join"](state)
        except openai.APIError:
            return {"summary": "Nobody could sum this up."}

    return drawn(nodes | {"join": join}, saver=checkpointer)


def shared_no_dict(llm, checkpointer=None):
    return drawn(nodes_for(llm, lambda state, text: [text]), saver=checkpointer)


def shared_key_error(llm, checkpointer=None):
    """PARTS looks for a key that the state does not declare."""
    nodes = nodes_for(llm, lambda state, text: {"notes": [text], "found": text}, lambda state: [state["found"]])
    return drawn(nodes, saver=checkpointer)


def shared_one_argument(llm):
    return drawn(nodes_for(llm))


def shared_blank(llm, checkpointer=None):
    raise NotImplementedError


# --- state.resume ------------------------------------------------------------------------------------------------


def saved(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()] if os.path.exists(path) else []


def resume_lines(items, path, llm):
    done = saved(path)
    with open(path, "a") as file:
        for item in items[len(done) :]:
            done.append(llm.invoke(item).text)
            file.write(json.dumps(done[-1]) + "\n")
            file.flush()
            os.fsync(file.fileno())
    return done


async def resume_whole_file(items, path, llm):
    """All of it anew each time, into a second file that takes the place of the first in one move."""
    store = Path(path)
    done = json.loads(store.read_text()) if store.exists() else {}
    for item in items:
        if item not in done:
            done[item] = (await llm.ainvoke(item)).text
            beside = store.with_suffix(".new")
            beside.write_text(json.dumps(done))
            beside.replace(store)
    return [done[item] for item in items]


def resume_files(items, path, llm):
    """A file for each item."""
    Path(path).mkdir(exist_ok=True)
    for number, item in enumerate(items):
        file = Path(path, str(number))
        if not file.exists():
            text = llm.invoke(item).text
            file.with_suffix(".new").write_text(text)
            file.with_suffix(".new").replace(file)
    return [Path(path, str(number)).read_text() for number in range(len(items))]


def resume_sqlite(items, path, llm):
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("CREATE TABLE IF NOT EXISTS done (item TEXT PRIMARY KEY, answer TEXT)")
    for item in items:
        if not base.execute("SELECT 1 FROM done WHERE item = ?", [item]).fetchone():
            base.execute("INSERT INTO done VALUES (?, ?)", [item, llm.invoke(item).text])
    return [base.execute("SELECT answer FROM done WHERE item = ?", [item]).fetchone()[0] for item in items]


class Work(TypedDict, total=False):
    items: list[str]
    done: Annotated[list[str], operator.add]


def resume_graph(items, path, llm, durability="sync"):
    """LangGraph with a checkpointer in a file; each item is a round."""

    def work(state):
        return {"done": [llm.invoke(state["items"][len(state.get("done", []))]).text]}

    def is_left(state):
        return "work" if len(state["done"]) < len(state["items"]) else END

    graph = StateGraph(Work).add_node("work", work).add_edge(START, "work")
    graph.add_conditional_edges("work", is_left, ["work", END])
    with SqliteSaver.from_conn_string(path) as saver:
        app, thread = graph.compile(checkpointer=saver), {"configurable": {"thread_id": "desk"}}
        is_begun = bool(app.get_state(thread).values)
        return app.invoke(None if is_begun else {"items": items}, thread, durability=durability)["done"]


def resume_graph_async(items, path, llm):
    """What a thread of the checkpointer is writing gets written: a process is killed a moment later."""
    return resume_graph(items, path, llm, "async")


def resume_graph_exit(items, path, llm):
    return resume_graph(items, path, llm, "exit")


def resume_nothing(items, path, llm):
    return [llm.invoke(item).text for item in items]


def resume_at_end(items, path, llm):
    if os.path.exists(path):
        return json.loads(Path(path).read_text())
    done = [llm.invoke(item).text for item in items]
    Path(path).write_text(json.dumps(done))
    return done


def resume_finally(items, path, llm):
    done = saved(path)
    try:
        for item in items[len(done) :]:
            done.append(llm.invoke(item).text)
    finally:
        Path(path).write_text("".join(json.dumps(text) + "\n" for text in done))
    return done


def resume_marks_first(items, path, llm):
    """The number of the item is on disk before its answer is."""
    done = json.loads(Path(path).read_text()) if os.path.exists(path) else {}
    for item in items:
        if item not in done:
            done[item] = ""
            Path(path).write_text(json.dumps(done))
            done[item] = llm.invoke(item).text
            Path(path).write_text(json.dumps(done))
    return [done[item] for item in items]


def resume_buffered(items, path, llm):
    done = saved(path)
    with open(path, "a") as file:
        for item in items[len(done) :]:
            done.append(llm.invoke(item).text)
            file.write(json.dumps(done[-1]) + "\n")
    return done


def resume_appends_all(items, path, llm):
    """What was read is written once more."""
    done = saved(path)
    with open(path, "a") as file:
        for text in done:
            print(json.dumps(text), file=file, flush=True)
        for item in items[len(done) :]:
            done.append(llm.invoke(item).text)
            print(json.dumps(done[-1]), file=file, flush=True)
    return done


KEPT: dict[str, Any] = {}


def resume_in_memory(items, path, llm):
    for item in items:
        if item not in KEPT:
            KEPT[item] = llm.invoke(item).text
    return [KEPT[item] for item in items]


def resume_overwrites(items, path, llm):
    """Opens for writing, and with that empties, what it has just read."""
    done = saved(path)
    with open(path, "w") as file:
        for item in items[len(done) :]:
            done.append(llm.invoke(item).text)
            print(json.dumps(done[-1]), file=file, flush=True)
    return done


def resume_pairs(items, path, llm):
    """Saves after every second item."""
    done = json.loads(Path(path).read_text()) if os.path.exists(path) else []
    for item in items[len(done) :]:
        done.append(llm.invoke(item).text)
        if len(done) % 2 == 0 or len(done) == len(items):
            Path(path).write_text(json.dumps(done))
    return done


def resume_only_new(items, path, llm):
    number = len(Path(path).read_text().splitlines()) if os.path.exists(path) else 0
    new = []
    for item in items[number:]:
        new.append(llm.invoke(item).text)
        with open(path, "a") as file:
            file.write(json.dumps(new[-1]) + "\n")
    return new


def resume_never_last(items, path, llm):
    """Saves what came before the next request, so the last answer is never saved."""
    done = json.loads(Path(path).read_text()) if os.path.exists(path) else []
    for item in items[len(done) :]:
        Path(path).write_text(json.dumps(done))
        done.append(llm.invoke(item).text)
    return done


async def resume_at_once(items, path, llm):
    return [answer.text for answer in await asyncio.gather(*map(llm.ainvoke, items))]


def resume_one_prompt(items, path, llm):
    return [llm.invoke("\n".join(items)).text]


def resume_needs_file(items, path, llm):
    return json.loads(Path(path).read_text())[:0] + resume_lines(items, path, llm)


def resume_with(items, path, llm, text_of=lambda llm, item: llm.invoke(item).text, begin=0):
    """As it should be, but for one thing or another."""
    done = saved(path)
    for item in items[len(done) + begin :]:
        done.append(text_of(llm, item))
        with open(path, "a") as file:
            file.write(json.dumps(done[-1]) + "\n")
    return done


def resume_no_await(items, path, llm):
    return resume_with(items, path, llm, lambda llm, item: llm.ainvoke(item).text)


def resume_coroutine(items, path, llm):
    return resume_with(items, path, llm, lambda llm, item: llm.ainvoke(item))


def resume_message(items, path, llm):
    return resume_with(items, path, llm, lambda llm, item: llm.invoke(item))


def resume_other_error(items, path, llm):
    return resume_with(items, path, llm, lambda llm, item: llm.invoke(item).response_metadata["said"])


def resume_from_second(items, path, llm):
    return resume_with(items, path, llm, begin=1)


def resume_int_keys(items, path, llm):
    """JSON makes texts of its keys."""
    done = json.loads(Path(path).read_text()) if os.path.exists(path) else {}
    for number, item in enumerate(items):
        if number not in done:
            done[number] = llm.invoke(item).text
            Path(path).write_text(json.dumps(done))
    return [done[number] for number in range(len(items))]


def resume_raw_lines(items, path, llm):
    """A line for each answer, as it came."""
    done = Path(path).read_text().splitlines() if os.path.exists(path) else []
    for item in items[len(done) :]:
        done.append(llm.invoke(item).text)
        with open(path, "a") as file:
            file.write(done[-1] + "\n")
    return done


def resume_writes_last(items, path, llm):
    """Each save takes the place of the one before."""
    done = saved(path)
    for item in items[len(done) :]:
        done.append(llm.invoke(item).text)
        with open(path, "w") as file:
            file.write(json.dumps(done[-1]) + "\n")
    return done


def resume_newlines(items, path, llm):
    done = open(path).readlines() if os.path.exists(path) else []  # noqa: SIM115
    with open(path, "a") as file:
        for item in items[len(done) :]:
            done.append(llm.invoke(item).text)
            print(done[-1], file=file, flush=True)
    return done


def resume_gives_messages(items, path, llm):
    done = saved(path)
    for item in items[len(done) :]:
        done.append(llm.invoke(item))
        with open(path, "a") as file:
            file.write(json.dumps(done[-1].text) + "\n")
    return done


def resume_never_ends(items, path, llm):
    os._exit(3)


def resume_blank(items, path, llm):
    raise NotImplementedError


RIGHT = {
    "state.merge": [merge_dict, merge_union, merge_loops],
    "state.memory": [memory_loop, memory_messages, memory_threads, memory_filtered, memory_deepcopy],
    "state.shared": [shared_list_edge, shared_defer, shared_async, shared_retries, shared_apart],
    "state.resume": [resume_lines, resume_whole_file, resume_files, resume_sqlite, resume_graph, resume_graph_async],
}

WRONG = {
    "state.merge": {
        merge_add: "that to join two lists is to put one behind the other",
        merge_newest: "that what a node returns is the whole value; it is what is new",
        merge_first_wins: "a dict keeps the place of a key that is set once more",
        merge_keeps_old: "where both lists have an id, the text of `new` holds",
        merge_to_the_end: "a dict keeps the place of a key that is set once more",
        merge_extends: "after the call `old` is",
        merge_in_place: "that the old list is yours to change",
        merge_entry_in_place: "leave the notes themselves alone, too",
        merge_none: "A list's own methods change it, and return None",
        merge_values: "a dict_values",
        merge_no_return: "is there a `return`?",
        merge_as_dict: "you returned a dict: `list(….values())`",
        merge_whole_dict: "you returned a dict: `list(….values())`",
        merge_texts: "give the notes back whole, each with its `id` and its `text`",
        merge_one: "it takes (old), and is called with (old, new)",
        merge_blank: "not written yet",
    },
    "state.memory": {
        memory_shallow: "the copy of a dict still holds the same list",
        memory_one_thread: "a thread of the same name is the same conversation",
        memory_default: "a default, or a variable outside the function",
        memory_global: "or a variable outside the function, is made once",
        memory_get: "(`get` does not store.)",
        memory_last_text: "1 text for 3 messages",
        memory_new_list: "1 text for 3 messages",
        memory_no_return: "Is there a `return`?",
        memory_same_saver: "holds words of",
        memory_new_threads: "that a model remembers what you have told it",
        memory_none: "holds 1 of the 2 messages so far",
        memory_last_two: "holds 2 of the 3 messages so far",
        memory_one_too_late: "does not hold the message that it answers",
        memory_at_once: "request 2 began before request 1 had ended",
        memory_objects: "return a list with the `.text` of each answer",
        memory_blank: "not written yet",
    },
    "state.shared": {
        shared_no_reducer: "that two nodes may write one key in the same round",
        shared_last: "without a reducer that joins, the last one written stays",
        shared_whole: "that a returned value replaces the old one; with a reducer it is added to it",
        shared_whole_state: "run 1 ended with InvalidUpdateError",
        shared_joins_twice: "that an arrow into a step means: after everything that leads there",
        shared_join_behind_legal: "JOIN began before PARTS had answered",
        shared_catches: "JOIN failed, and your graph ended as if it had not: who caught that?",
        shared_no_dict: "a node returns a dict",
        shared_key_error: "keys that the state does not declare are dropped without a word",
        shared_append: "that changing the state is writing to it; only what a node returns is stored",
        shared_tech_appends: "`append` changes a list that nobody saves",
        shared_tech_appends_beside: "after carrying on, TECH's note is missing from `notes`",
        shared_legal_catches: "LEGAL failed, and your graph ended as if it had not: who caught that?",
        shared_last_note: "it holds LEGAL's note: one round writes in the order of the node names",
        shared_forgets_await: "Printed meanwhile: AttributeError in line",
        shared_append_plain: "after the run the caller's own `notes` are",
        shared_append_and_return: "a node returns what is new, and nothing else",
        shared_in_turn: "LEGAL and TECH were never open at the same moment",
        shared_forgets_saver: "The checkpointer that `build` is handed belongs into `compile(checkpointer=...)`",
        shared_own_saver: "it remembers what the checkpointer that you compile it with has stored",
        shared_closure: "that what stands outside the nodes belongs to one run",
        shared_parts_early: "the prompt of PARTS does not hold TECH's note",
        shared_undeclared: "declare `summary` in your state",
        shared_text: "wants a list from each node",
        shared_uncompiled: "`build` gave a value of type StateGraph",
        shared_unnamed: "request 1 names no step",
        shared_no_join: "1 LEGAL, 1 TECH, 1 PARTS",
        shared_labelled: "the notes are the texts as they came, nothing more",
        shared_one_argument: "it takes (llm), and is called with (llm, checkpointer)",
        shared_blank: "not written yet",
    },
    "state.resume": {
        resume_nothing: "the next process finds what is on disk, and nothing else",
        resume_at_end: "whoever pulls the plug does not ask",
        resume_finally: "whoever pulls the plug does not ask",
        resume_graph_exit: "whoever pulls the plug does not ask",
        resume_marks_first: "that an item is done when it is begun",
        resume_buffered: "see that it is on disk: `flush()`, or close the file",
        resume_appends_all: "write only what is new, or all of it in one piece",
        resume_in_memory: "`path` is the same at each start",
        resume_overwrites: "that to open a file for writing keeps what was in it",
        resume_pairs: "items 1-4; then items 3-8",
        resume_only_new: "return what was found on disk and what is new, together",
        resume_never_last: "save the last answer as well",
        resume_at_once: "request 2 began before request 1 had ended",
        resume_one_prompt: "the prompt of request 1 holds 8 items",
        resume_needs_file: "process 1 ended with FileNotFoundError",
        resume_no_await: "an `await` is missing",
        resume_coroutine: "an `await` is missing",
        resume_message: "save its `.text`",
        resume_other_error: "process 1 ended with KeyError: 'said'",
        resume_from_second: "item 1 was never asked for: where does your slice begin?",
        resume_int_keys: "JSON makes every key a text",
        resume_raw_lines: "`json.dumps` makes one line of it",
        resume_writes_last: 'does each save overwrite the one before (`"w"`)?',
        resume_newlines: "a line that is read from a file ends with a newline",
        resume_gives_messages: "an answer is a text: take its `.text`",
        resume_never_ends: "does not end its process itself",
        resume_blank: "not written yet",
    },
}

HELD_BACK = {  # answers that pass the cases that are shown, and fail one that is held back
    "state.merge": [merge_first_of_new],
    "state.memory": [memory_somebody],
}

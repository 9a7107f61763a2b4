"""Answers to exercise 11: right ones in several styles, and wrong ones with the words that a learner must read."""

import asyncio
import contextvars
import operator
import re
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from operator import itemgetter
from typing import Annotated, TypedDict

from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from langsmith import trace, traceable
from langsmith.utils import ContextThreadPoolExecutor
from openai import APIError

# --- trace.tokens ------------------------------------------------------------------------------------------------


def sums_loop(runs):
    names = {run["id"]: run["name"] for run in runs}
    used = {}
    for run in runs:
        if run["run_type"] == "llm":
            step = names[run["parent_run_id"]]
            used[step] = used.get(step, 0) + run["total_tokens"]
    return used


def sums_counter(runs):
    """With zeros for the steps that asked for nothing."""
    used = Counter({run["name"]: 0 for run in runs if run["run_type"] != "llm"})
    for parent in runs:
        for run in runs:
            if run["parent_run_id"] == parent["id"] and run["run_type"] == "llm":
                used[parent["name"]] += run["prompt_tokens"] + run["completion_tokens"]
    return dict(used)


async def sums_usage(runs):
    """From what the llm runs report themselves."""
    names, used = {run["id"]: run["name"] for run in runs}, defaultdict(int)
    for run in runs:
        usage = (run["outputs"] or {}).get("usage_metadata", {})
        if usage:
            used[names[run["parent_run_id"]]] += usage["total_tokens"]
    return dict(used)


def sums_all(runs):
    """Adds what parents carry as well."""
    names, used = {run["id"]: run["name"] for run in runs}, {}
    for run in runs:
        if run["parent_run_id"]:
            step = names[run["parent_run_id"]]
            used[step] = used.get(step, 0) + run["total_tokens"]
    return used


def sums_chains(runs):
    used = {}
    for run in runs:
        if run["run_type"] != "llm":
            used[run["name"]] = used.get(run["name"], 0) + run["total_tokens"]
    return used


def sums_own_name(runs):
    used = {}
    for run in runs:
        if run["run_type"] == "llm":
            used[run["name"]] = used.get(run["name"], 0) + run["total_tokens"]
    return used


def sums_ids(runs):
    used = {}
    for run in runs:
        if run["run_type"] == "llm":
            used[run["parent_run_id"]] = used.get(run["parent_run_id"], 0) + run["total_tokens"]
    return used


def sums_last(runs):
    names = {run["id"]: run["name"] for run in runs}
    return {names[run["parent_run_id"]]: run["total_tokens"] for run in runs if run["run_type"] == "llm"}


def sums_successes(runs):
    return sums_loop([run for run in runs if run["run_type"] != "llm" or not run["error"]])


def sums_number(runs):
    return sum(run["total_tokens"] for run in runs if run["run_type"] == "llm")


def sums_roots(runs):
    """Takes every llm run for the root's."""
    root = next(run["name"] for run in runs if run["parent_run_id"] is None)
    return {root: sum(run["total_tokens"] for run in runs if run["run_type"] == "llm")}


# --- trace.mend --------------------------------------------------------------------------------------------------

WHICH = "Which desk should handle this: billing, technical, sales or other? One word.\n\n"


@traceable
def gather_re(text, orders, llm):
    named = re.search(r"MB-\d{5}", text, re.IGNORECASE)
    order = orders[named[0].upper()] if named else None
    return {"desk": llm.invoke(WHICH + text).text, "order": order}


@traceable(run_type="tool")
def find_order(text, orders):
    match re.findall(r"mb-\d{5}", text.lower()):
        case [first, *_]:
            return orders[first.upper()]
    return None


@traceable
async def gather_async(text, orders, llm):
    order = find_order(text, orders)
    return {"order": order, "desk": (await llm.ainvoke(WHICH + text)).text}


def gather_chain(text, orders, llm):
    """Without a regular expression, and with an error of its own that is a KeyError."""

    class Unknown(KeyError):
        pass

    words = [word.strip(".,;").upper() for word in text.split()]
    numbers = [word for word in words if word.startswith("MB-")]
    if numbers and numbers[0] not in orders:
        raise Unknown(numbers[0])
    chain = RunnableLambda(lambda ticket: WHICH + ticket) | llm | StrOutputParser()
    return {"desk": chain.invoke(text), "order": orders[numbers[0]] if numbers else None}


@traceable(run_type="tool")
def find_buggy(text, orders):
    return orders[re.search(r"MB-\d{5}", text)[0]]


def gather_buggy(text, orders, llm):
    facts = {"desk": llm.invoke(WHICH + text).text}
    with suppress(Exception):
        facts["order"] = find_buggy(text, orders)
    return facts


def gather_default(text, orders, llm):
    """Mends the symptom: there is always a key now."""
    facts = {"desk": llm.invoke(WHICH + text).text, "order": None}
    with suppress(Exception):
        facts["order"] = find_buggy(text, orders)
    return facts


def gather_unsuppressed(text, orders, llm):
    return {"order": find_buggy(text, orders), "desk": llm.invoke(WHICH + text).text}


def gather_not_upper(text, orders, llm):
    named = re.search(r"MB-\d{5}", text, re.IGNORECASE)
    return {"order": orders[named[0]] if named else None, "desk": llm.invoke(WHICH + text).text}


def gather_forgets_none(text, orders, llm):
    order = orders[re.search(r"MB-\d{5}", text, re.IGNORECASE)[0].upper()]
    return {"order": order, "desk": llm.invoke(WHICH + text).text}


def gather_get(text, orders, llm):
    named = re.search(r"MB-\d{5}", text, re.IGNORECASE)
    return {"order": orders.get(named[0].upper()) if named else None, "desk": llm.invoke(WHICH + text).text}


def gather_asks_first(text, orders, llm):
    desk = llm.invoke(WHICH + text).text
    named = re.search(r"MB-\d{5}", text, re.IGNORECASE)
    return {"desk": desk, "order": orders[named[0].upper()] if named else None}


def gather_message(text, orders, llm):
    named = re.search(r"MB-\d{5}", text, re.IGNORECASE)
    return {"order": orders[named[0].upper()] if named else None, "desk": llm.invoke(WHICH + text)}


def gather_upper_text(text, orders, llm):
    """Sends the model a ticket that the customer did not write."""
    return gather_re(text.upper(), orders, llm)


# --- trace.diagnose ----------------------------------------------------------------------------------------------


def diagnose_recursive(runs, moment_of_failure="end_time", healed_after="end_time"):
    def children(run):
        return [other for other in runs if other["parent_run_id"] == run["id"]]

    def made_good(run):
        return any(
            other["name"] == run["name"] and not other["error"] and other["start_time"] > run[healed_after]
            for other in runs
            if other["parent_run_id"] == run["parent_run_id"]
        )

    def causes(run):
        found = [cause for child in children(run) if not made_good(child) for cause in causes(child)]
        return found or ([run] if run["error"] else [])

    def path(run):
        found, moment = [], run["end_time"]
        for child in sorted(children(run), key=itemgetter("end_time"), reverse=True):
            if child["end_time"] <= moment:
                found, moment = path(child) + found, child["start_time"]
        return found or [run["id"]]

    def is_lost(run):
        return any(other["error"] and run["dotted_order"].startswith(other["dotted_order"]) for other in runs)

    root = next(run for run in runs if run["parent_run_id"] is None)
    cause = min(causes(root), key=itemgetter(moment_of_failure), default=None)
    llms = [run for run in runs if run["run_type"] == "llm"]
    return {
        "root_cause": cause and cause["id"],
        "llm_tokens": sum(run["total_tokens"] for run in llms),
        "wasted_tokens": sum(run["total_tokens"] for run in llms if is_lost(run)),
        "critical_path": path(root),
    }


def diagnose_flat(runs):
    """No recursion: sorts, walks up by parents, compares moments."""
    by_id = {run["id"]: run for run in runs}
    when = {run["id"]: tuple(map(datetime.fromisoformat, (run["start_time"], run["end_time"]))) for run in runs}

    def upwards(run):
        while run is not None:
            yield run
            run = by_id.get(run["parent_run_id"])

    def healed(run):
        twins = [o for o in runs if (o["name"], o["parent_run_id"]) == (run["name"], run["parent_run_id"])]
        return run["error"] and any(not o["error"] and when[o["id"]][0] > when[run["id"]][1] for o in twins)

    left = [run for run in runs if run["error"] and not any(healed(above) for above in upwards(run))]
    passing_on = {above["id"] for run in left for above in list(upwards(run))[1:]}
    causes = sorted((run for run in left if run["id"] not in passing_on), key=lambda run: when[run["id"]][1])
    llms = [run for run in runs if run["run_type"] == "llm"]
    todo, done = [(run["id"], when[run["id"]][1]) for run in runs if run["parent_run_id"] is None], []
    while todo:
        own, moment = todo.pop()
        if not any(run["parent_run_id"] == own for run in runs):
            done.append(own)
            continue
        line = []
        while True:
            before = [r["id"] for r in runs if r["parent_run_id"] == own and when[r["id"]][1] <= moment]
            if not before:
                break
            last = max(before, key=lambda each: when[each][1])
            line.append((last, when[last][1]))
            moment = when[last][0]
        todo += reversed(line)
    return {
        "root_cause": causes[0]["id"] if causes else None,
        "llm_tokens": sum(run["total_tokens"] for run in llms),
        "wasted_tokens": sum(run["total_tokens"] for run in llms if any(above["error"] for above in upwards(run))),
        "critical_path": done[::-1],
    }


async def diagnose_totals(runs):
    """Takes the tokens from the root, and those that were lost from the highest runs that failed."""
    known = {run["id"]: run for run in runs}
    (root,) = (run for run in runs if run["parent_run_id"] is None)

    def lost(run):
        if run["error"]:
            return run["total_tokens"]
        return sum(lost(child) for child in runs if child["parent_run_id"] == run["id"])

    return diagnose_flat(list(known.values())) | {"llm_tokens": root["total_tokens"], "wasted_tokens": lost(root)}


def but(**changes):
    """A right diagnosis in which something is found in another way."""

    def wrong(runs):
        return diagnose_recursive(runs) | {key: change(runs) for key, change in changes.items()}

    return wrong


def failed(runs):
    return [run for run in runs if run["error"]]


def root_of(runs):
    return next(run for run in runs if run["parent_run_id"] is None)


def leaves(runs):
    parents = {run["parent_run_id"] for run in runs}
    return sorted((run for run in runs if run["id"] not in parents), key=itemgetter("start_time"))


def innermost(runs):
    passing_on = {run["parent_run_id"] for run in failed(runs)}
    return [run for run in failed(runs) if run["id"] not in passing_on]


def first(runs, key):
    return min(runs, key=itemgetter(key))["id"] if runs else None


def last_child_down(runs):
    run, found = root_of(runs), []
    while below := [child for child in runs if child["parent_run_id"] == run["id"]]:
        run = max(below, key=itemgetter("end_time"))
        found.append(run["id"])
    return found[-1:] or [run["id"]]


def with_parents(runs):
    """Keeps the parents on the path."""
    parents = {run["id"]: run["parent_run_id"] for run in runs}
    found = []
    for each in diagnose_recursive(runs)["critical_path"]:
        if parents[each] not in found and parents[each]:
            found.append(parents[each])
        found.append(each)
    return found


diagnose_root_error = but(root_cause=lambda runs: root_of(runs)["error"] and root_of(runs)["id"])
diagnose_first_in_list = but(root_cause=lambda runs: failed(runs)[0]["id"] if failed(runs) else None)
diagnose_last_error = but(root_cause=lambda runs: max(failed(runs), key=itemgetter("end_time"), default={}).get("id"))
diagnose_first_to_start = but(root_cause=lambda runs: diagnose_recursive(runs, "start_time")["root_cause"])
diagnose_beside = but(root_cause=lambda runs: diagnose_recursive(runs, healed_after="start_time")["root_cause"])
diagnose_all_count = but(root_cause=lambda runs: first(innermost(runs), "end_time"))
diagnose_error_text = but(root_cause=lambda runs: failed(runs)[0]["error"] if failed(runs) else None)
diagnose_sums_all = but(llm_tokens=lambda runs: sum(run["total_tokens"] for run in runs))
diagnose_failed_llms = but(
    wasted_tokens=lambda runs: sum(r["total_tokens"] for r in failed(runs) if r["run_type"] == "llm")
)
diagnose_lost_twice = but(wasted_tokens=lambda runs: sum(run["total_tokens"] for run in failed(runs)))
diagnose_all_leaves = but(critical_path=lambda runs: [run["id"] for run in leaves(runs)])
diagnose_last_child = but(critical_path=last_child_down)
diagnose_with_parents = but(critical_path=with_parents)
diagnose_backwards = but(critical_path=lambda runs: diagnose_recursive(runs)["critical_path"][::-1])


def diagnose_always_failed(runs):
    """Expects a failure in every trace."""
    diagnosis = diagnose_recursive(runs)
    cause = next(run for run in runs if run["id"] == diagnosis["root_cause"])
    return diagnosis | {"root_cause": cause["id"]}


def diagnose_half(runs):
    return {"root_cause": diagnose_recursive(runs)["root_cause"]}


# --- trace.instrument --------------------------------------------------------------------------------------------

ROUTE = "ROUTE: Which desks should look at this: billing, technical, sales or legal? Only the names, with commas.\n\n"
EXPERT = "EXPERT {}: What does your desk say to this? One sentence.\n\n"
WRITE = "WRITE: Answer the customer from these notes.\n\n"


@traceable
def route(text, llm):
    return llm.invoke(ROUTE + text).text.split(", ")


@traceable
def expert(name, text, llm):
    return llm.invoke(EXPERT.format(name) + text).text


@traceable
def write(notes, llm):
    return llm.invoke(WRITE + "\n".join(notes)).text


def note(name, text, llm):
    try:
        return expert(name, text, llm)
    except APIError:
        return f"{name}: no answer"


@traceable(name="handle")
def handle_pool(text, llm):
    names = route(text, llm)
    with ContextThreadPoolExecutor() as pool:
        notes = list(pool.map(lambda name: note(name, text, llm), names))
    return write(notes, llm)


@traceable(name="handle")
async def handle_async(text, llm):
    """Tasks of asyncio; the runs are opened in the middle of the code."""
    async with trace("route"):
        names = (await llm.ainvoke(ROUTE + text)).text.split(", ")

    async def one(name):
        async with trace("expert", inputs={"name": name}):
            return (await llm.ainvoke(EXPERT.format(name) + text)).text

    found = await asyncio.gather(*map(one, names), return_exceptions=True)
    notes = [
        f"{name}: no answer" if isinstance(each, APIError) else each for name, each in zip(names, found, strict=True)
    ]
    async with trace("write"):
        return (await llm.ainvoke(WRITE + "\n".join(notes))).text


@traceable(name="handle")
def handle_copied(text, llm):
    """A plain pool, with a copy of the context for each task."""
    names = route(text, llm)
    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(contextvars.copy_context().run, note, name, text, llm) for name in names]
        notes = [job.result() for job in jobs]
    return write(notes, llm)


@traceable(name="handle")
def handle_batch(text, llm):
    """LangChain's own way to run side by side."""
    names = route(text, llm)
    ask = RunnableLambda(lambda name: expert(name, text, llm), name="expert")
    found = ask.batch(names, return_exceptions=True)
    notes = [
        f"{name}: no answer" if isinstance(each, Exception) else each for name, each in zip(names, found, strict=True)
    ]
    return write(notes, llm)


class Desk(TypedDict, total=False):
    text: str
    name: str
    notes: Annotated[list, operator.add]
    answer: str


def handle_graph(text, llm):
    """Nodes are runs by themselves; only the experts need one of their own inside."""
    graph = StateGraph(Desk)
    graph.add_node("route", lambda state: {"name": llm.invoke(ROUTE + text).text})
    graph.add_node("ask", lambda state: {"notes": [note(state["name"], text, llm)]})
    graph.add_node("write", lambda state: {"answer": write(state["notes"], llm)})
    graph.add_edge(START, "route")
    graph.add_conditional_edges(
        "route", lambda state: [Send("ask", {"name": name}) for name in state["name"].split(", ")], ["ask"]
    )
    graph.add_edge("ask", "write")
    graph.add_edge("write", END)
    return graph.compile(name="handle").invoke({"text": text, "notes": []})["answer"]


def ask_dark(name, text, llm):
    try:
        return llm.invoke(EXPERT.format(name) + text).text
    except APIError:
        return f"{name}: no answer"


def handle_dark(text, llm):
    names = llm.invoke(ROUTE + text).text.split(", ")
    with ThreadPoolExecutor() as pool:
        notes = list(pool.map(lambda name: ask_dark(name, text, llm), names))
    return llm.invoke(WRITE + "\n".join(notes)).text


handle_only = traceable(handle_dark, name="handle")


@traceable(name="handle")
def handle_no_steps(text, llm):
    """One run over everything, and requests right below it."""
    names = llm.invoke(ROUTE + text).text.split(", ")
    with ContextThreadPoolExecutor() as pool:
        notes = list(pool.map(lambda name: ask_dark(name, text, llm), names))
    return llm.invoke(WRITE + "\n".join(notes)).text


@traceable(name="handle")
def handle_plain_pool(text, llm):
    names = route(text, llm)
    with ThreadPoolExecutor() as pool:
        notes = list(pool.map(lambda name: note(name, text, llm), names))
    return write(notes, llm)


@traceable(name="handle")
def handle_in_turn(text, llm):
    return write([note(name, text, llm) for name in route(text, llm)], llm)


@traceable(name="handle")
def handle_caught_inside(text, llm):
    names = route(text, llm)
    inside = traceable(ask_dark, name="expert")
    with ContextThreadPoolExecutor() as pool:
        notes = list(pool.map(lambda name: inside(name, text, llm), names))
    return write(notes, llm)


@traceable(name="handle")
def handle_one_expert(text, llm):
    """One run for all experts together."""
    names = route(text, llm)

    @traceable(name="expert")
    def experts():
        with ContextThreadPoolExecutor() as pool:
            return list(pool.map(lambda name: ask_dark(name, text, llm), names))

    return write(experts(), llm)


@traceable(name="handle")
def handle_nested(text, llm):
    """The experts are asked from within the step that chose them."""

    @traceable(name="route")
    def routed():
        names = llm.invoke(ROUTE + text).text.split(", ")
        with ContextThreadPoolExecutor() as pool:
            return list(pool.map(lambda name: note(name, text, llm), names))

    return write(routed(), llm)


@traceable(name="handle")
def handle_told_twice(text, llm):
    """Reports each request by hand, although LangChain does."""

    def twice(prompt):
        with trace("ChatOpenAI", run_type="llm", inputs={"prompt": prompt}) as run:
            answer = llm.invoke(prompt).text
            run.end(outputs={"text": answer})
            return answer

    with trace("route"):
        names = twice(ROUTE + text).split(", ")
    with ContextThreadPoolExecutor() as pool:
        notes = list(pool.map(lambda name: note(name, text, llm), names))
    return write(notes, llm)


@traceable(name="handle")
def handle_swallows(text, llm):
    """Nobody is told that the last step failed."""
    try:
        return handle_pool.__wrapped__(text, llm)
    except APIError:
        return "Thank you for your message."


@traceable(name="answer")
def handle_other_name(text, llm):
    return handle_pool.__wrapped__(text, llm)


@traceable(name="handle")
def handle_gives_up(text, llm):
    """One expert's error ends it all."""
    names = route(text, llm)
    with ContextThreadPoolExecutor() as pool:
        return write(list(pool.map(lambda name: expert(name, text, llm), names)), llm)


RIGHT = {
    "trace.tokens": (sums_loop, sums_counter, sums_usage),
    "trace.mend": (gather_re, gather_async, gather_chain),
    "trace.diagnose": (diagnose_recursive, diagnose_flat, diagnose_totals),
    "trace.instrument": (handle_pool, handle_async, handle_copied, handle_batch, handle_graph),
}

WRONG = {
    "trace.tokens": {
        sums_all: "which runs have asked a model themselves",
        sums_chains: "that the totals of all runs add up to what was used",
        sums_own_name: "the key is the name of the run above",
        sums_ids: "`names` leads from one to the other",
        sums_last: "a step may ask twice",
        sums_successes: "an answer that broke off is paid for",
        sums_number: "return the dict `used`",
        sums_roots: "each llm run counts for the run right above it",
    },
    "trace.mend": {
        gather_buggy: "the search failed, and nobody was told",
        gather_default: "does your search find it in small letters",
        gather_unsuppressed: "this spelling is an order as well",
        gather_not_upper: "look it up in the spelling that `orders` has",
        gather_forgets_none: "`re.search` gives None when nothing is found",
        gather_get: "let the error of `orders[...]` out",
        gather_asks_first: "look the order up before you ask the model",
        gather_message: "`desk` is the text of the answer",
        gather_upper_text: "ask as the old version did",
    },
    "trace.diagnose": {
        diagnose_root_error: "the error which reaches you is the one that happened first",
        diagnose_first_in_list: "`root_cause` is",
        diagnose_last_error: "only passes on what failed below it",
        diagnose_first_to_start: "a run fails when it ends",
        diagnose_beside: "a repeat begins when the failed run has ended",
        diagnose_all_count: "leave the failed one out",
        diagnose_error_text: "`root_cause` is the id of a run, or None",
        diagnose_sums_all: "a parent's total already holds those of its children",
        diagnose_failed_llms: "an error anywhere above an llm run counts",
        diagnose_lost_twice: "`wasted_tokens` is",
        diagnose_all_leaves: "leave out what ran beside something that ended later",
        diagnose_last_child: "one run is not the path",
        diagnose_with_parents: "put its own path in its place",
        diagnose_backwards: "in another order: the earliest first",
        diagnose_always_failed: "your function raised StopIteration",
        diagnose_half: "return a dict with these four keys",
    },
    "trace.instrument": {
        handle_dark: "0 runs named 'handle'; the names of the runs are: ChatOpenAI",
        handle_only: "1 run without a parent ('ChatOpenAI')",
        handle_no_steps: "make a function `route` that makes this request",
        handle_plain_pool: "a plain thread begins with an empty context",
        handle_in_turn: "the experts asked side by side, as before",
        handle_caught_inside: "an error which is caught leaves nothing to be told",
        handle_one_expert: "a run for each expert",
        handle_nested: "let `handle` call the steps, not one step another",
        handle_told_twice: "LangChain reports each request by itself",
        handle_swallows: "only an expert's error is replaced by a note",
        handle_other_name: "put `@traceable` above the function `handle`",
        handle_gives_up: "catch an expert's `APIError`",
    },
}

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
from langchain_core.runnables.config import ContextThreadPoolExecutor
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from langsmith import trace, traceable
from openai import APIError

from course_utils import chat_model

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


def sums_chat_openai(runs):
    """Tells a request by its name."""
    return sums_loop([run | {"run_type": "llm" if run["name"] == "ChatOpenAI" else "chain"} for run in runs])


def sums_early(runs):
    """Returns inside of the loop."""
    names, used = {run["id"]: run["name"] for run in runs}, {}
    for run in runs:
        if run["run_type"] == "llm":
            used[names[run["parent_run_id"]]] = run["total_tokens"]
            return used
    return used


def sums_root_parent(runs):
    """Looks for the root's parent."""
    names, used = {run["id"]: run["name"] for run in runs}, {}
    for run in runs:
        used[names[run["parent_run_id"]]] = 0
    return used


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


def gather_swallows(text, orders, llm):
    """Finds it in any spelling, and hides that it is looked up in this one."""
    facts = {"desk": llm.invoke(WHICH + text).text, "order": None}
    with suppress(Exception):
        facts["order"] = orders[re.search(r"MB-\d{5}", text, re.IGNORECASE)[0]]
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


def gather_misspelt(text, orders, llm):
    return gather_re(txt, orders, llm)  # noqa: F821


async def gather_not_awaited(text, orders, llm):
    asked = llm.ainvoke(WHICH + text)
    asked.close()  # or Python warns of it, whenever it is collected
    return {"order": find_order(text, orders), "desk": asked.text}


def gather_awaits_a_text(text, orders, llm):
    async def ask():
        return (await llm.invoke(WHICH + text)).text

    return {"order": find_order(text, orders), "desk": asyncio.run(ask())}


def gather_match(text, orders, llm):
    named = re.search(r"MB-\d{5}", text, re.IGNORECASE)
    return {"order": orders[named.upper()] if named else None, "desk": llm.invoke(WHICH + text).text}


def gather_other_error(text, orders, llm):
    """Raises what is no KeyError, for an order that is not there."""
    try:
        return gather_re(text, orders, llm)
    except KeyError:
        raise ValueError("no such order") from None


def gather_upper_text(text, orders, llm):
    """Sends the model a ticket that the customer did not write."""
    return gather_re(text.upper(), orders, llm)


# --- trace.diagnose ----------------------------------------------------------------------------------------------


def diagnose_recursive(runs, moment_of_failure="end_time", healed_after="end_time", same=("name", "parent_run_id")):
    def children(run):
        return [other for other in runs if other["parent_run_id"] == run["id"]]

    def made_good(run):
        return any(
            not other["error"] and other["start_time"] > run[healed_after]
            for other in runs
            if all(other[key] == run[key] for key in same)
        )

    def causes(run):
        found = [cause for child in children(run) if not made_good(child) for cause in causes(child)]
        return found or ([run] if run["error"] else [])

    def is_lost(run):
        return any(other["error"] and run["dotted_order"].startswith(other["dotted_order"]) for other in runs)

    root = next(run for run in runs if run["parent_run_id"] is None)
    cause = min(causes(root), key=itemgetter(moment_of_failure), default=None)
    llms = [run for run in runs if run["run_type"] == "llm"]
    return {
        "root_cause": cause and cause["id"],
        "llm_tokens": sum(run["total_tokens"] for run in llms),
        "wasted_tokens": sum(run["total_tokens"] for run in llms if is_lost(run)),
    }


def moments(runs):
    return {run["id"]: tuple(map(datetime.fromisoformat, (run["start_time"], run["end_time"]))) for run in runs}


def diagnose_flat(runs):
    """No recursion: sorts, walks up by parents, compares moments."""
    by_id = {run["id"]: run for run in runs}
    when = moments(runs)

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
    return {
        "root_cause": causes[0]["id"] if causes else None,
        "llm_tokens": sum(run["total_tokens"] for run in llms),
        "wasted_tokens": sum(run["total_tokens"] for run in llms if any(above["error"] for above in upwards(run))),
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


diagnose_root_error = but(root_cause=lambda runs: root_of(runs)["error"] and root_of(runs)["id"])
diagnose_first_in_list = but(root_cause=lambda runs: failed(runs)[0]["id"] if failed(runs) else None)
diagnose_last_error = but(root_cause=lambda runs: max(failed(runs), key=itemgetter("end_time"), default={}).get("id"))
diagnose_first_to_start = but(root_cause=lambda runs: diagnose_recursive(runs, "start_time")["root_cause"])
diagnose_beside = but(root_cause=lambda runs: diagnose_recursive(runs, healed_after="start_time")["root_cause"])
diagnose_all_count = but(root_cause=lambda runs: first(innermost(runs), "end_time"))
diagnose_only_itself = but(
    root_cause=lambda runs: first([r for r in failed(runs) if not was_repeated(r, runs)], "end_time")
)
diagnose_error_text = but(root_cause=lambda runs: failed(runs)[0]["error"] if failed(runs) else None)
diagnose_sums_all = but(llm_tokens=lambda runs: sum(run["total_tokens"] for run in runs))
diagnose_failed_llms = but(
    wasted_tokens=lambda runs: sum(r["total_tokens"] for r in failed(runs) if r["run_type"] == "llm")
)
diagnose_lost_twice = but(wasted_tokens=lambda runs: sum(run["total_tokens"] for run in failed(runs)))
diagnose_any_parent = but(root_cause=lambda runs: diagnose_recursive(runs, same=("name",))["root_cause"])
diagnose_still_lost = but(
    wasted_tokens=lambda runs: diagnose_recursive([run for run in runs if not is_healed(run, runs)])["wasted_tokens"]
)


def was_repeated(run, runs):
    """It itself was made good."""
    twins = [each for each in runs if (each["name"], each["parent_run_id"]) == (run["name"], run["parent_run_id"])]
    return any(not each["error"] and each["start_time"] > run["end_time"] for each in twins)


def is_healed(run, runs):
    """It, or one above it, was made good."""
    return any(
        run["dotted_order"].startswith(above["dotted_order"])
        and any(
            (other["name"], other["parent_run_id"], other["error"]) == (above["name"], above["parent_run_id"], None)
            and other["start_time"] > above["end_time"]
            for other in runs
        )
        for above in failed(runs)
    )


def diagnose_any_repeat(runs):
    """Takes a repeat that failed for one that helped."""
    twins = [(a, b) for a in failed(runs) for b in runs if a["parent_run_id"] == b["parent_run_id"]]
    out = [a["dotted_order"] for a, b in twins if a["name"] == b["name"] and b["start_time"] > a["end_time"]]
    left = [run for run in failed(runs) if not run["dotted_order"].startswith(tuple(out))]
    return diagnose_recursive(runs) | {"root_cause": first(left, "end_time")}


def diagnose_any_time(runs):
    """Takes what ran beside it for a repeat."""
    twins = [(a, b) for a in failed(runs) for b in runs if a["parent_run_id"] == b["parent_run_id"]]
    out = [a["dotted_order"] for a, b in twins if a["name"] == b["name"] and not b["error"]]
    left = [run for run in failed(runs) if not run["dotted_order"].startswith(tuple(out))]
    return diagnose_recursive(runs) | {"root_cause": first(left, "end_time")}


def diagnose_climbs(runs):
    """Goes up one step further than the root."""
    by_id = {run["id"]: run for run in runs}
    run = runs[0]
    while run:
        run = by_id[run["parent_run_id"]]


def diagnose_always_failed(runs):
    """Expects a failure in every trace."""
    diagnosis = diagnose_recursive(runs)
    cause = next(run for run in runs if run["id"] == diagnosis["root_cause"])
    return diagnosis | {"root_cause": cause["id"]}


def diagnose_half(runs):
    return {"root_cause": diagnose_recursive(runs)["root_cause"]}


# --- trace.path --------------------------------------------------------------------------------------------------


def path_recursive(runs):
    def path(run):
        found, moment = [], run["end_time"]
        children = [other for other in runs if other["parent_run_id"] == run["id"]]
        for child in sorted(children, key=itemgetter("end_time"), reverse=True):
            if child["end_time"] <= moment:
                found, moment = path(child) + found, child["start_time"]
        return found or [run["id"]]

    return path(root_of(runs))


def path_flat(runs):
    """No recursion, and real moments."""
    when = moments(runs)
    todo, done = [root_of(runs)["id"]], []
    while todo:
        own = todo.pop()
        moment, line = when[own][1], []
        while before := [r["id"] for r in runs if r["parent_run_id"] == own and when[r["id"]][1] <= moment]:
            line.append(max(before, key=lambda each: when[each][1]))
            moment = when[line[-1]][0]
        todo += reversed(line)
        if not line:
            done.append(own)
    return done[::-1]


async def path_forwards(runs):
    """From parents to children, level by level, until only runs without children are left."""
    path = [root_of(runs)]
    while True:
        longer = []
        for run in path:
            below = sorted((each for each in runs if each["parent_run_id"] == run["id"]), key=itemgetter("end_time"))
            line = [] if below else [run]
            while below:
                line.insert(0, below[-1])
                below = [each for each in below if each["end_time"] <= line[0]["start_time"]]
            longer += line
        if longer == path:
            return [run["id"] for run in path]
        path = longer


def path_last_child(runs):
    run, found = root_of(runs), []
    while below := [child for child in runs if child["parent_run_id"] == run["id"]]:
        run = max(below, key=itemgetter("end_time"))
        found.append(run["id"])
    return found[-1:] or [run["id"]]


def path_with_parents(runs):
    """Keeps the parents on the path."""
    parents = {run["id"]: run["parent_run_id"] for run in runs}
    found = []
    for each in path_recursive(runs):
        if parents[each] not in found and parents[each]:
            found.append(parents[each])
        found.append(each)
    return found


def path_all_leaves(runs):
    return [run["id"] for run in leaves(runs)]


def path_backwards(runs):
    return path_recursive(runs)[::-1]


def path_runs(runs):
    by_id = {run["id"]: run for run in runs}
    return [by_id[each] for each in path_recursive(runs)]


def path_children(runs):
    """Only the root's own children."""
    root = root_of(runs)["id"]
    below = [run for run in runs if run["parent_run_id"] == root]
    return path_recursive([run for run in runs if run in below or run["id"] == root])


def path_from_root(runs):
    """Walks forward, from what ended first."""
    found, moment = [], ""
    for run in sorted(leaves(runs), key=itemgetter("end_time")):
        if run["start_time"] > moment:
            found.append(run["id"])
            moment = run["end_time"]
    return found


def path_misspelt(runs):
    return path_recursive(rnus)  # noqa: F821


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


@traceable(name="handle")
def handle_expert_is_llm(text, llm):
    """The step of an expert calls itself a request."""
    names = route(text, llm)
    ask = traceable(expert.__wrapped__, name="expert", run_type="llm")

    def noted(name):
        try:
            return ask(name, text, llm)
        except APIError:
            return f"{name}: no answer"

    with ContextThreadPoolExecutor() as pool:
        notes = list(pool.map(noted, names))
    return write(notes, llm)


@traceable(name="handle")
def handle_two_experts(text, llm):
    """The function that catches is called an expert as well."""
    names = route(text, llm)
    outer = traceable(note, name="expert")
    with ContextThreadPoolExecutor() as pool:
        notes = list(pool.map(lambda name: outer(name, text, llm), names))
    return write(notes, llm)


@traceable(name="handle")
def handle_renamed(text, llm):
    names = route(text, llm)
    inside = traceable(ask_dark, name="ask_one")
    with ContextThreadPoolExecutor() as pool:
        notes = list(pool.map(lambda name: inside(name, text, llm), names))
    return write(notes, llm)


@traceable(name="handle")
def handle_one_copy(text, llm):
    """One copy of the context for all threads."""
    names, context = route(text, llm), contextvars.copy_context()
    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(context.run, note, name, text, llm) for name in names]
        notes = [job.result() for job in jobs]
    return write(notes, llm)


@traceable(name="handle")
async def handle_text_of_coroutine(text, llm):
    asked = llm.ainvoke(ROUTE + text)
    asked.close()
    return asked.text.split(", ")


@traceable(name="handle")
async def handle_write_not_awaited(text, llm):
    @traceable(name="write")
    async def later(notes):
        return (await llm.ainvoke(WRITE + "\n".join(notes))).text

    names = route(text, llm)
    notes = await asyncio.gather(*(asyncio.to_thread(note, name, text, llm) for name in names))
    written = later(notes)
    written.close()
    return written


@traceable(name="handle")
async def handle_own_model(text, llm):
    """Asks a model that nobody watches."""
    names = route(text, llm)
    notes = await asyncio.gather(*(asyncio.to_thread(note, name, text, llm) for name in names))
    return write(notes, chat_model())


def sums_chain_parents(runs):
    """Takes it that only chains ask models."""
    chains = {run["id"]: run["name"] for run in runs if run["run_type"] == "chain"}
    used = Counter()
    for run in runs:
        if run["run_type"] == "llm" and run["parent_run_id"] in chains:
            used[chains[run["parent_run_id"]]] += run["total_tokens"]
    return dict(used)


def gather_strict_in_capitals(text, orders, llm):
    """An order in small letters that is not there is no error to it."""
    named = re.search(r"MB-\d{5}", text, re.IGNORECASE)
    order = (orders.__getitem__ if "MB-" in text else orders.get)(named[0].upper()) if named else None
    return {"order": order, "desk": llm.invoke(WHICH + text).text}


def diagnose_failed_cost_nothing(runs):
    """Takes it that a request which failed used no tokens."""
    found = diagnose_recursive(runs)
    own = sum(run["total_tokens"] for run in failed(runs) if run["run_type"] == "llm")
    return found | {"wasted_tokens": found["wasted_tokens"] - own}


def path_three_levels(runs):
    """Does not look below the third level under the root."""
    return path_recursive([run for run in runs if run["dotted_order"].count(".") < 4])


@traceable(name="handle")
def handle_without_route(text, llm):
    """Nobody is told that the first step failed."""
    try:
        names = route(text, llm)
    except APIError:
        return write(["nobody was asked"], llm)
    with ContextThreadPoolExecutor() as pool:
        notes = list(pool.map(lambda name: note(name, text, llm), names))
    return write(notes, llm)


HELD_BACK = {  # answers that pass the cases that are shown, and fail one that is held back
    "trace.tokens": [sums_chain_parents],
    "trace.mend": [gather_strict_in_capitals],
    "trace.diagnose": [diagnose_failed_cost_nothing],
    "trace.path": [path_three_levels],
    "trace.instrument": [handle_without_route],
}

RIGHT = {
    "trace.tokens": (sums_loop, sums_counter, sums_usage),
    "trace.mend": (gather_re, gather_async, gather_chain),
    "trace.diagnose": (diagnose_recursive, diagnose_flat, diagnose_totals),
    "trace.path": (path_recursive, path_flat, path_forwards),
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
        sums_chat_openai: "a request is told by its `run_type`, not by its name",
        sums_early: "is missing: does your loop reach every run",
        sums_root_parent: "the root has no parent: its `parent_run_id` is None",
        sums_number: "return the dict `used`",
        sums_roots: "each llm run counts for the run right above it",
    },
    "trace.mend": {
        gather_buggy: "the search failed, and nobody was told",
        gather_default: "find it in small letters, and look it up in capitals",
        gather_swallows: "an `except` or a `suppress` around them would hide the answer",
        gather_unsuppressed: "this spelling is an order as well",
        gather_not_upper: "look it up in the spelling that `orders` has",
        gather_forgets_none: "`re.search` gives None when nothing is found",
        gather_get: "let the error of `orders[...]` out",
        gather_asks_first: "look the order up before you ask the model",
        gather_message: "'desk': <an object of type AIMessage>",
        gather_misspelt: "`txt` has no value here: misspelt, or a cell above not run",
        gather_not_awaited: "write `await` in front of the call",
        gather_awaits_a_text: "`await` belongs before `llm.ainvoke`",
        gather_match: "`match[0]` is the text that was found",
        gather_other_error: "let `orders[...]` raise what it raises",
        gather_upper_text: "ask as the old version did",
    },
    "trace.diagnose": {
        diagnose_root_error: "the error which reaches you is the one that happened first",
        diagnose_first_in_list: "`root_cause` is",
        diagnose_last_error: "only passes on what failed below it",
        diagnose_first_to_start: "a run fails when it ends",
        diagnose_beside: "the run that succeeded began before this one failed",
        diagnose_all_count: "leave the failed one out",
        diagnose_only_itself: "was made good: 'parse' stands below it, leave it out as well",
        diagnose_error_text: "`root_cause` is the id of a run, or None",
        diagnose_sums_all: "a parent's total already holds those of its children",
        diagnose_failed_llms: "an error anywhere above an llm run counts",
        diagnose_lost_twice: "`wasted_tokens` is",
        diagnose_always_failed: "your function raised StopIteration",
        diagnose_half: "return a dict with these three keys",
        diagnose_still_lost: "is there an error on the way",
        diagnose_any_repeat: "its repeat failed as well",
        diagnose_any_time: "the run that succeeded began before this one failed",
        diagnose_any_parent: "has another parent, and is no repeat",
        diagnose_climbs: "the root has no parent",
    },
    "trace.path": {
        path_all_leaves: "leave out what ran beside something that ended later",
        path_last_child: "one run is not the path",
        path_with_parents: "put its own path in its place",
        path_backwards: "in another order: the earliest first",
        path_runs: "the list holds ids",
        path_children: "put its own path in its place",
        path_from_root: "the path (as parent/name)",
        path_misspelt: "`rnus` has no value here",
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
        handle_expert_is_llm: "LangChain reports each request by itself: add no run of the type llm",
        handle_two_experts: "one in the other, and the outer one says success",
        handle_renamed: "hangs under 'ask_one', under 'handle'",
        handle_one_copy: "each thread needs a copy of its own: `asyncio.to_thread`",
        handle_text_of_coroutine: "you used a coroutine before it was awaited",
        handle_write_not_awaited: "was `write` awaited?",
        handle_own_model: "not a `chat_model()`",
        handle_gives_up: "catch an expert's `APIError`",
    },
}

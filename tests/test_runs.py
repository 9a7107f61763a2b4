"""What the real LangSmith SDK reports in a block of code, as plain data."""

from __future__ import annotations

import asyncio
import contextvars
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random

import langsmith
import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, StateGraph
from langsmith import traceable

from course_utils import chat_model, connect, faults
from course_utils.runs import Recorder, outline, recorded_runs
from course_utils.tasks.run_trees import made
from course_utils.traced import recorded

MODEL = FakeListChatModel(responses=["yes"])


@traceable
def ask(prompt):
    return MODEL.invoke(prompt).text


@traceable(run_type="tool")
def look_up(key):
    return {}[key]


@traceable
def reply(text):
    with pytest.raises(KeyError):
        look_up(text)
    return ask(text)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Only loopback may be reached, whatever an SDK thinks of it."""
    real = socket.socket.connect

    def connect_on_loopback(self, address):
        assert not isinstance(address, tuple) or address[0].startswith("127."), address
        return real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_on_loopback)


def shape(runs):
    """Each run as (name, type, status, name of its parent)."""
    names = {run["id"]: run["name"] for run in runs}
    return [(run["name"], run["run_type"], run["status"], names.get(run["parent_run_id"])) for run in runs]


REPLY = [
    ("reply", "chain", "success", None),
    ("look_up", "tool", "error", "reply"),
    ("ask", "chain", "success", "reply"),
    ("FakeListChatModel", "llm", "success", "ask"),
]


def test_traceable_functions_and_langchain_are_one_tree():
    """Functions and models are runs of one trace, in the order in which they began, with inputs and outputs."""
    with recorded_runs() as runs:
        reply("x")
        assert runs == []
    assert shape(runs) == REPLY
    root, tool, step, request = runs
    assert {run["trace_id"] for run in runs} == {root["id"]}
    assert (step["inputs"], step["outputs"]) == ({"prompt": "x"}, {"output": "yes"})
    assert tool["error"].startswith("KeyError('x')")
    assert request["outputs"]["generations"][0][0]["text"] == "yes"
    assert request["dotted_order"].startswith(step["dotted_order"] + ".")
    assert all(run["start_time"] < run["end_time"] and run["end_time"].endswith("+00:00") for run in runs)


def test_runs_are_plain_json():
    """What JSON cannot hold becomes a text, and what an object was when it was told is kept."""
    loop: list = []
    loop.append(loop)
    state = {"notes": ["a"]}

    @traceable
    def odd(value, loop, state):
        state["notes"].append("b")
        return {value}

    with recorded_runs() as runs:
        odd(object, loop, state)
    assert json.loads(json.dumps(runs)) == runs
    assert runs[0]["inputs"]["value"] == "<class 'object'>"


def test_requests_have_their_tokens_and_parents_the_sum(judged_server):
    """An llm run has the tokens that the server counted; every run above it carries the sum."""

    @traceable
    def twice():
        return [chat_model().invoke(text).text for text in ("What is an Otter?", "Which desk is this for?")]

    with connect().record() as trace, recorded_runs() as runs:
        twice()
    counted = [[record.prompt_tokens, record.completion_tokens] for record in trace]
    own = [[run["prompt_tokens"], run["completion_tokens"]] for run in runs if run["run_type"] == "llm"]
    assert own == counted
    assert runs[0]["total_tokens"] == sum(map(sum, counted))
    assert "runtime" not in json.dumps([run["extra"] for run in runs])


def test_a_refused_request_has_its_error_all_the_way_up(judged_server):
    """A request that failed is a run with an error and no tokens, and so is what it ends."""
    with connect().record(faults=faults.every(1, faults.unavailable())), recorded_runs() as runs:
        with pytest.raises(Exception, match="503"):
            RunnableLambda(lambda text: chat_model().invoke(text), name="ask").invoke("x")
    assert shape(runs) == [("ask", "chain", "error", None), ("ChatOpenAI", "llm", "error", "ask")]
    assert all("503" in run["error"] and run["total_tokens"] == 0 for run in runs)


async def test_tasks_keep_their_parents():
    """Tasks and graphs carry the context along; each request hangs under the step that made it."""

    async def node(state):
        await asyncio.gather(*(ask_later(text) for text in "ab"))
        return {}

    @traceable
    async def ask_later(prompt):
        return (await MODEL.ainvoke(prompt)).text

    graph = StateGraph(dict)
    graph.add_node("experts", node)
    graph.add_edge(START, "experts")
    graph.add_edge("experts", END)
    with recorded_runs() as runs:
        await graph.compile(name="handle").ainvoke({})
    assert sorted(map(str, shape(runs))) == sorted(
        map(
            str,
            [
                ("handle", "chain", "success", None),
                ("experts", "chain", "success", "handle"),
                *[("ask_later", "chain", "success", "experts")] * 2,
                *[("FakeListChatModel", "llm", "success", "ask_later")] * 2,
            ],
        )
    )


def test_a_thread_without_a_context_begins_a_trace_of_its_own():
    """As with LangSmith: what a plain thread does is recorded, but nobody knows whose it is."""

    @traceable
    def handle():
        with ThreadPoolExecutor() as pool:
            pool.submit(ask, "lost").result()
            pool.submit(contextvars.copy_context().run, ask, "kept").result()

    with recorded_runs() as runs:
        handle()
    parents = {
        run["inputs"]["prompt"]: parent
        for run, (*_, parent) in zip(runs, shape(runs), strict=True)
        if run["name"] == "ask"
    }
    assert parents == {"lost": None, "kept": "handle"}


@pytest.mark.parametrize("how", ["nothing", "disabled", "enabled"])
def test_what_was_set_before_holds_again_after(monkeypatch, how):
    """Outside of the block nothing is recorded, and settings are as they were, also after an error in it."""
    before = Recorder()
    if how != "nothing":
        langsmith.configure(client=before, enabled=how == "enabled")
    try:
        with pytest.raises(ZeroDivisionError), recorded_runs() as runs:
            ask("inside")
            raise ZeroDivisionError
        ask("outside")
        thread = threading.Thread(target=ask, args=("in a thread",))
        thread.start()
        thread.join()
        assert shape(runs) == [("ask", "chain", "success", None), ("FakeListChatModel", "llm", "success", "ask")]
        assert len(before.runs()) == (4 if how == "enabled" else 0)
    finally:
        langsmith.configure(client=None, enabled=None)


def test_environment_variables_are_neither_needed_nor_heeded(monkeypatch):
    """A block records although tracing is switched off outside, and nothing goes to the address given there."""
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    monkeypatch.setenv("LANGSMITH_ENDPOINT", "https://203.0.113.1")
    monkeypatch.setenv("LANGSMITH_API_KEY", "nobody's")
    langsmith.utils.get_env_var.cache_clear()
    try:
        with recorded_runs() as runs:
            reply("x")
    finally:
        langsmith.utils.get_env_var.cache_clear()
    assert shape(runs) == REPLY


def test_no_thread_stays_behind():
    """The block starts no thread at all."""
    before = set(threading.enumerate())
    with recorded_runs():
        reply("x")
        during = set(threading.enumerate())
    assert during | set(threading.enumerate()) <= before


def test_blocks_do_not_share_runs():
    """Each block has its own runs, also one inside another, also from within a run."""

    @traceable
    def outer():
        with recorded_runs() as inside:
            ask("in")
        return inside

    with recorded_runs() as runs:
        inside = outer()
    assert [run["name"] for run in inside] == ["ask", "FakeListChatModel"]
    assert [run["name"] for run in runs] == ["outer"]
    assert inside[0]["parent_run_id"] is None


def test_a_run_that_goes_on_is_pending():
    """A run that has not ended at the block's end has no end and no outputs."""
    with recorded_runs() as runs, langsmith.tracing_context():
        recorder = langsmith.get_tracing_context()["client"] or langsmith.run_trees._CLIENT
        run = langsmith.RunTree(name="endless", ls_client=recorder)
        run.post()
    run.end()
    run.patch()
    assert [(run["status"], run["end_time"]) for run in runs] == [("pending", None)]


def test_outline():
    """The trees in text, each run under its parent, whatever the order; with times when they are asked for."""
    with recorded_runs() as runs:
        reply("x")
        ask("y")
    lines = [line.split() for line in outline(runs[::-1]).splitlines()]
    assert lines == [
        ["reply", "chain", "success"],
        ["├─", "look_up", "tool", "error"],
        ["└─", "ask", "chain", "success"],
        ["└─", "FakeListChatModel", "llm", "success"],
        ["ask", "chain", "success"],
        ["└─", "FakeListChatModel", "llm", "success"],
    ]
    assert {
        line.index(kind) for line in outline(runs).splitlines() for kind in ("chain", "tool ", "llm ") if kind in line
    } == {25}
    assert outline(runs, times=True).splitlines()[0].split()[:4] == ["reply", "0.00", "s", "to"]
    assert outline([]) == ""


def test_the_driver_tells_what_an_answer_gave_and_its_runs():
    """Of requests it tells what was said, of other runs where they stand."""
    told = recorded(ask, {"prompt": "x"})
    assert told["returned"] == "yes"
    step, request = told["runs"]
    assert (step["name"], step["status"], "inputs" in step) == ("ask", "success", False)
    assert request["parent_run_id"] == step["id"]
    assert '"x"' in request["inputs"]
    assert "yes" in request["outputs"]


def test_the_driver_tells_an_error_and_lets_what_is_not_written_through():
    """An exception is data beside the runs; a stub is no answer at all."""

    @traceable
    def stub():
        raise NotImplementedError

    told = recorded(look_up, {"key": "x"})
    assert (told["raised"], told["message"]) == ("KeyError", "'x'")
    assert [run["status"] for run in told["runs"]] == ["error"]
    with pytest.raises(NotImplementedError):
        recorded(stub, {})


DRAWING = """
reply || !KeyError
  ask
    llm @1
    llm !APIError $
  find:tool ~3 !KeyError *
"""


def test_drawn_trees_have_the_shape_of_recorded_ones():
    """A tree made of a drawing has the same keys as what the SDK reports of running code, and the same links."""
    with recorded_runs() as runs:
        reply("x")
    tree = made(DRAWING, Random(1))
    assert {frozenset(run) for run in tree.runs} == {frozenset(run) for run in runs}
    by_start = sorted(tree.runs, key=lambda run: run["dotted_order"])
    assert shape(by_start) == [
        ("reply", "chain", "error", None),
        ("ask", "chain", "success", "reply"),
        ("ChatOpenAI", "llm", "success", "ask"),
        ("ChatOpenAI", "llm", "error", "ask"),
        ("find", "tool", "error", "reply"),
    ]
    used = [run["total_tokens"] for run in by_start]
    assert used == [tree.llm_tokens, tree.llm_tokens, used[2], used[3], 0]
    assert (tree.wasted_tokens, tree.by_step) == (tree.llm_tokens, {"ask": used[2] + used[3]})
    assert (tree.cause, tree.path) == (by_start[4]["id"], [by_start[2]["id"]])


def test_drawn_trees_follow_the_seed():
    """The same seed makes the same tree; another one makes another."""
    assert made(DRAWING, Random(1)).runs == made(DRAWING, Random(1)).runs
    assert made(DRAWING, Random(1)).llm_tokens != made(DRAWING, Random(2)).llm_tokens

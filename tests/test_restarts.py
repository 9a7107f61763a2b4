"""The driver of restarts: what lasts from one process to the next, what does not, and when one is killed."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import Running, running_server

from course_utils.attempt import attempt
from course_utils.restarts import restarted
from course_utils.server.effects import SILENT, Effects
from course_utils.server.scopes import Scope
from course_utils.server.scripted import Scripted
from course_utils.tasks.scripts import never

MEMORY: list[str] = []
LOCK = threading.Lock()


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running_server() as running:
        yield running


@pytest.fixture
def scope(server: Running) -> Scope:
    """A virtual corner with a model that says the number of the request, and never answers the third one."""
    script = Scripted(lambda request, number: never() if number == 3 else f"answer {number}")
    return server.scope(backend=script, virtual=True)


def given(server: Running, scope: Scope, *steps: dict[str, Any]) -> dict[str, Any]:
    """The arguments of the driver, as `handed` makes them."""
    door = {"base_url": f"{server.url}/s/{scope.name}/v1", "key": scope.key, "model": "small"}
    stage = {"url": f"{server.url}/course/scopes/{scope.name}", "key": scope.key}
    tools = {"pay": "pay", "case": "case"}
    case = {"stage": stage, "models": {"llm": door}, "tools": tools, "seed": 0, "arguments": {"steps": list(steps)}}
    return {"case": case, "steps": list(steps)}


def remember(word: str, path: str, llm: Any, pay: Any) -> list[Any]:
    """What is in memory and on disk after one more word, and whose process this is."""
    MEMORY.append(word)
    with open(path, "a") as file:
        file.write(word)
    return [MEMORY, Path(path).read_text(), os.getpid()]


def test_only_what_is_on_disk_lasts(server, scope):
    """Each step runs in a process of its own, which finds the file and nothing else."""
    first, second = restarted(remember, given(server, scope, {"inputs": {"word": "a"}}, {"inputs": {"word": "b"}}))
    assert (first["returned"][:2], second["returned"][:2]) == ([["a"], "a"], [["b"], "ab"])
    assert len({os.getpid(), first["returned"][2], second["returned"][2]}) == 3
    assert MEMORY == []


def ask_all(words: list[str], path: str, llm: Any, pay: Any) -> list[str]:
    """One request for each word that has no answer on disk."""
    done = json.loads(Path(path).read_text()) if Path(path).exists() else []
    for word in words[len(done) :]:
        done.append(llm.invoke(word).text)
        Path(path).write_text(json.dumps(done))
    return done


def test_a_process_is_killed_in_the_middle_of_a_request(server, scope):
    """The third request never gets its answer; the next process goes on from there."""
    inputs = {"words": list("abcd")}
    arguments = given(server, scope, {"inputs": inputs, "kill": {"requests": 3}}, {"inputs": inputs})
    told = restarted(ask_all, arguments)
    assert told == [{"killed": True}, {"returned": ["answer 1", "answer 2", "answer 4", "answer 5"]}]


def test_a_process_that_ends_before_it_is_killed_says_how(server, scope):
    """Waiting for a request that never comes ends with the process."""
    arguments = given(server, scope, {"inputs": {"words": ["a"]}, "kill": {"requests": 3}})
    assert restarted(ask_all, arguments) == [{"returned": ["answer 1"]}]


class Desk:
    """Pays under the key that it finds, or makes."""

    def __init__(self, path: str, llm: Any, pay: Any) -> None:
        self.path, self.pay = path, pay

    async def refund(self, key: str) -> Any:
        return self.pay(key=key, path=self.path)


def test_a_method_runs_and_is_killed_behind_an_effect(server, scope):
    """The effect has happened and the process is gone; the repeat with the same key does nothing more."""
    scope.effects = Effects(lambda effect, number: SILENT if number == 1 else 200)
    step = {"do": "refund", "inputs": {"key": "k"}}
    told = restarted(Desk, given(server, scope, step | {"kill": {"effects": 1}}, step))
    assert told == [{"killed": True}, {"returned": {"status": "done", "name": "pay"}}]
    assert [(call.key, call.happened) for call in scope.effects.calls] == [("k", True), ("k", False)]


def test_a_process_that_is_not_to_be_killed_does_not_wait_for_silence(server, scope):
    """Nobody answers the effect, whatever the process does: that is told at once, and the next process goes on."""
    scope.effects = Effects(lambda effect, number: SILENT if number == 1 else 200)
    step = {"do": "refund", "inputs": {"key": "k"}}
    told = restarted(Desk, given(server, scope, step, step))
    assert told == [
        {"stopped": "it waits for an answer that never comes"},
        {"returned": {"status": "done", "name": "pay"}},
    ]


def prints_and_fails(path: str, llm: Any, pay: Any) -> None:
    print("on my way")
    raise KeyError("amount")


def test_what_a_process_prints_and_where_it_fails_is_told(server, scope, capsys):
    """The learner reads it beside the verdict."""
    told = restarted(prints_and_fails, given(server, scope, {"inputs": {}}))
    assert [(each["raised"], each["message"]) for each in told] == [("KeyError", "'amount'")]
    said, where = capsys.readouterr().out.splitlines()
    assert said == "process 1: on my way"
    assert re.fullmatch(r'process 1: KeyError in line \d+: raise KeyError\("amount"\)', where)


def leaves(path: str, llm: Any, pay: Any) -> None:
    os._exit(3)


def test_a_process_that_ends_itself_is_a_result(server, scope):
    """Leaving without a word is told as such, and the next step still runs."""
    inputs = {"inputs": {}}
    told = restarted(leaves, given(server, scope, inputs, inputs))
    assert told == [{"stopped": "the process ended by itself, with exit code 3"}] * 2


def unwritten(path: str, llm: Any, pay: Any) -> None:
    raise NotImplementedError


def test_an_unwritten_answer_ends_the_case(server, scope):
    """Nothing has been written, so nothing is judged."""
    with pytest.raises(NotImplementedError):
        restarted(unwritten, given(server, scope, {"inputs": {}}))


def test_what_cannot_leave_this_process_is_named(server, scope):
    """A lock, like a connection, belongs to one process; the message is in words."""

    def locked(path, llm, pay, lock=LOCK):
        return None

    body = attempt(locked, given(server, scope, {"inputs": {}}), drive=restarted).body
    assert body["raised"] == "TypeError"
    assert body["message"].startswith("it uses something that another process cannot have: ")
    assert "lock" in body["message"]


def test_what_only_a_class_inside_a_function_names_is_carried(server, scope):
    """As a notebook has it: the program is loaded without its module, and the state of a graph is declared inside."""
    import cloudpickle

    notebook = types.ModuleType("a_notebook")
    exec(STATE, notebook.__dict__)
    sys.modules["a_notebook"] = notebook
    cloudpickle.register_pickle_by_value(notebook)
    try:
        told = restarted(notebook.answer, given(server, scope, {"inputs": {}}))
    finally:
        cloudpickle.unregister_pickle_by_value(notebook)
        del sys.modules["a_notebook"]
    assert told == [{"returned": ["notes", "extra"]}]


STATE = """
from typing import Annotated, TypedDict
import operator
EXTRA = str
def state():
    class State(TypedDict):
        notes: Annotated[list, operator.add]
        extra: EXTRA
    return State
def answer(path, llm, pay):
    return list(state().__annotations__)
"""


def leaves_a_file(path: str, llm: Any, pay: Any) -> list[str]:
    file = open("mine.txt", "a")  # noqa: SIM115 - never closed, and a warning about that would help nobody
    file.write("x")
    del file
    return [str(Path.cwd().relative_to(Path(path).parent)), Path("mine.txt").read_text()]


def test_files_without_a_folder_belong_to_the_process(server, scope, capsys, tmp_path, monkeypatch):
    """The next process does not find them, nor does the notebook's folder keep them: only `path` lasts."""
    monkeypatch.chdir(tmp_path)
    twice = restarted(leaves_a_file, given(server, scope, {"inputs": {}}, {"inputs": {}}))
    assert [each["returned"] for each in twice] == [["process 1", "x"], ["process 2", "x"]]
    assert (list(tmp_path.iterdir()), capsys.readouterr().out) == ([], "")

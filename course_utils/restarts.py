"""A driver that runs an answer in processes of its own, one after another, so that nothing in memory lasts.

Layer 2: imports `attempt`, `handed`, `programs` and `stage`. A process is handed the same program and the same folder
each time, and may be killed in the middle of a request. They belong to the learner, so what counts is what the server
sees.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from course_utils.attempt import Drive, attempt, called, in_line, last_place, refuse_parameters
from course_utils.handed import arguments_of
from course_utils.programs import carried, loaded
from course_utils.stage import Stage

SECONDS = 20.0  # of real time for one process: a safety net, as in `attempt`
LOOK = 0.01  # real seconds between two looks at whether the moment to kill has come
LOOK_FOR_SILENCE = 0.25  # the same, at whether a process waits for an answer that nobody gives
SETTLE = 0.3  # real seconds before the kill: what a thread is writing gets written, so that no verdict is a race
PRELOAD = ["course_utils.handed", "course_utils.models", "openai.resources", "httpcore", "langgraph.graph"]


def restarted(answer: Callable[..., Any], arguments: Mapping[str, Any]) -> list[Any]:
    """What came of each step, every one in a process of its own.

    Args:
        arguments: `case`: the case as the server handed it out. `steps`: for each process its `inputs`; `do`: the
            method that gets them, when the answer is a class that is made in each process; `kill`: how many
            `requests` or `effects` the server must have seen for the process to be killed at once. The rest, and
            `path`: a file that is not there at first, go to the answer in each process.

    Returns:
        Per step {"returned": …}, {"raised": …, "message": …, "lineage": …}, {"stopped": …} or {"killed": True}.

    Raises:
        NotImplementedError: The answer has not been written yet.
        TypeError: It cannot be carried into another process.
    """
    case: Mapping[str, Any] = arguments["case"]
    program, stage, outcomes = carried(answer), Stage(**case["stage"]), []
    with tempfile.TemporaryDirectory() as folder:
        for number, step in enumerate(arguments["steps"], 1):
            (cwd := Path(folder, f"process {number}")).mkdir()
            told = run(program, case, step | {"path": str(Path(folder, "store")), "cwd": str(cwd)}, stage)
            for line in [*told.pop("printed", "").splitlines(), *where(told)]:
                print(f"process {number}: {line}")
            if told.get("raised") == "NotImplementedError":
                raise NotImplementedError
            outcomes.append(told)
    return outcomes


def run(program: bytes, case: Mapping[str, Any], step: Mapping[str, Any], stage: Stage) -> dict[str, Any]:
    """One process from its start to its end, which may come from outside."""
    here, there = multiprocessing.Pipe(duplex=False)
    process = context().Process(target=work, args=(there, program, dict(case), dict(step)), daemon=True)
    process.start()
    there.close()
    silent = stage.counts()["silent"]
    try:
        while process.is_alive() or here.poll():
            if reached(step.get("kill"), stage):
                time.sleep(SETTLE)
                return {"killed": True}
            if here.poll(LOOK if "kill" in step else LOOK_FOR_SILENCE):
                return here.recv()
            if "kill" not in step and stage.counts()["silent"] > silent and not here.poll(SETTLE):
                return {"stopped": "it waits for an answer that never comes"}
    except EOFError:
        pass
    finally:
        process.kill()
        process.join()
        here.close()
    return {"stopped": f"the process ended by itself, with exit code {process.exitcode}"}


def reached(kill: Mapping[str, int] | None, stage: Stage) -> bool:
    """True when the server has seen as much as `kill` says."""
    return bool(kill) and all(stage.counts()[what] >= number for what, number in kill.items())


def work(pipe: Connection, program: bytes, case: dict[str, Any], step: dict[str, Any]) -> None:
    """The life of one process: load the program, run one step, tell what came of it."""
    os.chdir(step["cwd"])  # what a learner's code leaves here is gone with the case, and not there for others
    answer = loaded(program)
    given = arguments_of(case) | {"path": step["path"]}
    common = {name: value for name, value in given.items() if name not in ("case", "steps")}

    def drive(made_of: Callable[..., Any], inputs: Mapping[str, Any]) -> Any:
        if "do" not in step:
            return called(made_of, common | inputs)
        refuse_parameters(made_of, common)
        return called(getattr(made_of(**common), step["do"]), inputs)

    tried = attempt(answer, step["inputs"], drive=drive, seconds=SECONDS - 5)
    place = last_place(tried.error, answer) if tried.error else None
    with contextlib.suppress(BrokenPipeError):
        pipe.send(tried.body | {"printed": tried.printed.strip("\n"), "place": place})


def where(told: dict[str, Any]) -> list[str]:
    """Where a process raised, with the code that stands there."""
    place = told.pop("place", None)
    return [f"{told['raised']} in {in_line(*place)}"] if place else []


@cache
def context() -> BaseContext:
    """Processes that begin with the imports done, and with nothing else of the notebook's."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    chosen = multiprocessing.get_context("forkserver")
    chosen.set_forkserver_preload(PRELOAD)
    return chosen


RESTARTS: dict[str, Drive] = {"restarted": restarted}

"""Finding and starting the server, this process's scope, and record blocks: real processes, real kernels."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from course_utils import connection, faults
from course_utils.connection import connect
from course_utils.errors import CourseError
from course_utils.server import launcher, runtime
from course_utils.server.launcher import sizes

PATIENCE = 60  # real seconds; only a safety net
posix_only = pytest.mark.skipif(os.name != "posix", reason="about POSIX signals and fork")


def settle_in(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Let this process use the server of `folder`, and nothing of the caller's settings; its runtime file."""
    path = folder / "home" / "server.json"
    monkeypatch.setenv("COURSE_SERVER_FILE", str(path))
    monkeypatch.setenv("COURSE_SPEED", "1000")
    for name in ("COURSE_LOG", "COURSE_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(connection, "_courses", {})
    return path


@pytest.fixture(scope="module", autouse=True)
def shared(tmp_path_factory):
    """The server of all tests that do it no harm."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        path = settle_in(monkeypatch, tmp_path_factory.mktemp("shared"))
        yield path
        kill_server(path)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A project of this test alone; its server, if one was started, is ended afterwards."""
    path = settle_in(monkeypatch, tmp_path)
    yield path
    kill_server(path)


def kill_server(path: Path) -> int | None:
    """SIGKILL the server of this file and wait until it is gone; its pid."""
    found = runtime.read(path)
    if found is None or not runtime.is_running(path):
        return None
    os.kill(found.pid, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    while runtime.is_running(path):
        time.sleep(0.01)
    return found.pid


def ask(course, text: str = "hello", **headers: str) -> httpx.Response:
    """One chat request as an OpenAI client sends it."""
    body = {"model": "small", "messages": [{"role": "user", "content": text}]}
    headers |= {"authorization": f"Bearer {course.key}"}
    url = f"{course.base_url}/chat/completions"
    return httpx.post(url, json=body, headers=headers, trust_env=False, timeout=PATIENCE)


def python(code: str) -> subprocess.CompletedProcess[str]:
    """Run this code in a process of its own, with warnings as errors."""
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def test_connecting_twice_gives_the_same_course():
    """The first call starts the server and makes a scope; the second one finds both."""
    course = connect()
    scope = (course.base_url, course.key)
    assert connect() is course
    assert (course.base_url, course.key) == scope
    assert (course.backend, course.models) == ("practice", {"small": "practice-small", "large": "practice-large"})


def test_a_course_can_be_printed_in_a_notebook():
    """Neither its address nor its key is in what a stored output would show."""
    course = connect()
    assert repr(course) == "<Course: practice backend, practice-small and practice-large>"


def test_the_connection_does_not_load_langchain():
    """Importing it stays quick: no framework comes with it."""
    done = python(
        "import sys, course_utils.connection; print([n for n in sys.modules if 'langchain' in n or n == 'openai'])"
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_processes_share_one_server_and_have_their_own_scopes(home):
    """Processes that start at once agree on one server, have a scope each, and print no warning."""
    code = "from course_utils import connect; c = connect(); print(c.url, c.scope, len(c.records()))"
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(python, [code] * 3))
    assert [run.stderr for run in done] == ["", "", ""]
    urls, scopes, counts = zip(*(run.stdout.split() for run in done), strict=True)
    assert (set(urls), len(set(scopes)), set(counts)) == ({connect().url}, 3, {"0"})


def test_a_trace_holds_the_requests_of_its_block():
    """Requests before and after the block are not in its trace; all of them are in records()."""
    course = connect()
    ask(course, "before")
    with course.record() as trace:
        inside = len(trace)
        ask(course, "inside", **{"x-course-step": "plan"})
    ask(course, "after")
    assert (inside, [(record.step, record.prompt, record.status) for record in trace]) == (0, [("plan", "inside", 200)])
    assert [record.prompt for record in course.records()] == ["before", "inside", "after"]


def test_faults_last_as_long_as_their_block():
    """The server misbehaves inside the block as planned, and not after it."""
    course = connect()
    with course.record(faults=faults.first(1, faults.unavailable())) as trace:
        inside = [ask(course).status_code for _ in range(2)]
    with course.record(faults=faults.every(1, faults.server_error())):
        pass
    assert (inside, [record.fault for record in trace], ask(course).status_code) == (
        [503, 200],
        ["unavailable", ""],
        200,
    )


@pytest.mark.parametrize(("rate", "expected"), [(0.001, [200, 429, 429]), ((0.001, 2), [200, 200, 429])])
def test_a_rate_limit_lasts_as_long_as_its_block(rate, expected):
    """`rate` is requests per second, with a burst of 1 unless one is given."""
    course = connect()
    with course.record(rate=rate):
        inside = [ask(course).status_code for _ in range(3)]
    assert (inside, ask(course).status_code) == (expected, 200)


def test_a_trace_is_filled_when_the_block_fails():
    """An exception of the block arrives unchanged, the trace is there, and the faults are gone."""
    course = connect()
    with pytest.raises(ZeroDivisionError), course.record(faults=faults.every(1, faults.server_error())) as trace:
        ask(course)
        raise ZeroDivisionError
    assert ([record.status for record in trace], ask(course).status_code) == ([500], 200)


@posix_only
def test_the_blocks_own_exception_survives_the_servers_death(home):
    """When the server dies in a block that fails, the block's exception is what is seen."""
    course = connect()
    with pytest.raises(ZeroDivisionError), course.record():
        kill_server(home)
        raise ZeroDivisionError


def test_a_block_waits_for_its_last_requests():
    """A request whose caller left just before the end of the block has its end in the trace."""
    course = connect()
    with course.record(faults=faults.every(1, faults.timeout(3600))) as trace, pytest.raises(httpx.ReadTimeout):
        body = {"model": "small", "messages": [{"role": "user", "content": "hello"}]}
        headers = {"authorization": f"Bearer {course.key}"}
        httpx.post(f"{course.base_url}/chat/completions", json=body, headers=headers, trust_env=False, timeout=0.1)
    assert [(record.status, record.stop is not None) for record in trace] == [(499, True)]


def test_two_plans_in_each_other_are_refused():
    """Faults inside faults would silently end the outer ones; a plain block inside is fine and ends nothing."""
    course = connect()
    plan = faults.every(1, faults.server_error())
    with course.record(faults=plan):
        with pytest.raises(CourseError, match="inside another one"), course.record(faults=plan):
            pass
        with course.record() as inner:
            ask(course)
        still = ask(course).status_code
    assert ([record.status for record in inner], still) == ([500], 500)


def test_blocks_that_overlap_leave_nothing_behind():
    """A plain block that outlives the faulty one it overlaps does not keep the faults, nor forbid the next ones."""
    course = connect()
    faulty, plain = course.record(faults=faults.every(1, faults.server_error())), course.record()
    faulty.__enter__()
    plain.__enter__()
    faulty.__exit__(None, None, None)
    plain.__exit__(None, None, None)
    assert ask(course).status_code == 200
    with course.record(faults=faults.every(1, faults.server_error())):
        assert ask(course).status_code == 500


def test_sleeps_are_seen_by_the_server():
    """Both ways of sleeping wait on the course clock and are recorded there."""
    course = connect()
    course.sleep(2.5)
    asyncio.run(course.asleep(1.5))
    sleeps = course.call("GET", f"/course/scopes/{course.scope}/sleeps")
    assert [sleep["seconds"] for sleep in sleeps] == [2.5, 1.5]


def test_the_course_clock_can_be_read():
    """It goes on by what was slept, at the least, and is the clock that sleeps are recorded by."""
    course = connect()
    before = course.now()
    course.sleep(2.5)
    sleep = course.call("GET", f"/course/scopes/{course.scope}/sleeps")[-1]
    assert before <= sleep["at"] <= sleep["at"] + 2.5 <= course.now()


def test_a_refusal_of_the_control_side_is_an_error_with_its_words():
    """What the server refuses reaches the learner as a CourseError."""
    with pytest.raises(CourseError, match="no scope 'nowhere'"):
        connect().call("GET", "/course/scopes/nowhere/sleeps")


@posix_only
def test_after_a_sigkill_the_next_call_recovers(home):
    """The next connect() starts a server with the old address, where clients made earlier go on working."""
    course = connect()
    before = (course.base_url, course.key)
    killed = kill_server(home)
    with pytest.raises(httpx.ConnectError):
        ask(course)
    with course.record() as trace:
        status = ask(course).status_code
    assert (status, len(trace), (course.base_url, course.key)) == (200, 1, before)
    assert runtime.read(home).pid != killed


def test_after_a_stop_the_next_call_starts_anew(home):
    """stop() ends the server for good; the next connect() starts one with the same address."""
    course = connect()
    before = course.base_url
    course.stop()
    stopped = (home.exists(), runtime.is_running(home))
    connect()
    assert (stopped, course.base_url, ask(course).status_code) == ((False, False), before, 200)


def test_a_new_address_is_announced(home):
    """When the former port is taken, the learner is told to run the cells that made models again."""
    course = connect()
    found = runtime.read(home)
    course.stop()
    runtime.write(home, found)
    with socket.create_server(("127.0.0.1", found.port)), pytest.warns(UserWarning, match="new address"):
        connect()
    assert ask(course).status_code == 200


@posix_only
def test_a_forked_child_has_its_own_scope():
    """After os.fork the child's requests are not the parent's."""
    done = python(
        "import os, warnings; warnings.simplefilter('ignore', DeprecationWarning)\n"
        "from course_utils import connect; parent = connect().scope\n"
        "if os.fork() == 0: print(connect().scope != parent, flush=True); os._exit(0)\n"
        "os.wait(); print(connect().scope == parent)"
    )
    assert (done.stdout.split(), done.stderr) == (["True", "True"], "")


def test_threads_share_one_course():
    """Threads that connect at once get the same course, and the server makes one scope."""
    with ThreadPoolExecutor(8) as pool:
        courses = list(pool.map(lambda _: connect(), range(8)))
    assert {id(course) for course in courses} == {id(connect())}


def test_a_server_that_cannot_start_is_quoted(monkeypatch, home):
    """The error holds the file with the server's messages and its last lines."""
    monkeypatch.setenv("COURSE_SPEED", "fast")
    with pytest.raises(CourseError) as caught:
        connect()
    assert "ended at once (exit status 1)" in caught.value.fact
    assert "server.log" in caught.value.fact
    assert "COURSE_SPEED is 'fast'; it has to be a number above 0." in caught.value.fact


def test_a_server_that_never_answers_is_given_up(monkeypatch, home):
    """When somebody holds the lock and never listens, the wait has an end."""
    monkeypatch.setattr(launcher, "START", 0.2)
    with runtime.holding(home), pytest.raises(CourseError, match="did not answer within"):
        connect()


def test_another_model_than_the_running_one_is_not_silently_used(monkeypatch):
    """Who asks for OpenAI while the practice model runs is told so."""
    connect()
    monkeypatch.setenv("COURSE_MODEL", "openai")
    with pytest.raises(CourseError, match="has the practice model, but COURSE_MODEL asks for 'openai'"):
        connect()


def test_a_backend_with_one_model_serves_it_under_both_names():
    """A lesson that asks for "large" runs on a local model too; ids without a size have no name."""
    large = [{"id": "a", "size": "small"}, {"id": "b", "size": "large"}, {"id": "c", "size": None}]
    assert sizes(large) == {"small": "a", "large": "b"}
    assert sizes([{"id": "a", "size": "small"}]) == {"small": "a", "large": "a"}


IN_A_KERNEL = """
import json, sys, threading
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel()
def run(code):
    printed = []
    def hook(message):
        content = message["content"]
        printed.append(content.get("text", "") or "\\n".join(content.get("traceback", [])))
    client.execute_interactive(code, timeout=60, output_hook=hook)
    return "".join(printed)
show = "from course_utils import connect; import json; c = connect();"
show += "print(json.dumps([c.call('GET', '/course/health')['pid'], c.scope]))"
try:
    {steps}
    print(json.dumps(told))
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
"""


def in_a_kernel(*steps: str):
    """What `told` holds after these steps of a program that drives a real Jupyter kernel with `run(code)`."""
    # A process of its own: jupyter_client leaves event loops and sockets open, which pytest would count against us.
    program = IN_A_KERNEL.replace("{steps}", "\n    ".join(steps))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=2 * PATIENCE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@posix_only
def test_the_server_survives_a_kernels_restart_and_interrupt(home):
    """Restarting or interrupting a kernel leaves the server alone; the new kernel has a scope of its own."""
    before, interrupted, after = in_a_kernel(
        "before = json.loads(run(show))",
        "threading.Timer(0.3, manager.interrupt_kernel).start()",
        "interrupted = run('import time; time.sleep(60)')",
        "manager.restart_kernel(now=True)",
        "client.wait_for_ready(timeout=60)",
        "told = [before, interrupted, json.loads(run(show))]",
    )
    assert "KeyboardInterrupt" in interrupted
    assert (before[0] == after[0], before[1] != after[1], runtime.is_running(home)) == (True, True, True)


def test_a_kernel_shows_an_error_without_a_traceback(home):
    """What a learner sees of a CourseError is the fact and the next step."""
    shown = in_a_kernel("told = run(\"import os; os.environ['COURSE_SPEED'] = 'fast'; \" + show)")
    assert shown.startswith("CourseError: The course server ended at once")
    assert "Traceback" not in shown

"""The course server as a process: its private file, its lock, its start, its idle end. Real processes throughout."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from course_utils.errors import CourseError
from course_utils.server import runtime
from course_utils.server.activity import is_alive
from course_utils.server.backends import make_backend, refuse_loop
from course_utils.server.launcher import detached, find
from course_utils.server.process import serve
from course_utils.server.runtime import Runtime

PATIENCE = 60  # real seconds; only a safety net, no test waits for it to pass
posix_only = pytest.mark.skipif(os.name != "posix", reason="about POSIX permissions and signals")
EXAMPLE = Runtime("http://127.0.0.1:4711", "secret", 1, 2.0, "1", "/clone")


@pytest.fixture
def path(tmp_path, monkeypatch) -> Path:
    """The runtime file of a server of this test alone."""
    path = tmp_path / "home" / "server.json"
    monkeypatch.setenv("COURSE_SERVER_FILE", str(path))
    monkeypatch.setenv("COURSE_SPEED", "1000")
    for name in ("COURSE_LOG", "COURSE_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return path


@pytest.fixture
def start(path):
    """Starts `serve` with these options; all that still run are ended after the test."""
    started = []

    def run(*options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "course_utils", "serve", *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def until(condition):
    """The condition's first true value."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return value


def ask(found: Runtime, method: str, path: str, body=None) -> httpx.Response:
    """One call with the owner token."""
    headers = {"authorization": f"Bearer {found.token}"}
    return httpx.request(method, found.url + path, json=body, headers=headers, trust_env=False, timeout=PATIENCE)


def test_what_is_written_is_read(path):
    """The file gives back the runtime that was written, and is closed to everybody else."""
    runtime.write(path, EXAMPLE)
    assert runtime.read(path) == EXAMPLE
    if os.name == "posix":
        assert [oct(file.stat().st_mode & 0o777) for file in (path, path.parent)] == ["0o600", "0o700"]


def test_a_token_is_not_shown():
    """Whoever prints a runtime does not print its token."""
    assert "secret" not in repr(EXAMPLE)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", json.dumps({"url": "x"}), '{"url": 3, "token": 4}'])
def test_a_file_without_sense_is_no_server(path, content):
    """A torn or foreign file is as good as none."""
    runtime.private_directory(path.parent)
    path.write_text(content)
    path.chmod(0o600)
    assert runtime.read(path) is None


@posix_only
def test_an_open_folder_is_refused(path):
    """A token is never read from, or written to, a folder that others can enter."""
    runtime.write(path, EXAMPLE)
    path.parent.chmod(0o755)
    with pytest.raises(CourseError, match="open to other users"):
        runtime.read(path)
    with pytest.raises(CourseError, match="open to other users"):
        runtime.write(path, EXAMPLE)


@posix_only
def test_an_open_file_is_refused(path):
    """A runtime file that others can read is refused, with the command that closes it."""
    runtime.write(path, EXAMPLE)
    path.chmod(0o644)
    with pytest.raises(CourseError, match="chmod go-rwx"):
        runtime.read(path)


@posix_only
def test_a_link_in_the_folders_place_is_refused(path, tmp_path):
    """Somebody's link cannot lead the token elsewhere."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    path.parent.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CourseError, match="link"):
        runtime.write(path, EXAMPLE)


@posix_only
@pytest.mark.skipif(os.name == "posix" and os.getuid() != 0, reason="only root can give a file away")
def test_someone_elses_folder_is_refused(path):
    """A folder of another user is refused even when it is closed."""
    runtime.write(path, EXAMPLE)
    os.chown(path.parent, 12345, 12345)
    with pytest.raises(CourseError, match="someone else"):
        runtime.read(path)


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {"HOME": "/home/ada"}, "/home/ada/.local/state/orchestration-course"),
        ("linux", {"HOME": "/home/ada", "XDG_STATE_HOME": "/state"}, "/state/orchestration-course"),
        (
            "linux",
            {"HOME": "/home/ada", "XDG_RUNTIME_DIR": "/not/there"},
            "/home/ada/.local/state/orchestration-course",
        ),
        ("darwin", {"HOME": "/Users/ada"}, "/Users/ada/Library/Application Support/orchestration-course"),
        ("win32", {"USERPROFILE": "/u/ada", "LOCALAPPDATA": "/u/ada/Local"}, "/u/ada/Local/orchestration-course"),
        ("win32", {"USERPROFILE": "/u/ada"}, "/u/ada/AppData/Local/orchestration-course"),
    ],
)
def test_each_system_has_its_own_place(platform, environ, expected):
    """Without a runtime directory of the login, the file is where the system keeps a user's state."""
    found = runtime.location(platform, environ, Path("/clone"))
    assert (found.parent.parent.as_posix(), found.name) == (expected, "server.json")


@posix_only
def test_the_logins_runtime_directory_comes_first(tmp_path):
    """$XDG_RUNTIME_DIR is used when it is ours, and COURSE_SERVER_FILE beats everything."""
    environ = {"HOME": "/home/ada", "XDG_RUNTIME_DIR": str(tmp_path)}
    assert tmp_path in runtime.location("linux", environ).parents
    assert runtime.location("linux", environ | {"COURSE_SERVER_FILE": "/x/y.json"}) == Path("/x/y.json")


def test_two_clones_have_two_files():
    """Servers of different clones do not get in each other's way."""
    first, second = (runtime.location("linux", {"HOME": "/h"}, Path(clone)) for clone in ("/a", "/b"))
    assert first != second


def test_a_retired_server_is_remembered(path):
    """After a clean end there is no server, but its port and token can be had again."""
    runtime.write(path, EXAMPLE)
    runtime.retire(path)
    assert (runtime.read(path), runtime.former(path)) == (None, EXAMPLE)


def test_only_a_held_lock_means_a_running_server(path):
    """A file whose lock is free is stale, whatever its pid says."""
    runtime.write(path, EXAMPLE)
    with runtime.holding(path) as held:
        assert (held, runtime.is_running(path)) == (True, True)
    assert runtime.is_running(path) is False


def test_a_file_that_was_handed_over_needs_no_lock(path):
    """Where a grader put the file there for a kernel, there is no lock beside it, and it counts."""
    before = runtime.is_running(path)
    runtime.write(path, EXAMPLE)
    assert (before, runtime.is_running(path)) == (False, True)


def test_no_token_is_sent_to_a_stale_address(path):
    """Whoever listens on a dead server's port is never contacted."""
    with runtime.holding(path):
        pass
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.setblocking(False)
        url = f"http://127.0.0.1:{stranger.getsockname()[1]}"
        runtime.write(path, Runtime(url, "secret", os.getpid(), 1.0, "1", "/clone"))
        assert find(path) is None
        with pytest.raises(BlockingIOError):
            stranger.accept()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "gpt"}, "There is no model 'gpt'"),
        ({"model": "openai"}, "OPENAI_API_KEY is not set"),
        ({"model": "local", "gguf": "/not/there.gguf"}, "There is no model file"),
        ({"speed": 0}, "has to be a number above 0"),
    ],
)
def test_what_cannot_be_served_is_said_before_the_start(path, options, words):
    """A wrong choice ends with a sentence, and leaves no runtime file."""
    with pytest.raises(CourseError, match=words):
        serve(**options)
    assert not path.exists()


@pytest.mark.parametrize(("given", "name"), [(0, "--speed is '0'"), (None, "COURSE_SPEED is 'fast'")])
def test_a_wrong_speed_is_blamed_on_who_gave_it(path, given, name, monkeypatch):
    """The option is named where the option was given, the variable where that was read."""
    monkeypatch.setenv("COURSE_SPEED", "fast")
    with pytest.raises(CourseError) as caught:
        serve(runtime_file=path, speed=given)
    assert caught.value.fact == f"{name}; it has to be a number above 0."


def test_a_taken_port_is_named(path):
    """A port that somebody else has is an error with the port in it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CourseError, match=f"Port {port} cannot be used"):
            serve(port=port)


@pytest.mark.parametrize("url", ["http://127.0.0.1:4711/v1", "http://localhost:4711/s/main/v1", "http://[::1]:4711"])
def test_forwarding_to_itself_is_refused(url):
    """A server whose provider is its own address would never answer."""
    with pytest.raises(CourseError, match="forward to itself"):
        refuse_loop(url, 4711)
    refuse_loop(url, 4712)


def test_the_usual_backend_is_the_practice_model():
    """Without a key and without an account there are a small and a large model."""
    assert [model.size for model in make_backend("practice").models()] == ["small", "large"]


def test_a_server_says_where_it_is_and_leaves_no_trace(path, start):
    """It writes its file when it listens, keeps its token out of sight, and removes the file on SIGTERM."""
    process = start()
    found, health = until(lambda: find(path))
    assert (health["pid"], health["backend"], found.pid) == (process.pid, "practice", process.pid)
    if sys.platform == "linux":
        assert found.token.encode() not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    process.terminate()
    output, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output, path.exists(), runtime.is_running(path)) == (0, b"", False, False)


@posix_only
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_open_stream_does_not_hold_up_the_end(path, start, number):
    """A signal ends the server although an answer is still being waited for."""
    process = start("--speed", "0.001")
    found, _ = until(lambda: find(path))
    slow = {"when": "every", "count": 1, "fault": {"kind": "slow", "seconds": 3000}}
    assert ask(found, "PUT", "/course/scopes/main/conditions", {"plan": slow}).is_success
    body = {"model": "small", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    headers = {"authorization": f"Bearer {found.token}"}
    with socket.create_connection(("127.0.0.1", found.port)) as caller:
        request = httpx.Request("POST", f"{found.url}/v1/chat/completions", json=body, headers=headers)
        head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        caller.sendall(f"POST /v1/chat/completions HTTP/1.1\r\n{head}\r\n".encode() + request.content)
        until(lambda: ask(found, "GET", "/course/scopes/main/records").json())
        process.send_signal(number)
        process.wait(timeout=PATIENCE)
    assert (process.returncode, path.exists()) == (0, False)


@posix_only
def test_a_killed_servers_address_is_taken_over(path, start):
    """The server after a SIGKILL has the same port and token, so that clients made earlier go on working."""
    first = start()
    before, _ = until(lambda: find(path))
    first.kill()
    first.wait()
    assert path.exists()
    start()
    after, _ = until(lambda: find(path))
    assert (after.url, after.token, after.pid == before.pid) == (before.url, before.token, False)


def test_an_address_that_was_taken_meanwhile_is_given_up(path, start):
    """When a stranger has the former port, the next server takes another one."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        runtime.write(path, Runtime(f"http://127.0.0.1:{port}", "secret", 1, 1.0, "1", "/clone"))
        with runtime.holding(path):
            pass
        start()
        found, _ = until(lambda: find(path))
        assert (found.token, found.port != port) == ("secret", True)


def test_of_many_starts_at_once_one_serves(path, start):
    """Several servers started in the same moment end up as one; the others say so and end."""
    processes = [start() for _ in range(4)]
    found, _ = until(lambda: find(path))
    losers = [process for process in processes if process.pid != found.pid]
    said = {process.communicate(timeout=PATIENCE)[0].decode().splitlines()[0] for process in losers}
    assert (len(losers), said) == (3, {"A course server for this folder is running already."})
    assert find(path)[0] == found


def test_a_server_that_nobody_uses_ends(path, start):
    """With `--idle` it ends by itself, but not while a process that uses it lives."""
    user = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = start("--idle", "0.2")
    found, _ = until(lambda: find(path))
    registered = ask(found, "POST", "/course/clients", {"pid": user.pid}).is_success
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=1.5)
    user.communicate(b"\n")
    assert (registered, process.wait(timeout=PATIENCE), path.exists()) == (True, 0, False)


def test_the_living_are_told_from_the_dead():
    """A process is alive until it has ended."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    before = is_alive(process.pid)
    process.communicate(b"\n")
    assert (before, is_alive(process.pid)) == (True, False)


def test_a_server_is_detached_on_every_system():
    """What a kernel starts does not get the kernel's Ctrl-C, nor a console window."""
    assert detached("linux") == detached("darwin") == {"start_new_session": True}
    assert detached("win32") == {"creationflags": 0x08000200}

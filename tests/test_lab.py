"""A whole sitting with real processes: course server, JupyterLab, a kernel; and nothing of them afterwards."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from course_utils import copies, jupyter, lab
from course_utils.env import processes
from course_utils.env.lock import PROJECT
from course_utils.errors import CourseError
from course_utils.server import runtime

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and sessions as POSIX has them")


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A home without settings, and the place of this test's own course server."""
    for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_DATA_HOME", "COURSE_MODEL", "COURSE_LOG"):
        monkeypatch.delenv(name, raising=False)
    server = tmp_path / "server"
    server.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COURSE_SERVER_FILE", str(server / "server.json"))
    monkeypatch.setenv("COURSE_WORK", str(tmp_path / "work"))
    return tmp_path


def sitting(*options: str) -> subprocess.Popen[str]:
    """`lab` in a process group of its own."""
    command = [sys.executable, "-m", "course_utils", "lab", "--no-browser", *options]
    return subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


@pytest.fixture
def started(home) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A sitting that has said where everything is, and its lines."""
    process = sitting("--port", "0")
    lines = [process.stdout.readline() for _ in range(5)]
    yield process, lines
    process.terminate()
    process.wait(60)
    process.stdout.close()


def start_kernel(address: str) -> None:
    """Ask Jupyter for a Python kernel, as a notebook does."""
    base, token = re.match(r"(http://[^/]+)/.*token=(\w+)", address).groups()
    request = urllib.request.Request(f"{base}/api/kernels", b'{"name": "python3"}', {"authorization": f"token {token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.load(answer)["name"] == "python3"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_sitting_ends_with_everything_it_started(started, number):
    """Ctrl-C, SIGTERM and a closed terminal end JupyterLab, its kernels and the course server; the status is 0."""
    process, lines = started
    assert re.fullmatch(r"  Lessons +http://localhost:\d+/lab\S*\?token=\w{48}\n", lines[1]), lines
    assert lines[2] == f"  Your copies    {copies.location()} (the originals stay as they are)\n"
    assert re.fullmatch(r"  Course server +http://127.0.0.1:\d+ \(practice model: .*\)\n", lines[3])
    start_kernel(lines[1].split()[-1])
    family = psutil.Process(process.pid).children(recursive=True)
    assert sum("ipykernel_launcher" in " ".join(one.cmdline()) for one in family) == 1
    os.kill(process.pid, number)
    rest, status = process.communicate(timeout=60)[0], process.returncode
    _, alive = psutil.wait_procs(family, timeout=10)
    assert (rest, status, alive) == ("\nStopping JupyterLab and the course server.\n", 0, [])
    assert not runtime.is_running(runtime.location())


def test_a_taken_port_is_one_sentence(home):
    """A port that somebody else has is named, and no traceback follows."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        process = sitting("--port", str(other.getsockname()[1]))
        told = process.communicate(timeout=60)[0]
    assert process.returncode == 1
    assert re.fullmatch(
        r"Port \d+ can't be used: Address already in use\.\n  Try: name another one, or leave out --port\.\n", told
    )


def test_a_missing_key_is_one_sentence(home, monkeypatch):
    """`--model openai` without a key says which key, from the server's own words, and leaves nothing running."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    told = sitting("--model", "openai").communicate(timeout=60)[0]
    assert "OPENAI_API_KEY" in told
    assert "Try: " in told
    assert "Traceback" not in told
    assert not runtime.is_running(runtime.location())


def test_stop_without_a_server_says_so(home, capsys):
    """There is nothing to end, and that is no error."""
    assert (lab.stop(), capsys.readouterr().out) == (0, "No course server is running for this folder.\n")


def test_stop_ends_the_server_of_this_folder(home, capsys):
    """Whoever started it."""
    from course_utils.server import launcher

    launcher.find_or_start()
    assert (lab.stop(), capsys.readouterr().out) == (
        0,
        "The course server has stopped. (A JupyterLab that is open goes on: Ctrl-C in its terminal ends it.)\n",
    )
    assert not runtime.is_running(runtime.location())


def test_only_unchanged_copies_of_built_notebooks_are_trusted(home, tmp_path):
    """A copy of a built solution shows its pictures at once; a changed or a foreign one has to earn trust."""
    import nbformat
    from nbformat.sign import NotebookNotary

    for folder in ("source/exercises", "solutions"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "source/exercises/01_built.py").write_text("")
    books = {}
    for name in ("01_built", "02_stranger"):
        output = nbformat.v4.new_output("display_data", {"text/html": f"<b>{name}</b>"})
        books[name] = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=[output])])
        nbformat.write(books[name], tmp_path / f"solutions/{name}.ipynb")
    jupyter.trust(tmp_path)
    copies.bring_up_to_date(tmp_path, tmp_path / "work")
    found = {name: nbformat.read(tmp_path / f"work/solutions/{name}.ipynb", as_version=4) for name in books}
    found["changed"] = nbformat.from_dict(found["01_built"])
    found["changed"].cells[0].outputs[0].data["text/html"] = "<i>mine</i>"
    assert {name: NotebookNotary().check_signature(book) for name, book in found.items()} == {
        "01_built": True,
        "02_stranger": False,
        "changed": False,
    }


def page_config(address: str) -> dict:
    """What JupyterLab tells the browser."""
    with urllib.request.urlopen(address, timeout=60) as answer:
        text = answer.read().decode()
    return json.loads(re.search(r'id="jupyter-config-data" type="application/json">(.*?)</script>', text, re.S)[1])


def test_jupyterlab_opens_the_copies_and_does_not_ask_about_news(started, home):
    """Its folder is the one with the copies, the plugin that asks is off, and no settings were written for that."""
    told = page_config(started[1][1].split()[-1])
    assert "@jupyterlab/apputils-extension:announcements" in told["disabledExtensions"]
    assert Path(told["serverRoot"]).expanduser() == copies.location()
    shown = sorted(path.name for path in (copies.location() / "notebooks").iterdir())
    assert shown == [path.name for path in copies_of("notebooks")]
    assert list((home / ".jupyter").rglob("page_config*")) == []


def copies_of(folder: str) -> list[Path]:
    """The notebooks that the course has in a folder."""
    return [PROJECT / path for path in copies.originals(PROJECT) if path.startswith(folder)]


def test_the_learners_own_jupyter_settings_stay_in_force(monkeypatch):
    """Ours come first on the path, and what was on it before follows."""
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/mine")
    assert jupyter.jupyter_variables()["JUPYTER_CONFIG_PATH"] == os.pathsep.join([str(jupyter.SETTINGS), "/mine"])


def test_jupyter_asks_nobody_for_news():
    """The command line turns off news, update checks and the list of extensions."""
    command = jupyter.jupyter_command(Path("work"), 8888, "/lab", exact=True, browser=False)
    assert {
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        "--no-browser",
    } <= set(command)


def test_a_program_that_ignores_being_asked_is_made_to_end(tmp_path, monkeypatch):
    """SIGTERM first; after a while the whole session is killed, grandchildren too."""
    monkeypatch.setattr(processes, "FAREWELL", 0.3)
    deaf = "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    deaf += "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    deaf += "print('ready', flush=True); time.sleep(60)"
    out = tmp_path / "out"
    with (
        out.open("w") as file,
        processes.ended(processes.start([sys.executable, "-c", deaf], tmp_path, {}, file)) as process,
    ):
        processes.wait_until(lambda: "ready" in out.read_text(), 30)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]
    deadline = time.monotonic() + 10
    while (
        any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in family) and time.monotonic() < deadline
    ):
        time.sleep(0.02)
    assert [one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in family] == [False, False]


def test_a_program_that_ends_at_once_has_its_last_words_told(tmp_path):
    """What it said since it was started is in the sentence."""
    path = tmp_path / "log"
    path.write_text("old\n")
    with processes.private_file(path) as file:
        since = file.tell()
        process = processes.start([sys.executable, "-c", "print('why')"], tmp_path, {}, file)
        process.wait()
    assert processes.last_words("It", process, path, since) == "It ended at once. Its last messages:\n    why"


def test_port_zero_is_any_free_one():
    """0 gives a port that can be bound; none gives Jupyter's usual one."""
    assert (processes.free_port(0) > 1023, processes.free_port(None)) == (True, 8888)


def test_a_server_with_another_model_is_not_taken_over(home):
    """A running server with another model stays, and the sentence says how to end it."""
    from course_utils.server import launcher

    launcher.find_or_start()
    with (
        pytest.raises(CourseError, match="running already, with the practice model"),
        lab.course_server("local", home / "log"),
    ):
        pass
    lab.stop()

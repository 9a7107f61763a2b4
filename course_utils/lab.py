"""One sitting: the course server and JupyterLab, started together, stopped together.

Top layer. Both are processes of their own, in sessions of their own, so that a Ctrl-C in the terminal reaches this
process alone and the two are ended in order: first JupyterLab with its kernels, then the server they talk to.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from course_utils import copies
from course_utils.env.lock import PROJECT
from course_utils.env.processes import (
    FAREWELL,
    PATIENCE,
    ended,
    free_port,
    last_words,
    private_file,
    start,
    stopped_by_signals,
    wait_until,
)
from course_utils.env.variables import for_notebooks
from course_utils.errors import CourseError
from course_utils.jupyter import jupyterlab, trust
from course_utils.server import runtime

ABOUT = {
    "practice": "practice model: a simulator, the same answers everywhere, no key",
    "local": "a small language model on this machine",
    "openai": "a real provider, with your key",
}


def lab(*, model: str = "practice", port: int | None = None, browser: bool = True, verbose: bool = False) -> int:
    """Run both until Ctrl-C, SIGTERM, or JupyterLab's own "Shut Down"; gives the exit status.

    Raises:
        CourseError: One of them did not start.
    """
    os.environ["COURSE_MODEL"] = model  # a kernel that has to start a server anew starts the same one
    chosen = free_port(port)
    logs = runtime.private_directory(runtime.state_directory())
    work = copies.location()
    for line in copies.bring_up_to_date(PROJECT, work):
        print(line, flush=True)
    trust(PROJECT)
    with ExitStack() as stack:
        stack.enter_context(stopped_by_signals())
        url = stack.enter_context(course_server(model, logs / "server.log"))
        log = None if verbose else stack.enter_context(private_file(logs / "jupyter.log"))
        options = {"exact": port is not None, "browser": browser, "log": log}
        jupyter, address = stack.enter_context(jupyterlab(work, chosen, **options))
        print(f"The course is running. Stop it with Ctrl-C.\n  Lessons        {address}", flush=True)
        print(f"  Your copies    {copies.shown(work)} (the originals stay as they are)", flush=True)
        print(f"  Course server  {url} ({ABOUT[model]})", flush=True)
        if log:
            print(f"  Messages       {log.name}", flush=True)
        try:
            jupyter.wait()
        except KeyboardInterrupt:
            print("\nStopping JupyterLab and the course server.", flush=True)
    return 0


def stop() -> int:
    """End the course server of this folder, whoever started it; gives the exit status."""
    path = runtime.location()
    found = runtime.read(path)
    if found is None or not runtime.is_running(path):
        print("No course server is running for this folder.")
        return 0
    request = urllib.request.Request(f"{found.url}/course/stop", b"", {"authorization": f"Bearer {found.token}"})
    try:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        direct.open(request, timeout=10).close()
    except urllib.error.URLError as error:
        raise CourseError(f"The course server does not answer: {error}", f"end the process {found.pid}.") from error
    wait_until(lambda: not runtime.is_running(path), FAREWELL)
    print("The course server has stopped. (A JupyterLab that is open goes on: Ctrl-C in its terminal ends it.)")
    return 0


@contextmanager
def course_server(model: str, messages: Path) -> Iterator[str]:
    """The address of this folder's server: the one that runs, left running, or a new one, ended in the end.

    Raises:
        CourseError: It did not start, or the one that runs serves another model.
    """
    from course_utils.server import launcher  # needs httpx, and `stop` must not

    path = runtime.location()
    if answer := launcher.find(path):
        if answer[1]["backend"] != model:
            raise CourseError(
                f"A course server for this folder is running already, with the {answer[1]['backend']} model.",
                "python3 -m course_utils stop, then this command again.",
            )
        yield answer[0].url
        return
    with private_file(messages) as output:
        since = output.tell()
        command = [sys.executable, "-m", "course_utils", "serve", "--model", model]
        with ended(start(command, PROJECT, for_notebooks(), output)) as server:
            wait_until(lambda: launcher.find(path) or server.poll() is not None, PATIENCE)
            answer = launcher.find(path)
            if not answer:
                raise CourseError(
                    last_words("The course server", server, messages, since), "python3 -m course_utils doctor"
                )
            yield answer[0].url

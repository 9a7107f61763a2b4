"""JupyterLab for a learner: on their copies, quiet, and asking nobody on the internet anything.

Top layer. What is set here holds for the JupyterLab that is started and is written into nobody's settings.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from course_utils.env.lock import PROJECT
from course_utils.env.processes import PATIENCE, ended, last_words, start, wait_until
from course_utils.env.variables import for_notebooks
from course_utils.errors import CourseError

SETTINGS = PROJECT / "course_utils" / "env" / "jupyter"  # switches off the question whether one wants Jupyter's news


@contextmanager
def jupyterlab(
    work: Path, port: int, *, exact: bool, browser: bool, log: IO[str] | None
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """JupyterLab on the copies, and the address, token included, at which the first lesson opens.

    Raises:
        CourseError: It did not start.
    """
    lessons = sorted((PROJECT / "notebooks").glob("*.ipynb"))
    is_there = lessons and (work / "notebooks" / lessons[0].name).exists()
    page = f"/lab/tree/notebooks/{lessons[0].name}" if is_there else "/lab"
    token = secrets.token_hex(24)
    since = log.tell() if log else 0
    variables = {**for_notebooks(), **jupyter_variables(), "JUPYTER_TOKEN": token}
    variables.pop("OPENAI_API_KEY", None)  # the course server has it; a notebook has no use for it
    command = jupyter_command(work, port, page, exact=exact, browser=browser)
    with ended(start(command, PROJECT, variables, log)) as process:
        wait_until(lambda: server_address(token) or process.poll() is not None, PATIENCE)
        url = server_address(token)
        if not url:
            where = Path(log.name) if log else None
            raise CourseError(last_words("JupyterLab", process, where, since), "python3 -m course_utils doctor")
        yield process, f"{url.rstrip('/')}{page}?token={token}"


def jupyter_variables() -> dict[str, str]:
    """The packages of this environment first, and our few settings above the learner's own, which stay as they are."""
    paths = [str(SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    return {"JUPYTER_PREFER_ENV_PATH": "1", "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, paths))}


def jupyter_command(work: Path, port: int, page: str, *, exact: bool, browser: bool) -> list[str]:
    """The command line of a JupyterLab that asks nobody on the internet anything."""
    command = [
        sys.executable, "-m", "jupyterlab",
        f"--ServerApp.root_dir={work}",
        f"--ServerApp.port={port}",
        f"--ServerApp.port_retries={0 if exact else 50}",
        f"--LabApp.default_url={page}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",  # the other one lists the packages of an index
    ]  # fmt: skip
    command += [] if browser else ["--no-browser"]
    # JupyterLab refuses root, for notebooks are programs; in a container root is often all there is.
    return command + (["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])


def server_address(token: str) -> str:
    """The address of the Jupyter server with this token, from the file it writes once it listens; "" before."""
    from jupyter_core.paths import jupyter_runtime_dir

    for path in Path(jupyter_runtime_dir()).glob("jpserver-*.json"):
        try:
            info = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            continue  # half-written, or gone again
        if info.get("token") == token:
            with suppress(OSError), socket.create_connection(("localhost", info["port"]), timeout=1):
                return info["url"]  # the file may be there a moment before anybody listens
    return ""


def trust(project: Path) -> None:
    """Sign the built notebooks in the learner's own Jupyter, so that pictures show at once in copies of them.

    A signature is for the content, wherever it lies, so it holds for an unchanged copy and for no other. Only
    notebooks that this folder's sources build: whoever starts the lab runs code from this folder anyway, while a
    notebook that came from elsewhere still has to earn its trust.
    """
    import course_utils.env.import_guard  # noqa: F401, I001 - before nbformat, which it makes quicker to import
    import nbformat
    from nbformat.sign import NotebookNotary

    folders = (("lessons", "notebooks"), ("exercises", "exercises"), ("exercises", "solutions"))
    sources = [(path.stem, built) for kind, built in folders for path in (project / "source" / kind).glob("*.py")]
    notary = NotebookNotary()
    for stem, built in sources:
        path = project / built / f"{stem}.ipynb"
        if path.exists():
            notary.sign(nbformat.read(path, as_version=4))

"""Putting locked packages into a virtual environment: with uv, which pip brings; with pip alone where uv can't be had.

Imports the standard library only. Every package is checked against its hash and nothing is resolved: the lock has
said it all. The learner's own settings of pip (mirror, proxy, certificates) hold for uv too.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from course_utils.env.lock import Pin, installed
from course_utils.env.progress import Failed, Progress
from course_utils.env.venv import Venv
from course_utils.errors import CourseError

STRICT = ("--no-deps", "--require-hashes", "--only-binary", ":all:")
UV_NAMES = {  # pip's setting -> uv's variable
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}


def make(venv: Venv, progress: Progress) -> None:
    """Make an empty virtual environment with the base Python of this process.

    Raises:
        CourseError: Python can't make one.
    """
    try:
        # pip comes later, with the other locked packages: ensurepip takes seconds, and Debian leaves it out.
        progress.run("making .venv", [base_python(), "-m", "venv", "--without-pip", str(venv.folder)])
    except Failed as failure:
        raise CourseError(f"Python can't make a virtual environment: {reason(failure.output)}.", debian_fix()) from None


def base_python() -> str:
    """The Python that this one's environment was made from; this one where it is no environment."""
    return getattr(sys, "_base_executable", None) or sys.executable


def install(venv: Venv, pins: Sequence[Pin], progress: Progress) -> None:
    """Bring these packages into the environment; what is there at the right version stays.

    Raises:
        CourseError: Something could not be fetched, or not be written.
    """
    phase = f"installing {len(pins)} packages"
    with TemporaryDirectory() as folder:
        listed = Path(folder, "requirements.txt")
        listed.write_text("\n".join(f"{pin}" for pin in pins) + "\n", "utf-8")
        try:
            if uv := get_uv(venv, pins, Path(folder), progress):
                try:
                    progress.run(
                        phase,
                        [uv, "pip", "install", "--python", str(venv.python), *STRICT, "-r", str(listed)],
                        uv_variables(),
                    )
                    return
                except Failed as failure:
                    if is_disk_full(failure.output):
                        raise
                    progress.say(f"  uv could not: {reason(failure.output)}. Now with pip, which is slower.")
            progress.run(
                phase, [*pip_for(venv, progress), "install", "-q", *STRICT, "-r", str(listed)], pip_variables()
            )
        except Failed as failure:
            raise explain(failure.output, progress.log) from None


def get_uv(venv: Venv, pins: Sequence[Pin], folder: Path, progress: Progress) -> str:
    """The path of the locked uv inside the environment, installed with pip if need be; "" when it can't be had."""
    pin = next((pin for pin in pins if pin.name == "uv"), None)
    program = venv.python.with_name("uv.exe" if os.name == "nt" else "uv")
    if pin is None:
        return ""
    if installed(venv.site_packages).get("uv") == pin.version and program.exists():
        return str(program)
    listed = folder / "uv.txt"
    listed.write_text(f"{pin}\n", "utf-8")
    try:
        progress.run(
            "fetching uv, the installer",
            [*pip_for(venv, progress), "install", "-q", *STRICT, "-r", str(listed)],
            pip_variables(),
        )
    except Failed as failure:
        if is_disk_full(failure.output):
            raise
        progress.say(f"  no uv: {reason(failure.output)}")
        return ""
    return str(program) if program.exists() else ""


def pip_for(venv: Venv, progress: Progress) -> list[str]:
    """The beginning of a pip command that installs into the environment.

    Raises:
        CourseError: This Python has neither pip nor the means to get it.
    """
    if "pip" in installed(venv.site_packages):
        return [str(venv.python), "-m", "pip"]
    for python in dict.fromkeys([sys.executable, base_python()]):
        if subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0:
            return [python, "-m", "pip", "--python", str(venv.python)]
    try:
        progress.run("getting pip", [str(venv.python), "-m", "ensurepip"])
    except Failed:
        raise CourseError("This Python has no pip, and no ensurepip to get it from.", debian_fix()) from None
    return [str(venv.python), "-m", "pip"]


def debian_fix() -> str:
    """How to complete a Python that comes in parts, as Debian's and Ubuntu's does."""
    if Path("/etc/debian_version").exists():
        return "sudo apt install python3-venv, then run the same command again."
    return "install Python with its parts venv and pip, then run the same command again."


def pip_variables() -> dict[str, str]:
    """The environment for pip: the learner's settings, but never --user, which a virtual environment refuses."""
    return {**os.environ, "PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def uv_variables() -> dict[str, str]:
    """The environment for uv: where the learner set up pip for a mirror and uv for nothing, uv gets the mirror too."""
    variables = {
        **os.environ,
        "UV_NO_PROGRESS": "1",
        "UV_LINK_MODE": os.environ.get("UV_LINK_MODE", "copy" if os.name == "nt" else "hardlink"),
    }
    for name, value in pip_settings().items():
        if (other := UV_NAMES.get(name)) and other not in os.environ:
            variables[other] = value
    # As pip does it: the best version of all indexes. The hashes keep a stranger's package out.
    variables.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return variables


def pip_settings() -> Mapping[str, str]:
    """What pip's files and variables say for all commands and for `install`; empty when pip isn't here."""
    run = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True)
    settings: dict[str, str] = {}
    for line in run.stdout.splitlines() if run.returncode == 0 else ():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in ("global", "install", ":env:") and value:
            settings[option] = " ".join(shlex.split(value.replace("\\n", " ")))
    return settings


def is_disk_full(output: str) -> bool:
    """True when a program failed for want of space."""
    return bool(re.search(r"no space left|os error 28|errno 28|disk quota", output, re.IGNORECASE))


def reason(output: str) -> str:
    """The line of a failed installer's output that says most."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    causes = [line for line in lines if re.search(r"caused by|error|╰─▶", line, re.IGNORECASE)]
    return re.sub(
        r"^\W*(cause\w*( by)?:|error:)?\W*", "", (causes or lines or ["it gave no reason"])[-1], flags=re.IGNORECASE
    ).rstrip(".")


def explain(output: str, log: Path) -> CourseError:
    """A failed installation as a fact and a next step."""
    if is_disk_full(output):
        return CourseError("The disk is full.", "free 2 GB or more and run the same command again.")
    if re.search(r"hash", output, re.IGNORECASE) and re.search(
        r"mismatch|do not match|don't match", output, re.IGNORECASE
    ):
        return CourseError(
            f"A package is not the one that the lock names: {reason(output)}.",
            "use another network or mirror; nothing was installed from it.",
        )
    if re.search(r"permission denied|read-only file system", output, re.IGNORECASE):
        return CourseError(
            f"A file can't be written: {reason(output)}.", "copy the course to a folder of your own and start there."
        )
    if re.search(
        r"network|connect|resolve|fetch|timed? ?out|retries|no matching distribution|request", output, re.IGNORECASE
    ):
        return CourseError(
            f"The packages can't be fetched: {reason(output)}.",
            "check the network (and the proxy, if there is one) and run the same command again.",
        )
    return CourseError(f"The installation failed: {reason(output)}.", f"read {log}, then run the same command again.")

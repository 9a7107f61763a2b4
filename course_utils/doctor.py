"""What is here, what is missing, and how to get it: one line each, before the set-up as well as after it.

Top layer. Imports the standard library, `copies`, `env` and `server.runtime`. It looks and changes nothing;
of keys it only says whether they are there.
"""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course_utils import copies
from course_utils.env import lock, markers, probes
from course_utils.env.setup import ROOM, is_active
from course_utils.env.venv import Venv
from course_utils.errors import CourseError
from course_utils.server import runtime

LAB = "python3 -m course_utils lab"
KEYS = ("OPENAI_API_KEY", "LANGSMITH_API_KEY")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing looked at."""

    name: str
    state: str  # in a word or two
    detail: str = ""
    fix: str = ""  # what to do, where something can be done
    bad: bool = False  # the lessons can't work like this


def examine() -> int:
    """Print the table; gives 0 when the lessons can work, otherwise 1."""
    rows = [*python(), *packages(), *machine(), *own_copies(), *sandbox(), *surroundings()]
    width = max(len(row.name) for row in rows)
    for row in rows:
        print(f"{'!' if row.bad else ' '} {row.name:<{width}}  {row.state:<13}  {row.detail}".rstrip())
        if row.fix:
            print(f"  {'':<{width}}  {'':<13}  Try: {row.fix}")
    bad = [row.name for row in rows if row.bad]
    print(f"\nNot ready for the lessons yet: {', '.join(bad)}." if bad else "\nReady for the lessons.")
    return 1 if bad else 0


def python() -> Iterator[Row]:
    """The interpreter and the environment that the course uses. A wrong Python never gets here: see `env.guard`."""
    yield Row("Python", "ready", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def packages() -> Iterator[Row]:
    """Each set: ready, not installed, or different from the lock."""
    venv = Venv(lock.PROJECT / ".venv")
    folders = venv.site_packages
    variables, where = markers.environment(), "no environment yet"
    if is_active() and not venv.is_current:
        active = [Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")]
        core = lock.select(lock.read(), {"core"}, variables)
        if not lock.differences(core, lock.installed(active)) or not folders:
            folders, where = active, f"the active environment, {sys.prefix}"
    if folders and folders == venv.site_packages and venv.python.exists():
        variables, where = markers.environment_of(venv.python), ".venv beside the course"
    note = venv.note()
    if note and not note.complete:
        yield Row("Environment", "half made", "the last set-up was not finished", LAB, bad=True)
    else:
        yield Row("Environment", "ready" if folders else "not made", where, "" if folders else LAB, bad=not folders)
    present, pins = lock.installed(folders), lock.read()
    for name in lock.SETS:
        yield of_set(name, lock.select(pins, {name}, variables), present)


def of_set(name: str, pins: list[lock.Pin], present: dict[str, str]) -> Row:
    """One set of packages against what is installed."""
    rows = lock.differences(pins, present)
    missing = [row for row in rows if row.endswith("is missing")]
    fix = LAB if name == "core" else f"{LAB} --with {name}"
    if not rows:
        return Row(f"  {name}", "ready", f"{len(pins)} packages: {lock.ABOUT[name]}")
    if len(missing) == len(rows) or len(missing) > len(pins) / 2:
        return Row(f"  {name}", "not installed", lock.ABOUT[name], fix, bad=name == "core")
    more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    return Row(
        f"  {name}",
        "differs",
        f"{rows[0]}{more}",
        "delete the folder .venv, then " + fix,
        bad=bool(missing) and name == "core",
    )


def machine() -> Iterator[Row]:
    """Disk, loopback, ports."""
    free, needed = shutil.disk_usage(lock.PROJECT).free / 1e9, sum(ROOM.values())
    room = "free some space first; the lessons alone need 0.6 GB, all sets 2.4 GB"
    yield Row("Disk", "ready" if free > needed else "little room", f"{free:.1f} GB free", "" if free > needed else room)
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError as error:
        yield Row("Loopback", "closed", str(error), "allow programs to listen on 127.0.0.1", bad=True)
        return
    with socket.socket() as probe:
        taken = probe.connect_ex(("127.0.0.1", 8888)) == 0
    yield Row(
        "Port 8888", "taken" if taken else "free", "JupyterLab takes the next free one" if taken else "for JupyterLab"
    )


def own_copies() -> Iterator[Row]:
    """Where the learner's copies are."""
    is_there = copies.location().is_dir()
    where = str(copies.location()) if is_there else "the first `lab` makes them"
    yield Row("Your copies", "ready" if is_there else "not made", where)


def sandbox() -> Iterator[Row]:
    """What can shut in a program that is not one's own; only who grades others' notebooks needs it."""
    if sys.platform != "linux":
        yield Row(
            "Sandbox",
            "none",
            f"{platform.system()} has no protection that the grader knows",
            "grade others' work on Linux",
        )
        return
    namespaces, abi, seccomp = probes.has_namespaces(), probes.landlock_abi(), probes.has_seccomp()
    allow = "allow unprivileged user namespaces, or grade as root in a container of its own"
    yield Row(
        "Sandbox",
        *(
            ("ready", "a process table and a network of its own")
            if namespaces
            else ("no namespaces", "a program sees others", allow)
        ),
    )
    yield Row(
        "  files, ports",
        f"Landlock {abi}" if abi else "no Landlock",
        "version 4 or later limits ports too" if 0 < abi < 4 else "",
    )
    yield Row(
        "  system calls", "seccomp" if seccomp else "no seccomp", "" if seccomp else "system calls can't be forbidden"
    )


def surroundings() -> Iterator[Row]:
    """Browser, keys, server, speed: nothing that a lesson needs."""
    browser = next((name for name in BROWSERS if shutil.which(name)), "")
    fix = "sudo apt install chromium, or any Chromium" if not browser else ""
    yield Row(
        "Test browser", "ready" if browser else "not here", browser or "only the course's own tests need one", fix
    )
    for name in KEYS:
        yield Row(name, "set" if os.environ.get(name) else "not set", "never needed; the practice model asks for none")
    try:
        path = runtime.location()
        found = runtime.read(path) if runtime.is_running(path) else None
        yield Row(
            "Course server",
            "running" if found else "not running",
            found.url if found else "it starts when a notebook needs it",
        )
    except CourseError as error:
        yield Row("Course server", "unsafe", error.fact, error.fix, bad=True)
    speed = os.environ.get("COURSE_SPEED", "")
    usual = not speed or is_speed(speed)
    yield Row(
        "COURSE_SPEED",
        speed or "1",
        "how many times faster simulated waiting goes",
        "" if usual else "set it to a number above 0",
        bad=not usual,
    )


def is_speed(text: str) -> bool:
    """True when the text is a number above 0."""
    try:
        return 0 < float(text) < float("inf")
    except ValueError:
        return False

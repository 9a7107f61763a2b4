"""Making sure that the packages are there: in the environment that is active, or in `.venv` beside the project.

Imports the standard library only. `ensure` is quick when all is ready (it reads one small file and touches no
network), repairs what a former set-up left half-made, and lets only one set-up at a time work on the folder.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import gettempdir

from course_utils.env import installer, lock, markers
from course_utils.env.locks import only_one
from course_utils.env.progress import Progress
from course_utils.env.venv import Note, Venv
from course_utils.errors import CourseError

WAITING = "Another set-up is at work on this folder; waiting for it."
ALWAYS = ("core", "setup")
ROOM = {"core": 0.6, "frameworks": 0.1, "crewai": 1.0, "local": 0.3, "cluster": 0.1, "dev": 0.3}  # GB, generously


def ensure(sets: Iterable[str], *, exact: bool = True, project: Path = lock.PROJECT) -> Path:
    """The Python that has these sets, which may be the one that runs now; they are installed if need be.

    Args:
        exact: Whether an active environment must have the locked versions, or any versions.

    Raises:
        CourseError: They can't be had; the message says why and what to do.
    """
    path = project / "requirements.lock"
    pins, key = lock.read(path), lock.digest(path)
    wanted = tuple(sorted({*ALWAYS, *sets}))
    venv = Venv(project / ".venv")
    if venv.is_ready(key, wanted):
        return Path(sys.executable) if venv.is_current else venv.python
    reason = unfit(pins, wanted, project, exact=exact)
    if not reason:
        return Path(sys.executable)
    if is_active() and not venv.is_current:
        print(f"The active environment is left alone, for {reason}; the course uses .venv.", flush=True)
    with alone(project) as held:
        if not venv.is_ready(key, wanted) and not is_good_as_it_is(venv, pins, wanted):
            set_up(venv, pins, Note(key, wanted), project, held)
    return venv.python


def is_active() -> bool:
    """True when this Python belongs to a virtual or conda environment that somebody chose."""
    return sys.prefix != sys.base_prefix or os.path.realpath(os.environ.get("CONDA_PREFIX") or "/") == os.path.realpath(
        sys.prefix
    )


def unfit(pins: Iterable[lock.Pin], wanted: Iterable[str], project: Path, *, exact: bool) -> str:
    """Why the Python that runs now can't be used as it is; "" when it can."""
    if not is_active():
        return "it is no environment"
    if exact and os.path.realpath(project) not in map(os.path.realpath, sys.path[1:]):  # [0] is the current folder
        return "the course is not installed in it (`pip install -e .`)"
    present = lock.installed(Path(sysconfig.get_path(name)) for name in ("purelib", "platlib"))
    needed = lock.select(pins, set(wanted) - {"setup"}, markers.environment())
    rows = lock.differences(needed, present)
    rows = [row for row in rows if exact or row.endswith("is missing")]
    return rows[0] + (f" and {len(rows) - 1} more" if len(rows) > 1 else "") if rows else ""


def is_good_as_it_is(venv: Venv, pins: Iterable[lock.Pin], wanted: Iterable[str]) -> bool:
    """True when somebody else made `.venv` and all that is wanted is in it.

    Raises:
        CourseError: Somebody else made it, and it lacks something.
    """
    if not venv.is_foreign:
        return False
    if venv.python.exists():
        needed = lock.select(pins, set(wanted) - {"setup"}, markers.environment_of(venv.python))
        if not lock.differences(needed, lock.installed(venv.site_packages)):
            return True
    raise CourseError(
        "The folder .venv was made by something else and is not what the course needs, so it is left alone.",
        "move or delete .venv and run the same command again.",
    )


def set_up(venv: Venv, pins: list[lock.Pin], goal: Note, project: Path, held: int) -> None:
    """Make or complete `.venv`; the note is closed last, so that a set-up cut short is mended later.

    Args:
        held: The open lock file. An installer that outlives us holds it too: nobody sets up while it writes.
    """
    note = venv.note()
    require_room(project, set(goal.sets) - set(note.sets if note and note.complete else ()))
    if note:
        goal = Note(goal.lock, tuple(sorted({*goal.sets, *note.sets})))
    if note and not (note.complete and venv.python.exists()):
        print("The last set-up was not finished; .venv is made anew.", flush=True)
        remove(venv.folder)
    what = ", ".join(name for name in lock.SETS if name in goal.sets)
    print(f"Setting up the course in .venv ({what}). This is done once.", flush=True)
    venv.write_note(goal)
    progress = Progress(venv.folder / "setup.log", keeping=held)
    if not venv.python.exists():
        installer.make(venv, progress)
    installer.install(venv, lock.select(pins, goal.sets, markers.environment_of(venv.python)), progress)
    venv.add_project(project)
    venv.write_note(Note(goal.lock, goal.sets, complete=True))


def remove(folder: Path) -> None:
    """Delete a half-made environment.

    Raises:
        CourseError: Something in it can't be deleted.
    """
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise CourseError(
            f"The half-made .venv can't be deleted: {error}", "delete the folder .venv yourself and try again."
        ) from error


def require_room(project: Path, sets: Iterable[str]) -> None:
    """Refuse before the work what would fail in its middle.

    Raises:
        CourseError: The disk is nearly full.
    """
    needed = sum(ROOM.get(name, 0) for name in sets)
    free = shutil.disk_usage(project).free / 1e9
    if free < needed:
        raise CourseError(
            f"The disk has {free:.1f} GB left, and the packages need about {needed:.1f} GB.",
            "free some space and run the same command again.",
        )


@contextmanager
def alone(project: Path) -> Iterator[int]:
    """Hold the folder's set-up lock, an open file; waits, and says so, while another process sets up.

    Raises:
        CourseError: The folder can't be written to.
    """
    with ExitStack() as stack:
        try:
            held = stack.enter_context(only_one(project / ".venv.lock", waiting=WAITING))
        except OSError as error:
            raise CourseError(
                f"The course's folder can't be written to ({error.strerror}), and the packages belong beside it.",
                f"copy the folder to a place of your own, such as {gettempdir()}, and start there.",
            ) from error
        yield held

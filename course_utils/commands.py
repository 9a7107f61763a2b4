"""The commands behind `python3 -m course_utils`: what each takes, which packages it needs, and where its work is.

Top layer. Imports the standard library, `env` and `errors`; a command's own module is imported only once the
packages are there, in the Python that has them.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import traceback
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from course_utils.arguments import build_parser, parse
from course_utils.env.lock import SETS
from course_utils.env.processes import stopped_by_signals
from course_utils.env.setup import ensure
from course_utils.errors import CourseError

INTERRUPTED = 130  # the exit status that shells expect after Ctrl-C


@dataclass(frozen=True, slots=True)
class Command:
    """One command: the sets it needs, whether at the locked versions, and what does the work."""

    needs: Callable[[Namespace], Sequence[str] | None]  # None: nothing has to be installed
    work: Callable[[Namespace], int]
    exact: bool = True
    is_sitting: bool = False  # it runs until it is told to stop, and takes the signals for that itself
    trouble: int = 1  # the exit status when the work could not be done


def run(argv: Sequence[str]) -> int:
    """Run one command; gives its exit status. Whatever a learner can cause ends as one sentence and a "Try:"."""
    trouble = 1
    try:
        arguments = parse(argv)
        command = COMMANDS[arguments.command]
        trouble = command.trouble
        sets = command.needs(arguments)
        if sets is not None:
            with stopped_by_signals():
                python = ensure(sets, exact=command.exact)
            if os.path.abspath(python) != os.path.abspath(sys.executable):
                return again_in(str(python), argv)
        with nullcontext() if command.is_sitting else stopped_by_signals():
            return command.work(arguments)
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again to go on.", file=sys.stderr)
        return INTERRUPTED
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2 if "--help" in error.fix else trouble
    except OSError as error:
        if error.errno not in MISHAPS:
            return bug(trouble)
        print(CourseError(f"{error.strerror}: {error.filename or 'the disk'}.", MISHAPS[error.errno]), file=sys.stderr)
        return trouble
    except Exception:
        return bug(trouble)


def bug(status: int) -> int:
    """Show the traceback of a fault of ours; gives the status."""
    traceback.print_exc()
    return status


MISHAPS = {
    errno.ENOSPC: "free some space and run the same command again.",
    errno.EDQUOT: "free some space and run the same command again.",
    errno.EROFS: "copy the course to a folder of your own and start there.",
    errno.EACCES: "copy the course to a folder of your own and start there.",
    errno.EPERM: "copy the course to a folder of your own and start there.",
}


def again_in(python: str, argv: Sequence[str]) -> int:
    """Run the same command with another Python, in this process's place where the system can do that."""
    command = [python, "-m", "course_utils", *argv]
    sys.stdout.flush()
    if os.name == "posix":
        os.execv(python, command)
    return subprocess.call(command)


def model_sets(arguments: Namespace) -> tuple[str, ...]:
    """What the chosen model needs."""
    return ("core", "local") if arguments.model == "local" else ("core",)


def do_lab(arguments: Namespace) -> int:
    from course_utils.lab import lab

    return lab(model=arguments.model, port=arguments.port, browser=not arguments.no_browser, verbose=arguments.verbose)


def do_test(arguments: Namespace) -> int:
    from course_utils.suite import run_suite

    return run_suite(arguments.rest, only=arguments.only)


def do_doctor(arguments: Namespace) -> int:
    from course_utils.doctor import examine

    return examine()


def do_serve(arguments: Namespace) -> int:
    from course_utils.env.lock import PROJECT
    from course_utils.learners import of_folder
    from course_utils.receipts import grading_key
    from course_utils.server import runtime
    from course_utils.server.judge import Judge
    from course_utils.server.process import serve
    from course_utils.server.progress import Progress
    from course_utils.tasks import TASKS

    key = grading_key(os.environ)
    path = Path(arguments.runtime_file).absolute() if arguments.runtime_file else runtime.location()
    progress, learner = (None, None) if key else (Progress(runtime.home(path) / "progress.sqlite"), of_folder(PROJECT))
    judge = Judge(TASKS, key=key, progress=progress, learner=learner and learner.seed)
    return serve(
        model=arguments.model, port=arguments.port, upstream_url=arguments.upstream_url, gguf=arguments.gguf,
        idle=arguments.idle, runtime_file=arguments.runtime_file, speed=arguments.speed,
        routes=judge.routes(),
    )  # fmt: skip


def do_stop(arguments: Namespace) -> int:
    from course_utils.lab import stop

    return stop()


def do_build(arguments: Namespace) -> int:
    from course_utils.build import main

    return main(arguments.rest)


def do_grade(arguments: Namespace) -> int:
    from course_utils.grading import main

    return main(arguments.rest)


def do_release(arguments: Namespace) -> int:
    from course_utils.release import main

    return main(arguments.rest)


def do_lock(arguments: Namespace) -> int:
    from course_utils.env.pinning import make

    make(upgrade=arguments.upgrade)
    return 0


def do_help(arguments: Namespace) -> int:
    build_parser().print_help()
    return 0


COMMANDS = {
    "lab": Command(lambda arguments: (*model_sets(arguments), *arguments.sets), do_lab, is_sitting=True),
    "test": Command(lambda _: SETS, do_test),
    "doctor": Command(lambda _: None, do_doctor),
    "serve": Command(model_sets, do_serve, exact=False, is_sitting=True),
    "build": Command(lambda _: ("core", "dev"), do_build, exact=False),
    "grade": Command(lambda _: ("core",), do_grade, exact=False, trouble=2),
    "release": Command(lambda _: ("core", "dev"), do_release, exact=False),
    "stop": Command(lambda _: None, do_stop),
    "lock": Command(lambda _: None, do_lock),
    "help": Command(lambda _: None, do_help),
}

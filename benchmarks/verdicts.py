"""Whether any verdict changes on a busy machine: every right and every wrong answer, many times, held-back cases too.

    python benchmarks/verdicts.py --times 10 --load 2            every check
    python benchmarks/verdicts.py --times 2 retries. chain.gate  the checks whose names begin so

The answers are the tables of tests/answers_*.py. Each run of an answer is a submission of its own: its cases come from
a seed of its own. `--load` processes keep a core busy each, and `--jobs` parts of the tables run side by side. A right
answer must pass every time; a wrong one must fail every time, with the words that its table asks for.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from functools import partial
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"
BUSY = "while True: pass"
LOOK = 30.0  # seconds between two lines of progress
Answer = tuple[str, str, Callable, str | None]  # check, name, the answer, the words of a wrong one


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checks", nargs="*", help="only checks whose names begin so")
    parser.add_argument("--times", type=int, default=10, help="runs of each answer")
    parser.add_argument("--load", type=int, default=2, help="busy processes beside it")
    parser.add_argument("--jobs", type=int, default=2, help="parts of the tables that run side by side")
    parser.add_argument("--part", type=int, default=None, help=argparse.SUPPRESS)
    return parser.parse_args()


def answers(beginnings: list[str]) -> list[Answer]:
    """All answers of all tables, right ones without words."""
    from answers import RIGHT, WRONG, name_of

    found: list[Answer] = [(check, name_of(one), one, None) for check in RIGHT for one in RIGHT[check]]
    found += [(check, name_of(one), one, words) for check in WRONG for one, words in WRONG[check].items()]
    return [one for one in found if not beginnings or one[0].startswith(tuple(beginnings))]


@contextmanager
def grading_server() -> Iterator[Callable[[str], None]]:
    """A course server whose judge grades; what is given says which submission runs now."""
    from conftest import judging, submit

    from course_utils.private_server import new_key
    from course_utils.server.judge import Judge
    from course_utils.tasks import TASKS

    judge = Judge(TASKS, key=new_key())
    with tempfile.TemporaryDirectory() as folder, judging(Path(folder), judge) as (_, patch):
        yield partial(submit, judge, patch)


def judged(check_name: str, answer: Callable, words: str | None) -> str:
    """ "" when the verdict is the one that the table asks for; otherwise what it was."""
    from course_utils.check import check
    from course_utils.errors import CheckFailed

    try:
        with redirect_stdout(io.StringIO()):
            check(check_name, answer)
    except CheckFailed as failed:
        said = " ".join(str(failed).split())
        return "" if words is not None and " ".join(words.split()) in said else said
    return "" if words is None else "passed"


def part(asked: argparse.Namespace) -> None:
    """One share of the answers, in this process; prints a line of JSON for each run."""
    sys.path.insert(0, str(TESTS))
    mine = answers(asked.checks)[asked.part :: asked.jobs]
    with grading_server() as submitted:
        for run in range(asked.times):
            for number, (check, name, answer, words) in enumerate(mine):
                submitted(f"{asked.part}-{run}-{number}")
                wrong = judged(check, answer, words)
                told = {"check": check, "name": name, "kind": "right" if words is None else "wrong", "changed": wrong}
                print(json.dumps(told), flush=True)


def so_far(folder: Path) -> list[str]:
    """The whole lines that the parts have written."""
    return [line for file in sorted(folder.iterdir()) for line in file.read_text().splitlines(True) if line[-1] == "\n"]


def main() -> int:
    """Run all parts, and say how often a verdict was not the expected one."""
    asked = arguments()
    if asked.part is not None:
        part(asked)
        return 0
    command = [sys.executable, __file__, "--times", f"{asked.times}", "--jobs", f"{asked.jobs}", *asked.checks]
    runs: Counter[tuple[str, str]] = Counter()
    changed: list[dict[str, str]] = []
    began = time.monotonic()
    with ExitStack() as stack:
        for _ in range(asked.load):
            stack.callback(subprocess.Popen([sys.executable, "-c", BUSY]).kill)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files = [stack.enter_context((folder / f"{number}").open("w+")) for number in range(asked.jobs)]
        parts = [subprocess.Popen([*command, "--part", f"{number}"], stdout=file) for number, file in enumerate(files)]
        while any(process.poll() is None for process in parts):
            time.sleep(LOOK)
            told = [json.loads(line) for line in so_far(folder)]
            wrong = sum(bool(one["changed"]) for one in told)
            print(f"{time.monotonic() - began:6.0f} s  {len(told)} runs, {wrong} unexpected", file=sys.stderr)
        lines = so_far(folder)
    for told in map(json.loads, lines):
        runs[told["check"], told["kind"]] += 1
        changed += [told] if told["changed"] else []
    for check in sorted({check for check, _ in runs}):
        print(f"{check:<24} right {runs[check, 'right']:>4}   wrong {runs[check, 'wrong']:>4}")
    total = Counter(kind for (_, kind), number in runs.items() for _ in range(number))
    print(f"{total['right']} runs of right answers, {total['wrong']} of wrong ones; {asked.load} busy processes beside")
    print(f"{len(changed)} verdicts were not the expected ones; {time.monotonic() - began:.0f} s")
    for told in changed[:20]:
        print(f"  {told['kind']} {told['check']} {told['name']}: {told['changed'][:300]}")
    return 1 if changed or any(process.returncode for process in parts) else 0


if __name__ == "__main__":
    sys.exit(main())

"""The command `python -m course_utils release`: one folder for all learners, or one for each.

Layer 3: imports `env`, `errors`, `learners` and `release.folder`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from course_utils.env.lock import PROJECT
from course_utils.errors import CourseError
from course_utils.learners import read_roster
from course_utils.release import folder

PER_LEARNER = "a file with one learner in a line, `id` or `id,seed`: each gets a folder, with numbers of their own"


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line as values."""
    parser = argparse.ArgumentParser(
        prog="python -m course_utils release",
        description="Write the folder that learners get: no solutions, no tests, no held-back cases.",
    )
    parser.add_argument("outdir", type=Path, help="where; it must not be there yet, or be empty")
    parser.add_argument("--seed-per-learner", type=Path, metavar="FILE", help=PER_LEARNER)
    parser.add_argument("--root", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def run(argv: Sequence[str]) -> int:
    """The exit status: 0 when all is written, 1 when not."""
    asked = arguments(argv)
    try:
        roster = read_roster(asked.seed_per_learner) if asked.seed_per_learner else []
        folder.refuse_stale(asked.root)
        handout = folder.Handout(asked.root)
        if not roster:
            handout.write(asked.outdir)
            print(f"{asked.outdir} is the learner's folder: {size(asked.outdir)}.")
            return 0
        folder.refuse_full(asked.outdir)
        for learner in roster:
            handout.write(asked.outdir / learner.id, learner)
        each = size(asked.outdir / roster[0].id)
        print(f"{asked.outdir} holds a folder for each of {len(roster)} learners: {each} each.")
        print(f"Grade with the same file: python3 -m course_utils grade --seed-per-learner {asked.seed_per_learner} …")
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def size(place: Path) -> str:
    """What a folder takes up, in words."""
    files = [path for path in place.rglob("*") if path.is_file()]
    return f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB"

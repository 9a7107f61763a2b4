"""Who a copy of the exercises is for: a learner's id, and the seed from which the learner's own numbers come.

Layer 0: imports `errors`. A roster is a text file with one learner in a line: an id, and perhaps a comma and a seed of
your choice. A folder made for one learner says whose it is in `learner.json`.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from course_utils.errors import CourseError

FILE = "learner.json"
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
HEAD = ("learner", "id")  # of a roster that begins with the names of its columns
MOST = 1 << 53  # a seed is below this, so that JSON and every spreadsheet keep it
USUAL = "write one learner in a line, such as `ada` or `ada,42`."


@dataclass(frozen=True, slots=True)
class Learner:
    """One learner."""

    id: str  # letters, digits, dot, dash and underline; it names a folder
    seed: int


def learner(id: str, seed: str = "") -> Learner:
    """A learner; without a seed the id decides, so that the same roster gives the same numbers every time.

    Raises:
        CourseError: The id names no folder, or the seed is no number.

    >>> learner("ada") == learner("ada"), learner("ada", "42")
    (True, Learner(id='ada', seed=42))
    """
    if not ID.fullmatch(id) or id.endswith("."):
        fix = "use letters, digits, dot, dash and underline, at most 64 of them, a letter or digit first."
        raise CourseError(f"{id!r} cannot be a learner's id, because it will name a folder.", fix)
    if not seed:
        return Learner(id, int.from_bytes(hashlib.sha256(id.encode()).digest()) % MOST)
    if not seed.isascii() or not seed.isdecimal() or int(seed) >= MOST:
        raise CourseError(f"{seed!r} is no seed for {id}.", fix=f"use a whole number from 0 to {MOST - 1}, or none.")
    return Learner(id, int(seed))


def read_roster(path: Path) -> list[Learner]:
    """The learners of a roster, in its order; blank lines and lines that begin with # say nothing.

    Raises:
        CourseError: The file cannot be read, names nobody, or names somebody twice; the fact says in which line.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.", fix="look at the name.") from None
    except UnicodeDecodeError:
        raise CourseError(f"{path} is not text in UTF-8.", fix="save it as plain text, or as CSV in UTF-8.") from None
    found: dict[str, Learner] = {}
    for number, one in named(lines, path):
        if (same := found.setdefault(one.id.lower(), one)) is not one:
            fact = f"{path.name}:{number}: {one.id!r} is there twice (as {same.id!r})."
            raise CourseError(fact, fix="give everybody an id of their own; capitals do not tell folders apart.")
    if not found:
        raise CourseError(f"{path.name} names nobody.", fix=USUAL)
    return list(found.values())


def named(lines: list[str], path: Path) -> Iterator[tuple[int, Learner]]:
    """The learners with the numbers of their lines."""
    rows = [(number, row) for number, line in enumerate(lines, 1) for row in csv.reader([line]) if is_said(line)]
    for place, (number, row) in enumerate(rows):
        fields = [field.strip() for field in row]
        if place == 0 and fields[0].lower() in HEAD:
            continue
        try:
            if len(fields) > 2:
                raise CourseError(f"{len(fields)} columns are more than an id and a seed.", fix=USUAL)
            yield number, learner(*fields)
        except CourseError as error:
            raise CourseError(f"{path.name}:{number}: {error.fact}", fix=error.fix) from None


def is_said(line: str) -> bool:
    """True when a line of a roster names somebody."""
    return bool(line.strip()) and not line.lstrip().startswith("#")


def written(one: Learner) -> str:
    """What `learner.json` holds."""
    return json.dumps(asdict(one), indent=1) + "\n"


def of_folder(folder: Path) -> Learner | None:
    """Whose folder this is; None for the course's own, which is nobody's.

    Raises:
        CourseError: Its `learner.json` is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        told = json.loads(path.read_text("utf-8"))
        return learner(told["id"], str(told["seed"]))
    except (OSError, ValueError, KeyError, TypeError, CourseError):
        fix = "get this file again from whoever gave you the course; without it the checks judge other numbers."
        raise CourseError(f"{path.name} does not say whose folder this is.", fix) from None

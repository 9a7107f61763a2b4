"""The learner's own copies of notebooks and texts: brought up to date with the course, and never written over.

Top layer. Imports the standard library, `env` and `errors`. A copy is the learner's as soon as its bytes are no
longer those that the course put there; what the course put where is noted in `.originals.json`, as digests. Where
that note is lost, every copy counts as changed. Nothing in the folder is ever deleted, and links in it are left alone.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from course_utils.env.lock import PROJECT
from course_utils.env.locks import only_one
from course_utils.errors import CourseError

FOLDERS = ("notebooks", "exercises", "solutions", "docs")  # together, because they link to each other
NOTE, LOCK = ".originals.json", ".lock"
LEARNERS = ""  # instead of a digest, for what can't be a copy of ours: a link, a folder, a pipe
FULL = (errno.ENOSPC, errno.EDQUOT)


def location(project: Path = PROJECT, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the copies are: $COURSE_WORK, else `my_work` beside the course's own folders."""
    return Path(environ.get("COURSE_WORK") or project / "my_work").absolute()


def shown(work: Path, project: Path = PROJECT) -> str:
    """The folder as one who is in the course's folder would type it."""
    return f"{work.relative_to(project)}/" if work.is_relative_to(project) else str(work)


def bring_up_to_date(project: Path, work: Path) -> list[str]:
    """Copy what is missing or new in the course; gives what to tell the learner, and it is told only this once.

    Raises:
        CourseError: The folder can't be written to, or the disk is full.
    """
    try:
        work.mkdir(parents=True, exist_ok=True)
        with only_one(work / LOCK):  # the others wait for the moment that it takes
            noted = read_note(work)
            copies = Copies(project, work, dict(noted))
            for path in originals(project):
                copies.settle(path)
            if copies.given != noted:
                put(json.dumps(copies.given, indent=1, sort_keys=True).encode(), work / NOTE)
    except OSError as error:
        usual = "look at that folder, or set COURSE_WORK to another folder of your own."
        raise CourseError(
            f"Your copies in {work} can't be brought up to date: {error.strerror or error}.",
            "free some space and run the same command again." if error.errno in FULL else usual,
        ) from error
    return list(copies.told())


def originals(project: Path) -> Iterator[str]:
    """The files of the course that are copied, as paths within it: no hidden ones, no links."""
    for folder in (name for name in FOLDERS if not (project / name).is_symlink()):
        for place, folders, names in os.walk(project / folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for path in (Path(place, name) for name in sorted(names) if not name.startswith(".")):
                if path.is_file() and not path.is_symlink():
                    yield path.relative_to(project).as_posix()


@dataclass
class Copies:
    """One run over all files."""

    project: Path
    work: Path
    given: dict[str, str]  # path in `work` -> digest of what the course last put there
    beside: list[str] = field(default_factory=list)  # newer versions, put beside changed copies
    waiting: list[str] = field(default_factory=list)  # newer versions whose place beside them is taken
    closed: list[str] = field(default_factory=list)  # copies that can't be read or replaced
    linked: list[str] = field(default_factory=list)  # copies behind a link that leads elsewhere

    def settle(self, path: str) -> None:
        """Bring one copy up to date; a copy that is there and can't be read or replaced stops nobody."""
        target = self.work / path
        if not Path(os.path.realpath(target.parent)).is_relative_to(os.path.realpath(self.work)):
            self.linked.append(path)
            return
        try:
            self.follow(path, as_handed_out(path, (self.project / path).read_bytes()))
        except PermissionError:  # on Windows also: open in another program
            if not os.path.lexists(target):
                raise
            self.closed.append(path)

    def follow(self, path: str, original: bytes) -> None:
        """Write the original to the copy where that loses nothing, else beside it."""
        new, mine, noted = digest(original), digest_of(self.work / path), self.given.get(path)
        if mine in (None, noted, new):
            self.give(path, original, mine)
        elif noted != new:
            self.offer(Path(path).with_suffix(f".new{Path(path).suffix}").as_posix(), original)

    def offer(self, path: str, original: bytes) -> None:
        """Put a newer version beside a changed copy: once, and again only what is newer still."""
        new, there, offered = digest(original), digest_of(self.work / path), self.given.get(path)
        if offered == new:
            return  # what became of it is the learner's business
        if there not in (None, offered, new):
            self.waiting.append(path)
            return
        if there != new:
            self.beside.append(path)
        self.give(path, original, there)

    def give(self, path: str, original: bytes, there: str | None) -> None:
        """Make the file what the course has; `there` is the digest of what it is now."""
        if there != digest(original):
            put(original, self.work / path)
        self.given[path] = digest(original)

    def told(self) -> Iterator[str]:
        """What the learner should know: one text for each kind of thing, however many files."""
        newer = "The course has newer versions of files that you changed"
        if self.beside:
            yield f"{newer}; they are beside yours: {some(self.beside)}."
        if self.waiting:
            fix = "give these another name and run the same command again."
            yield f"{newer}, and their place is taken: {some(self.waiting)}.\n  Try: {fix}"
        if self.closed:
            fix = "close them in other programs, and see that you may read and write them."
            yield f"Copies that can't be read or replaced stay as they are: {some(self.closed)}.\n  Try: {fix}"
        if self.linked:
            yield f"Left alone, because a link leads out of {self.work.name}: {some(self.linked)}."


def as_handed_out(path: str, content: bytes) -> bytes:
    """What the copy begins with: a lesson without its outputs, for a guess is none when the answer stands below it."""
    if not path.startswith("notebooks/") or not path.endswith(".ipynb"):
        return content
    try:
        notebook = json.loads(content)
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}
    except (ValueError, KeyError, TypeError):
        return content  # not a notebook: handed out as it is
    return (json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def digest_of(path: Path) -> str | None:
    """The file's digest; None when nothing is there, LEARNERS for anything but an ordinary file."""
    if not os.path.lexists(path):
        return None
    return digest(path.read_bytes()) if path.is_file() and not path.is_symlink() else LEARNERS


def put(content: bytes, path: Path) -> None:
    """Write the file in one step: nobody ever finds half of it, and nothing is left behind when that fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read_note(work: Path) -> dict[str, str]:
    """What the course put where; empty when that is not known."""
    try:
        note = json.loads((work / NOTE).read_bytes())
        is_sound = all(isinstance(value, str) for value in note.values())
    except (OSError, ValueError, RecursionError, AttributeError):
        return {}
    return note if is_sound else {}

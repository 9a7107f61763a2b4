"""What is locked: every package of every set, with its version, its hashes, and where it is needed.

Imports the standard library only. The lock is an ordinary requirements file; above each package one comment names
the sets that need it (`# for: core`), so that one file serves any selection. `core` is what the lessons and
exercises need; the other sets are the extras of pyproject.toml, and `setup` is the installer itself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from course_utils.env.markers import holds
from course_utils.errors import CourseError

PROJECT = Path(__file__).resolve().parents[2]
LOCK = PROJECT / "requirements.lock"
SETS = ("core", "frameworks", "crewai", "local", "cluster", "dev")
ABOUT = {
    "core": "lessons, exercises, self-checks",
    "frameworks": "AutoGen and Microsoft Agent Framework, for the framework survey",
    "crewai": "CrewAI, for the framework survey; large",
    "local": "a small language model on this machine",
    "cluster": "grading on several machines",
    "dev": "building and testing the course itself",
}
PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]*?))?\s*\\?$")
HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Pin:
    """One package at one version."""

    name: str
    version: str
    marker: str = ""  # where it is needed; "" is everywhere
    hashes: tuple[str, ...] = ()
    sets: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """The pin as a requirements file wants it."""
        marker = f" ; {self.marker}" if self.marker else ""
        return " \\\n".join([f"{self.name}=={self.version}{marker}", *(f"    --hash={value}" for value in self.hashes)])


def parse(text: str) -> list[Pin]:
    """The pins of a lock, in its order."""
    pins: list[Pin] = []
    sets: frozenset[str] = frozenset()
    for line in text.splitlines():
        if line.startswith("# for:"):
            sets = frozenset(line.removeprefix("# for:").split())
        elif match := PIN.match(line):
            pins.append(Pin(normal(match["name"]), match["version"], match["marker"] or "", (), sets))
        elif match := HASH.search(line):
            pins[-1] = Pin(pins[-1].name, pins[-1].version, pins[-1].marker, (*pins[-1].hashes, match[1]), sets)
        elif line.strip() and not line.startswith("#"):
            raise ValueError(f"Not a line of a lock: {line!r}")
    return pins


def read(path: Path = LOCK) -> list[Pin]:
    """The pins of the course's lock.

    Raises:
        CourseError: The file is not there, or not a lock.
    """
    try:
        return parse(path.read_text("utf-8"))
    except (OSError, ValueError, IndexError) as error:
        raise CourseError(
            f"The list of packages, {path.name}, can't be read: {error}", "get the course folder anew, whole."
        ) from error


def digest(path: Path = LOCK) -> str:
    """What changes whenever the lock does."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def select(pins: Iterable[Pin], sets: Iterable[str], variables: Mapping[str, str]) -> list[Pin]:
    """The pins that these sets need where the marker variables are so."""
    wanted = frozenset(sets)
    return [pin for pin in pins if pin.sets & wanted and holds(pin.marker, variables)]


def normal(name: str) -> str:
    """The name as package indexes compare it.

    >>> normal("Jupyter_Client")
    'jupyter-client'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(folders: Iterable[Path]) -> dict[str, str]:
    """Name to version of what lies in these site-packages folders, by the folder names of its metadata.

    `importlib.metadata` opens every package's file and takes 20 times as long; set-up runs this at each start.
    """
    found: dict[str, str] = {}
    for folder in folders:
        for path in folder.glob("*.dist-info"):
            name, _, version = path.name.removesuffix(".dist-info").partition("-")
            found.setdefault(normal(name), version)
    return found


def differences(pins: Iterable[Pin], present: Mapping[str, str]) -> list[str]:
    """One phrase per pin that is missing or has another version; empty when all is as locked."""
    rows = []
    for pin in pins:
        version = present.get(pin.name)
        if version is None:
            rows.append(f"{pin.name} is missing")
        elif version != pin.version:
            rows.append(f"{pin.name} is {version} instead of {pin.version}")
    return rows

"""The course's own environment: the folder `.venv` beside the project, and the note in it that says what it is.

Imports the standard library only. The note is written first with "complete": false and last with true, so that a
set-up that was cut short is recognised; a folder without a note was made by somebody else and is never changed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Note:
    """What a set-up promises, or kept."""

    lock: str  # digest of requirements.lock
    sets: tuple[str, ...]
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Venv:
    """A virtual environment in `folder`, there or not."""

    folder: Path

    @property
    def python(self) -> Path:
        """The interpreter in it."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def site_packages(self) -> list[Path]:
        """The folders that packages lie in."""
        return [
            path for part in ("lib/python3.*/site-packages", "Lib/site-packages") for path in self.folder.glob(part)
        ]

    @property
    def is_current(self) -> bool:
        """True when this process runs in it."""
        return os.path.realpath(sys.prefix) == os.path.realpath(self.folder)

    @property
    def is_foreign(self) -> bool:
        """True when the folder holds something that this course did not make."""
        return self.folder.exists() and self.note() is None and any(self.folder.iterdir())

    def note(self) -> Note | None:
        """What the last set-up noted; None when there was none."""
        try:
            fields = json.loads((self.folder / "course.json").read_text("utf-8"))
            return Note(fields["lock"], tuple(fields["sets"]), fields["complete"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write_note(self, note: Note) -> None:
        """Replace the note in one step."""
        self.folder.mkdir(exist_ok=True)
        draft = self.folder / "course.json.new"
        draft.write_text(json.dumps(asdict(note)), "utf-8")
        draft.replace(self.folder / "course.json")

    def is_ready(self, lock: str, sets: Iterable[str]) -> bool:
        """True when a complete set-up of this lock put all these sets here, and its Python is there."""
        note = self.note()
        return bool(
            note and note.complete and note.lock == lock and set(sets) <= set(note.sets) and self.python.exists()
        )

    def add_project(self, project: Path) -> None:
        """Make the project importable in it, also after both were moved together."""
        for folder in self.site_packages:
            (folder / "orchestration_course.pth").write_text(os.path.relpath(project, folder) + "\n", "utf-8")

"""Whose submission a file is, where learners have numbers of their own.

Layer 3: imports `errors` and `learners`. The place and the name of a file come from the instructor's side and are
believed; what the notebook says of itself comes from the learner, and must only agree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from course_utils.errors import CourseError
from course_utils.learners import Learner


class Whose:
    """Finds the learner of a file.

    Args:
        roster: All learners; with none, submissions are nobody's and have the course's numbers.
    """

    def __init__(self, roster: Sequence[Learner]) -> None:
        self.known = {learner.id.lower(): learner for learner in roster}

    def learner(self, path: Path, notebook: Mapping[str, Any]) -> Learner | None:
        """Who handed this in: the folder it lies in says so, or else the beginning of its name.

        Raises:
            CourseError: Nobody's name is there, or the notebook was made for somebody else.
        """
        made_for = told_by(notebook)
        if not self.known:
            if made_for:
                fact = f"{path.name} was made for the learner {made_for!r}, with numbers of their own."
                raise CourseError(fact, fix="grade it with --seed-per-learner FILE, the file that `release` was given.")
            return None
        found = self.known.get(path.absolute().parent.name.lower()) or self.by_name(path.stem.lower())
        if found is None:
            raise CourseError(
                f"{path.name} does not say whose it is.",
                fix="put it into a folder that is called like the learner, or let its name begin with "
                "the learner's id and a dash or underline: ada_01_a_chain_with_a_gate.ipynb.",
            )
        if made_for.lower() != found.id.lower():
            whose = f"made for {made_for!r}" if made_for else "made for nobody: its numbers are the course's"
            raise CourseError(
                f"{path.name} was handed in by {found.id!r} and was {whose}.",
                fix=f"work in the folder that you were given, {found.id}, and hand in the notebook from there.",
            )
        return found

    def by_name(self, stem: str) -> Learner | None:
        """The learner with the longest id that the file's name begins with."""
        fits = [id for id in self.known if re.match(rf"{re.escape(id)}(?:[-_ .]|$)", stem)]
        return self.known[max(fits, key=len)] if fits else None


def told_by(notebook: Mapping[str, Any]) -> str:
    """The learner that the notebook says it was made for; "" for none."""
    course = notebook.get("metadata", {}).get("course")
    learner = course.get("learner") if isinstance(course, dict) else None
    return learner[:64] if isinstance(learner, str) else ""

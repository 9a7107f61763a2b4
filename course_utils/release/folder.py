"""What a learner's folder holds, and how it is written.

Layer 3: imports `build.command`, `errors`, `learners` and the other release modules. A folder is complete or not
there: it is written under another name first.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

from course_utils.build.command import problems
from course_utils.build.freshness import targets
from course_utils.errors import CourseError
from course_utils.learners import FILE, Learner, written
from course_utils.release.personal import Exercise
from course_utils.release.visible import without_held_back
from course_utils.tasks import TASKS

TASK_MODULES = "course_utils/tasks"
FOLDERS = ("course_utils", "docs", "exercises", "notebooks")
FILES = ("LICENSE", "LICENSE-TEXT", "README.md", "environment.yml", "pyproject.toml", "requirements.lock")
NOT_FOR_LEARNERS = (  # of course_utils: what makes, checks, grades and hands out the course
    "course_utils/build",
    "course_utils/grading",
    "course_utils/release",
    "course_utils/suite.py",
    "course_utils/env/pinning.py",
)
TEACHERS = re.compile(r"<!-- teachers -->\n.*?<!-- /teachers -->\n+", re.DOTALL)  # parts of a text


def refuse_stale(root: Path) -> None:
    """Only what was built from its source is handed out.

    Raises:
        CourseError: Something is not.
    """
    if found := list(problems(targets(root), root, everything=True)):
        raise CourseError(f"{found[0]} ({len(found)} in all)", fix="run `python3 -m course_utils build` first.")


def refuse_full(folder: Path) -> None:
    """Nothing is written over, and nothing beside what is there.

    Raises:
        CourseError: The folder is there, and is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CourseError(f"{folder} is there already.", fix="choose another name, or delete it.")


class Handout:
    """The folder that all learners get, ready to be written any number of times.

    Raises:
        CourseError: Something in the course must not be handed out.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = list(handed_out(root))
        modules = {path.name: path.read_text("utf-8") for path in sorted((root / TASK_MODULES).glob("*.py"))}
        self.texts = {f"{TASK_MODULES}/{name}": text for name, text in without_held_back(modules).items()}
        self.texts["README.md"] = TEACHERS.sub("", (root / "README.md").read_text("utf-8"))
        self.exercises = [Exercise(path, root) for path in sorted((root / "source/exercises").glob("*.py"))]
        self.is_checked = False

    def write(self, folder: Path, learner: Learner | None = None) -> None:
        """Write the whole folder, with the learner's numbers if it is for one.

        Raises:
            CourseError: It is there already, or it would hold cases that are held back.
        """
        refuse_full(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as name:
            draft = Path(name, "course")
            for path in self.files:
                (draft / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.root / path, draft / path)
            for path, text in (self.texts | self.own_texts(learner)).items():
                (draft / path).write_text(text, "utf-8", newline="\n")
            if not self.is_checked:  # the tasks are the same in every folder
                refuse_held_back(draft)
                self.is_checked = True
            if folder.exists():
                folder.rmdir()
            draft.rename(folder)

    def own_texts(self, learner: Learner | None) -> dict[str, str]:
        """The files that are one learner's, with their texts."""
        if learner is None:
            return {}
        own = {f"exercises/{each.source.stem}.ipynb": each.notebook_for(learner) for each in self.exercises}
        return own | {FILE: written(learner)}


def handed_out(root: Path) -> Iterator[str]:
    """The files of a learner's folder, as paths within the course."""
    yield from (name for name in FILES if (root / name).is_file())
    for name in FOLDERS:
        for path in sorted((root / name).rglob("*")):
            inside = path.relative_to(root)
            is_hidden = any(part.startswith((".", "__pycache__")) for part in inside.parts)
            is_ours = any(inside.is_relative_to(ours) for ours in NOT_FOR_LEARNERS)
            if path.is_file() and not path.is_symlink() and not is_hidden and not is_ours:
                yield inside.as_posix()


LIST_CASES = """
import json, random
from course_utils.tasks import TASKS
print(json.dumps({name: [[case.name, case.held_back] for case in task.cases(random.Random(0))]
                  for name, task in TASKS.items()}))
"""


def refuse_held_back(folder: Path) -> None:
    """Ask the folder's own code which cases it has: all that a learner may see, and no other.

    Raises:
        CourseError: It has others, or does not run.
    """
    ran = subprocess.run([sys.executable, "-B", "-c", LIST_CASES], cwd=folder, capture_output=True, text=True)
    if ran.returncode:
        raise CourseError(
            f"The folder's tasks do not run: {ran.stderr.strip().splitlines()[-1]}",
            fix="a case that is held back must not define what others use.",
        )
    for name, cases in json.loads(ran.stdout).items():
        wanted = [[case.name, False] for case in TASKS[name].cases(Random(0)) if not case.held_back]
        if cases != wanted:
            fact = f"{name} would be handed out with {len(cases)} cases, and a learner may see {len(wanted)}."
            raise CourseError(fact, fix="write each held-back case as a call with held_back=True in the list of cases.")

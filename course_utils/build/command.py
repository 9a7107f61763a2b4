"""The command `python -m course_utils build`: what to build, in which order, and what to say about it.

Layer 3: imports the other build modules. Notebooks are executed side by side in one event loop.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from course_utils.build.freshness import Target, problem, strangers, targets
from course_utils.build.lesson_table import with_table
from course_utils.build.notebook import unexecuted, with_targets, written
from course_utils.build.source import read_source
from course_utils.env.lock import PROJECT
from course_utils.errors import CourseError


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line as values."""
    parser = argparse.ArgumentParser(
        prog="python -m course_utils build", description="Build the notebooks from source/*.py."
    )
    parser.add_argument("names", nargs="*", help="such as 03_retries, 03, or a path; all when left out")
    parser.add_argument("--check", action="store_true", help="build nothing; say which notebooks are stale, and why")
    parser.add_argument("--force", action="store_true", help="build also what is up to date")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1), help="notebooks run at a time")
    parser.add_argument("--root", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def run(argv: Sequence[str]) -> int:
    """The exit status: 0 when all is built or up to date, 1 when not."""
    asked = arguments(argv)
    try:
        chosen = select(targets(asked.root), asked.names)
        if asked.check:
            return check(chosen, asked.root, everything=not asked.names)
        stale = [target for target in chosen if asked.force or problem(target, asked.root)]
        is_built = asyncio.run(build_all(stale, asked.root, asked.jobs))
        refresh_readme(asked.root)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if is_built else 1


def select(found: list[Target], names: Sequence[str]) -> list[Target]:
    """The targets that are meant by `names`: a stem, its beginning, or the path of a source or notebook.

    Raises:
        CourseError: A name means none of them.
    """
    if not names:
        return found
    chosen: list[Target] = []
    for name in names:
        path = Path(name)
        meant = [
            target
            for target in found
            if Path(target.source).stem == path.stem
            or (path.name == name and Path(target.source).stem.startswith(f"{name}_"))
        ]
        if not meant:
            raise CourseError(f"No source is called {name!r}.", fix="name one such as 03_retries, or none for all.")
        chosen += [target for target in meant if target not in chosen]
    return chosen


def check(chosen: Sequence[Target], root: Path, *, everything: bool) -> int:
    """Say what is stale; 0 when nothing is."""
    found = list(problems(chosen, root, everything=everything))
    for line in found:
        print(line)
    if found:
        print("  Try: edit the .py under source/ and run `python -m course_utils build`.")
    else:
        print(f"{len(chosen)} notebooks are what their sources build.")
    return 1 if found else 0


def problems(chosen: Sequence[Target], root: Path, *, everything: bool) -> Iterator[str]:
    """One sentence for each notebook that is not what it should be, and for the README."""
    for target in chosen:
        if why := problem(target, root):
            yield f"{target.notebook} {why}."
    if not everything:
        return
    for name in strangers(root):
        yield f"{name} has no source."
    readme = root / "README.md"
    try:
        if readme.exists() and readme.read_text("utf-8") != with_table(readme.read_text("utf-8"), root):
            yield "The lesson table in README.md is not what the lessons say."
    except CourseError as error:
        yield error.fact


async def build_all(stale: Sequence[Target], root: Path, jobs: int) -> bool:
    """Build, at most `jobs` at a time, and say what became of each; True when all are built."""
    places = asyncio.Semaphore(max(1, jobs))

    async def one(target: Target) -> bool:
        async with places:
            try:
                await build(target, root)
            except CourseError as error:
                print(f"{target.notebook} was not built. {error}", file=sys.stderr, flush=True)
                return False
        print(f"{target.notebook} is built.", flush=True)
        return True

    # A learner's exercise shows the targets of its solution: solutions come first, and without one there is no other.
    first = [target for target in stale if not target.is_blank]
    done = await asyncio.gather(*map(one, first))
    failed = {target.source for target, is_done in zip(first, done, strict=True) if not is_done}
    blank = [target for target in stale if target.is_blank and target.source not in failed]
    return all([*done, *await asyncio.gather(*map(one, blank))])


async def build(target: Target, root: Path) -> None:
    """Build one notebook; the old one stays until the new one is complete.

    Raises:
        CourseError: The source is not sound, or a cell does not do what it should.
    """
    source = root / target.source
    text = source.read_text("utf-8")
    cells = read_source(source, target.kind)
    notebook = unexecuted(cells, is_blank=target.is_blank)
    if target.is_blank and any("target" in cell.tags for cell in cells):
        notebook = with_targets(notebook, solution_of(source, root))
    elif not target.is_blank:
        from course_utils.build.execution import execute

        notebook = await execute(notebook, root)
    replace(root / target.notebook, written(notebook, source=target.source, text=text))


def solution_of(source: Path, root: Path) -> dict[str, Any]:
    """The executed solution that this source built before.

    Raises:
        CourseError: There is none that can be read.
    """
    path = root / "solutions" / source.with_suffix(".ipynb").name
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CourseError(
            f"Its solution {path.name} cannot be read.", fix="build the solution with --force."
        ) from error


def replace(path: Path, text: str) -> None:
    """Write the file at once, so that a stopped build leaves no half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    os.chmod(temporary, 0o644)  # mkstemp makes it private, and these files are published
    os.replace(temporary, path)


def refresh_readme(root: Path) -> None:
    """Bring the lesson table up to date, where there is a README."""
    readme = root / "README.md"
    if readme.exists() and (text := with_table(old := readme.read_text("utf-8"), root)) != old:
        replace(readme, text)

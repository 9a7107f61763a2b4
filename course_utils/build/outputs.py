"""The outputs of an executed notebook: what is volatile goes, what would not be the same tomorrow is refused.

Layer 3: imports `notebook` and `errors`. Works in place on a notebook node or plain dict.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from course_utils.build.notebook import KERNEL, LANGUAGE
from course_utils.errors import CourseError

WIDGET = "application/vnd.jupyter.widget-view+json"
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+>")
ESCAPE = re.compile(r"\x1b\[")
FOLDER = re.compile(r"(?<![\w.:/~-])(?:/(?:home|root|tmp|usr|opt|var|srv|mnt|private|Users)/|[A-Z]:\\)[^\s'\"]*")
PICTURES = ("image/png", "image/jpeg")
VERDICT = re.compile(r"^✓ \S+: .+$", re.MULTILINE)


def clean(notebook: dict[str, Any], folders: Sequence[Path] = ()) -> None:
    """Leave out what changes with every run.

    Args:
        notebook: Changed in place.
        folders: Folders of this machine; tracebacks lose them.
    """
    notebook["metadata"].pop("widgets", None)
    notebook["metadata"]["kernelspec"] = dict(KERNEL)
    notebook["metadata"]["language_info"] = dict(LANGUAGE)
    own = re.compile("|".join(re.escape(place) + "/?" for place in machine_folders(folders)))
    for cell in notebook["cells"]:
        cell["metadata"].pop("execution", None)
        cell["metadata"].pop("lines_to_next_cell", None)
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET, None)
            if output["output_type"] == "error":
                output["traceback"] = [own.sub("…/", line) for line in output["traceback"]]


def machine_folders(folders: Sequence[Path]) -> list[str]:
    """Longest first, so that the most specific one is cut; also as IPython shortens them."""
    places = {str(folder) for folder in (*folders, Path(sys.prefix), Path(sys.base_prefix), Path(os.__file__).parent)}
    home = str(Path.home())
    places |= {"~" + place[len(home) :] for place in places if place.startswith(home + os.sep)}
    return sorted((place for place in places if len(place) > 3), key=len, reverse=True)


def refuse_outputs(notebook: dict[str, Any], folders: Sequence[Path] = ()) -> None:
    """Refuse outputs that are no promise.

    Raises:
        CourseError: With the cell's name, what was found in its output, and what to do.
    """
    places = machine_folders(folders)
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        name = cell["metadata"]["name"]
        for output in cell["outputs"]:
            if problem := problem_of(output, places):
                fact, fix = problem
                raise CourseError(f"Cell {name!r}: {fact}", fix=fix)
        refuse_exceptions(cell, name)
        refuse_verdict(cell, name)


def problem_of(output: dict[str, Any], places: Sequence[str]) -> tuple[str, str] | None:
    """The first reason why an output must not be stored: a fact and a fix."""
    if output.get("name") == "stderr":
        return f"it writes to stderr: {start(output['text'])}", "find out why; a warning is no part of a lesson."
    if "data" in output:
        if not output["data"]:
            return "it shows a widget and nothing else.", "give the widget a static text/html twin."
        for kind in PICTURES:
            if kind in output["data"] and not output["metadata"].get(kind, {}).get("alt"):
                return f"its {kind} has no alt text.", "draw it with course_utils.show, or set `alt` in its metadata."
    for text in texts(output):
        found = ADDRESS.search(text) or FOLDER.search(text)
        own = next((place for place in places if place in text), None)
        if found or own:
            return f"its output names {start(own or found[0])}.", "print something that stays the same."
        if ESCAPE.search(text) and output["output_type"] != "error":
            return "its output holds colour codes.", "print plain text."
    return None


def texts(output: dict[str, Any]) -> Iterator[str]:
    """Everything of an output that is text."""
    yield output.get("text", "")
    yield output.get("evalue", "")
    yield from output.get("traceback", ())
    for kind, data in output.get("data", {}).items():
        if kind.startswith("text/") or kind == "image/svg+xml":
            yield data if isinstance(data, str) else "".join(data)


def refuse_exceptions(cell: dict[str, Any], name: str) -> None:
    """A cell tagged raises-exception has to raise, for nbval alone would let it pass."""
    tagged = "raises-exception" in cell["metadata"].get("tags", ())
    if tagged and not any(output["output_type"] == "error" for output in cell["outputs"]):
        raise CourseError(f"Cell {name!r} is tagged raises-exception and raised nothing.", fix="remove the tag.")


def refuse_verdict(cell: dict[str, Any], name: str) -> None:
    """A check prints one verdict line and nothing else: that line is what the grader looks for."""
    if "check" not in cell["metadata"].get("tags", ()):
        return
    printed = "".join(output.get("text", "") for output in cell["outputs"])
    if len(cell["outputs"]) != 1 or not VERDICT.fullmatch(printed.strip()):
        raise CourseError(
            f"Check cell {name!r} has to print one line '✓ name: …'; it shows {start(printed) or 'no text'}.",
            fix="call check(...) once, and nothing else.",
        )


def start(text: str) -> str:
    """The first line of `text`, at most 100 characters, in quotes."""
    line = (text.strip().splitlines() or [""])[0]
    return repr(line if len(line) <= 100 else line[:99] + "…") if line else ""

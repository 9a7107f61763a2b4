"""Making the lock anew: the maintainer's `python3 -m course_utils lock`. Needs uv and the network.

Imports the standard library only. One resolution over all extras at once, so that adding a set later moves no
version; then one resolution per set with the first as constraints, which tells what each set needs.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

from course_utils.env import lock
from course_utils.env.lock import LOCK, PROJECT, SETS, Pin
from course_utils.env.markers import holds, tokenize
from course_utils.errors import CourseError

UNIVERSAL = (
    "--universal", "--python-version", "3.11", "--only-binary", ":all:", "--generate-hashes",
    "--no-header", "--no-annotate", "--no-emit-index-url", "--quiet",
)  # fmt: skip
SETUP = "uv\npip\n"  # the installer itself: pinned and hashed like the rest
HEAD = """\
# Every package of every set, with hashes. Made by `python3 -m course_utils lock`: edit pyproject.toml instead.
# `for:` names the sets that need a package; `python3 -m course_utils lab` installs just those it is asked for.
"""


def compile_pins(arguments: list[str], extra_input: str = "") -> list[Pin]:
    """What uv resolves, as pins.

    Raises:
        CourseError: uv is not there, or found no solution.
    """
    here = Path(sys.executable).parent
    places = (here, PROJECT / ".venv" / here.name)  # this Python's own, then the course's
    program = next((str(place / "uv") for place in places if (place / "uv").exists()), shutil.which("uv"))
    if not program:
        raise CourseError(
            "uv, which makes the lock, is not here.", "run `python3 -m course_utils test` once; it brings uv."
        )
    command = [program, "pip", "compile", *UNIVERSAL, *arguments, *(["-"] if extra_input else [])]
    run = subprocess.run(command, input=extra_input, cwd=PROJECT, capture_output=True, text=True)
    if run.returncode:
        raise CourseError(f"uv found no solution: {run.stderr.strip()}", "change the ranges in pyproject.toml.")
    return lock.parse(run.stdout)


def sets_of(constraints: Path) -> dict[str, set[str]]:
    """Name of package to the sets that need it; what `core` needs belongs to `core` alone."""
    needed: dict[str, set[str]] = {}
    for name in SETS:
        extra = [] if name == "core" else ["--extra", name]
        for pin in compile_pins(["pyproject.toml", "-c", str(constraints), *extra]):
            if "core" not in needed.setdefault(pin.name, set()):
                needed[pin.name].add(name)
    for name in SETUP.split():
        needed.setdefault(name, set()).add("setup")
    return needed


def single_wheels(project: dict) -> list[Pin]:
    """The packages that are taken without what they declare to need, as [tool.course.no-deps] lists them per set."""
    pins = []
    for name, requirements in project.get("tool", {}).get("course", {}).get("no-deps", {}).items():
        for pin in compile_pins(["--no-deps"], "\n".join(requirements)):
            pins.append(Pin(pin.name, pin.version, pin.marker, pin.hashes, frozenset({name})))
    return pins


def make(*, upgrade: bool = False) -> None:
    """Write requirements.lock and environment.yml; versions that still fit stay unless `upgrade`."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    with TemporaryDirectory() as folder:
        constraints = Path(folder, "all.txt")
        if LOCK.exists() and not upgrade:
            constraints.write_text(LOCK.read_text("utf-8"), "utf-8")  # uv prefers what its output file already names
        compile_pins(["pyproject.toml", "--all-extras", "-o", str(constraints)], SETUP)
        pins = lock.read(constraints)
        needed = sets_of(constraints)
    tagged = [Pin(pin.name, pin.version, pin.marker, pin.hashes, frozenset(needed[pin.name])) for pin in pins]
    tagged = sorted([*tagged, *single_wheels(project)], key=lambda pin: (pin.name, pin.version))
    LOCK.write_text(HEAD + "".join(f"# for: {' '.join(sorted(pin.sets))}\n{pin}\n" for pin in tagged), "utf-8")
    (PROJECT / "environment.yml").write_text(conda(project, tagged), "utf-8")
    in_core = sum("core" in pin.sets for pin in tagged)
    print(f"requirements.lock: {len(tagged)} packages; environment.yml: {in_core} of them.")


def conda(project: dict, pins: list[Pin]) -> str:
    """The text of environment.yml: Python 3.12, and the core packages at the locked versions.

    Hashes would have to stand on every line and pip's constraints can't carry them alone, so the versions are
    written out; pins for other Pythons are left out, pins for other systems keep their marker.
    """
    direct = {lock.normal(re.split(r"[<>=!~\[; ]", text, maxsplit=1)[0]) for text in project["project"]["dependencies"]}
    core = [pin for pin in pins if "core" in pin.sets and fits_python_312(pin.marker)]
    lines = [
        "# The conda and Binder door to the course: `conda env create`, `conda activate orchestration-course`.",
        "# Made by `python3 -m course_utils lock`: edit pyproject.toml instead.",
        "name: orchestration-course",
        "channels:",
        "  - conda-forge",
        "dependencies:",
        "  - python=3.12",
        "  - pip",
        "  - pip:",
        "      # what the course asks for",
        *(line(pin) for pin in core if pin.name in direct),
        "      # what those need",
        *(line(pin) for pin in core if pin.name not in direct),
        "      # the course's own package, editable",
        "      - -e .",
    ]
    return "\n".join(lines) + "\n"


def line(pin: Pin) -> str:
    """One entry of environment.yml's pip list."""
    text = f"{pin.name}=={pin.version}" + (f" ; {pin.marker}" if pin.marker else "")
    return f'      - "{text}"'


def fits_python_312(marker: str) -> bool:
    """True unless the marker speaks of the Python version alone and rules 3.12 out."""
    words = {word for kind, word in tokenize(marker) if kind == "word"}
    return not words <= {"python_full_version", "python_version"} or holds(marker, {"python_full_version": "3.12.9"})

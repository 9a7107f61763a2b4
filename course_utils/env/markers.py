"""Environment markers, as a lock writes them: `python_full_version < '3.12' and sys_platform != 'win32'`.

Imports the standard library only. It knows what PEP 508 allows between strings and versions of digits and dots;
`extra`, wildcards and pre-releases don't occur in a lock of ours, and an unknown form is an error, never a guess.
"""

from __future__ import annotations

import json
import operator
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

TOKEN = re.compile(
    r"\s*(?:(?P<bracket>[()])|(?P<compare>[<>=!]=|[<>])|'(?P<text>[^']*)'|\"(?P<text2>[^\"]*)\"|(?P<word>\w+))"
)
COMPARE: dict[str, Callable[..., bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def environment() -> dict[str, str]:
    """The marker variables of this Python."""
    return {
        "implementation_name": sys.implementation.name,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_system": platform.system(),
        "python_full_version": ".".join(map(str, sys.version_info[:3])),
        "python_version": ".".join(map(str, sys.version_info[:2])),
        "sys_platform": sys.platform,
    }


def environment_of(python: Path) -> dict[str, str]:
    """The marker variables of another Python, which is run for it."""
    own = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); "
    code = own + "import json; from course_utils.env.markers import environment; print(json.dumps(environment()))"
    run = subprocess.run([str(python), "-I", "-c", code], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def holds(marker: str, variables: Mapping[str, str]) -> bool:
    """True when the marker is true there; an empty marker always is.

    >>> holds("python_full_version < '3.12' and sys_platform != 'win32'",
    ...       {"python_full_version": "3.11.7", "sys_platform": "linux"})
    True
    """
    if not marker.strip():
        return True
    tokens = tokenize(marker)
    value = either(tokens, variables)
    if tokens:
        raise ValueError(f"Marker {marker!r} goes on after its end: {tokens}")
    return value


def tokenize(marker: str) -> list[tuple[str, str]]:
    """The marker as (kind, text) pairs, in order; kinds are bracket, compare, text and word."""
    tokens, at = [], 0
    while at < len(marker.rstrip()):
        match = TOKEN.match(marker, at)
        if not match:
            raise ValueError(f"Marker {marker!r} can't be read from {marker[at:]!r} on")
        kind = match.lastgroup or ""
        tokens.append(("text" if kind == "text2" else kind, match[kind]))
        at = match.end()
    return tokens


def either(tokens: list[tuple[str, str]], variables: Mapping[str, str]) -> bool:
    """One or more parts joined by `or`; takes what it reads from `tokens`."""
    value = every(tokens, variables)
    while tokens and tokens[0] == ("word", "or"):
        tokens.pop(0)
        value = every(tokens, variables) or value  # the right side is read in any case
    return value


def every(tokens: list[tuple[str, str]], variables: Mapping[str, str]) -> bool:
    """One or more parts joined by `and`."""
    value = part(tokens, variables)
    while tokens and tokens[0] == ("word", "and"):
        tokens.pop(0)
        value = part(tokens, variables) and value
    return value


def part(tokens: list[tuple[str, str]], variables: Mapping[str, str]) -> bool:
    """A comparison, or anything in brackets."""
    if tokens and tokens[0] == ("bracket", "("):
        tokens.pop(0)
        value = either(tokens, variables)
        if not tokens or tokens.pop(0) != ("bracket", ")"):
            raise ValueError("A bracket in a marker is never closed")
        return value
    try:
        (_, name), (kind, sign), (quoted, wanted) = tokens[:3]
    except ValueError:
        raise ValueError(f"A marker ends in the middle: {tokens}") from None
    if kind != "compare" or quoted != "text" or name not in variables:
        raise ValueError(f"Not a comparison of a variable with a text: {name} {sign} {wanted}")
    del tokens[:3]
    if name in ("python_version", "python_full_version"):
        return COMPARE[sign](digits(variables[name]), digits(wanted))
    return COMPARE[sign](variables[name], wanted)


def digits(version: str) -> tuple[int, ...]:
    """The version as numbers, so that 3.9 < 3.11 and 3.12 equals 3.12.0."""
    numbers = [int(number) for number in version.split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)

"""Bending a value into the limits of a schema: its type, length, range and steps.

Layer 1: imports siblings only.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

from course_utils.server.practice.valid import is_valid, refuse

FORMATS = {  # what stands in for a value of this format
    "email": "unknown@post.example", "date": "2026-05-18", "date-time": "2026-05-18T09:00:00Z", "time": "09:00:00Z",
    "uri": "https://merrowby.example", "uuid": "00000000-0000-4000-8000-000000000000", "duration": "P1D",
    "hostname": "merrowby.example", "ipv4": "127.0.0.1", "ipv6": "::1",
}  # fmt: skip
MISSING: Any = object()  # the text holds no value


def fitted(value: Any, schema: dict[str, Any], kind: str, root: dict[str, Any]) -> Any:
    """The value bent into the schema's type and limits, or MISSING.

    Args:
        kind: The type wanted; "" leaves the value as it is.
        root: Where the schema's references point into.
    """
    if kind in ("integer", "number"):
        value = _number(value, schema, kind == "integer")
    elif kind == "string":
        value = _text(value, schema)
    return value if value is not MISSING and is_valid(value, schema, root) else MISSING


def matching(pattern: str, text: str) -> list[str]:
    try:
        found = re.search(pattern.removeprefix("^").removesuffix("$"), text[:20_000])
    except re.error:
        raise refuse(f"the pattern {pattern!r} is no regular expression") from None
    return [found.group()] if found else []


def _text(value: Any, schema: dict[str, Any]) -> Any:
    if isinstance(value, list):
        value = "; ".join(str(each) for each in value)
    text = f"{value:.2f}" if isinstance(value, float) else str(value)
    most = schema.get("maxLength", len(text))
    if len(text) > most:  # between two words, where there is room for one
        text = text[:most].rpartition(" ")[0].rstrip(" ,;:") or text[:most]
    return text.ljust(min(schema.get("minLength", 0), 100_000), ".")


def _number(value: Any, schema: dict[str, Any], whole: bool) -> Any:
    if isinstance(value, str):
        digits = re.search(r"-?\d+(?:\.\d+)?", value)
        value = float(digits.group()) if digits else MISSING
    if not isinstance(value, int | float) or (whole and 0 < abs(value) < 1):  # a share is no whole number
        return MISSING
    step = schema.get("multipleOf", 1 if whole else 0)
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    tick = step or 1
    low = low if above is None else max(above + tick, above + tick if low is None else low)
    high = high if below is None else min(below - tick, below - tick if high is None else high)
    if above is not None and below is not None and not step and low > high:
        low = high = (above + below) / 2
    value = value if low is None else max(value, low)
    value = value if high is None else min(value, high)
    if whole or step:
        value = _stepped(value, step or 1, low)
    return int(value) if whole and value == int(value) else value


def _stepped(value: float, step: float, low: float | None) -> float:
    """The nearest multiple of `step` that is not below `low`."""
    exact = Fraction(str(step))
    times = math.floor(Fraction(str(value)) / exact)
    if low is not None and times * exact < Fraction(str(low)):
        times += 1
    result = times * exact
    return int(result) if result.denominator == 1 else float(result)

"""What a skill hands back, before it becomes pieces on the wire.

Layer 1: imports nothing from this package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """A tool to call, with its arguments."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """Either a text or tool calls."""

    text: str = ""
    calls: tuple[Call, ...] = ()

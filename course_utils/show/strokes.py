"""The lines of a workflow picture: curves, rounded corners, and one outline for each kind of node.

Layer 1: imports `geometry` and matplotlib, so `graph` imports it inside functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import hypot
from typing import Any

from matplotlib.patches import FancyBboxPatch, Patch, PathPatch, Polygon
from matplotlib.path import Path

from course_utils.show.geometry import Box, Point

TURN = 0.13  # inches: the radius of a loop's corners
CUT, BAR = 0.12, 0.07  # inches: what a router's corners lose, and where a tool's inner lines stand


def swinging_path(corners: Sequence[Point], is_rightward: bool) -> Path:
    """Through all corners, leaving and reaching each along the flow."""
    points, codes = [corners[0]], [Path.MOVETO]
    for start, stop in pairwise(corners):
        middle = ((start.x + stop.x) / 2, (start.y + stop.y) / 2)
        first = (middle[0], start.y) if is_rightward else (start.x, middle[1])
        second = (middle[0], stop.y) if is_rightward else (stop.x, middle[1])
        points += [first, second, stop]
        codes += [Path.CURVE4] * 3
    return Path(points, codes)


def rounded_path(corners: Sequence[Point]) -> Path:
    """Straight from corner to corner, with the inner corners rounded."""
    points, codes = [corners[0]], [Path.MOVETO]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        points += [_near(corner, before), corner, _near(corner, after)]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return Path([*points, corners[-1]], [*codes, Path.LINETO])


def _near(corner: Point, other: Point) -> Point:
    distance = hypot(other.x - corner.x, other.y - corner.y)
    share = min(TURN, distance / 2) / distance if distance else 0.0
    return Point(corner.x + (other.x - corner.x) * share, corner.y + (other.y - corner.y) * share)


def outline(box: Box, kind: str, **look: Any) -> list[Patch]:
    """The shape for a kind of node; nothing of it lies outside the box."""
    (width, height), (left, top) = box.size, (box.middle.x - box.size.x / 2, box.middle.y - box.size.y / 2)
    right, bottom = left + width, top + height
    if kind == "router":
        upper = [(left, top + CUT), (left + CUT, top), (right - CUT, top), (right, top + CUT)]
        lower = [(right, bottom - CUT), (right - CUT, bottom), (left + CUT, bottom), (left, bottom - CUT)]
        return [Polygon([*upper, *lower], joinstyle="round", **look)]
    corner = {"model": 0.1, "": 0.06, "code": 0, "tool": 0}.get(kind, height / 2)
    style = f"round,pad=0,rounding_size={corner}" if corner else "square,pad=0"
    shape = FancyBboxPatch((left, top), width, height, boxstyle=style, **look)
    if kind != "tool":
        return [shape]
    bars = [(left + BAR, top), (left + BAR, bottom), (right - BAR, top), (right - BAR, bottom)]
    inner = Path(bars, [Path.MOVETO, Path.LINETO] * 2)
    return [shape, PathPatch(inner, **{**look, "facecolor": "none", "linewidth": 1.0})]

"""Boxes, arrows and labels in a picture of a workflow, as plain values.

Layer 1: imports `layers`. Inches, from the top left corner; y grows downwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import dist
from typing import NamedTuple

from course_utils.show.layers import Edge

MARGIN = 0.12  # inches around everything
PLACES = (0.5, 0.58, 0.66, 0.42, 0.74, 0.34, 0.82, 0.26)  # where on its arrow a label may stand, the best first


class Point(NamedTuple):
    """A place, or a width and a height, in inches."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle around a node or a label."""

    middle: Point
    size: Point
    lines: tuple[str, ...] = ()

    def overlaps(self, other: Box, gap: float = 0.0) -> bool:
        """True when the two are less than `gap` apart."""
        return all(
            abs(a - b) < (c + d) / 2 + gap - 1e-9
            for a, b, c, d in zip(self.middle, other.middle, self.size, other.size, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Route:
    """The way of an arrow: straight from corner to corner for a loop, else swinging from one to the next."""

    edge: Edge
    corners: tuple[Point, ...]
    is_loop: bool
    label: Box | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole picture."""

    size: Point
    is_rightward: bool
    boxes: dict[str, Box]
    routes: tuple[Route, ...]


def swing(start: Point, stop: Point, share: float, is_rightward: bool) -> Point:
    """A point of the curve that leaves `start` and reaches `stop` along the flow; `share` runs from 0 to 1."""
    weight = 3 * share**2 - 2 * share**3  # how far it has come across the flow
    reach = 1.5 * share * (1 - share) + share**3  # and along it
    along, across = (reach, weight) if is_rightward else (weight, reach)
    return Point(start.x + (stop.x - start.x) * along, start.y + (stop.y - start.y) * across)


def labelled(
    routes: Sequence[Route], sizes: Mapping[str, Point], boxes: Sequence[Box], is_rightward: bool
) -> list[Route]:
    """The routes with a place for each label: on its arrow, clear of boxes, labels and other arrows where it can be."""
    paths = {id(route): _samples(route, is_rightward) for route in routes}
    taken = list(boxes)
    done = []
    for route in routes:
        if not route.edge.label:
            done.append(route)
            continue
        others = [spot for other in routes if other is not route for spot in paths[id(other)]]
        tries = [Box(middle, sizes[route.edge.label], (route.edge.label,)) for middle in _middles(route, is_rightward)]
        label = min(tries, key=lambda box: (sum(map(box.overlaps, taken)), sum(map(box.overlaps, others))))
        taken.append(label)
        done.append(replace(route, label=label))
    return done


def _middles(route: Route, is_rightward: bool) -> list[Point]:
    if not route.is_loop:
        first, *later = pairwise(route.corners)
        near = [swing(*first, share, is_rightward) for share in PLACES]
        return near + [swing(*stretch, 0.5, is_rightward) for stretch in later[:-1]]
    (x1, y1), (x2, y2) = max(pairwise(route.corners), key=lambda ends: dist(*ends))  # the longest stretch
    return [Point(x1 + (x2 - x1) * share, y1 + (y2 - y1) * share) for share in PLACES]


def _samples(route: Route, is_rightward: bool) -> list[Box]:
    """Spots all along an arrow, to see what lies on it."""
    shares = [number / 12 for number in range(13)]
    if route.is_loop:
        pairs = [(Point(*start), Point(*stop)) for start, stop in pairwise(route.corners)]
        spots = [Point(a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share) for a, b in pairs for share in shares]
    else:
        ends = pairwise(route.corners)
        spots = [swing(start, stop, share, is_rightward) for start, stop in ends for share in shares]
    return [Box(spot, Point(0, 0)) for spot in spots]


def framed(boxes: Mapping[str, Box], routes: Sequence[Route], is_rightward: bool) -> Layout:
    """The same picture, moved so that it begins at the margin, and its size."""
    all_boxes = [*boxes.values(), *(route.label for route in routes if route.label)]
    corners = [corner for route in routes for corner in route.corners]
    for sign in (-1, 1):
        corners += [Point(b.middle.x + sign * b.size.x / 2, b.middle.y + sign * b.size.y / 2) for b in all_boxes]
    left, top = (min(values) - MARGIN for values in zip(*corners, strict=True))
    right, bottom = (max(values) + MARGIN for values in zip(*corners, strict=True))

    def move(point: Point) -> Point:
        return Point(point.x - left, point.y - top)

    def move_box(box: Box) -> Box:
        return replace(box, middle=move(box.middle))

    moved = [
        replace(route, corners=tuple(map(move, route.corners)), label=route.label and move_box(route.label))
        for route in routes
    ]
    return Layout(
        Point(right - left, bottom - top),
        is_rightward,
        {name: move_box(box) for name, box in boxes.items()},
        tuple(moved),
    )

"""Where everything in a picture of a workflow goes: boxes, arrows, words. Inches, from the top left corner.

Layer 1: imports `geometry`, `layers`, `style`. Pure values, no drawing. Inside, positions are (along, across):
along the flow, and across it. A workflow flows to the right as long as it fits on the page, else downwards.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise

from course_utils.show.geometry import Box, Layout, Point, Route, framed, labelled
from course_utils.show.layers import Edge, Layers, layers_of, neighbours
from course_utils.show.style import LINE, SIZE, WIDTH, text_width, wrap

GAP, TIGHT, WIDE = 0.44, 0.36, 0.7  # inches between layers: usually, at least, for steep fans
APART = 0.22  # inches between the nodes of a layer
HEAD = 0.14  # inches: the straight end of an arrow
SWEEPS = 300  # until even long chains lie straight; some 20 ms
TEXT = SIZE * LINE / 72  # inches per line
STUB = 0.14  # how far beside the middle of a box its loops begin and end


def layout(nodes: Mapping[str, Sequence[str]], edges: Sequence[Edge]) -> Layout:
    """Place the nodes (name -> second lines in the box, which may be empty) and route the edges."""
    tries = [(True, 1.3, 99), (True, 0.8, 99), (False, 1.5, 99), (False, 0.95, 99), (False, 0.95, 4), (False, 0.8, 3)]
    made = None
    for is_rightward, room, most in tries:
        made = _Plan(nodes, edges, is_rightward, room, most).layout()
        if made.size.x <= WIDTH:
            break
    assert made
    return made


class _Plan:
    """The positions while they are worked out."""

    def __init__(
        self, nodes: Mapping[str, Sequence[str]], edges: Sequence[Edge], is_rightward: bool, room: float, most: int
    ) -> None:
        self.nodes, self.edges, self.is_rightward = nodes, edges, is_rightward
        is_roomy = is_rightward and room > 1
        self.gap, self.fan, self.pad = (GAP, WIDE, 0.34) if is_roomy else (TIGHT, TIGHT + 0.1, 0.26)
        self.layers: Layers = layers_of(list(nodes), edges, most=most)
        self.lines = {name: (*wrap(name, room), *more) for name, more in nodes.items()}
        self.level = {node: level for level, row in enumerate(self.layers.rows) for node in row}
        self.across = self._across()
        self.along, self.thick, self.length = self._along()

    def turn(self, along: float, across: float) -> Point:
        return Point(along, across) if self.is_rightward else Point(across, along)

    def size(self, node: Hashable) -> tuple[float, float]:
        """Along and across; a stand-in for a long edge is a line."""
        if not isinstance(node, str):
            return 0.0, 0.06
        alike = [other for other in self.layers.rows[self.level[node]] if self._is_like(node, other)]
        wide = max(text_width(line) for other in alike for line in self.lines[other])
        return self.turn(wide + self.pad, max(len(self.lines[other]) for other in alike) * TEXT + 0.2)

    def _is_like(self, node: str, other: Hashable) -> bool:
        """True when both are nodes, and both or neither say of what kind they are: these get boxes of one size."""
        return isinstance(other, str) and bool(self.nodes[other]) == bool(self.nodes[node])

    def text(self, label: str) -> tuple[float, float]:
        return self.turn(text_width(label, SIZE, "bold") + 0.08, TEXT) if label else (0.0, 0.0)

    def _across(self) -> dict[Hashable, float]:
        graph = neighbours(self.layers)
        place = {node: float(number) for row in self.layers.rows for number, node in enumerate(row)}
        wide = {node: self.size(node)[1] for node in place}
        for sweep in range(SWEEPS):
            for row in self.layers.rows if sweep % 2 == 0 else reversed(self.layers.rows):
                wish = [_mean([place[other] for other in graph[node]], place[node]) for node in row]
                place.update(zip(row, _spread(wish, [wide[node] for node in row]), strict=True))
        return place

    def _along(self) -> tuple[list[float], list[float], float]:
        thick = [max(self.size(node)[0] for node in row) for row in self.layers.rows]
        middles, here = [], 0.0
        for level, depth in enumerate(thick):
            middles.append(here + depth / 2)
            here += depth + self._gap_after(level)
        return middles, thick, here - self._gap_after(len(thick) - 1)

    def _gap_after(self, level: int) -> float:
        """Room for arrows, more for steep ones, and for the widest label on an edge that starts here."""
        labels = [self.edges[n].label for n, chain in self.layers.chains.items() if self.level[chain[0]] == level]
        pairs = [
            pair for chain in self.layers.chains.values() for pair in pairwise(chain) if self.level[pair[0]] == level
        ]
        steep = max((abs(self.across[a] - self.across[b]) for a, b in pairs), default=0.0) * 0.35
        room = 0.2 if self.is_rightward or len(labels) < 2 else 0.45  # below a fork the arrows must part first
        return max(
            [min(max(self.gap, steep), self.fan), *(self.text(label)[0] + room + HEAD for label in labels if label)]
        )

    def layout(self) -> Layout:
        boxes = {
            name: Box(self.turn(self.along[self.level[name]], self.across[name]), self.turn(*self.size(name)), lines)
            for name, lines in self.lines.items()
        }
        routes = [self._forward(number) for number in self.layers.chains]
        lanes: list[float] = []
        routes += [self._loop(number, lanes) for number in self.layers.loops]
        sizes = {label: self.turn(*self.text(label)) for label in {edge.label for edge in self.edges if edge.label}}
        return framed(boxes, labelled(routes, sizes, list(boxes.values()), self.is_rightward), self.is_rightward)

    def _forward(self, number: int) -> Route:
        chain, corners = self.layers.chains[number], []
        for node in chain:
            level, across = self.level[node], self.across[node]
            half = (self.size(node)[0] if isinstance(node, str) else self.thick[level]) / 2
            sides = (half,) if node == chain[0] else (-half,) if node == chain[-1] else (-half, half)
            corners += [self.turn(self.along[level] + side, across) for side in sides]
        (x, y), (head, _) = corners[-1], self.turn(HEAD, 0)
        corners.insert(-1, Point(x - head, y - (HEAD - head)))
        return Route(self.edges[number], tuple(corners), is_loop=False)

    def _loop(self, number: int, lanes: list[float]) -> Route:
        """Go round below everything between the two nodes (right of it, when the workflow flows downwards)."""
        edge = self.edges[number]
        first, last = self.level[edge.target], self.level[edge.source]
        below = [self.across[n] + self.size(n)[1] / 2 for row in self.layers.rows[first : last + 1] for n in row]
        lane = max([*below, *lanes]) + 0.2 + self.text(edge.label)[1] / 2
        lanes.append(lane + self.text(edge.label)[1] / 2)
        corners = [*self._stub(edge.source, lane, STUB), *reversed(self._stub(edge.target, lane, -STUB))]
        return Route(edge, tuple(corners), is_loop=True)

    def _stub(self, node: str, lane: float, side: float) -> list[Point]:
        """From the node to the lane: straight down when nothing is below it, else through the gap beside its layer."""
        level, across = self.level[node], self.across[node]
        along, (deep, wide) = self.along[level], self.size(node)
        if node == self.layers.rows[level][-1]:
            return [self.turn(along + side, across + wide / 2), self.turn(along + side, lane)]
        sign = 1 if side > 0 else -1
        gap = along + sign * (self.thick[level] / 2 + 0.12)
        return [self.turn(along + sign * deep / 2, across + 0.08), self.turn(gap, across + 0.08), self.turn(gap, lane)]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _spread(wish: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Positions as near to the wished ones as order and distance allow (pooling neighbours that would collide)."""
    shift = [0.0]
    for before, after in pairwise(sizes):
        shift.append(shift[-1] + (before + after) / 2 + APART)
    pools: list[list[float]] = []
    for value in (w - s for w, s in zip(wish, shift, strict=True)):
        pools.append([value])
        while len(pools) > 1 and _mean(pools[-2], 0) > _mean(pools[-1], 0):
            pools[-2:] = [pools[-2] + pools[-1]]
    flat = [_mean(pool, 0) for pool in pools for _ in pool]
    return [value + s for value, s in zip(flat, shift, strict=True)]

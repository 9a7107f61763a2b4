"""The layers of a workflow: which nodes stand side by side, in which order, and which edges run backwards.

Layer 1: imports networkx only. A long edge gets a stand-in `(edge number, layer)` in every layer that it
crosses, so that it has a lane of its own and never runs through a box. Pure values, no drawing.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import networkx as nx

SWEEPS = 12  # back and forth; small graphs settle after a few


@dataclass(frozen=True, slots=True)
class Edge:
    """One arrow of a workflow; the label says when it is taken."""

    source: str
    target: str
    label: str = ""


@dataclass
class Layers:
    """Nodes and stand-ins, layer by layer, each layer in drawing order."""

    rows: list[list[Hashable]]
    chains: dict[int, list[Hashable]] = field(default_factory=dict)  # forward edge number -> source, stand-ins, target
    loops: list[int] = field(default_factory=list)  # the numbers of the edges that run backwards


def layers_of(nodes: Sequence[str], edges: Sequence[Edge], *, most: int = 99) -> Layers:
    """Sort the nodes into layers of at most `most` nodes, with few crossings."""
    loops = _loops(nodes, edges)
    forward = nx.DiGraph()
    forward.add_nodes_from(nodes)
    forward.add_edges_from((edge.source, edge.target) for number, edge in enumerate(edges) if number not in loops)
    rank = _ranks(forward, nodes, most)
    layers = Layers([[node for node in nodes if rank[node] == level] for level in range(max(rank.values()) + 1)])
    layers.loops = sorted(loops)
    for number, edge in enumerate(edges):
        if number not in loops:
            crossed = range(rank[edge.source] + 1, rank[edge.target])
            layers.chains[number] = [edge.source, *((number, level) for level in crossed), edge.target]
            for level in crossed:
                layers.rows[level].append((number, level))
    _uncross(layers)
    return layers


def _loops(nodes: Sequence[str], edges: Sequence[Edge]) -> set[int]:
    """The numbers of the edges that lead back to a node on the way to them."""
    out = {node: [(n, edge.target) for n, edge in enumerate(edges) if edge.source == node] for node in nodes}
    loops: set[int] = set()
    state: dict[str, str] = {}

    def visit(node: str) -> None:
        state[node] = "open"
        for number, target in out[node]:
            if state.get(target) == "open":
                loops.add(number)
            elif target not in state:
                visit(target)
        state[node] = "done"

    entered = {edge.target for edge in edges if edge.source != edge.target}
    for node in sorted(nodes, key=lambda node: node in entered):  # begin where nothing leads to
        if node not in state:
            visit(node)
    return loops


def _ranks(forward: nx.DiGraph, nodes: Sequence[str], most: int) -> dict[str, int]:
    place = {node: number for number, node in enumerate(nodes)}
    rank: dict[str, int] = {}
    for node in nx.lexicographical_topological_sort(forward, key=place.__getitem__):
        level = max((rank[before] + 1 for before in forward.predecessors(node)), default=0)
        while list(rank.values()).count(level) >= most:
            level += 1
        rank[node] = level
    return rank


def neighbours(layers: Layers) -> nx.Graph:
    """Who is joined to whom in the layer before or after."""
    graph = nx.Graph()
    graph.add_nodes_from(node for row in layers.rows for node in row)
    for chain in layers.chains.values():
        nx.add_path(graph, chain)
    return graph


def _uncross(layers: Layers) -> None:
    """Order each layer by the mean place of its neighbours; keep the best order that the sweeps come across."""
    graph = neighbours(layers)
    best = ([list(row) for row in layers.rows], _crossings(layers, graph))
    for sweep in range(SWEEPS):
        levels = range(len(layers.rows))
        for level in levels if sweep % 2 == 0 else reversed(levels):
            towards = level - 1 if sweep % 2 == 0 else level + 1
            if 0 <= towards < len(layers.rows):
                _sort(layers.rows[level], layers.rows[towards], graph)
        if (found := _crossings(layers, graph)) < best[1]:
            best = ([list(row) for row in layers.rows], found)
    layers.rows = best[0]


def _sort(row: list[Hashable], fixed: list[Hashable], graph: nx.Graph) -> None:
    place = {node: number for number, node in enumerate(fixed)}
    middle = {}
    for number, node in enumerate(row):
        places = [place[other] for other in graph[node] if other in place]
        middle[node] = sum(places) / len(places) if places else number
    row.sort(key=middle.__getitem__)  # stable: equal ones stay in the order in which they were written


def _crossings(layers: Layers, graph: nx.Graph) -> int:
    total = 0
    for left, right in zip(layers.rows, layers.rows[1:], strict=False):
        place = {node: number for number, node in enumerate(right)}
        ends = [[place[other] for other in graph[node] if other in place] for node in left]
        total += sum(
            a > b for number, upper in enumerate(ends) for a in upper for lower in ends[number + 1 :] for b in lower
        )
    return total

"""A workflow as nodes and labelled edges, read from whatever describes one; and the same in words.

Layer 1: imports `errors`, `layers`. Plain values; a graph of LangGraph or LangChain is recognised by its
`get_graph` method, so neither is imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

from course_utils.errors import CourseError
from course_utils.show.layers import Edge

KINDS = ("model", "code", "router", "person", "tool")
ALSO = {"gate": "code", "llm": "model", "human": "person"}
ENDS = {"end", "stop", "finish"}


@dataclass(frozen=True)
class Workflow:
    """The nodes in order of first appearance, and the edges."""

    nodes: tuple[str, ...]
    edges: tuple[Edge, ...]

    def kind(self, node: str, kinds: Mapping[str, str]) -> str:
        """One of `KINDS`, or "start" or "end" for the marks, or "" when nobody said."""
        if node in kinds:
            return ALSO.get(kinds[node], kinds[node])
        if node == "start" and not any(edge.target == node for edge in self.edges):
            return "start"
        return "end" if node in ENDS and not any(edge.source == node for edge in self.edges) else ""

    def words(self) -> str:
        """Every edge in words: "start → gate; gate → reply (ok), stop (too long)"."""
        parts = []
        for node in self.nodes:
            targets = [
                edge.target + (f" ({edge.label})" if edge.label else "") for edge in self.edges if edge.source == node
            ]
            parts += [f"{node} → {', '.join(targets)}"] if targets else []
        return "; ".join(parts)


def read_workflow(source: Any) -> Workflow:
    """The workflow in a list of edges, a dict of edges, or anything with LangChain's `get_graph`.

    Raises:
        CourseError: There is no edge in it, or an edge is not two names and perhaps a label.
    """
    edges = tuple(_edges(source))
    if not edges:
        raise CourseError(
            "There is no edge in this workflow.", fix='give some, such as [("start", "answer"), ("answer", "end")].'
        )
    return Workflow(tuple(dict.fromkeys(name for edge in edges for name in (edge.source, edge.target))), edges)


def _edges(source: Any) -> Iterable[Edge]:
    if hasattr(source, "get_graph"):
        return _edges_of_graph(source.get_graph())
    if isinstance(source, Mapping):
        return (
            Edge(_name(start), _name(end), str(label)) for start, ends in source.items() for label, end in _ends(ends)
        )
    return (_edge(edge) for edge in source)


def _edges_of_graph(graph: Any) -> Iterable[Edge]:
    names = {key: _name(getattr(node, "name", key)) for key, node in graph.nodes.items()}
    if len(set(names.values())) < len(names):  # two parts of a chain may bear one name
        names = {key: _name(key) for key in graph.nodes}
    for edge in graph.edges:
        label = "" if edge.data is None or _name(edge.data) == names[edge.target] else str(edge.data)
        yield Edge(names[edge.source], names[edge.target], label)


def _ends(ends: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(ends, Mapping):
        return ends.items()
    return (("", end) for end in ([ends] if isinstance(ends, str) else ends))


def _edge(edge: Any) -> Edge:
    if isinstance(edge, str) or not isinstance(edge, Sequence) or len(edge) not in (2, 3):
        raise CourseError(f"{edge!r} is not an edge.", fix='write ("from", "to") or ("from", "to", "when").')
    return Edge(_name(edge[0]), _name(edge[1]), *(str(label) for label in edge[2:]))


def _name(node: Any) -> str:
    return {"__start__": "start", "__end__": "end"}.get(str(node), str(node))


def taken(workflow: Workflow, path: Sequence[str | Sequence[str]]) -> set[tuple[str, str]]:
    """The edges of a run that went through these nodes; nodes that ran side by side are listed together.

    Raises:
        CourseError: The path names a node that is not there, or makes a step for which there is no edge.
    """
    groups = [[_name(step)] if isinstance(step, str) else [_name(node) for node in step] for step in path]
    for node in (node for group in groups for node in group):
        if node not in workflow.nodes:
            raise CourseError(
                f"The workflow has no node {node!r}.", fix=f"highlight some of: {', '.join(workflow.nodes)}."
            )
    known = {(edge.source, edge.target) for edge in workflow.edges}
    steps: set[tuple[str, str]] = set()
    for before, after in pairwise(groups):
        here = known.intersection(product(before, after))
        if not here:
            raise CourseError(
                f"There is no edge from {' or '.join(before)} to {' or '.join(after)}.",
                fix="list the nodes in the order in which they ran, and nodes that ran side by side as one inner list.",
            )
        steps |= here
    return steps

"""Workflow pictures: every way to describe one, and a layout in which nothing hides anything."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TypedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.errors import CourseError
from course_utils.show.geometry import Box, Layout, Point, swing
from course_utils.show.graph import workflow_graph
from course_utils.show.layers import Edge
from course_utils.show.layout import layout
from course_utils.show.style import SIZE, WIDTH
from course_utils.show.workflow import Workflow, read_workflow, taken

GATE = [("start", "summarise"), ("summarise", "gate"), ("gate", "reply", "ok"), ("gate", "stop", "too long")]
WIDE = [("plan", f"worker {n}") for n in range(9)] + [(f"worker {n}", "merge") for n in range(9)]
KNOWN = {
    "two": [("a", "b")],
    "gate": GATE,
    "loop": [("start", "draft"), ("draft", "judge"), ("judge", "draft", "not yet"), ("judge", "end", "passed")],
    "itself": [("a", "a", "again"), ("a", "b")],
    "parallel": [*WIDE, ("merge", "check"), ("check", "plan", "gaps"), ("check", "end", "fine")],
    "chain": [(f"step {n}", f"step {n + 1}") for n in range(14)],
    "long names": [
        ("retrieve_help_centre_articles", "x" * 40),
        ("x" * 40, "a step with a very long name indeed", "so what"),
    ],
    "agent": [
        ("agent", "search", "call"),
        ("search", "agent"),
        ("agent", "refund", "call"),
        ("refund", "agent"),
        ("agent", "end"),
    ],
}


def placed(edges: list[tuple[str, ...]]) -> Layout:
    flow = read_workflow(edges)
    return layout({node: ["model"] for node in flow.nodes}, flow.edges)


def is_inside(box: Box, size: Point) -> bool:
    return all(half / 2 <= at <= end - half / 2 for at, half, end in zip(box.middle, box.size, size, strict=True))


def check(plan: Layout) -> None:
    """Nothing overlaps, everything is on the page, and no forward arrow runs through a box."""
    boxes, labels = list(plan.boxes.values()), [route.label for route in plan.routes if route.label]
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1], gap=0.1)]
    assert all(is_inside(box, plan.size) for box in [*boxes, *labels])
    assert plan.size.x <= WIDTH
    for route in (route for route in plan.routes if not route.is_loop):
        others = [box for name, box in plan.boxes.items() if name not in (route.edge.source, route.edge.target)]
        for start, stop in pairwise(route.corners):
            for share in range(21):
                spot = Box(swing(start, stop, share / 20, plan.is_rightward), Point(0, 0))
                assert not any(spot.overlaps(box, gap=-0.01) for box in others), route.edge


@pytest.mark.parametrize("edges", KNOWN.values(), ids=KNOWN)
def test_nothing_overlaps_in_a_known_workflow(edges):
    """The usual shapes of workflows fit on the page without anything hiding anything."""
    check(placed(edges))


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_nothing_overlaps_in_any_workflow_of_up_to_fifteen_nodes(data):
    """Whatever the edges are, boxes do not touch, and forward arrows go round the boxes between."""
    count = data.draw(st.integers(2, 15))
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    extra = data.draw(st.lists(ends, max_size=8, unique=True))
    tree = [(data.draw(st.integers(max(0, n - 4), n - 1)), n) for n in range(1, count)]
    check(placed([(f"node {a}", f"node {b}") for a, b in dict.fromkeys([*tree, *extra])]))


def test_labels_of_branches_stand_clear_of_each_other():
    """Four labelled branches have four labels that neither overlap nor lie on a box."""
    plan = placed([("route", name, name) for name in ("billing", "technical", "sales", "other")])
    labels = [route.label for route in plan.routes]
    assert not [pair for pair in combinations([*labels, *plan.boxes.values()], 2) if pair[0].overlaps(pair[1])]


def test_short_workflows_flow_right_and_long_ones_down():
    """A chain of four fits on the page from left to right; a chain of fifteen goes downwards."""
    assert placed(GATE).is_rightward
    assert not placed(KNOWN["chain"]).is_rightward


@pytest.mark.parametrize(
    "source",
    [
        GATE,
        [list(edge) for edge in GATE],
        {"start": "summarise", "summarise": ["gate"], "gate": {"ok": "reply", "too long": "stop"}},
    ],
    ids=["tuples", "lists", "dict"],
)
def test_a_workflow_reads_the_same_from_edges_and_from_a_dict(source):
    """The same edges in any notation are the same workflow, with nodes in order of first appearance."""
    edges = (
        Edge("start", "summarise"),
        Edge("summarise", "gate"),
        Edge("gate", "reply", "ok"),
        Edge("gate", "stop", "too long"),
    )
    assert read_workflow(source) == Workflow(("start", "summarise", "gate", "reply", "stop"), edges)


def test_a_compiled_langgraph_is_read_with_its_branches():
    """A real StateGraph shows its nodes, its ends as marks, and the labels of its conditional edges."""
    from langgraph.graph import END, START, StateGraph

    class State(TypedDict):
        text: str

    graph = StateGraph(State)
    for name in ("classify", "answer"):
        graph.add_node(name, lambda state: state)
    graph.add_edge(START, "classify")
    graph.add_conditional_edges("classify", lambda state: "known", {"known": "answer", "unknown": END})
    graph.add_edge("answer", END)
    flow = read_workflow(graph.compile())
    assert set(flow.edges) == {
        Edge("start", "classify"),
        Edge("classify", "answer", "known"),
        Edge("classify", "end", "unknown"),
        Edge("answer", "end"),
    }
    assert (flow.kind("start", {}), flow.kind("end", {})) == ("start", "end")


def test_the_path_of_a_run_may_split_and_join():
    """Nodes listed together ran side by side: each edge into and out of them was taken."""
    flow = read_workflow([("plan", "a"), ("plan", "b"), ("plan", "c"), ("a", "join"), ("b", "join"), ("c", "join")])
    assert taken(flow, ["plan", ["a", "b"], "join"]) == {("plan", "a"), ("plan", "b"), ("a", "join"), ("b", "join")}


@pytest.mark.parametrize(
    ("call", "fact"),
    [
        (lambda: workflow_graph([]), "There is no edge in this workflow."),
        (lambda: workflow_graph([("a",)]), "('a',) is not an edge."),
        (lambda: workflow_graph(["ab"]), "'ab' is not an edge."),
        (lambda: workflow_graph(GATE, kinds={"gate": "robot"}), "'robot' is not a kind of node."),
        (lambda: workflow_graph(GATE, kinds={"door": "code"}), "The workflow has no node 'door'."),
        (lambda: workflow_graph(GATE, highlight=["start", "door"]), "The workflow has no node 'door'."),
        (lambda: workflow_graph(GATE, highlight=["start", "gate"]), "There is no edge from start to gate."),
    ],
)
def test_what_cannot_be_drawn_is_named(call, fact):
    """A mistake in the description is an error that names it and says what to do."""
    with pytest.raises(CourseError) as caught:
        call()
    assert caught.value.fact == fact
    assert caught.value.fix


def test_the_picture_has_every_word_and_the_same_words_below_it():
    """Nodes, kinds and labels are drawn in 9 points or more; the caption holds every edge and the run's path."""
    ax = workflow_graph(
        GATE, kinds={"summarise": "model", "gate": "gate"}, highlight=["start", "summarise", "gate", "stop"], title="T"
    )
    drawn = [text for text in ax.texts if text.get_text()]
    assert {text.get_text() for text in drawn} == {
        "T", "start", "summarise", "model", "gate", "code", "reply", "stop", "ok", "too long",
    }  # fmt: skip
    assert min(text.get_fontsize() for text in drawn) >= SIZE
    assert ax.figure.caption == (
        "T: start → summarise; summarise → gate; gate → reply (ok), stop (too long). "
        "This run: start → summarise → gate → stop."
    )
    assert ax.figure.get_figwidth() <= WIDTH


def test_kinds_differ_in_shape_not_only_in_colour():
    """Two kinds of node never have the same outline."""
    from course_utils.show.strokes import outline

    shapes = {}
    for kind in ("model", "code", "router", "person", "tool"):
        patches = outline(Box(Point(1, 1), Point(1.2, 0.5)), kind)
        shapes[kind] = [patch.get_path().vertices.round(3).tolist() for patch in patches]
    assert not [pair for pair in combinations(shapes, 2) if shapes[pair[0]] == shapes[pair[1]]]


@pytest.mark.parametrize("is_rightward", [True, False])
def test_a_label_lies_on_the_arrow_as_it_is_drawn(is_rightward):
    """The curve that labels are placed on is the curve that matplotlib draws."""
    from course_utils.show.strokes import swinging_path

    start, stop = Point(1, 2), Point(4, 9)
    _, (drawn, _) = swinging_path((start, stop), is_rightward).iter_bezier()
    for share in (0, 0.2, 0.5, 0.9, 1):
        assert tuple(swing(start, stop, share, is_rightward)) == pytest.approx(tuple(drawn(share)))


def test_labels_below_a_fork_stand_on_no_box_and_no_other_label():
    """Downwards, where labels are wider than the gaps are high, they stand clear as well."""
    desks = [(f"{name} desk of the shop", name) for name in ("billing", "technical", "deliveries")]
    chain = [(f"step {n} of a long chain", f"step {n + 1} of a long chain") for n in range(6)]
    fork = [("step 6 of a long chain", desk, name) for desk, name in desks]
    plan = placed([*chain, *fork, *((desk, "end") for desk, _ in desks)])
    labels = [route.label for route in plan.routes if route.label]
    assert not plan.is_rightward
    assert len(labels) == 3
    assert not [pair for pair in combinations([*labels, *plan.boxes.values()], 2) if pair[0].overlaps(pair[1])]

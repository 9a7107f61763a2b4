"""A picture of a workflow: boxes for its nodes, arrows for its edges, and the path that a run took.

Layer 1: imports `errors`, `workflow`, `layout`, `geometry`, `style`, `picture`; matplotlib only to draw.
Everything is placed in inches before anything is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from course_utils.errors import CourseError
from course_utils.show.geometry import Box, Layout, Route
from course_utils.show.layout import layout
from course_utils.show.style import BLUE, FRAME, GREEN, INK, MUTED, ORANGE, PALE, PAPER, PURPLE, SIZE, text_width
from course_utils.show.workflow import ALSO, KINDS, Workflow, read_workflow, taken

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import FancyArrowPatch

FILL = {  # kind -> face, edge; the shape and the word in the box say the same
    "model": (PALE[BLUE], BLUE),
    "code": ("#eceff1", MUTED),
    "router": (PALE[ORANGE], "#8a6000"),
    "person": (PALE[GREEN], "#00694d"),
    "tool": (PALE[PURPLE], "#8a4a6c"),
    "start": (INK, INK),
    "end": (PAPER, INK),
    "": (PAPER, MUTED),
}
TITLE = 0.34  # inches


def workflow_graph(
    workflow: Any,
    *,
    kinds: Mapping[str, str] | None = None,
    highlight: Sequence[str | Sequence[str]] | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw a workflow: left to right while it fits on the page, else from top to bottom.

    In a notebook the picture is shown when the cell ends; `ax.figure.caption` holds all edges in words.

    Args:
        workflow: Edges such as `("gate", "reply", "ok")`, a dict such as `{"gate": {"ok": "reply"}}`, or a
            compiled LangGraph. "start" and "end" (also "stop", "finish") are drawn as marks.
        kinds: What a node is: "model", "code" (or "gate"), "router", "person" or "tool".
        highlight: The nodes of one run in order; nodes that ran side by side as an inner list.
        ax: Draw here, and show nothing; without it a picture of its own is made.

    Raises:
        CourseError: The workflow, a kind or the highlighted path cannot be what is meant.
    """
    flow, kinds = read_workflow(workflow), dict(kinds or {})
    _check_kinds(flow, kinds)
    steps = taken(flow, highlight) if highlight is not None else None
    found = {node: flow.kind(node, kinds) for node in flow.nodes}
    plan = layout({node: [kind] if kind in KINDS else [] for node, kind in found.items()}, flow.edges)
    own = ax is None
    ax = ax or _new_axes(plan, title)
    _prepare(ax, plan, title)
    for route in plan.routes:
        _draw_route(ax, route, plan.is_rightward, _part(route, steps))
    visited = {name for step in steps or () for name in step}
    for node, box in plan.boxes.items():
        _draw_box(ax, box, found[node], None if steps is None else node in visited)
    if own:
        _finish(ax, flow, title, highlight)
    return ax


def _check_kinds(flow: Workflow, kinds: Mapping[str, str]) -> None:
    for node, kind in kinds.items():
        if node not in flow.nodes:
            raise CourseError(f"The workflow has no node {node!r}.", fix=f"name one of: {', '.join(flow.nodes)}.")
        if ALSO.get(kind, kind) not in KINDS:
            raise CourseError(f"{kind!r} is not a kind of node.", fix=f"use one of: {', '.join(KINDS)}.")


def _part(route: Route, steps: set[tuple[str, str]] | None) -> bool | None:
    """True for an edge that the run took, False for another, None when no run is shown."""
    return None if steps is None else (route.edge.source, route.edge.target) in steps


def _new_axes(plan: Layout, title: str) -> Axes:
    from course_utils.show.picture import Picture

    high = plan.size.y + (TITLE if title else 0)
    wide = max(plan.size.x, text_width(title, 11, "bold") + 0.3)
    picture = Picture(wide, high, kind="workflow")
    return picture.add_axes((0, 0, plan.size.x / wide, plan.size.y / high))


def _prepare(ax: Axes, plan: Layout, title: str) -> None:
    ax.set(xlim=(0, plan.size.x), ylim=(plan.size.y, 0), aspect="equal")
    ax.axis("off")
    if title:
        ax.annotate(title, (0, 1), (8, 3), "axes fraction", "offset points", fontsize=11, fontweight="bold", color=INK,
                    annotation_clip=False)  # fmt: skip


def _draw_route(ax: Axes, route: Route, is_rightward: bool, part: bool | None) -> None:
    color, width = {True: (INK, 2.4), False: (FRAME, 1.0), None: (MUTED, 1.3)}[part]
    ax.add_patch(_arrow(route, is_rightward, color=color, linewidth=width, zorder=3 if part else 2))
    if route.label:
        ax.text(
            *route.label.middle, route.edge.label, fontsize=SIZE, color=MUTED if part is False else INK, ha="center",
            va="center", zorder=5, bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.0},
            fontweight="bold" if part else "normal",
        )  # fmt: skip


def _arrow(route: Route, is_rightward: bool, **look: Any) -> FancyArrowPatch:
    from matplotlib.patches import FancyArrowPatch

    from course_utils.show.strokes import rounded_path, swinging_path

    path = rounded_path(route.corners) if route.is_loop else swinging_path(route.corners, is_rightward)
    return FancyArrowPatch(path=path, arrowstyle="-|>,head_length=4.5,head_width=2.4", mutation_scale=1.3,
                           shrinkA=0, shrinkB=0, joinstyle="miter", **look)  # fmt: skip


def _draw_box(ax: Axes, box: Box, kind: str, part: bool | None) -> None:
    from course_utils.show.strokes import outline

    face, edge = FILL[kind]
    width = {True: 2.4, False: 0.9, None: 1.3}[part]
    for patch in outline(box, kind, facecolor=face, edgecolor=INK if part else edge, linewidth=width, zorder=4):
        ax.add_patch(patch)
    step = SIZE * 1.35 / 72
    top = box.middle.y - (len(box.lines) - 1) / 2 * step
    for number, line in enumerate(box.lines):
        is_kind = kind in KINDS and number == len(box.lines) - 1
        color = PAPER if kind == "start" else edge if is_kind else INK
        ax.text(box.middle.x, top + number * step, line, fontsize=SIZE, color=color, ha="center", va="center", zorder=6,
                fontweight="normal", fontstyle="italic" if is_kind else "normal")  # fmt: skip


def _finish(ax: Axes, flow: Workflow, title: str, highlight: Sequence[str | Sequence[str]] | None) -> None:
    from course_utils.show.picture import show_when_cell_ends

    picture = ax.figure
    run = [step if isinstance(step, str) else " and ".join(step) for step in highlight or ()]
    picture.caption = f"{title or 'Workflow'}: {flow.words()}." + (f" This run: {' → '.join(run)}." if run else "")
    picture.alt = picture.caption + " Boxes joined by arrows."
    show_when_cell_ends(picture)

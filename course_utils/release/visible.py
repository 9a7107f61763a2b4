"""Modules of graded tasks without their held-back cases.

Layer 3: imports `errors` only. A held-back case is an element of a list that is a call with the literal keyword
`held_back=True`. What only such cases used goes with them, and so do all comments of the module.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from course_utils.errors import CourseError

MARK = "held_back"
Function = ast.FunctionDef | ast.AsyncFunctionDef


def without_held_back(modules: Mapping[str, str]) -> dict[str, str]:
    """The sources of these modules by name, as a learner may read them; what holds nothing back stays as it is.

    Raises:
        CourseError: Something is held back in a way that cannot be cut out.
    """
    trees = {name: ast.parse(text) for name, text in modules.items()}
    before = loaded(trees.values())
    touched = {name for name, tree in trees.items() if cut(tree)}
    for name, tree in trees.items():
        if left := next(marked(tree), None):
            fact = f"{name}, line {left.value.lineno}: a case is held back where it cannot be cut out."
            raise CourseError(fact, fix="make it an element of the list of cases, with held_back=True.")
    while gone := before - loaded(trees.values()):
        dropped = {name for name, tree in trees.items() if drop(tree, gone)}
        if not dropped:
            break
        touched |= dropped
    return {name: ast.unparse(trees[name]) + "\n" if name in touched else text for name, text in modules.items()}


def cut(tree: ast.Module) -> bool:
    """Take the held-back elements out of every list and tuple; True when there were any."""
    found = False
    for node in ast.walk(tree):
        if isinstance(node, ast.List | ast.Tuple):
            kept = [element for element in node.elts if not is_held_back(element)]
            found |= len(kept) < len(node.elts)
            node.elts = kept
    return found


def is_held_back(element: ast.expr) -> bool:
    """True for a call that says `held_back=True` itself."""
    return isinstance(element, ast.Call) and any(
        keyword.arg == MARK and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        for keyword in element.keywords
    )


def marked(tree: ast.Module) -> Iterator[ast.keyword]:
    """Keywords that hold something back; to hand one's own `held_back` on holds nothing back by itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == MARK:
            is_handed_on = isinstance(node.value, ast.Name) and node.value.id == MARK
            if not (is_handed_on or (isinstance(node.value, ast.Constant) and node.value.value is False)):
                yield node


def loaded(trees: Iterable[ast.Module]) -> set[str]:
    """Every name that is read somewhere, on its own or behind a dot."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def drop(tree: ast.Module, gone: set[str]) -> bool:
    """Take out what defines nothing but names that nobody reads any more; True when there was something."""
    found = False
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            kept_names = [alias for alias in node.names if (alias.asname or alias.name) not in gone]
            found |= len(kept_names) < len(node.names)
            node.names = kept_names
    for block in [node for node in ast.walk(tree) if isinstance(node, ast.Module | Function)]:
        kept = [line for line in block.body if not (defined(line) and defined(line) <= gone)]
        kept = [line for line in kept if not (isinstance(line, ast.ImportFrom) and not line.names)]
        found |= len(kept) < len(block.body)
        block.body = kept or [ast.Pass()]
    return found


def defined(line: ast.stmt) -> set[str]:
    """The names that a statement defines and does nothing else; empty for every other statement."""
    if isinstance(line, Function):
        return {line.name}
    targets = line.targets if isinstance(line, ast.Assign) else [line.target] if isinstance(line, ast.AnnAssign) else []
    parts = [part for target in targets for part in ast.walk(target) if isinstance(part, ast.expr)]
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    return names if all(isinstance(part, ast.Name | ast.Tuple) for part in parts) else set()

"""Imports point down, nothing imports in a circle, and no module or function outgrows its budget."""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "course_utils"
TOP = ("__init__", "__main__", "arguments", "commands", "copies", "doctor", "jupyter", "lab", "outcomes", "suite")
LAYERS = [  # from the bottom; a name stands for a module or for a folder of modules
    ("errors", "env", "records", "faults", "world", "clock", "learners", "receipts"),
    ("server", "show"),
    (
        "tasks",
        "attempt",
        "check",
        "clockwork",
        "conditions",
        "connection",
        "drivers",
        "faultlab",
        "graphs",
        "handed",
        "idleness",
        "interrupts",
        "models",
        "outages",
        "plain",
        "private_server",
        "programs",
        "rehearsals",
        "repeats",
        "restarts",
        "runs",
        "stage",
        "traced",
        "trials",
    ),
    ("grading", "build", "release"),
    TOP,
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
ONE_WAY = {  # folders of one layer that must not see each other
    "show": {"server"},
    "server": {"show"},
}
MODULE_LINES, FUNCTION_LINES = 200, 40
LONG_MODULES: dict[str, str] = {}  # module -> why it is longer
LONG_FUNCTIONS: dict[str, str] = {  # module.function -> why it is longer
    "tasks.diagnosis.traces": "drawings of ten traces with a line for each run, and no code",
}


def modules() -> list[Path]:
    """Every module of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """The dotted name within the package: `server.wire`; "__init__" for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    """The dotted names that a module imports anywhere in it, also inside functions and for typing."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node, path)
            names = {f"{base}.{alias.name}" for alias in node.names}
            submodules = {name for name in names if is_module(name)}
            found |= submodules | ({base} if names - submodules else set())
    return found


def absolute(node: ast.ImportFrom, path: Path) -> str:
    """The module that a `from ... import` names, with leading dots resolved."""
    if not node.level:
        return node.module or ""
    parts = ("course_utils", *path.relative_to(PACKAGE).parts)[: -node.level]
    return ".".join([*parts, *([node.module] if node.module else [])])


def is_module(dotted: str) -> bool:
    """True when the dotted name is a module or folder of the package."""
    path = PACKAGE.parent.joinpath(*dotted.split("."))
    return dotted.startswith("course_utils") and (path.with_suffix(".py").exists() or (path / "__init__.py").exists())


def own_imports(path: Path) -> set[str]:
    """The modules of this package that a module imports, named within the package."""
    inside = {name.removeprefix("course_utils.") for name in imports_of(path) if name.startswith("course_utils.")}
    return {name for name in inside if is_module(f"course_utils.{name}")} - {name_of(path)}


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_point_down(path):
    """A module imports from layers below its own, or from its own folder; `show` and `server` never see each other."""
    own = name_of(path).partition(".")[0]
    for name in own_imports(path):
        other = name.partition(".")[0]
        assert LEVEL[other] <= LEVEL[own], f"{name_of(path)} must not import {name}"
        assert other not in ONE_WAY.get(own, ()), f"{name_of(path)} must not import {name}"


@pytest.mark.parametrize("path", sorted((PACKAGE / "env").glob("*.py")), ids=name_of)
def test_env_needs_nothing_installed(path):
    """The set-up imports the standard library, itself and `errors`, and so does what runs before it."""
    foreign = {name for name in imports_of(path) if name.partition(".")[0] not in sys.stdlib_module_names}
    assert {name for name in foreign if not name.startswith(("course_utils.env", "course_utils.errors"))} == set()


def test_there_are_no_cycles():
    """Following imports never leads back, not even inside functions or for typing."""
    graph = {name_of(path): own_imports(path) for path in modules()}
    graph["__init__"] = set()  # loads everything lazily, by name
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"cycle: {' -> '.join([*trail[trail.index(name) :], name])}"
        if name not in done:
            for other in graph.get(name, ()):
                visit(other, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_budgets(path):
    """A module has at most 200 lines and a function body at most 40, docstring not counted."""
    text = path.read_text("utf-8")
    if name_of(path) not in LONG_MODULES:
        assert len(text.splitlines()) <= MODULE_LINES
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and f"{name_of(path)}.{node.name}" not in LONG_FUNCTIONS
        ):
            assert body_lines(node) <= FUNCTION_LINES, node.name


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function's body without its docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize(
    "path",
    [PACKAGE / "__init__.py", PACKAGE / "__main__.py", PACKAGE / "env/__init__.py", PACKAGE / "env/guard.py"],
    ids=name_of,
)
def test_old_pythons_can_read_the_door(path):
    """What runs before the version is checked has the syntax of Python 3.6."""
    tree = ast.parse(path.read_text("utf-8"), feature_version=(3, 6))
    assert "annotations" not in {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
    }


def test_allow_lists_are_not_stale():
    """An exception from a budget is removed once the module or function fits."""
    long = {name_of(path) for path in modules() if len(path.read_text("utf-8").splitlines()) > MODULE_LINES}
    assert set(LONG_MODULES) <= long
    functions = {
        f"{name_of(path)}.{node.name}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and body_lines(node) > FUNCTION_LINES
    }
    assert set(LONG_FUNCTIONS) <= functions

"""An answer as a program that any process can load: its code, and the globals it uses as they are now.

Layer 2: imports nothing from this package, and cloudpickle only when it is needed.
"""

from __future__ import annotations

import dis
import types
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any


def carried(answer: Callable[..., Any]) -> bytes:
    """The program; the answer's module is not asked for again when it is loaded, if it is a notebook.

    Raises:
        TypeError: It uses something that exists in this process only.
    """
    import cloudpickle

    try:
        return cloudpickle.dumps((answer, named_in_classes(answer)))
    except Exception as error:
        raise TypeError(f"it uses something that another process cannot have: {error}") from None


def loaded(program: bytes) -> Callable[..., Any]:
    """The answer, in whatever process this is."""
    import cloudpickle

    answer, others = cloudpickle.loads(program)
    for function in functions_of(answer):
        for name, value in others.items():
            function.__globals__.setdefault(name, value)
    return answer


def named_in_classes(answer: Callable[..., Any]) -> dict[str, Any]:
    """What cloudpickle leaves behind: globals that only the body of a class inside a function names.

    A state for LangGraph is often declared so: `class State(TypedDict): notes: Annotated[list, operator.add]`.
    """
    import cloudpickle

    found: dict[str, Any] = {}
    for function in reached_from(answer):
        for name in names_in_classes(function.__code__):
            if name in function.__globals__ and name not in found:
                with suppress(Exception):  # what cannot be carried is missed only where it is used
                    cloudpickle.dumps(value := function.__globals__[name])
                    found[name] = value
    return found


def reached_from(answer: Callable[..., Any]) -> Iterator[types.FunctionType]:
    """The functions of the answer, and those beside it that they name."""
    waiting, seen = functions_of(answer), set()
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        yield function
        for name in names_in(function.__code__):
            value = function.__globals__.get(name)
            if getattr(value, "__module__", None) == function.__module__:
                waiting += functions_of(value)


def functions_of(value: Any) -> list[types.FunctionType]:
    """A function itself, also behind its decorators; the methods of a class."""
    parts = [value, *(vars(value).values() if isinstance(value, type) else ())]
    parts += [part.__wrapped__ for part in parts if isinstance(getattr(part, "__wrapped__", None), types.FunctionType)]
    return [part for part in parts if isinstance(part, types.FunctionType)]


def names_in(code: types.CodeType) -> Iterator[str]:
    """Every name that the code, or code inside it, looks up."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from names_in(inner)


def names_in_classes(code: types.CodeType) -> Iterator[str]:
    """The names that class bodies inside this code look up: in the class first, and then among the globals."""
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from (one.argval for one in dis.get_instructions(inner) if one.opname.startswith("LOAD_NAME"))
            yield from names_in_classes(inner)

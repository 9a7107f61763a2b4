"""The names that learners import, and what importing them costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import course_utils


def loaded_by(code: str) -> set[str]:
    """The top-level packages that a fresh Python has loaded after `code`, beside the standard library."""
    told = f"import sys; {code}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    run = subprocess.run([sys.executable, "-I", "-c", told], capture_output=True, text=True, check=True)
    return {name for name in run.stdout.split() if name not in sys.stdlib_module_names and not name.startswith("_")}


def test_importing_the_package_loads_nothing_else():
    """`import course_utils` loads no third-party package, langchain least of all."""
    bare = loaded_by("pass")
    assert loaded_by("import course_utils") - bare == {"course_utils"}


@pytest.mark.parametrize("name", course_utils.__all__)
def test_every_name_is_there(name):
    """What `__all__` promises can be had, and stays the same object."""
    assert getattr(course_utils, name) is getattr(course_utils, name)


def test_there_are_few_names():
    """A learner can keep the whole list in mind."""
    assert len(course_utils.__all__) <= 20


def test_an_unknown_name_is_an_attribute_error():
    """A misspelt import says so."""
    with pytest.raises(ImportError, match="cannot import name 'timelines'"):
        from course_utils import timelines  # noqa: F401


def test_quizzes_and_ledgers_need_neither_langchain_nor_matplotlib():
    """What is shown as text loads quickly."""
    loaded = loaded_by("from course_utils import quiz, ledger, predict, faults, world")
    assert not loaded & {"langchain_core", "langchain_openai", "openai", "matplotlib", "networkx", "ipywidgets"}

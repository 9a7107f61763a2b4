"""One set of dependencies, three doors: pyproject.toml, requirements.lock and environment.yml say the same."""

import re
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement

import course_utils
from course_utils.env import lock, pinning
from course_utils.env.markers import holds

PROJECT = tomllib.loads((lock.PROJECT / "pyproject.toml").read_text())
PINS = lock.read()
PYTHONS = ["3.11.0", "3.11.9", "3.12.9", "3.13.5"]
BROUGHT = {  # what course code imports -> the declared package that always brings it and speaks in its types
    "IPython": "ipykernel",
    "PIL": "matplotlib",
    "jupyter_client": "jupyterlab",
    "jupyter_core": "jupyterlab",
    "pydantic_core": "pydantic",
    "yaml": "pyyaml",
}


def declared() -> dict[str, list[Requirement]]:
    """The requirements of each set, as pyproject.toml has them."""
    sets = {"core": PROJECT["project"]["dependencies"], **PROJECT["project"]["optional-dependencies"]}
    return {name: [Requirement(text) for text in texts] for name, texts in sets.items()}


def machine(python: str) -> dict[str, str]:
    """The marker variables of a Linux machine with this Python."""
    return {
        "implementation_name": "cpython", "os_name": "posix", "platform_machine": "x86_64",
        "platform_python_implementation": "CPython", "platform_system": "Linux", "python_full_version": python,
        "python_version": python.rpartition(".")[0], "sys_platform": "linux",
    }  # fmt: skip


def test_the_sets_are_the_extras():
    """Every extra is a set that `--with` takes, and the other way round."""
    assert set(lock.SETS) == set(declared()) == set(lock.ABOUT)


@pytest.mark.parametrize("python", PYTHONS)
def test_the_locked_versions_fit_the_declared_ranges(python):
    """Whatever pyproject.toml asks for is locked once, for the right set, at a version within the range."""
    for name, requirements in declared().items():
        for requirement in requirements:
            pins = lock.select(
                [pin for pin in PINS if pin.name == lock.normal(requirement.name)], ["core", name], machine(python)
            )
            assert [requirement.specifier.contains(pin.version) for pin in pins] == [True], (name, str(requirement))


@pytest.mark.parametrize("python", PYTHONS)
def test_no_package_is_locked_twice_for_one_machine(python):
    """Two pins of one package never apply to the same Python."""
    names = [pin.name for pin in lock.select(PINS, [*lock.SETS, "setup"], machine(python))]
    assert sorted(names) == sorted(set(names))


def test_the_lock_has_hashes_and_no_address():
    """Every pin can be checked, belongs to a set, and nothing names a place to fetch it from."""
    text = lock.LOCK.read_text()
    assert [pin.name for pin in PINS if not pin.hashes or not pin.sets <= {*lock.SETS, "setup"} or not pin.sets] == []
    assert not re.search(r"https?:|//|--(index|extra|find|trusted)|@ ", text)
    assert text.startswith(pinning.HEAD)


def test_the_installer_is_locked_too():
    """uv and pip come from the lock like everything else."""
    assert {"uv", "pip"} <= {pin.name for pin in PINS if "setup" in pin.sets}


def test_single_wheels_are_locked_for_their_set():
    """What is taken without its dependencies is in the lock, and what it declares to need is not."""
    for name, requirements in PROJECT["tool"]["course"]["no-deps"].items():
        pins = {f"{pin.name}=={pin.version}" for pin in PINS if name in pin.sets}
        assert set(requirements) <= pins
    assert not {"llm", "llama-cpp-python"} & {pin.name for pin in PINS}


def test_the_conda_door_is_what_the_lock_makes():
    """environment.yml is exactly what `lock` would write now."""
    assert (lock.PROJECT / "environment.yml").read_text() == pinning.conda(PROJECT, PINS)


def test_the_conda_door_installs_the_locked_core():
    """On the Python that it names, its pip list is the core of the lock, and the course itself."""
    listed = yaml.safe_load((lock.PROJECT / "environment.yml").read_text())["dependencies"]
    *pins, own = listed[-1]["pip"]
    here = machine(listed[0].removeprefix("python=") + ".9")
    wanted = [f"{pin.name}=={pin.version}" for pin in lock.select(PINS, ["core"], here)]
    chosen = [text.partition(" ; ")[0] for text in pins if holds(text.partition(" ; ")[2], here)]
    assert (sorted(chosen), own) == (sorted(wanted), "-e .")


def test_every_import_is_declared():
    """Third-party code that course_utils imports is asked for in pyproject.toml, not merely there by luck."""
    from test_layers import imports_of, modules

    known = {lock.normal(requirement.name) for requirements in declared().values() for requirement in requirements}
    used = {name.partition(".")[0] for path in modules() for name in imports_of(path)} - sys.stdlib_module_names
    assert {name for name in used - {"course_utils"} if lock.normal(BROUGHT.get(name, name)) not in known} == set()


def test_one_version_everywhere():
    """The package, its metadata and the citation name the same edition, and the change log has an entry for it."""
    declared_version = PROJECT["project"]["version"]
    cited = yaml.safe_load((lock.PROJECT / "CITATION.cff").read_text("utf-8"))["version"]
    assert course_utils.__version__ == declared_version == cited
    assert f"\n## {declared_version}" in (lock.PROJECT / "CHANGELOG.md").read_text("utf-8")

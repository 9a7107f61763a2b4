"""What we add to nbval inside its pytest process: a kernel under watch, and one JSON line for every cell.

Layer 3: imports `watch`; loaded with `pytest -p`. The pytest process is ours, the kernel runs a
learner's code. Only verdicts are compared: what an answer prints or warns is its own business, even when a thread of
its own prints into the verdict's line.
"""

from __future__ import annotations

import json
import os
import re

import nbval.plugin
import pytest
from nbval.plugin import IPyNbCell, NbCellError

from course_utils.grading.watch import KernelDied, WatchedKernel

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
NO_VERDICT = r"(✓ [^\n✓]* · [0-9a-f]{16})|(?s:.)"  # all of a cell's output; group 1 where a receipted verdict stands


class EverythingBut(tuple):
    """The output keys that are not compared: all that are not in this tuple."""

    def __contains__(self, key: object) -> bool:
        """True when nbval is to leave `key` alone."""
        return not super().__contains__(key)


nbval.plugin.RunningKernel = WatchedKernel


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only the verdicts of check cells are compared."""
    for item in items:
        is_check = "check" in item.cell.metadata.get("tags", ())
        is_raising = "raises-exception" in item.cell.metadata.get("tags", ())
        item.options.clear()  # an answer may hold nbval's comment markers
        item.options.update(check=is_check, check_exception=is_raising)
        item.parent.skip_compare = EverythingBut(("stdout",))
        item.parent.sanitize_patterns[NO_VERDICT] = r"\1"


def pytest_runtest_setup(item: IPyNbCell) -> None:
    """A cell that took too long does not condemn the cells behind it: each is judged for itself."""
    item.parent.timed_out = False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: IPyNbCell, call: pytest.CallInfo) -> object:
    """Write the cell's line as soon as there is a result, so that a session which ends early loses nothing."""
    report = yield
    if call.when == "call" or (call.when == "setup" and call.excinfo):
        with open(os.environ["COURSE_GRADING_RESULTS"], "a", encoding="utf-8") as file:
            file.write(json.dumps(line_of(item, call)) + "\n")
    return report


def line_of(item: IPyNbCell, call: pytest.CallInfo) -> dict:
    """What became of one cell."""
    outputs = item.test_outputs or []
    error = next((output for output in outputs if "ename" in output), {})
    printed = "".join(output.get("text", "") for output in outputs if output.get("name") == "stdout")
    return {
        "folder": str(item.path.parent),
        "cell": item.cell.metadata.get("name", ""),
        "kind": kind_of(item, call, error),
        "why": getattr(item.parent.kernel, "why", "") or (str(call.excinfo.value)[:500] if call.excinfo else ""),
        "ename": str(error.get("ename", ""))[:200],
        "evalue": str(error.get("evalue", ""))[:5000],
        "traceback": COLOUR.sub("", "\n".join(map(str, error.get("traceback", ()))))[-5000:],
        "printed": printed[:2000],
    }


def kind_of(item: IPyNbCell, call: pytest.CallInfo, error: dict) -> str:
    """passed, raised, differs, timeout, flood, died, dead (before the cell began), or broken (ours)."""
    kernel, failure = item.parent.kernel, call.excinfo and call.excinfo.value
    if failure is None:
        return "flood" if kernel.flooded else "passed"
    if isinstance(failure, KernelDied):
        return "flood" if kernel.flooded else "died"
    if kernel is not None and kernel.is_dead and item.test_outputs is None:
        return "dead"
    if not isinstance(failure, NbCellError):
        return "broken"
    if kernel.flooded:
        return "flood"
    if kernel.why == "time" or "Timeout" in str(failure):
        return "timeout"
    return "raised" if error else "differs"

"""Running a notebook's cells in a fresh kernel, with a private course server.

Layer 3: imports `outputs`, `private_server` and `errors`; nbclient only when a notebook is run.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from course_utils import private_server
from course_utils.build.outputs import clean, refuse_outputs
from course_utils.errors import CourseError

CELL_TIMEOUT = 120  # seconds
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


async def execute(notebook: dict[str, Any], root: Path) -> dict[str, Any]:
    """The notebook with its outputs, cleaned.

    Raises:
        CourseError: A cell raised, took too long, or showed something that must not be stored.
    """
    import nbformat

    node = nbformat.from_dict(notebook)
    with tempfile.TemporaryDirectory(prefix="course-build-") as name:
        folder = Path(name)
        try:
            await run(node, folder)
        finally:
            private_server.stop(folder)
        clean(node, (folder, root))
        refuse_outputs(node, (folder, root))
    counts = [cell.execution_count for cell in node.cells if cell.cell_type == "code"]
    if counts != list(range(1, len(counts) + 1)):
        raise CourseError(f"The cells counted {counts}.", fix="build it again; nothing else may use the kernel.")
    return node


async def run(node: Any, folder: Path) -> None:
    """Execute in place, in the folder `work` inside `folder`."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    work = folder / "work"
    work.mkdir()
    client = NotebookClient(
        node,
        kernel_name="python3",
        timeout=CELL_TIMEOUT,
        coalesce_streams=True,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(work)}},
    )
    try:
        await client.async_execute(env=private_server.environment(folder), stderr=subprocess.DEVNULL)
    except CellExecutionError as error:
        raise CourseError(f"Cell {failed_cell(node)!r} raised {plain(error)}", fix="make it run.") from None
    except CellTimeoutError:
        fact = f"Cell {failed_cell(node)!r} still runs after {CELL_TIMEOUT} s."
        raise CourseError(fact, fix="make it shorter, or raise COURSE_SPEED.") from None
    except DeadKernelError:
        fact = f"The kernel died in or after cell {failed_cell(node)!r}."
        raise CourseError(fact, fix="look for what ends the process.") from None


def failed_cell(node: Any) -> str:
    """The name of the last cell that was begun."""
    begun = [cell for cell in node.cells if cell.cell_type == "code" and (cell.execution_count or cell.outputs)]
    code = [cell for cell in node.cells if cell.cell_type == "code"]
    return (begun or code)[-1].metadata.name if code else ""


def plain(error: Any) -> str:
    """The end of a traceback, without colours."""
    lines = COLOUR.sub("", error.traceback).rstrip().splitlines()
    return f"{error.ename}: {error.evalue}\n" + "\n".join("    " + line for line in lines[-25:])

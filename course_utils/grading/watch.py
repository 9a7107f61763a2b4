"""A kernel under watch, in place of nbval's: it notices a death within moments and reads output while a cell runs.

Layer 3: imports nothing from this package. nbval's own kernel waits out the whole cell timeout when the kernel has
died, leaves its channels and files behind, and lets output pile up unread. The kernel's folder, environment and
limits come from the file `kernel.json` beside the notebook.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections import deque
from pathlib import Path
from queue import Empty

from nbval.kernel import KernelManager, NbvalKernelspecManager, RunningKernel

PAUSE = 0.1  # seconds between two looks at a busy kernel
GRACE = 5.0  # seconds that an interrupted kernel has to come to rest
MOST_MESSAGES = 5000  # kept of one cell


class KernelDied(RuntimeError):
    """The kernel is gone, and nothing more can be asked of it."""


class WatchedKernel(RunningKernel):
    """nbval's kernel, with limits on time and output; `why` says what ended a cell early."""

    def __init__(self, kernel_name: str, cwd: str, startup_timeout: float = 60) -> None:
        """Start the kernel that `kernel.json` in the folder `cwd` describes."""
        setting = json.loads((Path(cwd) / "kernel.json").read_text("utf-8"))
        self.most_output = setting["most_output"]
        self.end = time.monotonic() + setting["budget"]
        self.why = ""
        self.messages: deque[dict] = deque()
        self.read = 0  # characters of output of this cell
        self.flooded = 0.0  # when the output limit was met; 0 when it was not
        self.is_dead = False
        # The seam for warm and sandboxed kernels: a kernel name whose spec names another provisioner.
        self.km = KernelManager(kernel_name=kernel_name, kernel_spec_manager=NbvalKernelspecManager())
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.km.start_kernel(cwd=setting["folder"], env=setting["environment"], **quiet)
        self.kc = self.km.client()
        self.kc.start_channels()
        try:
            self.kc.wait_for_ready(timeout=startup_timeout)
        except RuntimeError:
            self.stop()
            raise

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """Begin a cell; the limits on output count from here."""
        self.messages.clear()
        self.read, self.flooded, self.why = 0, 0.0, ""
        return super().execute_cell_input(cell_input, allow_stdin)

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """Wait for the end of a cell, reading its output meanwhile; raises Empty when time is up."""
        left = self.end - time.monotonic()
        deadline = time.monotonic() + min(left, timeout or left)
        if left <= 0:
            self.bury("the time for the whole notebook was used up")
        while True:
            self.drain()
            try:
                message = self.kc.get_shell_msg(timeout=PAUSE)
                if message["parent_header"].get("msg_id") == msg_id:
                    return self.refuse_exit(message["content"])
            except Empty:
                self.look(deadline)

    def refuse_exit(self, reply: dict) -> None:
        """After `exit()` the kernel lives on for a moment, long enough to run cells or not: end it at once."""
        if any(part.get("source") == "ask_exit" for part in reply.get("payload", ())):
            self.bury("the cell ended Python with exit() or quit()")

    def look(self, deadline: float) -> None:
        """Act on a death, an endless flood, or the end of the time."""
        if not self.km.is_alive():
            self.bury(f"the Python process ended with status {self.exit_status()}")
        if self.flooded and time.monotonic() > self.flooded + GRACE:
            self.bury(self.why)
        if time.monotonic() > deadline:
            self.why = self.why or "time"
            raise Empty

    def get_message(self, stream: str, timeout: float | None = None) -> dict:
        """The next message, within moments of a kernel's death also its end."""
        deadline = time.monotonic() + (timeout or 0)
        while stream == "iopub":
            self.drain()
            if self.messages:
                return self.messages.popleft()
            if not self.km.is_alive():
                self.bury(f"the Python process ended with status {self.exit_status()}")
            if time.monotonic() > deadline:
                raise Empty
            try:
                self.keep(self.kc.get_iopub_msg(timeout=PAUSE))
            except Empty:
                continue
        return super().get_message(stream, timeout)

    def drain(self) -> None:
        """Take what has arrived, but come back even when it never ends."""
        for _ in range(1000):
            try:
                self.keep(self.kc.get_iopub_msg(timeout=0))
            except Empty:
                return

    def keep(self, message: dict) -> None:
        """Keep a message within the limits; a status is always kept, for nbval waits for it."""
        if message.get("msg_type") == "status":
            self.messages.append(message)
            return
        self.read += size_of(message)
        if self.read <= self.most_output and len(self.messages) < MOST_MESSAGES:
            self.messages.append(message)
        elif not self.flooded:
            self.flooded = time.monotonic()
            self.why = f"it printed more than {self.most_output // 1000} kB"
            self.interrupt()

    def exit_status(self) -> object:
        """Of the kernel's process, as far as it can be known."""
        process = getattr(self.km.provisioner, "process", None)
        return "unknown" if process is None else process.poll()

    def bury(self, why: str) -> None:
        """End what is left of the kernel and say why; nbval would leave channels and files of a dead one behind."""
        self.why = why
        self.stop()
        raise KernelDied(why)

    def is_alive(self) -> bool:
        """True while cells can be run."""
        return not self.is_dead and super().is_alive()

    def stop(self) -> None:
        """End the kernel and tidy up; once is enough."""
        if not self.is_dead:
            self.is_dead = True
            self.kc.stop_channels()
            self.km.shutdown_kernel(now=True)
            self.km.cleanup_resources()

    def interrupt(self) -> None:
        """Ask the running cell to stop."""
        if not self.is_dead:
            super().interrupt()


def size_of(message: dict) -> int:
    """About how many characters of output a message carries."""
    content = message.get("content", {})
    data = content.get("data", {}) if isinstance(content.get("data"), dict) else {}
    parts = [content.get("text", ""), content.get("evalue", ""), *content.get("traceback", ()), *data.values()]
    return sum(len(part) if isinstance(part, str) else len(repr(part)) for part in parts) + 100

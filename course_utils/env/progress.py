"""One line per phase of a set-up, with the seconds it took; on a terminal the seconds count up meanwhile.

Imports the standard library only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO


class Failed(Exception):
    """A program ended with an error; `output` is all it said."""

    def __init__(self, output: str) -> None:
        super().__init__(output)
        self.output = output


class Progress:
    """Runs programs, one phase each, and keeps what they say in a log file."""

    def __init__(self, log: Path, out: TextIO | None = None, *, keeping: int | None = None) -> None:
        """`keeping` is an open file that the programs get too, except on Windows, which can't hand one on."""
        self.log = log
        self.out = out or sys.stdout
        self.kept = () if keeping is None or os.name == "nt" else (keeping,)

    def say(self, text: str) -> None:
        """Print one line."""
        print(text, file=self.out, flush=True)

    def run(self, phase: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Run one program to its end; its output goes to the log.

        Raises:
            Failed: It ended with an exit status other than 0.
        """
        began = time.monotonic()
        self.out.write(f"  {phase} ...")
        self.out.flush()
        with self.log.open("a+", encoding="utf-8", errors="replace") as log:
            log.write(f"\n$ {' '.join(command)}\n")
            log.flush()
            at = log.tell()
            with subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                pass_fds=self.kept,
            ) as process:
                status = self.wait(process, phase, began)
            log.seek(at)
            output = log.read()
        self.say(f" {'failed' if status else 'done'} after {time.monotonic() - began:.0f} s")
        if status:
            raise Failed(output)

    def wait(self, process: subprocess.Popen[bytes], phase: str, began: float) -> int:
        """The program's exit status; on Ctrl-C it is ended before the interruption goes on."""
        try:
            while True:
                try:
                    return process.wait(timeout=1.0 if self.out.isatty() else None)
                except subprocess.TimeoutExpired:
                    self.out.write(f"\r  {phase} ... {time.monotonic() - began:.0f} s")
                    self.out.flush()
        except KeyboardInterrupt:
            self.say("")
            process.terminate()
            process.wait()
            raise

"""One process at a time: a lock on a file, which the operating system lets go of however its holder ends.

Imports the standard library only. On a disk without locks (some network folders) everybody gets it at once: what is
done under it has to be safe then too, only slower or twice.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def only_one(path: Path, *, waiting: str = "") -> Iterator[int]:
    """Hold the lock file, which is made where it is missing; waits for its holder, and says `waiting` then.

    Yields:
        The open file. A child process that gets it as well holds the lock until it ends, even when we end before it.

    Raises:
        OSError: The file can't be opened.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not try_lock(handle, wait=False):
            if waiting:
                print(waiting, flush=True)
            while not try_lock(handle, wait=True):
                continue  # Windows gives up after ten seconds
        yield handle
    finally:
        os.close(handle)  # lets go of the lock as well


def try_lock(handle: int, *, wait: bool) -> bool:
    """Take the lock on an open file; False when another process has it, True also where there are no locks."""
    try:
        if os.name == "nt":
            import msvcrt  # only there

            msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # only here

            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        return error.errno != errno.EDEADLK
    return True

"""Who knows that everybody waits? Somebody in the program's own event loop who watches over a clock that jumps.

Layer 2: imports nothing from this package. The server sees its own requests alone, and a busy machine may need long
between two of them. So a task in the program's event loop asks how much has happened so far, makes sure that the loop
has nothing to do, and lets the clock jump if nothing has happened meanwhile.

A model that is called synchronously makes its event loop stand still, the watching task with it. A thread beside it
sees that, in the stack of the one that waits; whoever waits for anything else it sees by a process that computes
nothing. It counts looks, not seconds: a process that gets no turn does not look either.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager, suppress

LOOKS = 8  # so often in a row the event loop must have nothing to do
LOOK, IDLE = 0.001, 0.0005  # real seconds: from look to look; of computing within one, for a loop that is idle
BESIDE = 0.02  # real seconds from look to look at a thread that may stand still
STILL, RESTING = 50, 0.002  # so many looks in a row; of computing by the whole process from one to the next
CALL, READING = "langchain_openai", "httpcore/_sync/http11.py"  # parts of the file names on the stack of such a thread


async def watch(jump: Callable[[int], int]) -> None:
    """Let the clock jump whenever this event loop has nothing to do; runs until it is cancelled.

    Args:
        jump: Given the number of changes seen, lets the clock jump unless there were more, and gives their number.
    """
    seen = -1
    while True:
        await quiet()
        seen = await asyncio.to_thread(jump, seen)


async def quiet() -> None:
    """Return once the running event loop has had nothing to do for a few looks in a row.

    A call that is being prepared goes round in the loop's queue of callbacks, or computes. asyncio has no public way
    to look at that queue; a loop without one is judged by the computing alone.
    """
    queue: Sized = getattr(asyncio.get_running_loop(), "_ready", ())
    looks = 0
    while looks < LOOKS:
        before = time.process_time()
        await asyncio.sleep(LOOK)
        is_idle = not queue and time.process_time() - before < IDLE
        looks = looks + 1 if is_idle else 0


@contextmanager
def watched_beside(jump: Callable[[int], int]) -> Iterator[None]:
    """While the block runs: let the clock jump whenever this thread stands still.

    At once in a synchronous call of a model; anywhere else only when the whole process has been at rest for long.
    """
    thread, is_over = threading.get_ident(), threading.Event()

    def look() -> None:
        seen, still, computed = -1, 0, time.process_time()
        with suppress(Exception):  # the server may be gone before the block has ended
            while not is_over.wait(BESIDE):
                still = still + 1 if time.process_time() - computed < RESTING else 0
                seen = jump(seen) if stands_still(thread) or still >= STILL else -1
                computed = time.process_time()

    threading.Thread(target=look, daemon=True).start()
    try:
        yield
    finally:
        is_over.set()


def stands_still(thread: int) -> bool:
    """True when this thread waits for a model's answer, and for nothing else."""
    frame, files = sys._current_frames().get(thread), []
    while frame is not None:
        files.append(frame.f_code.co_filename.replace("\\", "/"))
        frame = frame.f_back
    return any(READING in file for file in files) and any(CALL in file for file in files)

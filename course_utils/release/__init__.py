"""The learner's folder: the course without solutions, tests and held-back cases, with numbers of one's own if wanted.

Layer 3: imports `build`'s modules, `learners`, `server.own_numbers` and `tasks`. Importing this package imports
nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Run `python -m course_utils release ...`; the exit status."""
    from course_utils.release.command import run

    return run(argv)

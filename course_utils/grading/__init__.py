"""Grading: a learner's answers among the reference's own checks, run by nbval, believed only when the judge agrees.

Layer 3: imports neither langchain nor matplotlib. Importing this package imports nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Run `python -m course_utils grade ...`; the exit status: 0 all passed, 1 not all, 2 nothing could be judged."""
    from course_utils.grading.command import run

    return run(argv)

"""Text to notebooks: source/*.py is the truth, the three notebook folders are built from it.

Layer 3: imports neither langchain nor matplotlib. Importing this package imports nothing else.

    lessons/NN_slug.py    ->  notebooks/NN_slug.ipynb   executed
    exercises/NN_slug.py  ->  solutions/NN_slug.ipynb   executed
                          ->  exercises/NN_slug.ipynb   answers blanked, not executed
"""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Run `python -m course_utils build ...`; the exit status."""
    from course_utils.build.command import run

    return run(argv)

"""Solution markers: an answer cell with its solution, and the same cell for the learner to fill in.

Layer 3: imports `errors` only. Works on the text of one cell; lines count from 1 within it.
"""

from __future__ import annotations

import re

from course_utils.errors import CourseError

MARKER = re.compile(r"(?P<indent>[ \t]*)# solution[ \t]*")
NEARLY = re.compile(r"[ \t]*#+\s*solutions?\b\W*", re.IGNORECASE)
STUB = ("# your code here", "raise NotImplementedError")


def markers(text: str) -> list[int]:
    """The numbers of the lines that say `# solution`.

    Raises:
        CourseError: A line is nearly a marker, such as `#Solution:`.

    >>> markers("def f():\\n    # solution\\n    return 1")
    [2]
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if MARKER.fullmatch(line):
            found.append(number)
        elif NEARLY.fullmatch(line):
            raise CourseError(f"Line {number} of the cell says {line.strip()!r}.", fix="write it '# solution'.")
    return found


def solved(text: str) -> str:
    """The cell with its solution, without the markers.

    >>> solved("def f():\\n    # solution\\n    return 1")
    'def f():\\n    return 1'
    """
    return "\n".join(line for line in text.splitlines() if not MARKER.fullmatch(line))


def blanked(text: str) -> str:
    """The cell with every solution replaced by a line that raises NotImplementedError.

    Raises:
        CourseError: A marker has nothing behind it, or stands inside another solution.

    >>> print(blanked("def f():\\n    # solution\\n    return 1\\n\\nx = 2"))
    def f():
        # your code here
        raise NotImplementedError
    <BLANKLINE>
    x = 2
    """
    lines, kept, number = text.splitlines(), [], 0
    while number < len(lines):
        marker = MARKER.fullmatch(lines[number])
        if not marker:
            kept.append(lines[number])
            number += 1
            continue
        end = block_end(lines, number, marker["indent"])
        kept += [marker["indent"] + line for line in STUB]
        number = end
    return "\n".join(kept)


def block_end(lines: list[str], marker: int, indent: str) -> int:
    """The index behind the last line of the block that begins after the line with index `marker`."""
    end = marker + 1
    for index in range(marker + 1, len(lines)):
        line = lines[index]
        if line.strip() and not line.startswith(indent):
            break
        if MARKER.fullmatch(line):
            raise CourseError(
                f"Line {index + 1} of the cell is a '# solution' inside another one.",
                fix="keep the outer one, or end its block first.",
            )
        if line.strip():
            end = index + 1
    if end == marker + 1:
        raise CourseError(
            f"Nothing follows '# solution' in line {marker + 1} of the cell.", fix="write the solution under it."
        )
    return end

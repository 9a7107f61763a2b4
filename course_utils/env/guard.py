"""Whether this Python can run the course, said so that any Python 3 can say it.

Imports the standard library only. Keep the syntax that of Python 3.6: no annotations, no newer forms.
"""

import os
import subprocess
import sys

OLDEST = (3, 11)
NEWEST = (3, 13)  # crewai, which holds the other versions in the lock, has none for 3.14 yet


def works(name):
    """True when a program of this name starts; version managers leave names on the path that don't."""
    try:
        with open(os.devnull, "w") as nowhere:
            return subprocess.call([name, "-c", ""], stdout=nowhere, stderr=nowhere) == 0
    except OSError:
        return False


def refusal(version=None, works=works, arguments=()):
    """What to tell somebody whose Python is too old or too new; "" when it is right.

    Args:
        version: (major, minor, micro, ...) of the Python in question; this one by default.
        works: Says whether a program of this name starts.
        arguments: What followed `-m course_utils`, repeated in the advice.
    """
    version = tuple(version or sys.version_info)
    if OLDEST <= version[:2] <= NEWEST:
        return ""
    fact = "The course runs on Python 3.11, 3.12 and 3.13; this is Python {}.".format(".".join(map(str, version[:3])))
    for name in ("python3.12", "python3.13", "python3.11"):
        if works(name):
            return "{}\n  Try: {}".format(fact, " ".join((name, "-m", "course_utils") + tuple(arguments)))
    return fact + "\n  Try: install Python 3.12 and run the same command with it."

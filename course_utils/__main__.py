"""`python3 -m course_utils`: the door to every command, readable by any Python 3.

Top layer. An unfit Python must get one clear sentence, so this file keeps to the syntax of Python 3.6 and imports
the rest only once the version is known to be right.
"""

import sys

from course_utils.env.guard import refusal


def main():
    """Run the command named on the command line; gives the exit status."""
    sentence = refusal(arguments=sys.argv[1:])
    if sentence:
        sys.stderr.write(sentence + "\n")
        return 2
    from course_utils.commands import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())

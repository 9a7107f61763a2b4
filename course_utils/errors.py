"""The exceptions that this package raises on purpose.

Layer 0: imports nothing from this package.
"""


class CourseError(Exception):
    """A fact that stops the work, and the next step for the person who reads it.

    Args:
        fact: What is the case, with the offending value; a whole sentence.
        fix: What to do next, in lower case and without "please"; printed after "Try:".
    """

    def __init__(self, fact: str, fix: str) -> None:
        super().__init__(fact, fix)
        self.fact = fact
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.fact}\n  Try: {self.fix}"

    def _render_traceback_(self) -> list[str]:
        """What IPython prints instead of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class CheckFailed(Exception):
    """An answer that its task does not accept yet.

    Args:
        text: What the learner reads.
        shown: What IPython prints instead, where the text has been shown already.
    """

    def __init__(self, text: str, shown: str = "") -> None:
        super().__init__(text)
        self.shown = shown or text

    def _render_traceback_(self) -> list[str]:
        """What IPython prints instead of a traceback."""
        return [self.shown]


class ServiceError(Exception):
    """A service that an answer called refused, or could not do what it was asked.

    Args:
        status: As HTTP has it, such as 409 or 503.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status

    def __str__(self) -> str:
        return f"{self.status}: {self.args[1]}"

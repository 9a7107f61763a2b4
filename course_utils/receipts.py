"""Receipts: what makes a verdict line that the judge printed while grading different from one that anybody can print.

Layer 0: imports nothing from this package. The key never leaves the grader and the judge.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

SEPARATOR = " · "  # between the line and its receipt


def receipt(key: bytes, submission: str, check: str, verdict: str) -> str:
    """Sixteen hex digits that only the owner of `key` can compute.

    Args:
        key: The grading key, at least 16 bytes.
        submission: The opaque id of this run of this submission.
        check: Such as "chain.gate".
        verdict: The status, such as "passed".

    >>> receipt(b"0123456789abcdef", "s1", "chain.gate", "passed")
    '65df39b6f912bb23'
    """
    told = "\0".join((submission, check, verdict)).encode()
    return hmac.new(key, told, hashlib.sha256).hexdigest()[:16]


def success_line(check: str, cases: int) -> str:
    """The one line that a passed check prints.

    >>> success_line("chain.gate", 5)
    '✓ chain.gate: 5 of 5 cases'
    """
    return f"✓ {check}: {cases} of {cases} cases"


def sealed(line: str, key: bytes, submission: str, check: str, verdict: str) -> str:
    """The verdict line as it is printed while grading: with its receipt behind it."""
    return f"{line}{SEPARATOR}{receipt(key, submission, check, verdict)}"


def grading_key(environ: Mapping[str, str]) -> bytes | None:
    """The key in $COURSE_GRADING_KEY (hex digits, given to the server process alone); None outside of grading."""
    return bytes.fromhex(environ.get("COURSE_GRADING_KEY", "")) or None

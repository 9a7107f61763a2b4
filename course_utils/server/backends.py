"""The backends by the names that learners use.

Layer 1: imports `errors`, and each backend only when it is chosen: two of them need packages of their own.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import CourseError

if TYPE_CHECKING:
    from .wire import Backend

MODELS = ("practice", "local", "openai")


def make_backend(model: str, *, upstream_url: str | None = None, gguf: str | Path | None = None) -> Backend:
    """The backend that a learner names.

    Raises:
        CourseError: There is no such model, or its key, package or file is missing.
    """
    if model == "practice":
        from .practice import PracticeModel

        return PracticeModel()
    if model == "local":
        from .local import Local

        return Local(gguf)
    if model == "openai":
        from .upstream import from_environment

        return from_environment(upstream_url)
    raise CourseError(f"There is no model {model!r} to serve.", fix=f"name one of {', '.join(MODELS)}.")


def refuse_loop(base_url: str, port: int) -> None:
    """Refuse to forward to the very port we listen on: every request would come back for ever.

    Raises:
        CourseError: It is this server's own address.
    """
    parts = urlsplit(base_url)
    host = (parts.hostname or "").lower()
    is_here = host in ("localhost", "::1", "0.0.0.0", socket.gethostname().lower()) or host.startswith("127.")
    if is_here and (parts.port or 80) == port:
        raise CourseError(
            f"The course server would forward to itself: {base_url} is its own address.",
            fix="unset OPENAI_BASE_URL, or give the provider's address with --upstream-url.",
        )

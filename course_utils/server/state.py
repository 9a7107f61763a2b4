"""The server's state: what it was started with, and what its parts share.

Layer 1: imports `guard`, `log`, `scopes` and `wire`. All of it belongs to the event loop that serves the app.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .guard import MOST_BYTES
from .log import Log
from .scopes import Scopes
from .wire import Backend


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server is started with."""

    token: str = field(repr=False)  # the owner's secret
    log_path: Path
    backend: Backend
    speed: float = 1.0  # course seconds in a real one
    most_scopes: int = 1000
    most_bytes: int = MOST_BYTES  # of a request's body


class Course:
    """The server's state, as `app.state.course`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.backend = settings.backend
        self.log = Log(settings.log_path)
        self.scopes = Scopes(settings.token, settings.backend, settings.speed, settings.most_scopes)
        self.scopes.last_id = lambda: self.log.last_id
        self.clients: set[int] = set()  # process ids of kernels that use the server
        self.on_stop: Callable[[], None] | None = None  # set by whoever runs the server

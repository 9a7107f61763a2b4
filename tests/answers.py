"""All tables of right and wrong answers, by check; each exercise has a module of its own beside this one."""

from __future__ import annotations

from collections.abc import Callable

import answers_approval
import answers_chains
import answers_chunks
import answers_fallbacks
import answers_limits
import answers_parallel
import answers_retries
import answers_routing
import answers_runs
import answers_state
import answers_workers

Answer = Callable[..., object]
TABLES = (
    answers_chains,
    answers_chunks,
    answers_parallel,
    answers_limits,
    answers_routing,
    answers_workers,
    answers_state,
    answers_retries,
    answers_fallbacks,
    answers_approval,
    answers_runs,
)
RIGHT: dict[str, list[Answer]] = {check: list(found) for table in TABLES for check, found in table.RIGHT.items()}
WRONG: dict[str, dict[Answer, str]] = {check: found for table in TABLES for check, found in table.WRONG.items()}


def name_of(value: object) -> str:
    """How an answer, or a check, is called in a list of tests."""
    return value if isinstance(value, str) else getattr(value, "__name__", type(value).__name__)

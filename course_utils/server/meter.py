"""Counting tokens where the backend did not: broken-off answers, scripted ones, and what a fault puts in their place.

Layer 1: imports `practice.tokens` and `wire`. It counts like the practice model, so that all figures agree.
"""

from __future__ import annotations

from collections.abc import Iterable

from .practice.tokens import count_prompt, count_tokens
from .wire import ChatRequest, Usage


def of_prompt(request: ChatRequest) -> int:
    """Tokens of the request: messages, tools and schema."""
    return count_prompt(request.messages, request.tools, request.response_format)


def usage(request: ChatRequest, answers: Iterable[str]) -> Usage:
    """The usage of a request that was answered with these texts, one for each choice (or with one text)."""
    texts = [answers] if isinstance(answers, str) else answers
    return Usage(of_prompt(request), sum(map(count_tokens, texts)))

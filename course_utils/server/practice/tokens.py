"""The tokenizer of the practice model: every count of tokens in the course comes from here.

Layer 1: imports `records` and `wire`. A token is, with at most one blank before it, up to 6 letters, or up to
3 digits, or up to 2 signs; further white space is cut into runs of up to 4. English prose gives about 1.3 tokens a
word, close to the tokenizers of the big providers; other scripts come out cheaper than there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from course_utils.records import text_of
from course_utils.server.wire import Message

TOKEN = re.compile(r" ?[^\W\d_]{1,6}| ?\d{1,3}| ?[^\w\s]{1,2}|\s{1,4}|.", re.DOTALL)
PER_MESSAGE = 3  # role and separators
PER_ANSWER = 3  # the opening of the answer


def tokens(text: str) -> list[str]:
    """The text cut into tokens; joined they give the text again.

    >>> tokens("Refund MB-10484, please.")
    ['Refund', ' MB', '-', '104', '84', ',', ' please', '.']
    """
    return TOKEN.findall(text)


def count_tokens(text: str) -> int:
    """Number of tokens of the text.

    >>> count_tokens("Refund MB-10484, please.")
    8
    """
    return len(TOKEN.findall(text))


def count_prompt(
    messages: Sequence[Message],
    tools: list[dict[str, Any]] | None = None,
    response_format: dict[str, Any] | None = None,
) -> int:
    """Tokens of a whole request: texts, tool calls, tool descriptions, the schema, and 3 for each message."""
    total = PER_ANSWER
    for message in messages:
        total += PER_MESSAGE + count_tokens(text_of(message.content)) + count_tokens(message.name or "")
        if message.tool_calls:
            total += sum(count_tokens(compact(call.get("function"))) for call in message.tool_calls)
    if tools:
        total += count_tokens(compact(tools))
    if response_format and response_format.get("type") == "json_schema":
        total += count_tokens(compact(response_format.get("json_schema")))
    return total


def compact(value: Any) -> str:
    """JSON without blanks between its parts."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

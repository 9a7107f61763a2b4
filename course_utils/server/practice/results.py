"""An answer in words, built from what the tools returned.

Layer 1: imports siblings only.
"""

from __future__ import annotations

import json
import re
from typing import Any

from course_utils.server.practice.context import Context
from course_utils.server.practice.retrieval import best_sentences
from course_utils.server.practice.words import sentences

FAILED = re.compile(
    r"\b(?:error|not found|no such|unknown|failed|exception|invalid|nothing found|no result)\b", re.IGNORECASE
)
ORDER_LIKE = re.compile(r"[A-Z]{2}-\d+$")


def parsed(text: str) -> Any:
    """The JSON value of a text, or None when it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def from_results(context: Context) -> str:
    """An answer in words, built from the results of the tools; each result gets its sentence."""
    said = [_said(name, arguments, result, context) for name, arguments, result in context.reading.results]
    return " ".join(dict.fromkeys(part for part in said if part)) or "The tools returned nothing that answers this."


def said_of_number(arguments: str, result: str) -> str:
    """The result of a sum as a sentence; "" when the result is no number."""
    result = result.strip()
    if not re.fullmatch(r"-?[\d.,]+(?:e[+-]?\d+)?", result):
        return ""
    asked = parsed(arguments)
    given = ", ".join(str(value) for value in asked.values()) if isinstance(asked, dict) else arguments
    return f"{given} = {result}." if given and re.search(r"\d", given) else f"The result is {result}."


def _said(name: str, arguments: str, result: str, context: Context) -> str:
    asked = parsed(arguments)
    given = ", ".join(str(value) for value in asked.values()) if isinstance(asked, dict) else arguments
    result = result.strip()
    if not result or (len(result) < 200 and FAILED.search(result)):
        return f"{name or 'The tool'} found nothing for {given or 'this'}" + (f": {result}" if result else ".")
    value = parsed(result)
    if isinstance(value, dict):
        return _from_object(value, context)
    if isinstance(value, list):
        return " ".join(_from_object(each, context) if isinstance(each, dict) else f"{each}." for each in value[:3])
    if number := said_of_number(arguments, result):
        return number
    return " ".join(best_sentences(context.text, result, 2)) or " ".join(sentences(result)[:2])


def _from_object(value: dict[str, Any], context: Context) -> str:
    """A JSON object as a sentence: its name first, then what it says."""
    subject = next((str(value[key]) for key in ("order_id", "id", "title", "name") if value.get(key)), "")
    text = next((str(value[key]) for key in ("text", "answer", "content", "result", "snippet") if value.get(key)), "")
    if text:
        return " ".join(best_sentences(context.text, text, 2) or sentences(text)[:2])
    parts = [
        f"{key.replace('_', ' ')}: {'; '.join(map(_short, part)) if isinstance(part, list) else _short(part)}"
        for key, part in value.items()
        if part not in (None, "", [], {}) and str(part) != subject
    ]
    return (
        f"{'Order ' if ORDER_LIKE.match(subject) else ''}{subject or 'Result'} – {', '.join(parts)}."
        if parts
        else f"{subject}."
    )


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(str(part) for part in value.values())
    return str(value)

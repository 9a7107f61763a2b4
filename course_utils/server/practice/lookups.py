"""What a tool says about an order, in words that a customer understands.

Layer 1: imports siblings only. Understands records as JSON objects or as lines ("MB-10484: delivered, 179.00 euros"),
words of a state, sentences, refusals and silence.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from course_utils.server.practice import facts
from course_utils.server.practice.results import FAILED, parsed
from course_utils.server.practice.words import sentences

STATES = (
    (r"refunded", "has been refunded{when}"),
    (r"cancel\w*", "was cancelled{when}"),
    (r"returned|sent back", "has come back to us{when}"),
    (r"out for delivery", "is out for delivery{when}"),
    (r"delivered", "was delivered{when}"),
    (r"shipped|dispatched|in transit|on its way|sent", "was shipped{when} and is on its way to you"),
    (r"delayed", "is delayed"),
    (r"processing|pending|being packed|in preparation|open|placed|received", "is being prepared and has not left us"),
)
STATE_DATES = {"shipped": ("shipped", "dispatched"), "delivered": ("delivered",), "returned": ("returned",)}
NOT_THERE = re.compile(r"\bno such\b|not found|\bunknown\b|does ?n[o']t exist|\bno order\b|^\W*(?:none|null)\W*$", re.I)
EMPTY = re.compile(r"\s*(?:\{\s*\}|\[\s*\]|null|none|true|false)?\s*", re.IGNORECASE)
RECORD = re.compile(r"^\s*(?:order )?[A-Z]{2,5}-\d{3,8}\s*[:,;|–-]\s*", re.IGNORECASE)
MONEY_TALK = re.compile(
    r"pay|paid|charg|refund|invoice|money|€|\btotal\b|\bcard\b|\bbank\b|price|amount|belastet|betrag|rembours", re.I
)
SILENT = ("order_id", "id", "order", "number", "customer", "name", "email", "items", "shipping", "discount", "currency")


def order_of(arguments: str, result: str) -> str:
    """The number of the order that a call was about, or ""."""
    value = parsed(result)
    inside = str(value.get("order_id") or value.get("id") or "") if isinstance(value, dict) else ""
    start = RECORD.match(result)
    found = facts.order_ids(f"{arguments} {inside} {start.group() if start else ''}")
    return found[0] if found else ""


def order_sentences(order: str, result: str, message: str) -> list[str]:
    """What a letter says about an order; never empty.

    >>> order_sentences("MB-10510", "MB-10510: shipped, 249.00 euros, paid by card", "Where is my parcel?")
    ['According to our records, order MB-10510 was shipped and is on its way to you.']
    """
    value = parsed(result)
    value = value[0] if isinstance(value, list) and value else value
    fields = _fields(value) if isinstance(value, dict) else {}
    text = (
        " ".join(str(part) for part in fields.values()) if fields else "" if EMPTY.fullmatch(result) else result.strip()
    )
    has_state = _phrase(_state(fields or _split(text))) != ""
    if not has_state and (not text or "error" in fields or (len(text) < 200 and FAILED.search(text))):
        return [_failure(order, text)]
    if fields:
        return _said(order, fields, message)
    if RECORD.match(text) or len(text.split()) <= 3:
        return _said(order, _split(text), message)
    return sentences(text)[:2]


def _fields(value: dict[str, Any]) -> dict[str, Any]:
    inner = [each for each in value.values() if isinstance(each, dict)]
    value = inner[0] if len(value) <= 2 and len(inner) == 1 else value
    return {key: each for key, each in value.items() if each not in (None, "", [], {}) and not isinstance(each, dict)}


def _split(text: str) -> dict[str, Any]:
    """The parts of a line as fields: a state, a sum, a way to pay; what else there is gets a number."""
    found: dict[str, Any] = {}
    for at, part in enumerate(re.split(r"[,;|]\s+", RECORD.sub("", text).rstrip(". "))):
        if paid := re.match(r"paid (?:by|with) (.+)", part, re.IGNORECASE):
            found["payment"] = paid[1]
        elif facts.amounts(part) and len(part.split()) <= 3:
            found["total"] = facts.amounts(part)[0]
        elif part.strip() and (_phrase(part) or not found):
            found.setdefault("status", part.strip())
        elif part.strip():
            found[f"#{at}"] = part.strip()
    return found


def _failure(order: str, text: str) -> str:
    if NOT_THERE.search(text):
        return (
            f"I could not find order {order}: there is no such order in our records. "
            "Could you check the number in your confirmation e-mail?"
        )
    return f"I cannot see the state of order {order} at the moment; a colleague will check it by hand."


def _state(fields: dict[str, Any]) -> str:
    return str(fields.get("status") or fields.get("state") or "")


def _phrase(state: str) -> str:
    return next((phrase for pattern, phrase in STATES if re.search(rf"\b(?:{pattern})\b", state, re.I)), "")


def _said(order: str, fields: dict[str, Any], message: str) -> list[str]:
    said = []
    if state := _state(fields):
        phrase = _phrase(state).format(when=_when(state, fields)) or f"has the status “{state}”"
        said.append(f"According to our records, order {order} {phrase}.")
    if (total := fields.get("total") or fields.get("amount")) and (not state or MONEY_TALK.search(message)):
        paid = f", paid by {fields['payment']}" if fields.get("payment") else ""
        said.append(f"Its total is {_money(total)}{paid}.")
    if fields.get("refunded"):
        said.append(f"{_money(fields['refunded'])} has been refunded.")
    known = (*SILENT, "status", "state", "total", "amount", "payment", "refunded")
    for key, value in fields.items():
        if key in known or key.endswith(("_on", "_at")) or isinstance(value, list | bool):
            continue
        said.append(f"Our records also say: {value}." if key[0] == "#" else f"{_title(key)}: {value}.")
    return said or [f"Order {order} is in our records."]


def _title(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _when(state: str, fields: dict[str, Any]) -> str:
    """ " on 7 May", where the record knows the day of the state."""
    for prefix, words in STATE_DATES.items():
        day = str(fields.get(f"{prefix}_on") or fields.get(f"{prefix}_at") or "")[:10]
        if any(word in state.lower() for word in words) and facts.ISO_DATE.fullmatch(day):
            when = date.fromisoformat(day)
            return f" on {when.day} {facts.MONTHS[when.month - 1].capitalize()}"
    return ""


def _money(value: Any) -> str:
    return f"€{value:.2f}" if isinstance(value, int | float) else str(value)

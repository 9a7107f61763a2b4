"""Values for one field of a schema, by its name, its description, and its place in a list.

Layer 1: imports `world` and siblings.
"""

from __future__ import annotations

import re
from typing import Any

from course_utils import world
from course_utils.server.practice import facts
from course_utils.server.practice.context import Context, plain_name
from course_utils.server.practice.providers import FACTS, PROVIDERS

ITEM_TEXT = re.compile(
    r"\b(?:title|task|sub ?task|description|instruction|goal|text|name|step|question|topic|content|query|prompt|"
    r"summary|action|objective|brief|product|article|device|item)\b"
)
QUANTITY = re.compile(r"\b(?:quantity|quantities|count|pieces|amount|number)\b")
ITEM_NUMBER = re.compile(r"^(?:id|number|index|order|step|position|nr|no|step (?:number|id)|task id|priority)$")


def candidates(name: str, about: str, context: Context) -> list[Any]:
    """Values for a field, best first.

    Args:
        name: The field's name; "" at the root.
        about: The field's description in the schema.
    """
    plain = plain_name(name)
    if context.item:
        number, text = context.item
        if ITEM_NUMBER.search(plain):
            return [number + 1, str(number + 1)]
        if ITEM_TEXT.search(plain) or not plain:
            return [text]
        if QUANTITY.search(plain) and text in {each.name for each in world.products()}:
            return [facts.quantity_of(text, context.text)]
    for pattern, provider in PROVIDERS:
        if pattern.search(plain):
            return provider(context)
    for pattern, provider in FACTS:  # a description is prose and mentions much else
        if about and pattern.search(about.lower()):
            return provider(context)
    return []

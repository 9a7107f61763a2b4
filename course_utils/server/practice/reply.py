"""From a request to an answer: read it, let the right skill work, and put the result into the form asked for.

Layer 1: imports siblings and `wire`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from course_utils.server.practice import critique, writing
from course_utils.server.practice.answering import ABOUT, answer_question
from course_utils.server.practice.answers import Answer
from course_utils.server.practice.context import Context
from course_utils.server.practice.improving import improve
from course_utils.server.practice.limits import (
    item_schema,
    json_keys,
    language,
    language_name,
    sentence_limit,
    wants_json,
    wants_list,
    word_limit,
)  # fmt: skip
from course_utils.server.practice.merge import merge
from course_utils.server.practice.noise import Noise
from course_utils.server.practice.oneword import has_material, named_fields, one_label
from course_utils.server.practice.plan import as_list, count_wanted, plan
from course_utils.server.practice.reading import Reading, read
from course_utils.server.practice.schema import fill
from course_utils.server.practice.sizes import Size
from course_utils.server.practice.summarise import summarise
from course_utils.server.practice.tooling import use_tools
from course_utils.server.practice.translate import translate
from course_utils.server.practice.valid import check_schema, refuse
from course_utils.server.wire import ChatRequest

KEYS = {  # the keys of a JSON answer when the prompt names none
    "classify": ["label"], "critique": ["score", "verdict", "feedback"], "summarise": ["summary"], "plan": ["subtasks"],
    "translate": ["translation"], "draft": ["reply"], "improve": ["reply"], "merge": ["text"],
    "extract": ["order_id", "amount", "date"],
}  # fmt: skip
# AutoGen's agents end a conversation with a word that their system prompt names.
LAST_WORD = re.compile(
    r"\b(?:reply|respond|end|finish|answer|say)\b[^.\n]{0,60}?\b(TERMINATE|DONE|FINISHED|"
    r"STOP)\b",
    re.IGNORECASE,
)
AGENT_FORMAT = re.compile(r"^\s*Final Answer:", re.MULTILINE)


def answer(request: ChatRequest, size: Size, noise: Noise) -> Answer:
    """What the model says to a request.

    Raises:
        ApiError: A tool or a schema in the request is beyond the model.
    """
    reading = read(request)
    writer = Writer(reading, size, noise)
    made = use_tools(request, writer.context)
    if made and made.calls:
        return made
    wanted = _schema(request)
    if wanted is not None:
        return Answer(json.dumps(_object(wanted, writer), ensure_ascii=False))
    text = made.text if made else writer.text(reading.skill)
    if AGENT_FORMAT.search(reading.system) or AGENT_FORMAT.search(reading.user):
        text = f"Thought: I now can give a great answer\nFinal Answer: {text}"  # the form that CrewAI's agents expect
    if word := LAST_WORD.search(reading.system):
        text = f"{text}\n\n{word[1]}"
    return Answer(text)


def _schema(request: ChatRequest) -> dict[str, Any] | None:
    """The schema that the answer must satisfy; {} for any JSON object; None for text."""
    wanted = request.response_format or {}
    if wanted.get("type") == "json_object":
        return {}
    if wanted.get("type") != "json_schema":
        return None
    outer = wanted.get("json_schema")
    schema = outer.get("schema") if isinstance(outer, dict) else None
    if schema is None:
        raise refuse("'json_schema.schema' is missing")
    return check_schema(schema)


def _object(schema: dict[str, Any], writer: Writer) -> Any:
    if schema:
        return fill(schema, writer.context)
    keys = (
        json_keys(writer.reading.instruction)
        or json_keys(writer.reading.user)
        or KEYS.get(writer.reading.skill, ["answer"])
    )
    return fill({"type": "object", "properties": {key: {} for key in keys}, "required": keys}, writer.context)


class Writer:
    """One request on its way to a text."""

    def __init__(self, reading: Reading, size: Size, noise: Noise) -> None:
        self.reading = reading
        self.size = size
        self.noise = noise
        self.context = Context(reading, size, noise, self.prose)

    def text(self, skill: str) -> str:
        """The answer of a skill, as JSON where the instruction wants that."""
        if wants_json(self.reading.instruction) and skill not in ("about", "translate", "calculate"):
            return self.fenced(self.json(skill))
        return self.prose(skill)

    def json(self, skill: str) -> str:
        instruction = self.reading.instruction
        if skill == "plan" and wants_list(instruction) and (part := item_schema(instruction)):
            return json.dumps(fill({"type": "array", "items": part}, self.context), ensure_ascii=False)
        if skill == "plan" and (wants_list(instruction) or not json_keys(instruction)):
            return json.dumps(self.steps(), ensure_ascii=False)
        return json.dumps(_object({}, self), ensure_ascii=False)

    def fenced(self, text: str) -> str:
        """JSON as models like to give it when nothing holds them back."""
        if self.reading.is_correction or not self.noise.chance(self.size.fences, "fence"):
            return text
        return self.noise.pick((f"```json\n{text}\n```", f"Here is the JSON you asked for:\n{text}"), "which fence")

    def steps(self) -> list[str]:
        reading = self.reading
        task = reading.section("task", "goal", "request", "topic") or reading.subject or reading.user
        return plan(task, count_wanted(reading, task), self.size, self.noise)

    def prose(self, skill: str) -> str:
        """The answer of a skill, as text."""
        reading, size, noise = self.reading, self.size, self.noise
        words, most = word_limit(reading.instruction), sentence_limit(reading.instruction)
        if skill == "classify":
            return one_label(self.context)
        if skill == "summarise":
            return summarise(reading.subject, size, noise, words, most) or ABOUT
        if skill == "translate":
            return (
                translate(reading.subject, language(reading.instruction) or "de", language_name(reading.instruction))
                or ABOUT
            )
        if skill == "plan":
            return as_list(self.steps())
        if skill == "merge":
            return merge(reading, size, noise) or ABOUT
        if skill == "draft":
            return writing.draft(reading, size, noise)
        if skill == "improve":
            return improve(reading, size, noise)
        if skill == "critique":
            return critique.spelled(critique.review(reading, size, noise), reading.instruction)
        if skill in ("extract", "answer", "") and (asked := named_fields(self.context)):
            return asked
        if skill == "extract" and has_material(self.context):
            return self.extracted()
        return ABOUT if skill == "about" else answer_question(reading, size, noise)

    def extracted(self) -> str:
        keys = json_keys(self.reading.instruction) or KEYS["extract"]
        part = {"anyOf": [{"type": "string"}, {"type": "null"}]}
        found = fill({"type": "object", "properties": dict.fromkeys(keys, part), "required": keys}, self.context)
        return "\n".join(f"{key}: {value if value is not None else 'not stated'}" for key, value in found.items())

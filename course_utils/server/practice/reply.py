"""From a request to an answer: read it, let the right skill work, and put the result into the form asked for.

Layer 1: imports siblings and `wire`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from course_utils import world
from course_utils.server.practice import critique, writing
from course_utils.server.practice.answering import ABOUT, answer_question
from course_utils.server.practice.answers import Answer
from course_utils.server.practice.classify import classify
from course_utils.server.practice.context import Context
from course_utils.server.practice.fields import candidates
from course_utils.server.practice.improving import improve
from course_utils.server.practice.labels import Label, find_labels, label
from course_utils.server.practice.limits import (
    item_count,
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
from course_utils.server.practice.plan import as_list, plan
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
STRICT = re.compile(r"\b(?:only|nothing else|exactly one|just the|no punctuation|no explanation)\b", re.IGNORECASE)
EXPLAINS = re.compile(r"\b(?:explain|reasons?|why|step by step|justify|think)\b", re.IGNORECASE)
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
        count = item_count(reading.instruction) or item_count(reading.user)
        return plan(task, count, self.size, self.noise)

    def prose(self, skill: str) -> str:
        """The answer of a skill, as text."""
        reading, size, noise = self.reading, self.size, self.noise
        words, most = word_limit(reading.instruction), sentence_limit(reading.instruction)
        if skill == "classify":
            return self.label()
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
        if skill == "extract":
            return self.extracted()
        return ABOUT if skill == "about" else answer_question(reading, size, noise)

    def extracted(self) -> str:
        keys = json_keys(self.reading.instruction) or KEYS["extract"]
        part = {"anyOf": [{"type": "string"}, {"type": "null"}]}
        found = fill({"type": "object", "properties": dict.fromkeys(keys, part), "required": keys}, self.context)
        return "\n".join(f"{key}: {value if value is not None else 'not stated'}" for key, value in found.items())

    def label(self) -> str:
        """One label, plain or dressed up as models do."""
        reading = self.reading
        labels = find_labels(reading.instruction) or find_labels(reading.user)
        labels = labels or [label(each, world.MEANINGS[each]) for each in world.LABELS]
        chosen = classify(self.context.text, labels, self.size, self.noise)
        if EXPLAINS.search(reading.instruction) and word_limit(reading.instruction) is None:
            return f"{chosen.text}. {self.context_reason()}"
        share = self.size.decorates / (2 if STRICT.search(reading.instruction) else 1)
        if reading.is_correction or not self.noise.chance(share, "decorates"):
            return chosen.text
        return self.decorated(chosen, labels)

    def context_reason(self) -> str:
        return str(candidates("reason", "", self.context)[0])

    def decorated(self, chosen: Label, labels: list[Label]) -> str:
        """The label in one of the dresses that break a naive router."""
        capital = chosen.text[:1].upper() + chosen.text[1:]
        others = [each.text for each in labels if each.text != chosen.text and not each.is_rest] or [labels[0].text]
        wrong = self.noise.pick(others, "other label")
        forms = (
            f"**{capital}**.", f"Category: {chosen.text}", f"{capital}.", f'"{chosen.text}"',
            f"This is not {wrong}; it is {chosen.text}.", f"The best choice is {chosen.text}.",
        )  # fmt: skip
        return self.noise.pick(forms, "dress")

"""Routers of the lessons: which tool the practice models choose for a query, and how often they are right."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from course_utils.server.practice import measure
from course_utils.server.practice.noise import Noise
from course_utils.server.practice.reply import answer
from course_utils.server.practice.sizes import LARGE, SIZES
from course_utils.server.wire import ChatRequest

DOCUMENT = Path(__file__).parent.parent / "docs" / "PRACTICE_MODEL.md"
PROMPT = "Which tool should handle this query: calculator, search or none? Answer with one word.\nQuery: "
CAREFUL = replace(
    LARGE, sure=0, unsure=0, obeys=0, decorates=0, fences=0, misses=0, rambles=0, forgets=0, miscounts=0
)  # the rules alone, without drawn mistakes

QUERIES = {
    "calculator": [
        "What is 17 * 23?",
        "How much is 249 - 129?",
        "What is 12 + 30?",
        "Please calculate 15% of 280.",
        "What is (3 + 4) * 2.5?",
        "Divide 1024 by 16.",
        "What is 35 times 12, please?",
        "What do 4 Moles at €35 each cost: 4 * 35?",
        "Add up 19.90, 4.90 and 35.00.",
        "How much is 20 per cent of 179?",
        "What is the square root of 144?",
        "Compute 2 to the power of 10.",
        "3.5 x 8",
        "I have 129 + 24 euros in my basket, what is that?",
        "What is the average of 12, 15 and 21?",
    ],
    "search": [
        "How do I connect the Robin to Wi-Fi?",
        "Where is my invoice?",
        "Do you ship to Norway?",
        "Can I find an invoice that I lost?",
        "How long does a refund take?",
        "My hub blinks amber. What does that mean?",
        "Which batteries does the Wren need?",
        "How do I cancel Merrowby Plus?",
        "Is the demonstration garden open on Friday?",
        "What does the warranty cover?",
        "Who founded Rome?",
        "When is the Wren in forest green back in stock?",
        "Find the article about frost damage.",
        "Can I pay by bank transfer?",
        "What is the capital of Norway?",
        "How far does a Mole reach through walls?",
        "Error E7 on my Burrow",
        "The Otter drips at the tap",
    ],
    "none": [
        "Please write a poem about moles.",
        "Good morning!",
        "Thank you, that was very kind.",
        "Tell me a joke about robins.",
        "How are you today?",
        "Sing me a song.",
        "Write a short story about a garden shed.",
        "Translate 'good morning' into French.",
        "What is your favourite colour?",
        "ok",
        "You are funny.",
        "Do you dream of gardens?",
        "Have a nice weekend!",
        "Please rewrite this sentence in a friendlier way: Your parcel is late.",
        "I love my new camera!",
    ],
}
CASES = [(query, tool) for tool, queries in QUERIES.items() for query in queries]


def routed(model: str, query: str) -> str:
    """The tool that a person reads out of the reply: the last one named."""
    return (re.findall("calculator|search|none", measure.ask(model, PROMPT + query).lower()) or [""])[-1]


def by_rules(user: str, system: str = "") -> str:
    turns = [{"role": "system", "content": system}] if system else []
    request = ChatRequest(model="practice-large", messages=[*turns, {"role": "user", "content": user}])
    return answer(request, CAREFUL, Noise("")).text


@pytest.mark.parametrize(("query", "tool"), CASES, ids=[query for query, _ in CASES])
def test_the_rules_choose_by_what_the_query_asks(query, tool):
    """Without drawn mistakes a sum goes to the calculator, a question to the search, chat to none."""
    assert by_rules(PROMPT + query) == tool


def test_routing_accuracy_is_the_one_stated():
    """The large model is nearly always right, the small one mostly; the document says how often."""
    assert len(CASES) >= 40
    right = {model: sum(routed(model, query) == tool for query, tool in CASES) for model in SIZES}
    row = re.search(
        r"^\| tool for a query.*?\| (\d+) of (\d+) .*\| (\d+) of \2 .*\|$", DOCUMENT.read_text(encoding="utf-8"), re.M
    )
    assert (int(row[1]), int(row[3]), int(row[2])) == (*right.values(), len(CASES))
    small, large = (good / len(CASES) for good in right.values())
    assert 0.7 <= small < large and large >= 0.94


def test_routers_get_dressed_answers():
    """Some answers are more than the bare word, at about the documented share: that is what breaks a naive router."""
    bare = {
        model: sum(measure.ask(model, PROMPT + query) == routed(model, query) for query, _ in CASES) for model in SIZES
    }
    dressed = [len(CASES) - each for each in bare.values()]
    assert 5 <= dressed[0] <= 20 and dressed[1] <= 5, dressed


OTHERS = [  # system prompt, query, tool
    ("Choose one tool.\n- search_help: finds help articles\n- look_up_order: shows the state of an order\n- none: chat",
     "Where is MB-10510?", "look_up_order"),
    ("Choose one tool.\n- search_help: finds help articles\n- look_up_order: shows the state of an order\n- none: chat",
     "How do I reset the hub?", "search_help"),
    ("Choose one tool.\n- search_help: finds help articles\n- look_up_order: shows the state of an order\n- none: chat",
     "Tell me a joke.", "none"),
    ("Which tool fits? Answer with its name.\n- math: works out sums\n- web: searches the internet\n"
     "- faq: the shop's questions and answers", "What is 3 * 4?", "math"),
    ("Which tool fits? Answer with its name.\n- math: works out sums\n- web: searches the internet\n"
     "- faq: the shop's questions and answers", "Who won the race in Monza?", "web"),
    ("Which tool fits? Answer with its name.\n- math: works out sums\n- web: searches the internet\n"
     "- faq: the shop's questions and answers", "How long is the warranty?", "faq"),
    ("Reply with one tool: weather, calculator, translator, none.", "Will it rain in Oslo tomorrow?", "weather"),
    ("Reply with one tool: weather, calculator, translator, none.", "Translate into German: the hub", "translator"),
    ("Reply with one tool: weather, calculator, translator, none.", "What is 9 * 9?", "calculator"),
    ("Reply with one tool: weather, calculator, translator, none.", "Hello there!", "none"),
    ("You are a router. Tools: calculator, search. Answer with one word.", "Do you ship to Norway?", "search"),
    ("You are a router. Tools: calculator, search. Answer with one word.", "17 + 4", "calculator"),
    ("Which tool? Options:\n1. unit_converter: converts metres, feet and inches\n2. search: finds articles\n3. none",
     "Convert 12 feet to metres.", "unit_converter"),
]  # fmt: skip


@pytest.mark.parametrize(("system", "query", "tool"), OTHERS)
def test_other_vocabularies(system, query, tool):
    """Tools go by their names and by the meanings that the prompt gives them."""
    assert by_rules(query, system) == tool


def test_tool_as_an_enum():
    """A schema's enum of tools is filled by the same rules."""
    schema = {
        "type": "object",
        "properties": {"tool": {"enum": ["calculator", "search", "none"]}},
        "required": ["tool"],
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "route", "schema": schema}}
    said = []
    for query in ("Where is my invoice?", "What is 3 * 4?", "Write a poem."):
        turns = [{"role": "user", "content": f"Choose a tool.\nQuery: {query}"}]
        request = ChatRequest(model="practice-large", messages=turns, response_format=wanted)
        said.append(answer(request, CAREFUL, Noise("")).text)
    assert said == [f'{{"tool": "{tool}"}}' for tool in ("search", "calculator", "none")]

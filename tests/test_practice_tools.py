"""Tools: which are chosen, with which arguments, in which shape, and that agent loops end with an answer."""

import json

import pytest

from course_utils import world
from course_utils.server.practice import PracticeModel
from course_utils.server.wire import ApiError, ChatRequest


def tool(name, about, **parameters):
    """A tool as ChatOpenAI sends it; all parameters are required texts."""
    properties = {key: {"type": "string", "description": value} for key, value in parameters.items()}
    schema = {"type": "object", "properties": properties, "required": list(parameters)}
    return {"type": "function", "function": {"name": name, "description": about, "parameters": schema}}


CALCULATOR = tool("calculator", "Work out an arithmetic expression.", expression="such as 3 * 4")
SEARCH = tool("search", "Search the web.", query="what to search for")
ORDER = tool("look_up_order", "Look up an order by its number.", order_id="such as MB-10484")
HELP = tool("search_help", "Search the help centre.", query="what to search for")
MODELS = ("practice-small", "practice-large")


def ask(turns, tools, model="practice-large", **options):
    """The assistant's message, put together from the pieces as a client does."""
    turns = [{"role": "user", "content": turns}] if isinstance(turns, str) else turns
    text, calls, reason = "", {}, None
    for piece in PracticeModel().pieces(
        ChatRequest(model=model, temperature=0, messages=turns, tools=tools, **options)
    ):
        text += piece.text
        reason = piece.finish_reason or reason
        if delta := piece.tool_call:
            call = calls.setdefault(
                delta["index"], {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
            )
            call["id"] += delta.get("id", "")
            for key, part in delta["function"].items():
                call["function"][key] += part
    return {"role": "assistant", "content": text or None, "tool_calls": list(calls.values()) or None}, reason


def called(message):
    return [
        (call["function"]["name"], json.loads(call["function"]["arguments"])) for call in message["tool_calls"] or ()
    ]


CHOICES = [
    ("What is 19.5 * 12?", [("calculator", {"expression": "19.5 * 12"})]),
    ("Please calculate (3 + 4) times 2.", [("calculator", {"expression": "(3 + 4) * 2"})]),
    ("What is 15% of 280?", [("calculator", {"expression": "15 / 100 * 280"})]),
    ("Search for frost damage", [("search", {"query": "frost damage"})]),
    ("Who founded Rome?", [("search", {"query": "Who founded Rome"})]),
    (
        "What is 3 * 4 and who founded Rome?",
        [("calculator", {"expression": "3 * 4"}), ("search", {"query": "who founded Rome"})],
    ),
    ("Hello!", []),
]


@pytest.mark.parametrize(("question", "wanted"), CHOICES)
@pytest.mark.parametrize("model", MODELS)
def test_calculator_or_search(question, wanted, model):
    """The tool that fits is called with fitting arguments; both when both are needed; none for a greeting."""
    message, reason = ask(question, [CALCULATOR, SEARCH], model)
    assert (called(message), reason) == (wanted, "tool_calls" if wanted else "stop")


def test_two_orders_are_two_calls():
    """Each order number gets its own call, in one message."""
    message, _ = ask("Compare MB-10402 and MB-10407.", [ORDER, HELP])
    assert called(message) == [("look_up_order", {"order_id": "MB-10402"}), ("look_up_order", {"order_id": "MB-10407"})]
    assert len({call["id"] for call in message["tool_calls"]}) == 2


def test_one_call_at_a_time():
    """With parallel_tool_calls off there is one call to a message."""
    message, _ = ask("Compare MB-10402 and MB-10407.", [ORDER, HELP], parallel_tool_calls=False)
    assert called(message) == [("look_up_order", {"order_id": "MB-10402"})]


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ("none", []),
        ("required", ["search"]),
        ({"type": "function", "function": {"name": "calculator"}}, ["calculator"]),
    ],
)
def test_tool_choice(choice, wanted):
    """none, required and a named tool are obeyed whatever the question is."""
    message, _ = ask("Good morning!", [CALCULATOR, SEARCH], tool_choice=choice)
    assert [name for name, _ in called(message)] == wanted


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "fax"}}])
def test_impossible_tool_choice(choice):
    """A choice that no tool fits is refused with 400."""
    with pytest.raises(ApiError) as caught:
        ask("hi", [CALCULATOR] if isinstance(choice, dict) else None, tool_choice=choice)
    assert (caught.value.status, caught.value.param) == (400, "tool_choice")


def test_deltas_have_openai_shape():
    """The first delta of a call has id, type and name; later ones only arguments."""
    made = PracticeModel().pieces(
        ChatRequest(
            model="practice-small",
            temperature=0,
            messages=[{"role": "user", "content": "What is 3 * 4?"}],
            tools=[CALCULATOR],
        )
    )
    first, *rest = [piece.tool_call for piece in made if piece.tool_call]
    assert (first["index"], first["type"], first["function"]) == (
        0,
        "function",
        {"name": "calculator", "arguments": ""},
    )
    assert first["id"].startswith("call_") and len(first["id"]) == 29
    assert all(delta.keys() == {"index", "function"} and delta["function"].keys() == {"arguments"} for delta in rest)


def look_up(name, arguments):
    """The tools of the lessons, for real."""
    if name == "look_up_order":
        order = world.order(arguments["order_id"])
        return (
            json.dumps({"order_id": order.id, "status": order.status, "total": order.total})
            if order
            else "Error: no such order."
        )
    if name == "search_help":
        article = world.article("delivery") if "carrier" in arguments["query"] else world.article("refunds")
        return article.text
    return str(eval(arguments["expression"]))


def run_agent(question, tools, model, most=10):
    """The plain agent loop of the lesson: the answer, and the names of all calls."""
    turns = [
        {"role": "system", "content": "You are the support agent of Merrowby."},
        {"role": "user", "content": question},
    ]
    names = []
    for _ in range(most):
        message, _ = ask(turns, tools, model)
        turns.append(message)
        if not message["tool_calls"]:
            return message["content"], names
        for call in message["tool_calls"]:
            name, arguments = call["function"]["name"], json.loads(call["function"]["arguments"])
            names.append(name)
            turns.append({"role": "tool", "tool_call_id": call["id"], "content": look_up(name, arguments)})
    raise AssertionError(f"no answer after {most} rounds: {names}")


AGENT = [
    ("Where is order MB-10510?", ["look_up_order"], ["MB-10510", "shipped"]),
    (
        "Where is MB-10510, and how long does a search with the carrier take?",
        ["look_up_order", "search_help"],
        ["shipped", "8 working days"],
    ),
    ("How long does a refund take?", ["search_help"], ["working days"]),
    ("Is my refund for MB-99999 done?", ["look_up_order"], ["MB-99999", "no such order"]),
    ("What is 17 * 4?", ["calculator"], ["68"]),
    ("Hi!", [], ["Merrowby"]),
]


@pytest.mark.parametrize(("question", "names", "parts"), AGENT)
@pytest.mark.parametrize("model", MODELS)
def test_agent_loop_ends_with_an_answer_from_the_results(question, names, parts, model):
    """The loop calls what is needed once, and its answer holds what the tools returned."""
    answer, seen = run_agent(question, [CALCULATOR, ORDER, HELP], model)
    assert (seen, [part for part in parts if part not in answer]) == (names, []), answer


def test_agent_loop_ends_on_every_ticket():
    """No ticket, however odd, makes the agent go on for ever, and every answer has words."""
    for ticket in world.tickets():
        answer, names = run_agent(ticket.text, [ORDER, HELP], "practice-small")
        assert answer.strip() and len(names) <= 3, ticket
        assert ("look_up_order" in names) == (ticket.order_id is not None), ticket


def test_calls_count_as_completion():
    """Tool calls cost completion tokens, and max_tokens cuts them."""
    turns = [{"role": "user", "content": "What is 3 * 4?"}]
    made = list(
        PracticeModel().pieces(ChatRequest(model="practice-small", messages=turns, tools=[CALCULATOR], max_tokens=2))
    )
    assert (made[-1].finish_reason, made[-1].usage.completion_tokens) == ("length", 2)

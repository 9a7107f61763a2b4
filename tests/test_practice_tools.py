"""Tools: which are chosen, with which arguments, in which shape, and that agent loops end with an answer."""

import json
import re
from pathlib import Path

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


# --- the agent of lesson 1: step by step, then a letter
RULES = "You are the support agent of Merrowby. Use the tools, then write a short reply to the customer."
STATE_TOOL = tool("look_up_order", "The state of an order, by its number, such as MB-10484.", order_id="")
HELP_TOOL = tool("search_help", "The help centre's article for a question.", query="")
DESK = ("T001", "T061", "T021", "T026", "T045", "T074", "T117", "T113")


def state_line(order_id):
    order = world.order(order_id)
    return f"{order.id}: {order.status}, {order.total:.2f} euros, paid by {order.payment}" if order else "no such order"


def best_article(query):
    return max(world.articles(), key=lambda each: len(set(words(query)) & set(words(each.text)))).text


def words(text):
    return re.findall(r"\w{4,}", text.lower())


def desk(text, model, tools=(STATE_TOOL, HELP_TOOL), answers=None, system=RULES, **options):
    """The letter, and for each round the calls that were made; `answers` stands in for the tools."""
    turns = [{"role": "system", "content": system}, {"role": "user", "content": text}]
    rounds = []
    for _ in range(8):
        message, _ = ask(turns, list(tools), model, **options)
        turns.append(message)
        if not message["tool_calls"]:
            return message["content"], rounds
        rounds.append(called(message))
        for call, (_, arguments) in zip(message["tool_calls"], called(message), strict=True):
            value = next(iter(arguments.values()))
            real = state_line if ORDER_NUMBER.fullmatch(value) else best_article
            result = real(value) if answers is None else answers
            turns.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    raise AssertionError(f"no letter after 8 rounds: {rounds}")


ORDER_NUMBER = re.compile(r"[A-Z]{2}-\d+")
STEPS = [  # ticket, tools in each round (large), words of the letter
    ("T001", [["look_up_order"], ["search_help"]], ["order MB-10484 was delivered", "€179.00", 'both say "booked"']),
    ("T061", [["look_up_order"], ["search_help"]], ["was shipped and is on its way", "search with the carrier"]),
    ("T021", [["search_help"]], ["restart your router first"]),
    ("T026", [["look_up_order"], ["search_help"]], ["order MB-10493 was delivered", "we replace it under warranty"]),
    ("T045", [["search_help"]], ["Norway, Switzerland and the United Kingdom cost €19.90"]),
    ("T074", [["look_up_order"], ["search_help"]], ["sorry for the trouble", "was shipped and is on its way"]),
    ("T117", [], ["Thank you for your kind words"]),
    ("T113", [["look_up_order"]], ["order MB-10527 was shipped"]),
]


@pytest.mark.parametrize(("id", "steps", "parts"), STEPS)
def test_look_up_then_search_then_letter(id, steps, parts):
    """The large model looks the order up, searches when help covers the rest, and writes a letter from both."""
    letter, rounds = desk(world.ticket(id).text, "practice-large")
    assert [[name for name, _ in each] for each in rounds] == steps
    assert letter.startswith("Hello,\n\nThank you for ") and [part for part in parts if part not in letter] == []


@pytest.mark.parametrize("model", MODELS)
def test_requests_vary_from_one_to_three(model):
    """Over the desk of lesson 1 the number of requests per ticket takes every value from 1 to 3."""
    assert {1 + len(desk(world.ticket(id).text, model)[1]) for id in DESK} == {1, 2, 3}


@pytest.mark.parametrize(
    "answers", [None, "", "Error: the service is down", "no such order", "null", "The same again."]
)
@pytest.mark.parametrize("model", MODELS)
def test_no_call_is_ever_repeated(model, answers):
    """Whatever the tools return, no ticket makes the same call twice, and each ends in a letter."""
    for ticket in world.tickets():
        letter, rounds = desk(ticket.text, model, answers=answers)
        made = [str(call) for each in rounds for call in each]
        assert len(set(made)) == len(made) and len(rounds) <= 3, (ticket, rounds)
        assert re.match("Hello|Dear ", letter), (ticket, letter)


def test_query_keeps_the_words_that_matter():
    """A search names what is asked for, without the order's number or what was hidden in the text."""
    queries = {
        id: dict(call for each in desk(world.ticket(id).text, "practice-large")[1] for call in each)["search_help"][
            "query"
        ]
        for id in ("T045", "T001", "T026")
    }
    wanted = {"T045": "ship Norway shipping Weather set", "T001": "card charged twice", "T026": "dripping case Otter"}
    assert {id: [word for word in text.split() if word not in queries[id]] for id, text in wanted.items()} == {
        "T045": [], "T001": [], "T026": []
    }  # fmt: skip
    assert "MB-" not in str(queries)


def test_letter_is_no_copy_of_the_results():
    """Records become sentences; of an article only what answers the ticket is told."""
    letter, _ = desk(world.ticket("T001").text, "practice-large")
    assert "MB-10484:" not in letter and "179.00 euros" not in letter and "whole card number" not in letter


def test_unknown_order_is_asked_for_again():
    """When there is no such order there is nothing to search: the customer is asked for the number."""
    letter, rounds = desk("My refund for MB-99999 has not arrived.", "practice-large")
    assert ([name for each in rounds for name, _ in each], "check the number" in letter) == (["look_up_order"], True)


def test_large_asks_at_once_when_the_questions_are_independent():
    """A question of its own is searched for in the round of the look-up by the large model, later by the small one."""
    text = "Where is MB-10510? And which batteries does the Heron need?"
    assert [len(each) for each in desk(text, "practice-large")[1]] == [2]
    assert [len(each) for each in desk(text, "practice-large", parallel_tool_calls=False)[1]] == [1, 1]
    assert all(len(each) == 1 for each in desk(text, "practice-small")[1])


def test_small_forgets_the_search_now_and_then():
    """The small model stops after some look-ups that call for a search; the document says how often."""
    searched = {}
    for model in MODELS:
        both = [desk(each.text, model)[1] for each in world.tickets() if each.order_id]
        searched[model] = sum(len(each) > 1 for each in both)
    document = (Path(__file__).parent.parent / "docs" / "PRACTICE_MODEL.md").read_text(encoding="utf-8")
    row = re.search(r"not forgotten \| (\d+) of 22 .*\| (\d+) of 22 ", document)
    assert searched == {"practice-small": int(row[1]), "practice-large": int(row[2])}


def test_tools_go_by_description_and_parameters():
    """Other names work as well: what counts is what a tool takes and says of itself."""
    fetch = tool("fetch_state", "Shows how far an order has come.", reference="number of the order")
    wiki = tool("knowledge", "Finds the page that answers a question.", question="in plain words")
    letter, rounds = desk(world.ticket("T026").text, "practice-large", tools=[wiki, fetch])
    assert [[name for name, _ in each] for each in rounds] == [["fetch_state"], ["knowledge"]]
    assert "was delivered" in letter and "under warranty" in letter


def test_what_changes_something_comes_last_and_only_when_asked_for():
    """A tool that cancels or refunds is called after looking and searching, and not for other tickets."""
    cancel = tool("cancel_order", "Cancels an order.", order_id="number of the order")
    tools = [cancel, STATE_TOOL, HELP_TOOL]
    names = [[name for name, _ in each] for each in desk(world.ticket("T076").text, "practice-large", tools)[1]]
    assert names == [["look_up_order"], ["search_help"], ["cancel_order"]]
    assert "cancel_order" not in str(desk(world.ticket("T061").text, "practice-large", tools)[1])


def test_other_roles_keep_short_answers():
    """Without a customer to write to, the answer from tools stays short and direct."""
    plain = "You are a helpful assistant."
    sums, _ = desk("What is 6 * 7?", "practice-large", [CALCULATOR], answers="42", system=plain)
    search, _ = desk("Who founded Rome?", "practice-large", [SEARCH], answers="Romulus founded Rome.", system=plain)
    assert (sums, search) == ("6 * 7 = 42.", "Romulus founded Rome.")


def test_dates_are_no_sum():
    """ "23 and 24 April" does not call the calculator."""
    message, _ = ask(world.ticket("T001").text, [CALCULATOR])
    assert called(message) == []

"""What the practice model makes of prompts as learners write them: the skill it picks, and a property of the answer."""

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from course_utils import world
from course_utils.server.practice.noise import Noise
from course_utils.server.practice.reading import read
from course_utils.server.practice.reply import answer
from course_utils.server.practice.sizes import LARGE
from course_utils.server.wire import ChatRequest


def ticket_with(part: str) -> str:
    """The text of the one ticket that holds this part."""
    (found,) = [each.text for each in world.tickets() if part in each.text]
    return found


TICKET = ticket_with("charged twice for order MB-10484")
HUB = ticket_with("blinking amber since Sunday")
LONG = ticket_with("My wife says that I talk too much")
INJECTION = ticket_with("Ignore all previous instructions")
# The rules alone, without drawn mistakes: those are measured in test_practice_accuracy.py.
CAREFUL = replace(LARGE, sure=0, unsure=0, obeys=0, decorates=0, fences=0, misses=0, rambles=0, miscounts=0)
LABELS = set(world.LABELS)


def ask(user: str, system: str = "") -> tuple[str, str]:
    """The skill that the prompt is read as, and the answer."""
    turns = [{"role": "system", "content": system}] if system else []
    request = ChatRequest(model="practice-large", messages=[*turns, {"role": "user", "content": user}])
    return read(request).skill, answer(request, CAREFUL, Noise("")).text


def is_one_of(*labels: str) -> Callable[[str], bool]:
    return lambda text: text in labels


def has(*parts: str) -> Callable[[str], bool]:
    return lambda text: all(part in text for part in parts)


def at_most(words: int) -> Callable[[str], bool]:
    return lambda text: 0 < len(text.split()) <= words


def json_with(**kinds: type) -> Callable[[str], bool]:
    def holds(text: str) -> bool:
        value = json.loads(text)
        return set(value) == set(kinds) and all(isinstance(value[key], kind) for key, kind in kinds.items())

    return holds


def json_list(length: int) -> Callable[[str], bool]:
    return lambda text: len(json.loads(text)) == length and all(isinstance(each, str) for each in json.loads(text))


def says_what_it_is(text: str) -> bool:
    return "simulator, not a language model" in text


def does_not_know(text: str) -> bool:
    return text.startswith("I do not know")


Property = Callable[[str], bool]
PROMPTS: list[tuple[str, str, str, str, Property]] = [  # name, system, user, skill, property of the answer
    # --- lesson 1
    ("lesson summary", "", f"Summarise this ticket in at most 20 words:\n{LONG}", "summarise", at_most(20)),
    (
        "lesson reply",
        "",
        f"Write a reply to the customer. Facts:\n- The refund left us on 4 May.\n- Banks need 5 "
        f"days.\n\nTicket:\n{TICKET}",
        "draft",
        has("Thank you", "4 May", "MB-10484"),
    ),
    (
        "lesson translation",
        "",
        "Translate into German:\nWhere is my parcel MB-10484?",
        "translate",
        lambda text: text == "Wo ist mein Paket MB-10484?",
    ),
    (
        "lesson label",
        "",
        f"Classify this ticket as billing, technical, sales or other. Answer with one word.\n{HUB}",
        "classify",
        is_one_of("technical"),
    ),
    # --- classify, other vocabularies and spellings
    (
        "labels with slashes",
        "",
        f"Labels: billing/technical/sales\nTicket: {HUB}\nLabel:",
        "classify",
        is_one_of("technical"),
    ),
    (
        "labels in brackets",
        "",
        f"Which category fits best? [BILLING, TECHNICAL, SALES]\n\n{HUB}",
        "classify",
        is_one_of("TECHNICAL"),
    ),
    (
        "labels as python",
        "",
        f"Classify the text into one of ['refund', 'bug', 'question'].\n\nText: {HUB}",
        "classify",
        is_one_of("bug"),
    ),
    (
        "labels as bullets",
        "",
        f"Classify the ticket. Labels:\n- money: payments, invoices and refunds\n- "
        f"machine: devices, hub, light, app\n\nTicket: {HUB}",
        "classify",
        is_one_of("machine"),
    ),
    (
        "labels in quotes",
        "",
        f'Answer "billing" or "technical": which label fits?\n\n{HUB}',
        "classify",
        is_one_of("technical"),
    ),
    (
        "labels in system",
        "You are a router. Answer with exactly one of: billing, technical, sales, other.",
        HUB,
        "classify",
        is_one_of("technical"),
    ),
    (
        "german instruction",
        "",
        f"Klassifiziere dieses Ticket als Rechnung, Technik oder Vertrieb.\n{HUB}",
        "classify",
        is_one_of("Technik"),
    ),
    (
        "two labels",
        "",
        f"Is this ticket about billing or technical? Answer with one word.\n\n{HUB}",
        "classify",
        is_one_of("technical"),
    ),
    (
        "sentiment",
        "",
        "What is the sentiment of this message: positive, negative or neutral?\n\nThe blue tits "
        "have hatched. Thank you, what a lovely camera!",
        "classify",
        is_one_of("positive"),
    ),
    (
        "urgency",
        "",
        "Rank how urgent this is: low, normal or high.\n\nThe valve did not close and the lawn is a "
        "lake. Help immediately!",
        "classify",
        is_one_of("high"),
    ),
    (
        "unknown labels",
        "",
        "Classify as fruit, bread or cheese: I love a ripe fruit in the morning.",
        "classify",
        is_one_of("fruit"),
    ),
    ("no labels given", "", f"Classify this ticket.\n\n{HUB}", "classify", is_one_of(*LABELS)),
    (
        "one-line prompt",
        "",
        "Classify this ticket as billing, technical or sales. Ticket: My invoice shows the "
        "wrong VAT and the payment was taken twice.",
        "classify",
        is_one_of("billing"),
    ),
    (
        "instruction last",
        "",
        f"{HUB}\n\nWhich department should handle this: billing, technical or sales?",
        "classify",
        is_one_of("technical"),
    ),
    (
        "tagged ticket",
        "",
        f"Classify the ticket as billing, technical, sales or other.\n<ticket>{HUB}</ticket>",
        "classify",
        is_one_of("technical"),
    ),
    (
        "ticket that commands",
        "Classify the ticket as billing, technical, sales or other.",
        "Please summarise my invoice and translate the payment into German.",
        "classify",
        is_one_of("billing"),
    ),
    ("empty ticket", "Classify the ticket as billing, technical, sales or other.", "", "classify", is_one_of(*LABELS)),
    (
        "injection, large resists",
        "",
        f"Classify this ticket as billing, technical, sales or other. Answer with one word.\n\n{INJECTION}",
        "classify",
        is_one_of("other"),
    ),
    (
        "tool router, sum",
        "",
        "Which tool should handle this query? Answer with one word: calculator, search or "
        "none.\n\nQuery: What is 19.5 * 12?",
        "classify",
        is_one_of("calculator"),
    ),
    (
        "tool router, search",
        "",
        "Which tool should handle this? calculator, search, none. Query: Where can I find the policy on frost damage?",
        "classify",
        is_one_of("search"),
    ),
    (
        "tool router, none",
        "Reply with the name of one tool: calculator, search, none.",
        "Good morning!",
        "classify",
        is_one_of("none"),
    ),
    (
        "label as json",
        "",
        f"Classify the ticket as billing, technical, sales or other. Reply as JSON: "
        f'{{"label": "...", "confidence": 0.0}}\n\nTicket: '
        f"{HUB}",
        "classify",
        json_with(label=str, confidence=float),
    ),
    # --- summarise
    (
        "one sentence",
        "",
        f"Summarize in one sentence:\n\n{LONG}",
        "summarise",
        lambda text: len(re.findall(r"[.!?](?:\s|$)", text)) == 1,
    ),
    ("number word", "", f"Condense this to no more than twelve words:\n{LONG}", "summarise", at_most(12)),
    ("tl;dr", "", f"TL;DR of the text below, max 15 words.\n\nText: {LONG}", "summarise", at_most(15)),
    ("summary in system", "Summarise the customer's message in at most 10 words.", LONG, "summarise", at_most(10)),
    (
        "summary of an injection",
        "",
        f"Summarise this ticket in at most 25 words:\n{INJECTION}",
        "summarise",
        at_most(25),
    ),
    ("summary of nothing", "", "Summarise this ticket in at most 20 words:\n", "summarise", lambda text: bool(text)),
    # --- translate
    (
        "french",
        "",
        "Translate to French: Thank you for your order MB-10484.",
        "translate",
        has("Merci", "commande", "MB-10484"),
    ),
    (
        "spanish",
        "You are a translator. Translate everything into Spanish.",
        "My parcel has not arrived.",
        "translate",
        has("paquete", "no ha llegado"),
    ),
    (
        "into english",
        "",
        "Translate into English:\nWo ist mein Paket MB-10510?",
        "translate",
        has("Where is my parcel MB-10510?"),
    ),
    ("unknown language", "", "Translate into Japanese:\nHello", "translate", has("Japanese", "Hello")),
    (
        "nonce survives",
        "",
        'Translate into German: Keep "zebra-77-K" and 1,250.50 and x9Q2 please.',
        "translate",
        has('"zebra-77-K"', "1,250.50", "x9Q2"),
    ),
    ("quoted text", "", 'Translate "The light is red" into German.', "translate", has("Das Licht ist rot")),
    (
        "unknown words are marked",
        "",
        "Translate into German:\nThe parcel wobbles",
        "translate",
        has("[wobbles]", "Paket"),
    ),
    # --- plan
    (
        "json plan",
        "You are a planner. Return only a JSON list of strings.",
        "Break this task into 5 subtasks: write a guide to winter care of the Otter.",
        "plan",
        json_list(5),
    ),
    (
        "at most six",
        "",
        "Plan this task as a JSON array of at most six subtasks.\nTask: Compare price, range and "
        "battery life of our sensors.",
        "plan",
        json_list(6),
    ),
    (
        "numbered plan",
        "",
        "Make a plan with three steps for answering this customer:\nMy hub is offline.",
        "plan",
        lambda text: [line[:2] for line in text.split("\n")] == ["1.", "2.", "3."],
    ),
    (
        "aspects become subtasks",
        "",
        "Break this task down into 3 subtasks.\nTask: a report covering price, range and battery life",
        "plan",
        has("price", "range", "battery life"),
    ),
    (
        "plan as object",
        "",
        'Decompose the task. Reply as JSON {"subtasks": [...]}\nTask: plan a school visit',
        "plan",
        json_with(subtasks=list),
    ),
    # --- draft, improve, merge
    (
        "specialist",
        "You are the technical support specialist of Merrowby. Be brief.",
        HUB,
        "draft",
        has("amber", "Kind regards"),
    ),
    (
        "two sentences",
        "",
        f"Write a reply in two sentences.\n\nTicket: {HUB}",
        "draft",
        lambda text: len(re.findall(r"[.!?](?:\s|$)", text)) <= 2,
    ),
    (
        "section",
        "",
        "Write the section on this subtask for a guide, at most 80 words.\nSubtask: frost and the Otter",
        "draft",
        lambda text: "3 degrees" in text and len(text.split()) <= 80,
    ),
    (
        "given facts only",
        "",
        "Draft an answer to the customer.\nFacts:\n- The code is KIWI-42.\n\nTicket: Which code do I use?",
        "draft",
        has("KIWI-42"),
    ),
    (
        "improve",
        "",
        "Improve the draft with the feedback.\nDraft: Your refund is on its way.\nFeedback: Open "
        "with a greeting. Name order MB-10484. Close with kind regards.\nTicket: Where is my money "
        "for MB-10484?",
        "improve",
        has("Hello", "MB-10484", "Kind regards", "Your refund is on its way."),
    ),
    (
        "make it shorter",
        "",
        "Rewrite the draft, make it more concise.\nDraft: One is here. Two is here. Three is "
        "here. Four is here.\nFeedback: too long",
        "improve",
        at_most(8),
    ),
    (
        "merge parts",
        "",
        "Combine these parts into one answer.\n\nPart 1: The Heron counts rain, code A17.\nPart "
        "2: The Mole measures soil, code B29.\nPart 3: The Wren measures wind, code "
        "C31.",
        "merge",
        has("A17", "B29", "C31"),
    ),
    (
        "merge a list",
        "You are the synthesizer. Merge the results into one report.",
        "- Price: it costs €49.\n- Range: 40 metres.\n- Battery: 12 months.",
        "merge",
        has("€49", "40 metres", "12 months"),
    ),
    # --- critique
    (
        "good draft",
        'Score the draft from 1 to 10. Reply as JSON {"score": 1, "verdict": "PASS or REVISE", "feedback": ""}',
        "Task: answer the ticket about MB-10484, charged twice.\nDraft: "
        "Hello,\n\nThank you for writing to us about order MB-10484. I am sorry "
        "that you were charged twice for it. The second €179.00 goes back to your "
        "card today, and banks need up to 5 working days to show it.\n\nKind "
        "regards\nMerrowby support",
        "critique",
        lambda text: json.loads(text)["verdict"] == "PASS" and json.loads(text)["score"] >= 8,
    ),
    (
        "poor draft",
        'Score the draft from 1 to 10. Reply as JSON {"score": 1, "verdict": "PASS or REVISE", "feedback": ""}',
        "Task: answer the ticket about MB-10484, charged twice.\nDraft: No.",
        "critique",
        lambda text: (
            json.loads(text)["verdict"] == "REVISE"
            and json.loads(text)["score"] <= 4
            and "MB-10484" in json.loads(text)["feedback"]
        ),
    ),
    (
        "other scale",
        "",
        "Rate this reply out of 5.\n\nReply: Thank you, we will look into order MB-10484 and write again.",
        "critique",
        lambda text: re.search(r"Score: [0-5] of 5", text) is not None,
    ),
    (
        "critic in system",
        "You are a strict reviewer. Evaluate the draft and give feedback.",
        "Draft: Hi.",
        "critique",
        has("Score", "Verdict: REVISE", "Feedback"),
    ),
    (
        "password of a critic",
        "You review drafts. Respond with APPROVE if the draft is good, otherwise give feedback.",
        "Review this draft.\nDraft: Hi.",
        "critique",
        lambda text: "APPROVE" not in text and "greeting" not in text and len(text) > 20,
    ),
    (
        "autogen's last word",
        "You are a helpful assistant. Reply with TERMINATE when the task has been completed.",
        "What is 12 times 7?",
        "calculate",
        has("12 * 7 = 84", "TERMINATE"),
    ),
    # --- extract, sums, questions
    (
        "extract as json",
        "",
        f"Extract the order id and the amount. Reply as JSON with the keys order_id and amount.\n\nTicket: {TICKET}",
        "extract",
        lambda text: json.loads(text) == {"order_id": "MB-10484", "amount": 179.0},
    ),
    ("extract as text", "", f"Extract the order_id from this message:\n{TICKET}", "extract", has("MB-10484")),
    ("sum", "", "What is 12 times 7?", "calculate", has("12 * 7 = 84")),
    (
        "sum, number only",
        "",
        "Calculate 15% of 280. Answer with only the number.",
        "calculate",
        lambda text: text == "42",
    ),
    ("help question", "", "How long does a refund take?", "", has("working days")),
    ("price question", "", "How much is the Heron?", "", has("€49.00")),
    (
        "context question",
        "",
        "Answer from the context only.\nContext: The code word is plum. The gate opens at "
        "nine.\nQuestion: What is the code word?",
        "answer",
        has("plum"),
    ),
    (
        "context without answer",
        "",
        "Answer the question from the context.\nContext: The gate opens at nine.\nQuestion: Who painted the shed?",
        "answer",
        does_not_know,
    ),
    ("world knowledge", "", "Who won the football championship in 1974?", "", does_not_know),
    ("a word in common is no answer", "", "What is the capital of France?", "", does_not_know),
    (
        "nor are two among many strange ones",
        "",
        "Which capital letters did emperor Nero carve into his palace gate?",
        "",
        does_not_know,
    ),
    ("order without tool", "", "Where is order MB-10510?", "", has("cannot see any orders")),
    # --- what is beyond it
    ("identity", "", "Are you ChatGPT?", "about", says_what_it_is),
    ("identity with system", "You are a helpful assistant.", "Who are you?", "about", says_what_it_is),
    ("greeting", "", "hello", "", says_what_it_is),
    ("empty", "", "", "", says_what_it_is),
    ("blanks", "", " \n\t ", "", says_what_it_is),
    ("nonsense", "", "asdf qwer zxcv", "", does_not_know),
    ("signs", "", "???!!! ---", "", says_what_it_is),
    ("other script", "", "今日の天気はどうですか", "", lambda text: says_what_it_is(text) or does_not_know(text)),
    ("emoji", "", "🐦🐦🐦", "", lambda text: says_what_it_is(text) or does_not_know(text)),
    ("huge", "", "Summarise this in at most 30 words:\n" + f"{LONG}\n" * 60, "summarise", at_most(30)),
    (
        "crewai",
        "You are Support.\nUse the format:\nThought: I now can give a great answer\nFinal Answer: your answer",
        "Current Task: How long does a refund take?",
        "draft",
        has("Final Answer:", "working days"),
    ),
]


@pytest.mark.parametrize(("name", "system", "user", "skill", "holds"), PROMPTS, ids=[each[0] for each in PROMPTS])
def test_prompt(name: str, system: str, user: str, skill: str, holds: Property):
    """A model that makes no mistakes reads the prompt as the skill meant, and its answer has the property."""
    found, text = ask(user, system)
    assert (found, holds(text)) == (skill, True), text


def test_the_table_is_long_enough_to_mean_something():
    """At least sixty realistic prompts are tried."""
    assert len(PROMPTS) >= 60

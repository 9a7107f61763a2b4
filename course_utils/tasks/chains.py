"""Exercise 1, "A chain with a gate": a second step, a gate that never closed, and a gate of one's own.

Layer 2: imports `expect`, `texts` and `server.cases`. Texts carry nonces, so that prompts show which text went where.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random

from course_utils.server.cases import Case, Finding, Seen, Task
from course_utils.tasks import expect
from course_utils.tasks.texts import answers, nonce, ticket, words

LANGUAGES = ("German", "French", "Spanish", "Italian", "Dutch", "Polish", "Danish", "Portuguese")
MOST_WORDS = (20, *range(12, 20), *range(21, 31))  # the course's, then what else a learner may be given
HISTORY = "that a later step should see everything the first step saw."
TRUSTED = "that an answer with status 200 is an answer you can use."
FROM_TICKET = "ask about the ticket, as the buggy one does."
FROM_TEXT = "build the first prompt from the text."
FROM_SUMMARY = "build the second prompt from the summary."
SECOND = "return what the second request brought."


# --- chain.two_steps ---------------------------------------------------------------------------------------------


def two_steps(rng: Random) -> list[Case]:
    return [two_steps_case(name, rng) for name in ("one ticket", "another ticket", "a third ticket")]


def two_steps_case(name: str, rng: Random) -> Case:
    (text, inside), summary, reply = ticket(rng), words(rng, 12), words(rng, 25)
    judge = partial(judge_two_steps, text=text, inside=inside, summary=summary, reply=reply)
    return Case(name, {"ticket": text}, answers(summary, reply), judge)


@expect.in_order
def judge_two_steps(seen: Seen, *, text: str, inside: str, summary: str, reply: str) -> Iterator[Finding | None]:
    given = "the model answers your first request with a summary, your second with a reply"
    yield expect.crashed(seen, given=given, needs="the text of the reply")
    fix = "one request for the summary, one for the reply."
    yield expect.request_count(seen, 2, given=given, then="the reply", fix=fix)
    yield expect.carries(seen, 1, text, given=given, what="the ticket", fix="leave the first step as it was given.")
    yield expect.carries(seen, 2, summary, given=given, what="the summary", fix=FROM_SUMMARY)
    fix = "write the reply from the summary alone."
    yield expect.lacks(seen, 2, inside, given=given, what="a part of the ticket", fix=fix, belief=HISTORY)
    yield expect.returned(seen, reply, given=given, what="the text of the second answer", fix=SECOND)


# --- chain.mend --------------------------------------------------------------------------------------------------


def mend(rng: Random) -> list[Case]:
    order, spaced = nonce(rng), nonce(rng)
    return [
        mend_case("an order number", rng, order, order),
        mend_case("an order number with spaces around it", rng, f"  {spaced}\n", spaced),
        mend_case("an empty answer", rng, ""),
        mend_case("the word NONE", rng, "NONE"),
        mend_case("a sentence instead of a number", rng, "I could not find an order number in this message."),
        mend_case("a word as long as an order number", rng, "UNKNOWN."),
        mend_case("a number inside a sentence", rng, f"The order may be {nonce(rng)}, but I am not sure."),
        mend_case("nothing but spaces", rng, " \n ", held_back=True),
        mend_case("a number that is too long", rng, f"{nonce(rng)}77", held_back=True),
    ]


def mend_case(name: str, rng: Random, found: str, order: str = "", *, held_back: bool = False) -> Case:
    (text, _), reply = ticket(rng), words(rng, 20)
    judge = partial(judge_good_order, order=order, reply=reply) if order else judge_no_order
    judge = partial(judge, text=text, found=found)
    return Case(name, {"ticket": text}, answers(found, reply), judge, held_back)


@expect.in_order
def judge_good_order(seen: Seen, *, text: str, found: str, order: str, reply: str) -> Iterator[Finding | None]:
    given = f"the model answers your first request with {found!r}"
    fix = "let a good order number through; spaces around it do no harm."
    yield expect.let_through(seen, "ValueError", given=given, needs="the reply about that order", fix=fix)
    yield expect.crashed(seen, given=given, needs="the reply about that order")
    fix = "one request for the number, one for the reply."
    yield expect.request_count(seen, 2, given=given, then="the reply", fix=fix)
    yield expect.carries(seen, 1, text, given=given, what="the ticket", fix=FROM_TICKET)
    fix = "put the number into the second prompt."
    yield expect.carries(seen, 2, order, given=given, what="the order number", fix=fix)
    yield expect.returned(seen, reply, given=given, what="the text of the second answer", fix=SECOND)


@expect.in_order
def judge_no_order(seen: Seen, *, text: str, found: str) -> Iterator[Finding | None]:
    given = f"the model answers your first request with {found!r}"
    yield judge_closed_gate(seen, given=given, what="an answer that is no order number")
    yield expect.carries(seen, 1, text, given=given, what="the ticket", fix=FROM_TICKET)


@expect.in_order
def judge_closed_gate(seen: Seen, *, given: str, what: str) -> Iterator[Finding | None]:
    """A finding unless the chain ended in ValueError after one request."""
    belief = TRUSTED if len(seen.trace) == 2 else ""
    fix = f"look at the text of the first answer before the second request: {what} must not go on."
    yield expect.request_count(seen, 1, given=given, then="ValueError", fix=fix, belief=belief)
    yield expect.raised(seen, "ValueError", given=given, fix="raise ValueError when the gate closes.")


# --- chain.gate --------------------------------------------------------------------------------------------------


def gate(rng: Random, most: int = MOST_WORDS[0]) -> list[Case]:
    made = partial(gate_case, rng=rng, most=most)
    broken_lines, with_short_ones = words(rng, most).replace(" ", " \n ", 4), "a b c d e f " + words(rng, most - 5)
    return [
        made("a summary of 8 words", summary=words(rng, 8)),
        made(f"a summary of exactly {most} words", summary=words(rng, most)),
        made(f"a summary of {most + 1} words", summary=words(rng, most + 1)),
        made("a summary of 40 words", summary=words(rng, 40)),
        made("an empty summary", summary=""),
        made("a summary of spaces and line breaks", summary="  \n \t "),
        made(f"{most} words on several lines", summary=broken_lines, held_back=True),
        made(f"{most + 1} words with short ones among them", summary=with_short_ones, held_back=True),
    ]


def gate_case(name: str, rng: Random, most: int, summary: str, *, held_back: bool = False) -> Case:
    (text, inside), language, translation = ticket(rng), rng.choice(LANGUAGES), words(rng, 15)
    judge = judge_bad_summary
    if 1 <= len(summary.split()) <= most:
        judge = partial(judge_good_summary, inside=inside, language=language, translation=translation)
    judge = partial(judge, text=text, summary=summary, most=most)
    return Case(name, {"text": text, "language": language}, answers(summary, translation), judge, held_back)


@expect.in_order
def judge_good_summary(
    seen: Seen, *, text: str, inside: str, language: str, summary: str, translation: str, most: int
) -> Iterator[Finding | None]:
    given = f"the model's summary has {len(summary.split())} words; the language is {language}"
    fix = f"let a summary of 1 to {most} words through; words are what `split()` finds."
    yield expect.let_through(seen, "ValueError", given=given, needs="the translation", fix=fix)
    yield expect.crashed(seen, given=given, needs="the translation")
    fix = "one request for the summary, one for its translation."
    yield expect.request_count(seen, 2, given=given, then="the translation", fix=fix)
    yield expect.in_turn(seen, given=given, fix="wait for the summary before you ask for its translation.")
    yield expect.carries(seen, 1, text, given=given, what="the text", fix=FROM_TEXT)
    fix = "translate the summary, not the text."
    yield expect.lacks(seen, 2, inside, given=given, what="a part of the original text", fix=fix, belief=HISTORY)
    yield expect.carries(seen, 2, summary, given=given, what="the summary", fix=FROM_SUMMARY)
    fix = "name the language in the second prompt."
    yield expect.carries(seen, 2, language, given=given, what=f"the language ({language})", fix=fix)
    yield expect.returned(seen, translation, given=given, what="the text of the second answer", fix=SECOND)


@expect.in_order
def judge_bad_summary(seen: Seen, *, text: str, summary: str, most: int) -> Iterator[Finding | None]:
    number = len(summary.split())
    given = f"the model's summary has {number} words" if number else f"the model's summary is {summary!r}"
    what = f"an empty summary, or one of more than {most} words,"
    yield judge_closed_gate(seen, given=given, what=what)
    yield expect.carries(seen, 1, text, given=given, what="the text", fix=FROM_TEXT)


TASKS = (
    Task(
        "chain.two_steps",
        "A second step",
        1,
        two_steps,
        (
            "The first line has asked for the summary already. What does the second request need to know?",
            "A prompt is an ordinary string: an f-string can carry the summary into it.",
            'One line is enough: `return llm.invoke(f"Write a short reply to this request: {summary}").text`.',
        ),
    ),
    Task(
        "chain.mend",
        "Find the bug: the gate that never closed",
        2,
        mend,
        (
            "Print `type(found)` and `bool(found)` for an empty answer. What does `if not found` look at?",
            "A message object is always true; its text is not. And which texts are order numbers?",
            "`order = found.text.strip()`, then `re.fullmatch(r'[A-Z]{2}-[0-9]{5}', order)`; "
            "when that finds nothing: `raise ValueError`.",
        ),
    ),
    Task(
        "chain.gate",
        "A chain with a gate",
        3,
        gate,
        (
            "Two requests, and the second one needs something that the first one gave you.",
            "What would your function do if the first answer were empty? Where could you look at it before you go on?",
            "`summary = llm.invoke(...).text`; test `summary.strip()` and `len(summary.split())`; raise; only then the "
            "second `invoke`, built from `summary` and `language`.",
        ),
        own={"most": MOST_WORDS},
    ),
)

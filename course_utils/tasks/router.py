"""Exercise 5, "The router that cannot lie", its third task: three labels, one second question, and then a way out.

Layer 2: imports `expect`, `labels`, `texts` and `server.cases`. Queries carry nonces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from random import Random

from course_utils.records import count
from course_utils.server.cases import Case, Finding, Seen, Task
from course_utils.tasks import expect
from course_utils.tasks.labels import (
    BARE,
    CHAIN,
    OCCURS,
    THOUGHT_OF,
    answered,
    dressed,
    in_plain_words,
    nobody_asked,
    offers,
    read_whole,
)
from course_utils.tasks.texts import answers, nonce

TOOLS = ("calculator", "search")


def router(rng: Random) -> list[Case]:
    a, b = rng.sample(TOOLS, 2)
    odd = f"I would take the abacus {nonce(rng)}."
    return [
        router_case("a label", rng, [a], a),
        router_case("a dressed-up label", rng, [dressed(rng, b)], b),
        router_case("no tool fits", rng, ["None."], "none"),
        router_case("nonsense twice", rng, [odd, "banana"], "none"),
        router_case("a negation", rng, [f"Not {a}; use the {b} tool.", f"**{b}**"], b),
        router_case("an empty answer", rng, ["", a], a),
        router_case("a sentence twice", rng, [f"Perhaps {a}?", f"I said: {a}."], "none"),
        router_case("a query that names a tool", rng, [b], b, query=f"Where can I read about your {a}?"),
        router_case("a label inside a longer word", rng, ["research", "none"], "none", held_back=True),
        router_case("two labels", rng, [f"{a}, {b}", dressed(rng, a)], a, held_back=True),
        router_case("nothing but spaces twice", rng, [" \n", ""], "none", held_back=True),
        router_case("nonetheless", rng, ["nonetheless", f" {b.upper()} "], b, held_back=True),
    ]


def router_case(
    name: str, rng: Random, said: Sequence[str], wanted: str, *, query: str = "", held_back: bool = False
) -> Case:
    query = f"{query or f'What do {rng.randint(3, 9)} Otters come to?'} I have order {nonce(rng)}."
    judge = partial(judge_router, query=query, said=said, wanted=wanted)
    return Case(name, {"query": query}, answers(*said), judge, held_back)


@expect.in_order
def judge_router(seen: Seen, *, query: str, said: Sequence[str], wanted: str) -> Iterator[Finding | None]:
    given = answered(said)
    yield in_plain_words(seen, given=given)
    yield expect.crashed(seen, given=given, needs=repr(wanted))
    yield nobody_asked(seen, given=given, then=repr(wanted))
    yield asked_again(seen, said, given=given, then=repr(wanted))
    for number in range(1, len(said) + 1):
        yield expect.carries(seen, number, query, given=given, what="the query", fix=CHAIN)
    if len(said) == 2 and said[0].strip():
        fix = "show the model what it said: quote the bad answer in the second prompt, or send it along as a message."
        if letters(said[0]) in letters(seen.trace[1].prompt):
            fix = "quote it as it came, before cleaning."
        yield expect.carries(seen, 2, said[0], given=given, what="the bad answer", fix=fix)
    yield read_whole(seen, wanted, said[-1], labels=TOOLS, given=given)
    for number in range(1, len(said) + 1):
        yield offers(seen, number, TOOLS, beside=query, given=given, out="none")


def letters(text: str) -> str:
    """What any cleaning leaves of a text."""
    return "".join(letter for letter in text.lower() if letter.isalpha())


def asked_again(seen: Seen, said: Sequence[str], *, given: str, then: str) -> Finding | None:
    """A finding unless it asked a second time exactly when the first answer was no label, and never a third time."""
    asked, needed = len(seen.trace), len(said)
    if asked == needed:
        return None
    what, needs = f"{count(asked, 'request')}, then {seen.outcome}", f"{count(needed, 'request')}, then {then}"
    if asked > 2:
        return Finding(given, what, needs, "two requests at most: after the second bad answer give up with 'none'.")
    if asked > needed:
        is_none = said[0].lower().strip(". ") == "none"
        fix = "'none' is one of the three choices." if is_none else "take decoration off before you compare."
        return Finding(given, what, needs, fix, "" if is_none else BARE)
    if seen.returned in TOOLS:
        belief = OCCURS if seen.returned in said[0].lower() else THOUGHT_OF
        fix = "compare the whole cleaned-up answer with the labels; when it is none of them, ask once more."
        return Finding(given, what, needs, fix, belief)
    return Finding(given, what, needs, "when the first answer is no label, ask once more and show it.")


TASK = Task(
    "routing.router",
    "The router that cannot lie",
    3,
    router,
    (
        "List the labels once, in one place, and compare with that list; the prompt can be built from it as well.",
        "Compare the whole cleaned-up answer: what does `'calculator' in 'not calculator'` say? And what should "
        "the second prompt say that the first one could not?",
        "`re.sub('[^a-z]', '', answer.lower())`, then `in LABELS`; if not, one more `invoke` whose prompt quotes "
        "the answer; if that is no label either, 'none'.",
    ),
)

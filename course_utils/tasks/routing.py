"""Exercise 5, "The router that cannot lie", first half: a closed set, and a default that nobody sees.

Layer 2: imports `expect`, `labels`, `texts` and `server.cases`. Texts carry nonces; some of them name a label without
meaning it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from random import Random

from course_utils.server.cases import Case, Finding, Seen, Task
from course_utils.tasks import expect
from course_utils.tasks.labels import (
    CHAIN,
    answered,
    dressed,
    in_plain_words,
    message,
    nobody_asked,
    offers,
    read_whole,
)
from course_utils.tasks.texts import answers, ticket

SETS = (("billing", "technical", "sales"), ("delivery", "returns", "press"), ("repairs", "jobs", "sales", "billing"))
DESKS = ("billing", "technical", "sales")
FOR_SALE = "I came to your sales, and the billing was fine, but now my Otter drips."


# --- routing.clean -----------------------------------------------------------------------------------------------


def clean(rng: Random) -> list[Case]:
    a, b, *rest = labels = rng.sample(chosen := rng.choice(SETS), len(chosen))
    return [
        clean_case("a bare label", rng, labels, a, a),
        clean_case("a dressed-up label", rng, labels, f"**{b.title()}**.", b),
        clean_case("capitals and quotes", rng, labels, f'"{rest[0].upper()}"\n', rest[0]),
        clean_case("an invented label", rng, labels, "refunds"),
        clean_case("a label that is not meant", rng, labels, f"Not {b}."),
        clean_case("two labels", rng, labels, f"{a.title()} or {b}?"),
        clean_case("an empty answer", rng, labels, ""),
        clean_case("a label inside a longer word", rng, ["order", "reorder", a], "Preorder", held_back=True),
        clean_case("other labels, as code", rng, ["order", "reorder", b], " `Reorder`", "reorder", held_back=True),
    ]


def clean_case(
    name: str, rng: Random, labels: Sequence[str], said: str, wanted: str | None = None, *, held_back: bool = False
) -> Case:
    text, _ = ticket(rng)
    judge = partial(judge_one, text=text, said=said, wanted=wanted, labels=labels)
    return Case(name, {"ticket": text, "labels": list(labels)}, answers(said), judge, held_back)


@expect.in_order
def judge_one(
    seen: Seen, *, text: str, said: str, wanted: str | None, labels: Sequence[str], out: str = ""
) -> Iterator[Finding | None]:
    """One request, which offers every label, and its answer read as a whole."""
    given = f"{', '.join([*labels, out] if out else labels)} to choose from; {answered([said])}"
    yield in_plain_words(seen, given=given)
    yield expect.crashed(seen, given=given, needs=repr(wanted))
    yield nobody_asked(seen, given=given, then=repr(wanted))
    yield expect.request_count(seen, 1, given=given, then=repr(wanted), fix="ask once; this task does not ask again.")
    yield expect.carries(seen, 1, text, given=given, what="the ticket", fix=CHAIN)
    yield read_whole(seen, wanted, said, labels=labels, given=given)
    yield offers(seen, 1, labels, beside=text, given=given, out=out)


# --- routing.mend ------------------------------------------------------------------------------------------------


def mend(rng: Random) -> list[Case]:
    a, b, c = rng.sample(DESKS, 3)
    return [
        mend_case("an invented label", rng, "refunds"),
        mend_case("a dressed-up label", rng, dressed(rng, a), a),
        mend_case("the way out", rng, dressed(rng, "other")),
        mend_case("a sentence about two desks", rng, f"This is not {b}; it is {c}."),
        mend_case("an empty answer", rng, ""),
        mend_case("a ticket that names desks", rng, "technical", "technical", text=FOR_SALE),
        mend_case("a label that is not meant", rng, f"No {a}.", held_back=True),
        mend_case("a label inside a longer word", rng, f"pre{c}", held_back=True),
        mend_case("a question back", rng, "Which Otter do you have?", held_back=True),
    ]


def mend_case(
    name: str, rng: Random, said: str, wanted: str = "other", *, text: str = "", held_back: bool = False
) -> Case:
    text = message(rng, text) if text else ticket(rng)[0]
    judge = partial(judge_one, text=text, said=said, wanted=wanted, labels=DESKS, out="other")
    return Case(name, {"ticket": text}, answers(said), judge, held_back)


TASKS = (
    Task(
        "routing.clean",
        "A closed set",
        1,
        clean,
        (
            "Print `repr(answer)` for a few cases. What is decoration, and what is part of a word?",
            "Clean the answer first, as the worked example does; then look the whole word up in `labels`.",
            "`word = re.sub('[^a-z]', '', answer.lower())`, then `return word if word in labels else None`.",
        ),
    ),
    Task(
        "routing.mend",
        "Find the bug: the default that nobody sees",
        2,
        mend,
        (
            "What does the buggy function return for the answer 'refunds', and for an empty one? Which line decides?",
            "Two things are missing: a way out for your code, and a way out that the model can choose.",
            "Name 'other' beside the three desks in the prompt, and let the last line end in `else 'other'`.",
        ),
    ),
)

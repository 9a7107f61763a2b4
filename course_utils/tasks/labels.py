"""Questions about a choice from a closed set: was every label offered, and was the answer read as a whole?

Layer 2: imports `expect`, `texts` and `server.cases`. Labels are single words of small letters.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from random import Random

from course_utils.records import Record, count, text_of
from course_utils.server.cases import Finding, Seen
from course_utils.tasks import expect
from course_utils.tasks.texts import nonce

OCCURS = "that a label which occurs in the answer is the answer."
THOUGHT_OF = "that every message is one of the cases you thought of."
NO_EXIT = "that a closed set is safe; without a way out it forbids the model to say that nothing fits."
BARE = "that a model which is asked for one word answers with that word alone."
KEYWORDS = "that a word in the customer's text says what the text is about."
CHAIN = "build the prompt from the text that your function is given."
DRESSES = ("**{}**.", " {}\n", '"{}"', "`{}`", "{}.", "'{}'")  # as a model decorates one word


def dressed(rng: Random, label: str) -> str:
    """The label as a model may write it: with a capital and decoration around it."""
    return rng.choice(DRESSES).format(rng.choice([label.title(), label.upper()]))


def message(rng: Random, text: str) -> str:
    """A customer's message that ends in a nonce."""
    return f"{text} My invoice says {nonce(rng)}."


def clean(text: str) -> str:
    """What is left of an answer without its decoration.

    >>> clean(" **Billing**. ")
    'billing'
    """
    return re.sub(r"[^a-z]", "", text.lower())


def answered(said: Collection[str]) -> str:
    """What the model answers, in order, for a message."""
    return f"the model answers {', then '.join(map(repr, said))}"


def told(record: Record, *roles: str) -> str:
    """The texts of a request's messages that have one of these roles."""
    messages = [each for each in record.request.get("messages", ()) if isinstance(each, dict)]
    return "\n".join(text_of(each.get("content")) for each in messages if each.get("role") in roles)


def in_plain_words(seen: Seen, *, given: str) -> Finding | None:
    """A finding when a request asks for a schema or offers tools: these models only talk."""
    for number, record in enumerate(seen.trace, start=1):
        if asked := {"response_format", "tools"} & set(record.request):
            what = f"request {number} asks for structured output (`{min(asked)}`)"
            fix = "`llm.invoke(...).text` is all there is; read that text."
            return Finding(given, what, "plain text: the provider of this task enforces no schema", fix)
    return None


def offers(seen: Seen, number: int, labels: Sequence[str], *, beside: str, given: str, out: str = "") -> Finding | None:
    """A finding unless the prompt of request `number` names every label and the way `out`, not counting `beside`."""
    prompt = expect.squeeze(seen.trace[number - 1].prompt).replace(expect.squeeze(beside), " ")
    labels = [*labels, out] if out else labels
    missing = [label for label in labels if not re.search(rf"\b{label}\b", prompt, re.IGNORECASE)]
    if not missing:
        return None
    what = f"the prompt of request {number} does not name {' and '.join(map(repr, missing))}"
    needs = f"all of {', '.join(labels)} in that prompt"
    belief = NO_EXIT if missing == [out] else ""
    return Finding(given, what, needs, "the model can only choose what it is offered.", belief)


def nobody_asked(seen: Seen, *, given: str, then: str) -> Finding | None:
    """A finding when the choice was made without the model."""
    if len(seen.trace):
        return None
    what = f"{count(0, 'request')}, then {seen.outcome}"
    fix = "let the model choose: ask `llm`, the model your function is given; only that one is seen."
    return Finding(given, what, f"a request that lets the model choose, then {then}", fix, KEYWORDS)


def read_whole(seen: Seen, wanted: str | None, said: str, *, labels: Collection[str], given: str) -> Finding | None:
    """A finding unless the choice came back that a whole reading of `said` gives; `labels` without the way out."""
    got = seen.returned
    if got == wanted:
        return None
    if isinstance(got, dict) and "$object" in got:
        what = f"your function returned an object of type {got['$object']}"
        return Finding(given, what, repr(wanted), "look at the text of the answer, `.text`, and return a text.")
    if wanted in labels:
        fix, belief = "take off what is decoration for certain, then compare.", BARE
        if clean(said) == said:
            fix, belief = "an answer that is a label as it stands is to be returned: is there a `return` for it?", ""
        elif isinstance(got, str) and clean(got) == wanted:
            fix, belief = "return the label itself, without its decoration.", ""
        return Finding(given, f"your function gave {seen.outcome}", repr(wanted), fix, belief)
    fix, belief = "return one of the values in the table, and nothing else.", ""
    if got in labels:
        fix, belief = misread(got, said)
    elif got == "":
        fix = "what does `'' in 'billing, sales'` say? Look the word up in a list or a tuple of labels."
    return Finding(given, f"your function gave {seen.outcome}", repr(wanted), fix, belief)


def misread(label: str, said: str) -> tuple[str, str]:
    """The fix and the belief when an answer that is no label was taken for this one."""
    if label in said.lower():
        return "compare the whole cleaned-up answer with the labels, not a part of it.", OCCURS
    return "an answer that is no label takes the way out; no desk is its default.", THOUGHT_OF

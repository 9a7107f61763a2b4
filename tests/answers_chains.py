"""Answers to exercise 1: right ones in several styles, and wrong ones with the words that a learner must read."""

from __future__ import annotations

import re

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda

ORDER = r"[A-Z]{2}-[0-9]{5}"

# --- chain.two_steps ---------------------------------------------------------------------------------------------


def two_steps_plain(ticket, llm):
    summary = llm.invoke(f"Summarise in at most 20 words:\n{ticket}").text
    return llm.invoke(f"Reply to: {summary}").text


def two_steps_messages(ticket, llm):
    """Roles, and `content` instead of `text`."""
    summary = llm.invoke([("system", "You summarise tickets."), ("user", ticket)]).content
    return llm.invoke([("system", "You write replies."), ("user", summary)]).content


def two_steps_lcel(ticket, llm):
    summarise = ChatPromptTemplate.from_template("Summarise: {ticket}") | llm | StrOutputParser()
    reply = ChatPromptTemplate.from_template("Reply to: {summary}") | llm | StrOutputParser()
    return ({"summary": summarise} | reply).invoke({"ticket": ticket})


async def two_steps_async(ticket, llm):
    summary = (await llm.ainvoke(f"Summarise:\n{ticket}")).text
    return (await llm.ainvoke(f"Reply to: {summary}")).text


def two_steps_streamed(ticket, llm):
    summary = "".join(piece.text for piece in llm.stream(f"Summarise:\n{ticket}"))
    return "".join(piece.text for piece in llm.stream(f"Reply to: {summary}"))


def two_steps_blank(ticket, llm):
    llm.invoke(f"Summarise:\n{ticket}")
    raise NotImplementedError


def two_steps_first_answer(ticket, llm):
    return llm.invoke(f"Summarise:\n{ticket}").text


def two_steps_whole_ticket(ticket, llm):
    llm.invoke(f"Summarise:\n{ticket}")
    return llm.invoke(f"Reply to: {ticket}").text


def two_steps_both(ticket, llm):
    summary = llm.invoke(f"Summarise:\n{ticket}").text
    return llm.invoke(f"Reply to: {summary}\nThe ticket was: {ticket}").text


def two_steps_forgets_f(ticket, llm):
    llm.invoke(f"Summarise:\n{ticket}")
    return llm.invoke("Reply to: {summary}").text


def two_steps_returns_summary(ticket, llm):
    summary = llm.invoke(f"Summarise:\n{ticket}").text
    llm.invoke(f"Reply to: {summary}")
    return summary


def two_steps_returns_message(ticket, llm):
    return llm.invoke(f"Reply to: {llm.invoke(ticket).text}")


def two_steps_returns_nothing(ticket, llm):
    llm.invoke(f"Reply to: {llm.invoke(ticket).text}")


def two_steps_no_request(ticket, llm):
    return "Dear customer, thank you."


def two_steps_endless(ticket, llm):
    while True:
        llm.invoke(ticket)


def two_steps_own_parameters(text):
    return text


def two_steps_leaves(ticket, llm):
    raise SystemExit


def two_steps_typo(ticket, llm):
    summary = llm.invoke(ticket).text  # noqa: F841 - misspelt in the next line
    return llm.invoke(f"Reply to: {sumary}").text  # noqa: F821 - the learner's typo


# --- chain.mend --------------------------------------------------------------------------------------------------


def mend_plain(ticket, llm):
    order = llm.invoke(f"Which order? {ticket}").text.strip()
    if not re.fullmatch(ORDER, order):
        raise ValueError(order)
    return llm.invoke(f"Write about {order}").text


def mend_by_hand(ticket, llm):
    """No regular expression."""
    order = llm.invoke(f"Which order? {ticket}").content.strip()
    letters, dash, digits = order.partition("-")
    good = (
        len(letters) == 2 and letters.isalpha() and letters.isupper() and dash and len(digits) == 5 and digits.isdigit()
    )
    if good:
        return llm.invoke(f"Write about {order}").content
    raise ValueError("no order number")


def mend_lcel(ticket, llm):
    def gate(text):
        found = re.fullmatch(rf"\s*({ORDER})\s*", text)
        if found is None:
            raise ValueError(text)
        return {"order": found[1]}

    ask = ChatPromptTemplate.from_template("Which order? {ticket}") | llm | StrOutputParser()
    write = ChatPromptTemplate.from_template("Write about {order}") | llm | StrOutputParser()
    return (ask | RunnableLambda(gate) | write).invoke({"ticket": ticket})


class NoOrder(ValueError):
    """A subclass of what the task asks for."""


async def mend_async(ticket, llm):
    order = (await llm.ainvoke(f"Which order? {ticket}")).text.strip()
    if not re.fullmatch(ORDER, order):
        raise NoOrder
    return (await llm.ainvoke(f"Write about {order}")).text


def mend_as_given(ticket, llm):
    found = llm.invoke(f"Which order? {ticket}")
    if not found:
        raise ValueError
    return llm.invoke(f"Write about {found.text}").text


def mend_only_empty(ticket, llm):
    found = llm.invoke(f"Which order? {ticket}").text.strip()
    if not found:
        raise ValueError
    return llm.invoke(f"Write about {found}").text


def mend_none_and_empty(ticket, llm):
    found = llm.invoke(f"Which order? {ticket}").text.strip()
    if found in ("", "NONE"):
        raise ValueError
    return llm.invoke(f"Write about {found}").text


def mend_search(ticket, llm):
    """Takes a number out of a sentence that doubts it."""
    found = re.search(ORDER, llm.invoke(f"Which order? {ticket}").text)
    if not found:
        raise ValueError
    return llm.invoke(f"Write about {found[0]}").text


def mend_no_strip(ticket, llm):
    found = llm.invoke(f"Which order? {ticket}").text
    if not re.fullmatch(ORDER, found):
        raise ValueError
    return llm.invoke(f"Write about {found}").text


def mend_returns_none(ticket, llm):
    """Closes the gate without a word."""
    found = llm.invoke(f"Which order? {ticket}").text.strip()
    return llm.invoke(f"Write about {found}").text if re.fullmatch(ORDER, found) else None


def mend_after(ticket, llm):
    """Looks at the number once the letter is written."""
    found = llm.invoke(f"Which order? {ticket}").text.strip()
    letter = llm.invoke(f"Write about {found}").text
    if not re.fullmatch(ORDER, found):
        raise ValueError
    return letter


def mend_refuses_all(ticket, llm):
    llm.invoke(f"Which order? {ticket}")
    raise ValueError


def mend_forgets_number(ticket, llm):
    found = llm.invoke(f"Which order? {ticket}").text.strip()
    if not re.fullmatch(ORDER, found):
        raise ValueError
    return llm.invoke("Write about the order").text


def mend_by_length(ticket, llm):
    found = llm.invoke(f"Which order? {ticket}").text.strip()
    if len(found) != len("MB-10484"):
        raise ValueError
    return llm.invoke(f"Write about {found}").text


def mend_forgets_f(ticket, llm):
    found = llm.invoke("Which order? {ticket}").text.strip()
    if not re.fullmatch(ORDER, found):
        raise ValueError
    return llm.invoke(f"Write about {found}").text


def mend_blank(ticket, llm):
    raise NotImplementedError


# --- chain.gate --------------------------------------------------------------------------------------------------


def gate_plain(text, language, llm):
    summary = llm.invoke(f"Summarise:\n{text}").text
    if not 1 <= len(summary.split()) <= 20:
        raise ValueError(summary)
    return llm.invoke(f"Translate into {language}: {summary}").text


def gate_messages(text, language, llm):
    summary = llm.invoke([("system", "Summarise in at most 20 words."), ("user", text)]).content.strip()
    if not summary or len(summary.split()) > 20:
        raise ValueError("bad summary")
    return llm.invoke([("system", f"You translate into {language}."), ("user", summary)]).content


def gate_lcel(text, language, llm):
    def gate(summary):
        if not summary.strip() or len(summary.split()) > 20:
            raise ValueError(summary)
        return {"summary": summary, "language": language}

    summarise = ChatPromptTemplate.from_template("Summarise: {text}") | llm | StrOutputParser()
    translate = ChatPromptTemplate.from_template("Into {language}: {summary}") | llm | StrOutputParser()
    return (summarise | gate | translate).invoke({"text": text})


async def gate_async(text, language, llm):
    summary = (await llm.ainvoke(f"Summarise:\n{text}")).text
    if len(summary.split()) not in range(1, 21):
        raise ValueError
    return (await llm.ainvoke(f"Translate into {language}: {summary}")).text


class Chatty:
    """A callable object that prints and warns."""

    def __call__(self, text, language, llm):
        import warnings

        print("✓ chain.gate: 6 of 6 cases")
        warnings.warn("deprecated, perhaps", FutureWarning, stacklevel=1)
        return gate_plain(text, language, llm)


def gate_none(text, language, llm):
    summary = llm.invoke(f"Summarise:\n{text}").text
    return llm.invoke(f"Translate into {language}: {summary}").text


def gate_forgets_empty(text, language, llm):
    summary = llm.invoke(f"Summarise:\n{text}").text
    if len(summary.split()) > 20:
        raise ValueError
    return llm.invoke(f"Translate into {language}: {summary}").text


def gate_forgets_spaces(text, language, llm):
    summary = llm.invoke(f"Summarise:\n{text}").text
    if not summary or len(summary.split()) > 20:
        raise ValueError
    return llm.invoke(f"Translate into {language}: {summary}").text


def gate_off_by_one(text, language, llm):
    summary = llm.invoke(f"Summarise:\n{text}").text
    if not 1 <= len(summary.split()) < 20:
        raise ValueError
    return llm.invoke(f"Translate into {language}: {summary}").text


def gate_counts_letters(text, language, llm):
    summary = llm.invoke(f"Summarise:\n{text}").text
    if not 1 <= len(summary.strip()) <= 20:
        raise ValueError
    return llm.invoke(f"Translate into {language}: {summary}").text


def gate_original_text(text, language, llm):
    summary = llm.invoke(f"Summarise:\n{text}").text
    if not 1 <= len(summary.split()) <= 20:
        raise ValueError
    return llm.invoke(f"Translate into {language}: {text}").text


def gate_whole_history(text, language, llm):
    messages = [("user", f"Summarise:\n{text}")]
    summary = llm.invoke(messages).text
    if not 1 <= len(summary.split()) <= 20:
        raise ValueError
    return llm.invoke([*messages, ("assistant", summary), ("user", f"Now into {language}.")]).text


def gate_hard_coded(text, language, llm):
    return "Die Kundin bittet um Ersatz."


def gate_returns_summary(text, language, llm):
    summary = llm.invoke(f"Summarise:\n{text}").text
    if not 1 <= len(summary.split()) <= 20:
        raise ValueError
    llm.invoke(f"Translate into {language}: {summary}")
    return summary


def gate_asks_twice(text, language, llm):
    llm.invoke(f"Summarise:\n{text}")
    summary = llm.invoke(f"Summarise:\n{text}").text
    if not 1 <= len(summary.split()) <= 20:
        raise ValueError
    return llm.invoke(f"Translate into {language}: {summary}").text


def gate_always_german(text, language, llm):
    summary = llm.invoke(f"Summarise:\n{text}").text
    if not 1 <= len(summary.split()) <= 20:
        raise ValueError
    return llm.invoke(f"Translate into Swahili: {summary}").text


def gate_wrong_exception(text, language, llm):
    summary = llm.invoke(f"Summarise:\n{text}").text
    assert 1 <= len(summary.split()) <= 20
    return llm.invoke(f"Translate into {language}: {summary}").text


def gate_cuts(text, language, llm):
    """Makes every summary fit."""
    summary = " ".join(llm.invoke(f"Summarise:\n{text}").text.split()[:20])
    if not summary:
        raise ValueError
    return llm.invoke(f"Translate into {language}: {summary}").text


def gate_equals_everything(text, language, llm):
    class Everything(str):
        def __eq__(self, other):
            return True

        __hash__ = str.__hash__

        def strip(self):
            return self

    gate_plain(text, language, llm)
    return Everything("anything")


def gate_blank(text, language, llm):
    raise NotImplementedError


RIGHT = {
    "chain.two_steps": [two_steps_plain, two_steps_messages, two_steps_lcel, two_steps_async, two_steps_streamed],
    "chain.mend": [mend_plain, mend_by_hand, mend_lcel, mend_async],
    "chain.gate": [gate_plain, gate_messages, gate_lcel, gate_async, Chatty()],
}

WRONG = {  # check -> answer -> words that a learner must read
    "chain.two_steps": {
        two_steps_blank: "The line `raise NotImplementedError` was reached",
        two_steps_first_answer: "seen   1 request, then",
        two_steps_whole_ticket: "the prompt of request 2 does not hold the summary",
        two_steps_both: "write the reply from the summary alone",
        two_steps_forgets_f: "put an f before the quotes of that text",
        two_steps_returns_summary: "return what the second request brought",
        two_steps_returns_message: "return the text inside that AIMessage",
        two_steps_returns_nothing: "your function gave None",
        two_steps_no_request: "Only requests that go through `llm`",
        two_steps_endless: "your function went on asking: 51 requests",
        two_steps_own_parameters: "it takes (text), and is called with (ticket, llm)",
        two_steps_leaves: "your function raised SystemExit",
        two_steps_typo: "name 'sumary' is not defined",
    },
    "chain.mend": {
        mend_as_given: "given  the model answers your first request with ''",
        mend_only_empty: "given  the model answers your first request with 'NONE'",
        mend_none_and_empty: "with 'I could not find an order number in this message.'",
        mend_search: "with 'The order may be",
        mend_no_strip: "let a good order number through; spaces around it do no harm",
        mend_returns_none: "raise ValueError when the gate closes",
        mend_after: "before the second request",
        mend_refuses_all: "your gate closed on it: ValueError",
        mend_forgets_number: "does not hold the order number",
        mend_by_length: "given  the model answers your first request with 'UNKNOWN.'",
        mend_forgets_f: "the prompt of request 1 holds '{ticket}', braces and all",
        mend_blank: "not written yet",
    },
    "chain.gate": {
        gate_none: "given  the model's summary has 21 words",
        gate_forgets_empty: "given  the model's summary is ''",
        gate_forgets_spaces: "given  the model's summary is '  \\n \\t '",
        gate_off_by_one: "given  the model's summary has 20 words",
        gate_counts_letters: "words are what `split()` finds",
        gate_original_text: "translate the summary, not the text",
        gate_whole_history: "that a later step should see everything the first step saw",
        gate_hard_coded: "seen   0 requests, then",
        gate_returns_summary: "return what the second request brought",
        gate_asks_twice: "seen   3 requests, then",
        gate_always_german: "does not hold the language",
        gate_wrong_exception: "raise ValueError when the gate closes",
        gate_cuts: "that an answer with status 200 is an answer you can use",
        gate_equals_everything: "your function gave 'anything'",
        gate_blank: "not written yet",
    },
}

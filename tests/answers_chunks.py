"""Answers to exercise 2: right ones in several styles, and wrong ones with the words that a learner must read."""

from __future__ import annotations

import asyncio

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda

NOTEBOOK = "Summarise these messages in one short sentence, in their order:"
ASK = "Summarise in at most 10 words:"


def size_of(*texts):
    return len(" ".join(texts).split())


# --- chunks.reduce -----------------------------------------------------------------------------------------------


def reduce_plain(texts, llm):
    summaries = [answer.text for answer in llm.batch([f"{ASK}\n{text}" for text in texts])]
    return llm.invoke("\n".join([ASK, *summaries])).text


def reduce_loop(texts, llm):
    summaries = []
    for number, text in enumerate(texts, 1):
        summaries.append(f"{number}. {llm.invoke([('system', ASK), ('user', text)]).text}")
    return llm.invoke([("system", ASK), ("user", "\n".join(summaries))]).text


def reduce_lcel(texts, llm):
    summarise = ChatPromptTemplate.from_template(ASK + "\n{text}") | llm | StrOutputParser()
    each = RunnableLambda(lambda texts: [{"text": text} for text in texts]) | summarise.map()
    return (each | RunnableLambda("\n".join) | summarise).invoke(texts)


async def reduce_async(texts, llm):
    answers = await asyncio.gather(*(llm.ainvoke(f"{ASK}\n{text}") for text in texts))
    return (await llm.ainvoke(f"{ASK}\n{[answer.text for answer in answers]}")).text


def reduce_blank(texts, llm):
    llm.batch([f"{ASK}\n{text}" for text in texts])
    raise NotImplementedError


def reduce_joined(texts, llm):
    return "\n".join(answer.text for answer in llm.batch([f"{ASK}\n{text}" for text in texts]))


def reduce_texts_again(texts, llm):
    llm.batch([f"{ASK}\n{text}" for text in texts])
    return llm.invoke("\n".join([ASK, *texts])).text


def reduce_first_only(texts, llm):
    summaries = [answer.text for answer in llm.batch([f"{ASK}\n{text}" for text in texts])]
    return llm.invoke(f"{ASK}\n{summaries[0]}").text


def reduce_no_map(texts, llm):
    return llm.invoke("\n".join([ASK, *texts])).text


def reduce_forgets_f(texts, llm):
    llm.batch([f"{ASK}\n{text}" for text in texts])
    return llm.invoke(ASK + "\n{summaries}").text


def reduce_message(texts, llm):
    summaries = [answer.text for answer in llm.batch([f"{ASK}\n{text}" for text in texts])]
    return llm.invoke("\n".join([ASK, *summaries]))


def reduce_backwards(texts, llm):
    summaries = [answer.text for answer in llm.batch([f"{ASK}\n{text}" for text in texts])]
    return llm.invoke("\n".join([ASK, *reversed(summaries)])).text


def reduce_messages_joined(texts, llm):
    summaries = llm.batch([f"{ASK}\n{text}" for text in texts])
    return llm.invoke("\n".join([ASK, *summaries])).text


def reduce_only_summaries(texts, llm):
    """A list of texts is a list of messages; none of them says what to do."""
    return llm.invoke([answer.text for answer in llm.batch([f"{ASK}\n{text}" for text in texts])]).text


def reduce_only_joined(texts, llm):
    return llm.invoke("\n".join(answer.text for answer in llm.batch([f"{ASK}\n{text}" for text in texts]))).text


def reduce_discards(texts, llm):
    """Asks for the whole, and gives back a part."""
    summaries = [answer.text for answer in llm.batch([f"{ASK}\n{text}" for text in texts])]
    llm.invoke("\n".join([ASK, *summaries]))
    return summaries[-1]


# --- chunks.mend -------------------------------------------------------------------------------------------------


def packed(texts, instruction, limit):
    parts = []
    for text in texts:
        if parts and size_of(instruction, *parts[-1], text) <= limit:
            parts[-1].append(text)
        else:
            parts.append([text])
    return parts


def mend_plain(texts, instruction, llm, limit=60):
    parts = packed(texts, instruction, limit)
    return [answer.text for answer in llm.batch(["\n".join([instruction, *part]) for part in parts])]


def mend_like_the_buggy_one(texts, instruction, llm, limit=60):
    parts, part = [], []
    for text in texts:
        if size_of(instruction, *part, text) > limit:
            parts.append(part)
            part = []
        part.append(text)
    if part:
        parts.append(part)
    return [llm.invoke("\n".join([instruction, *part])).text for part in parts]


def mend_recursive(texts, instruction, llm, limit=60):
    if not texts:
        return []
    most = max(number for number in range(1, len(texts) + 1) if size_of(instruction, *texts[:number]) <= limit)
    answer = llm.invoke([("system", instruction), ("user", " ".join(texts[:most]))])
    return [answer.text, *mend_recursive(texts[most:], instruction, llm, limit)]


async def mend_async(texts, instruction, llm, limit=60):
    parts = packed(texts, instruction, limit)
    answers = await asyncio.gather(*(llm.ainvoke("\n\n".join([instruction, *part])) for part in parts))
    return [answer.text for answer in answers]


def mend_lcel(texts, instruction, llm, limit=60):
    prompt = ChatPromptTemplate.from_messages([("system", "{instruction}"), ("user", "{part}")])
    chain = RunnableLambda(lambda part: {"instruction": instruction, "part": "\n".join(part)}) | prompt | llm
    return (chain | StrOutputParser()).batch(packed(texts, instruction, limit), config={"max_concurrency": 3})


def mend_blank(texts, instruction, llm, limit=60):
    raise NotImplementedError


def mend_as_given(texts, instruction, llm, limit=60):
    parts, part = [], []
    for text in texts:
        if size_of(*part, text) > limit:
            parts.append(part)
            part = []
        else:
            part.append(text)
    return [llm.invoke("\n".join([instruction, *part])).text for part in parts]


def mend_drops_the_next(texts, instruction, llm, limit=60):
    parts, part = [], []
    for text in texts:
        if size_of(instruction, *part, text) > limit:
            parts.append(part)
            part = []
        else:
            part.append(text)
    if part:
        parts.append(part)
    return [llm.invoke("\n".join([instruction, *part])).text for part in parts]


def mend_drops_the_last(texts, instruction, llm, limit=60):
    parts, part = [], []
    for text in texts:
        if size_of(instruction, *part, text) > limit:
            parts.append(part)
            part = []
        part.append(text)
    return [llm.invoke("\n".join([instruction, *part])).text for part in parts]


def mend_forgets_instruction(texts, instruction, llm, limit=60):
    return mend_plain_with(texts, instruction, llm, packed(texts, "", limit))


def mend_plain_with(texts, instruction, llm, parts):
    return [llm.invoke("\n".join([instruction, *part])).text for part in parts]


def mend_off_by_one(texts, instruction, llm, limit=60):
    return mend_plain(texts, instruction, llm, limit - 1) if texts != [] else []


def mend_one_too_many(texts, instruction, llm, limit=60):
    return mend_plain(texts, instruction, llm, limit + 1)


def mend_ignores_limit(texts, instruction, llm, limit=60):
    return mend_plain(texts, instruction, llm)


def mend_one_each(texts, instruction, llm, limit=60):
    return mend_plain_with(texts, instruction, llm, [[text] for text in texts])


def mend_by_number(texts, instruction, llm, limit=60):
    return mend_plain_with(texts, instruction, llm, [texts[at : at + 3] for at in range(0, len(texts), 3)])


def mend_overlaps(texts, instruction, llm, limit=60):
    parts = packed(texts, instruction, limit - 20)
    parts = [[*before[-1:], *part] for before, part in zip([[], *parts], parts, strict=False)]
    return mend_plain_with(texts, instruction, llm, parts)


def mend_everything(texts, instruction, llm, limit=60):
    return [llm.invoke("\n".join([instruction, *texts])).text]


def mend_truncates(texts, instruction, llm, limit=60):
    return [llm.invoke(" ".join(" ".join([instruction, *texts]).split()[:limit])).text] if texts else []


def mend_cuts_inside(texts, instruction, llm, limit=60):
    words, room = " ".join(texts).split(), limit - size_of(instruction)
    parts = [[" ".join(words[at : at + room])] for at in range(0, len(words), room)]
    return mend_plain_with(texts, instruction, llm, parts)


def mend_bullets(texts, instruction, llm, limit=60):
    parts = [[f"- {text}" for text in part] for part in packed(texts, instruction, limit)]
    return mend_plain_with(texts, instruction, llm, parts)


def mend_no_instruction(texts, instruction, llm, limit=60):
    return [llm.invoke("\n".join(part)).text for part in packed(texts, instruction, limit)]


def mend_messages(texts, instruction, llm, limit=60):
    return [llm.invoke("\n".join([instruction, *part])) for part in packed(texts, instruction, limit)]


def mend_one_text(texts, instruction, llm, limit=60):
    return " ".join(mend_plain(texts, instruction, llm, limit))


def mend_asks_about_nothing(texts, instruction, llm, limit=60):
    return mend_plain_with(texts, instruction, llm, packed(texts, instruction, limit) or [[]])


async def mend_unordered(texts, instruction, llm, limit=60):
    parts = packed(texts, instruction, limit)
    tasks = [asyncio.ensure_future(llm.ainvoke("\n".join([instruction, *part]))) for part in parts]
    done = [(await task).text for task in tasks]
    return sorted(done, key=lambda text: text[::-1])


def mend_sends_the_notebooks(texts, instruction, llm, limit=60):
    return mend_plain(texts, NOTEBOOK, llm, limit)


def mend_counts_the_notebooks(texts, instruction, llm, limit=60):
    return mend_plain_with(texts, instruction, llm, packed(texts, NOTEBOOK, limit))


def mend_reduces_too(texts, instruction, llm, limit=60):
    summaries = mend_plain(texts, instruction, llm, limit)
    return [llm.invoke("\n".join([instruction, *summaries[:3]])).text] if summaries else []


# --- chunks.long -------------------------------------------------------------------------------------------------


def refuse_long(texts, instruction, limit):
    if any(size_of(instruction, text) > limit for text in texts):
        raise ValueError("a text is too long for a prompt of its own")


def long_plain(texts, instruction, llm, limit=60):
    refuse_long(texts, instruction, limit)
    summaries = mend_plain(texts, instruction, llm, limit)
    while len(summaries) > 1:
        before = len(summaries)
        summaries = mend_plain(summaries, instruction, llm, limit)
        if len(summaries) == before:
            raise ValueError("another round would bring nothing")
    return summaries[0] if summaries else ""


def long_recursive(texts, instruction, llm, limit=60, *, is_first=True):
    """Looks ahead: packs, and asks only when it gets on."""
    if not texts:
        return ""
    refuse_long(texts, instruction, limit)
    parts = packed(texts, instruction, limit)
    if len(parts) == len(texts) > 1 and not is_first:
        raise ValueError("no two fit together")
    summaries = [llm.invoke([("system", instruction), ("user", "\n".join(part))]).text for part in parts]
    return summaries[0] if len(parts) == 1 else long_recursive(summaries, instruction, llm, limit, is_first=False)


async def long_async(texts, instruction, llm, limit=60):
    refuse_long(texts, instruction, limit)
    round_number = 0
    while texts and (round_number == 0 or len(texts) > 1):
        summaries = await mend_async(texts, instruction, llm, limit)
        if round_number and len(summaries) == len(texts):
            raise ValueError(f"round {round_number + 1} leaves {len(summaries)} summaries")
        texts, round_number = summaries, round_number + 1
    return "".join(texts)


def long_lcel(texts, instruction, llm, limit=60):
    refuse_long(texts, instruction, limit)
    one_round = RunnableLambda(lambda texts: mend_lcel(texts, instruction, llm, limit))
    counts, summaries = [], one_round.invoke(texts)
    while len(summaries) > 1:
        counts.append(len(summaries))
        if counts[-2:] == [len(summaries)] * 2:
            raise ValueError("stuck")
        summaries = one_round.invoke(summaries)
    return next(iter(summaries), "")


def long_carries_over(texts, instruction, llm, limit=60):
    """A summary that is alone in its part goes up as it is."""
    refuse_long(texts, instruction, limit)
    summaries = mend_plain(texts, instruction, llm, limit)
    while len(summaries) > 1:
        parts = packed(summaries, instruction, limit)
        if all(len(part) == 1 for part in parts):
            raise ValueError("no two fit together")
        summaries = [llm.invoke("\n".join([instruction, *part])).text if len(part) > 1 else part[0] for part in parts]
    return summaries[0] if summaries else ""


def long_graph(texts, instruction, llm, limit=60):
    from typing import TypedDict

    from langgraph.graph import END, START, StateGraph

    class State(TypedDict):
        texts: list[str]
        rounds: int

    def one_round(state):
        summaries = mend_plain(state["texts"], instruction, llm, limit)
        if state["rounds"] and len(summaries) == len(state["texts"]):
            raise ValueError("stuck")
        return {"texts": summaries, "rounds": state["rounds"] + 1}

    refuse_long(texts, instruction, limit)
    graph = StateGraph(State)
    graph.add_node("round", one_round)
    graph.add_edge(START, "round")
    graph.add_conditional_edges("round", lambda state: "round" if len(state["texts"]) > 1 else END, ["round", END])
    return "".join(graph.compile().invoke({"texts": texts, "rounds": 0})["texts"])


def long_blank(texts, instruction, llm, limit=60):
    raise NotImplementedError


def long_everything(texts, instruction, llm, limit=60):
    return llm.invoke("\n".join([instruction, *texts])).text


def long_truncates(texts, instruction, llm, limit=60):
    return llm.invoke(" ".join(" ".join([instruction, *texts]).split()[:limit])).text


def long_head(texts, instruction, llm, limit=60):
    """As many texts as fit, from the first on."""
    return llm.invoke("\n".join([instruction, *packed(texts, instruction, limit)[0]])).text


def long_no_reduce(texts, instruction, llm, limit=60):
    return "\n".join(mend_plain(texts, instruction, llm, limit))


def long_one_reduce(texts, instruction, llm, limit=60):
    refuse_long(texts, instruction, limit)
    summaries = mend_plain(texts, instruction, llm, limit)
    return llm.invoke("\n".join([instruction, *summaries])).text


def long_two_rounds(texts, instruction, llm, limit=60):
    summaries = mend_plain(mend_plain(texts, instruction, llm, limit), instruction, llm, limit)
    return summaries[0] if summaries else ""


def long_first_of_round(texts, instruction, llm, limit=60):
    summaries = mend_plain(texts, instruction, llm, limit)
    return mend_plain(summaries, instruction, llm, limit)[0]


def long_running(texts, instruction, llm, limit=60):
    summary = ""
    for text in texts:
        summary = llm.invoke("\n".join([instruction, summary, text])).text
    return summary


def long_running_parts(texts, instruction, llm, limit=60):
    refuse_long(texts, instruction, limit)
    summary = ""
    for part in packed(texts, instruction, limit - 10):
        summary = llm.invoke("\n".join([instruction, summary, *part])).text
    return summary


def long_halves(texts, instruction, llm, limit=60):
    if size_of(instruction, *texts) > limit:
        refuse_long(texts, instruction, limit)
        middle = len(texts) // 2
        texts = [long_halves(half, instruction, llm, limit) for half in (texts[:middle], texts[middle:])]
    return llm.invoke("\n".join([instruction, *texts])).text


def long_overlaps(texts, instruction, llm, limit=60):
    summaries = mend_overlaps(texts, instruction, llm, limit)
    return long_plain(summaries, instruction, llm, limit)


def long_off_by_one(texts, instruction, llm, limit=60):
    return long_plain(texts, instruction, llm, limit - 1)


def long_one_too_many(texts, instruction, llm, limit=60):
    return long_plain(texts, instruction, llm, limit + 1)


def long_ignores_limit(texts, instruction, llm, limit=60):
    return long_plain(texts, instruction, llm)


def long_counts_texts_alone(texts, instruction, llm, limit=60):
    """The instruction is left out of the test."""
    if any(size_of(text) > limit for text in texts):
        raise ValueError
    return long_never_refuses(texts, instruction, llm, limit)


def long_first_summary(texts, instruction, llm, limit=60):
    return long_plain(texts, instruction, llm, limit) if texts[0] else ""


def long_drops_last(texts, instruction, llm, limit=60):
    refuse_long(texts, instruction, limit)
    parts = packed(texts, instruction, limit)
    summaries = mend_plain_with(texts, instruction, llm, parts[:-1])
    return long_plain(summaries, instruction, llm, limit)


def long_loses_summaries(texts, instruction, llm, limit=60):
    summaries = mend_plain(texts, instruction, llm, limit)
    while len(summaries) > 1:
        summaries = mend_plain(packed(summaries, instruction, limit)[0], instruction, llm, limit)
    return summaries[0]


def long_never_refuses(texts, instruction, llm, limit=60):
    summaries = mend_plain(texts, instruction, llm, limit)
    while len(summaries) > 1:
        before = len(summaries)
        summaries = mend_plain(summaries, instruction, llm, limit)
        if len(summaries) == before:
            raise ValueError
    return summaries[0] if summaries else ""


def long_skips_the_big(texts, instruction, llm, limit=60):
    return long_plain([text for text in texts if size_of(instruction, text) <= limit], instruction, llm, limit)


def long_endless(texts, instruction, llm, limit=60):
    refuse_long(texts, instruction, limit)
    summaries = mend_plain(texts, instruction, llm, limit)
    while len(summaries) > 1:
        summaries = mend_plain(summaries, instruction, llm, limit)
    return summaries[0] if summaries else ""


def long_gives_up_quietly(texts, instruction, llm, limit=60):
    try:
        return long_plain(texts, instruction, llm, limit)
    except ValueError:
        if any(size_of(instruction, text) > limit for text in texts):
            raise
        return ""


def long_first_round_counts(texts, instruction, llm, limit=60):
    refuse_long(texts, instruction, limit)
    while True:
        summaries = mend_plain(texts, instruction, llm, limit)
        if len(summaries) <= 1:
            return "".join(summaries)
        if len(summaries) == len(texts):
            raise ValueError
        texts = summaries


def long_asks_about_nothing(texts, instruction, llm, limit=60):
    return long_plain(texts or [""], instruction, llm, limit)


def long_forgets_instruction_later(texts, instruction, llm, limit=60):
    refuse_long(texts, instruction, limit)
    summaries = mend_plain(texts, instruction, llm, limit)
    while len(summaries) > 1:
        summaries = mend_no_instruction(summaries, instruction, llm, limit)
    return summaries[0] if summaries else ""


def long_hard_coded(texts, instruction, llm, limit=60):
    return "Many customers wrote."


def long_backwards(texts, instruction, llm, limit=60):
    return long_plain(mend_plain(texts, instruction, llm, limit)[::-1], instruction, llm, limit)


def long_message(texts, instruction, llm, limit=60):
    refuse_long(texts, instruction, limit)
    summaries = texts
    while True:
        answers = [llm.invoke("\n".join([instruction, *part])) for part in packed(summaries, instruction, limit)]
        if len(answers) <= 1:
            return answers[0] if answers else ""
        summaries = [answer.text for answer in answers]


def long_leaves_one_text(texts, instruction, llm, limit=60):
    """One text is taken for a summary."""
    refuse_long(texts, instruction, limit)
    before = 0
    while len(texts) > 1:
        texts = mend_plain(texts, instruction, llm, limit)
        if len(texts) == before:
            raise ValueError
        before = len(texts)
    return texts[0] if texts else ""


def long_one_fewer_is_as_many(texts, instruction, llm, limit=60):
    refuse_long(texts, instruction, limit)
    summaries = mend_plain(texts, instruction, llm, limit)
    while len(summaries) > 1:
        before = len(summaries)
        summaries = mend_plain(summaries, instruction, llm, limit)
        if len(summaries) >= before - 1:
            raise ValueError
    return "".join(summaries)


def long_refuses_full(texts, instruction, llm, limit=60):
    if any(size_of(instruction, text) >= limit for text in texts):
        raise ValueError
    return long_plain(texts, instruction, llm, limit)


RIGHT = {
    "chunks.reduce": [reduce_plain, reduce_loop, reduce_lcel, reduce_async],
    "chunks.mend": [mend_plain, mend_like_the_buggy_one, mend_recursive, mend_async, mend_lcel],
    "chunks.long": [long_plain, long_recursive, long_async, long_lcel, long_carries_over, long_graph],
}

WRONG = {  # check -> answer -> words that a learner must read
    "chunks.reduce": {
        reduce_blank: "not written yet",
        reduce_joined: "seen   3 requests, then",
        reduce_texts_again: "texts 1 to 3 in the last prompt, too",
        reduce_first_only: "does not hold the summary of text 2",
        reduce_no_map: "seen   1 request, then",
        reduce_forgets_f: "put an f before the quotes",
        reduce_message: "return the text inside that AIMessage",
        reduce_backwards: "in another order than their texts",
        reduce_messages_joined: "your function raised TypeError",
        reduce_only_summaries: "the prompt of request 4 holds only summaries",
        reduce_only_joined: "tell the model what to do with them",
        reduce_discards: "return what the last request brought",
    },
    "chunks.mend": {
        mend_blank: "not written yet",
        mend_as_given: "count the words of the whole prompt",
        mend_drops_the_next: "begins the next one",
        mend_drops_the_last: "what is still in hand when the loop ends?",
        mend_forgets_instruction: "that only the text takes room",
        mend_off_by_one: "that a limit must not be reached",
        mend_one_too_many: "got status 400, context_length_exceeded",
        mend_ignores_limit: "words would fit 60, but `limit` is 45 here",
        mend_one_each: "would have fitted",
        mend_by_number: "context_length_exceeded",
        mend_overlaps: "again in request 2",
        mend_everything: "that a model reads as much as you give it",
        mend_truncates: "cut between two texts, never inside one",
        mend_cuts_inside: "cut between two texts, never inside one",
        mend_bullets: "others",
        mend_no_instruction: "does not hold the instruction",
        mend_messages: "take `.text` of each answer",
        mend_one_text: "a list with the text of each answer",
        mend_asks_about_nothing: "no request, and []",
        mend_unordered: "in another order than the texts",
        mend_reduces_too: "holds a summary",
        mend_sends_the_notebooks: "`INSTRUCTION` is another one",
        mend_counts_the_notebooks: "count what you send: `instruction` (",
    },
    "chunks.long": {
        long_blank: "not written yet",
        long_everything: "that a model reads as much as you give it",
        long_truncates: "that nothing was lost when nothing failed",
        long_head: "in no prompt",
        long_no_reduce: "that many summaries are a summary",
        long_one_reduce: "that summaries are short; many of them are long again",
        long_two_rounds: "a summary that knows nothing of texts",
        long_first_of_round: "which summaries went into no further prompt?",
        long_running: "that a running summary keeps its beginning",
        long_running_parts: "has been summarised",
        long_halves: "requests",
        long_overlaps: "that an overlap costs nothing",
        long_off_by_one: "that a limit must not be reached",
        long_one_too_many: "context_length_exceeded",
        long_ignores_limit: "hand it on to each function that you call",
        long_drops_last: "what is still in hand when the loop ends?",
        long_loses_summaries: "a summary that knows nothing of texts",
        long_never_refuses: "look whether each text fits into a prompt of its own",
        long_counts_texts_alone: "61: count these in your test, too",
        long_first_summary: "an empty list has no item `[0]`",
        long_skips_the_big: "that nothing was lost when nothing failed",
        long_endless: "that a summary is shorter than its text",
        long_gives_up_quietly: "if you notice only after the round",
        long_leaves_one_text: "one text is not yet a summary: the first round runs always",
        long_one_fewer_is_as_many: "stop only when there are *as many* as before",
        long_first_round_counts: "the first round has none before it",
        long_asks_about_nothing: "no request, and ''",
        long_forgets_instruction_later: "also where summaries are summarised",
        long_hard_coded: "no request, then",
        long_backwards: "the summaries in another order",
        long_message: "return the text inside that AIMessage",
        long_refuses_full: "each of these texts fits into a prompt of its own",
    },
}

"""Answers to exercise 5: right ones in several styles, and wrong ones with the words that a learner must read."""

from __future__ import annotations

import asyncio
import re
import string
from enum import Enum
from typing import Literal, TypedDict

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableBranch, RunnableLambda
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel

DESKS = ("billing", "technical", "sales")


def whole(answer):
    return re.sub("[^a-z]", "", answer.lower())


# --- routing.clean -----------------------------------------------------------------------------------------------


def ask(ticket, labels, llm):
    return llm.invoke(f"Choose one of {', '.join(labels)}. Answer with one word.\n{ticket}").text


def clean_letters(ticket, labels, llm):
    word = whole(ask(ticket, labels, llm))
    return word if word in labels else None


def clean_strip(ticket, labels, llm):
    word = ask(ticket, labels, llm).strip(string.punctuation + string.whitespace).lower()
    return dict.fromkeys(labels, word).get(word)


async def clean_async(ticket, labels, llm):
    said = await llm.ainvoke([("system", f"Labels: {labels}. One word."), ("user", ticket)])
    return next((label for label in labels if re.fullmatch(rf"\W*{label}\W*", said.text.lower())), None)


def clean_chain(ticket, labels, llm):
    """LCEL, and an Enum as the closed set."""
    closed = Enum("closed", {label: label for label in labels})

    def read(text):
        try:
            return closed(whole(text)).value
        except ValueError:
            return None

    prompt = ChatPromptTemplate.from_messages([("system", "One of: {labels}"), ("user", "{ticket}")])
    chain = prompt | llm | StrOutputParser() | read
    return chain.invoke({"ticket": ticket, "labels": ", ".join(labels)})


def clean_exact(ticket, labels, llm):
    said = ask(ticket, labels, llm)
    return said if said in labels else None


def clean_substring(ticket, labels, llm):
    said = ask(ticket, labels, llm).lower()
    return next((label for label in labels if label in said), None)


def clean_reversed_substring(ticket, labels, llm):
    word = whole(ask(ticket, labels, llm))
    return word if word in " ".join(labels) else None


def clean_last_word(ticket, labels, llm):
    found = re.findall("[a-z]+", ask(ticket, labels, llm).lower())
    return found[-1] if found and found[-1] in labels else None


def clean_first_label(ticket, labels, llm):
    word = whole(ask(ticket, labels, llm))
    return word if word in labels else labels[0]


def clean_as_it_came(ticket, labels, llm):
    said = ask(ticket, labels, llm)
    return said if whole(said) in labels else None


def clean_raises(ticket, labels, llm):
    return {label: label for label in labels}[whole(ask(ticket, labels, llm))]


def clean_any_word(ticket, labels, llm):
    return whole(ask(ticket, labels, llm)) or None


def clean_forgets_return(ticket, labels, llm):
    word = whole(ask(ticket, labels, llm))
    print(word if word in labels else None)


def clean_no_labels(ticket, labels, llm):
    word = whole(llm.invoke(f"Where does this go?\n{ticket}").text)
    return word if word in labels else None


def clean_no_request(ticket, labels, llm):
    return next((label for label in labels if label in ticket.lower()), None)


def clean_message(ticket, labels, llm):
    """Takes the message for its text."""
    said = llm.invoke(f"One of {labels}?\n{ticket}")
    return said if said.text else None


def clean_structured(ticket, labels, llm):
    class Choice(BaseModel):
        label: str

    return llm.with_structured_output(Choice).invoke(f"One of {labels}?\n{ticket}").label


def clean_blank(ticket, labels, llm):
    raise NotImplementedError


# --- routing.mend ------------------------------------------------------------------------------------------------

FOUR = (
    "Who should read this ticket: billing, technical, sales or other (none of these)? Answer with one word.\n\n{ticket}"
)


def mend_plain(ticket, llm):
    word = whole(llm.invoke(FOUR.format(ticket=ticket)).text)
    return word if word in DESKS else "other"


async def mend_async(ticket, llm):
    said = await llm.ainvoke([("system", "billing, technical, sales, or other?"), ("user", ticket)])
    return {desk: desk for desk in DESKS}.get(said.content.lower().strip("*.,!?\"'` \n"), "other")


def mend_chain(ticket, llm):
    read = RunnableLambda(whole) | RunnableBranch((lambda word: word in DESKS, lambda word: word), lambda _: "other")
    return (ChatPromptTemplate.from_template(FOUR) | llm | StrOutputParser() | read).invoke({"ticket": ticket})


def mend_graph(ticket, llm):
    """LangGraph with a path map whose every other way leads out."""

    class State(TypedDict, total=False):
        label: str
        desk: str

    graph = StateGraph(State)
    graph.add_node("classify", lambda state: {"label": whole(llm.invoke(FOUR.format(ticket=ticket)).text)})
    for desk in (*DESKS, "other"):
        graph.add_node(desk, lambda state, desk=desk: {"desk": desk}).add_edge(desk, END)
    paths = {desk: desk for desk in (*DESKS, "other")}
    graph.add_conditional_edges("classify", lambda s: s["label"] if s["label"] in DESKS else "other", paths)
    return graph.add_edge(START, "classify").compile().invoke({})["desk"]


def mend_buggy(ticket, llm):
    """As it stands in the notebook."""
    said = llm.invoke(f"Classify this ticket as billing, technical or sales. Answer with one word.\n\n{ticket}")
    word = whole(said.text)
    return word if word in DESKS else "sales"


def mend_only_code(ticket, llm):
    said = llm.invoke(f"Who should read this ticket: billing, technical or sales? Answer with one word.\n\n{ticket}")
    word = whole(said.text)
    return word if word in DESKS else "other"


def mend_only_prompt(ticket, llm):
    word = whole(llm.invoke(FOUR.format(ticket=ticket)).text)
    return word if word in (*DESKS, "other") else "sales"


def mend_substring(ticket, llm):
    said = llm.invoke(FOUR.format(ticket=ticket)).text.lower()
    return next((desk for desk in DESKS if desk in said), "other")


def mend_none(ticket, llm):
    word = whole(llm.invoke(FOUR.format(ticket=ticket)).text)
    return word if word in DESKS else None


def mend_raises(ticket, llm):
    word = whole(llm.invoke(FOUR.format(ticket=ticket)).text)
    if word not in (*DESKS, "other"):
        raise ValueError(word)
    return word


def mend_asks_again(ticket, llm):
    word = whole(llm.invoke(FOUR.format(ticket=ticket)).text)
    if word not in (*DESKS, "other"):
        word = whole(llm.invoke(FOUR.format(ticket=ticket)).text)
    return word if word in DESKS else "other"


def mend_invented(ticket, llm):
    return whole(llm.invoke(FOUR.format(ticket=ticket)).text) or "other"


def mend_keywords(ticket, llm):
    return next((desk for desk in DESKS if desk in ticket), "other")


def mend_braces(ticket, llm):
    word = whole(llm.invoke(FOUR).text)
    return word if word in DESKS else "other"


def mend_blank(ticket, llm):
    raise NotImplementedError


# --- routing.router ----------------------------------------------------------------------------------------------

CHOICES = ("calculator", "search", "none")
WHICH = "Which tool answers this query: calculator, search or none? Answer with one word.\nQuery: {query}"


def route_plain(query, llm):
    said = llm.invoke(WHICH.format(query=query)).text
    if whole(said) not in CHOICES:
        said = llm.invoke(f"{WHICH.format(query=query)}\nYour answer was {said!r}: that is none of them.").text
    return whole(said) if whole(said) in CHOICES else "none"


async def route_conversation(query, llm):
    """The bad answer stays in the conversation."""
    talk = [("user", WHICH.format(query=query))]
    for _ in range(2):
        answer = await llm.ainvoke(talk)
        word = answer.text.strip("\"'`*.,!? \n").lower()
        if word in CHOICES:
            return word
        talk += [("assistant", answer.text), ("user", "One word of the three, please.")]
    return "none"


def route_graph(query, llm):
    """LangGraph: one node, asked at most twice."""

    class State(TypedDict, total=False):
        said: str
        asked: int

    def choose(state):
        before = f"\nNot allowed: {state['said']}" if state["asked"] else ""
        return {"said": llm.invoke(WHICH.format(query=query) + before).text, "asked": state["asked"] + 1}

    def after(state):
        return "choose" if whole(state["said"]) not in CHOICES and state["asked"] < 2 else END

    graph = StateGraph(State).add_node("choose", choose).add_edge(START, "choose")
    graph.add_conditional_edges("choose", after, {"choose": "choose", END: END})
    word = whole(graph.compile().invoke({"asked": 0})["said"])
    return word if word in CHOICES else "none"


def route_fallback(query, llm):
    """LCEL: the second question is the fallback of the first."""
    bad = []

    def read(answer):
        bad.append(answer.text)
        if whole(answer.text) not in CHOICES:
            raise ValueError(answer.text)
        return whole(answer.text)

    second = RunnableLambda(lambda text: f"{text}\nYou said: {bad[-1]}") | llm | read
    chain = (llm | read).with_fallbacks([second, RunnableLambda(lambda _: "none")], exceptions_to_handle=(ValueError,))
    return chain.invoke(WHICH.format(query=query))


def route_substring(query, llm):
    said = llm.invoke(WHICH.format(query=query)).text.lower()
    return next((tool for tool in CHOICES if tool in said), "none")


def route_substring_again(query, llm):
    """The same test for both answers."""
    said = ""
    for _ in range(2):
        said = llm.invoke(f"{WHICH.format(query=query)}\n{said}").text
        if found := [tool for tool in CHOICES if tool in said.lower()]:
            return found[0]
    return "none"


def route_once(query, llm):
    word = whole(llm.invoke(WHICH.format(query=query)).text)
    return word if word in CHOICES else "none"


def route_first_label(query, llm):
    word = whole(llm.invoke(WHICH.format(query=query)).text)
    return word if word in CHOICES else "calculator"


def route_endless(query, llm):
    said = ""
    while whole(said) not in CHOICES:
        said = llm.invoke(f"{WHICH.format(query=query)}\nYou said: {said}").text
    return whole(said)


def route_thrice(query, llm):
    said = ""
    for _ in range(3):
        said = llm.invoke(f"{WHICH.format(query=query)}\nYou said: {said}").text
        if whole(said) in CHOICES:
            return whole(said)
    return "none"


def route_raw(query, llm):
    said = llm.invoke(WHICH.format(query=query)).text
    if said not in CHOICES:
        said = llm.invoke(f"{WHICH.format(query=query)}\nYou said: {said}").text
    return said if said in CHOICES else "none"


def route_key_error(query, llm):
    return {tool: tool for tool in CHOICES}[whole(llm.invoke(WHICH.format(query=query)).text)]


def route_keywords(query, llm):
    return "calculator" if re.search("[0-9]|calculator", query) else "search"


def route_quotes_cleaned(query, llm):
    word = whole(llm.invoke(WHICH.format(query=query)).text)
    if word not in CHOICES:
        word = whole(llm.invoke(f"{WHICH.format(query=query)}\nYou said: {word}").text)
    return word if word in CHOICES else "none"


def route_blind(query, llm):
    """Asks again without showing the bad answer."""
    for _ in range(2):
        word = whole(llm.invoke(WHICH.format(query=query)).text)
        if word in CHOICES:
            return word
    return "none"


def route_forgets_query(query, llm):
    said = llm.invoke(WHICH.format(query=query)).text
    if whole(said) not in CHOICES:
        said = llm.invoke(f"{said!r} is none of calculator, search, none. Which one is it?").text
    return whole(said) if whole(said) in CHOICES else "none"


def route_second_unread(query, llm):
    """Takes the second answer as it is."""
    said = llm.invoke(WHICH.format(query=query)).text
    if whole(said) not in CHOICES:
        said = llm.invoke(f"{WHICH.format(query=query)}\nYou said: {said}").text
    return whole(said)


def route_second_substring(query, llm):
    said = llm.invoke(WHICH.format(query=query)).text
    if whole(said) not in CHOICES:
        said = llm.invoke(f"{WHICH.format(query=query)}\nYou said: {said}").text
    return next((tool for tool in CHOICES if tool in said.lower()), "none")


def route_none_is_bad(query, llm):
    said = llm.invoke(WHICH.format(query=query)).text
    if whole(said) not in CHOICES[:2]:
        said = llm.invoke(f"{WHICH.format(query=query)}\nYou said: {said}").text
    return whole(said) if whole(said) in CHOICES else "none"


def route_two_labels(query, llm):
    """Offers no way out."""
    said = llm.invoke(f"calculator or search?\n{query}").text
    if whole(said) not in CHOICES:
        said = llm.invoke(f"calculator or search, and not {said}?\n{query}").text
    return whole(said) if whole(said) in CHOICES else "none"


def route_structured(query, llm):
    class Tool(BaseModel):
        name: Literal["calculator", "search", "none"]

    try:
        return llm.with_structured_output(Tool).invoke(WHICH.format(query=query)).name
    except ValueError:
        return "none"


def route_blank(query, llm):
    raise NotImplementedError


# --- routing.bot -------------------------------------------------------------------------------------------------


def choose(message, desks, llm):
    return llm.invoke(f"Who reads this: {', '.join(desks)} or other? One word.\n{message}").text


def handed_on(reply="A person will read this."):
    return {"label": "other", "reply": reply, "escalate": True}


def bot_plain(message, desks, llm):
    label = whole(choose(message, desks, llm))
    if label not in desks:
        return handed_on()
    reply = llm.invoke([("system", desks[label]), ("user", message)]).text
    return {"label": label, "reply": reply, "escalate": False}


async def bot_async(message, desks, llm):
    ask = f"Answer with one of these words: {' '.join(desks)} other"
    said = await llm.ainvoke([{"role": "system", "content": ask}, {"role": "user", "content": message}])
    label = said.content.strip("*.\"'` \n").lower()
    if prompt := desks.get(label):
        talk = [{"role": "system", "content": prompt}, {"role": "user", "content": f"The customer writes:\n{message}"}]
        return {"label": label, "reply": (await llm.ainvoke(talk)).content, "escalate": False}
    return handed_on("Somebody will write to you.")


def bot_chain(message, desks, llm):
    """LCEL with a branch for each desk."""
    two = ChatPromptTemplate.from_messages([("system", "{system}"), ("user", "{message}")])
    say = two | llm | StrOutputParser()
    ask = f"Label the message: {', '.join(desks)}, other."
    label = (say | whole).invoke({"system": ask, "message": message})

    def at(desk):
        reply = RunnableLambda(lambda m: {"system": desks[desk], "message": m}) | say
        return reply | (lambda text: {"label": desk, "reply": text, "escalate": False})

    branches = [(lambda _, desk=desk: label == desk, at(desk)) for desk in desks]
    return RunnableBranch(*branches, lambda _: handed_on()).invoke(message)


def bot_graph(message, desks, llm):
    """LangGraph with a node for each desk."""

    class State(TypedDict, total=False):
        label: str
        reply: str
        escalate: bool

    def classify(state):
        label = whole(choose(message, desks, llm))
        return {"label": label if label in desks else "other"}

    def node(desk):
        def answer(state):
            return {"reply": llm.invoke([("system", desks[desk]), ("user", message)]).text, "escalate": False}

        return answer

    graph = StateGraph(State).add_node("classify", classify).add_edge(START, "classify")
    graph.add_node("other", lambda state: {"reply": "A person will read this.", "escalate": True})
    for desk in desks:
        graph.add_node(desk, node(desk)).add_edge(desk, END)
    graph.add_conditional_edges("classify", lambda state: state["label"], [*desks, "other"])
    return graph.add_edge("other", END).compile().invoke({})


def bot_with(message, desks, llm, *, read=whole, talk=None, default="", out=None):
    """A bot in which one thing is wrong."""
    label = read(choose(message, desks, llm))
    if label not in desks and not default:
        return out or handed_on()
    label = label if label in desks else default
    asked = (talk or (lambda desk: [("system", desks[desk]), ("user", message)]))(label)
    return {"label": label, "reply": llm.invoke(asked).text, "escalate": False}


def bot_keywords(message, desks, llm):
    if not (found := [desk for desk in desks if desk in message]):
        return handed_on()
    reply = llm.invoke([("system", desks[found[0]]), ("user", message)]).text
    return {"label": found[0], "reply": reply, "escalate": False}


async def bot_every_desk(message, desks, llm):
    label = whole(choose(message, desks, llm))
    answers = await asyncio.gather(*(llm.ainvoke([("system", each), ("user", message)]) for each in desks.values()))
    replies = dict(zip(desks, answers, strict=True))
    if label not in desks:
        return handed_on()
    return {"label": label, "reply": replies[label].text, "escalate": False}


def bot_default(message, desks, llm):
    return bot_with(message, desks, llm, default="sales")


def bot_substring(message, desks, llm):
    return bot_with(message, desks, llm, read=lambda said: next((d for d in desks if d in said.lower()), "other"))


def bot_raw(message, desks, llm):
    return bot_with(message, desks, llm, read=lambda said: said)


def bot_shared_prompt(message, desks, llm):
    shared = "\n".join(desks.values())
    return bot_with(message, desks, llm, talk=lambda desk: [("system", shared), ("user", message)])


def bot_first_prompt(message, desks, llm):
    first = next(iter(desks.values()))
    return bot_with(message, desks, llm, talk=lambda desk: [("system", first), ("user", message)])


def bot_no_system(message, desks, llm):
    return bot_with(message, desks, llm, talk=lambda desk: f"{desks[desk]}\n{message}")


def bot_message_in_system(message, desks, llm):
    return bot_with(message, desks, llm, talk=lambda desk: [("system", f"{desks[desk]}\nTicket: {message}")])


def bot_forgets_message(message, desks, llm):
    return bot_with(message, desks, llm, talk=lambda desk: [("system", desks[desk]), ("user", "Please reply.")])


def bot_template(message, desks, llm):
    """Puts the message into a template, braces and all."""

    def talk(desk):
        return ChatPromptTemplate.from_messages([("system", desks[desk]), ("user", message)]).invoke({})

    return bot_with(message, desks, llm, talk=talk)


def bot_key_error(message, desks, llm):
    label = whole(choose(message, desks, llm))
    reply = llm.invoke([("system", (desks | {"other": "You help."})[label]), ("user", message)]).text
    return {"label": label, "reply": reply, "escalate": label == "other"}


def bot_two_kinds(message, desks, llm):
    two = {desk: text for desk, text in desks.items() if desk != "sales"}
    return bot_with(message, two, llm)


def bot_two_handlers(message, desks, llm):
    """Offers three desks and has two."""
    label = whole(choose(message, desks, llm))
    return bot_with(message, desks, _Again(llm, label if label != "sales" else "other"))


def bot_label_as_said(message, desks, llm):
    label = whole(said := choose(message, desks, llm))
    if label in desks:
        return bot_with(message, desks, _Again(llm, said), read=whole)
    return handed_on() | {"label": said}


class _Again:
    """Gives the first answer again without a request."""

    def __init__(self, llm, said):
        self.llm, self.said = llm, said

    def invoke(self, prompt):
        if isinstance(prompt, str):
            return type("Answer", (), {"text": self.said})
        return self.llm.invoke(prompt)


def bot_never_escalates(message, desks, llm):
    return bot_with(message, desks, llm, out=handed_on() | {"escalate": False})


def bot_silent(message, desks, llm):
    return bot_with(message, desks, llm, out=handed_on(""))


def bot_only_text(message, desks, llm):
    return bot_with(message, desks, llm)["reply"]


def bot_reply_message(message, desks, llm):
    label = whole(choose(message, desks, llm))
    if label not in desks:
        return handed_on()
    return {"label": label, "reply": llm.invoke([("system", desks[label]), ("user", message)]), "escalate": False}


def bot_no_way_out(message, desks, llm):
    label = whole(llm.invoke(f"One of {', '.join(desks)}?\n{message}").text)
    return bot_with(message, desks, _Again(llm, label))


def bot_hard_coded(message, desks, llm):
    """Its classifier knows four words, whatever desks there are."""
    known = {desk: desks.get(desk, "You help.") for desk in ("billing", "technical", "sales")}
    return bot_with(message, known, llm)


def bot_blank(message, desks, llm):
    raise NotImplementedError


# --- routing.cascade ---------------------------------------------------------------------------------------------


def cascade_plain(question, small, large, accept):
    first = small.invoke(question).text
    if accept(question, first):
        return {"text": first, "model": "small", "cost": 1}
    return {"text": large.invoke(question).text, "model": "large", "cost": 21}


async def cascade_loop(question, small, large, accept):
    """One loop over a ladder of models; the last rung needs no judge."""
    cost = 0
    for name, model, price in (("small", small, 1), ("large", large, 20)):
        text = (await model.ainvoke([("user", question)])).content
        cost += price
        if name == "large" or accept(question, text):
            return {"text": text, "model": name, "cost": cost}


def cascade_fallback(question, small, large, accept):
    """LCEL: the large model is the fallback of a chain that raises what the judge rejects."""

    def judged(answer):
        if not accept(question, answer.text):
            raise ValueError("rejected")
        return {"text": answer.text, "model": "small", "cost": 1}

    strong = large | (lambda answer: {"text": answer.text, "model": "large", "cost": 21})
    return (small | judged).with_fallbacks([strong], exceptions_to_handle=(ValueError,)).invoke(question)


def cascade_graph(question, small, large, accept):
    class State(TypedDict, total=False):
        text: str
        model: str
        cost: int

    def try_small(state):
        return {"text": small.invoke(question).text, "model": "small", "cost": 1}

    def try_large(state):
        return {"text": large.invoke(question).text, "model": "large", "cost": state["cost"] + 20}

    graph = StateGraph(State).add_node("cheap", try_small).add_node("strong", try_large).add_edge(START, "cheap")
    paths = {True: END, False: "strong"}
    graph.add_conditional_edges("cheap", lambda state: accept(question, state["text"]), paths)
    return graph.add_edge("strong", END).compile().invoke({})


def cascade_large_only(question, small, large, accept):
    return {"text": large.invoke(question).text, "model": "large", "cost": 20}


def cascade_always_both(question, small, large, accept):
    first, second = small.invoke(question).text, large.invoke(question).text
    if accept(question, first):
        return {"text": first, "model": "small", "cost": 21}
    return {"text": second, "model": "large", "cost": 21}


async def cascade_at_once(question, small, large, accept):
    first, second = await asyncio.gather(small.ainvoke(question), large.ainvoke(question))
    if accept(question, first.text):
        return {"text": first.text, "model": "small", "cost": 21}
    return {"text": second.text, "model": "large", "cost": 21}


def cascade_always_large(question, small, large, accept):
    """Asks in order, and asks the large one whatever the judge says."""
    first = small.invoke(question).text
    is_good, second = accept(question, first), large.invoke(question).text
    return {"text": first if is_good else second, "model": "small" if is_good else "large", "cost": 21}


def cascade_large_cost(question, small, large, accept):
    found = cascade_plain(question, small, large, accept)
    return found | {"cost": 20 if found["model"] == "large" else 1}


def cascade_inverted(question, small, large, accept):
    return cascade_plain(question, small, large, lambda q, a: not accept(q, a))


def cascade_judges_question(question, small, large, accept):
    return cascade_plain(question, small, large, lambda q, a: accept(q, q))


def cascade_swapped(question, small, large, accept):
    return cascade_plain(question, small, large, lambda q, a: accept(a, q))


def cascade_shows_message(question, small, large, accept):
    answer = small.invoke(question)
    if accept(question, answer):
        return {"text": answer.text, "model": "small", "cost": 1}
    return {"text": large.invoke(question).text, "model": "large", "cost": 21}


def cascade_own_judge(question, small, large, accept):
    return cascade_plain(question, small, large, lambda q, a: "not sure" not in a and len(a) > 3)


def cascade_judges_twice(question, small, large, accept):
    first = small.invoke(question).text
    if accept(question, first):
        return {"text": first, "model": "small", "cost": 1}
    second = large.invoke(question).text
    accept(question, second)
    return {"text": second, "model": "large", "cost": 21}


def cascade_one_argument(question, small, large, accept):
    return cascade_plain(question, small, large, lambda q, a: accept(a))


def cascade_awaits(question, small, large, accept):
    async def go():
        return await accept(question, (await small.ainvoke(question)).text)

    return asyncio.run(go())


def cascade_returns_first(question, small, large, accept):
    first = small.invoke(question).text
    if not accept(question, first):
        large.invoke(question)
        return {"text": first, "model": "large", "cost": 21}
    return {"text": first, "model": "small", "cost": 1}


def cascade_gives_up(question, small, large, accept):
    first = small.invoke(question).text
    return {"text": first if accept(question, first) else "", "model": "small", "cost": 1}


def cascade_model_object(question, small, large, accept):
    found = cascade_plain(question, small, large, accept)
    return found | {"model": {"small": small, "large": large}[found["model"]].model_name + "!"}


def cascade_tuple(question, small, large, accept):
    return tuple(cascade_plain(question, small, large, accept).values())


def cascade_model_itself(question, small, large, accept):
    found = cascade_plain(question, small, large, accept)
    return found | {"model": {"small": small, "large": large}[found["model"]]}


def cascade_blank(question, small, large, accept):
    raise NotImplementedError


RIGHT = {
    "routing.clean": [clean_letters, clean_strip, clean_async, clean_chain],
    "routing.mend": [mend_plain, mend_async, mend_chain, mend_graph],
    "routing.router": [route_plain, route_conversation, route_graph, route_fallback],
    "routing.bot": [bot_plain, bot_async, bot_chain, bot_graph],
    "routing.cascade": [cascade_plain, cascade_loop, cascade_fallback, cascade_graph],
}

OCCURS = "that a label which occurs in the answer is the answer"
THOUGHT_OF = "that every message is one of the cases you thought of"
BARE = "that a model which is asked for one word answers with that word alone"
WAY_OUT = "does not name 'other'"

WRONG = {  # check -> answer -> words that a learner must read
    "routing.clean": {
        clean_exact: BARE,
        clean_substring: OCCURS,
        clean_reversed_substring: "what does `'' in 'billing, sales'` say?",
        clean_last_word: "compare the whole cleaned-up answer",
        clean_first_label: THOUGHT_OF,
        clean_as_it_came: "return the label itself, without its decoration",
        clean_raises: "your function raised KeyError",
        clean_any_word: "return one of the values in the table",
        clean_forgets_return: "is there a `return` for it?",
        clean_no_labels: "the model can only choose what it is offered",
        clean_no_request: "let the model choose: ask `llm`",
        clean_message: "an object of type AIMessage",
        clean_structured: "the provider of this task enforces no schema",
        clean_blank: "not written yet",
    },
    "routing.mend": {
        mend_buggy: THOUGHT_OF,
        mend_only_code: WAY_OUT,
        mend_only_prompt: "no desk is its default",
        mend_substring: OCCURS,
        mend_none: "your function gave None",
        mend_raises: "your function raised ValueError: refunds",
        mend_asks_again: "this task does not ask again",
        mend_invented: "your function gave 'refunds'",
        mend_keywords: "that a word in the customer's text says what the text is about",
        mend_braces: "put an f before the quotes",
        mend_blank: "not written yet",
    },
    "routing.router": {
        route_substring: "ask once more",
        route_substring_again: OCCURS,
        route_once: "when the first answer is no label, ask once more and show it",
        route_first_label: THOUGHT_OF,
        route_endless: "look for a loop that has no way out",
        route_thrice: "after the second bad answer give up with 'none'",
        route_raw: BARE,
        route_key_error: "your function raised KeyError",
        route_keywords: "let the model choose",
        route_quotes_cleaned: "quote it as it came, before cleaning",
        route_blind: "quote the bad answer in the second prompt",
        route_forgets_query: "the prompt of request 2 does not hold the query",
        route_second_unread: "your function gave 'banana'",
        route_second_substring: OCCURS,
        route_none_is_bad: "'none' is one of the three choices",
        route_two_labels: "does not name 'none'",
        route_structured: "read that text",
        route_blank: "not written yet",
    },
    "routing.bot": {
        bot_keywords: "let the model choose",
        bot_every_desk: "that asking every desk and picking one afterwards is the same",
        bot_default: THOUGHT_OF,
        bot_substring: OCCURS,
        bot_raw: BARE,
        bot_shared_prompt: "and no other desk's",
        bot_first_prompt: "look the prompt up by the label",
        bot_no_system: "holds it, but not as a system message",
        bot_message_in_system: "that the customer's text is a part of your instructions",
        bot_forgets_message: "the prompt of request 2 does not hold the customer's message",
        bot_template: "takes its braces for blanks",
        bot_key_error: "what is no label of a desk goes to a person",
        bot_two_kinds: "does not name 'sales'",
        bot_two_handlers: "each key of `desks` is a desk to ask",
        bot_label_as_said: "what goes to a person is labelled 'other'",
        bot_never_escalates: "true when a person has to look",
        bot_silent: "write a sentence of your own",
        bot_only_text: "return a dict with these three keys",
        bot_reply_message: "return the text inside that AIMessage",
        bot_no_way_out: WAY_OUT,
        bot_hard_coded: "the model can only choose what it is offered",
        bot_blank: "not written yet",
    },
    "routing.cascade": {
        cascade_large_only: "ask `small` first",
        cascade_always_both: "that asking both at once costs nothing",
        cascade_always_large: "a yes ends it",
        cascade_at_once: "that asking both at once costs nothing",
        cascade_large_cost: "that an escalated question costs what the large model costs",
        cascade_inverted: "a yes ends it",
        cascade_judges_question: "`accept` was given the question where the answer belongs",
        cascade_swapped: "the answer first and the question second",
        cascade_shows_message: "`accept` was given an object of type AIMessage",
        cascade_own_judge: "that one can hear from an answer whether it is right",
        cascade_judges_twice: "the large model's answer is final",
        cascade_one_argument: "missing 1 required positional argument",
        cascade_awaits: "your function raised TypeError",
        cascade_returns_first: "the text of the answer that was taken",
        cascade_gives_up: "when `accept` says no, ask `large`",
        cascade_model_object: "'small' or 'large'",
        cascade_tuple: "return a dict with these three keys",
        cascade_model_itself: "`model` is an object of type ChatOpenAI",
        cascade_blank: "not written yet",
    },
}

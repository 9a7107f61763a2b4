# %% [markdown] name="title"
# # Exercise 5 · The router that cannot lie
# *75 minutes · after lesson 5 · 12 points*
#
# Five tasks around one idea: what a model says is a text, and your code decides what it means.
# Write only in the cells that say `# your code here`; the check below each of them tells you what the server saw.
# Stuck? `hint("routing.router")` in a new cell gives one step, and one more each time; hints are free.
# `progress()` shows where you stand.
#
# Use the models that your function is handed. In the checks they follow a script and answer in plain words: this provider enforces no schema, so `with_structured_output` has nothing to hold on to, and you read the text.
# What counts is *who was asked, with what, and what you made of the answer*, never your wording.
# Plain functions, `async` ones, LCEL and LangGraph are all welcome.

# %% name="setup" tags=["given"]
import re
from collections import Counter

from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, StateGraph

from course_utils import chat_model, check, connect, hint, predict, progress, workflow_graph, world

# %% [markdown] name="clean-task"
# ## 1. A closed set (1 point)
#
# A worked example first. This function accepts `yes` and `no`, however they are dressed up, and nothing else:
#
# ```python
# def is_urgent(ticket, llm):
#     answer = llm.invoke(f"Is this urgent? Answer yes or no.\n{ticket}").text
#     word = re.sub(r"[^a-z]", "", answer.lower())
#     return word if word in ("yes", "no") else None
# ```
#
# Now for any labels. The request is there; reading the answer is missing.
#
# | you are given | you give back |
# |---|---|
# | `ticket`: the customer's message; `labels`: a list of words in small letters; `llm`: a chat model | the label that the model chose, or `None` |
#
# | the model answers | for `["billing", "technical", "sales"]` |
# |---|---|
# | `billing`, `**Billing**.`, `"BILLING"`, or `billing` between spaces and line breaks | `"billing"` |
# | anything else: `Not billing.`, `Billing or sales?`, `refunds`, nothing | `None` |


# %% name="answer-clean" tags=["answer"]
def pick(ticket: str, labels: list[str], llm) -> str | None:
    """The label that the model chose; None when its answer is no label."""
    answer = llm.invoke(f"Choose one of {', '.join(labels)} for this ticket. Answer with one word.\n{ticket}").text
    # solution
    word = re.sub(r"[^a-z]", "", answer.lower())
    return word if word in labels else None


# %% name="check-clean" tags=["check"]
check("routing.clean", pick)

# %% [markdown] name="measure-task"
# ## 2. Predict and measure (no points)
#
# The version below is in use at the desk. It reads the answer as a whole, as you have just done, and it never refuses anybody.
# Its last line says what becomes of an answer that is no label: most tickets are for sales, somebody thought.
# Commit to a number, then run the measurement.


# %% name="mend-buggy" tags=["given"]
def desk_of_buggy(ticket: str, llm) -> str:
    """The desk that a ticket goes to."""
    ask = "Classify this ticket as billing, technical or sales. Answer with one word."
    answer = llm.invoke(f"{ask}\n\n{ticket}").text
    label = re.sub(r"[^a-z]", "", answer.lower())
    return label if label in ("billing", "technical", "sales") else "sales"


# %% name="measure-predict"
by_default = predict(
    "121 tickets go through it. How many land at sales although the model did not answer `sales`?",
    name="sent to sales by the last line",
    default=3,
    unit="tickets",
    low=0,
    high=121,
)
by_default

# %% name="measure-run"
tickets = [ticket for ticket in world.tickets() if not ticket.also_acceptable]

with connect().record() as trace:
    to_desk = RunnableLambda(lambda ticket: desk_of_buggy(ticket.text, chat_model(step="route")))
    desks = to_desk.batch(tickets, {"max_concurrency": 20})

said_sales = sum(re.sub(r"[^a-z]", "", request.answer.lower()) == "sales" for request in trace)
by_default.reveal(desks.count("sales") - said_sales)

# %% name="measure-more"
pile = Counter(ticket.label for ticket, desk in zip(tickets, desks, strict=True) if desk == "sales")
strangers = Counter(desk for ticket, desk in zip(tickets, desks, strict=True) if ticket.label == "other")

print("in the pile of sales, as a person labels them:", dict(sorted(pile.items())))
print("the 26 tickets that are for no desk went to:  ", dict(sorted(strangers.items())))

# %% [markdown] name="mend-contract"
# ## 3. Find the bug: the default that nobody sees (2 points)
#
# No error, no refusal, and a third of what lies in the pile of sales belongs somewhere else.
# The 26 tickets that are for no desk lie in three piles, because the model was never given a word for them.
# Write `desk_of`: the same job with a way out, both for the model and for your code.
#
# | you are given | you give back |
# |---|---|
# | `ticket`; `llm` | `"billing"`, `"technical"`, `"sales"` or `"other"`; `"other"` means that a person reads it |
#
# * One request. Its prompt holds the ticket and names all **four** labels, so that the model can say that no desk fits.
# * A label is read as in task 1. Every other answer, whatever it is, gives `"other"`.

# %% name="mend-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "classify"),
        ("classify", "read the answer"),
        ("read the answer", "a desk", "one of three labels"),
        ("read the answer", "a person", "'other', or no label"),
        ("a desk", "end"),
        ("a person", "end"),
    ],
    kinds={"classify": "model", "read the answer": "code", "a desk": "model", "a person": "person"},
    title="Two ways into one way out",
)


# %% name="answer-mend" tags=["answer"]
def desk_of(ticket: str, llm) -> str:
    """The desk that a ticket goes to, or "other" for a person."""
    # solution
    ask = "Classify this ticket as billing, technical, sales or other (none of them). Answer with one word."
    answer = llm.invoke(f"{ask}\n\n{ticket}").text
    label = re.sub(r"[^a-z]", "", answer.lower())
    return label if label in ("billing", "technical", "sales") else "other"


# %% name="check-mend" tags=["check"]
check("routing.mend", desk_of)

# %% [markdown] name="router-task"
# ## 4. The router that cannot lie (3 points)
#
# The tool router of lesson 1 refused what it could have served, and a substring test served what it should have refused.
# `route` does neither: it reads the whole answer, asks **once** more when that is no label, and then gives up.
#
# | you are given | you give back |
# |---|---|
# | `query`: what a customer wants to know; `llm` | `"calculator"`, `"search"` or `"none"`, and never anything else |
#
# | the first answer | the second answer | then |
# |---|---|---|
# | one of the three labels, perhaps dressed up | is not asked for | that label |
# | anything else, such as `Not calculator; use the search tool.` | one of the three labels, perhaps dressed up | that label |
# | anything else | anything else | `"none"`, and **no** third request |
#
# * Each prompt holds the query and names all three labels.
# * The second one also shows the model its bad answer, as it was: quoted in the prompt, or as a message of the conversation.

# %% name="router-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "ask"),
        ("ask", "the label", "a label"),
        ("ask", "ask again", "no label"),
        ("ask again", "the label", "a label"),
        ("ask again", "none", "no label"),
        ("the label", "end"),
        ("none", "end"),
    ],
    kinds={"ask": "model", "ask again": "model", "the label": "code", "none": "code"},
    title="One request or two, and always a label",
)


# %% name="answer-router" tags=["answer"]
def route(query: str, llm) -> str:
    """The tool that the model names for this query; "none" when it names none, also at the second request."""
    # solution
    labels = ("calculator", "search", "none")
    ask = f"Which tool answers this query: {', '.join(labels)}? Answer with one word.\nQuery: {query}"
    prompt = ask
    for _ in range(2):
        answer = llm.invoke(prompt).text
        word = re.sub(r"[^a-z]", "", answer.lower())
        if word in labels:
            return word
        prompt = f"{ask}\n\nYour last answer was {answer!r}, and that is none of these words."
    return "none"


# %% name="check-router" tags=["check"]
check("routing.router", route)

# %% [markdown] name="bot-task"
# ## 5. A bot for customers (3 points)
#
# Now the whole way: a classifier, then **exactly one** desk with a system prompt of its own, and a person for everything else.
#
# | you are given | you give back |
# |---|---|
# | `message`: the customer's text | a dictionary: |
# | `desks`: `{label: system prompt}`, such as `{"billing": "You are the billing desk …", …}`; three desks or more | `"label"`: a key of `desks`, or `"other"` |
# | `llm` | `"reply"`: the text of that desk's answer; for `"other"` a sentence of your own |
# | | `"escalate"`: `True` when a person has to look, else `False` |
#
# * First request: the classifier. Its prompt is yours; it holds the message and names every key of `desks`, and `other`.
# * Second request: the system prompt of the chosen desk as the **system** message, the customer's text in the **user** message, and no other desk's prompt anywhere.
# * The answer `other`, or no label at all: no second request.
# * The customer's text is data. It may name desks without meaning them, give orders, or hold braces like `{first_name}`; it never stands in a system message.

# %% name="bot-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "classify"),
        ("classify", "billing"),
        ("classify", "technical"),
        ("classify", "sales"),
        ("classify", "a person", "anything else"),
        ("billing", "end"),
        ("technical", "end"),
        ("sales", "end"),
        ("a person", "end"),
    ],
    kinds={"classify": "model", "billing": "model", "technical": "model", "sales": "model", "a person": "person"},
    title="One desk or a person",
)


# %% name="answer-bot" tags=["answer"]
def support_bot(message: str, desks: dict[str, str], llm) -> dict:
    """Who replied to the customer, what, and whether a person must look."""
    # solution
    ask = f"Classify the customer's message as {', '.join(desks)} or other. Answer with one word."
    answer = llm.invoke([("system", ask), ("user", message)]).text
    label = re.sub(r"[^a-z]", "", answer.lower())
    if label not in desks:
        return {"label": "other", "reply": "Thank you. A person will read your message.", "escalate": True}
    reply = llm.invoke([("system", desks[label]), ("user", message)]).text
    return {"label": label, "reply": reply, "escalate": False}


# %% name="check-bot" tags=["check"]
check("routing.bot", support_bot)

# %% [markdown] name="cascade-task" own="routing.cascade"
# ## 6. Cheap first (3 points)
#
# A question to the small model costs 1, a question to the large one costs 20.
# So the small model is asked first, a judge looks at its answer, and only when the judge says no is the large model asked.
#
# | you are given | you give back |
# |---|---|
# | `question`: a text | a dictionary: |
# | `small`, `large`: two chat models | `"text"`: the text of the answer that was taken |
# | `accept`: an ordinary function; `accept(question, answer)` with two texts is `True` or `False` | `"model"`: `"small"` or `"large"`, whose answer it is |
# | | `"cost"`: what all requests of this call have cost |
#
# * The judge is asked once, about the small model's answer. What it says counts, however the answer sounds.
# * The large model's answer is final; nobody judges it.
# * The prompts hold the question as it is.

# %% name="cascade-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "small"),
        ("small", "accept"),
        ("accept", "answer", "yes"),
        ("accept", "large", "no"),
        ("large", "answer"),
        ("answer", "end"),
    ],
    kinds={"small": "model", "accept": "code", "large": "model", "answer": "code"},
    title="The dear one only when it must",
)


# %% name="answer-cascade" tags=["answer"] own="routing.cascade"
def cascade(question: str, small, large, accept) -> dict:
    """The answer, whose it is, and what it has cost."""
    # solution
    answer = small.invoke(question).text
    if accept(question, answer):
        return {"text": answer, "model": "small", "cost": 1}
    return {"text": large.invoke(question).text, "model": "large", "cost": 1 + 20}


# %% name="check-cascade" tags=["check"]
check("routing.cascade", cascade)

# %% [markdown] name="afterwards" own="routing.cascade"
# ## Afterwards
#
# Your functions work with any model. Try them on tickets of the shop, in a new cell:
#
# ```python
# desks = {label: f"You are the {label} desk of Merrowby. Reply in two sentences." for label in ("billing", "technical", "sales")}
# support_bot(world.tickets()[0].text, desks, chat_model())
# ```
#
# ```python
# ask = "Classify this ticket as billing, technical, sales or other. Answer with one word.\n\n" + world.ticket("T010").text
# one_word = lambda question, answer: answer.strip().isalpha()
# cascade(ask, chat_model(), chat_model("large"), one_word)
# ```
#
# This judge sees whether the answer has the right *form*. What would it take to see whether it is *true*?
# And from which share of escalated questions on is 1 + 20 · share more than 20?

# %% [markdown] name="title"
# # Exercise 1 · A chain with a gate
# *35 minutes · after lesson 1 · 6 points*
#
# Three tasks, each a little freer than the one before: fill a gap, find a bug, write a chain of your own.
# Write only in the cells that say `# your code here`.
# Below each of them stands a `check(...)`: it calls your function on several cases, looks at the requests that reached the course server, and tells you what it saw.
# Run it as often as you like.
# If you are stuck, `hint("chain.gate")` in a new cell gives you one step, and one more each time; hints are free.
#
# When your work is graded, the same checks run with a few more cases, all or nothing for each task: write to the tables, not only to the cases you see.
# Only these cells are graded, so put helpers and imports of your own into the cell that uses them.
#
# Your function is handed a model, `llm`; ask that one, not a `chat_model()` of your own. In the checks that model follows a script, so its answers will look odd; it is the *path* of your chain that counts, never your wording.

# %% name="setup" tags=["given"]
import re

from course_utils import chat_model, check, connect, hint, predict, workflow_graph, world

# %% [markdown] name="two-steps-task"
# ## 1. A second step (1 point)
#
# A worked example first. This chain asks for a summary, then asks for a title for it:
#
# ```python
# def summarise_then_title(ticket, llm):
#     summary = llm.invoke(f"Summarise this ticket in at most 20 words:\n{ticket}").text
#     return llm.invoke(f"Write a title for this request: {summary}").text
# ```
#
# Now yours: `summarise_then_reply` asks for a summary, then for a short **reply to the customer**, written from the summary alone.
# The first step is there; the second is missing.
#
# | you are given | you give back |
# |---|---|
# | `ticket`: the customer's message; `llm`: a chat model | the text of the reply |

# %% name="two-steps-target" tags=["given", "target"]
ax = workflow_graph(
    [("start", "summarise"), ("summarise", "reply"), ("reply", "end")],
    kinds={"summarise": "model", "reply": "model"},
    title="Two requests, one after the other",
)


# %% name="answer-two-steps" tags=["answer"]
def summarise_then_reply(ticket: str, llm) -> str:
    """Write a reply from a summary of the ticket."""
    summary = llm.invoke(f"Summarise this ticket in at most 20 words:\n{ticket}").text
    # solution
    return llm.invoke(f"Write a short reply to the customer who sent this request: {summary}").text


# %% name="check-two-steps" tags=["check"]
check("chain.two_steps", summarise_then_reply)

# %% [markdown] name="measure-task"
# ## 2. Predict and measure (no points)
#
# This chain looks for an order number in the ticket and then writes about that order.
# Between the two steps stands a gate: no order number, no second request.


# %% name="mend-buggy" tags=["given"]
def reply_about_order_buggy(ticket: str, llm) -> str:
    """Reply about the order that the ticket names; ValueError when it names none."""
    found = llm.invoke(f"Which order number does this ticket name? Answer with the number alone, or NONE.\n{ticket}")
    if not found:
        raise ValueError("the ticket names no order number")
    return llm.invoke(f"Write a short reply about the state of order {found.text}.").text


# %% [markdown] name="measure-question"
# Ten customers who name no order number have written.
# Commit to a number, then run the measurement with the practice model.

# %% name="measure-predict"
requests = predict(
    "Ten tickets that name no order number. How many requests will the server see, both steps together?",
    name="requests for ten tickets",
    default=10,
    unit="requests",
    low=0,
    high=20,
)
requests

# %% name="measure-run"
without = [ticket.text for ticket in world.tickets() if not ticket.order_id][:10]

with connect().record() as trace:
    letters = [reply_about_order_buggy(ticket, chat_model()) for ticket in without]

print("first answers: ", sorted({request.answer for request in trace[::2]}))
print("second request:", trace[1].prompt)
requests.reveal(len(trace))

# %% [markdown] name="mend-contract"
# Ten letters about an order that nobody has named.
#
# ## 3. Find the bug: the gate that never closed (2 points)
#
# Write `reply_about_order`: the same chain with a gate that works.
#
# | the first answer | then |
# |---|---|
# | an order number: two capital letters, a dash, five digits, such as `MB-10484`; spaces or line breaks around it do no harm | a second request with that number in its prompt; give back the text of the answer |
# | anything else: nothing, `NONE`, a sentence, a number inside a sentence | `ValueError`, and **no** second request |

# %% name="mend-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "find the number"),
        ("find the number", "gate"),
        ("gate", "reply", "a number"),
        ("gate", "ValueError", "anything else"),
        ("reply", "end"),
    ],
    kinds={"find the number": "model", "gate": "code", "reply": "model"},
    title="One request or two: the gate decides",
)


# %% name="answer-mend" tags=["answer"]
def reply_about_order(ticket: str, llm) -> str:
    """Reply about the order that the ticket names; ValueError when it names none."""
    # solution
    found = llm.invoke(f"Which order number does this ticket name? Answer with the number alone, or NONE.\n{ticket}")
    order = found.text.strip()
    if not re.fullmatch(r"[A-Z]{2}-[0-9]{5}", order):
        raise ValueError(f"the ticket names no order number: {order!r}")
    return llm.invoke(f"Write a short reply about the state of order {order}.").text


# %% name="check-mend" tags=["check"]
check("chain.mend", reply_about_order)

# %% [markdown] name="gate-task" own="chain.gate"
# ## 4. A chain with a gate of your own (3 points)
#
# The shop's colleagues abroad want a short summary in their own language.
# `summarise_translate` asks for a summary of at most 20 words, **looks at it with ordinary code**, and only then asks for its translation.
#
# | you are given | you give back |
# |---|---|
# | `text`: a message; `language`: such as `"German"`; `llm`: a chat model | the text of the translation |
#
# | the summary | then |
# |---|---|
# | 1 to 20 words (words are what white space separates) | a second request with the summary and the language in its prompt, and without the original text |
# | empty, only white space, or more than 20 words | `ValueError`, and **no** second request |

# %% name="gate-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "summarise"),
        ("summarise", "gate"),
        ("gate", "translate", "short enough"),
        ("gate", "ValueError", "empty or too long"),
        ("translate", "end"),
    ],
    kinds={"summarise": "model", "gate": "code", "translate": "model"},
    title="Summarise, look, translate",
)


# %% name="answer-gate" tags=["answer"] own="chain.gate"
def summarise_translate(text: str, language: str, llm) -> str:
    """Translate a summary of at most 20 words; ValueError when the summary is empty or too long."""
    # solution
    summary = llm.invoke(f"Summarise in at most 20 words:\n{text}").text
    length = len(summary.split())
    if not 1 <= length <= 20:
        raise ValueError(f"the summary has {length} words")
    return llm.invoke(f"Translate into {language}: {summary}").text


# %% name="check-gate" tags=["check"]
check("chain.gate", summarise_translate)

# %% [markdown] name="afterwards"
# ## Afterwards
#
# Your functions work with any model. In a new cell, try them on a ticket of the shop:
#
# ```python
# summarise_translate(world.tickets()[0].text, "German", chat_model())
# ```
#
# (The practice model knows a few hundred words of each language and puts what it cannot translate into brackets.)
#
# Then ask yourself: who should hear of the `ValueError`, and what should happen to the ticket?
# Lesson 9 answers with fallbacks, lesson 10 with a person.

# %% [markdown] name="title"
# # 1 · From tasks to workflows
# *40 minutes · needs a little Python, no lesson before it*
#
# **Goal:** chain two model calls, see in a picture what each of them did and cost, and say what makes a program a workflow or an agent.
#
# It is Monday, 18 May, five past eight.
# Merrowby sells instruments for gardens, and over the weekend its support desk had help from a small program: one model call sums up a customer's message, a second one writes the reply.
# Every request came back with status 200.
# The log shows no error.
# And still one customer has a fluent, friendly letter about nothing at all.
#
# At the end of this lesson you will know how that happened, see it in a picture, and stop it with two lines of ordinary code.
#
# **You will be able to**
#
# * turn a task into steps, and chain them in plain Python and in LangChain;
# * read a request timeline and a cost ledger;
# * put a gate between two steps;
# * tell a workflow from an agent by counting, not by taste.

# %% [markdown] name="what-runs-here"
# ## What runs here
#
# Your code talks to a **course server** on this machine, which speaks OpenAI's protocol and writes down every request it sees.
# Behind it sits the **practice model**: a simulator, not a language model.
# It does small, honest work (it sums up, classifies, drafts, calls tools), makes mistakes at a known rate, and gives the same answer on every machine, which is why the numbers on this page will be yours too.
# The code is ordinary LangChain; [one switch](../docs/PROVIDERS.md) sends the same cells to a real provider.

# %% name="connect"
import operator
import re

from course_utils import chat_model, connect, faults, world
from course_utils import calibration, ledger, predict, quiz, stepper, timeline, workflow_graph

course = connect()
course

# %% [markdown] name="before-you-start"
# Later lessons open with three questions about earlier ones.
# This is the first lesson, so here is one about what you believe today.
# Choose before you read on; you will meet it again at the end.

# %% name="quiz-before"
quiz("q01")

# %% [markdown] name="one-call"
# ## One call
#
# Here is the first message of the weekend.

# %% name="the-ticket"
ticket = world.ticket("T001").text
print(ticket)

# %% [markdown] name="one-call-record"
# One call to a model is the smallest thing there is to orchestrate.
# `chat_model` gives LangChain's client for a chat model; `step=` names the call, so that we can find it again.
# `invoke` sends one request and waits; `.text` is the text of the answer.
# `course.record()` collects the requests of a block; after it, `single` holds what the **server** saw.

# %% name="one-call-run"
with course.record() as single:
    letter = chat_model(step="reply").invoke(f"Write a short reply to this customer:\n{ticket}")

print(letter.text)

# %% name="one-call-ledger"
ledger(single)

# %% [markdown] name="ledger-explained"
# Models read and write *tokens*, pieces of words.
# A provider bills you for *prompt tokens* (what you send) and *completion tokens* (what comes back), at two prices.
# The ledger is the bill.

# %% [markdown] name="two-steps"
# ## Two calls: a chain
#
# Some messages are long, and some customers tell three stories in one.
# So the support desk split the task: first **summarise** the message, then **reply** to the summary.
# A chain is nothing but this: the answer of one call becomes part of the next call's prompt.

# %% name="chain-picture"
ax = workflow_graph(
    [("start", "summarise"), ("summarise", "reply"), ("reply", "end")],
    kinds={"summarise": "model", "reply": "model"},
    title="A chain: every arrow is fixed in code",
)

# %% [markdown] name="chain-predict-text"
# The single call sent one prompt. The chain sends two, and the second one holds only the summary.

# %% name="chain-predict"
tokens = predict(
    "The ledger above says how many prompt tokens the single call sent. How many will the chain send, both steps together?",
    name="tokens of the chain",
    default=100,
    unit="prompt tokens",
    low=0,
)
tokens

# %% name="chain-plain"
SUMMARISE = "Summarise this ticket in at most 20 words:\n{ticket}"
REPLY = "Write a short reply to the customer who sent this request: {summary}"


def chain(ticket):
    summary = chat_model(step="summarise").invoke(SUMMARISE.format(ticket=ticket)).text
    return chat_model(step="reply").invoke(REPLY.format(summary=summary)).text


with course.record() as plain:
    letter = chain(ticket)

print("summary:", plain[0].answer)
print()
print(letter)

# %% name="chain-reveal"
tokens.reveal(plain.prompt_tokens)

# %% [markdown] name="chain-timeline-text"
# The **timeline** shows when each request was open.
# The second bar begins where the first one ends: it has to, for its prompt is made of the first one's answer.

# %% name="chain-timeline"
ax = timeline(plain, title="One ticket, two steps")

# %% name="chain-ledger"
ledger({"one call": single, "chain": plain})

# %% [markdown] name="chain-price"
# Two requests instead of one, and nearly twice the prompt tokens, for every step pays for its own instructions.
# The bill is a little lower all the same, but only because the letter became shorter: compare the two, and see what it lost.
# So splitting is not free. You do it when the parts are *easier* than the whole, or when you want to **look at what lies between them**.
# Over the weekend nobody looked.

# %% [markdown] name="break-it"
# ## Break it: the letter about nothing
#
# At 02:14 on Sunday the first call came back empty. It happens: a filter, a cut, a bad moment.
# We can have it again on demand, because the course server misbehaves when it is asked to.
# A **fault plan** says when: here, on the first request of the step `summarise`.

# %% name="break-predict"
bad_statuses = predict(
    "The summary will be empty. How many of the two requests will have a status other than 200?",
    name="bad statuses",
    default=1,
    unit="requests",
    low=0,
    high=2,
)
bad_statuses

# %% name="break-run"
empty_summary = faults.on_step("summarise", faults.first(1, faults.empty()))

with course.record(faults=empty_summary) as broken:
    letter = chain(ticket)

print(letter)

# %% name="break-reveal"
bad_statuses.reveal(sum(request.status != 200 for request in broken))

# %% [markdown] name="break-explained"
# No status tells of it, no exception, no log line at level ERROR: the *transport* worked.
# The server's record knows better. Look at how long the first answer was, and at what the second request carried:

# %% name="break-prompt"
print(broken)
for request in broken:
    print(f"{request.step:9}  status {request.status}  answer of {request.completion_tokens} tokens")
print(repr(broken[1].prompt))

# %% name="break-timeline"
ax = timeline(broken, title="Sunday, 02:14")

# %% [markdown] name="gate-text"
# **The belief behind this bug:** that an answer with status 200 is an answer you can use.
#
# The mend is a **gate**: ordinary code between two steps that looks at what is about to be passed on.


# %% name="gate-run"
def gated_chain(ticket):
    summary = chat_model(step="summarise").invoke(SUMMARISE.format(ticket=ticket)).text
    if not 1 <= len(summary.split()) <= 20:
        raise ValueError(f"a summary of {len(summary.split())} words cannot go on")
    return chat_model(step="reply").invoke(REPLY.format(summary=summary)).text


with course.record(faults=empty_summary) as stopped:
    try:
        gated_chain(ticket)
    except ValueError as error:
        print("stopped:", error)

print(stopped)

# %% [markdown] name="gate-explained"
# One request instead of two, an exception with a reason, and no letter.
# The gate has another side as well: this customer only says thank you, in so many words that the summary is too long.

# %% name="gate-too-long"
try:
    gated_chain(world.ticket("T117").text)
except ValueError as error:
    print("stopped:", error)

# %% [markdown] name="gate-outlook"
# What should happen to the ticket then (ask again, ask another model, ask a person) is what lessons 8 to 10 are about.

# %% [markdown] name="lcel"
# ## The same chain in LangChain
#
# LangChain, the library behind `chat_model`, has a notation of its own for chains: the pipe. Each part is a *Runnable*: it has `invoke`, `ainvoke`, `batch` and `stream`, and `|` makes a new one of two.
# A dictionary in front of it gives the next prompt its values by name.
# The pipe sends nothing by itself. It is notation.

# %% name="lcel-run"
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

summarise = ChatPromptTemplate.from_template(SUMMARISE) | chat_model(step="summarise") | StrOutputParser()
reply = ChatPromptTemplate.from_template(REPLY) | chat_model(step="reply") | StrOutputParser()
lcel_chain = {"summary": summarise} | reply

with course.record() as lcel:
    letter = lcel_chain.invoke({"ticket": ticket})

assert letter == chain(ticket)

# %% [markdown] name="lcel-same-text"
# The same letter. And on the wire?


# %% name="lcel-same"
def sent(trace):
    return [(request.step, request.prompt) for request in trace]


print(sent(lcel) == sent(plain))

# %% [markdown] name="lcel-explained"
# The same two requests, word for word.
# A framework adds names, streaming, tracing, persistence; it does not add a new kind of step.
# When you can predict what goes over the wire, you know the framework well enough.

# %% [markdown] name="route-text"
# ## A first branch: the model names a tool
#
# Many introductions to orchestration show a function like this one.
# The model names a tool, ordinary code calls it, and an unknown name gets a polite refusal.
# Let us make it real and run it.


# %% name="route-tools"
SIGNS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


def calculator(query):
    found = re.search(r"(\d+) *([-+*/]) *(\d+)", query)
    return SIGNS[found[2]](int(found[1]), int(found[3])) if found else "I need two whole numbers and a sign."


def search(query):
    words = set(re.findall(r"\w{4,}", query.lower()))
    return max(world.articles(), key=lambda page: len(words & set(re.findall(r"\w{4,}", page.title.lower())))).title


TOOLS = {"calculator": calculator, "search": search}


# %% name="route-agent"
def orchestration_agent(query, tools):
    names = ", ".join(tools)
    prompt = f"Which tool should handle this query: {names} or none? Answer with one word.\nQuery: {query}"
    chosen = chat_model(step="route").invoke(prompt).text
    if chosen in tools:
        return tools[chosen](query)
    return f"I don't have a tool for that. (the model said {chosen!r})"


# %% name="route-predict"
QUERIES = [
    "What is 17 * 23?",
    "How much is 249 - 129?",
    "How do I connect the Robin to Wi-Fi?",
    "Can I find an invoice that I lost?",
    "What is 12 + 30?",
    "Please write a poem about moles.",
]
refusals = predict(
    "One of these six queries has no tool. How many of the six will be refused?",
    name="refused queries",
    default=1,
    unit="queries",
    low=0,
    high=6,
)
refusals

# %% name="route-run"
answers = [orchestration_agent(query, TOOLS) for query in QUERIES]
for query, answer in zip(QUERIES, answers, strict=True):
    print(f"{query:38} {answer}")

# %% name="route-reveal"
refusals.reveal(sum(str(answer).startswith("I don't have") for answer in answers))

# %% [markdown] name="route-explained"
# Three refusals, for three reasons; read what the model said in each.
# The first is the right tool in a sentence: models *decorate* their answers, and `chosen in tools` compares letter by letter.
# The second is a mistake of the model: the help centre has an article about the Robin.
# The third is refused by luck: nothing here writes poems, but the model named a tool, in a sentence too long to match.
# The program cannot tell the three apart.
# Lesson 5 makes this router one that cannot lie. For now, keep the shape: **the model chooses among paths that the code has laid out.**

# %% [markdown] name="pause"
# *A good place to pause: the second half, some 15 minutes, can wait until tomorrow.*

# %% [markdown] name="agent-text"
# ## Workflow or agent?
#
# In everything so far the code decided which steps there are; the model filled them in, or chose one of them.
# That is a **workflow**.
# In an **agent** the model decides which step comes next, and when it is done.
# (The words are used in this sense by Schluntz and Zhang, *Building effective agents*, Anthropic, 2024.)
#
# Let us do one job both ways: answer a ticket from the order's state and the help centre.
# Both get the same two tools.

# %% name="agent-tools"
from langchain_core.tools import tool


@tool
def look_up_order(order_id: str) -> str:
    """The state of an order, by its number, such as MB-10484."""
    order = world.order(order_id)
    return f"{order.id}: {order.status}, {order.total:.2f} euros, paid by {order.payment}" if order else "no such order"


@tool
def search_help(query: str) -> str:
    """The help centre's article for a question."""
    words = set(re.findall(r"\w{4,}", query.lower()))
    return max(world.articles(), key=lambda article: len(words & set(re.findall(r"\w{4,}", article.text.lower())))).text


# %% [markdown] name="workflow-code-text"
# The **workflow**: code finds the order number, code looks things up, one model call writes.


# %% name="workflow-code"
def workflow(ticket):
    found = re.search(r"MB-\d{5}", ticket)
    facts = look_up_order.invoke(found[0]) if found else "no order named"
    facts += "\n" + search_help.invoke(ticket)
    prompt = f"Write a short reply to the customer. Facts:\n{facts}\n\nTicket:\n{ticket}"
    return chat_model(step="reply").invoke(prompt).text


# %% [markdown] name="agent-code-text"
# The **agent**: the model gets the tools and a loop. Each round it either asks for tools or writes the reply.
# The bound on the rounds is ours; nothing in the model promises to stop.

# %% name="agent-code"
RULES = "You are the support agent of Merrowby. Use the tools, then write a short reply to the customer."
AGENT_TOOLS = {"look_up_order": look_up_order, "search_help": search_help}


def agent(ticket, most=6):
    model = chat_model(step="agent").bind_tools([look_up_order, search_help])
    messages = [("system", RULES), ("user", ticket)]
    for _ in range(most):
        answer = model.invoke(messages)
        messages.append(answer)
        if not answer.tool_calls:
            return answer.text
        messages += [AGENT_TOOLS[call["name"]].invoke(call) for call in answer.tool_calls]
    raise RuntimeError(f"no reply after {most} rounds")


# %% name="agent-picture"
ax = workflow_graph(
    [("start", "agent"), ("agent", "tools", "asks for one"), ("tools", "agent"), ("agent", "end", "writes the reply")],
    kinds={"agent": "model", "tools": "tool"},
    title="An agent: the model decides how often it goes round",
)

# %% name="agent-predict"
DESK = [world.ticket(id).text for id in ("T001", "T061", "T021", "T026", "T045", "T074", "T117", "T113")]
rounds = predict(
    "The workflow needs 8 requests for 8 tickets. How many will the agent need for the same 8?",
    name="requests of the agent",
    default=16,
    unit="requests",
    low=8,
    high=48,
)
rounds


# %% name="agent-run"
def each(answer_ticket):
    """One trace for each ticket of the desk."""
    traces = []
    for ticket in DESK:
        with course.record() as trace:
            answer_ticket(ticket)
        traces.append(trace)
    return traces


with course.record() as all_of_workflow:
    by_workflow = each(workflow)
with course.record() as all_of_agent:
    by_agent = each(agent)

print("requests per ticket, workflow:", [len(trace) for trace in by_workflow])
print("requests per ticket, agent:   ", [len(trace) for trace in by_agent])

# %% name="agent-reveal"
rounds.reveal(sum(len(trace) for trace in by_agent))

# %% [markdown] name="agent-timeline-text"
# Here is the agent at work on the parcel that does not move (the second ticket), to be stepped through: the slider, or the arrow keys, go from one moment to the next.
# Open what was sent in each round, and watch it grow: every round sends the whole conversation again.
# Below it stands what the two ways cost for all eight.

# %% name="agent-timeline"
stepper(by_agent[1], title="One ticket, one agent", is_in_order=True)

# %% name="agent-ledger"
ledger({"workflow": all_of_workflow, "agent": all_of_agent})

# %% name="agent-variance"
from statistics import pvariance

for name, traces in (("workflow", by_workflow), ("agent", by_agent)):
    counts = [len(trace) for trace in traces]
    print(f"{name:9} {sum(counts)} requests, variance {pvariance(counts):.2f}")

# %% [markdown] name="agent-letters-text"
# And what does the customer get for it? Here are both letters about the Otter that drips (the fourth ticket). Which one would you send?

# %% name="agent-letters"
for name, traces in (("workflow", by_workflow), ("agent", by_agent)):
    print(f"--- {name}\n{traces[3][-1].answer}\n")

# %% [markdown] name="use-when"
# ## Use it when, and when not
#
# | | use it when | not when |
# |---|---|---|
# | **one call** | the task is one thing, and you can check the answer | the answer mixes jobs that you would like to check one by one |
# | **workflow** | the steps are known; you want the same number of requests every time (variance 0 above) | the steps depend on what turns up on the way |
# | **agent** | nobody can lay out the path in advance, and a wrong turn is cheap | the bill, the time or the effect of a wrong turn must be bounded; then bound the rounds, or write a workflow |
#
# Start with one call. Add a step when a measurement asks for it.

# %% [markdown] name="recap"
# ## Recap
#
# * A **chain** puts one answer into the next prompt; LangChain's `|` is another way to write the same requests.
# * A status of 200 says that the transport worked. A **gate** is ordinary code that looks at the content.
# * The **timeline** says what was sent when, the **ledger** what it costs; both come from the server, not from your program's opinion of itself.
# * **Workflow**: the code fixes the paths. **Agent**: the model chooses the next step, and the number of requests with it.

# %% name="recap-picture"
ax = workflow_graph(
    [
        ("start", "summarise"),
        ("summarise", "gate"),
        ("gate", "reply", "1 to 20 words"),
        ("gate", "stopped", "anything else"),
        ("reply", "end"),
    ],
    kinds={"summarise": "model", "gate": "code", "reply": "model"},
    title="A chain with a gate",
)

# %% [markdown] name="quiz-text"
# ## What do you say now?

# %% name="quiz-workflow"
quiz("q01")

# %% name="quiz-more-agents"
quiz("q03")

# %% name="quiz-gate"
quiz("q05")

# %% name="calibration"
calibration()

# %% [markdown] name="next"
# **Next:** [exercise 1, *A chain with a gate*](../exercises/01_a_chain_with_a_gate.ipynb): fill a gap, find a bug, build your own gate.

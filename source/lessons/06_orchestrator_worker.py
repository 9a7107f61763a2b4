# %% [markdown] name="title"
# # 6 · Orchestrator and workers
# *40 minutes · needs lessons 3 and 5*
#
# **Goal:** let a model cut a task into parts that nobody knew beforehand, without letting it decide what that costs; and let a draft be improved without going round for ever.
#
# Monday afternoon, and a letter that fits no box.
# Saskia van Ommeren asks seven things at once: three devices, a bank statement, an invoice, a discount, a visit.
# She wrote the same letter last week and the week before.
# Each time Merrowby's program gave it one label, sent it to one desk, and one desk answered what it could.
# Two kind letters went out. Five questions are still open, and the lady is not kind any more.
#
# **You will be able to**
#
# * have a model plan the work, and treat its plan like any other input from outside;
# * start workers side by side that see no more than they need, within a budget that holds;
# * join their results exactly once, in plain Python and in LangGraph;
# * say what all this costs next to one call, and when one call is better;
# * build a loop that judges and improves a draft, and know when to believe the judge.

# %% name="connect"
import asyncio
import json
import operator
import re
from collections import Counter
from contextlib import suppress
from typing import Annotated, Literal, TypedDict

from course_utils import calibration, chat_model, connect, faults, ledger
from course_utils import predict, quiz, timeline, workflow_graph, world
from IPython.display import display
from langgraph.errors import GraphRecursionError
from langgraph.graph import END, START, StateGraph
from langgraph.managed import RemainingSteps
from langgraph.types import Send

course = connect()
course

# %% [markdown] name="before-you-start"
# ## Before you start
#
# Three questions from lessons 3, 4 and 5, from memory.

# %% name="quiz-failed"
quiz("one-of-six-workers-fails")

# %% name="quiz-abatch"
quiz("q09")

# %% name="quiz-way-out"
quiz("q13")

# %% [markdown] name="the-letter"
# ## One letter, seven questions
#
# Here it is, and below it what we know of a good reply: the help centre has an article for six of the seven questions.
# (Visits are none of the three desks' business. A person answers those.)
# A question counts as answered when the reply holds at least one sentence of its article.

# %% name="letter"
LETTER = """Good afternoon.
On 9 May my order MB-10506 came, and there has hardly been a quiet day since.
The hub blinks amber every morning.
The rain gauge shows zero although it has rained for three days.
The soil sensor in the tomato bed always shows 100 per cent.
My bank statement has two lines of €153.00 for this one order.
I need an invoice with the name of our garden club on it.
Is there a discount when the club orders ten more sensors?
And on which days can we visit your demonstration garden?
I have written to you twice, and each time one of my questions was answered.
Saskia van Ommeren"""
KEY = {"hub-offline", "heron-zero", "mole-calibration", "double-charge", "invoices", "bulk-schools"}

# %% [markdown] name="single-text"
# First the honest rival, which we will need again: **one call** to the large model, told to answer everything.


# %% name="helpers"
def sentences(text):
    return re.split(r"(?<=[.!?])\s+", text)


def answered(reply, key):
    return sum(any(line in reply for line in sentences(world.article(id).text)) for id in key)


async def say(step, prompt, model="small", **options):
    return (await chat_model(model, step=step, **options).ainvoke(prompt)).text


# %% name="single-predict"
by_one_call = predict(
    "One call to the large model: to how many of the six questions will its reply have an answer?",
    name="answered by one call",
    default=6,
    unit="questions",
    low=0,
    high=6,
)
by_one_call


# %% name="single-run"
async def one_call(letter):
    return await say("reply", f"Write a reply to this customer. Answer every question.\n\nLetter: {letter}", "large")


with course.record() as single:
    short_reply = await one_call(LETTER)

print(short_reply)
by_one_call.reveal(answered(short_reply, KEY))

# %% [markdown] name="planner"
# Last week's letter must have looked like this. It reads as if it were complete, and that is the trouble with it.
# (Our practice model takes up two concerns of a letter at most. A real one manages more, and loses some when there are many; count it on your own letters.)
#
# A fixed workflow is no cure: this letter has six parts for us, the next will have two, and no drawing has boxes for both.
# So a model looks at the letter first and says which pieces of work there are. That is the **orchestrator**; whoever does a piece is a **worker**.
#
# ## The plan
#
# One call to the large model. We ask for a JSON array; each piece of work names the desk and the question.

# %% name="plan-run"
PLAN_PROMPT = """Break this letter into subtasks, one for each thing that the customer wants answered.
Reply only with a JSON array of objects: [{"desk": "billing | technical | sales | other", "question": "..."}]

Letter:
"""
answer = await say("plan", PLAN_PROMPT + LETTER, "large")

for subtask in json.loads(answer):
    print(f"{subtask['desk']:10} {subtask['question']}")

# %% [markdown] name="workers"
# Seven subtasks, each at a desk.
#
# ## A worker
#
# A worker gets one question and **one article**: the one of its desk that shares the rarest words with the question.
# That search is ordinary code, and costs nothing.


# %% name="search"
def words_of(text):
    return {word.rstrip("s")[:5] for word in re.findall(r"[a-z]{3,}", text.lower())}


TITLES = {page.id: words_of(f"{page.title} {' '.join(page.topics)}") for page in world.articles()}
TEXTS = {page.id: words_of(page.text) for page in world.articles()}
COMMON = Counter(word for id in TEXTS for word in TEXTS[id] | TITLES[id])


def article_for(desk, question):
    asked = words_of(question)

    def likeness(page):
        return sum(1 / COMMON[word] for part in (TITLES, TEXTS) for word in asked & part[page.id])

    return max((page for page in world.articles() if desk in page.topics), key=likeness)


# %% name="worker"
WORK = "Answer the question from the article, in at most 50 words."


def work(task):
    page = article_for(task["desk"], task["question"])
    return say("answer", f"{WORK}\n\nQuestion: {task['question']}\n\nArticle: {page.text}")


print(await work({"desk": "technical", "question": "The hub blinks amber every morning."}))

# %% [markdown] name="join-text"
# The last step puts the parts together.
# A join is a model call like any other, so it may lose a part; code looks whether each part is still there, and puts back what is not.
# (Our workers quote. If yours rephrase, compare the figures instead, as in the second half of this lesson.)
#
# Plan, work, join: the cell after next is the whole program, as it stands in most tutorials.

# %% name="join"
NEXT_DAY = "A colleague will write to you about this within one working day: "


async def join(parts, left=(), say=say):
    listed = "\n\n".join(f"Part {number}: {part}" for number, part in enumerate(parts, 1))
    text = await say("join", f"Merge these parts into one letter to the customer.\n\n{listed}") if parts else "Hello,"
    lost = [part for part in parts if part not in text]
    return "\n\n".join([text, *lost, *(NEXT_DAY + question for question in left)])


# %% name="naive"
async def trusting(letter):
    plan = json.loads(await say("plan", PLAN_PROMPT + letter, "large"))
    tasks = [task for task in plan if task["desk"] != "other"]
    left = [task["question"] for task in plan if task["desk"] == "other"]
    return await join(await asyncio.gather(*map(work, tasks)), left)


slow = faults.on_step("answer", faults.every(1, faults.slow(3)))
with course.record(faults=slow) as first_run:
    reply = await trusting(LETTER)

print("answered:", answered(reply, KEY), "of", len(KEY))
ax = timeline(first_run, title="Plan, six workers, join", steps=["plan", "answer", "join"])

# %% [markdown] name="naive-explained"
# Six of six, and the seventh question handed to a person. (Each worker is three seconds slower than usual, so that the picture shows who overlaps.)
#
# ## Break it: four plans
#
# Nobody looked at the plan. It decides how many calls are made, of what, and it came out of a model that had just read a stranger's letter.
# We plant four plans of kinds that all occur: with a remark around it, with duplicates, with forty entries, and with a desk that does not exist.

# %% name="bad-plans"
good = json.loads(answer)
PLANS = {
    "remark around it": f"Sure! Here is the plan:\n```json\n{answer}\n```\nShall I go on?",
    "duplicates": json.dumps(good + good[:3] + good[:3]),
    "forty entries": json.dumps([{"desk": "technical", "question": f"Point {n} of the hub"} for n in range(1, 41)]),
    "unknown desk": json.dumps([{"desk": "returns", "question": "Where do I send it?"}, *good]),
}


def planting(text, times=1):
    return faults.on_step("plan", faults.first(times, faults.says(text)))


# %% name="bad-predict"
forty_requests = predict(
    "How many requests will the program make when the plan has forty entries?",
    name="requests for forty entries",
    default=10,
    unit="requests",
    low=1,
    high=60,
)
forty_requests


# %% name="bad-run"
async def outcomes(program):
    traces = {}
    for name, text in PLANS.items():
        with course.record(faults=planting(text)) as trace:
            try:
                outcome = f"{answered(await program(LETTER), KEY)} answered"
            except Exception as error:
                outcome = type(error).__name__
        traces[name] = trace
        print(f"{name:17} requests: {len(trace):2}, {outcome}")
    return traces


trusted = await outcomes(trusting)
forty_requests.reveal(len(trusted["forty entries"]))

# %% [markdown] name="bad-explained"
# One remark, and the customer gets nothing. Duplicates are paid for again and again.
# Forty entries are forty workers and a useless letter; a schema would not have helped, since all forty are of the right form.
# And an unknown desk ends in an error message about something else (`max()` of nothing).
#
# **The belief behind this bug:** that a plan is a part of your program. It is data from outside, like a web form.
#
# ## A plan is checked like a form
#
# What code can mend, it mends for nothing: cut off the remark, drop duplicates, keep at most eight.
# What it cannot mend, it rejects.
# A rejected plan goes back to the model **once**, with what was wrong; a second failure is final, and a person takes the letter.
#
# The workers get two bounds: at most eight per letter, at most three open at a time.
# What lies beyond the eight is not forgotten: it goes to a person, like the visit.

# %% name="check"
from pydantic import AfterValidator, BaseModel, Field, TypeAdapter


class Task(BaseModel, frozen=True):
    desk: Literal["billing", "technical", "sales", "other"]
    question: str = Field(min_length=3, max_length=300)


def not_empty(tasks):
    if not tasks:
        raise ValueError("no tasks; name each question")
    return tasks


PLAN = TypeAdapter(Annotated[list[Task], AfterValidator(not_empty)])


def read_plan(text):
    """The distinct tasks of a plan; ValueError when it is none."""
    return list(dict.fromkeys(PLAN.validate_json(text[text.find("[") : text.rfind("]") + 1])))


# %% name="repair"
class NoPlan(Exception):
    """The planner gave no usable plan, twice."""


async def make_plan(letter, say=say):
    prompt = PLAN_PROMPT + letter
    for _ in range(2):
        text = await say("plan", prompt, "large")
        try:
            return read_plan(text)
        except ValueError as error:
            prompt = f"Your last plan was not valid: {error.errors()[0]['msg']}.\n\n{PLAN_PROMPT}{letter}"
    raise NoPlan(text)


# %% name="careful"
MOST, WIDTH = 8, 3


def sorted_out(tasks):
    mine = [task for task in tasks if task.desk != "other"]
    return mine[:MOST], [task.question for task in tasks if task not in mine[:MOST]]


async def behind(door, job):
    async with door:
        return await job


async def orchestrate(letter):
    tasks, left = sorted_out(await make_plan(letter))
    door = asyncio.Semaphore(WIDTH)
    parts = await asyncio.gather(*(behind(door, work(task.model_dump())) for task in tasks))
    return await join(parts, left)


# %% name="careful-run"
checked = await outcomes(orchestrate)

with course.record(faults=planting(PLANS["unknown desk"], times=2)) as refused, suppress(NoPlan):
    await orchestrate(LETTER)
print(f"unknown twice     requests: {len(refused):2}, and a person takes the letter")

# %% [markdown] name="bounded-text"
# The same four plans. Two needed nothing but code, one a second question to the planner, and of forty entries eight are left.
# That letter is still useless: a bound on the bill does not make the plan a good one.
#
# Now the good plan, again with slow answers. Six workers, a door for three.

# %% name="bounded-run"
with course.record(faults=slow) as orchestrated:
    letter_out = await orchestrate(LETTER)

assert letter_out == reply
joins = sum(request.step == "join" for request in orchestrated)
print(f"open at once: {orchestrated.peak}, joins: {joins}")
ax = timeline(orchestrated, title="Six workers behind a door for three", steps=["plan", "answer", "join"])

# %% [markdown] name="join-once"
# The join begins after the last worker's end, and there is one. `gather` sees to that: its `await` is the barrier.
# Keep that sentence in mind for the graph.
#
# ## What a worker gets to see
#
# Our workers know one question and one article. Many programs hand each worker everything, "for context".
# What does it cost when each gets the letter and the whole plan as well? And when they work one after another, and each also gets what the others wrote?


# %% name="context-code"
async def work_with(task, context):
    page = article_for(task.desk, task.question)
    return await say("answer", f"{WORK}\n\n{context}\n\nQuestion: {task.question}\n\nArticle: {page.text}")


async def six_workers(context_of):
    parts = []
    for task in tasks:
        parts.append(await work_with(task, context_of(parts)))
    return parts


tasks = [task for task in read_plan(answer) if task.desk != "other"]
everything = f"Letter: {LETTER}\n\nPlan: {answer}"

# %% name="context-run"
WAYS = {
    "own question only": lambda parts: "",
    "letter and plan": lambda parts: everything,
    "and earlier results": lambda parts: "\n\n".join([everything, "Notes: " + " ".join(parts)]),
}
texts = {}
for way, context_of in WAYS.items():
    with course.record() as trace:
        texts[way] = await six_workers(context_of)
    print(f"{way:20} {trace.prompt_tokens:5} prompt tokens")

print("same six answers in the first two:", texts["own question only"] == texts["letter and plan"])

# %% [markdown] name="budget"
# Three times the prompt, and not a word in the answers has changed.
# The plan is as long as the number of workers, and each of them gets it: this bill grows with the **square** of the number (lesson 2 had the same sum for a history that is sent again).
#
# Sometimes context does buy something, when parts must not contradict each other; then send that one fact, not everything.
#
# (There is a second reason. What a worker does not see, it cannot obey, repeat or leak.)
#
# ## A budget that holds
#
# Bounds on workers bound the requests. The bill is in tokens, and those are known only when an answer is there.
# The usual budget counts afterwards and looks before the next call. Ours is 1,600 tokens for the letter.
# The second cell is the orchestrator with a `say` of its own; a worker that is refused, or fails, leaves its question to a person.


# %% name="budget-naive"
class OverBudget(Exception):
    """The next request could cost more than is left."""


class Counting:
    def __init__(self, tokens):
        self.left = tokens

    async def say(self, step, prompt, model="small"):
        if self.left <= 0:
            raise OverBudget(step)
        answer = await chat_model(model, step=step).ainvoke(prompt)
        self.left -= answer.usage_metadata["total_tokens"]
        return answer.text


# %% name="budget-orchestrate"
async def within(budget, letter):
    tasks, left = sorted_out(await make_plan(letter, budget.say))

    async def one(task):
        page = article_for(task.desk, task.question)
        return await budget.say("answer", f"{WORK}\n\nQuestion: {task.question}\n\nArticle: {page.text}")

    results = await asyncio.gather(*map(one, tasks), return_exceptions=True)
    parts = [part for part in results if isinstance(part, str)]
    left += [task.question for task, part in zip(tasks, results, strict=True) if not isinstance(part, str)]
    return await join(parts, left, budget.say)


# %% name="budget-predict"
stopped = predict(
    "The plan takes 400 of the 1,600 tokens, a worker about 210. How many of the six workers will the budget stop?",
    name="workers stopped by a counting budget",
    default=1,
    unit="workers",
    low=0,
    high=6,
)
stopped


# %% name="budget-naive-run"
def spent(trace):
    return trace.prompt_tokens + trace.completion_tokens


with course.record() as overspent:
    try:
        await within(Counting(1600), LETTER)
    except OverBudget as error:
        print("no budget left for:", error)

workers = sum(request.step == "answer" for request in overspent)
print(f"{workers} workers, {spent(overspent)} tokens spent of 1600")
stopped.reveal(6 - workers)

# %% [markdown] name="budget-explained"
# More than 1,600, and no letter.
# Six workers looked into the purse in the same moment, and all six saw the same money.
# Then nothing was left for the join: everything was paid for except the result.
#
# **The belief behind this bug:** that a check before the call is a limit. Between the check and the bill there is an `await`, and five others.
#
# Whoever shares a purse **reserves** first: the most the call can cost is taken out before it starts, and the change comes back afterwards.
# The answer's part of that bound is `max_completion_tokens`; the prompt's part is a careful guess, a token for three letters.
# And the join's share is put aside before the workers get any.

# %% name="budget-code"
LONGEST = {"plan": 250, "answer": 80, "join": 300}  # tokens of an answer


class Budget:
    """At most so many requests and tokens; one request and `kept` tokens are put aside for the join."""

    def __init__(self, requests, tokens, kept=640):
        self.requests, self.left, self.kept = requests, tokens, kept

    async def say(self, step, prompt, model="small"):
        bound = len(prompt) // 3 + 10 + LONGEST[step]
        aside = (0, 0) if step == "join" else (1, self.kept)
        if self.requests <= aside[0] or bound > self.left - aside[1]:
            raise OverBudget(step)
        self.requests, self.left = self.requests - 1, self.left - bound
        answer = await chat_model(model, step=step, max_completion_tokens=LONGEST[step]).ainvoke(prompt)
        self.left += bound - answer.usage_metadata["total_tokens"]
        return answer.text


# %% name="budget-run"
for requests, allowed in ((10, 1600), (10, 2400), (10, 3200), (5, 3200)):
    with course.record() as trace:
        text = await within(Budget(requests, allowed), LETTER)
    assert (spent(trace) <= allowed, len(trace) <= requests) == (True, True)
    used = f"{len(trace)} of {requests:2} requests, {spent(trace)} of {allowed} tokens"
    print(f"{used}: {answered(text, KEY)} answered, {text.count(NEXT_DAY)} left to a person")

# %% [markdown] name="budget-done"
# It stays under the limit as long as the guess holds (three letters for a token is too few for a prompt full of figures).
# And if there is money for the plan, it ends with a letter, which says what is still open; if not, `OverBudget` comes before the first request, and a person takes the letter.
# The price is caution: at the moment of asking it must think of the worst, so some of the budget stays unspent.
#
# **A good place to pause.** Next: what all this buys, and the same in a graph.
#
# ## What does it buy, and what does it cost?
#
# Three letters, with one, three and six questions that the help centre answers, and three programs:
# one call; a **fixed** workflow that always asks all three desks, as in lesson 3; and the orchestrator.

# %% name="letters"
LETTERS = {
    "one question": ("The light of my hub is blinking amber. What can I do?", {"hub-offline"}),
    "three questions": (
        "Hello. The picture of my Robin is blurred since yesterday. My card was charged twice for order MB-10484. "
        "Do you give a discount to schools that order ten Moles? Yusra Benkhaled",
        {"robin-picture", "double-charge", "bulk-schools"},
    ),
    "six questions": (LETTER, KEY),
}


async def fixed(letter):
    pages = [article_for(desk, letter) for desk in ("billing", "technical", "sales")]
    prompts = [f"{WORK}\n\nQuestion: {letter}\n\nArticle: {page.text}" for page in pages]
    return await join(await asyncio.gather(*(say("answer", prompt) for prompt in prompts)))


# %% name="letters-predict"
multiple = predict(
    "A letter with ONE question: how many times the tokens of one call does the orchestrator use?",
    name="token multiple for one question",
    default=1,
    unit="times",
    low=1,
    high=20,
)
multiple

# %% name="letters-run"
PROGRAMS = {"one call": one_call, "fixed": fixed, "orchestrator": orchestrate}
bills = {}
for kind, (letter, key) in LETTERS.items():
    for name, program in PROGRAMS.items():
        with course.record() as bills[kind, name]:
            reply_to = await program(letter)
        times = spent(bills[kind, name]) / spent(bills[kind, "one call"])
        found = f"{answered(reply_to, key)} of {len(key)} answered"
        print(f"{kind:15} {name:12} {found}, requests: {len(bills[kind, name])}, tokens: {times:3.1f} times")

one, many = (spent(bills["one question", name]) for name in ("one call", "orchestrator"))
display(ledger({name: bills["six questions", name] for name in PROGRAMS}))
multiple.reveal(round(many / one, 1))

# %% [markdown] name="letters-explained"
# For one question the orchestrator buys nothing, at three times the tokens. For six it is the only one that answers all.
# (The ledger is for that letter. Only the planner is large, workers and join are small, so the money grows less than the tokens.
# `fixed` has no large model at all, so it costs a seventh of the one call: tokens of different models do not compare.)
# The fixed workflow is right as long as letters look like its drawing; it pays for all three desks every time.
#
# **The belief to give up:** more agents, better answers.
# The best-known report in favour says both sides: Anthropic's multi-agent research system was 90.2 % better than one agent on an internal evaluation of broad research, agents used about 4 times and multi-agent systems about **15 times the tokens** of a chat, and tokens alone explained 80 % of the differences (2025; a vendor's own, internal figures).
# On the other side stand 14 kinds of failure that Cemri et al. found in the traces of multi-agent systems (*MAST*, NeurIPS 2025).
# So route first (lesson 5): letters with one question to one call, the rest to the orchestrator.
#
# ## The framework's way: LangGraph
#
# An edge function may return a list of `Send("answer", payload)`: one worker for each, with a payload of its own.
# The workers all write the key `parts`; a **reducer** (here `operator.add`) says how their lists become one.


# %% name="graph-nodes"
class Desk(TypedDict, total=False):
    letter: str
    tasks: list
    left: list
    parts: Annotated[list, operator.add]
    reply: str


async def plan_node(state):
    tasks, left = sorted_out(await make_plan(state["letter"]))
    return {"tasks": tasks, "left": left}


def hand_out(state):
    return [Send("answer", task.model_dump()) for task in state["tasks"]] or ["join"]


async def join_node(state):
    return {"reply": await join(state["parts"], state["left"])}


# %% name="graph-predict"
seen_keys = predict(
    "The state has `letter`, `tasks`, `left` and `parts`. How many of these four can a worker started with `Send` read?",
    name="keys of the state that a worker sees",
    default=4,
    unit="keys",
    low=0,
    high=4,
)
seen_keys

# %% name="graph-run"
seen = set()


async def answer_node(payload):
    seen.update(payload)
    return {"parts": [await work(payload)]}


graph = StateGraph(Desk).add_node("plan", plan_node).add_node("answer", answer_node).add_node("join", join_node)
graph.add_edge(START, "plan").add_conditional_edges("plan", hand_out, ["answer", "join"])
desk = graph.add_edge("answer", "join").add_edge("join", END).compile()

with course.record(faults=slow) as in_graph:
    state = await desk.ainvoke({"letter": LETTER}, {"max_concurrency": WIDTH})

assert state["reply"] == letter_out
print("a worker saw:", sorted(seen), "- open at once:", in_graph.peak)
seen_keys.reveal(len(seen & {"letter", "tasks", "left", "parts"}))

# %% [markdown] name="graph-explained"
# The same letter, word for word. `parts` came together in the order of the `Send`s, not of the answers.
#
# A worker sees its payload and nothing of the state: what is a `KeyError` for those who expected the letter there is exactly what we wanted above.
# The door is `max_concurrency`; without it all workers start at once, however many the plan names.
#
# ## Break it: how often does the join run?
#
# Now the order is to be looked up as well, beside the plan.
# That branch is one node long, the other is two. There are several ways to draw the arrows into `join`, and they all look alike.
# Here each node only notes its name, so that we can count.


# %% name="joins-build"
class Notes(TypedDict):
    parts: Annotated[list, operator.add]


def noting(name):
    return lambda state: {"parts": [name]}


def desk_with(arrows, skips_answer, defer=False, sends=0):
    graph = StateGraph(Notes).add_node("join", noting("join"), defer=defer)
    for name in ("plan", "look up", "answer"):
        graph.add_node(name, noting(name))
    targets = [] if skips_answer else [Send("answer", {})] * sends or ["answer"]
    graph.add_edge(START, "plan").add_edge(START, "look up")
    graph.add_conditional_edges("plan", lambda state: targets, ["answer"])
    if arrows == "one for both":
        graph.add_edge(["look up", "answer"], "join")
    else:
        graph.add_edge("look up", "join").add_edge("answer", "join")
    return graph.compile()


# %% name="joins-predict"
joins_run = predict(
    "`look up` and `answer` each have an arrow of their own into `join`. How often does `join` run?",
    name="runs of the join",
    default=1,
    unit="runs",
    low=0,
    high=3,
)
joins_run


# %% name="joins-run"
def joins(**how):
    return [desk_with(skips_answer=skips, **how).invoke({})["parts"].count("join") for skips in (False, True)]


WIRINGS = {
    "an arrow each": {"arrows": "each"},
    "one arrow from a list": {"arrows": "one for both"},
    "an arrow each, defer=True": {"arrows": "each", "defer": True},
    "the same, with Send": {"arrows": "each", "defer": True, "sends": 6},
}
print(f"{'':27}answer runs   answer is skipped")
for name, how in WIRINGS.items():
    runs = joins(**how)
    print(f"{name:27}join: {runs[0]}       join: {runs[1]}")

joins_run.reveal(joins(arrows="each")[0])

# %% [markdown] name="joins-explained"
# * **An arrow each** means "whenever one of them is done". Branches of unequal length arrive in different rounds, so the join runs twice: two letters to the customer.
# * **One arrow from a list** waits for all of its sources. If one is skipped (a plan without work for a desk), the join and all that follows **never run**, and nobody raises an error.
# * **`defer=True`** holds a node back until nothing else is pending, which is right in both cases.
# * Except with `Send`. In the version of this course a deferred node does not wait for workers that were *sent* in the same round: it runs too early, and again at the end. (The documentation says it waits for all pending tasks.)
#
# **The belief behind these bugs:** that an arrow means "after". (langgraph issues 7727, 4026 and 1462.)
#
# What holds in all cases is a path that always arrives: a plain node `collect` behind the workers, to which the plan goes directly when it has nothing to send, and one list arrow from `look up` and `collect`.
# (Our `desk` above has one branch only; there it was enough that `hand_out` goes straight to `join` when it has nothing to send.)


# %% name="joins-mend"
def desk_that_collects(sends):
    graph = StateGraph(Notes)
    for name in ("plan", "look up", "answer", "collect", "join"):
        graph.add_node(name, noting(name))
    graph.add_edge(START, "plan").add_edge(START, "look up").add_edge("answer", "collect")
    targets = [Send("answer", {})] * sends or ["collect"]
    graph.add_conditional_edges("plan", lambda state: targets, ["answer", "collect"])
    return graph.add_edge(["look up", "collect"], "join").compile()


print([desk_that_collects(sends).invoke({})["parts"].count("join") for sends in (6, 1, 0)])
ax = workflow_graph(desk_that_collects(6), title="A path that always arrives")

# %% [markdown] name="loop"
# ## Write, judge, improve
#
# The second pattern of this lesson has no fixed number of steps either.
# One call writes a draft, another **judges** it, a third **improves** it with the remarks, and round it goes: evaluator and optimizer (Schluntz and Zhang, 2024).
#
# Three things in `hopeful` are wrong. The first shows when the judge has a mind of its own.

# %% name="loop-code"
JUDGE = """Judge this draft of a reply to a customer.
Reply only with JSON: {"score": 1-10, "verdict": "PASS or REVISE", "feedback": "..."}"""


async def improved(ticket, draft, feedback):
    prompt = f"Improve the draft with the feedback.\n\nDraft: {draft}\n\nFeedback: {feedback}\n\nTicket: {ticket}"
    return await say("improve", prompt)


async def hopeful(ticket, draft):
    while True:
        judgement = await say("judge", f"{JUDGE}\n\nTicket: {ticket}\n\nDraft: {draft}")
        if "PASS" in judgement:
            return draft
        draft = await improved(ticket, draft, judgement)


# %% name="loop-run"
FEEDBACK = "Open with a greeting. Name order MB-10424. Close with kind regards."


def scored(score, verdict):
    return faults.says(json.dumps({"score": score, "verdict": verdict, "feedback": FEEDBACK}))


TICKET = world.ticket("T002").text
with course.record(faults=faults.on_step("judge", faults.first(1, scored(2, "NOT PASS")))) as misread:
    print("sent:", await hopeful(TICKET, "No."))

print("requests:", len(misread))

# %% [markdown] name="loop-explained"
# `'PASS' in 'NOT PASS'` is true: lesson 5's substring, in a place where it lets everything through.
# The second: nothing says that a judge is ever content. The third: it returns the *last* draft, and later is not better.
#
# So: compare the whole verdict, stop after three rounds, and keep the **best** draft, with a note if it never passed.
# A judgement is data from outside, too, so it is checked like a plan; one that cannot be read is no PASS.


# %% name="by-model"
class Judgement(BaseModel):
    score: int = Field(ge=1, le=10)
    verdict: str
    feedback: str


async def by_model(ticket, draft):
    text = await say("judge", f"{JUDGE}\n\nTicket: {ticket}\n\nDraft: {draft}")
    try:
        found = Judgement.model_validate_json(text[text.find("{") : text.rfind("}") + 1])
    except ValueError:
        return 0, "REVISE", text
    return found.score, found.verdict, found.feedback


# %% name="refine"
async def refine(ticket, draft, judge=by_model, rounds=3):
    """The best draft of all rounds, and True when it passed."""
    best = (-1, draft)
    for turn in range(rounds):
        score, verdict, feedback = await judge(ticket, draft)
        best = max(best, (score, draft), key=lambda pair: pair[0])
        if verdict == "PASS":
            return draft, True
        if turn < rounds - 1:
            draft = await improved(ticket, draft, feedback)
    return best[1], False


# %% name="refine-run"
never_content = faults.on_step(
    "judge",
    faults.either(
        faults.at(1, fault=scored(4, "REVISE")),
        faults.at(2, fault=scored(8, "REVISE")),
        faults.after(2, scored(5, "NOT PASS")),
    ),
)
with course.record(faults=never_content) as bounded:
    draft, passed = await refine(TICKET, "We look into it.")

drafts = ["We look into it.", *(request.answer for request in bounded if request.step == "improve")]
print(f"{len(bounded)} requests, draft {drafts.index(draft) + 1} of {len(drafts)} returned, passed: {passed}")

# %% [markdown] name="recursion"
# Scores of 4, 8 and 5: the second draft comes back, marked as not passed.
#
# In a graph the loop is an edge that leads back, and people rely on the **recursion limit** to end it. The same judge, who is never content:


# %% name="recursion-run"
class Loop(TypedDict):
    draft: str
    feedback: str
    steps: RemainingSteps  # filled in by LangGraph


async def judge_node(state):
    return {"feedback": (await by_model(TICKET, state["draft"]))[2]}


async def improve_node(state):
    return {"draft": await improved(TICKET, state["draft"], state["feedback"])}


# %% name="recursion-result"
loop = StateGraph(Loop).add_node("judge", judge_node).add_node("improve", improve_node)
loop.add_edge(START, "judge").add_edge("judge", "improve").add_edge("improve", "judge")
result = None
with course.record(faults=faults.on_step("judge", faults.every(1, scored(5, "REVISE")))) as looped:
    try:
        result = await loop.compile().ainvoke({"draft": "No."}, {"recursion_limit": 25})
    except GraphRecursionError as error:
        print(str(error).partition(".")[0])

print(f"{len(looped)} requests, result: {result}")


def look(state):
    print("without a limit, rounds left in the first node:", state["steps"])


state = StateGraph(Loop).add_node("look", look).add_edge(START, "look").compile().invoke({"draft": "No."})

# %% [markdown] name="recursion-explained"
# Twenty-five calls, and then an exception instead of the best draft: a limit is a fuse, not a way to stop.
# And when nobody sets it, it is 10,007 rounds (the first has begun already). In the documentation of 2025 it was 25, so the same bug now costs four hundred times as much.
# Count the rounds in the state, and let the edge decide, as `refine` does.
#
# ## Whom does the judge ask?
#
# There is one question left: is the judge right?
# Here are twelve drafts of the small model. In each we change **one figure** that stands in the help centre, as a model does when it remembers badly: 30 days become 61.

# %% name="bent"
LINES = [line for page in world.articles() for line in sentences(page.text)]


def bent(draft):
    """The draft with one wrong figure, the wrong line, and the right one; None when no line of it has a figure."""
    for line in LINES:
        if line in draft and (found := re.search(r"\d+", line)):
            wrong = line.replace(found[0], str(int(found[0]) * 2 + 1), 1)
            return draft.replace(line, wrong, 1), wrong, line
    return None


async def draft_of(ticket):
    return await say("draft", f"Write a reply to this customer.\n\nTicket: {ticket.text}")


tickets = world.tickets()[:20]
drafts = dict(zip([each.text for each in tickets], await asyncio.gather(*map(draft_of, tickets)), strict=True))
CASES = [(text, *found) for text, draft in drafts.items() if (found := bent(draft))][:12]
print(len(CASES), "drafts, each with one wrong figure")

# %% [markdown] name="evidence-text"
# Now two judges in the same loop. One is the model, asked as before.
# The other is code with **evidence from outside**: it looks each sentence up in the help centre, and the figures in it have to stand there, or in the ticket. (An order would be one more place to look.)
# Its feedback names the sentence and the right one.

# %% name="evidence"
from difflib import get_close_matches


def figures(text):
    return Counter(re.findall(r"\d+", text))


async def by_evidence(ticket, draft):
    wrong = []
    for line in sentences(draft):
        source = get_close_matches(line, LINES, 1, cutoff=0)[0]
        if figures(line) - figures(source) - figures(ticket):
            wrong.append(f"Replace “{line}” with “{source}”.")
    return 10 - len(wrong), "REVISE" if wrong else "PASS", " ".join(wrong)


# %% name="evidence-predict"
caught = predict(
    "Twelve drafts with a wrong figure; the model judges, and up to three rounds improve. In how many is the figure right in the end?",
    name="figures that the model's own judgement repairs",
    default=9,
    unit="drafts",
    low=0,
    high=12,
)
caught


# %% name="evidence-run"
async def ends(judge):
    """How many drafts end with the right line alone, with both lines, and how many pass."""
    ended = await asyncio.gather(*(refine(ticket, draft, judge) for ticket, draft, *_ in CASES))
    count = Counter()
    for (result, passed), (*_, wrong, line) in zip(ended, CASES, strict=True):
        both = wrong in result and line in result
        count.update(right=wrong not in result and line in result, both=both, passed=passed)
    return count


results = {}
for name, judge in {"the model": by_model, "evidence": by_evidence}.items():
    with course.record() as judging:
        results[name] = await ends(judge)
    rounds = sum(request.step == "improve" for request in judging)
    print(f"{name:10} {dict(results[name])}, rounds of improving: {rounds}, requests: {len(judging)}")

alarms = sum([(await by_evidence(ticket, drafts[ticket]))[1] != "PASS" for ticket, *_ in CASES])
print(f"false alarms of the evidence on the {len(CASES)} drafts as they were: {alarms}")
caught.reveal(results["the model"]["right"])

# %% [markdown] name="table"
# The model's judge passes all twelve in the end: nine at once and three after a round, for other reasons than the figure.
# It looks for a greeting, an order number, facts; a wrong figure is a fact, too.
# In one letter the loop even put the right line beside the wrong one.
# (Ours is a simulator, and blinder than most. But the finding is not ours: without feedback from outside, models did not get better at reasoning by correcting themselves, and sometimes got worse. Huang et al., arXiv 2310.01798.)
# The evidence finds every one, in one round, because it has something to compare with.
# It sees figures only: a wrong name would pass, and so would an invented promise without a figure.
#
# ## Use it when, and when not
#
# | | use it when | not when |
# |---|---|---|
# | **one call** | the task has one or two parts: 1 of 1 answered | parts get lost: 2 of 6 |
# | **fixed sections** (lesson 3) | every task has the same parts | the number of parts varies: 3 of 6 |
# | **orchestrator and workers** | nobody knows the parts beforehand: 6 of 6 at 7.4 times the tokens | a task has one part: the same answer at 3.4 times the tokens |
# | **lean workers** | each part stands alone: 1,035 prompt tokens instead of 3,420 | parts may contradict each other |
# | **a budget that reserves** | anything runs side by side: not over, as long as the guess holds | you cannot bound an answer's length |
# | **evaluator and optimizer** | there is evidence to judge by: 12 of 12 figures right | the model can only ask itself: 0 of 12 |
#
# ## Recap
#
# * A plan is **data from outside**: mend it in code, ask again once, then refuse.
# * A worker gets **its own subtask**, and nothing else unless you can say why.
# * A budget **reserves before** the call and gives back the change; the join's share comes first.
# * The join runs **exactly once**, if there is a path that always arrives.
# * A loop needs a bound, a whole-word verdict, the best draft, and a judge with **evidence**.

# %% name="recap-pictures"
ax = workflow_graph(
    [
        ("start", "plan"), ("plan", "check"), ("check", "plan", "once more"), ("check", "person", "no plan"),
        *(("check", f"worker {number}") for number in (1, 2, 3)),
        *((f"worker {number}", "join") for number in (1, 2, 3)), ("join", "end"),
    ],
    kinds={"plan": "model", "check": "code", "person": "person", "join": "model"}
    | {f"worker {number}": "model" for number in (1, 2, 3)},
    title="Orchestrator and workers",
)  # fmt: skip
ax = workflow_graph(
    [("start", "draft"), ("draft", "judge"), ("judge", "improve", "REVISE"), ("improve", "judge"),
     ("judge", "best draft", "PASS, or 3 rounds"), ("best draft", "end")],
    kinds={"draft": "model", "judge": "code", "improve": "model", "best draft": "code"},
    title="Evaluator and optimizer, with evidence",
)  # fmt: skip

# %% [markdown] name="quiz-text"
# ## What do you say now?

# %% name="quiz-plan"
quiz("q15")

# %% name="quiz-joins"
quiz("q16")

# %% name="quiz-best"
quiz("q17")

# %% name="calibration"
calibration()

# %% [markdown] name="next"
# **Try it yourself:** in `LETTERS`, write a letter of your own with four questions and run it through the three programs.
# Beside the letter stand the ids of the articles that answer it; `[page.id for page in world.articles()]` lists them all.
# Set `MOST` to 3 and read the end of `await orchestrate(LETTER)`; or set `LONGEST["answer"]` to 20, print `await within(Budget(10, 3200), LETTER)`, and read what a cut answer does to a letter.
#
# **Next:** [exercise 6, *Manager and workers*](../exercises/06_manager_and_workers.ipynb), and then lesson 7, *State*: the program is switched off in the middle of a conversation, and has to know where it was.

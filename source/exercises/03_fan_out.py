# %% [markdown] name="title"
# # Exercise 3 · Fan out
# *60 minutes · after lesson 3 · 9 points*
#
# Four tasks around one idea: several requests at a time, and none of them lost.
# Write only in the cells that say `# your code here`; the check below each of them tells you what the server saw.
# Stuck? `hint("parallel.bounded")` in a new cell gives one step, and one more each time; hints are free.
# `progress()` shows where you stand.
#
# Use the model that your function is handed, `llm`. In the checks it follows a script, so its answers look odd; what counts is *which requests were open when*, never your wording.
# `async` functions and ordinary ones with threads or `batch` are both welcome.

# %% name="setup" tags=["given"]
import asyncio

from openai import APIStatusError

from course_utils import chat_model, check, connect, faults, hint, predict, progress, timeline, workflow_graph

# %% [markdown] name="at-once-task"
# ## 1. All at once (1 point)
#
# A worked example first. These two questions are open at the same moment:
#
# ```python
# async def ask_both(first, second, llm):
#     answers = await asyncio.gather(llm.ainvoke(first), llm.ainvoke(second))
#     return [answer.text for answer in answers]
# ```
#
# Now for any number of questions. The frame is there; what goes into `gather` is missing.
#
# | you are given | you give back |
# |---|---|
# | `questions`: a list of texts; `llm`: a chat model | a list with the text of each answer, in the order of the questions |

# %% name="at-once-target" tags=["given", "target"]
ax = workflow_graph(
    [("start", "question 1"), ("start", "question 2"), ("start", "question 3")]
    + [(f"question {number}", "answers") for number in (1, 2, 3)]
    + [("answers", "end")],
    kinds={"question 1": "model", "question 2": "model", "question 3": "model", "answers": "code"},
    title="All open at the same moment",
)


# %% name="answer-at-once" tags=["answer"]
async def ask_all(questions: list[str], llm) -> list[str]:
    """The answers to all questions, asked at the same time."""
    # solution
    answers = await asyncio.gather(*(llm.ainvoke(question) for question in questions))
    return [answer.text for answer in answers]


# %% name="check-at-once" tags=["check"]
check("parallel.at_once", ask_all)

# %% [markdown] name="measure-task"
# ## 2. Predict and measure (no points)
#
# The version below is in use at the desk. It was written to keep at most 3 requests open.
# Commit to a number, then run the measurement.


# %% name="bounded-buggy" tags=["given"]
async def fan_out_buggy(items: list[str], limit: int, llm) -> list[str]:
    """Ask about every item, at most `limit` at a time."""

    async def one(item):
        async with asyncio.Semaphore(limit):
            return (await llm.ainvoke(item)).text

    return await asyncio.gather(*(one(item) for item in items))


# %% name="measure-predict"
open_at_once = predict(
    "Eight items, limit 3. How many requests will be open at the same moment, at most?",
    name="open at once, limit 3",
    default=3,
    unit="requests",
    low=1,
    high=8,
)
open_at_once

# %% name="measure-run"
articles = [f"What does article {number} of the help centre say?" for number in range(1, 9)]

with connect().record(faults=faults.every(1, faults.slow(3))) as trace:
    await fan_out_buggy(articles, 3, chat_model(step="item"))

ax = timeline(trace, title="At most 3, it was said")
open_at_once.reveal(trace.peak)

# %% [markdown] name="bounded-contract"
# ## 3. Find the bug: the bound that bounded nothing (2 points)
#
# Write `fan_out`: the same job with a bound that holds.
#
# | you are given | you give back |
# |---|---|
# | `items`: a list of texts, perhaps empty; `limit`: 1 or more; `llm` | a list with the text of each answer, in the order of the items |
#
# * Never more than `limit` requests open at once, and as many as that whenever there is enough to do.
# * A free slot is used at once: nobody waits for the slowest of a group.

# %% name="bounded-target" tags=["given", "target"]
ax = workflow_graph(
    [("start", "door"), ("door", "llm", "at most limit inside"), ("llm", "answers"), ("answers", "end")],
    kinds={"door": "code", "llm": "model", "answers": "code"},
    title="One door for all",
)


# %% name="answer-bounded" tags=["answer"]
async def fan_out(items: list[str], limit: int, llm) -> list[str]:
    """Ask about every item, at most `limit` at a time; the answers in the order of the items."""
    # solution
    door = asyncio.Semaphore(limit)

    async def one(item):
        async with door:
            return (await llm.ainvoke(item)).text

    return await asyncio.gather(*(one(item) for item in items))


# %% name="check-bounded" tags=["check"]
check("parallel.bounded", fan_out)

# %% [markdown] name="partial-task"
# ## 4. One bad item must not spoil the rest (3 points)
#
# Forty tickets go out together, and two of them come back with an error. The desk wants the other thirty-eight, and the two statuses.
#
# | you are given | you give back |
# |---|---|
# | `items`: a list of texts, all different; `llm` | `{"results": {item: text of its answer}, "errors": {item: HTTP status of its failure}}` |
#
# * All items are asked for at once, each exactly once.
# * A request that would succeed is never cut off because another one failed.
# * What a failed request raises is an `APIStatusError`; its `status_code` is the number you need.


# %% name="answer-partial" tags=["answer"]
async def gather_partial(items: list[str], llm) -> dict[str, dict]:
    """The answers that came, and the status of each failure."""
    # solution
    answers = await asyncio.gather(*(llm.ainvoke(item) for item in items), return_exceptions=True)
    found = {"results": {}, "errors": {}}
    for item, answer in zip(items, answers, strict=True):
        if isinstance(answer, APIStatusError):
            found["errors"][item] = answer.status_code
        else:
            found["results"][item] = answer.text
    return found


# %% name="check-partial" tags=["check"]
check("parallel.partial", gather_partial)

# %% [markdown] name="vote-task"
# ## 5. Vote, and stop when it is decided (3 points)
#
# A router that votes asks the same question several times and takes the majority.
# Each vote costs money, so it should stop as soon as nobody else can win.
#
# | you are given | you give back |
# |---|---|
# | `question`: it asks for one label; `n`: the most votes; `llm` | the winning label in small letters without decoration, or `"tie"` when two lead at the end |
#
# * One request after the other, each with the question as it is, a `temperature` above 0 and a `seed` of its own: `llm.bind(temperature=0.7, seed=number)` is the same model with these settings.
# * `"**Billing**."`, `" billing"` and `"BILLING"` are votes for the same label.
# * Stop after the first vote at which no other label can draw level any more, even if all votes still to come went against the leader.
#
# | `n` | the answers | requests | result |
# |---|---|---|---|
# | 5 | sales, sales, sales | 3 | `"sales"` |
# | 5 | sales, other, sales, other, sales | 5 | `"sales"` |
# | 6 | sales, sales, sales, other, billing | 5 | `"sales"` |
# | 4 | sales, other, other, sales | 4 | `"tie"` |


# %% name="answer-vote" tags=["answer"]
def vote(question: str, n: int, llm) -> str:
    """The label that most of at most `n` votes name, asked for no longer than needed."""
    # solution
    votes: dict[str, int] = {}
    for asked in range(1, n + 1):
        answer = llm.bind(temperature=0.7, seed=asked).invoke(question)
        label = "".join(letter for letter in answer.text.lower() if letter.isalpha())
        votes[label] = votes.get(label, 0) + 1
        second, lead = sorted([0, *votes.values()])[-2:]
        if lead - second > n - asked:
            return max(votes, key=lambda each: votes[each])
    return "tie"


# %% name="check-vote" tags=["check"]
check("parallel.vote", vote)

# %% [markdown] name="afterwards"
# ## Afterwards
#
# Your functions work with any model. Try the vote on a real question of the desk, in a new cell:
#
# ```python
# vote("Which desk should handle this: billing, technical, sales or other? One word.\nMy Otter drips.", 9, chat_model())
# ```
#
# Then ask yourself: `gather_partial` tells the two failures. Which of them would heal if you asked again?
# Lesson 8 answers that.

# %% [markdown] name="title"
# # Exercise 4 · Stay under the speed limit
# *60 minutes · after lesson 4 · 8 points, 2 of them in a stretch task*
#
# Four tasks and a prediction around one idea: use what a plan allows, all of it, and not a request more.
# Write only in the cells that say `# your code here`; the check below each of them tells you what the server saw.
# Stuck? `hint("limits.throttled")` in a new cell gives one step, and one more each time; hints are free.
# `progress()` shows where you stand.
#
# From task 3 on, everything happens on the *course clock*, as in the lesson's rehearsals: it does not tick, but jumps to the next event once everybody waits.
# Your function is handed two things for it: `await asleep(seconds)` waits there (seconds from 0 on), and `now()` gives its time (an ordinary function, no `await`).
# **Wait through `asleep` and through nothing else.** `asyncio.sleep`, the `timeout=` of asyncio, and LangChain's `InMemoryRateLimiter` wait on the wall clock, which does not count here. (In a program of your own they are a good choice.)
# Write `async` functions. The models follow a script, so their answers look odd; what counts is *when which request began*.

# %% name="setup" tags=["given"]
import asyncio
from contextlib import suppress
from math import ceil

from openai import OpenAIError

from course_utils import check, hint, predict, progress, timeline, workflow_graph, world
from course_utils.rehearsals import rehearsal

# %% [markdown] name="workers-task"
# ## 1. How many workers? (1 point)
#
# A worked example first: Little's law, *L = λW*, for a shop into which so many people come each minute.
#
# ```python
# def inside(people_per_minute, minutes_of_a_visit):
#     """How many are in the shop, on average."""
#     return people_per_minute * minutes_of_a_visit
# ```
#
# Now for workers at a plan. A worker waits for its turn, one *gap*, and then makes a call that takes so many seconds; then it comes back.
# The frame is there; the number is missing. Workers are whole.
#
# | `per_minute` | `seconds` | gap | give back |
# |---|---|---|---|
# | 60 | 6 | 1 s | 7 |
# | 480 | 0.6 | 0.125 s | 6, as 5.8 would be just enough |


# %% name="answer-workers" tags=["answer"]
def workers_needed(per_minute: float, seconds: float) -> int:
    """So many workers can use the plan fully, if each waits one gap for its turn and then calls."""
    rate = per_minute / 60  # starts per second
    gap = 1 / rate  # seconds
    # solution
    return ceil(rate * (gap + seconds))


# %% name="check-workers" tags=["check"]
check("limits.workers", workers_needed)

# %% [markdown] name="measure-task"
# ## 2. Predict and measure (no points)
#
# This pace is in use at the desk. `free_at` is the moment from which on the next caller may start.
# Its author tried it with one caller, six calls, eight per second.


# %% name="pace-buggy" tags=["given"]
class PaceBuggy:
    """Lets one caller start after another, `1 / per_second` seconds apart."""

    def __init__(self, per_second: float, now, asleep):
        self.gap, self.now, self.asleep = 1 / per_second, now, asleep
        self.free_at = now()

    async def turn(self) -> None:
        """Comes back when this caller may start."""
        wait = self.free_at - self.now()
        if wait > 0:
            await self.asleep(wait)
        self.free_at = self.now() + self.gap


# %% name="measure-one"
QUESTION = "Classify this ticket as billing, technical, sales or other. Answer with one word."
PROMPTS = [f"{QUESTION}\n\n{ticket.text}" for ticket in world.tickets()[:24]]


async def label(stage, pace, prompt):
    await pace.turn()
    return await stage.chat_model(step="label").ainvoke(prompt)


with rehearsal(rate=(8, 1)) as alone:
    pace = PaceBuggy(8, alone.now, alone.asleep)
    for prompt in PROMPTS[:6]:
        await label(alone, pace, prompt)

print([request.status for request in alone.trace])

# %% [markdown] name="measure-question"
# None refused. Then 24 callers use it, one for each ticket, and all of them come at ten o'clock.
# They share one pace and one key, and the plan is what it was: eight per second, never two at one moment.

# %% name="measure-predict"
refused = predict(
    "24 callers at the same moment, one PaceBuggy(8) for all of them. How many requests are refused?",
    name="refused of 24",
    default=0,
    unit="requests",
    low=0,
    high=24,
)
refused

# %% name="measure-run"
with rehearsal(rate=(8, 1)) as crowd:
    pace = PaceBuggy(8, crowd.now, crowd.asleep)
    await asyncio.gather(*(label(crowd, pace, prompt) for prompt in PROMPTS), return_exceptions=True)

ax = timeline(crowd.trace, title="24 callers, one pace")
refused.reveal(sum(request.status == 429 for request in crowd.trace))

# %% [markdown] name="pace-contract"
# One starts at once. All the others read the same `free_at`, and come back together.
#
# ## 3. Find the bug: the pace that held for one (2 points)
#
# Write `Pace`: the same class, with a `turn` that holds for any number of callers.
#
# | the call | what it does |
# |---|---|
# | `Pace(per_second, now, asleep)` | makes a pace; its *gap* is `1 / per_second` seconds |
# | `await pace.turn()` | comes back when this caller may start |
#
# * Two turns are never less than a gap apart, whoever takes them.
# * Nobody waits longer than one gap for each caller that came before and still waits, and one for itself.
# * A quiet time is not saved up. After it one may start, and the next one a gap later.
#
# | `per_second=4` | come at | may start at |
# |---|---|---|
# | three callers | 0 s | 0, 0.25 and 0.5 s, or all of them up to a gap later |
# | two more, after a quiet time | 10 s | 10 and 10.25 s, or up to a gap later |


# %% name="answer-pace" tags=["answer"]
class Pace:
    """Lets one caller start after another, `1 / per_second` seconds apart, however many there are."""

    def __init__(self, per_second: float, now, asleep):
        self.gap, self.now, self.asleep = 1 / per_second, now, asleep
        self.free_at = now()

    async def turn(self) -> None:
        """Comes back when this caller may start."""
        # solution
        now = self.now()
        begin = max(self.free_at, now)
        self.free_at = begin + self.gap  # before anybody waits: nobody else can take this turn
        await self.asleep(begin - now)


# %% name="check-pace" tags=["check"]
check("limits.pace", Pace)

# %% [markdown] name="throttled-task"
# ## 4. Stay under the speed limit (3 points)
#
# The whole queue, at the plan's pace. Providers name their plans per minute, and hold you to them by the second: 480 per minute are 8 per second.
#
# | you are given | you give back |
# |---|---|
# | `items`: a list of texts, perhaps empty; `per_minute`: the plan; `seconds`: what a call takes, as a rule; `llm`; `now`, `asleep` | a list with the text of each answer, in the order of the items |
#
# | what counts | how much |
# |---|---|
# | requests | one for each item, and **none refused**. The provider's bucket holds 2: two may start together after a rest, not three |
# | open at once | never more than `workers_needed(per_minute, seconds)`, even when calls get slow |
# | time | the last of *n* requests starts at `1.25 * n * 60 / per_minute` seconds at the latest: a quarter more than the plan takes. (While slow calls keep all workers busy, that time is added.) |
#
# Half the speed is too slow, and so is one call after another.
# Your `Pace` and `workers_needed` are there to be used. Calls take different times, and in one case the provider is slow for a while and then quicker than ever.

# %% name="throttled-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "door"),
        ("door", "pace", "a worker is free"),
        ("pace", "call", "my turn"),
        ("call", "end"),
    ],
    kinds={"door": "code", "pace": "code", "call": "model"},
    title="Every item's way, with one door and one pace for all",
)


# %% name="answer-throttled" tags=["answer"]
async def throttled(items: list[str], per_minute: float, seconds: float, llm, now, asleep) -> list[str]:
    """The answers to all items, at the pace of the plan, and never more open than there are workers."""
    # solution
    door = asyncio.Semaphore(workers_needed(per_minute, seconds))
    pace = Pace(per_minute / 60, now, asleep)

    async def one(item):
        async with door:
            await pace.turn()
            return (await llm.ainvoke(item)).text

    return await asyncio.gather(*map(one, items))


# %% name="check-throttled" tags=["check"]
check("limits.throttled", throttled)

# %% [markdown] name="hedged-task"
# ## 5. Stretch: hedge the slow one (2 points)
#
# The lesson's hedge, with two different models. One request goes to `primary`. If it has not answered after `delay` seconds, a second one goes to `backup`, and whoever answers first wins.
#
# | you are given | you give back |
# |---|---|
# | `prompt`: a text; `primary`, `backup`: chat models; `delay`: seconds; `asleep` | the text of the first answer, as soon as it is there |
#
# | what happens | then |
# |---|---|
# | the primary answers before the delay is over | one request, and no more |
# | it has not answered by then | `backup` is asked, once, at that moment; the first request stays in the race |
# | one answers | the other one is let go: the server sees the closed connection |
# | the primary fails before the delay is over | an error is no answer: `backup` is asked **at once**. (In the lesson that error was the caller's; with another model at hand there is nothing to wait for.) |
# | one of the two fails while the other one runs | its error is passed over |
# | both fail | one of the two errors reaches the caller |
#
# The errors are subclasses of `OpenAIError`.

# %% name="hedged-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "primary"),
        ("start", "asleep"),
        ("asleep", "backup", "delay is over"),
        ("primary", "backup", "error"),
        ("primary", "first answer"),
        ("backup", "first answer"),
        ("first answer", "cancel the other"),
        ("cancel the other", "end"),
    ],
    kinds={"primary": "model", "backup": "model", "asleep": "code", "first answer": "code", "cancel the other": "code"},
    title="A race, and the loser is let go",
)


# %% name="answer-hedged" tags=["answer"]
async def hedged(prompt: str, primary, backup, delay: float, asleep) -> str:
    """The text of whoever answers first; the backup is asked only when the primary is slow, or fails."""
    # solution
    first, timer = asyncio.create_task(primary.ainvoke(prompt)), asyncio.create_task(asleep(delay))
    await asyncio.wait({first, timer}, return_when=asyncio.FIRST_COMPLETED)
    timer.cancel()
    racers = [first]
    if not first.done() or first.exception():
        racers.append(asyncio.create_task(backup.ainvoke(prompt)))
    try:
        for answer in asyncio.as_completed(racers):
            with suppress(OpenAIError):
                return (await answer).text
        return first.result().text  # nobody has answered: raises the first one's error
    finally:
        for racer in racers:
            racer.cancel()
        await asyncio.gather(*racers, return_exceptions=True)


# %% name="check-hedged" tags=["check"]
check("limits.hedged", hedged)

# %% [markdown] name="afterwards"
# ## Afterwards
#
# Your functions work in any rehearsal. Send the 24 tickets through the plan that refused them, in a new cell:
#
# ```python
# with rehearsal(rate=(8, 2)) as ten:
#     labels = await throttled(PROMPTS, 480, 0.3, ten.chat_model(step="label"), ten.now, ten.asleep)
# timeline(ten.trace)
# ```
#
# Then ask yourself: a second program starts with the same key and the same `per_minute`. Which of your three bounds still holds, and who could know?
# And when a request is refused all the same, what then? Lesson 8 answers that.

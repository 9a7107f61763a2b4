# %% [markdown] name="title"
# # 4 · Limits
# *45 minutes · needs lesson 3*
#
# **Goal:** stay within what a provider allows without wasting it, know how many workers that takes, and keep one slow call from deciding for all.
#
# Monday, ten o'clock. At 09:55 Merrowby sent its spring newsletter: a tenth off every instrument.
# At ten there are 120 tickets on the desk.
# That is no trouble, says the colleague who learnt about `gather` an hour ago, and hands all of them to the model at once.
# At 10:01 almost none of the customers has a label. The others have an error text in the field where the label should be.
#
# He reads the first error ("429, too many requests"), lets no more than four requests be open at a time, and starts again.
# At 10:02 it looks hardly better.
#
# **You will be able to**
#
# * tell apart what limits the open requests and what limits the started ones, and know when you need which;
# * work out with Little's law how many workers a limit needs, and check it in a trace;
# * read what a refusal tells you, and say what happens when nobody reads it;
# * find the barriers at which fast parts wait for slow ones;
# * say how likely a slow part is, and buy it off at a known price.

# %% name="connect"
import asyncio
import random
from collections import Counter
from contextlib import suppress

from course_utils import calibration, chat_model, connect, curve, explore, faults, world
from course_utils import predict, quiz, timeline, workflow_graph
from course_utils.rehearsals import rehearsal
from course_utils.show.flight import in_flight

course = connect()
course

# %% [markdown] name="before-you-start"
# ## Before you start
#
# Three questions from lessons 2 and 3, from memory.

# %% name="quiz-blocking"
quiz("q07")

# %% name="quiz-gate"
quiz("q05")

# %% name="quiz-order"
quiz("the-order-of-gathered-results")

# %% [markdown] name="at-ten"
# ## All at once
#
# Here are the 120 tickets and the question for each of them.
# First they go out without any limit, and every answer is six seconds slower than usual.
# `abatch` is one line, and it says nothing of how many calls it makes at a time.

# %% name="prompts"
QUESTION = "Classify this ticket as billing, technical, sales or other. Answer with one word."
PROMPTS = [f"{QUESTION}\n\n{ticket.text}" for ticket in world.tickets()[:120]]

print(len(PROMPTS), "prompts; the last one:")
print(PROMPTS[-1])

# %% name="at-once-predict"
open_at_once = predict(
    "How many of the 120 requests will be open at the same moment, at most?",
    name="open at once, unbounded",
    default=10,
    unit="requests",
    low=1,
    high=120,
)
open_at_once

# %% name="at-once-run"
with course.record(faults=faults.every(1, faults.slow(6))) as unbounded:
    await chat_model(step="label").abatch(PROMPTS)

ax = in_flight(unbounded, title="abatch(120)")
open_at_once.reveal(unbounded.peak)

# %% [markdown] name="at-once-explained"
# All of them. `abatch` on its own has no bound: it starts whatever you give it (langchain issues 20656 and 15767).
# (Its sync sister `batch` is held back by the thread pool, by chance and by the number of your machine's cores.)
#
# **The belief behind this bug:** that the library, or the provider, will see to a sensible number.
# The library does not know your limit. The provider does, and has one way to tell you.
#
# ## A clock for rehearsals
#
# Merrowby's plan allows **four requests per second**, with a burst of at most four.
# It counts requests when they *begin*. How many are open does not matter to it.
# To try such a limit takes time, and a limit that depends on seconds gives other counts on a faster machine.
# So for most of this lesson we *rehearse*: `rehearsal(...)` gives us a corner of the same server, with a clock of its own.
# It does not tick. When everybody waits, it jumps to the next moment at which something happens; what our own program needs in between does not count.
# A minute costs no minute, and the counts are the same on your machine as on ours.
# Models come from the rehearsal itself, as in `ten.chat_model(...)` below: the plain `chat_model(...)` would go past it.

# %% name="limited-predict"
answered_at_ten = predict(
    "All 120 at once, under this plan. How many will be answered?",
    name="answered of 120, unbounded",
    default=60,
    unit="tickets",
    low=0,
    high=120,
)
answered_at_ten

# %% name="limited-run"
PLAN = (4, 4)  # tokens per second, size of the bucket


def statuses(trace):
    return dict(sorted(Counter(request.status for request in trace).items()))


with rehearsal(rate=PLAN) as ten:
    await ten.chat_model(step="label").abatch(PROMPTS, return_exceptions=True)

print(statuses(ten.trace))
answered_at_ten.reveal(statuses(ten.trace).get(200, 0))

# %% [markdown] name="limited-explained"
# The limit is a **bucket of tokens**. It holds four; each request takes one; four flow in per second.
# 120 requests at one moment find four tokens, and the rest is told 429.
# (A plain `ChatOpenAI` would send each refused request up to twice more, in silence. Our `chat_model` sets `max_retries=0`, so that every request in the log is one of ours.)
#
# ## Break it: a door instead of a pace
#
# The colleague's mend is the usual one: `max_concurrency`.
# It is a semaphore, a door that lets four in and the next one only when somebody comes out.

# %% name="door-predict"
refused_at_door = predict(
    "The door lets four in. How many of the 120 are refused now?",
    name="refused behind a door of four",
    default=0,
    unit="tickets",
    low=0,
    high=120,
)
refused_at_door

# %% name="door-run"
with rehearsal(rate=PLAN) as door:
    await door.chat_model(step="label").abatch(PROMPTS, {"max_concurrency": 4}, return_exceptions=True)

FEW = PROMPTS[:24]  # a picture of 120 would be a stripe

with rehearsal(rate=PLAN) as quick_door:
    await quick_door.chat_model(step="label").abatch(FEW, {"max_concurrency": 4}, return_exceptions=True)

print("open at once:", door.trace.peak)
print(statuses(door.trace))
ax = timeline(quick_door.trace, title="A door of four, short calls: the first 24")
refused_at_door.reveal(statuses(door.trace).get(429, 0))

# %% [markdown] name="door-explained"
# The door did its work: there were never more than four open.
# Where the refusals come from is in the picture, which shows 24 of the tickets at the same door.
# Four calls begin, and each takes about a quarter of a second.
# The first one that ends lets the next one in, and that one gets the only token that has come back: it is the fifth blue bar, right behind the shortest.
# The second one that ends lets in a call that finds no token. It is refused **at once**, so it leaves at once, and the door opens for the next.
# A refusal is the shortest call there is: the whole queue falls through the door in one moment.
#
# **The belief behind this bug:** that a semaphore is a rate limiter.
# A semaphore bounds what is *open*. How many *start* per second depends on how long a call takes, and that is not in your hands.
#
# It may even pass the test. Here is the same door on a day when each call takes 1.2 seconds more.

# %% name="slow-door"
slow_day = faults.every(1, faults.slow(1.2))

with rehearsal(rate=PLAN, faults=slow_day) as slow_door:
    await slow_door.chat_model(step="label").abatch(FEW, {"max_concurrency": 4}, return_exceptions=True)

print("slow day: ", statuses(slow_door.trace))
print("quick day:", statuses(quick_door.trace))

# %% [markdown] name="little"
# On the slow day nobody is refused. Then the provider gets faster, which is good news, and 19 of 24 fail.
#
# ## Little's law
#
# What ties the three together, how many start, how long each takes, and how many are open, is one line (John Little, 1961):
#
# $$L = \lambda W$$
#
# *L* is the mean number of open calls, *λ* how many come per second, *W* how long one of them stays.
# There is nothing to assume about who comes when. We check it in a trace: on one side we multiply, on the other we look a thousand times and count what is open.


# %% name="little-code"
def rate_and_stay(trace):
    """Calls per second, and the seconds that one of them takes on average."""
    stays = [request.course_stop - request.course_start for request in trace]
    return len(trace) / trace.makespan, sum(stays) / len(stays)


def mean_open(trace, looks=1000):
    """How many were open on average, at so many moments evenly spread over the trace."""
    begin = min(request.course_start for request in trace)
    moments = [begin + trace.makespan * (look + 0.5) / looks for look in range(looks)]
    return sum(r.course_start <= moment < r.course_stop for moment in moments for r in trace) / looks


rate, stay = rate_and_stay(slow_door.trace)
print(f"slow day: {rate:.2f} per second × {stay:.2f} s = {rate * stay:.2f}; counted: {mean_open(slow_door.trace):.2f}")

# %% [markdown] name="little-random-text"
# That one was easy, because a door of four is always full.
# So here are twenty calls that come when they like, and every third of them takes three seconds more.

# %% name="little-random"
draw = random.Random(4)

with rehearsal(faults=faults.every(3, faults.slow(3))) as whenever:
    model = whenever.chat_model(step="label")

    async def sometime(prompt):
        await whenever.asleep(draw.uniform(0, 8))
        await model.ainvoke(prompt)

    await asyncio.gather(*map(sometime, PROMPTS[:20]))

rate, long = rate_and_stay(whenever.trace)
print(f"{rate:.2f} per second × {long:.2f} s = {rate * long:.2f}; counted: {mean_open(whenever.trace):.2f}")
ax = in_flight(whenever.trace, title="Twenty calls that come when they like")

# %% [markdown] name="little-explained"
# The area under the line is all the seconds that all calls took together.
# Spread it evenly over the whole time, and you have the broken line. That is the whole proof: the same area, counted once by moments and once by calls.
#
# On the slow day the full door of four let fewer than three calls start per second. The plan would have allowed four.
# So the law also works **backwards**: fix the rate that you want, measure how long a call takes, and it says how many must be open.

# %% name="workers-predict"
workers_needed = predict(
    "The plan: 4 per second. On the slow day a call takes 1.48 seconds. How many workers does that take, if each always has a call open?",
    name="workers for the plan",
    default=4,
    unit="workers",
    low=1,
    high=24,
)
workers_needed

# %% name="workers-reveal"
from math import ceil

workers_needed.reveal(ceil(4 * stay), source="Little's law")

# %% [markdown] name="workers-explore-text"
# One more second per call is four more workers, at this plan. Move the plan's limit, and read off what yours would need.


# %% name="workers-explore"
def draw_little(per_minute=240):
    stays = (0.25, 0.5, 1, 2, 3, 4, 6, 8, 10)
    return curve(
        {},
        {f"{per_minute} calls per minute": {stay: per_minute / 60 * stay for stay in stays}},
        x="seconds that one call takes",
        y="open calls on average",
        title="Little's law, backwards",
        most=50,
    )


explore(draw_little, per_minute=[3, 10, 30, 60, 120, 180, 240, 300])

# %% [markdown] name="pace"
# Set it to 60: a call of ten seconds needs ten workers there. At 3 per minute half a worker is enough.
#
# ## A pace
#
# What we want is something that looks at *starts*. The simplest kind is a gate that makes everybody who goes through it wait a moment first.
# The lock is the queue, the sleep is on the rehearsal's clock, and nothing is held while the call itself runs.
# We try it on a quick day, which was bad news for the door.


# %% name="pace-code"
class Pace:
    """Lets one caller start after another, `1 / per_second` seconds apart."""

    def __init__(self, per_second, asleep):
        self.gap, self.asleep, self.gate = 1 / per_second, asleep, asyncio.Lock()

    async def turn(self):
        async with self.gate:
            await self.asleep(self.gap)


# %% name="pace-run"
async def paced(stage, prompts, per_second, width=1000):
    model, pace, door = stage.chat_model(step="label"), Pace(per_second, stage.asleep), asyncio.Semaphore(width)

    async def one(prompt):
        async with door:
            await pace.turn()
            return await model.ainvoke(prompt)

    return await asyncio.gather(*map(one, prompts))


with rehearsal(rate=PLAN) as quick_pace:
    labels = await paced(quick_pace, FEW, per_second=4)

print("door:", statuses(quick_door.trace))
print("pace:", statuses(quick_pace.trace))
ax = timeline(quick_pace.trace, title="A pace of four per second, short calls")

# %% [markdown] name="pace-explained"
# 24 of 24, none refused, and never more than two open.
# (The picture's length is the price, and there is no way round it: 24 calls at four per second are six seconds.)
#
# Is the door useless, then? Suppose that the provider gets slow: five seconds more for each call, and twice as many tickets.

# %% name="pace-slow"
very_slow = faults.every(1, faults.slow(5))

with rehearsal(rate=PLAN, faults=very_slow) as slow_pace:
    await paced(slow_pace, PROMPTS[:48], per_second=4)
with rehearsal(rate=PLAN, faults=very_slow) as pace_and_door:
    await paced(pace_and_door, PROMPTS[:48], per_second=4, width=8)

print("pace alone:   ", slow_pace.trace.peak, "open at once,", statuses(slow_pace.trace))
print("pace and door:", pace_and_door.trace.peak, "open at once,", statuses(pace_and_door.trace))
ax = in_flight(slow_pace.trace, title="Pace alone, slow calls", most=24)
ax = in_flight(pace_and_door.trace, title="Pace and a door of eight, slow calls", most=24)

# %% [markdown] name="both-explained"
# The pace asks nobody whether the earlier calls are done. By Little's law 4 per second times 5.3 seconds are 21 open ones, which is where the first picture stops rising.
# (The 22 is a new call that meets one which is just leaving. And the mean beside the picture is lower, because it counts the rise and the fall too.)
# That may be more connections, memory or money at risk than you want: some providers limit what is open as well ("number of concurrent connections", anthropic-sdk-python issue 496).
#
# So the two are no rivals. The **pace** is for the provider's limit per time; the **door** is for how much may be under way.
#
# Does the number of workers come out as Little said? Here are a pace of four per second, the slow day's calls, and doors of different widths.


# %% name="sweep"
def starts_per_second(trace):
    starts = sorted(request.course_start for request in trace)
    return (len(starts) - 1) / (starts[-1] - starts[0])


measured = {}
for width in (1, 2, 4, 6, 7, 8):
    with rehearsal(rate=PLAN, faults=slow_day) as stage:
        await paced(stage, PROMPTS[:40], per_second=4, width=width)
    assert statuses(stage.trace) == {200: 40}
    measured[width] = starts_per_second(stage.trace)
    print(f"workers: {width}, starts per second: {measured[width]:.2f}, open at most: {stage.trace.peak}")

ax = curve(
    {"measured": measured},
    {"call only": lambda width: min(4, width / stay), "call and gate": lambda width: min(4, width / (stay + 1 / 4))},
    x="workers",
    y="starts per second",
    title="More workers help until the plan is full",
    is_repeatable=False,
)

# %% [markdown] name="sweep-explained"
# Six are not quite enough. A worker does not always have a call open: it also waits a quarter of a second at the gate, and that is a part of *its* stay.
# With it the law says 4 × (1.48 + 0.25) = 6.9, so seven, and the points lie on that line.
# The eighth has nothing to do: there are never more than seven open.
# Measure the stay of your *workers*, not that of your model.
#
# **A good place to pause.** What follows is about refusals, and then about waiting for others.
#
# ## What a refusal says
#
# Five requests at once, one too many. A 429 brings more than a number.

# %% name="header-run"
with rehearsal(rate=PLAN) as stage:
    answers = await stage.chat_model(step="label").abatch(PROMPTS[:5], return_exceptions=True)

refusal = next(answer for answer in answers if isinstance(answer, Exception))
print(refusal.status_code, refusal.code)
for name in (
    "retry-after",
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
):
    print(f"{name}: {refusal.response.headers[name]}")

# %% [markdown] name="header-explained"
# `retry-after` says in how many seconds a token will be there (or, with other providers, a date: RFC 9110 allows both).
# The others are OpenAI's: how large the bucket is, what is left, and when it will be full again.
# A limit on *tokens of text* has its own three, and then you wait for the longer of the two.
#
# What if nobody reads it? Sixteen calls, and whoever is refused tries again at once, five times in all.

# %% name="hammer"
from openai import RateLimitError


async def stubborn(stage, prompts, attempts, wait):
    model = stage.chat_model(step="label")

    async def one(prompt):
        for _ in range(attempts):
            try:
                return await model.ainvoke(prompt)
            except RateLimitError as error:
                await wait(error)

    return await asyncio.gather(*map(one, prompts))


async def at_once(error):
    pass


with rehearsal(rate=PLAN) as hammer:
    await stubborn(hammer, PROMPTS[:16], attempts=5, wait=at_once)

print(statuses(hammer.trace))

# %% [markdown] name="hammer-explained"
# Sixty refusals, and not one more answer: five attempts were over before a single token had come back.
# Many retry loops look like this one. They are quick, and they look like care.
#
# Now everybody reads the header and does exactly what it says.

# %% name="herd-predict"
refused_in_herd = predict(
    "Sixteen calls at once; each of the refused waits as long as `retry-after` says, and tries again. How many refusals until all are answered?",
    name="refusals of the obedient",
    default=12,
    unit="refusals",
    low=0,
    high=200,
)
refused_in_herd

# %% name="herd-run"
with rehearsal(rate=PLAN) as herd:

    async def as_told(error):
        await herd.asleep(float(error.response.headers["retry-after"]))

    await stubborn(herd, PROMPTS[:16], attempts=100, wait=as_told)

print(statuses(herd.trace))
ax = timeline(herd.trace, title="Everybody comes back when told to")
refused_in_herd.reveal(statuses(herd.trace).get(429, 0))

# %% [markdown] name="herd-explained"
# All of them were told the same moment, so all of them came back in the same moment, to a single token.
# Twelve refused, then eleven, then ten: 12 + 11 + … + 1.
# The header says when *one* may come. Lesson 8 spreads the others with a random extra; a pace never lets it come to that.
#
# And refusals are not free. OpenAI's help page on 429 says that unsuccessful requests count towards the limit per minute, and that sending them again and again does not work for this reason.
# Our server is kinder than that, so here is the rule in a few lines of Python, on a clock that is only a number.


# %% name="window-code"
def in_a_minute(pause, refusals_count, callers=16, most=4):
    """At most 4 in any second; who is refused comes again `pause` milliseconds later. Answers and requests."""
    due, recent, answered, requests = dict.fromkeys(range(callers), 0), [], 0, 0
    for now in range(60_000):
        for caller in [caller for caller, moment in due.items() if moment == now]:
            requests += 1
            recent = [moment for moment in recent if moment > now - 1000]
            is_free = len(recent) < most
            if is_free or refusals_count:
                recent.append(now)
            if is_free:
                answered += 1
            due[caller] = -1 if is_free else now + pause
    return f"{answered} of {callers} answered, {requests} requests"


print("refusals are free,  again after 0.2 s:", in_a_minute(200, refusals_count=False))
print("refusals are counted, after 0.2 s:    ", in_a_minute(200, refusals_count=True))
print("refusals are counted, after 2 s:      ", in_a_minute(2000, refusals_count=True))

# %% [markdown] name="window-explained"
# In the second line twelve callers keep the window full with their own refusals, for the whole minute and for ever.
# **The belief behind this bug:** that a refused request did not happen.
# A tenth of the hurry answers all of them.
#
# ## The framework's way
#
# LangChain has a pace built in. Every chat model takes a `rate_limiter`, and asks it before each request.
# It waits on the wall clock, so this cell is no rehearsal: it takes some six real seconds.

# %% name="framework-run"
from langchain_core.rate_limiters import InMemoryRateLimiter

limiter = InMemoryRateLimiter(requests_per_second=4, check_every_n_seconds=0.05, max_bucket_size=1)

with course.record(rate=PLAN) as framework:
    answers = await chat_model(step="label", rate_limiter=limiter).abatch(FEW)

assert [answer.text for answer in answers] == [label.text for label in labels]
print(statuses(framework))

# %% [markdown] name="framework-explained"
# The same 24 answers, none refused. Three things to know about it:
#
# * It counts requests, not tokens of text, and it counts in the memory of **one process**: two programs with one key need half the rate each.
# * Its waiting is part of the call's time in every trace and callback, so a slow model and a full queue look alike.
# * `max_bucket_size` is what may start at once after a quiet time. Keep it below the provider's.
#
# And one to break. This helper makes everything that it needs, each time.
# (A rehearsal again: the limiters' quarter second is real and not counted there, and here we look only at who is refused.)


# %% name="limiter-each"
async def tidy(stage, prompt):
    own = InMemoryRateLimiter(requests_per_second=4, check_every_n_seconds=0.05, max_bucket_size=1)
    return await stage.chat_model(step="label", rate_limiter=own).ainvoke(prompt)


with rehearsal(rate=PLAN) as tidy_stage:
    await asyncio.gather(*(tidy(tidy_stage, prompt) for prompt in PROMPTS[:16]), return_exceptions=True)

print(statuses(tidy_stage.trace))

# %% [markdown] name="limiter-each-explained"
# Sixteen limiters, each of which has let one call through and found that in order.
# A limiter, like a semaphore, limits those who **share** it. Make it once, where the key is.
#
# ## Waiting for others
#
# The limit is kept; now the time within it. Four tickets need two calls each, first a label and then a reply.
# One has a slow label, another one a slow reply.
# `in_batches` labels all and then answers all; `in_lines` lets each ticket go its own way.

# %% name="uneven"
WAITS = {"T001": (4, 1), "T021": (1, 4), "T048": (1, 1), "T062": (1, 1)}  # seconds more: for the label, for the reply


def twice(label, reply):
    return faults.either(faults.at(1, fault=faults.slow(label)), faults.at(2, fault=faults.slow(reply)))


uneven = faults.either(*(faults.on_step(id, twice(*waits)) for id, waits in WAITS.items()))


# %% name="stages"
async def label_of(stage, id):
    text = f"{QUESTION}\n\n{world.ticket(id).text}"
    return (await stage.chat_model(step=id).ainvoke(text)).text


async def reply_to(stage, id, label):
    text = f"Write a short reply to the customer, from the {label} team.\n\n{world.ticket(id).text}"
    return (await stage.chat_model(step=id).ainvoke(text)).text


async def in_batches(stage):
    labels = await asyncio.gather(*(label_of(stage, id) for id in WAITS))
    return await asyncio.gather(*(reply_to(stage, id, label) for id, label in zip(WAITS, labels, strict=True)))


async def one_line(stage, id):
    return await reply_to(stage, id, await label_of(stage, id))


async def in_lines(stage):
    return await asyncio.gather(*(one_line(stage, id) for id in WAITS))


# %% [markdown] name="barrier-text"
# To compare them without a stopwatch, count the replies that begin before the last label has ended.


# %% name="barrier-run"
def early_replies(trace):
    label_ends = [next(r for r in trace if r.step == id).course_stop for id in WAITS]
    replies = [[r for r in trace if r.step == id][1] for id in WAITS]
    return sum(reply.course_start < max(label_ends) for reply in replies)


with rehearsal(faults=uneven) as batches:
    letters = await in_batches(batches)
with rehearsal(faults=uneven) as lines:
    assert await in_lines(lines) == letters

for name, trace in {"in batches": batches.trace, "in lines": lines.trace}.items():
    print(f"{name}: {len(trace)} requests, {early_replies(trace)} replies begun before the last label")
ax = timeline(batches.trace, title="In batches", steps=list(WAITS))
print(f"in lines: {batches.trace.makespan / lines.trace.makespan:.1f} times as fast")
ax = timeline(lines.trace, title="In lines", steps=list(WAITS))

# %% [markdown] name="barrier-explained"
# The same eight requests, the same letters.
# Between the batches stands a **barrier**: nobody passes before all have arrived. So the slowest label and the slowest reply are paid one after the other, although they belong to different tickets.
# Without it each ticket pays for its own.
#
# Barriers are easy to see in that code. They are harder to see in a framework.
# Here are the same two functions as a LangChain pipe and `abatch`, and as a graph.

# %% name="barriers-lcel"
from langchain_core.runnables import RunnableLambda


def pipe_on(stage):
    async def label(id):
        return id, await label_of(stage, id)

    async def reply(pair):
        return await reply_to(stage, *pair)

    return RunnableLambda(label) | RunnableLambda(reply)


# %% name="barriers-graph"
import operator
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph


class Desk(TypedDict):
    done: Annotated[dict, operator.or_]


def graph_on(stage):
    graph = StateGraph(Desk)
    for id in WAITS:

        async def label(state, id=id):
            return {"done": {f"label {id}": await label_of(stage, id)}}

        async def reply(state, id=id):
            return {"done": {id: await reply_to(stage, id, state["done"][f"label {id}"])}}

        graph.add_node(f"label {id}", label).add_node(f"reply {id}", reply)
        graph.add_edge(START, f"label {id}").add_edge(f"label {id}", f"reply {id}").add_edge(f"reply {id}", END)
    return graph.compile()


ax = workflow_graph(graph_on(lines), title="Four lines, as it seems")

# %% name="barriers-predict"
early_in_graph = predict(
    "No edge leads from one ticket to another. How many of the four replies does LangGraph begin before the last label has ended?",
    name="early replies in a graph",
    default=3,
    unit="replies",
    low=0,
    high=4,
)
early_in_graph

# %% name="barriers-run"
with rehearsal(faults=uneven) as pipe:
    assert await pipe_on(pipe).abatch(list(WAITS)) == letters
with rehearsal(faults=uneven) as in_graph:
    state = await graph_on(in_graph).ainvoke({"done": {}})
    assert [state["done"][id] for id in WAITS] == letters

print("(label | reply).abatch:", early_replies(pipe.trace))
print("LangGraph:             ", early_replies(in_graph.trace))
early_in_graph.reveal(early_replies(in_graph.trace))

# %% [markdown] name="barriers-explained"
# Both are batches. `abatch` of a pipe runs the first part for *all* inputs, then the second.
# A graph advances in rounds, which LangGraph calls **supersteps**: all nodes of a round end before the next round begins (langgraph issues 4979 and 6336).
# **The belief behind this bug:** that a node starts when its own edges are satisfied.
#
# The mend is the same for both: make the whole line of a ticket **one** thing to the framework, one `ainvoke` or one node for each ticket.

# %% name="barriers-mend"
with rehearsal(faults=uneven) as mended_pipe:
    assert await asyncio.gather(*map(pipe_on(mended_pipe).ainvoke, WAITS)) == letters

with rehearsal(faults=uneven) as mended_graph:
    graph = StateGraph(Desk)
    for id in WAITS:

        async def line(state, id=id):
            return {"done": {id: await one_line(mended_graph, id)}}

        graph.add_node(id, line).add_edge(START, id).add_edge(id, END)
    state = await graph.compile().ainvoke({"done": {}})

assert [state["done"][id] for id in WAITS] == letters
print("gathered pipes:", early_replies(mended_pipe.trace), "early replies")
print("one node each: ", early_replies(mended_graph.trace), "early replies")

# %% [markdown] name="tail"
# The price: what is one node to the graph is one thing to save and to repeat, too (lessons 7 and 8).
# A barrier is right where a step needs *all* of what came before it, such as a report on all tickets.
#
# ## The slowest decides
#
# At every barrier, the slowest part decides for all. How often is there a slow one?
# If one call is slow with probability *p*, then of *n* calls at least one is slow with probability
#
# $$1 - (1 - p)^n$$

# %% name="tail-predict"
slow_runs = predict(
    "One call in a hundred is slow. A report is made of 100 parallel calls. Of 1,000 such reports, how many have to wait for a slow call?",
    name="reports that wait",
    default=10,
    unit="reports",
    low=0,
    high=1000,
)
slow_runs


# %% name="tail-simulate"
def reports_that_wait(parts, slow_share=0.01, reports=1000, seed=4):
    draw = random.Random(seed)
    return sum(any(draw.random() < slow_share for _ in range(parts)) for _ in range(reports))


slow_runs.reveal(reports_that_wait(100), source="the simulation")

# %% name="tail-explore"
PARTS = (1, 2, 5, 10, 20, 50, 100)


def draw_tail(slow_share=0.01):
    return curve(
        {"simulated": {n: reports_that_wait(n, slow_share) / 1000 for n in PARTS}},
        {"1 − (1 − p)ⁿ": lambda n: 1 - (1 - slow_share) ** n},
        x="parallel calls",
        y="reports that wait",
        title="The more parts, the surer a slow one",
        is_share=True,
    )


explore(draw_tail, slow_share=[0.001, 0.005, 0.01, 0.02, 0.05, 0.1])

# %% [markdown] name="hedge"
# What one customer in a hundred meets, almost two reports in three meet. (Dean and Barroso, *The Tail at Scale*, CACM 2013, have the same 63 % for 100 servers.)
# Set the share to 0.001: a thousandth is still one report in ten.
#
# ## Hedging
#
# Slow calls are often slow by bad luck: a full machine, a lost packet. A **hedge** does not wait for the luck to turn.
# If the first request has not answered after a while, it sends a second one, takes whichever answers first, and lets the other go.
# An error must not win this race: while the other one still runs, it is passed over.
# We try it on twelve calls, of which every sixth is six seconds late, and give each one a second before we hedge.


# %% name="hedge-code"
from openai import OpenAIError


async def hedged(stage, prompt, after):
    first = asyncio.create_task(stage.chat_model(step="first").ainvoke(prompt))
    timer = asyncio.create_task(stage.asleep(after))
    await asyncio.wait({first, timer}, return_when=asyncio.FIRST_COMPLETED)
    timer.cancel()
    racers = [first]
    if not first.done():
        racers.append(asyncio.create_task(stage.chat_model(step="second").ainvoke(prompt)))
    try:
        for answer in asyncio.as_completed(racers):
            with suppress(OpenAIError):
                return await answer
        return first.result()  # nobody has an answer: raises the first one's error
    finally:
        for racer in racers:
            racer.cancel()
        await asyncio.gather(*racers, return_exceptions=True)


# %% name="hedge-run"
unlucky = faults.on_step("first", faults.every(6, faults.slow(6)))

with rehearsal(faults=unlucky) as waiting:
    plain = await waiting.chat_model(step="first").abatch(PROMPTS[:12])
with rehearsal(faults=unlucky) as hedging:
    quick = await asyncio.gather(*(hedged(hedging, prompt, after=1) for prompt in PROMPTS[:12]))

assert [answer.text for answer in quick] == [answer.text for answer in plain]
print("waiting:", len(waiting.trace), "requests", statuses(waiting.trace))
print("hedging:", len(hedging.trace), "requests", statuses(hedging.trace))
ax = timeline(waiting.trace, title="Waiting for two unlucky ones")
ax = timeline(hedging.trace, title="A second request after one second", steps=["first", "second"])

# %% [markdown] name="hedge-explained"
# The same twelve answers, and two requests more. The two losers carry status 499, which the picture calls *left*: we hung up on them.
# Nobody waited for the six seconds.
#
# And a first request that breaks off a tenth of a second after the hedge began?

# %% name="hedge-error"
breaks_off = faults.on_step("first", faults.first(1, faults.timeout(1.1)))

with rehearsal(faults=breaks_off) as stumbling:
    answer = await hedged(stumbling, PROMPTS[0], after=1)

assert answer.text == plain[0].text
print([(request.step, request.status) for request in stumbling.trace])

# %% [markdown] name="hedge-error-explained"
# 444 in the log is a connection that was closed without an answer. The second request had one, and we took it.
# A race that ends with whoever is *done* first would have hung up on the good one and raised the error of the bad one.
# (If the first breaks off before the hedge begins, its error is yours: what then, says lesson 8.)
#
# How long should one wait before hedging? Ten thousand simulated calls, three in a hundred of them slow.
# We hedge after the time within which half of all calls, 90 %, 95 % and 99 % have answered.


# %% name="hedge-simulate"
def seconds(draw):
    return draw.uniform(2, 6) if draw.random() < 0.03 else draw.uniform(0.25, 0.45)


draw = random.Random(4)
firsts = [seconds(draw) for _ in range(10_000)]
print(f"no hedge:       0 more requests, {sum(first > 2 for first in firsts):4} answers slow")

for share in (0.5, 0.9, 0.95, 0.99):
    after = sorted(firsts)[int(share * len(firsts))]
    times = [first if first <= after else min(first, after + seconds(draw)) for first in firsts]
    more = sum(first > after for first in firsts)
    print(f"after {share:4.0%}: {more:6,} more requests, {sum(time > 2 for time in times):4} answers slow")

# %% [markdown] name="hedge-simulate-explained"
# After the median it costs half of everything again; after the 95th percentile one request in twenty, with the same effect.
# After the 99th it comes too late, because the limit itself lies among the slow ones.
# That is why the usual advice (Dean and Barroso again) is the **95th percentile**, and why it should come from your own log.
#
# Two warnings. If calls are slow because the provider is *overloaded*, hedges are more load: put them under the same pace, and give them a budget.
# And the other one:

# %% name="hedge-write"
late_once = faults.on_step("first", faults.first(1, faults.slow(6)))
ORDER = "Write a short reply to the customer that confirms the refund of €179.00 for order MB-10484."

with rehearsal(faults=late_once) as refund:
    await hedged(refund, ORDER, after=1)

arrived = sum(request.prompt == ORDER for request in refund.trace)
print(f"{arrived} requests with the same order arrived, statuses {statuses(refund.trace)}")

# %% [markdown] name="hedge-write-explained"
# Here the order was to write a text, so a second text does no harm.
# Had it been "pay back €179.00", the provider would have had it twice. 499 means that *we* stopped listening, not that it stopped working.
# **Hedge reads only**, never what changes something, unless both requests carry the same idempotency key (lesson 10).
#
# ## Use it when, and when not
#
# | | use it when | not when |
# |---|---|---|
# | **door** (semaphore, `max_concurrency`) | connections, memory or work under way must be bounded: never more than 4 open | the limit counts starts: 115 of 120 were refused behind it |
# | **pace** (`Pace`, `InMemoryRateLimiter`) | the limit is per second or minute: 24 of 24, none refused | alone, when calls can get slow: 22 open at once; several processes share the key |
# | **pace and door** | a provider whose speed you do not control, which is all of them: 8 open, none refused | a handful of calls |
# | **waiting as `retry-after` says** | one caller, as a safety net under a pace | many callers at once: 78 refusals for 16 answers |
# | **batches** (barriers) | the next step needs *all* results | each ticket could go on alone: in lines was 1.4 times as fast |
# | **hedging** | reads, slow by bad luck: 2 requests more for 12 calls, no slow answer | writes; overload |
#
# ## Recap
#
# * `abatch` without `max_concurrency` starts everything: 120 of 120.
# * A **door** bounds what is open, a **pace** bounds what starts. Short calls turn a door into no limit at all, and a refusal is the shortest call.
# * **Little's law**, *L = λW*: the limit per second times the seconds per call is the number of workers that you need.
# * A 429 says when to come back. Nobody who ignores it gets in sooner; all who obey it exactly meet again.
# * One limiter per **key**, not per call.
# * A **barrier** makes all wait for the slowest; `abatch` of a pipe and LangGraph's supersteps are barriers.
# * With *n* parts the tail is the rule. A **hedge** after the 95th percentile buys it off for one request in twenty.

# %% name="recap-picture"
ax = workflow_graph(
    [
        ("start", "door: at most 8 open"),
        ("door: at most 8 open", "pace: 4 start per second"),
        ("pace: 4 start per second", "call"),
        ("call", "end"),
        ("call", "wait as told", "429"),
        ("wait as told", "pace: 4 start per second"),
    ],
    kinds={"door: at most 8 open": "code", "pace: 4 start per second": "code", "wait as told": "code", "call": "model"},
    title="Door, pace, and a way back",
)

# %% [markdown] name="quiz-text"
# ## What do you say now?

# %% name="quiz-abatch"
quiz("q09")

# %% name="quiz-little"
quiz("q29")

# %% name="quiz-door"
quiz("the-door-and-the-faster-provider")

# %% name="calibration"
calibration()

# %% [markdown] name="try"
# ## Try it yourself
#
# * Set `PLAN` to `(4, 40)`, a larger bucket. How many of the 120 are answered at once now, and how many behind the door of four?
# * Make all waits in `WAITS` equal, say `(2, 2)`. When does a barrier cost nothing?
# * Hedge the twelve calls with `after=0.1`. Who wins, and what does it cost?
#
# **Next:** [exercise 4, *Stay under the speed limit*](../exercises/04_limits.ipynb); then lesson 5, *Routing*: the labels come in time now, and some of them are wrong.

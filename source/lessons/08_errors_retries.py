# %% [markdown] name="title"
# # 8 · Errors I: retries
# *35 minutes · needs lessons 1 to 4*
#
# **Goal:** repeat what can succeed, at a moment that helps, a number of times that you chose, and without doing anything twice.
#
# Tuesday, twenty to ten. The provider stumbles, and is well again before anybody has looked up.
# Merrowby's desk is not.
# A hundred requests arrived in one moment, ninety were refused, and the last of them is answered long after that, although nine seconds would have done for all.
# One single question has reached the provider dozens of times.
# And a customer called Robin, who was promised five euros for a lost parcel, has been paid more than once.
#
# Nobody was careless.
# Each of these comes from a line that somebody added so that errors would do no harm.
#
# **You will be able to**
#
# * tell an error that heals by waiting from one that does not;
# * write a retry loop with backoff and jitter, and read its pauses off the timeline;
# * heed `retry-after`, and bound attempts, time and extra load;
# * find out how many layers of your program repeat, and leave one;
# * let tenacity, LangChain and LangGraph do what your loop does, and know what they do if you say nothing;
# * repeat a step that has an effect, and have the effect once.

# %% name="connect"
import heapq
import json
import random
import sqlite3
from collections import Counter
from contextlib import suppress
from functools import partial

import openai

from course_utils import calibration, chat_model, connect, curve, explore, faults, world
from course_utils import predict, quiz, timeline, workflow_graph

course = connect()
course

# %% [markdown] name="before-you-start"
# ## Before you start
#
# Three questions from lessons 2 to 4. Answer from memory.

# %% name="quiz-second-try"
quiz("lesson-2-a-second-try")

# %% name="quiz-hung-up"
quiz("lesson-3-hanging-up")

# %% name="quiz-in-flight"
quiz("q29")

# %% [markdown] name="kinds"
# ## What a second try can mend
#
# One question serves for most of this lesson, and here are twelve ways in which it can go wrong.
# Eight of them strike once and are gone: a server that stumbled, a line that dropped.
# An empty account stays empty, so that one strikes every time.
# The last three need no fault plan: we do them ourselves.
# (`chat_model` repeats nothing by itself, so each request below is one that you can see in the code.)

# %% name="kinds-plans"
QUESTION = f"Summarise this ticket in at most 15 words.\n\n{world.ticket('T061').text}"


def ask(step="ask", **options):
    return chat_model(step=step, **options).invoke(QUESTION)


PLANS = {
    "rate limited": faults.first(1, faults.rate_limited()),
    "server error": faults.first(1, faults.server_error()),
    "unavailable": faults.first(1, faults.unavailable()),
    "no answer": faults.first(1, faults.timeout(600)),
    "line dropped": faults.first(1, faults.dropped()),
    "malformed": faults.first(1, faults.malformed()),
    "cut off": faults.first(1, faults.cut(3)),
    "empty": faults.first(1, faults.empty()),
    "quota used up": faults.every(1, faults.quota_exceeded()),
}


# %% name="kinds-ours"
def too_long(step):
    return chat_model(step=step).invoke("parcel " * 9000)


def wrong_key(step):
    return ask(step, api_key="the key of last year")


def our_bug(step):
    ask(step)
    return {"billing": "Ann", "technical": "Ben", "sales": "Cem"}["other"]


impatient = partial(ask, timeout=3)  # seconds; without it, "no answer" would be a long one
CASES = {kind: (plan, impatient) for kind, plan in PLANS.items()}
CASES |= {"prompt too long": (None, too_long), "wrong key": (None, wrong_key), "our own bug": (None, our_bug)}

# %% name="kinds-predict"
silent = predict(
    "In each of the twelve cases something goes wrong with the first try. How many of the twelve raise no exception at all?",
    name="wrong without an exception",
    default=0,
    unit="cases",
    low=0,
    high=12,
)
silent

# %% name="kinds-run"
errors = {}


def outcome(kind, call):
    try:
        answer = call(kind)
    except Exception as error:
        errors[kind] = error
        return next(each.__name__ for each in type(error).__mro__ if "langchain" not in each.__module__)
    return f"{len(answer.text.split())} words, {answer.response_metadata['finish_reason']}"


for kind, (plan, call) in CASES.items():
    with course.record(faults=plan):
        print(f"{kind:16} {outcome(kind, call):20} again: {outcome(kind, call)}")

silent.reveal(len(CASES) - len(errors))

# %% [markdown] name="kinds-explained"
# Three groups.
#
# * **It passes by itself:** limits, stumbling servers, lost connections, an answer that is not JSON. The same request, later, succeeds.
# * **It does not pass:** a prompt that is too long, a wrong key, our own mistake. Note the two lines `RateLimitError`: the same class and the same status 429, but no waiting fills an account. The difference is in the error's `code`.
# * **Nobody says anything:** an answer that is empty, or has no finish reason (lesson 2). Your own gate has to raise.
#
# **The belief behind many retry loops:** that 429 means "try again". It can mean "pay your bill" (langchainjs issue 1929, openai-python issue 3507).
#
# So: a gate turns the two silent ones into an exception of our own, and one function knows the groups.


# %% name="transient"
class Unusable(Exception):
    """An answer came, but it is empty or breaks off."""


def summary(step="ask", **options):
    answer = ask(step, **options)
    if not answer.text or answer.response_metadata["finish_reason"] is None:
        raise Unusable
    return answer.text


def is_transient(error):
    """True when the same request may succeed a little later."""
    if getattr(error, "code", None) == "insufficient_quota":
        return False
    if isinstance(error, openai.APIStatusError):
        return error.status_code in (408, 409, 429) or error.status_code >= 500
    return isinstance(error, (openai.APIConnectionError, json.JSONDecodeError, TimeoutError, Unusable))


print("repeat:  ", [kind for kind, error in errors.items() if is_transient(error)])
print("give up: ", [kind for kind, error in errors.items() if not is_transient(error)])

# %% [markdown] name="loop"
# Six and four are ten: the two silent ones are missing, as nothing was raised there. As `Unusable` they make eight that are worth a repeat.
#
# ## The loop
#
# Ten lines. Each pause is twice as long as the one before (**exponential backoff**), up to a cap: whoever is in trouble gets more and more room.
# (In asynchronous code the pause is `await course.asleep(…)`; nothing else changes.)
#
# Then the provider refuses three times and answers the fourth. The pauses are what lies **between** the bars.


# %% name="loop-code"
BASE, CAP = 0.5, 16  # seconds


def backoff(attempt, error=None):
    return min(CAP, BASE * 2**attempt)


def ask_again(call, *, attempts=4, wait=backoff, sleep=course.sleep):
    for attempt in range(attempts):
        try:
            return call()
        except Exception as error:
            if attempt == attempts - 1 or not is_transient(error):
                raise
            sleep(wait(attempt, error))


# %% name="loop-run"
with course.record(faults=faults.first(3, faults.unavailable())) as healed:
    print(ask_again(summary))

print([request.status for request in healed])
ax = timeline(healed, title="Three refusals, and more room each time")

# %% [markdown] name="loop-last"
# Now it never comes back. How many pauses belong to four attempts?
# `sleep` is an argument, so we can hand in something that writes the pauses down instead of taking them.

# %% name="loop-last-run"
pauses = []

with course.record(faults=faults.every(1, faults.unavailable())) as hopeless:
    try:
        ask_again(summary, sleep=pauses.append)
    except openai.InternalServerError as error:
        print("raised:", error.status_code, "after the pauses", pauses)

print([request.status for request in hopeless])

# %% [markdown] name="chain-text"
# Three. After the last attempt there is nothing left to wait for, so the loop raises at once, and what it raises is the **last real error**: to return nothing would be one more silent failure.
#
# Lesson 2 left a promise. Of 100 tickets with ten steps, one failure in twenty, 60 arrived.
# A second try for each step, said the formula, gives 97.5 %.
# (No pauses here, as we only count; with its two thousand requests the cell still takes about 15 seconds.)


# %% name="chain-code"
one_in_twenty = faults.either(faults.chance(0.05, faults.unavailable()), faults.every(1, faults.says("done")))
worker = chat_model(step="work")


def no_pause(seconds):
    pass


def arrives(ticket, attempts):
    try:
        for number in range(10):
            step = partial(worker.invoke, f"Step {number + 1} for ticket {ticket}.")
            ask_again(step, attempts=attempts, sleep=no_pause)
    except openai.InternalServerError:
        return False
    return True


for attempts in (1, 2):
    with course.record(faults=one_in_twenty) as chains:
        arrived = sum(arrives(ticket, attempts) for ticket in range(100))
    print(f"{attempts} per step: {arrived} of 100 arrive, {len(chains)} requests, {chains.failed} refused")

# %% [markdown] name="herd"
# From 60 to 99, for a third more requests, and most of those are steps that nobody reached before.
# That is why retries are everywhere.
# The rest of this lesson is about what they do when there is not one failure in twenty, but everybody fails at once.
#
# ## A hundred clients at once
#
# At 09:40 a hundred requests arrive in the same moment.
# The provider lets ten through at once and ten more each second, so all could be served in nine seconds. Whoever is refused comes back, for as long as it takes.
# We simulate it, without a clock and without a server: a queue of (when, who), and a bucket of tokens like the one in lesson 4.
# The second cell has five ways to wait. *Equal*, *full* and *decorrelated* jitter are those of Marc Brooker, *Exponential Backoff And Jitter* (AWS Architecture Blog, 2015); the second line is what the openai SDK does.


# %% name="herd-code"
def herd(wait, clients=100, per_second=10, burst=10, seed=0):
    """When each request arrives, and when each client is served; seconds."""
    rng, tokens, last = random.Random(seed), burst, 0.0
    arrivals, served = [], []
    queue = [(0.0, client, 0, BASE) for client in range(clients)]
    while queue:
        now, client, attempt, before = heapq.heappop(queue)
        arrivals.append(now)
        tokens, last = min(burst, tokens + (now - last) * per_second), now
        if tokens > 0.999999:  # a token is there; rounding may have nibbled at it
            tokens -= 1
            served.append(now)
        else:
            pause = wait(rng, attempt, before, told=(1 - tokens) / per_second)
            heapq.heappush(queue, (now + pause, client, attempt + 1, pause))
    return arrivals, served


# %% name="herd-waits"
WAITS = {
    "no jitter": lambda rng, attempt, before, told: backoff(attempt),
    "up to 25 % less (SDK)": lambda rng, attempt, before, told: backoff(attempt) * (1 - rng.uniform(0, 0.25)),
    "equal": lambda rng, attempt, before, told: backoff(attempt) / 2 + rng.uniform(0, backoff(attempt) / 2),
    "full": lambda rng, attempt, before, told: rng.uniform(0, backoff(attempt)),
    "decorrelated": lambda rng, attempt, before, told: min(CAP, rng.uniform(BASE, 3 * before)),
}

# %% name="herd-predict"
last_served = predict(
    "Nine seconds would do. After how many seconds is the last client served, if all pause for 0.5, 1, 2, 4, … seconds without jitter?",
    name="the last of a hundred",
    default=15,
    unit="seconds",
    low=9,
    high=300,
)
last_served


# %% name="herd-table"
def figures(wait, runs=20):
    """Per run, on average: requests, seconds until the last is served, most in a tenth of a second."""
    requests = seconds = crowd = 0
    for seed in range(runs):
        arrivals, served = herd(wait, seed=seed)
        tenths = Counter(int(10 * arrival) for arrival in arrivals if arrival > 0)
        requests, seconds = requests + len(arrivals), seconds + max(served)
        crowd += max(tenths.values())
    return f"{requests / runs:6.0f} requests, last at {seconds / runs:4.1f}, worst crowd {crowd / runs:4.1f}"


for name, wait in WAITS.items():
    print(f"{name:22} {figures(wait)}")

last_served.reveal(max(herd(WAITS["no jitter"])[1]))


# %% name="herd-curve"
def served_by(wait, until=24):
    """Second by second: how many clients are served."""
    served = herd(wait)[1]
    return {second: sum(moment <= second for moment in served) for second in range(until + 1)}


ax = curve(
    {name: served_by(WAITS[name]) for name in ("full", "up to 25 % less (SDK)", "no jitter")},
    {"all that the limit allows": {0: 10, 9: 100, 24: 100}},
    x="seconds since the first refusal",
    y="clients served",
    title="A hundred clients come back: the first 24 seconds",
)

# %% [markdown] name="herd-explained"
# Without jitter the ninety who were refused come back together, the bucket lets ten of them in at most, and the rest go away together for twice as long: stairs.
# Longer pauses do not help. They part the *rounds*, not the *clients*.
# A quarter less, drawn by lot, parts them a little, as you see in the second line.
# The three real kinds of jitter need about half the time of that, and the crowd at the door is far smaller.
# (Which of the three is best depends on the limit and on what you count.)
#
# **The belief behind the first line:** that exponential growth spreads the load.
# Move *jitter*, the share of the pause that is drawn by lot: 0.25 is the SDK, 1 is full jitter. Then let fewer clients come.


# %% name="herd-explore"
def draw_herd(jitter=0.25, clients=100):
    def wait(rng, attempt, before, told):
        return backoff(attempt) * (1 - rng.uniform(0, jitter))

    arrivals, served = herd(wait, clients=clients)
    until = max(10, int(max(served)) + 1)
    steps = range(0, until + 1, max(1, until // 24))
    return curve(
        {"served": {second: sum(moment <= second for moment in served) for second in steps}},
        {"limit": {second: min(clients, 10 + 10 * second) for second in steps}},
        x="seconds since the first refusal",
        y="clients served",
        title=f"{len(arrivals):,} requests for {clients} clients",
    )


explore(draw_herd, jitter=[0, 0.1, 0.25, 0.5, 0.75, 1], clients=[10, 20, 50, 100, 200])

# %% [markdown] name="same-seed-text"
# **Break it.** A colleague likes runs that repeat exactly, and gives each client's generator the same seed.
# The code has full jitter in it; a review would pass it.


# %% name="same-seed-run"
def same_dice(rng, attempt, before, told):
    own = random.Random(2026)  # every client makes this one
    draws = [own.uniform(0, backoff(number)) for number in range(attempt + 1)]
    return draws[-1]


print(f"{'same seed for all':22} {figures(same_dice)}")

# %% [markdown] name="pause"
# Ninety in one tenth of a second: they all draw the same numbers, and stay together.
# Seed the generator in a test, where you want one client's pauses to repeat; hand it in as an argument, as `herd` does; never build the seed into the client.
#
# **A good place to pause.** Until here: what to repeat, how long to wait, and why not all together. After it: what the server says about it, when to stop, and what must not happen twice.
#
# ## The server says when
#
# A refusal may carry the header `retry-after`: seconds (or a date), and it means *not before*.
# Here the limit is one request in twelve seconds, and a colleague has just taken it. Our loop does not read headers.

# %% name="after-ignored"
with course.record(rate=(1 / 12, 1)) as ignored:
    summary("colleague")
    try:
        ask_again(partial(summary, "ours"))
    except openai.RateLimitError:
        print("gave up")

print([request.status for request in ignored])

# %% [markdown] name="after-text"
# Four attempts for nothing, and at OpenAI, says its help centre, rejected requests count against the limit as well.
#
# The second version reads the header, and adds a random extra.
# It has to read dates too: a bare `float(…)` would raise a `ValueError`, and hide the 429 behind it.

# %% name="after-told"
import time
from email.utils import mktime_tz, parsedate_tz


def seconds_of(header):
    """What `retry-after` asks for; nothing, if the moment has passed or the text is none."""
    try:
        return float(header)
    except ValueError:
        date = parsedate_tz(header)
        return max(0.0, mktime_tz(date) - time.time()) if date else 0.0


def told_by(error):
    response = getattr(error, "response", None)  # a connection that failed has none
    return seconds_of(response.headers.get("retry-after", "0")) if response is not None else 0.0


print([seconds_of(header) for header in ("12", "Wed, 21 Oct 2015 07:28:00 GMT", "soon")])


# %% name="after-obeyed"
def heed(rng):
    return lambda attempt, error: told_by(error) + rng.uniform(0, backoff(attempt))


with course.record(rate=(1 / 12, 1)) as heeded:
    summary("colleague")
    ask_again(partial(summary, "ours"), wait=heed(random.Random(8)))

print([request.status for request in heeded])
ax = timeline(heeded, title="It says twelve seconds, and we believe it")

# %% [markdown] name="after-herd-text"
# Why the extra, if the server knows the moment exactly?
# Because it tells the same moment to everybody: the obedient herd of lesson 4.
# Here it is as large as today's, a hundred who pause exactly until the next token, once as told and once with the extra.

# %% name="after-herd-run"
TOLD = {
    "retry-after, exactly": lambda rng, attempt, before, told: told,
    "and full jitter": lambda rng, attempt, before, told: told + rng.uniform(0, backoff(attempt)),
}
for name, wait in TOLD.items():
    print(f"{name:22} {figures(wait)}")

# %% [markdown] name="after-cap-text"
# Exact obedience is the fastest for the hundred together, and it costs nine times the requests, nearly all of them refused. With the random extra it is an ordinary crowd again.
#
# The other trap is a server that names a very long time. `sleep` writes it down for us instead of taking it.

# %% name="after-cap"
long_pause = faults.first(1, faults.rate_limited(retry_after=600))
pauses = []

with course.record(faults=long_pause):
    ask_again(summary, wait=lambda attempt, error: told_by(error), sleep=pauses.append)
print("our loop would pause for", pauses)

with course.record(faults=long_pause) as by_sdk, suppress(openai.RateLimitError):
    summary(max_retries=2)
print("requests of the SDK, which may repeat twice:", len(by_sdk))

# %% [markdown] name="bounds"
# Ten minutes, in which a customer looks at a wheel that turns (timbal issue 117 is such a case).
# The SDK takes a `retry-after` of up to two minutes (`MAX_RETRY_AFTER_DELAY` in its code) and gives up on a longer one.
#
# ## When to stop
#
# A number of attempts is one bound. Two more belong in the loop: **patience**, the time that all pauses together may take, and a **budget**, which we come to in a moment.
# The bounded loop gets a name of its own, so that the first one stays as it was.


# %% name="bounds-code"
def ask_bounded(call, *, attempts=4, patience=30, may_repeat=lambda: True, wait=backoff, sleep=course.sleep):
    waited = 0.0
    for attempt in range(attempts):
        try:
            return call()
        except Exception as error:
            pause = wait(attempt, error)
            is_last = attempt == attempts - 1 or waited + pause > patience
            if is_last or not is_transient(error) or not may_repeat():
                raise
            sleep(pause)
            waited += pause


pauses = []
with course.record(faults=long_pause) as bounded, suppress(openai.RateLimitError):
    ask_bounded(summary, wait=heed(random.Random(8)), sleep=pauses.append)

print("pauses:", pauses, "requests:", len(bounded))

# %% [markdown] name="budget-text"
# It gave up at once, with the error in its hands, and can tell the customer so.
# (A deadline by the clock would count the attempts' own time, too; lesson 9 has timeouts.)
#
# Now the outage that nothing heals: every request is refused, a hundred questions come in, and each may be repeated three times.
# The number of attempts knows one question only.
# A **retry budget** looks at all of them: at most so many repeats for a hundred questions.
# (The cell that measures it takes about 15 seconds.)


# %% name="budget-code"
class Budget:
    """Allows repeats up to a share of the questions so far; one for the whole program."""

    def __init__(self, share):
        self.share, self.questions, self.repeats = share, 0, 0

    def allows(self):
        allowed = self.repeats + 1 <= self.share * self.questions
        self.repeats += allowed
        return allowed


def hundred(plan, budget):
    """100 questions one after the other: how many were answered, with how many requests."""
    answered = 0
    with course.record(faults=plan) as trace:
        for _ in range(100):
            budget.questions += 1
            try:
                ask_bounded(summary, may_repeat=budget.allows, sleep=no_pause)
                answered += 1
            except openai.InternalServerError:
                pass
    return answered, len(trace)


# %% name="budget-predict"
amplified = predict(
    "A hundred questions, a provider that is down, three repeats each and no budget. How many requests does the provider get?",
    name="requests in an outage",
    default=300,
    unit="requests",
    low=100,
    high=1000,
)
amplified

# %% name="budget-run"
outage, sent = faults.every(1, faults.unavailable()), []

for name, plan in {"outage": outage, "one in twenty fails": one_in_twenty}.items():
    for kind, share in {"no budget": 3, "10 %": 0.1}.items():  # 3 repeats a question: as many as the loop takes
        answered, requests = hundred(plan, Budget(share))
        print(f"{name:20} {kind:10} {answered:3} answered, {requests} requests")
        sent.append(requests)

amplified.reveal(sent[0])

# %% [markdown] name="layers"
# Three repeats are four times the load, at the moment when the provider can bear it least.
# With the budget it is a tenth more, and on an ordinary bad day the budget is not even noticed.
# (Finagle's budget is 20 % and ten repeats a second, so that small callers get some too, says its blog of February 2016; the documentation of .NET names 0.1 for its `RetryRatio`.)
#
# ## Break it: three careful layers
#
# One author relies on the SDK, which repeats twice unless told otherwise (`chat_model` tells it otherwise).
# One wraps the model in `with_retry`. One gives the graph's node a `RetryPolicy`.
# Each of them allows three attempts. The waits are set to nearly nothing here, so that the cell ends today.
# (Beware of `wait_exponential_jitter=False`: it sounds like "no jitter", and means *no waiting at all*. Here that is welcome, in production it is not.)

# %% name="layers-build"
from typing import TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy


class Desk(TypedDict, total=False):
    summary: str


def graph_of(call, policy=None):
    def node(state):
        return {"summary": call()}

    graph = StateGraph(Desk).add_node("ask", node, retry_policy=policy)
    return graph.add_edge(START, "ask").add_edge("ask", END).compile()


sdk = chat_model(step="ask", max_retries=2)
wrapped = sdk.with_retry(stop_after_attempt=3, wait_exponential_jitter=False)
policy = RetryPolicy(max_attempts=3, initial_interval=0.01, backoff_factor=1, jitter=False)

# %% name="layers-predict"
multiplied = predict(
    "Three layers of three attempts each, one question, and a server that always answers 503. How many requests?",
    name="requests of three layers",
    default=9,
    unit="requests",
    low=1,
    high=100,
)
multiplied


# %% name="layers-run"
def requests_of(call, plan=None):
    with course.record(faults=plan) as trace, suppress(openai.APIStatusError):
        call()
    return trace


LAYERS = {
    "SDK": partial(sdk.invoke, QUESTION),
    "SDK, with_retry": partial(wrapped.invoke, QUESTION),
    "SDK, with_retry, graph": partial(graph_of(partial(wrapped.invoke, QUESTION), policy).invoke, {}),
}
down = faults.every(1, faults.unavailable(retry_after=0.001))
traces = {name: requests_of(call, down) for name, call in LAYERS.items()}

for name, trace in traces.items():
    print(f"{name:23} {len(trace):2} requests, of which {sum(r.attempt > 1 for r in trace)} say that they repeat")
ax = timeline(trace, title="One question, three careful authors")
multiplied.reveal(len(trace))

# %% [markdown] name="layers-explained"
# Nested attempts multiply: 3 × 3 × 3.
# The SDK marks its own repeats with a header (the diamonds); the other two layers look like new questions, so only the **count** gives them away.
# "18 calls" for one question stand in openai-cookbook issue 2812; LibreChat issue 12547 is of the same family.
#
# **The belief behind this bug:** that another layer of care costs nothing while all goes well.
# It costs nothing *until* it is needed.
#
# The mend: one layer repeats, the others are switched off, and the one that stays knows `is_transient`.

# %% name="layers-mend"
one_layer = graph_of(summary, RetryPolicy(max_attempts=3, initial_interval=0.01, retry_on=is_transient))
too_much = partial(chat_model(max_retries=2).with_retry(wait_exponential_jitter=False).invoke, "parcel " * 9000)

print("one layer, 503:        ", len(requests_of(partial(one_layer.invoke, {}), down)))
print("SDK, with_retry, 400:  ", len(requests_of(too_much)))

# %% [markdown] name="tenacity"
# The last line deserves a second look: the SDK knows that a 400 will not heal, and `with_retry` around it does not.
#
# ## The framework's way
#
# Three ways to have the loop without writing it. All get the same trouble (two refusals, then an answer), and have to end with the same requests.
# **tenacity** is a library for loops like ours, for any function. `sleep` and the pauses can be handed in, so even the pauses are the same.

# %% name="tenacity-run"
from tenacity import Retrying, retry_if_exception, stop_after_attempt

twice_down = faults.first(2, faults.unavailable())


def full_jitter(rng):
    return lambda attempt, error=None: rng.uniform(0, backoff(attempt))


own_pauses, its_pauses, own, its = [], [], full_jitter(random.Random(8)), full_jitter(random.Random(8))
tenacious = Retrying(
    stop=stop_after_attempt(4),
    retry=retry_if_exception(is_transient),
    wait=lambda state: its(state.attempt_number - 1),
    sleep=its_pauses.append,
    reraise=True,
)
with course.record(faults=twice_down) as by_hand:
    answer = ask_again(summary, wait=own, sleep=own_pauses.append)
with course.record(faults=twice_down) as by_tenacity:
    assert tenacious(summary) == answer
assert its_pauses == own_pauses
print("pauses of both:", [round(pause, 2) for pause in its_pauses])

# %% [markdown] name="langchain"
# (`wait_random_exponential` is its own full jitter. Without `reraise=True` the caller gets a `RetryError` instead of the error that happened.)
#
# **LangChain:** every Runnable has `with_retry`. Its parameter is called `retry_if_exception_type`, and takes a function as well.
# **LangGraph:** a node has a `RetryPolicy`. Both wait in real seconds, so we give them short ones.

# %% name="langchain-langgraph-run"
from langchain_core.runnables import RunnableLambda

soon = {"initial": 0.05, "jitter": 0.05}
runnable = RunnableLambda(lambda _: summary()).with_retry(
    retry_if_exception_type=is_transient, stop_after_attempt=4, exponential_jitter_params=soon
)
desk = graph_of(summary, RetryPolicy(max_attempts=4, initial_interval=0.05, retry_on=is_transient))

with course.record(faults=twice_down) as by_langchain:
    assert runnable.invoke({}) == answer
with course.record(faults=twice_down) as by_langgraph:
    assert desk.invoke({})["summary"] == answer

ways = {"by hand": by_hand, "tenacity": by_tenacity, "with_retry": by_langchain, "RetryPolicy": by_langgraph}
for name, trace in ways.items():
    same = [request.prompt for request in trace] == [request.prompt for request in by_hand]
    print(f"{name:12} {[request.status for request in trace]}, same prompts: {same}")

# %% [markdown] name="defaults-text"
# The same, because each of them was given `is_transient`. If you say nothing, each has an opinion of its own.
# `with_retry` has a list of exception classes, LangGraph's policy a function. We ask both about our collection of errors, and about a plain `TimeoutError`.

# %% name="defaults-run"
OPINIONS = {
    "is_transient": is_transient,
    "LangGraph": RetryPolicy().retry_on,
    "with_retry": lambda error: isinstance(error, wrapped.retry_exception_types),
}

for kind, error in (errors | {"TimeoutError": TimeoutError()}).items():
    opinions = [f"{name}: {'repeat' if repeats(error) else 'raise':6}" for name, repeats in OPINIONS.items()]
    print(f"{kind:16} {'   '.join(opinions)}".rstrip())

# %% [markdown] name="defaults-explained"
# `with_retry` repeats everything, as its list is `(Exception,)`.
# LangGraph repeats a 400, a 401 and an empty account; it raises at a `TimeoutError` and at an answer that is not JSON.
# Its rule names the errors that are *not* repeated, and the SDK's errors are not among them.
#
# (Nor is a rule by status perfect: anthropic-sdk-python issue 940 reports a 400 that did heal. Look at what *your* provider sends.)
#
# What does it cost to repeat our own `KeyError`, which happens **after** the model has answered?
# And does `with_retry` reach a stream?

# %% name="defaults-cost"
for name, choice in {"with_retry()": {}, "with is_transient": {"retry_if_exception_type": is_transient}}.items():
    bug = RunnableLambda(lambda _: our_bug("bug")).with_retry(wait_exponential_jitter=False, **choice)
    with course.record() as paid_for, suppress(KeyError):
        bug.invoke({})
    print(f"{name:18} answers paid for before the KeyError: {len(paid_for)}")

model = chat_model(step="ask").with_retry(retry_if_exception_type=is_transient, wait_exponential_jitter=False)

print("invoke:", len(requests_of(partial(model.invoke, QUESTION), twice_down)))
print("stream:", len(requests_of(lambda: list(model.stream(QUESTION)), twice_down)))

# %% [markdown] name="effects"
# Three answers paid for, and the bug is still there (langroid issue 1057).
# And a stream is not repeated at all, not even before its first piece (langchainjs issue 4341): whoever streams needs a loop of their own.
#
# ## Break it: five euros and a letter
#
# Robin's parcel is lost. The desk pays five euros as a good-will gesture, and writes a letter.
# The node does both, in this order. The bank is a table in SQLite; its column `key` stays empty for now.

# %% name="effects-bank"
bank = sqlite3.connect(":memory:", check_same_thread=False)
bank.execute("CREATE TABLE payments (customer, cents, key UNIQUE)")


def pay(customer, cents, key=None):
    bank.execute("INSERT OR IGNORE INTO payments VALUES (?, ?, ?)", (customer, cents, key))


def paid(customer):
    return bank.execute("SELECT COUNT(*) FROM payments WHERE customer = ?", (customer,)).fetchone()[0]


def pay_and_write(state):
    pay("Robin", 500)
    return {"summary": summary("letter")}


careful = RetryPolicy(max_attempts=3, initial_interval=0.01, retry_on=is_transient)
one_node = StateGraph(Desk).add_node("pay and write", pay_and_write, retry_policy=careful)
one_node = one_node.add_edge(START, "pay and write").add_edge("pay and write", END).compile()

# %% name="effects-predict"
payments = predict(
    "The letter is refused twice and succeeds the third time; the policy allows three attempts. How often is Robin paid?",
    name="payments to Robin",
    default=1,
    unit="payments",
    low=0,
    high=3,
)
payments

# %% name="effects-run"
bank.execute("DELETE FROM payments")  # so that this cell may run again
with course.record(faults=twice_down) as robin:
    one_node.invoke({})

print([(request.step, request.status) for request in robin])
payments.reveal(paid("Robin"))

# %% [markdown] name="effects-explained"
# The server saw three requests for one letter, as it should be. The bank saw three payments.
#
# **The belief behind this bug:** that a retry repeats the call that failed.
# It repeats **the whole node**, from its first line. So each effect gets a node (or a loop) of its own, and only what may be repeated has a policy.

# %% name="effects-mend"
two_nodes = StateGraph(Desk).add_node("pay", lambda state: pay("Kim", 500))
two_nodes.add_node("write", lambda state: {"summary": summary("letter")}, retry_policy=careful)
two_nodes = two_nodes.add_edge(START, "pay").add_edge("pay", "write").add_edge("write", END).compile()

bank.execute("DELETE FROM payments")  # so that this cell may run again
with course.record(faults=twice_down) as kim:
    two_nodes.invoke({})

print([request.status for request in kim], "payments to Kim:", paid("Kim"))

# %% [markdown] name="keys"
# And if the payment itself fails? Then we would like to repeat it, and one failure is nasty: **a timeout may have succeeded.**
# The bank has booked it, and only its answer was lost. From our side that looks like any other timeout.
#
# An **idempotency key** names the operation: the bank does the same key once, and a repeat gets the first result again.
# Three ways to repeat the payment, with a bank that loses its first answer.


# %% name="keys-code"
def paid_after_lost_reply(customer, key_for):
    answers = iter(["lost", "arrives"])

    def call():
        pay(customer, 500, key_for(customer))  # it is booked …
        if next(answers) == "lost":
            raise TimeoutError("no answer in time")  # … and nobody tells us

    ask_again(call, wait=backoff, sleep=no_pause)
    return paid(customer)


fresh = random.Random(8)
KEYS = {
    "no key": ("Alex", lambda customer: None),
    "a new key for each try": ("Bo", lambda customer: f"{fresh.random()}"),
    "one key for the operation": ("Chris", lambda customer: f"good will, MB-10510, {customer}"),
}

# %% name="keys-predict"
paid_once = predict(
    "The first answer is lost, the second arrives. In how many of the three ways is the customer paid exactly once?",
    name="ways that pay once",
    default=2,
    unit="ways",
    low=0,
    high=3,
)
paid_once

# %% name="keys-run"
bank.execute("DELETE FROM payments")
booked = {name: paid_after_lost_reply(*way) for name, way in KEYS.items()}
print(booked)
paid_once.reveal(sum(count == 1 for count in booked.values()))

# %% [markdown] name="recap"
# The key is made **once per operation, before the first try**, from what the operation is about. A new key for each try is a new payment each time.
# (In one report, microsoft/agent-framework issue 3938, 209 of 209 operations were done twice without a key, and none with one. Stripe keeps the first result for a key, refuses the key with other parameters, and may forget it after 24 hours.)
# The model's requests need no key: to ask twice costs twice, and does no harm.
#
# ## Use it when, and when not
#
# | | use it when | not when |
# |---|---|---|
# | **repeat** | it may pass by itself: 8 of our 12 cases | the request, the key, the account or our code is wrong: the other 4 |
# | **backoff with jitter** | many callers share a limit: the last is served after 18 instead of 95 seconds | nobody else is there and a person waits: one quick repeat will do |
# | **`retry-after`** | always, as the least pause, with a random extra | as the only pause (4,195 requests instead of 457), or for ten minutes |
# | **more attempts** | failures are rare and independent: 60 → 99 of 100 chains | the provider is down: 400 requests for 100 questions; a budget makes 110 of them |
# | **SDK retries** | nothing else repeats | another layer does: 3 × 3 × 3 = 27 |
# | **`with_retry`** | one Runnable, with a function that chooses | you stream; or a default of "every exception" would be paid for |
# | **`RetryPolicy`** | a node that may be repeated as a whole | it has an effect before the call that fails: 3 payments |
#
# ## Recap
#
# * **Which:** limits, 5xx, timeouts, lost connections and unusable answers heal; quota, 400, 401 and our own bugs do not.
# * **When:** exponential backoff makes room, jitter parts the clients, `retry-after` is the least pause.
# * **How often:** attempts bound one question, patience its time, a budget the load of all.
# * **Where:** in one layer. Count requests at the server to see the others.
# * **What:** as little as possible, never an effect without a key.

# %% name="recap-picture"
ax = workflow_graph(
    [
        ("start", "call"),
        ("call", "end", "answer"),
        ("call", "may it heal?", "error"),
        ("may it heal?", "pause", "yes, and within bounds"),
        ("may it heal?", "raise", "no"),
        ("pause", "call"),
    ],
    kinds={"call": "model", "may it heal?": "code", "pause": "code", "raise": "code"},
    title="A retry is a loop with two ways out",
)

# %% [markdown] name="quiz-text"
# ## What do you say now?

# %% name="quiz-after"
quiz("how-long-to-wait")

# %% name="quiz-layers"
quiz("q21")

# %% name="quiz-worth"
quiz("q22")

# %% name="calibration"
calibration()

# %% [markdown] name="next"
# **Try it yourself:** set `CAP` to 2 or to 60 and run the table of the hundred clients again; give `WAITS` a line that pauses up to 25 % less *or more*, and be surprised; let the budget be 2 %.
# Change `first(3, …)` under the loop to `first(4, …)`, and say beforehand what is raised.
#
# **Exercise:** [exercise 8, *Retry that helps*](../exercises/08_retries.ipynb). **Next:** lesson 9, *Errors II: fallbacks*. At noon the provider is still down, and no pause is long enough.

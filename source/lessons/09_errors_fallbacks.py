# %% [markdown] name="title"
# # 9 · Errors II: fallbacks
# *35 minutes · needs lessons 3, 4 and 8*
#
# **Goal:** go on serving while a provider stays away, say who served and how well, and leave nothing behind that is half done.
#
# Tuesday, half past twelve. The large model has not answered since ten past, and no pause is long enough.
# Merrowby's desk is prepared: last night a colleague added one line, `with_fallbacks`.
# All lights are green. No ticket is lost, and the bill is lower than last week's.
#
# Each customer waits half a minute until the program finds out, once more, that nobody is there.
# And one of them has a broken camera, and a booking that nobody confirmed.
#
# A fallback is a promise to keep going. This lesson is about keeping it where everybody can see it.
#
# **You will be able to**
#
# * fall back from model to model to a fixed sentence, with a result that says so;
# * name what a fallback may catch, and what it must let through;
# * say what a stream allows, and what a timeout does not stop;
# * stop asking somebody who is not there, with a circuit breaker;
# * compare all of it under one fault script: availability, quality, price;
# * undo what was begun, in the right order.

# %% name="connect"
import asyncio
import re
from collections import Counter
from dataclasses import dataclass
from typing import TypedDict

import openai

from course_utils import calibration, chat_model, connect, fault_lab, faults, world
from course_utils import predict, quiz, timeline, workflow_graph
from course_utils.rehearsals import rehearsal
from course_utils.show.states import states

course = connect()
course

# %% [markdown] name="before-you-start"
# ## Before you start
#
# Three questions from lessons 2, 5 and 8. Answer from memory.

# %% name="quiz-budget"
quiz("load-in-an-outage")

# %% name="quiz-way-out"
quiz("what-the-router-needed")

# %% name="quiz-cut-stream"
quiz("noticing-a-cut-stream")

# %% [markdown] name="somebody"
# ## Somebody answers
#
# A retry asks: *will the same request succeed a little later?*
# A fallback asks: *can another one answer in its place?*
# So it has to know whose fault it is. If **they** are away, go on to the next. If **we** are wrong (a 400, a 401, a bug), the next one gets the same wrong request, or hides our mistake.
# (An empty account is a 429, too. No retry mends it, but somebody with another account can stand in, as long as we are told.)
#
# The chain of fallbacks is a loop with a `return` in it: the first who answers, answers.
# What makes it a good one is its **result**. It says who served, and if the customer got less than usual.
# The last member is a sentence that needs no model at all, so there is always an answer.


# %% name="somebody-down"
def is_down(error):
    """True when they are away; False when the mistake is ours."""
    if isinstance(error, openai.APIStatusError):
        return error.status_code in (408, 409, 429) or error.status_code >= 500
    return isinstance(error, (openai.APIConnectionError, ConnectionError, TimeoutError))


# %% name="somebody-code"
SORRY = "Thank you for your message. A person will answer it by tomorrow noon."


@dataclass
class Answer:
    text: str
    served_by: str
    degraded: bool


async def answer(prompt, asks, fixed=SORRY):
    """Ask one after the other until somebody answers; `asks` are functions by name, the best one first."""
    for place, (name, ask) in enumerate(asks.items()):
        try:
            text = await ask(prompt)
        except Exception as error:
            if not is_down(error):
                raise
        else:
            return Answer(text, served_by=name, degraded=place > 0)
    return Answer(fixed, served_by="nobody", degraded=True)


# %% name="somebody-asks"
LARGE, SMALL = course.models["large"], course.models["small"]
LETTER = f"Write a short reply to the customer.\n\n{world.ticket('T061').text}"


async def large(prompt):
    return (await chat_model("large", step="large").ainvoke(prompt)).text


async def small(prompt):
    return (await chat_model("small", step="small").ainvoke(prompt)).text


ASKS = {"large": large, "small": small}

# %% [markdown] name="somebody-run-text"
# Four noons: all is well; the large model is down; everything is down; and a prompt of ours that is far too long.

# %% name="somebody-run"
large_down = faults.on_model(LARGE, faults.every(1, faults.unavailable()))
NOONS = {
    "all is well": (None, LETTER),
    "large is down": (large_down, LETTER),
    "all are down": (faults.every(1, faults.unavailable()), LETTER),
    "our mistake": (None, "parcel " * 40_000),
}

for name, (plan, prompt) in NOONS.items():
    with course.record(faults=plan) as noon:
        try:
            found = await answer(prompt, ASKS)
            outcome = f"served by {found.served_by}, degraded: {found.degraded}"
        except openai.BadRequestError as error:
            outcome = f"raised: {error.status_code}"
    print(f"{name:13}  {[(request.step, request.status) for request in noon]}  {outcome}")

# %% [markdown] name="silent"
# In good times the small model is not even asked: a fallback costs nothing until it is needed.
# And the last line is an exception, as it should be: no second model makes that prompt shorter.
#
# ## Green lights
#
# The commoner version returns only the text. It works just as well, and nobody can tell.
# So far one letter; now the label of sixty tickets, on a normal noon and on one without the large model. For a label the fixed answer is `other`: a person reads it.


# %% name="silent-code"
QUESTION = "Classify this ticket as billing, technical, sales or other. Answer with one word."
TICKETS = world.tickets()[::2][:60]


def last_word(text):
    return re.findall(r"[\w-]+", text)[-1].lower()


async def silent(prompt):
    try:
        return await large(prompt)
    except Exception:  # the customer must not suffer
        return await small(prompt)


def right(labels):
    return sum(ticket.accepts(last_word(label)) for ticket, label in zip(TICKETS, labels, strict=True))


# %% name="silent-predict"
fewer_right = predict(
    "With the large model 56 of the 60 labels are right. How many are, when the small one does all of them?",
    name="right labels of the small model",
    default=55,
    unit="labels",
    low=0,
    high=60,
)
fewer_right

# %% name="silent-run"
PROMPTS = [f"{QUESTION}\n\n{ticket.text}" for ticket in TICKETS]

for name, plan in {"normal noon": None, "large is down": large_down}.items():
    with course.record(faults=plan) as noon:
        texts = await asyncio.gather(*map(silent, PROMPTS), return_exceptions=True)
        answers = await asyncio.gather(*(answer(prompt, ASKS, fixed="other") for prompt in PROMPTS))
    assert texts == [each.text for each in answers]
    errors = sum(isinstance(text, Exception) for text in texts)
    print(f"{name:13}  silent:  {len(texts)} answered, {errors} errors")
    print(f"{'':13}  visible: {dict(Counter(each.served_by for each in answers))},", end=" ")
    print(f"degraded: {sum(each.degraded for each in answers)}; right labels: {right(texts)}")

fewer_right.reveal(right(texts), source="the comparison")

# %% [markdown] name="swallow"
# Two silent lines, and no dashboard can tell them apart. (Both versions gave the same sixty texts; the cell asserts it.)
# The only ones who see a difference are customers: ten tickets more lie on the wrong desk.
# How many labels are right you learn in a week, if ever. `degraded` you can count now, and set an alarm on it.
#
# ## Break it: what a fallback swallows
#
# LangChain has this in one line, and this is what the colleague wrote last night.
# Then two things happened that have nothing to do with any outage: a helper function was renamed, and the large model's key expired.
# We run the sixty tickets through last week's chain, through the one with the renamed function, and through the one with the old key.

# %% name="swallow-code"
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableLambda


def plain_prompt(ticket):
    return f"{QUESTION}\n\n{ticket.text}"


def tidy_prompt(ticket):
    return f"{QUESTION}\n\n{tidy(ticket.text)}"  # noqa: F821 - it is called tidy_up since this morning


def chain(prompt, size, **options):
    return RunnableLambda(prompt) | chat_model(size, step=size, **options) | StrOutputParser()


simple = chain(plain_prompt, "small")
MORNINGS = {
    "last week": chain(plain_prompt, "large"),
    "renamed": chain(tidy_prompt, "large"),
    "old key": chain(plain_prompt, "large", api_key="the key of last year"),
}

# %% name="swallow-predict"
exceptions_seen = predict(
    "Sixty tickets with the renamed function, which raises a NameError each time, and sixty with the expired key. "
    "How many of the 120 calls raise an exception?",
    name="exceptions that get through",
    default=120,
    unit="calls",
    low=0,
    high=120,
)
exceptions_seen

# %% name="swallow-run"
raised = 0
for name, main in MORNINGS.items():
    with course.record() as morning:
        labels = await main.with_fallbacks([simple]).abatch(TICKETS, return_exceptions=True)
    raised += sum(isinstance(label, Exception) for label in labels)
    seen = dict(Counter((request.step, request.status) for request in morning))
    print(f"{name:10} {len(labels)} labels, {right(labels)} right, ${morning.price:.4f}; the server saw {seen}")

exceptions_seen.reveal(raised, source="the program")

# %% [markdown] name="swallow-explained"
# **The belief behind this bug:** that a fallback catches outages.
# By default it catches **every** `Exception` (neuro-san issue 1020).
# On neither morning did the large model get a single ticket to work on: with the `NameError` nobody got as far as asking, and the old key was turned away at the provider's door, sixty times.
# The program saw nothing of it.
# Our log lists only the requests that got through that door: it shows sixty small ones where large ones should be, and no failure.
# And a bill of a twentieth looks like good news.
#
# The mend: name what may be caught. `exceptions_to_handle` takes classes.
# These three are `is_down` without its 408 and 409, and without Python's own `ConnectionError` and `TimeoutError`.
# (LangChain raises its own subclasses of the SDK's classes, so a list of `openai` names catches them; the cell prints the `openai` name.)

# %% name="swallow-mend"
DOWN = (openai.APIConnectionError, openai.InternalServerError, openai.RateLimitError)

for name, main in MORNINGS.items():
    with course.record() as morning:
        careful = main.with_fallbacks([simple], exceptions_to_handle=DOWN)
        labels = await careful.abatch(TICKETS[:3], return_exceptions=True)
    classes = [each for each in type(labels[0]).__mro__ if "langchain" not in each.__module__]
    print(f"{name:10} {classes[0].__name__}")

# %% [markdown] name="order"
# Both mistakes are raised with the first ticket, which is when you want to hear of them.
#
# ## First all retries, then the fallback?
#
# Retry and fallback go together, and their order matters. Here are three ways to write it, each with four attempts; in the second one the SDK repeats as well, as it does unless told otherwise.
# The large model is limited, and says so with a 429 each time. (All waits are cut short, so that the cell ends today.)

# %% name="order-code"
soon = {"initial": 0.01, "max": 0.01, "jitter": 0.001}
again = {"retry_if_exception_type": DOWN, "stop_after_attempt": 4, "exponential_jitter_params": soon}
first_choice, second_choice = chat_model("large", step="large"), chat_model("small", step="small")
with_sdk = chat_model("large", step="large", max_retries=2)

ORDERS = {
    "retry, then fallback": first_choice.with_retry(**again).with_fallbacks([second_choice], exceptions_to_handle=DOWN),
    "SDK, retry, fallback": with_sdk.with_retry(**again).with_fallbacks([second_choice], exceptions_to_handle=DOWN),
    "fallback, then retry": first_choice.with_fallbacks([second_choice], exceptions_to_handle=DOWN).with_retry(**again),
}

# %% name="order-predict"
wasted = predict(
    "One letter; retry and SDK both on. How many requests reach the limited model before the small one is asked?",
    name="requests before the fallback",
    default=4,
    unit="requests",
    low=1,
    high=30,
)
wasted

# %% name="order-run"
refused = faults.rate_limited(retry_after=0.001)
LIMITED = {"large limited": faults.on_model(LARGE, faults.every(1, refused)), "both limited": faults.every(1, refused)}
counts = {}

for name, model in ORDERS.items():
    for limit, plan in LIMITED.items():
        with course.record(faults=plan) as limited:
            await asyncio.gather(model.ainvoke(LETTER), return_exceptions=True)
        counts[name, limit] = Counter(request.step for request in limited)
        print(f"{name:21} {limit:14} {dict(counts[name, limit])}")

wasted.reveal(counts["SDK, retry, fallback", "large limited"]["large"])

# %% [markdown] name="streams"
# Twelve requests to a model that has said "slow down" the first time, while the customer waits and the small model is idle.
# (openfang issue 160 counted nine.)
#
# **The belief behind this bug:** that the second best must wait until the best has failed for certain.
# With a fallback behind it, a retry is for blips: one quick repeat, and on.
# The third way is the cheapest as long as *somebody* answers. When nobody does, it walks the whole chain four times.
#
# ## Streams: only before the first word
#
# A stream shows the answer while it is being written. What can a fallback still do there?
# `whole` is a gate for streams: it passes the pieces on, and raises if the end comes without a finish reason.

# %% name="streams-code"
from langchain_core.runnables import RunnableGenerator


class BrokeOff(Exception):
    """The stream ended before the answer did."""


async def whole(chunks):
    reason = None
    async for chunk in chunks:
        reason = chunk.response_metadata.get("finish_reason", reason)
        yield chunk.text
    if reason is None:
        raise BrokeOff


STREAMS = {size: chat_model(size, step=size) | RunnableGenerator(whole) for size in ("large", "small")}
safe = STREAMS["large"].with_fallbacks([STREAMS["small"]], exceptions_to_handle=(*DOWN, BrokeOff))

# %% name="streams-run"
TROUBLES = {"dropped": faults.dropped(), "cut after 9 tokens": faults.cut(9)}


def shown(pieces):
    return " ".join("".join(pieces).split())[:70]


for name, trouble in TROUBLES.items():
    pieces = []
    with course.record(faults=faults.on_model(LARGE, faults.every(1, trouble))) as stream:
        try:
            async for piece in safe.astream(LETTER):
                pieces.append(piece)
        except BrokeOff:
            pieces.append(" … and an exception")
    print(f"{name:19} {stream.steps}: {shown(pieces)}")

# %% [markdown] name="streams-explained"
# The dropped connection was noticed before the first word, and the small model took over.
# The stream that was cut later raised, although `BrokeOff` is on the list: `with_fallbacks` looks at the **first piece** only (litellm issues 6957 and 29808 tell of the same).
# It has a good reason: the reader has seen those words, and nobody can call them back.
#
# Somebody who writes the loop by hand forgets that easily.

# %% name="streams-naive"
screen = []
with course.record(faults=faults.on_model(LARGE, faults.every(1, TROUBLES["cut after 9 tokens"]))):
    for stream in STREAMS.values():
        try:
            async for piece in stream.astream(LETTER):
                screen.append(piece)
            break
        except (*DOWN, BrokeOff):
            continue

print(shown(screen))

# %% [markdown] name="streams-mend-text"
# *A B A B C*: the reader greets twice.
# There are two honest ways. Show nothing before the answer is whole, and give up the point of streaming.
# Or make "it begins again" an event that the screen is **told** of, so that it can wipe what it has, and show who is writing now.


# %% name="streams-mend"
async def told(prompt):
    for name, stream in STREAMS.items():
        yield "begins", name
        try:
            async for piece in stream.astream(prompt):
                yield "piece", piece
            return
        except (*DOWN, BrokeOff):
            continue


with course.record(faults=faults.on_model(LARGE, faults.every(1, TROUBLES["cut after 9 tokens"]))):
    writer = None
    async for kind, value in told(LETTER):
        screen = [] if kind == "begins" else [*screen, value]
        writer = value if kind == "begins" else writer

print(f"{writer}: {shown(screen)}")

# %% [markdown] name="timeouts"
# **A good place to pause.** Until here: who answers instead, and who must know of it. After it: those who do not answer at all, when to stop asking, and what is left behind.
#
# ## A timeout ends the waiting
#
# An outage is not always polite. Often the provider takes the request, and nothing comes.
# So we set a timeout: one second, with the SDK's usual two repeats; and after it `asyncio.timeout` around the same call.
# The server would need ten minutes.

# %% name="timeouts-predict"
billed = predict(
    "One letter, a timeout of one second, the SDK repeats twice, and no answer ever comes. How many requests are billed?",
    name="letters billed",
    default=0,
    unit="requests",
    low=0,
    high=3,
)
billed

# %% name="timeouts-run"
hangs = faults.every(1, faults.slow(600))

with course.record(faults=hangs) as given_up:
    try:
        await chat_model("large", step="SDK timeout", timeout=1, max_retries=2).ainvoke(LETTER)
    except openai.APITimeoutError:
        print("the SDK gave up")
    try:
        async with asyncio.timeout(1):
            await chat_model("large", step="asyncio timeout").ainvoke(LETTER)
    except TimeoutError:
        print("asyncio gave up")

print([(request.step, request.attempt, request.status, request.price > 0) for request in given_up])
ax = timeline(given_up, title="Nobody waits any more")
billed.reveal(sum(request.price > 0 for request in given_up if request.step == "SDK timeout"))

# %% [markdown] name="timeouts-explained"
# Three requests for one letter, none of them read (499: the caller hung up), all of them billed.
# **The belief behind this bug:** that a timeout stops the work.
# It stops *our waiting*. This server charges for what it has accepted; a real one may write on until it notices that nobody listens, or to the end.
#
# In a thread not even our own work stops. Here the thread writes the letter **and sends it**; when our patience ends (after a twentieth of a second, so that the cell is quick), we send the fixed sentence instead.

# %% name="timeouts-thread"
sent = []


def write_and_send():
    sent.append(chat_model("large", step="thread").invoke(LETTER).text)


with course.record(faults=faults.every(1, faults.slow(5))) as in_thread:
    try:
        async with asyncio.timeout(0.05):
            await asyncio.to_thread(write_and_send)
    except TimeoutError:
        sent.append(SORRY)
    while len(sent) < 2:  # the program does other things for a while
        await course.asleep(1)

print([request.status for request in in_thread], "letters sent:", len(sent))

# %% [markdown] name="breaker"
# Two letters. A thread cannot be cancelled from outside: `asyncio.timeout` left it alone, and it did all that it was told.
# So give the timeout to whoever does the work (`timeout=` of the client), and let what may be late have **no effect of its own**: it returns something, and the caller decides.
#
# ## A circuit breaker
#
# At noon each customer waits for a timeout, and then gets the small model anyway. The first few could not know better; the thirtieth could.
# A **circuit breaker** stands before a provider and remembers.
# It is *closed* while all is well. After so many failures in a row it *opens*: calls fail at once, without a request.
# After a cooldown it is *half-open*: **one** call may try, and its outcome decides.
#
# The breaker asks no model itself. `guarded` puts it before a call, and what it raises instead of a request counts as "they are away", so `answer` goes on to the next.


# %% name="breaker-code"
class Breaker:
    def __init__(self, clock, threshold=3, cooldown=300, counts=is_down):
        self.clock, self.threshold, self.cooldown, self.counts = clock, threshold, cooldown, counts
        self.history = []
        self.become("closed")

    def become(self, state):
        self.state, self.since, self.failures = state, self.clock(), 0
        self.history.append((self.since, state))

    def admits(self):
        if self.state != "closed" and self.clock() - self.since >= self.cooldown:
            self.become("half-open")  # for one probe, and for another one if that is never heard of again
            return True
        return self.state == "closed"

    def hear(self, error=None):  # how a call ended that was admitted
        failed = error is not None and self.counts(error)
        self.failures = 0 if error is None else self.failures + failed
        if self.state == "half-open" and (failed or error is None or isinstance(error, openai.APIStatusError)):
            self.become("open" if failed else "closed")
        elif self.state == "closed" and self.failures >= self.threshold:
            self.become("open")


# %% name="breaker-guard"
class Open(ConnectionError):
    """The breaker let nobody through."""


def guarded(ask, breaker):
    async def asked(prompt):
        if not breaker.admits():
            raise Open
        try:
            text = await ask(prompt)
        except Exception as error:
            breaker.hear(error)
            raise
        breaker.hear()
        return text

    return asked


# %% [markdown] name="breaker-hour-text"
# Now the whole hour. A ticket comes each minute; from ten past until twenty to, the large model takes each request and is silent for thirty seconds, until the connection breaks.
# `rehearsal` (lesson 4) has a clock that jumps, so the hour is over soon; `faults.during` gives the outage its time, and the breaker gets the same clock.


# %% name="breaker-hour"
NO_ANSWER = faults.on_model(LARGE, faults.every(1, faults.timeout(30)))
outage = faults.during(10 * 60, 40 * 60, NO_ANSWER)


def asks_of(stage, breaker=None):
    models = {size: stage.chat_model(size, step=size) | StrOutputParser() for size in ("large", "small")}
    first = models["large"].ainvoke
    return {"large": guarded(first, breaker) if breaker else first, "small": models["small"].ainvoke}


async def hour(stage, asks):
    async def one(minute, prompt):
        await stage.asleep(60 * minute)
        came = stage.now()
        found = await answer(prompt, asks, fixed="other")
        return found, stage.now() - came

    return await asyncio.gather(*(one(minute, prompt) for minute, prompt in enumerate(PROMPTS)))


# %% name="breaker-predict"
knocks = predict(
    "Thirty tickets come during the outage. The breaker opens after three failures and stays open for five minutes. "
    "How many requests reach the large model while it is down?",
    name="requests during the outage",
    default=3,
    unit="requests",
    low=0,
    high=30,
)
knocks

# %% name="breaker-run"
with rehearsal(outage) as unguarded:
    without = await hour(unguarded, asks_of(unguarded))
with rehearsal(outage) as behind:
    breaker = Breaker(behind.now)
    with_breaker = await hour(behind, asks_of(behind, breaker))


def large_calls(stage):
    calls = [request for request in stage.trace if request.step == "large"]
    return [(request.course_start / 60, request.status == 200) for request in calls]


for name, stage, served in (("without", unguarded, without), ("breaker", behind, with_breaker)):
    down = sum(not ok for _, ok in large_calls(stage))
    waits = sum(wait >= 30 for _, wait in served)
    print(f"{name}: {down} requests in the outage, {waits} customers wait 30 seconds, served by", end=" ")
    print(dict(Counter(found.served_by for found, _ in served)))

knocks.reveal(sum(not ok for _, ok in large_calls(behind)))

# %% name="breaker-picture"
ax = states(
    {
        "large model": [(0, "up"), (10, "down"), (40, "up")],
        "breaker": [(moment / 60, state) for moment, state in breaker.history],
    },
    until=60,
    calls={"asked without": large_calls(unguarded), "asked with": large_calls(behind)},
    x="minutes past twelve",
    title="An hour with an outage",
)

# %% [markdown] name="breaker-explained"
# Three failures, then a probe now and again. All customers in between get their answer at once.
# The price stands at the right end of the outage: the model was back at twenty to one, and the breaker learnt it from its next probe, two minutes later. A longer cooldown is kinder to the provider, and slower to notice.
#
# Two details decide if a breaker helps or harms. The first is the **one** probe.
# Suppose that twenty tickets come in the same moment, after the cooldown. Here is a breaker that simply counts as closed again, beside ours.


# %% name="breaker-probe"
class Eager(Breaker):
    def admits(self):
        return self.state == "closed" or self.clock() - self.since >= self.cooldown


async def rush(kind):
    with rehearsal(NO_ANSWER) as stage:
        asks = asks_of(stage, kind(stage.now))
        for prompt in PROMPTS[:3]:
            await answer(prompt, asks)
        await stage.asleep(600)
        await asyncio.gather(*(answer(prompt, asks) for prompt in PROMPTS[:20]))
    return sum(request.course_start > 600 for request in stage.trace if request.step == "large")


for kind in (Breaker, Eager):
    print(f"{kind.__name__:8} lets {await rush(kind)} of 20 through")

# %% [markdown] name="breaker-counts-text"
# Twenty requests are no way to greet somebody who has just got up.
#
# The second detail is **what counts**. A customer pastes an endless log file into three tickets, and each is refused with a 400. The model is in good health.
# (A refusal is an answer, too: after a 400 a half-open breaker closes. After a bug of ours it stays half-open until the next probe, for perhaps nobody was asked.)

# %% name="breaker-counts"
ENDLESS = "parcel " * 40_000


async def after_three_bad_prompts(counts):
    breaker = Breaker(lambda: 0, counts=counts)
    asks = {"large": guarded(large, breaker), "small": small}
    await asyncio.gather(*(answer(ENDLESS, asks) for _ in range(3)), return_exceptions=True)
    served = [(await answer(prompt, asks)).served_by for prompt in PROMPTS[:5]]
    return breaker.state, dict(Counter(served))


print("counts is_down:   ", await after_three_bad_prompts(is_down))
print("counts everything:", await after_three_bad_prompts(lambda error: True))

# %% [markdown] name="lab"
# With the second one, whoever sends three bad prompts switches the large model off for everybody.
#
# ## One script, five programs
#
# What does each of these buy, and at what price? The **fault lab** runs several workflows on the same inputs under the same faults, and counts.
# The inputs: twenty tickets over one hour. A lab runs as fast as it can, so the time of day travels with the ticket: the outage is tied to the step `noon`, and the breaker's clock is the ticket's.
# Outside the outage every fourth request meets a 503 that heals at once: a blip.


# %% name="lab-inputs"
@dataclass(frozen=True)
class Arrival:
    minute: int
    ticket: world.Ticket


HOUR = [Arrival(3 * place, ticket) for place, ticket in enumerate(world.tickets()[::7])]
SCRIPT = faults.either(
    faults.on_step("noon", faults.on_model(LARGE, faults.every(1, faults.unavailable()))),
    faults.on_step("calm", faults.every(4, faults.unavailable())),
)


async def label(size, arrival):
    model = chat_model(size, step="noon" if 10 <= arrival.minute < 40 else "calm")
    return (await model.ainvoke(plain_prompt(arrival.ticket))).text


# %% name="lab-parts"
now = {"minute": 0}
lab_breaker = Breaker(lambda: 60 * now["minute"])


def repeated(ask, attempts=3):
    async def asked(arrival):
        for attempt in range(attempts):
            try:
                return await ask(arrival)
            except Exception as error:
                if attempt == attempts - 1 or not is_down(error):
                    raise
                await course.asleep(0.1 * 2**attempt)

    return asked


def backed(ask):
    async def served(arrival):
        now["minute"] = arrival.minute
        return (await answer(arrival, {"large": ask, "small": by_small}, fixed="other")).text

    return served


# %% name="lab-build"
async def by_large(arrival):
    return await label("large", arrival)


async def by_small(arrival):
    return await label("small", arrival)


lab = fault_lab(
    {
        "plain": by_large,
        "retry": repeated(by_large),
        "fallback": backed(by_large),
        "retry + fallback": backed(repeated(by_large)),
        "breaker + fallback": backed(guarded(by_large, lab_breaker)),
    },
    HOUR,
    {"a quiet noon": faults.never(), "Tuesday noon": SCRIPT},
    judge=lambda arrival, text: arrival.ticket.accepts(last_word(text)),
    before=lambda: lab_breaker.become("closed"),
)

# %% [markdown] name="lab-run-text"
# The plain program on a quiet noon, to compare with; then all five on Tuesday. That is 120 tickets, one after the other, and takes about a minute.
# You get bars and a table, and in JupyterLab a lab to play with: tick other faults, or put some together, and press *Run*.
# The table judges the work, not who did it: *succeeded* is a right label, *degraded* a wrong one, *failed* none at all.

# %% name="lab-run"
await lab.arun("a quiet noon", "plain")
await lab.arun_all("Tuesday noon")
lab

# %% [markdown] name="lab-explained"
# Read it column by column.
#
# * **Availability** (all that did not fail): without help 8 of 20 (`OpenAIAPIError` is LangChain's own subclass of `openai.InternalServerError`, here for the 503); a retry heals the two blips and nothing of the outage; with a fallback everybody is served.
# * **Quality:** served is not the same as right. On a quiet noon 18 labels are right, with retry and fallback 17. A fallback at every blip gives away what one retry would have kept, and the breaker keeps asking the small model for a while after the outage. (With twenty tickets one more or less is no proof; the sixty of the first table are a better one.)
# * **Requests:** retry before the fallback asks most, and most of that in vain. The breaker asks least of those who serve everybody.
# * **Price:** the small model makes it cheap. Never read this column alone.
#
# No line is best in all columns. The next one to try is a breaker around *one* quick retry.
#
# ## What was begun: a saga
#
# So far each call stood alone. Now Siobhan Delacey's camera is to be repaired at her home, and that takes three bookings: a **device** on loan, a **courier** to bring it, and a **technician** for an hour.
# The third one fails. No other model will help, and the first two are done.
#
# Here is the workshop. It knows what is booked, and what was asked of it in which order. A loan device cannot go back to the shelf while a courier is booked for it.
#
# A **saga** is a chain of steps, each with an undo.
# We keep a list of what is done.
# When a step gets a clear no (here a `LookupError`), the finished ones are undone, **the last one first**, since later steps lean on earlier ones.
# A lost reply is no clear no: find out first whether that step is done.
# And an undo must not give up at the first stumble. It is repeated, for nobody comes after it.
# Then we leave out one of the three at a time: the undo, its order, its second try.


# %% name="saga-workshop"
class Workshop:
    def __init__(self, stumbles=()):
        self.booked, self.effects, self.stumbles = [], [], list(stumbles)

    def do(self, verb, what):
        self.effects.append(f"{verb} {what}")
        if (verb, what) in self.stumbles:
            self.stumbles.remove((verb, what))
            raise ConnectionError("try again")
        if (verb, what) == ("book", "technician"):
            raise LookupError("no technician is free")
        if verb == "cancel" and what != self.booked[-1]:
            raise ValueError(f"the {self.booked[-1]} depends on it")
        self.booked.append(what) if verb == "book" else self.booked.remove(what)


# %% name="saga-code"
def undo(workshop, what, attempts=3):
    for attempt in range(attempts):
        try:
            return workshop.do("cancel", what)
        except ConnectionError:
            if attempt == attempts - 1:
                raise


def saga(workshop, steps, *, order=reversed, attempts=3):
    done = []
    try:
        for what in steps:
            workshop.do("book", what)
            done.append(what)
    except LookupError as error:
        for what in order(done):
            undo(workshop, what, attempts)
        return f"not booked: {error}"
    return "booked"


# %% name="saga-variants"
STEPS = ["device", "courier", "technician"]
STUMBLE = [("cancel", "courier")]  # the first cancellation of the courier meets a dropped line
VARIANTS = {
    "no undo": {"order": lambda done: []},
    "undo forwards": {"order": iter},
    "undo once": {"attempts": 1},
    "reversed, repeated": {},
}
for name, options in VARIANTS.items():
    workshop = Workshop(STUMBLE)
    try:
        outcome = saga(workshop, STEPS, **options)
    except Exception as error:
        outcome = f"stuck: {error}"
    print(f"{name:18} left behind: {len(workshop.booked)}  {outcome}")

print(workshop.effects)

# %% [markdown] name="writes"
# ## Break it: a booking whose reply is lost
#
# Leave out the undo, its order or its second try, and a courier comes for nothing, with Merrowby's only loan camera.
# In the last line nothing is left behind: the courier's cancellation was tried twice, and the technician was not cancelled, as there never was one.
#
# Back to the fallback, now for something that **does** something.
# The courier company Northline gets our booking and books it, but its reply is lost. That looks like "they are away", so our loop goes on to the next company, as it did with models.
# We have learnt from lesson 8, and send an idempotency key.

# %% name="writes-code"
vans = {"Northline": {}, "Parcelway": {}}  # by company: key -> customer
lost = {"Northline": 0, "Parcelway": 0}  # so many replies get lost on their way to us
KEY = "repair MB-10453"


def booker(company):
    async def book(customer, key=KEY):
        vans[company].setdefault(key, customer)
        if lost[company]:
            lost[company] -= 1
            raise ConnectionError("no answer in time")
        return f"{company} comes to {customer}"

    return book


companies = {company: booker(company) for company in vans}

# %% name="writes-predict"
couriers = predict(
    "Northline books and its reply is lost; then Parcelway books. Both got the same idempotency key. How many vans come?",
    name="vans at the door",
    default=1,
    unit="vans",
    low=0,
    high=2,
)
couriers

# %% name="writes-run"
lost["Northline"] = 1
print((await answer("Siobhan Delacey", companies)).text)
couriers.reveal(sum(len(booked) for booked in vans.values()), source="the street")

# %% [markdown] name="writes-explained"
# **The belief behind this bug:** that a key makes a booking happen once in the world.
# It makes it happen once **at the one who keeps the key**. Parcelway has never heard of Northline's.
# So a fallback for a write is no fallback, it is a second booking. A hedge (lesson 4) is the same mistake on purpose: two requests, whoever is first wins, and both have booked.
#
# The mend: after a failure that *may* have succeeded, ask the same company again under the same key. Only a clear no sends you to the next. (Without a key you may not even ask the same one again: lesson 8.)
# And if no reply comes at all, the program does not know, and says so: `Unclear` is not `is_down`, so no other company is asked, and a person decides.


# %% name="writes-mend"
class Unclear(Exception):
    """Perhaps it is booked, perhaps not."""


async def northline_surely(customer, attempts=3):
    for _ in range(attempts):
        try:
            return await companies["Northline"](customer)  # the same key each time
        except (ConnectionError, TimeoutError):
            await course.asleep(1)
    raise Unclear(f"ask Northline about {KEY}")


for replies in (1, 3):
    lost["Northline"], vans["Northline"], vans["Parcelway"] = replies, {}, {}
    try:
        outcome = (await answer("Siobhan Delacey", companies | {"Northline": northline_surely})).text
    except Unclear as error:
        outcome = f"Unclear: {error}"
    coming = {company: len(booked) for company, booked in vans.items()}
    print(f"replies lost: {replies}  {outcome}  {coming}")

# %% [markdown] name="framework"
# ## The framework's way
#
# **LangChain** first. The list of fallbacks ends with a function that needs no model, the exceptions are named, and who served stands in the answer's metadata.
#
# **LangGraph:** a node may have an `error_handler`, which is given the exception and says where to go on.
# It is given *every* exception, so it has to raise again what is ours.


# %% name="framework-langchain"
from langchain_core.messages import AIMessage

fixed = RunnableLambda(lambda _: AIMessage(SORRY, response_metadata={"model_name": "nobody"}))
backed_up = first_choice.with_fallbacks([second_choice, fixed], exceptions_to_handle=DOWN)
NAMES = {LARGE: "large", SMALL: "small"}


async def by_langchain(prompt):
    message = await backed_up.ainvoke(prompt)
    model = message.response_metadata["model_name"]
    return Answer(message.text, NAMES.get(model, model), degraded=model != LARGE)


# %% name="framework-langgraph"
from langgraph.errors import NodeError
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command


class Desk(TypedDict, total=False):
    prompt: str
    found: Answer


def node(name, ask):
    async def serve(state):
        return {"found": Answer(await ask(state["prompt"]), name, degraded=name != "large")}

    return serve


def on_to(next_node):
    def handler(state, error: NodeError):
        if not is_down(error.error):
            raise error.error
        return Command(goto=next_node)

    return handler


# %% name="framework-langgraph-build"
graph = StateGraph(Desk)
graph.add_node(
    "large", node("large", large), error_handler=on_to("small"), destinations={"small": "away", END: "answer"}
)
graph.add_node(
    "small", node("small", small), error_handler=on_to("fixed"), destinations={"fixed": "away", END: "answer"}
)
graph.add_node("fixed", lambda state: {"found": Answer(SORRY, "nobody", degraded=True)})
graph.add_edge(START, "large").add_edge("large", END).add_edge("small", END).add_edge("fixed", END)
desk = graph.compile()


async def by_langgraph(prompt):
    return (await desk.ainvoke({"prompt": prompt}))["found"]


ax = workflow_graph(desk, kinds={"large": "model", "small": "model", "fixed": "code"}, title="Fallbacks as a graph")


# %% name="framework-same"
async def by_hand(prompt):
    return await answer(prompt, ASKS)


async def outcome_of(way, plan, prompt):
    with course.record(faults=plan) as trace:
        try:
            found = await way(prompt)
        except openai.BadRequestError as error:
            found = error.status_code
    return found, [(request.step, request.status) for request in trace]


for name, (plan, prompt) in NOONS.items():
    one, *others = [await outcome_of(way, plan, prompt) for way in (by_hand, by_langchain, by_langgraph)]
    assert others == [one, one]
    print(f"{name:13}  the same three times: {one[1]}, {getattr(one[0], 'served_by', one[0])}")

# %% [markdown] name="when"
# ## Use it when, and when not
#
# | | use it when | not when |
# |---|---|---|
# | **fallback** | they are away, and a lesser answer beats none: 20 of 20 served instead of 8 | we are wrong: 120 mistakes, and not one exception |
# | **fixed sentence** | last in every chain; the customer learns when a person will answer | as the silent end of an `except Exception` |
# | **retry before it** | one quick repeat, for blips | as many as without a fallback: 12 requests to a model that asked for rest |
# | **fallback on a stream** | before the first piece, or when the screen can be told to wipe | the pieces are shown already: *A B A B C* |
# | **timeout** | always; at the client that does the work | as a way to save money: 3 bills, no letter; or around a thread with effects: 2 letters |
# | **circuit breaker** | many calls to one provider, and a fallback: 7 requests in the outage instead of 30 | a handful of calls a day: it never learns anything |
# | **saga** | several effects, each with an undo | an effect cannot be undone: then ask a person first (lesson 10) |
# | **fallback or hedge for a write** | only after a clear no | "no answer": 2 vans, although both had the key |
#
# ## Recap
#
# * **Whose fault:** they are away → the next one. We are wrong → raise.
# * **Say it:** `served_by` and `degraded` travel with the answer to the dashboard. A silent fallback is an outage that nobody mends.
# * **In order:** one quick retry, then the fallback, at the end a sentence that needs nobody.
# * **Stop asking:** a breaker remembers for all callers; one probe finds out; our own mistakes do not count.
# * **Clean up:** undo in reverse, repeat the undo, and never send a write elsewhere while it may have happened.

# %% name="recap-picture"
ax = workflow_graph(
    [
        ("start", "breaker"),
        ("breaker", "large model", "closed"),
        ("breaker", "small model", "open"),
        ("large model", "end"),
        ("large model", "small model", "away"),
        ("small model", "end"),
        ("small model", "fixed sentence", "away"),
        ("fixed sentence", "end"),
    ],
    kinds={"breaker": "router", "large model": "model", "small model": "model", "fixed sentence": "code"},
    title="Somebody answers, and says who",
)

# %% [markdown] name="quiz-text"
# ## What do you say now?

# %% name="quiz-after-swallow"
quiz("q25")

# %% name="quiz-after-breaker"
quiz("twenty-calls-after-the-cooldown")

# %% name="quiz-after-write"
quiz("after-a-bookings-timeout")

# %% name="calibration"
calibration()

# %% [markdown] name="next"
# **Try it yourself:** in `breaker-run`, the cell that runs the hour twice, write `Breaker(behind.now, cooldown=60)`, then 1200, then `threshold=1`.
# Run it and the picture after it again, and watch two things: how many requests meet the outage, and how long after its end the breaker closes.
#
# Give the lab a sixth program, `backed(guarded(repeated(by_large, attempts=2), lab_breaker))`, and say beforehand in which columns it wins.
# It belongs in the first dictionary of `lab-build`; then run that cell and the next one again.
#
# Let the courier stumble three times (`Workshop(STUMBLE * 3)` in `saga-variants`): now even the patient undo is stuck.
# Then the program has to tell a person what is left, and `workshop.booked` knows it.
#
# **Next:** [exercise 9, *A fallback you can see*](../exercises/09_fallbacks.ipynb), with a breaker and a saga for those who want more.
# Then lesson 10, *Human in the loop*. Tomorrow the program is allowed to pay.

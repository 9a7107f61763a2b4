# %% [markdown] name="title"
# # Exercise 8 · Retry that helps
# *60 minutes · after lesson 8 · 9 points*
#
# Four tasks around one idea: repeat what can succeed, at a moment that helps, and do nothing twice.
# Write only in the cells that say `# your code here`; the check below each of them tells you what the server saw.
# Stuck? `hint("retries.call")` in a new cell gives one step, and one more each time; hints are free.
# `progress()` shows where you stand.
#
# Use what your function is handed: the model `llm`, and `sleep`, which waits on the *course clock*.
# Nobody has to sit through those pauses, and the server writes each of them down.
# (`time.sleep` it cannot see, nor pauses that a library takes by itself: tenacity takes yours as `sleep=sleep`.)
# Plain loops, recursion, tenacity and `async` functions are all welcome; `sleep` is an ordinary function, also in an `async` one.

# %% name="setup" tags=["given"]
import openai

from course_utils import chat_model, check, connect, faults, hint, predict, progress, workflow_graph
from course_utils.errors import ServiceError

# %% [markdown] name="transient-task"
# ## 1. Which errors heal? (1 point)
#
# A worked example first. An error that came with a status is an `openai.APIStatusError`, and says what it is:
#
# ```python
# def is_too_long(error):
#     """True when the prompt has to be shortened."""
#     return isinstance(error, openai.APIStatusError) and error.code == "context_length_exceeded"
# ```
#
# `error.status_code` is a number, `error.code` a text.
# Now the function that all the loops below will ask.
# The errors of the connection are sorted out; those with a status, and all the rest, are missing.
#
# | the error | give back |
# |---|---|
# | no answer came: `APIConnectionError`, and `APITimeoutError`, which is one of them | `True` |
# | status 408, 409, 429, or 500 and above | `True` |
# | but status 429 with the code `insufficient_quota` | `False` |
# | any other status, and any other exception, such as our own `KeyError` | `False` |
#
# The check makes requests that fail, asks your function about each error, and repeats the request if it says `True`.


# %% name="answer-transient" tags=["answer"]
def is_transient(error: Exception) -> bool:
    """True when the same request may succeed a little later."""
    if isinstance(error, openai.APIConnectionError):
        return True
    # solution
    if not isinstance(error, openai.APIStatusError) or error.code == "insufficient_quota":
        return False
    return error.status_code in (408, 409, 429) or error.status_code >= 500


# %% name="check-transient" tags=["check"]
check("retries.transient", is_transient)

# %% [markdown] name="measure-task"
# ## 2. Predict and measure (no points)
#
# This loop is in use at the desk.
# It allows four attempts, with a pause of 0.5 seconds that doubles from one to the next.


# %% name="mend-buggy" tags=["given"]
def ask_again_buggy(prompt: str, llm, sleep, attempts: int = 4) -> str:
    """The text of the answer, asked for at most `attempts` times."""
    for attempt in range(attempts):
        try:
            return llm.invoke(prompt).text
        except Exception:
            sleep(0.5 * 2**attempt)


# %% [markdown] name="measure-question"
# The provider is down: it answers every request with 503.
# Commit to a number, then run the measurement; here `sleep` only writes the pauses down.

# %% name="measure-predict"
paused = predict(
    "Four attempts, and all of them fail. How many seconds does the loop pause, all pauses together?",
    name="seconds of pauses",
    default=2.0,
    unit="seconds",
    low=0,
    high=16,
)
paused

# %% name="measure-run"
pauses = []

with connect().record(faults=faults.every(1, faults.unavailable())) as outage:
    answer = ask_again_buggy("What does the help centre say about drips?", chat_model(step="ask"), pauses.append)

print("requests:", [request.status for request in outage])
print("pauses:  ", pauses)
print("answer:  ", answer)
paused.reveal(sum(pauses))

# %% [markdown] name="mend-contract"
# More than half of the waiting comes after the last attempt, and then the caller is told nothing at all.
#
# ## 3. Find the bug: the loop that helped nobody (2 points)
#
# There are three bugs in these six lines: two you have just seen, the third shows itself with a wrong key.
# Write `ask_again`: the same loop, without them.
#
# | you are given | you give back |
# |---|---|
# | `prompt`: a text; `llm`; `sleep`: call it with seconds; `attempts`: 1 or more, the first request included | the text of the answer |
#
# | a request fails | then |
# |---|---|
# | its error heals, as task 1 has it, and an attempt is left | a pause of 0.5, 1, 2, 4 … seconds, as before, and the same request again |
# | otherwise | the error itself reaches the caller, at once |
#
# Your `is_transient` from task 1 is there to be used.

# %% name="mend-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "call"),
        ("call", "end", "answer"),
        ("call", "heals, and one left?", "error"),
        ("heals, and one left?", "pause", "yes"),
        ("heals, and one left?", "raise", "no"),
        ("pause", "call"),
    ],
    kinds={"call": "model", "heals, and one left?": "code", "pause": "code", "raise": "code"},
    title="A loop with two ways out",
)


# %% name="answer-mend" tags=["answer"]
def ask_again(prompt: str, llm, sleep, attempts: int = 4) -> str:
    """The text of the answer, asked for at most `attempts` times; the last error when none came."""
    # solution
    for attempt in range(attempts):
        try:
            return llm.invoke(prompt).text
        except Exception as error:
            if attempt == attempts - 1 or not is_transient(error):
                raise
            sleep(0.5 * 2**attempt)


# %% name="check-mend" tags=["check"]
check("retries.mend", ask_again)

# %% [markdown] name="call-task"
# ## 4. Retry that helps (3 points)
#
# `ask_again` is good for one client. If a hundred of them are refused in the same moment, they pause equally long, and come back in the same moment.
# And none of them listens when the server says *when* to come back.
#
# `call_with_retry` is the same loop with better pauses. Let *k* = 0 be the first repeat, *k* = 1 the second, and so on:
#
# | part of the pause | how long |
# |---|---|
# | what the refusal's header `retry-after` says | so many seconds; 0 when there is no such header, or no response at all |
# | **plus** full jitter: a random time | anything from 0 up to its bound, which is `base * 2**k`, and `cap` at most |
#
# | you are given | you give back |
# |---|---|
# | `prompt`, `llm`, `sleep`, `attempts` as in task 3; `base` and `cap`: seconds; `rng`: a `random.Random` | the text of the answer; failures as in task 3 |
#
# * The headers are in `error.response.headers`; their values are texts. An error of the connection has no `response`.
# * `cap` holds for the random part only: earlier than `retry-after` nobody should come back.
# * Draw from `rng` and from nothing else: `rng.uniform(low, high)`. Equal generators then give equal pauses, which a test needs, and each client gets another one.
#
# | `base=0.1`, `cap=1` | *k* = 0 | 1 | 2 | 3 | 4 | 5 |
# |---|---|---|---|---|---|---|
# | no header | 0 to 0.1 s | 0 to 0.2 s | 0 to 0.4 s | 0 to 0.8 s | 0 to 1 s | 0 to 1 s |
# | `retry-after: 2` | 2 to 2.1 s | 2 to 2.2 s | 2 to 2.4 s | 2 to 2.8 s | 2 to 3 s | 2 to 3 s |


# %% name="answer-call" tags=["answer"]
def call_with_retry(prompt: str, llm, sleep, rng, attempts: int = 4, base: float = 0.1, cap: float = 1.0) -> str:
    """The text of the answer; pauses are drawn with full jitter, on top of what the server says."""
    # solution
    for k in range(attempts):
        try:
            return llm.invoke(prompt).text
        except Exception as error:
            if k == attempts - 1 or not is_transient(error):
                raise
            response = getattr(error, "response", None)
            told = 0.0 if response is None else float(response.headers.get("retry-after", 0))
            sleep(told + rng.uniform(0, min(cap, base * 2**k)))


# %% name="check-call" tags=["check"]
check("retries.call", call_with_retry)

# %% [markdown] name="once-task"
# ## 5. Paid once (3 points)
#
# To ask a model twice costs twice and does no harm. To pay twice is another matter.
# The desk pays a refund by `pay(key=..., order=order, cents=cents)`. Three things can happen to that call:
#
# | the call | means |
# |---|---|
# | comes back with a value | the money has gone |
# | raises `ServiceError` | it has not. With `error.status` 429, or 500 and above, it may go later; with any other status, such as 402, it will not |
# | raises `TimeoutError` | **nobody knows.** The bank may have paid, and only its answer got lost |
#
# The bank looks at `key`, any text you like: it pays for a key once, and answers a repeat of that key as if it had just paid.
#
# | you are given | you give back |
# |---|---|
# | `refund_id`: names this refund; `order`, `cents`; `pay`; `sleep`; `attempts`: calls of `pay` at most | the value that `pay` came back with; when none came, its last error |
#
# * However often its answer gets lost, a refund is paid **once**, also when somebody asks for the same refund a second time.
# * Two refunds are paid twice, even when they are about the same order and the same sum.
# * Repeat until the bank has answered, `attempts` calls at most. Pause in between as you think best; the check looks at the payments.

# %% name="once-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "make the key"),
        ("make the key", "pay"),
        ("pay", "end", "paid"),
        ("pay", "pause", "lost, or later"),
        ("pause", "pay", "the same key"),
        ("pay", "raise", "refused"),
    ],
    kinds={"make the key": "code", "pay": "code", "pause": "code", "raise": "code"},
    title="The key is made before the loop begins",
)


# %% name="answer-once" tags=["answer"]
def refund(refund_id: str, order: str, cents: int, pay, sleep, attempts: int = 4) -> dict:
    """Pay this refund once, whatever becomes of the bank's answers."""
    # solution
    for attempt in range(attempts):
        try:
            return pay(key=refund_id, order=order, cents=cents)
        except (TimeoutError, ServiceError) as error:
            may_heal = isinstance(error, TimeoutError) or error.status == 429 or error.status >= 500
            if attempt == attempts - 1 or not may_heal:
                raise
            sleep(0.5 * 2**attempt)


# %% name="check-once" tags=["check"]
check("retries.once", refund)

# %% [markdown] name="afterwards"
# ## Afterwards
#
# Your loop works with any model. Let the practice model stumble, in a new cell, and look at the pauses between the bars:
#
# ```python
# import random
# from course_utils import timeline
#
# course = connect()
# with course.record(faults=faults.first(3, faults.rate_limited(retry_after=2))) as trace:
#     call_with_retry("How do I clean my Otter?", chat_model(), course.sleep, random.Random(8))
# timeline(trace)
# ```
#
# Then ask yourself: the loop gives up after four attempts, and the customer still waits for an answer.
# Who should get the error that you raise? Lesson 9 answers that.

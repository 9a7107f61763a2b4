# %% [markdown] name="title"
# # Exercise 9 · A fallback you can see
# *75 minutes · after lesson 9 · 12 points, 6 of them in two stretch tasks*
#
# Five tasks around one idea: go on serving, say who served, and leave nothing behind that is half done.
# Write only in the cells that say `# your code here`; the check below each of them tells you what the server saw.
# Stuck? `hint("fallbacks.answer")` in a new cell gives one step, and one more each time; hints are free.
# `progress()` shows where you stand.
#
# Use what your function is handed: the models `large` and `small`, and later a clock and the bookings.
# In the checks the models follow a script, so their answers look odd; what counts is *who was asked, and in which order*.
# Ordinary functions and `async` ones, plain loops, LangChain and LangGraph are all welcome.

# %% name="setup" tags=["given"]
import openai

from course_utils import chat_model, check, connect, faults, hint, predict, progress, workflow_graph
from course_utils.errors import ServiceError

AWAY = (openai.APIConnectionError, openai.InternalServerError, openai.RateLimitError)
SORRY = "Thank you for your message. A person will answer it by tomorrow noon."


class Open(ConnectionError):
    """The breaker let nobody through."""


# %% [markdown] name="order-task"
# ## 1. One after the other (1 point)
#
# The first cell names the exceptions that mean *they are away*: no answer came, a status from 500 on, or a 429.
# A worked example with one model:
#
# ```python
# def ask_or_apologise(question, llm):
#     try:
#         return llm.invoke(question).text
#     except AWAY:
#         return SORRY
# ```
#
# Now with two. The frame is there; what is done with each model is missing.
#
# | you are given | you give back |
# |---|---|
# | `question`: a text; `large`, `small`: chat models | the text of the first who answers; `SORRY` when both are away |
#
# The small model is asked only when the large one is away, and nobody is asked twice.


# %% name="answer-order" tags=["answer"]
def first_answer(question: str, large, small) -> str:
    """What the first one says who answers; SORRY when nobody does."""
    for model in (large, small):
        # solution
        try:
            return model.invoke(question).text
        except AWAY:
            continue
    return SORRY


# %% name="check-order" tags=["check"]
check("fallbacks.order", first_answer)

# %% [markdown] name="measure-task"
# ## 2. Predict and measure (no points)
#
# This function is in use at the desk. Its author was proud of it: no customer has ever seen an error.


# %% name="mend-buggy" tags=["given"]
def reply_buggy(ticket: dict, large, small) -> dict:
    """A reply to the ticket: the large model's, or the small one's while the large one is away."""
    try:
        answer = large.invoke(f"Write a short reply to {ticket['name']}.\n\n{ticket['text']}")
    except Exception:
        answer = small.invoke(f"Write a short reply to the customer.\n\n{ticket['text']}")
    return {"text": answer.text, "degraded": False}


# %% [markdown] name="measure-question"
# Four tickets come in on each of three mornings.
# On the second one the large model is down; on the third one our own form calls the customer `customer` instead of `name`.
# Commit to a number, then run the measurement.

# %% name="measure-predict"
told = predict(
    "Twelve replies. How many of them let somebody know that anything is wrong: by an exception, or by degraded?",
    name="replies that say that something is wrong",
    default=8,
    unit="replies",
    low=0,
    high=12,
)
told

# %% name="measure-run"
course = connect()
TICKET = {"name": "Aoife", "text": "My Otter drips at the tap. What can I do?"}
large_down = faults.on_model(course.models["large"], faults.every(1, faults.unavailable()))
MORNINGS = {
    "all is well": (None, TICKET),
    "large is down": (large_down, TICKET),
    "renamed field": (None, {"customer": "Aoife", "text": TICKET["text"]}),
}
replies = []

for name, (plan, ticket) in MORNINGS.items():
    with course.record(faults=plan) as morning:
        for _ in range(4):
            models = {size: chat_model(size, step=size) for size in ("large", "small")}
            replies.append(reply_buggy(ticket, **models))
    print(f"{name:13} {[(request.step, request.status) for request in morning[:2]]} …")

told.reveal(sum(reply["degraded"] for reply in replies))

# %% [markdown] name="mend-contract"
# The server can tell the three mornings apart. Nobody who looks at the replies can.
#
# ## 3. Find the bug: the fallback that said nothing (2 points)
#
# There are two bugs in these six lines. (The small model's shorter prompt is none: keep it, or use one prompt for both.)
# Write `reply`: the same job, without them.
#
# | you are given | you give back |
# |---|---|
# | `ticket`: a dict with `name` and `text`; `large`, `small` | `{"text": the reply, "degraded": True when the small model wrote it, else False}` |
#
# | what happens | then |
# |---|---|
# | the large model is away, as `AWAY` has it | the small model is asked |
# | the small model is away, too | its error reaches the caller |
# | the mistake is ours: a 400, a 401, a ticket without a name | the exception itself reaches the caller, and no other model is asked |


# %% name="answer-mend" tags=["answer"]
def reply(ticket: dict, large, small) -> dict:
    """A reply to the ticket, and whether it is second best."""
    # solution
    degraded = False
    try:
        answer = large.invoke(f"Write a short reply to {ticket['name']}.\n\n{ticket['text']}")
    except AWAY:
        answer = small.invoke(f"Write a short reply to the customer.\n\n{ticket['text']}")
        degraded = True
    return {"text": answer.text, "degraded": degraded}


# %% name="check-mend" tags=["check"]
check("fallbacks.mend", reply)

# %% [markdown] name="answer-task"
# ## 4. A fallback you can see (3 points)
#
# Now the whole chain: large model, small model, fixed sentence. There is always an answer, and it says where it comes from.
#
# | who answers | `text` | `served_by` | `degraded` |
# |---|---|---|---|
# | the large model | its text | `"large"` | `False` |
# | the small one, as the large one is away | its text | `"small"` | `True` |
# | nobody, as both are away | `SORRY` | `"nobody"` | `True` |
#
# * You are given `question`, `large` and `small`, and give back a dict with these three keys.
# * *Away* means: no answer came (`APIConnectionError`), status 429, or status 500 and above.
# * Any other refusal, such as 400, 401 or 404, is our own mistake, whichever model it comes from: the error itself reaches the caller.
#   (408 and 409 do not come up here: the lesson's `is_down` has them, `AWAY` has not, and either is right.)
# * Each model is asked once at most, with the question as it is. Nobody is asked in vain.

# %% name="answer-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "large"),
        ("large", "end", "answer"),
        ("large", "small", "away"),
        ("small", "end", "answer"),
        ("small", "SORRY", "away"),
        ("SORRY", "end"),
        ("large", "raise", "our mistake"),
        ("small", "raise", "our mistake"),
    ],
    kinds={"large": "model", "small": "model", "SORRY": "code", "raise": "code"},
    title="Somebody answers, and says who",
)


# %% name="answer-answer" tags=["answer"]
def answer(question: str, large, small) -> dict:
    """The best answer that can be had, who gave it, and whether it is less than usual."""
    # solution
    for name, model in {"large": large, "small": small}.items():
        try:
            text = model.invoke(question).text
        except AWAY:
            continue
        return {"text": text, "served_by": name, "degraded": name != "large"}
    return {"text": SORRY, "served_by": "nobody", "degraded": True}


# %% name="check-answer" tags=["check"]
check("fallbacks.answer", answer)

# %% [markdown] name="breaker-task"
# ## 5. Stretch: a circuit breaker (3 points)
#
# Write a class for calls to one model: `Breaker(threshold, cooldown, now)` with a method `call(fn)`.
# `fn` is an ordinary function without arguments that makes one request. `now()` gives the seconds on the course clock.
#
# | state | `call(fn)` | then |
# |---|---|---|
# | *closed* | calls `fn` | after `threshold` failures in a row: *open* |
# | *open*, less than `cooldown` seconds | raises `Open`, and does not call `fn` | |
# | *open*, the cooldown is over | is the one probe: *half-open*, calls `fn` | it goes well: *closed*. It fails: *open* for another `cooldown` |
# | *half-open*, while the probe is under way | raises `Open`, at once | |
#
# * A *failure* is an exception of `AWAY`. Any other exception does not count, and to a probe it shows that they are there: *closed*.
# * A success sets the count back to 0.
# * Whatever `fn` gives back or raises reaches the caller as it is. `fn` is called once at most.
#
# The check takes your class through several outages: pauses between the calls, and other calls while a probe is under way.
# Its picture shows requests, and a call that was refused has sent none.

# %% name="breaker-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "closed"),
        ("closed", "open", "threshold failures"),
        ("open", "half-open", "cooldown over"),
        ("half-open", "closed", "probe goes well"),
        ("half-open", "open", "probe fails"),
    ],
    title="Three states",
)


# %% name="answer-breaker" tags=["answer", "long"]
# long: a class with three states; shorter, it would hide one of them
class Breaker:
    """Stands before calls to one model, and stops them while it is away."""

    def __init__(self, threshold: int, cooldown: float, now):
        self.threshold, self.cooldown, self.now = threshold, cooldown, now
        self.become("closed")

    def become(self, state: str) -> None:
        """Enter a state; the count begins anew."""
        self.state, self.since, self.failures = state, self.now(), 0

    def call(self, fn):
        """What `fn` gives; raises Open where nobody is let through."""
        # solution
        if self.state == "open" and self.now() - self.since >= self.cooldown:
            self.become("half-open")
        elif self.state != "closed":
            raise Open
        try:
            value = fn()
        except AWAY:
            self.failures += 1
            if self.state == "half-open" or self.failures >= self.threshold:
                self.become("open")
            raise
        except Exception:
            if self.state == "half-open":
                self.become("closed")
            raise
        self.become("closed")
        return value


# %% name="check-breaker" tags=["check"]
check("fallbacks.breaker", Breaker)

# %% [markdown] name="saga-task"
# ## 6. Stretch: undo in reverse (3 points)
#
# The repair fair is in Cork, and a trip takes three bookings: flight, then hotel, then car. Any of them may be refused.
# Everything is done through `act(name, key=..., trip=trip)`; its names are `"book flight"`, `"book hotel"`, `"book car"`, `"cancel flight"`, `"cancel hotel"` and `"cancel car"`.
#
# | the call | means | what to do |
# |---|---|---|
# | comes back | it is done | go on |
# | `ServiceError` from a booking | refused: it is not booked, and will not be | undo what *was* booked, the last one first |
# | `ServiceError` from a cancellation | it is not done yet | the same call again; after the fifth failure its error reaches the caller |
# | `TimeoutError` from either | **nobody knows** | the same call with the same `key` again: it is done only once, and this time you may hear of it |
#
# A key that has done its work for a name does it no second time, whoever sends it. So two trips need two keys.
#
# | you are given | you give back |
# |---|---|
# | `trip`: a text that names this trip; `act` | `{"status": "booked"}`, or `{"status": "undone", "failed": "car"}` with the part that was refused |
#
# | what happens | the calls |
# |---|---|
# | no car | book flight, book hotel, book car, cancel hotel, cancel flight |
# | the hotel's answer gets lost | book flight, book hotel, book hotel, book car |
# | no hotel, and the first cancellation fails | book flight, book hotel, cancel flight, cancel flight |
# | no hotel, and no cancellation succeeds | book flight, book hotel, cancel flight five times; the fifth `ServiceError` comes out |


# %% name="answer-saga" tags=["answer", "long"]
# long: the way there, the way back, and one call made sure
def book_trip(trip: str, act) -> dict:
    """Book flight, hotel and car; all of them, or none."""
    # solution

    def sure(action: str, repeat: tuple) -> None:
        for attempt in range(5):
            try:
                act(action, key=f"{trip} {action}", trip=trip)
                return
            except repeat:
                if attempt == 4:
                    raise

    done = []
    for part in ("flight", "hotel", "car"):
        try:
            sure(f"book {part}", repeat=(TimeoutError,))
        except ServiceError:
            for earlier in reversed(done):
                sure(f"cancel {earlier}", repeat=(TimeoutError, ServiceError))
            return {"status": "undone", "failed": part}
        done.append(part)
    return {"status": "booked"}


# %% name="check-saga" tags=["check"]
check("fallbacks.saga", book_trip)

# %% [markdown] name="afterwards"
# ## Afterwards
#
# Your chain works with any model. Put your breaker before the large one, take it away, and count the requests, in a new cell:
#
# ```python
# breaker = Breaker(3, 60, course.now)
# large, small = chat_model("large", step="large"), chat_model("small", step="small")
#
# with course.record(faults=large_down) as outage:
#     for _ in range(10):
#         try:
#             breaker.call(lambda: large.invoke("How do I clean my Otter?"))
#         except (*AWAY, Open):
#             small.invoke("How do I clean my Otter?")
# [request.step for request in outage]
# ```
#
# Then ask yourself: the saga gives up after five attempts to cancel, and a room in Cork stays booked. Who should hear of that error, and what do they need to know?
# Lesson 10 puts a person there.

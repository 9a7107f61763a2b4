"""Answers to exercise 9: right ones in several styles, and wrong ones with the words that a learner must read."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from typing import TypedDict

import openai
import tenacity
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, StateGraph

from course_utils.errors import ServiceError

AWAY = (openai.APIConnectionError, openai.InternalServerError, openai.RateLimitError)
SORRY = "Thank you for your message. A person will answer it by tomorrow noon."


class Open(ConnectionError):
    """The breaker let nobody through."""


def is_away(error):
    if isinstance(error, openai.APIStatusError):
        return error.status_code in (408, 409, 429) or error.status_code >= 500
    return isinstance(error, openai.APIConnectionError)


# --- fallbacks.order ---------------------------------------------------------------------------------------------


def order_loop(question, large, small):
    for model in (large, small):
        try:
            return model.invoke(question).text
        except AWAY:
            continue
    return SORRY


async def order_async(question, large, small):
    for model in (large, small):
        try:
            return (await model.ainvoke(question)).text
        except openai.APIError as error:
            if not is_away(error):
                raise
    return SORRY


def order_langchain(question, large, small):
    fixed = RunnableLambda(lambda _: AIMessage(SORRY))
    return large.with_fallbacks([small, fixed], exceptions_to_handle=AWAY).invoke(question).text


def order_nested(question, large, small):
    try:
        return large.invoke(f"Answer in one sentence.\n{question}").text
    except AWAY:
        try:
            return small.invoke(question).text
        except AWAY:
            return SORRY


def order_cheap_first(question, large, small):
    return order_loop(question, small, large)


def order_no_end(question, large, small):
    return large.with_fallbacks([small], exceptions_to_handle=AWAY).invoke(question).text


def order_none(question, large, small):
    for model in (large, small):
        try:
            return model.invoke(question).text
        except AWAY:
            pass


def order_all_asked(question, large, small):
    answer = SORRY
    for model in (large, small):
        try:
            answer = model.invoke(question).text
        except AWAY:
            continue
    return answer


def order_messages(question, large, small):
    return large.with_fallbacks([small], exceptions_to_handle=AWAY).invoke(question)


def order_gives_up(question, large, small):
    for model in (large, small):
        try:
            return model.invoke(question).text
        except AWAY:
            return SORRY


def order_break(question, large, small):
    for model in (large, small):
        try:
            model.invoke(question)
        except AWAY:
            continue
        break
    return SORRY


def order_error_text(question, large, small):
    text = ""
    for model in (large, small):
        try:
            return model.invoke(question).text
        except AWAY as error:
            text = f"Sorry: {error}"
    return text


def order_everything(question, large, small):
    for model in (large, small):
        try:
            return model.invoke(question).text
        except Exception:
            continue
    return SORRY


def order_blank(question, large, small):
    raise NotImplementedError


# --- fallbacks.mend ----------------------------------------------------------------------------------------------


def personal(ticket):
    return f"Reply to {ticket['name']}.\n\n{ticket['text']}"


def simple(ticket):
    return f"Reply to this ticket.\n\n{ticket['text']}"


def mend_named(ticket, large, small):
    try:
        return {"text": large.invoke(personal(ticket)).text, "degraded": False}
    except AWAY:
        return {"text": small.invoke(simple(ticket)).text, "degraded": True}


async def mend_async(ticket, large, small):
    degraded = False
    try:
        answer = await large.ainvoke(personal(ticket))
    except openai.APIError as error:
        if not is_away(error):
            raise
        degraded, answer = True, await small.ainvoke(simple(ticket))
    return {"text": answer.text, "degraded": degraded}


def mend_langchain(ticket, large, small):
    best = RunnableLambda(personal) | large | RunnableLambda(lambda said: {"text": said.text, "degraded": False})
    second = RunnableLambda(simple) | small | RunnableLambda(lambda said: {"text": said.text, "degraded": True})
    return best.with_fallbacks([second], exceptions_to_handle=AWAY).invoke(ticket)


def mend_buggy(ticket, large, small):
    """As it is in use."""
    try:
        answer = large.invoke(personal(ticket))
    except Exception:
        answer = small.invoke(simple(ticket))
    return {"text": answer.text, "degraded": False}


def mend_everything(ticket, large, small):
    try:
        return {"text": large.invoke(personal(ticket)).text, "degraded": False}
    except Exception:
        return {"text": small.invoke(simple(ticket)).text, "degraded": True}


def mend_openai(ticket, large, small):
    """Names the provider's errors, but all of them."""
    try:
        return {"text": large.invoke(personal(ticket)).text, "degraded": False}
    except openai.APIError:
        return {"text": small.invoke(simple(ticket)).text, "degraded": True}


def mend_silent(ticket, large, small):
    return mend_named(ticket, large, small) | {"degraded": False}


def mend_alarm(ticket, large, small):
    return mend_named(ticket, large, small) | {"degraded": True}


def mend_get(ticket, large, small):
    """Makes up for what the form has lost."""
    return mend_named({"name": "customer"} | ticket, large, small)


def mend_no_limit(ticket, large, small):
    try:
        return {"text": large.invoke(personal(ticket)).text, "degraded": False}
    except (openai.APIConnectionError, openai.InternalServerError):
        return {"text": small.invoke(simple(ticket)).text, "degraded": True}


def mend_words(ticket, large, small):
    found = mend_named(ticket, large, small)
    return found | {"degraded": "yes" if found["degraded"] else "no"}


def mend_text(ticket, large, small):
    return mend_named(ticket, large, small)["text"]


def mend_swallows(ticket, large, small):
    """Says that something was wrong, and goes on without anybody."""
    try:
        return mend_named(ticket, large, small)
    except Exception:
        return {"text": SORRY, "degraded": True}


def mend_no_fallback(ticket, large, small):
    return {"text": large.invoke(personal(ticket)).text, "degraded": False}


def mend_blank(ticket, large, small):
    raise NotImplementedError


# --- fallbacks.answer --------------------------------------------------------------------------------------------


def told(text, served_by):
    return {"text": text, "served_by": served_by, "degraded": served_by != "large"}


def answer_loop(question, large, small):
    for name, model in {"large": large, "small": small}.items():
        try:
            return told(model.invoke(question).text, name)
        except AWAY:
            continue
    return told(SORRY, "nobody")


async def answer_async(question, large, small):
    for name, model in (("large", large), ("small", small)):
        try:
            text = (await model.ainvoke([("user", question)])).text
        except openai.APIError as error:
            if is_away(error):
                continue
            raise
        return told(text, name)
    return told("We are away.", "nobody")


def answer_langchain(question, large, small):
    fixed = RunnableLambda(lambda _: told(SORRY, "nobody"))
    best, second = (
        model | RunnableLambda(lambda said, name=name: told(said.text, name))
        for name, model in (("large", large), ("small", small))
    )
    return best.with_fallbacks([second, fixed], exceptions_to_handle=AWAY).invoke(question)


class Desk(TypedDict, total=False):
    question: str
    found: dict


def answer_langgraph(question, large, small):
    def node(name, model):
        def serve(state):
            try:
                return {"found": told(model.invoke(state["question"]).text, name)}
            except AWAY:
                return {}

        return serve

    graph = StateGraph(Desk)
    graph.add_node("large", node("large", large)).add_node("small", node("small", small))
    graph.add_node("nobody", lambda state: {"found": told(SORRY, "nobody")})
    graph.add_edge(START, "large").add_edge("nobody", END)
    graph.add_conditional_edges("large", lambda state: END if "found" in state else "small", ["small", END])
    graph.add_conditional_edges("small", lambda state: END if "found" in state else "nobody", ["nobody", END])
    return graph.compile().invoke({"question": question})["found"]


def answer_everything(question, large, small):
    for name, model in {"large": large, "small": small}.items():
        try:
            return told(model.invoke(question).text, name)
        except Exception:
            continue
    return told(SORRY, "nobody")


def answer_swallows(question, large, small):
    """Right about the order, and keeps our own mistakes to itself."""
    try:
        return answer_loop(question, large, small)
    except openai.APIStatusError:
        return told(SORRY, "nobody")


def answer_silent(question, large, small):
    return answer_loop(question, large, small) | {"degraded": False}


def answer_healthy_sentence(question, large, small):
    found = answer_loop(question, large, small)
    return found | {"degraded": found["served_by"] == "small"}


def answer_cheap_first(question, large, small):
    for name, model in {"small": small, "large": large}.items():
        try:
            return told(model.invoke(question).text, name)
        except AWAY:
            continue
    return told(SORRY, "nobody")


async def answer_both(question, large, small):
    asked = await asyncio.gather(large.ainvoke(question), small.ainvoke(question), return_exceptions=True)
    for name, said in zip(("large", "small"), asked, strict=True):
        if not isinstance(said, Exception):
            return told(said.text, name)
    return told(SORRY, "nobody")


def answer_both_backwards(question, large, small):
    """Who comes first must not matter."""
    second, first = small.invoke(question).text, large.invoke(question).text
    return told(first or second, "large" if first else "small")


def answer_no_429(question, large, small):
    for name, model in {"large": large, "small": small}.items():
        try:
            return told(model.invoke(question).text, name)
        except openai.APIError as error:
            if getattr(error, "status_code", 500) < 500:
                raise
    return told(SORRY, "nobody")


def answer_status_only(question, large, small):
    """Forgets that a line may drop: there is no status then."""
    for name, model in {"large": large, "small": small}.items():
        try:
            return told(model.invoke(question).text, name)
        except openai.APIError as error:
            if error.status_code != 429 and error.status_code < 500:
                raise
    return told(SORRY, "nobody")


def answer_server_only(question, large, small):
    for name, model in {"large": large, "small": small}.items():
        try:
            return told(model.invoke(question).text, name)
        except (openai.InternalServerError, openai.RateLimitError):
            continue
    return told(SORRY, "nobody")


def answer_raises(question, large, small):
    try:
        return told(large.invoke(question).text, "large")
    except AWAY:
        return told(small.invoke(question).text, "small")


def answer_insists(question, large, small):
    return answer_loop(question, large.with_retry(retry_if_exception_type=AWAY, wait_exponential_jitter=False), small)


def answer_model_id(question, large, small):
    found = answer_loop(question, large, small)
    return found | {"served_by": f"practice-{found['served_by']}"}


def answer_fixed_by_small(question, large, small):
    found = answer_loop(question, large, small)
    return found | {"served_by": found["served_by"].replace("nobody", "small")}


def answer_error_text(question, large, small):
    errors = []
    for name, model in {"large": large, "small": small}.items():
        try:
            return told(model.invoke(question).text, name)
        except AWAY as error:
            errors.append(str(error))
    return told(" ".join(errors), "nobody")


def answer_object(question, large, small):
    return type("Answer", (), answer_loop(question, large, small))()


async def answer_not_awaited(question, large, small):
    text = large.ainvoke(question)
    text.close()  # or Python warns of it, whenever it is collected
    return told(text, "large")


def answer_blank(question, large, small):
    raise NotImplementedError


# --- fallbacks.breaker -------------------------------------------------------------------------------------------


class Counting:
    """As the hints have it."""

    def __init__(self, threshold, cooldown, now):
        self.threshold, self.cooldown, self.now = threshold, cooldown, now
        self.become("closed")

    def become(self, state):
        self.state, self.failures, self.since = state, 0, self.now()

    def admits(self):
        if self.state == "open" and self.now() - self.since >= self.cooldown:
            self.become("half-open")
            return True
        return self.state == "closed"

    def failed(self, error):
        if not self.counts(error):
            if self.state == "half-open":
                self.become("closed")
            return
        self.failures += 1
        if self.state == "half-open" or self.failures >= self.threshold:
            self.become("open")

    def counts(self, error):
        return isinstance(error, AWAY)

    def went_well(self):
        self.become("closed")

    def call(self, fn):
        if not self.admits():
            raise Open
        try:
            value = fn()
        except Exception as error:
            self.failed(error)
            raise
        self.went_well()
        return value


class Timed:
    """No state by name: a count, and a moment until which nobody is let through."""

    def __init__(self, threshold, cooldown, now):
        self.threshold, self.cooldown, self.now = threshold, cooldown, now
        self.failures, self.closed_until, self.probing = 0, None, False
        self.lock = threading.Lock()

    def call(self, fn):
        with self.lock:
            probe = self.closed_until is not None
            if probe and (self.probing or self.now() < self.closed_until):
                raise Open("the large model is away")
            self.probing = probe
        away = False
        try:
            return fn()
        except openai.APIError as error:
            away = is_away(error)
            raise
        finally:
            with self.lock:
                self.probing = False
                self.failures = self.failures + 1 if away else 0
                opens = away and (probe or self.failures >= self.threshold)
                self.closed_until = self.now() + self.cooldown if opens else None


class Waiting(Counting):
    async def call(self, fn):
        if not self.admits():
            raise Open
        try:
            value = fn()
        except AWAY as error:
            self.failed(error)
            raise
        except Exception:
            if self.state == "half-open":
                self.become("closed")
            raise
        else:
            self.went_well()
            return value


def closures(threshold, cooldown, now):
    """A function that makes an object with a `call`."""
    return Timed(threshold, cooldown, now)


class NeverOpens(Counting):
    def admits(self):
        return True


class CountsAll(Counting):
    def counts(self, error):
        return True


class NeverResets(Counting):
    def went_well(self):
        if self.state == "half-open":
            self.become("closed")


class NeedsThreeMore(Counting):
    """A probe that fails is one more failure, and no proof."""

    def failed(self, error):
        if self.counts(error):
            self.failures += 1
            if self.failures >= self.threshold:
                self.become("open")
            elif self.state == "half-open":
                self.state = "closed"


class NeverTries(Counting):
    def admits(self):
        return self.state == "closed"


class Eager(Counting):
    """Half-open lets everybody through."""

    def admits(self):
        return super().admits() or self.state == "half-open"


class RealTime(Counting):
    def __init__(self, threshold, cooldown, now):
        super().__init__(threshold, cooldown, time.monotonic)


class HalfWay(Counting):
    """Opens for half as long as it should."""

    def __init__(self, threshold, cooldown, now):
        super().__init__(threshold, cooldown / 2, now)


class LaterByOne(Counting):
    def __init__(self, threshold, cooldown, now):
        super().__init__(threshold + 1, cooldown, now)


class Swallows(Counting):
    def call(self, fn):
        try:
            return super().call(fn)
        except AWAY:
            return None


class NoneForOpen(Counting):
    def call(self, fn):
        try:
            return super().call(fn)
        except Open:
            return None


class OtherName(Counting):
    def call(self, fn):
        try:
            return super().call(fn)
        except Open:
            raise RuntimeError("open") from None


class Stuck(Counting):
    """A 400 to a probe leaves it half-open for ever."""

    def failed(self, error):
        if self.counts(error):
            super().failed(error)


class StuckAgain(Counting):
    """A 400 to a probe opens it again."""

    def failed(self, error):
        if self.state == "half-open":
            self.become("open")
        elif self.counts(error):
            super().failed(error)


class Again(Counting):
    def call(self, fn):
        def twice():
            try:
                return fn()
            except AWAY:
                return fn()

        return super().call(twice)


class Locked(Counting):
    def __init__(self, threshold, cooldown, now):
        super().__init__(threshold, cooldown, now)
        self.lock = threading.Lock()

    def call(self, fn):
        with self.lock:
            return super().call(fn)


class Forgets(Counting):
    """Gives back nothing."""

    def call(self, fn):
        super().call(fn)


class ResetsByTime(Counting):
    """A probe that fails does not open it for a whole cooldown again."""

    def failed(self, error):
        since = self.since
        was_probe = self.state == "half-open"
        super().failed(error)
        if was_probe:
            self.since = since - self.cooldown + 1


class Unwritten:
    def __init__(self, threshold, cooldown, now):
        raise NotImplementedError


class HalfWritten:
    def __init__(self, threshold, cooldown, now):
        self.failures = 0

    def call(self, fn):
        raise NotImplementedError


class OldNames(Counting):
    def __init__(self, threshold, cooldown, clock):
        super().__init__(threshold, cooldown, clock)


# --- fallbacks.saga ----------------------------------------------------------------------------------------------

PARTS = ("flight", "hotel", "car")


def sure(act, action, trip, key="", attempts=5):
    """Until its outcome is known; an undo until it is done."""
    for attempt in range(attempts):
        try:
            return act(action, key=key or f"{trip} {action}", trip=trip)
        except TimeoutError:
            if attempt == attempts - 1:
                raise
        except ServiceError:
            if action.startswith("book") or attempt == attempts - 1:
                raise


def saga_list(trip, act):
    done = []
    for part in PARTS:
        try:
            sure(act, f"book {part}", trip)
        except ServiceError:
            for each in reversed(done):
                sure(act, f"cancel {each}", trip)
            return {"status": "undone", "failed": part}
        done.append(part)
    return {"status": "booked"}


async def saga_recursive(trip, act, parts=PARTS):
    """Each step undoes itself when a later one has failed."""
    if not parts:
        return {"status": "booked"}
    part, *later = parts
    try:
        sure(act, f"book {part}", trip, key=trip)
    except ServiceError:
        return {"status": "undone", "failed": part}
    outcome = await saga_recursive(trip, act, later)
    if outcome["status"] == "undone":
        sure(act, f"cancel {part}", trip, key=trip)
    return outcome


def saga_tenacity(trip, act):
    again = {"stop": tenacity.stop_after_attempt(5), "reraise": True}
    lost = tenacity.Retrying(retry=tenacity.retry_if_exception_type(TimeoutError), **again)
    either = tenacity.Retrying(retry=tenacity.retry_if_exception_type((TimeoutError, ServiceError)), **again)
    undo, keys = [], {part: str(uuid.uuid4()) for part in PARTS}
    for part in PARTS:
        try:
            lost(act, f"book {part}", key=keys[part], trip=trip)
        except ServiceError:
            while undo:
                each = undo.pop()
                either(act, f"cancel {each}", key=keys[each], trip=trip)
            return {"status": "undone", "failed": part}
        undo.append(part)
    return {"status": "booked"}


def saga_with(trip, act, *, undo=reversed, include=False, all_parts=False, again=sure, key=lambda trip: "", attempts=5):
    """A saga in which one thing is wrong."""
    done = []
    for part in PARTS:
        if include:
            done.append(part)
        try:
            again(act, f"book {part}", trip, key(trip))
        except ServiceError:
            for each in undo(PARTS if all_parts else done):
                again(act, f"cancel {each}", trip, key(trip), attempts)
            return {"status": "undone", "failed": part}
        if not include:
            done.append(part)
    return {"status": "booked"}


def saga_no_undo(trip, act):
    return saga_with(trip, act, undo=lambda done: [])


def saga_forwards(trip, act):
    return saga_with(trip, act, undo=list)


def saga_the_failed_too(trip, act):
    return saga_with(trip, act, include=True)


def saga_all(trip, act):
    return saga_with(trip, act, all_parts=True)


def saga_one_try(trip, act):
    return saga_with(trip, act, attempts=1)


def saga_lost_is_failed(trip, act):
    done = []
    for part in PARTS:
        try:
            act(f"book {part}", key=f"{trip} {part}", trip=trip)
        except (ServiceError, TimeoutError):
            for each in reversed(done):
                sure(act, f"cancel {each}", trip)
            return {"status": "undone", "failed": part}
        done.append(part)
    return {"status": "booked"}


def saga_new_key(trip, act):
    def again(act, action, trip, key="", attempts=5):
        return sure(lambda name, key, trip: act(name, key=str(uuid.uuid4()), trip=trip), action, trip, "", attempts)

    return saga_with(trip, act, again=again)


def saga_no_key(trip, act):
    return saga_list(trip, lambda name, key, trip: act(name, trip=trip))


def saga_one_key(trip, act):
    return saga_with(trip, act, key=lambda trip: "Merrowby")


def saga_insists(trip, act):
    """Repeats what was refused."""

    def again(act, action, trip, key="", attempts=5):
        try:
            return sure(act, action, trip)
        except ServiceError:
            return sure(act, action, trip)

    return saga_with(trip, act, again=again)


def saga_raises(trip, act):
    """Undoes all, and lets the caller guess."""
    found = saga_list(trip, act)
    if found["status"] == "undone":
        raise ServiceError(409, f"no {found['failed']}")
    return found


def saga_says_booked(trip, act):
    return {"status": saga_list(trip, act)["status"]}


def saga_nameless(trip, act):
    return saga_list(trip, lambda name, key, trip: act(name, key=key))


def saga_one_name(trip, act):
    return saga_list(trip, lambda name, key, trip: act("book", key=key, trip=trip, what=name))


def saga_still_undone(trip, act):
    """Takes for undone what it has tried to undo."""

    def again(act, action, trip, key="", attempts=5):
        try:
            sure(act, action, trip)
        except ServiceError:
            if action.startswith("book"):
                raise

    return saga_with(trip, act, again=again)


def saga_six(trip, act):
    return saga_with(trip, act, attempts=6)


def saga_for_ever(trip, act):
    return saga_with(trip, act, attempts=100)


def saga_own_error(trip, act):
    """Says in words of its own that it has given up."""
    try:
        return saga_list(trip, act)
    except ServiceError:
        raise RuntimeError("gave up") from None


def saga_blank(trip, act):
    raise NotImplementedError


RIGHT = {
    "fallbacks.order": [order_loop, order_async, order_langchain, order_nested],
    "fallbacks.mend": [mend_named, mend_async, mend_langchain],
    "fallbacks.answer": [answer_loop, answer_async, answer_langchain, answer_langgraph],
    "fallbacks.breaker": [Counting, Timed, Waiting, closures],
    "fallbacks.saga": [saga_list, saga_recursive, saga_tenacity],
}

WRONG = {  # check -> answer -> words that a learner must read
    "fallbacks.order": {
        order_cheap_first: "that the cheap model comes first; that is a cascade",
        order_no_end: "that the last fallback cannot fail",
        order_none: "give them SORRY",
        order_all_asked: "a fallback is asked only when it is needed",
        order_messages: "return the text inside that AIMessage",
        order_gives_up: "503 means that they are away: ask `small`",
        order_break: "return the `.text` of that answer",
        order_error_text: "the text that the customer reads is the provider's error",
        order_blank: "not written yet",
    },
    "fallbacks.mend": {
        mend_buggy: "somebody must be able to count how many of them are second best",
        mend_everything: "a 401 is our own mistake. Which exceptions does your `except` name?",
        mend_openai: "`except Exception` catches our own mistakes as well",
        mend_silent: "somebody must be able to count how many of them are second best",
        mend_alarm: "the best one has answered",
        mend_get: "nobody would ever mend the form",
        mend_no_limit: "a 429 turns you away as well",
        mend_words: "give it as True or False",
        mend_text: "return a dict with these two keys",
        mend_swallows: "somebody must hear of it: let it through",
        mend_no_fallback: "503 means that they are away: ask `small`",
        mend_blank: "not written yet",
    },
    "fallbacks.answer": {
        answer_everything: "that a fallback catches outages",
        answer_swallows: "a 400 is our own mistake, and somebody must hear of it",
        answer_silent: "somebody must be able to count how many of them are second best",
        answer_healthy_sentence: "nobody has served the customer",
        answer_cheap_first: "that the cheap model comes first; that is a cascade",
        answer_both: "a fallback is asked only when it is needed",
        answer_both_backwards: "a fallback is asked only when it is needed",
        answer_no_429: "a 429 turns you away as well",
        answer_status_only: "(`APIConnectionError`) has no status",
        answer_server_only: "a dropped connection means that they are away: ask `small`",
        answer_raises: "that the last fallback cannot fail",
        answer_insists: "ask each model once",
        answer_model_id: "name the one whose text you return: 'large', 'small' or 'nobody'",
        answer_fixed_by_small: "`served_by` is 'small'",
        answer_error_text: "the text that the customer reads is the provider's error",
        answer_object: "return a dict with these three keys",
        answer_not_awaited: "write `(await large.ainvoke(…)).text`",
        answer_blank: "not written yet",
    },
    "fallbacks.breaker": {
        NeverOpens: "a breaker remembers for all of them",
        CountsAll: "a 400 is our own mistake, and the model is in good health",
        NeverResets: "only so many in a row show that somebody is away",
        NeedsThreeMore: "one failure is proof enough while it probes",
        NeverTries: "it cannot know who is back unless it lets somebody try",
        Eager: "only one call may find out",
        RealTime: "Call `now()` anew each time",
        HalfWay: "it stays open until `cooldown` seconds have passed",
        LaterByOne: "it opens too late",
        Swallows: "pass on to the caller what `fn` gives or raises",
        NoneForOpen: "`raise Open`, the class from the first cell",
        OtherName: "`raise Open`, the class from the first cell",
        Again: "call `fn` once; repeat nothing",
        Locked: "hold no lock while `fn` runs",
        Forgets: "pass on to the caller what `fn` gives or raises",
        ResetsByTime: "opens it at once, for another whole `cooldown`",
        Stuck: "a mistake of ours answered the probe: they are there, so close",
        StuckAgain: "a mistake of ours answered the probe: they are there, so close",
        OldNames: "keep the parameters of the stub",
        Unwritten: "not written yet",
        HalfWritten: "not written yet",
    },
    "fallbacks.saga": {
        saga_no_undo: "that what failed leaves nothing behind",
        saga_forwards: "undo the last one first",
        saga_the_failed_too: "that the step that failed has to be undone",
        saga_all: "that the step that failed has to be undone",
        saga_one_try: "it fails like any other call, and nobody comes after it",
        saga_lost_is_failed: "that a timeout means that nothing has happened",
        saga_new_key: "that a key belongs to an attempt",
        saga_no_key: "without a key a repeat of a lost booking is a second booking",
        saga_one_key: "the second trip looks like a repeat of the first",
        saga_insists: "a 409 stays one",
        saga_raises: "No exception comes out",
        saga_says_booked: "and which booking failed",
        saga_nameless: "trip=trip with every call",
        saga_one_name: "one of book flight",
        saga_still_undone: "after the fifth failure let its error out",
        saga_six: "the fifth failure is the last one",
        saga_for_ever: "the fifth failure is the last one",
        saga_own_error: "after the fifth failure let its error out",
        saga_blank: "not written yet",
    },
}

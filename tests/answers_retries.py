"""Answers to exercise 8: right ones in several styles, and wrong ones with the words that a learner must read."""

from __future__ import annotations

import random
import uuid
from hashlib import sha256
from typing import TypedDict

import openai
import tenacity
from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy

from course_utils.errors import ServiceError

# --- retries.transient -------------------------------------------------------------------------------------------


def heals(error):
    if isinstance(error, openai.APIConnectionError):
        return True
    if not isinstance(error, openai.APIStatusError) or error.code == "insufficient_quota":
        return False
    return error.status_code in (408, 409, 429) or error.status_code >= 500


def transient_classes(error):
    """By the SDK's classes; 408 has none of its own."""
    if isinstance(error, openai.RateLimitError):
        return error.body.get("code") != "insufficient_quota"
    good = (openai.APIConnectionError, openai.InternalServerError, openai.ConflictError)
    return isinstance(error, good) or getattr(error, "status_code", 0) == 408


def transient_match(error):
    match error:
        case openai.APIConnectionError():
            return True
        case openai.APIStatusError(code="insufficient_quota"):
            return False
        case openai.APIStatusError(status_code=408 | 409 | 429):
            return True
        case openai.APIStatusError(status_code=status):
            return status >= 500
    return False


async def transient_async(error):
    return heals(error)


def transient_everything(error):
    return True


def transient_nothing(error):
    return False


def transient_every_429(error):
    status = getattr(error, "status_code", 503)
    return isinstance(error, openai.OpenAIError) and (status in (408, 409, 429) or status >= 500)


def transient_server_only(error):
    return isinstance(error, (openai.APIConnectionError, openai.InternalServerError))


def transient_or(error):
    if isinstance(error, openai.APIConnectionError):
        return True
    if getattr(error, "code", "") == "insufficient_quota":
        return False
    return isinstance(error, openai.APIStatusError) and (error.status_code == 429 or 500)


def transient_no_isinstance(error):
    """As many write it first: every error has a status."""
    return error.code != "insufficient_quota" and (error.status_code in (408, 409, 429) or error.status_code >= 500)


def transient_unknown_is_good(error):
    """Everything of the SDK that is no 4xx heals, and so does a bug."""
    return heals(error) or not isinstance(error, openai.OpenAIError)


def transient_no_timeouts(error):
    return heals(error) and not isinstance(error, openai.APIConnectionError)


def transient_raises(error):
    if not heals(error):
        raise error
    return True


def transient_no_conflict(error):
    return heals(error) and getattr(error, "status_code", 0) != 409


def transient_message(error):
    """Right on every error that is shown; a case that is held back is not so kind."""
    return heals(error) and "quota" not in str(error).lower()


def transient_three_statuses(error):
    return heals(error) and getattr(error, "status_code", 500) in (409, 429, 500, 502, 503)


def transient_black_list(error):
    return isinstance(error, openai.OpenAIError) and (
        getattr(error, "status_code", 0) not in (400, 401) and getattr(error, "code", "") != "insufficient_quota"
    )


def transient_blank(error):
    if isinstance(error, openai.APIConnectionError):
        return True
    raise NotImplementedError


# --- retries.mend ------------------------------------------------------------------------------------------------


def mend_plain(prompt, llm, sleep, attempts=4):
    for attempt in range(attempts):
        try:
            return llm.invoke(prompt).text
        except Exception as error:
            if attempt == attempts - 1 or not heals(error):
                raise
        sleep(0.5 * 2**attempt)


def mend_recursive(prompt, llm, sleep, attempts=4, pause=0.5):
    try:
        return llm.invoke(prompt).text
    except openai.APIError as error:
        if attempts <= 1 or not heals(error):
            raise
    sleep(pause)
    return mend_recursive(prompt, llm, sleep, attempts - 1, 2 * pause)


def mend_tenacity(prompt, llm, sleep, attempts=4):
    again = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(attempts),
        retry=tenacity.retry_if_exception(heals),
        wait=tenacity.wait_exponential(multiplier=0.5),
        sleep=sleep,
        reraise=True,
    )
    return again(llm.invoke, prompt).content


async def mend_async(prompt, llm, sleep, attempts=4):
    pause, left = 0.5, attempts
    while True:
        left -= 1
        try:
            return (await llm.ainvoke([("user", prompt)])).text
        except openai.APIError as error:
            if not left or not heals(error):
                raise
        sleep(pause)
        pause *= 2


def mend_last_error_kept(prompt, llm, sleep, attempts=4):
    """Raises after the loop."""
    last = None
    for attempt in range(attempts):
        if attempt:
            sleep(0.25 * 2**attempt)
        try:
            return llm.invoke(prompt).text
        except openai.APIError as error:
            last = error
            if not heals(error):
                break
    raise last


def mend_with(prompt, llm, sleep, attempts, *, may=heals, last=0, pause=lambda k: 0.5 * 2**k, end=None, again=None):
    """A loop in which one thing is wrong."""
    first = None
    for attempt in range(attempts + last):
        try:
            return (again or llm.invoke)(prompt).text
        except Exception as error:
            first = first or error
            if attempt == attempts + last - 1:
                if end is None:
                    raise
                return end(first, error)
            if not may(error):
                raise
            if pause(attempt):
                sleep(pause(attempt))


def mend_as_given(prompt, llm, sleep, attempts=4):
    for attempt in range(attempts):
        try:
            return llm.invoke(prompt).text
        except Exception:
            sleep(0.5 * 2**attempt)


def mend_repeats_all(prompt, llm, sleep, attempts=4):
    return mend_with(prompt, llm, sleep, attempts, may=lambda error: True)


def mend_sleeps_last(prompt, llm, sleep, attempts=4):
    for attempt in range(attempts):
        try:
            return llm.invoke(prompt).text
        except Exception as error:
            if not heals(error):
                raise
            last = error
            sleep(0.5 * 2**attempt)
    raise last


def mend_swallows(prompt, llm, sleep, attempts=4):
    return mend_with(prompt, llm, sleep, attempts, end=lambda first, last: None)


def mend_swallows_permanent(prompt, llm, sleep, attempts=4):
    try:
        return mend_plain(prompt, llm, sleep, attempts)
    except openai.BadRequestError:
        return ""


def mend_first_error(prompt, llm, sleep, attempts=4):
    def raise_first(first, last):
        raise first

    return mend_with(prompt, llm, sleep, attempts, end=raise_first)


def mend_wrapped(prompt, llm, sleep, attempts=4):
    def raise_own(first, last):
        raise RuntimeError(f"gave up: {last}") from last

    return mend_with(prompt, llm, sleep, attempts, end=raise_own)


def mend_one_more(prompt, llm, sleep, attempts=4):
    return mend_with(prompt, llm, sleep, attempts, last=1)


def mend_one_less(prompt, llm, sleep, attempts=4):
    return mend_with(prompt, llm, sleep, attempts, last=-1) if attempts > 1 else mend_plain(prompt, llm, sleep, 1)


def mend_quota(prompt, llm, sleep, attempts=4):
    return mend_with(prompt, llm, sleep, attempts, may=transient_every_429)


def mend_no_limits(prompt, llm, sleep, attempts=4):
    return mend_with(prompt, llm, sleep, attempts, may=transient_server_only)


def mend_no_pauses(prompt, llm, sleep, attempts=4):
    return mend_with(prompt, llm, sleep, attempts, pause=lambda k: 0)


def mend_constant(prompt, llm, sleep, attempts=4):
    return mend_with(prompt, llm, sleep, attempts, pause=lambda k: 0.5)


def mend_nested(prompt, llm, sleep, attempts=4):
    inner = llm.with_retry(stop_after_attempt=attempts, wait_exponential_jitter=False, retry_if_exception_type=heals)
    return mend_with(prompt, llm, sleep, attempts, again=inner.invoke)


def mend_message(prompt, llm, sleep, attempts=4):
    return mend_with(prompt, llm, sleep, attempts, again=lambda prompt: Told(llm, prompt))


class Told:
    """An answer whose `text` is the message itself."""

    def __init__(self, llm, prompt):
        self.text = llm.invoke(prompt)


def mend_retry_error(prompt, llm, sleep, attempts=4):
    again = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(attempts),
        retry=tenacity.retry_if_exception(heals),
        wait=tenacity.wait_exponential(multiplier=0.5),
        sleep=sleep,
    )
    return again(llm.invoke, prompt).text


def mend_status_only(prompt, llm, sleep, attempts=4):
    """Forgets that a line may drop."""
    for attempt in range(attempts):
        try:
            return llm.invoke(prompt).text
        except openai.APIStatusError as error:
            if attempt == attempts - 1 or not heals(error):
                raise
            sleep(0.5 * 2**attempt)


async def mend_awaits_sleep(prompt, llm, sleep, attempts=4):
    for attempt in range(attempts):
        try:
            return (await llm.ainvoke(prompt)).text
        except openai.APIError as error:
            if attempt == attempts - 1 or not heals(error):
                raise
            await sleep(0.5 * 2**attempt)


def mend_attribute(prompt, llm, sleep, attempts=4):
    """A dropped connection has no status."""
    return mend_with(prompt, llm, sleep, attempts, may=transient_no_isinstance)


def mend_blank(prompt, llm, sleep, attempts=4):
    raise NotImplementedError


# --- retries.call ------------------------------------------------------------------------------------------------


def said_by(error):
    response = getattr(error, "response", None)
    return 0.0 if response is None else float(response.headers.get("retry-after", 0))


def full_jitter(rng, k, base, cap):
    return rng.uniform(0, min(cap, base * 2**k))


def call_plain(prompt, llm, sleep, rng, attempts=4, base=0.1, cap=1.0):
    for k in range(attempts):
        try:
            return llm.invoke(prompt).text
        except openai.APIError as error:
            if k == attempts - 1 or not heals(error):
                raise
            sleep(said_by(error) + full_jitter(rng, k, base, cap))


def call_tenacity(prompt, llm, sleep, rng, attempts=4, base=0.1, cap=1.0):
    def wait(state):
        return said_by(state.outcome.exception()) + full_jitter(rng, state.attempt_number - 1, base, cap)

    again = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(attempts),
        retry=tenacity.retry_if_exception(heals),
        wait=wait,
        sleep=sleep,
        reraise=True,
    )
    return again(lambda: llm.invoke(prompt).text)


async def call_tenacity_async(prompt, llm, sleep, rng, attempts=4, base=0.1, cap=1.0):
    async def nap(seconds):
        sleep(seconds)

    async for attempt in tenacity.AsyncRetrying(
        stop=tenacity.stop_after_attempt(attempts),
        retry=tenacity.retry_if_exception(heals),
        wait=lambda state: said_by(state.outcome.exception()) + full_jitter(rng, state.attempt_number - 1, base, cap),
        sleep=nap,
        reraise=True,
    ):
        with attempt:
            return (await llm.ainvoke(prompt)).text


def call_in_two_naps(prompt, llm, sleep, rng, attempts=4, base=0.1, cap=1.0):
    """First what the server says, then the random part; drawn as a share."""
    bound = base
    for left in range(attempts - 1, -1, -1):
        try:
            return llm.invoke(prompt).text
        except openai.APIError as error:
            if not left or not heals(error):
                raise
            if told := said_by(error):
                sleep(told)
        sleep((1 - rng.random()) * min(cap, bound))
        bound *= 2


def call_in_steps(prompt, llm, sleep, rng, attempts=4, base=0.1, cap=1.0):
    """Draws whole thousandths, all of them beforehand."""
    shares = [rng.randint(0, 1000) / 1000 for _ in range(attempts)]
    for k, share in enumerate(shares):
        try:
            return llm.invoke(prompt).text
        except openai.APIError as error:
            if k + 1 == attempts or not heals(error):
                raise
            sleep(said_by(error) + share * min(cap, base * 2**k))


def call_with(
    prompt, llm, sleep, rng, attempts, base, cap, *,
    draw=full_jitter, heed=lambda told, jitter: told + jitter, may=heals, last=0, end=None, again=None, told=said_by,
):  # fmt: skip
    """A loop in which one thing is wrong."""
    for k in range(attempts + last):
        try:
            return (again or llm.invoke)(prompt).text
        except openai.APIError as error:
            if k == attempts + last - 1:
                if end:
                    return None
                raise
            if not may(error):
                raise
            sleep(heed(told(error), draw(rng, k, base, cap)))


def mutant(name, **wrong):
    def call(prompt, llm, sleep, rng, attempts=4, base=0.1, cap=1.0):
        return call_with(prompt, llm, sleep, rng, attempts, base, cap, **wrong)

    call.__name__ = f"call_{name}"
    return call


def pausing(name, length):
    """A loop with another length of the pause: `length(rng, k, base, cap)`."""
    return mutant(name, draw=length)


def jittered(name, low, high):
    """A loop that draws from this part of the bound."""
    return pausing(name, lambda rng, k, base, cap: min(cap, base * 2**k) * rng.uniform(low, high))


def call_sleeps_last(prompt, llm, sleep, rng, attempts=4, base=0.1, cap=1.0):
    for k in range(attempts):
        try:
            return llm.invoke(prompt).text
        except openai.APIError as error:
            if not heals(error):
                raise
            last = error
            sleep(said_by(error) + full_jitter(rng, k, base, cap))
    raise last


def call_nested(prompt, llm, sleep, rng, attempts=4, base=0.1, cap=1.0):
    inner = llm.with_retry(stop_after_attempt=attempts, wait_exponential_jitter=False, retry_if_exception_type=heals)
    return call_with(prompt, llm, sleep, rng, attempts, base, cap, again=inner.invoke)


def call_with_retry_of_langchain(prompt, llm, sleep, rng, attempts=4, base=0.1, cap=1.0):
    """Waits, if at all, in real seconds, which nobody can see."""
    again = llm.with_retry(stop_after_attempt=attempts, wait_exponential_jitter=False, retry_if_exception_type=heals)
    return again.invoke(prompt).text


def call_tenacity_own_dice(prompt, llm, sleep, rng, attempts=4, base=0.1, cap=1.0):
    again = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(attempts),
        retry=tenacity.retry_if_exception(heals),
        wait=tenacity.wait_random_exponential(multiplier=base, max=cap),
        sleep=sleep,
        reraise=True,
    )
    return again(lambda: llm.invoke(prompt).text)


def call_decorrelated(prompt, llm, sleep, rng, attempts=4, base=0.1, cap=1.0):
    before = [base]

    def draw(rng, k, base, cap):
        before[0] = min(cap, rng.uniform(base, 3 * before[0]))
        return before[0]

    return call_with(prompt, llm, sleep, rng, attempts, base, cap, draw=draw)


def call_seed_of_the_prompt(prompt, llm, sleep, rng, attempts=4, base=0.1, cap=1.0):
    own = random.Random(prompt)
    return call_with(prompt, llm, sleep, own, attempts, base, cap)


def call_no_response(prompt, llm, sleep, rng, attempts=4, base=0.1, cap=1.0):
    """A dropped connection has no response."""
    told = lambda error: float(error.response.headers.get("retry-after", 0))  # noqa: E731
    return call_with(prompt, llm, sleep, rng, attempts, base, cap, told=told)


def call_status_only(prompt, llm, sleep, rng, attempts=4, base=0.1, cap=1.0):
    for k in range(attempts):
        try:
            return llm.invoke(prompt).text
        except openai.APIStatusError as error:
            if k == attempts - 1 or not heals(error):
                raise
            sleep(said_by(error) + full_jitter(rng, k, base, cap))


def call_blank(prompt, llm, sleep, rng, attempts=4, base=0.1, cap=1.0):
    raise NotImplementedError


LOOPS = {  # loops that differ in one thing -> words
    mutant("repeats_all", may=lambda error: True): "that every 429 heals by waiting",
    mutant("repeats_400", may=lambda error: getattr(error, "code", "") != "insufficient_quota"):
        "that a second try can mend any error",
    mutant("repeats_quota", may=transient_every_429): "that every 429 heals by waiting",
    mutant("forgets_429", may=transient_server_only): "429 (code rate_limit_exceeded) may pass by itself",
    mutant("one_more", last=1): "that `attempts` counts the repeats",
    mutant("one_less", last=-1): "does your loop count to its end?",
    mutant("swallows", end=True): "that an empty result is kinder",
    jittered("no_jitter", 1, 1): "all who wait equally long come back together",
    pausing("constant", lambda rng, k, base, cap: base): "draw each pause anew",
    pausing("no_pause", lambda rng, k, base, cap: 0.0): "no pause between attempts 1 and 2",
    jittered("25_around", 0.75, 1.25): "draw from 0 up to the bound, and not around it",
    jittered("25_less", 0.75, 1): "none below three quarters of its bound",
    jittered("equal_jitter", 0.5, 1): "none below half of its bound",
    jittered("half", 0, 0.5): "the last ones stay below half of their bounds",
    pausing("from_base", lambda rng, k, base, cap: rng.uniform(base, min(cap, base * 2**k))): "pause 1 is the same",
    pausing("no_growth", lambda rng, k, base, cap: rng.uniform(0, base)): "the bound doubles",
    pausing("linear", lambda rng, k, base, cap: rng.uniform(0, min(cap, base * (k + 1)))): "the bound doubles",
    pausing("exponent_less", lambda rng, k, base, cap: rng.uniform(0, min(cap, base * 2 ** (k - 1)))):
        "the bound doubles",
    pausing("exponent_more", lambda rng, k, base, cap: rng.uniform(0, min(cap, base * 2 ** (k + 1)))):
        "before the first repeat the bound is `base`",
    pausing("uncapped", lambda rng, k, base, cap: rng.uniform(0, base * 2**k)): "`cap` bounds what you draw from",
    pausing("capped_late", lambda rng, k, base, cap: min(cap, rng.uniform(0, base * 2**k))):
        "cap the bound first, then draw below it",
    pausing("ignores_cap_given", lambda rng, k, base, cap: rng.uniform(0, min(1.0, base * 2**k))): "the bound doubles",
    pausing("ignores_base_given", lambda rng, k, base, cap: rng.uniform(0, min(cap, 0.1 * 2**k))): "the bound doubles",
    pausing("own_dice", lambda rng, k, base, cap: random.uniform(0, min(cap, base * 2**k))):
        "draw from the `rng` that you are handed, and from nothing else",
    pausing("own_seed", lambda rng, k, base, cap: random.Random(2026 + k).uniform(0, min(cap, base * 2**k))):
        "that a seed in the code does no harm",
    mutant("ignores_retry_after", heed=lambda told, jitter: jitter): "that the client knows best when to come back",
    mutant("caps_retry_after", heed=lambda told, jitter: min(1.0, told) + jitter): "never come back before that",
    mutant("within_retry_after", heed=lambda told, jitter: max(jitter, told / 2)): "never come back before that",
    mutant("exactly", heed=max): "it tells the same moment to everybody",
}  # fmt: skip


# --- retries.once ------------------------------------------------------------------------------------------------


def unsure(error):
    return isinstance(error, TimeoutError) or (
        isinstance(error, ServiceError) and (error.status == 429 or error.status >= 500)
    )


def once_plain(refund_id, order, cents, pay, sleep, attempts=4):
    for attempt in range(attempts):
        try:
            return pay(key=refund_id, order=order, cents=cents)
        except (TimeoutError, ServiceError) as error:
            if attempt == attempts - 1 or not unsure(error):
                raise
            sleep(0.5 * 2**attempt)


def once_tenacity(refund_id, order, cents, pay, sleep, attempts=4):
    again = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(attempts), retry=tenacity.retry_if_exception(unsure), sleep=sleep, reraise=True
    )
    return again(pay, key=f"refund {refund_id}", order=order, cents=cents)


def once_hash(refund_id, order, cents, pay, sleep, attempts=4):
    """A key of all that the refund is about."""
    key = sha256(f"{refund_id}|{order}|{cents}".encode()).hexdigest()
    try:
        return pay(key=key, order=order, cents=cents)
    except (TimeoutError, ServiceError) as error:
        if attempts == 1 or not unsure(error):
            raise
    sleep(1)
    return once_hash(refund_id, order, cents, pay, sleep, attempts - 1)


async def once_uuid5(refund_id, order, cents, pay, sleep, attempts=4):
    key = uuid.uuid5(uuid.NAMESPACE_OID, refund_id)
    for left in reversed(range(attempts)):
        try:
            return pay(key=key, order=order, cents=cents)
        except Exception as error:
            if not left or not unsure(error):
                raise


class Paying(TypedDict, total=False):
    key: str
    done: dict


def once_graph(refund_id, order, cents, pay, sleep, attempts=4):
    """LangGraph's policy repeats the node; the key was made before."""
    policy = RetryPolicy(max_attempts=attempts, initial_interval=0.001, max_interval=0.002, retry_on=unsure)
    graph = StateGraph(Paying).add_node(
        "pay", lambda state: {"done": pay(key=state["key"], order=order, cents=cents)}, retry_policy=policy
    )
    return graph.add_edge(START, "pay").add_edge("pay", END).compile().invoke({"key": refund_id})["done"]


def once_with(pay, attempts, *, key, order, cents, may=unsure, end=None):
    for attempt in range(attempts):
        try:
            return pay(key=key(), order=order, cents=cents)
        except (TimeoutError, ServiceError) as error:
            if not may(error):
                raise
            if attempt == attempts - 1:
                if end is None:
                    raise
                return end


def once_no_key(refund_id, order, cents, pay, sleep, attempts=4):
    for attempt in range(attempts):
        try:
            return pay(order=order, cents=cents)
        except (TimeoutError, ServiceError) as error:
            if attempt == attempts - 1 or not unsure(error):
                raise


def once_new_key(refund_id, order, cents, pay, sleep, attempts=4):
    return once_with(pay, attempts, key=uuid.uuid4, order=order, cents=cents)


def once_numbered_key(refund_id, order, cents, pay, sleep, attempts=4):
    tries = iter(range(99))
    return once_with(pay, attempts, key=lambda: f"{refund_id}, attempt {next(tries)}", order=order, cents=cents)


def once_uuid4(refund_id, order, cents, pay, sleep, attempts=4):
    """Kept over the attempts, and new when somebody clicks again."""
    key = uuid.uuid4()
    return once_with(pay, attempts, key=lambda: key, order=order, cents=cents)


def once_one_key(refund_id, order, cents, pay, sleep, attempts=4):
    return once_with(pay, attempts, key=lambda: "refund", order=order, cents=cents)


def once_key_of_the_order(refund_id, order, cents, pay, sleep, attempts=4):
    return once_with(pay, attempts, key=lambda: f"{order}, {cents}", order=order, cents=cents)


def once_gives_up(refund_id, order, cents, pay, sleep, attempts=4):
    return pay(key=refund_id, order=order, cents=cents)


def once_hopes(refund_id, order, cents, pay, sleep, attempts=4):
    try:
        return once_with(
            pay,
            attempts,
            key=lambda: refund_id,
            order=order,
            cents=cents,
            may=lambda e: not isinstance(e, TimeoutError),
        )
    except TimeoutError:
        return {"status": "done", "name": "pay"}


def once_repeats_all(refund_id, order, cents, pay, sleep, attempts=4):
    return once_with(pay, attempts, key=lambda: refund_id, order=order, cents=cents, may=lambda error: True)


def once_timeouts_only(refund_id, order, cents, pay, sleep, attempts=4):
    may = lambda error: isinstance(error, TimeoutError)  # noqa: E731
    return once_with(pay, attempts, key=lambda: refund_id, order=order, cents=cents, may=may)


def once_swallows(refund_id, order, cents, pay, sleep, attempts=4):
    return once_with(pay, attempts, key=lambda: refund_id, order=order, cents=cents, end="not paid")


def once_says_nothing(refund_id, order, cents, pay, sleep, attempts=4):
    once_plain(refund_id, order, cents, pay, sleep, attempts)


def once_in_euros(refund_id, order, cents, pay, sleep, attempts=4):
    return once_with(pay, attempts, key=lambda: refund_id, order=order, cents=cents / 100)


def once_not_at_all(refund_id, order, cents, pay, sleep, attempts=4):
    return {"status": "done", "name": "pay"}


def once_above_500(refund_id, order, cents, pay, sleep, attempts=4):
    may = lambda error: isinstance(error, TimeoutError) or error.status > 500  # noqa: E731
    return once_with(pay, attempts, key=lambda: refund_id, order=order, cents=cents, may=may)


def once_not_500(refund_id, order, cents, pay, sleep, attempts=4):
    may = lambda error: isinstance(error, TimeoutError) or error.status == 429 or error.status > 500  # noqa: E731
    return once_with(pay, attempts, key=lambda: refund_id, order=order, cents=cents, may=may)


def once_503_alone(refund_id, order, cents, pay, sleep, attempts=4):
    may = lambda error: isinstance(error, TimeoutError) or error.status == 503  # noqa: E731
    return once_with(pay, attempts, key=lambda: refund_id, order=order, cents=cents, may=may)


def once_by_position(refund_id, order, cents, pay, sleep, attempts=4):
    return pay(refund_id, order, cents)


def once_blank(refund_id, order, cents, pay, sleep, attempts=4):
    raise NotImplementedError


RIGHT = {
    "retries.transient": [heals, transient_classes, transient_match, transient_async],
    "retries.mend": [mend_plain, mend_recursive, mend_tenacity, mend_async, mend_last_error_kept],
    "retries.call": [call_plain, call_tenacity, call_tenacity_async, call_in_two_naps, call_in_steps],
    "retries.once": [once_plain, once_tenacity, once_hash, once_uuid5, once_graph],
}

WRONG = {  # check -> answer -> words that a learner must read
    "retries.transient": {
        transient_everything: "that every 429 heals by waiting",
        transient_every_429: "the status cannot tell you: look at `error.code`",
        transient_nothing: "your function said no, and so 1 request came",
        transient_server_only: "an error with status 429, code rate_limit_exceeded",
        transient_or: "(`a == 1 or 2` is always true.)",
        transient_no_isinstance: "ask `isinstance(error, openai.APIStatusError)` first",
        transient_unknown_is_good: "KeyError: 'other', raised by our own code",
        transient_no_timeouts: "openai.APITimeoutError, which has no status",
        transient_raises: "whoever calls your function raises",
        transient_no_conflict: "an error with status 409",
        transient_blank: "not written yet",
    },
    "retries.mend": {
        mend_as_given: "a pause of 4 s after the last attempt",
        mend_repeats_all: "that a second try can mend any error",
        mend_sleeps_last: "that a pause belongs to each failure; it belongs between two attempts",
        mend_swallows: "that an empty result is kinder to the caller than an exception",
        mend_swallows_permanent: "goes to the caller at once",
        mend_first_error: "Raise the one that you have just caught",
        mend_wrapped: "let the provider's own error through",
        mend_one_more: "that `attempts` counts the repeats",
        mend_one_less: "does your loop count to its end?",
        mend_quota: "that every 429 heals by waiting",
        mend_no_limits: "429 (code rate_limit_exceeded) may pass by itself",
        mend_no_pauses: "leave the pauses of the buggy loop as they are",
        mend_constant: "pauses of 0.5, 0.5, 0.5 s",
        mend_nested: "two layers repeat, one inside the other",
        mend_message: "return the text inside that AIMessage",
        mend_retry_error: "tenacity wraps the error unless you say `reraise=True`",
        mend_attribute: "one of the connection (`APIConnectionError`) has neither",
        mend_status_only: "a dropped connection may pass by itself",
        mend_awaits_sleep: "no `await` before it",
        mend_blank: "not written yet",
    },
    "retries.call": LOOPS
    | {
        call_sleeps_last: "that a pause belongs to each failure; it belongs between two attempts",
        call_nested: "two layers repeat, one inside the other",
        call_with_retry_of_langchain: "only waits through the `sleep` that you are handed are seen",
        call_tenacity_own_dice: "draw from the `rng` that you are handed, and from nothing else",
        call_decorrelated: "more than 0 and at most 0.1 s",
        call_seed_of_the_prompt: "draw from the `rng` that you are handed, and from nothing else",
        call_no_response: "an error of the connection has no `response`: `getattr(error, 'response', None)`",
        call_status_only: "a dropped connection may pass by itself",
        call_blank: "not written yet",
    },
    "retries.once": {
        once_no_key: "without a key the bank cannot tell a repeat from a new payment",
        once_new_key: "that a key belongs to an attempt",
        once_numbered_key: "that a key belongs to an attempt",
        once_uuid4: "that each call is a new operation; people click twice",
        once_one_key: "that one key will do for the whole program",
        once_key_of_the_order: "what tells them apart?",
        once_gives_up: "nobody knows whether it happened",
        once_hopes: "that what was sent has arrived",
        once_repeats_all: "a refusal such as 402 stays one",
        once_timeouts_only: "a refusal with 503 may pass by itself (429 and all from 500 on may)",
        once_above_500: "a refusal with 429 may pass by itself",
        once_not_500: "a refusal with 500 may pass by itself",
        once_503_alone: "a refusal with 429 may pass by itself",
        once_by_position: "call `pay` with names: `pay(key=…, order=…, cents=…)`",
        once_swallows: "pass the last error on",
        once_says_nothing: "return the value of the call of `pay` that succeeded",
        once_in_euros: "the order and the cents of the refund",
        once_not_at_all: "no call of `pay`",
        once_blank: "not written yet",
    },
}

HELD_BACK = {  # answers that pass the cases that are shown, and fail one that is held back
    "retries.transient": [transient_message, transient_three_statuses, transient_black_list],
}

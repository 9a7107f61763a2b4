"""Answers to exercise 4: right ones in several styles, and wrong ones with the words that a learner must read."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress

from langchain_core.rate_limiters import InMemoryRateLimiter
from openai import APIStatusError, OpenAIError, RateLimitError

# --- limits.workers ----------------------------------------------------------------------------------------------


def workers_gap(per_minute, seconds):
    rate = per_minute / 60
    return math.ceil(rate * (seconds + 1 / rate))


def workers_one_more(per_minute, seconds):
    return math.ceil(per_minute / 60 * seconds) + 1


def workers_floor_division(per_minute, seconds):
    return -int(-(seconds + 60 / per_minute) // (60 / per_minute))


async def workers_async(per_minute, seconds):
    return workers_gap(per_minute, seconds)


def workers_call_only(per_minute, seconds):
    return math.ceil(per_minute / 60 * seconds)


def workers_rounded_down(per_minute, seconds):
    return int(per_minute / 60 * (seconds + 60 / per_minute))


def workers_rounded(per_minute, seconds):
    return round(per_minute / 60 * (seconds + 60 / per_minute))


def workers_always_one_more(per_minute, seconds):
    return int(per_minute / 60 * (seconds + 60 / per_minute)) + 1


def workers_in_parts(per_minute, seconds):
    return per_minute / 60 * (seconds + 60 / per_minute)


def workers_of_the_minute(per_minute, seconds):
    return math.ceil(per_minute * (seconds + 60 / per_minute))


def workers_of_the_rate(per_minute, seconds):
    return math.ceil(per_minute / 60)


def workers_prints(per_minute, seconds):
    print(workers_gap(per_minute, seconds))


def workers_no_brackets(per_minute, seconds):
    return math.ceil(per_minute / 60 * seconds + 60 / per_minute)


def workers_blank(per_minute, seconds):
    raise NotImplementedError


# --- limits.pace -------------------------------------------------------------------------------------------------


class Gate:
    """What all of them begin with."""

    def __init__(self, per_second, now, asleep):
        self.gap, self.now, self.asleep = 1 / per_second, now, asleep
        self.free_at, self.began = now(), now()
        self.lock, self.turns = asyncio.Lock(), 0


class PaceTaken(Gate):
    """The turn is taken before anybody waits."""

    async def turn(self):
        begin = max(self.free_at, self.now())
        self.free_at = begin + self.gap
        await self.asleep(begin - self.now())


class PaceLesson(Gate):
    """A gate that makes everybody wait a moment first."""

    async def turn(self):
        async with self.lock:
            await self.asleep(self.gap)


class PaceLocked(Gate):
    """The method as it was, and one caller in it at a time."""

    async def turn(self):
        async with self.lock:
            wait = self.free_at - self.now()
            if wait > 0:
                await self.asleep(wait)
            self.free_at = self.now() + self.gap


class PaceAfterwards(Gate):
    """Opens a gap after it has let somebody through."""

    async def turn(self):
        await self.lock.acquire()
        self.opening = asyncio.create_task(self.open_again())

    async def open_again(self):
        await self.asleep(self.gap)
        self.lock.release()


class PaceQueue(Gate):
    """Each one waits for the one before it, and then a gap."""

    last = None

    async def turn(self):
        before, self.last = self.last, asyncio.get_running_loop().create_future()
        mine = self.last
        if before:
            await before
        await self.asleep(self.gap)
        mine.set_result(None)


class PaceAsGiven(Gate):
    async def turn(self):
        wait = self.free_at - self.now()
        if wait > 0:
            await self.asleep(wait)
        self.free_at = self.now() + self.gap


class PaceSavedUp(Gate):
    async def turn(self):
        begin = self.free_at
        self.free_at += self.gap
        await self.asleep(max(0, begin - self.now()))


class PaceTimetable(Gate):
    async def turn(self):
        begin = self.began + self.turns * self.gap
        self.turns += 1
        await self.asleep(max(0, begin - self.now()))


class PaceEachPauses(Gate):
    async def turn(self):
        await self.asleep(self.gap)


class PaceOwnLock(Gate):
    async def turn(self):
        async with asyncio.Lock():
            await self.asleep(self.gap)


class PaceMovedToTheSame(Gate):
    """Moves on before it waits, to a moment that is the same for all."""

    async def turn(self):
        wait = self.free_at - self.now()
        self.free_at = self.now() + self.gap
        if wait > 0:
            await self.asleep(wait)


class PaceLockInTheTurn(Gate):
    async def turn(self):
        async with asyncio.Lock():
            wait = self.free_at - self.now()
            if wait > 0:
                await self.asleep(wait)
            self.free_at = self.now() + self.gap


class PaceLockTooShort(Gate):
    async def turn(self):
        async with self.lock:
            wait = max(0, self.free_at - self.now())
        await self.asleep(wait)
        async with self.lock:
            self.free_at = self.now() + self.gap


class PaceBurst(Gate):
    """A second's worth at once, and then the next second's."""

    async def turn(self):
        per_second = round(1 / self.gap)
        self.turns += 1
        await self.asleep(max(0, self.began + (self.turns - 1) // per_second - self.now()))


class PaceHalf(Gate):
    async def turn(self):
        async with self.lock:
            await self.asleep(2 * self.gap)


class PaceGrows(Gate):
    """Waits for everybody who has ever come."""

    async def turn(self):
        self.turns += 1
        await self.asleep(self.turns * self.gap)


class PaceReal(Gate):
    async def turn(self):
        async with self.lock:
            await asyncio.sleep(self.gap)


class PaceForgetsAwait(Gate):
    def turn(self):
        self.asleep(self.gap).close()


class PaceOpen(Gate):
    async def turn(self):
        pass


class PaceShared(Gate):
    """One turn for all paces there are."""

    free = 0.0

    async def turn(self):
        begin = max(PaceShared.free, self.now())
        PaceShared.free = begin + self.gap
        await self.asleep(begin - self.now())

    def __init__(self, per_second, now, asleep):
        super().__init__(per_second, now, asleep)
        PaceShared.free = 0.0


class PaceNegative(Gate):
    async def turn(self):
        wait, self.free_at = self.free_at - self.now(), max(self.free_at, self.now()) + self.gap
        await self.asleep(wait)


class PaceNoArguments:
    def __init__(self):
        pass


class PaceBlank:
    def __init__(self, per_second, now, asleep):
        self.gap = 1 / per_second

    async def turn(self):
        raise NotImplementedError


# --- limits.throttled --------------------------------------------------------------------------------------------


async def throttled_paced(items, per_minute, seconds, llm, now, asleep):
    pace, door = PaceTaken(per_minute / 60, now, asleep), asyncio.Semaphore(workers_gap(per_minute, seconds))

    async def one(item):
        async with door:
            await pace.turn()
            return (await llm.ainvoke(item)).text

    return await asyncio.gather(*map(one, items))


async def throttled_lesson(items, per_minute, seconds, llm, now, asleep):
    """The lesson's gate, which waits first."""
    gate, door = asyncio.Lock(), asyncio.Semaphore(workers_gap(per_minute, seconds))

    async def one(item):
        async with door:
            async with gate:
                await asleep(60 / per_minute)
            return (await llm.ainvoke(item)).text

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(item)) for item in items]
    return [task.result() for task in tasks]


async def throttled_workers(items, per_minute, seconds, llm, now, asleep):
    """Workers that take items from a queue."""
    pace, answers, todo = PaceLocked(per_minute / 60, now, asleep), {}, list(enumerate(items))[::-1]

    async def worker():
        while todo:
            place, item = todo.pop()
            await pace.turn()
            answers[place] = (await llm.ainvoke(item)).text

    await asyncio.gather(*(worker() for _ in range(workers_gap(per_minute, seconds))))
    return [answers[place] for place in range(len(items))]


async def throttled_abatch(items, per_minute, seconds, llm, now, asleep):
    """A pipe of a turn and a call, whose width is LangChain's business."""
    from langchain_core.runnables import RunnableLambda

    pace = PaceLesson(per_minute / 60, now, asleep)

    async def one(item):
        await pace.turn()
        return (await llm.ainvoke(item)).text

    return await RunnableLambda(one).abatch(items, {"max_concurrency": workers_gap(per_minute, seconds)})


async def throttled_spawner(items, per_minute, seconds, llm, now, asleep):
    """One loop that starts a call whenever a worker is free and a gap has passed."""
    door, tasks = asyncio.Semaphore(workers_gap(per_minute, seconds)), []

    async def one(item):
        try:
            return (await llm.ainvoke(item)).text
        finally:
            door.release()

    for item in items:
        await door.acquire()
        tasks.append(asyncio.create_task(one(item)))
        await asleep(60 / per_minute)
    return await asyncio.gather(*tasks)


async def throttled_bucket(items, per_minute, seconds, llm, now, asleep):
    """A bucket of two tokens, filled by a task in the background that nobody stops."""
    door, tokens = asyncio.Semaphore(workers_gap(per_minute, seconds)), asyncio.Queue(maxsize=1)

    async def fill():
        while True:
            await tokens.put(None)
            await asleep(60 / per_minute)

    async def one(item):
        async with door:
            await tokens.get()
            return (await llm.ainvoke(item)).text

    filling = asyncio.create_task(fill())
    answers = await asyncio.gather(*map(one, items))
    return answers if filling else None


async def gathered(items, llm, before, width=1000):
    """All items at once, each after `before(number)`, at most so many open."""
    door = asyncio.Semaphore(width)

    async def one(number, item):
        async with door:
            await before(number)
            return (await llm.ainvoke(item)).text

    return await asyncio.gather(*(one(number, item) for number, item in enumerate(items)))


async def nothing(number):
    pass


async def throttled_all_at_once(items, per_minute, seconds, llm, now, asleep):
    return await gathered(items, llm, nothing)


async def throttled_semaphore(items, per_minute, seconds, llm, now, asleep):
    return await gathered(items, llm, nothing, math.ceil(per_minute / 60 * seconds))


async def throttled_narrow_semaphore(items, per_minute, seconds, llm, now, asleep):
    return await gathered(items, llm, nothing, 2)


async def throttled_each_pauses(items, per_minute, seconds, llm, now, asleep):
    return await gathered(items, llm, lambda number: asleep(60 / per_minute), workers_gap(per_minute, seconds))


async def throttled_pause_afterwards(items, per_minute, seconds, llm, now, asleep):
    door = asyncio.Semaphore(workers_gap(per_minute, seconds))

    async def one(item):
        async with door:
            answer = (await llm.ainvoke(item)).text
            await asleep(60 / per_minute)
            return answer

    return await asyncio.gather(*map(one, items))


async def throttled_one_by_one(items, per_minute, seconds, llm, now, asleep):
    answers = []
    for item in items:
        answers.append((await llm.ainvoke(item)).text)
        await asleep(60 / per_minute)
    return answers


async def throttled_bursts(items, per_minute, seconds, llm, now, asleep):
    """A second's worth at once, then the rest of the second."""
    answers, size = [], int(per_minute / 60)
    for begin in range(0, len(items), size):
        group = [llm.ainvoke(item) for item in items[begin : begin + size]]
        answers += [answer.text for answer in await asyncio.gather(*group)]
        await asleep(1)
    return answers


async def throttled_half_speed(items, per_minute, seconds, llm, now, asleep):
    return await throttled_paced(items, per_minute / 2, 2 * seconds, llm, now, asleep)


async def throttled_per_second(items, per_minute, seconds, llm, now, asleep):
    """Takes the limit for one per second."""
    pace = PaceTaken(per_minute, now, asleep)
    return await gathered(items, llm, lambda number: pace.turn(), workers_gap(per_minute, seconds))


async def throttled_a_pace_each(items, per_minute, seconds, llm, now, asleep):
    async def own(number):
        await PaceLesson(per_minute / 60, now, asleep).turn()

    return await gathered(items, llm, own, workers_gap(per_minute, seconds))


async def throttled_no_door(items, per_minute, seconds, llm, now, asleep):
    pace = PaceTaken(per_minute / 60, now, asleep)
    return await gathered(items, llm, lambda number: pace.turn())


async def throttled_timetable(items, per_minute, seconds, llm, now, asleep):
    """Start times that are fixed beforehand."""
    began = now()

    async def at(number):
        await asleep(max(0, began + number * 60 / per_minute - now()))

    return await gathered(items, llm, at, workers_gap(per_minute, seconds))


async def throttled_pace_then_door(items, per_minute, seconds, llm, now, asleep):
    pace, door = PaceTaken(per_minute / 60, now, asleep), asyncio.Semaphore(workers_gap(per_minute, seconds))

    async def one(item):
        await pace.turn()
        async with door:
            return (await llm.ainvoke(item)).text

    return await asyncio.gather(*map(one, items))


async def throttled_retries(items, per_minute, seconds, llm, now, asleep):
    async def one(item):
        while True:
            try:
                return (await llm.ainvoke(item)).text
            except RateLimitError as error:
                await asleep(float(error.response.headers["retry-after"]))

    return await asyncio.gather(*map(one, items))


async def throttled_langchain(items, per_minute, seconds, llm, now, asleep):
    limiter = InMemoryRateLimiter(requests_per_second=per_minute / 60, check_every_n_seconds=0.05, max_bucket_size=1)
    paced = llm.model_copy(update={"rate_limiter": limiter})
    return await gathered(items, paced, nothing, workers_gap(per_minute, seconds))


async def throttled_real_sleep(items, per_minute, seconds, llm, now, asleep):
    pace = PaceLesson(per_minute / 60, now, asyncio.sleep)
    return await gathered(items, llm, lambda number: pace.turn(), workers_gap(per_minute, seconds))


async def throttled_blocking(items, per_minute, seconds, llm, now, asleep):
    pace, door = PaceTaken(per_minute / 60, now, asleep), asyncio.Semaphore(workers_gap(per_minute, seconds))

    async def one(item):
        async with door:
            await pace.turn()
            return llm.invoke(item).text

    return await asyncio.gather(*map(one, items))


async def throttled_completion_order(items, per_minute, seconds, llm, now, asleep):
    pace = PaceTaken(per_minute / 60, now, asleep)

    async def one(item):
        await pace.turn()
        return (await llm.ainvoke(item)).text

    return [await done for done in asyncio.as_completed([one(item) for item in items])]


async def throttled_messages(items, per_minute, seconds, llm, now, asleep):
    pace = PaceTaken(per_minute / 60, now, asleep)

    async def one(item):
        await pace.turn()
        return await llm.ainvoke(item)

    return await asyncio.gather(*map(one, items))


async def throttled_looks_at_the_first(items, per_minute, seconds, llm, now, asleep):
    print(items[0])
    return await throttled_paced(items, per_minute, seconds, llm, now, asleep)


async def throttled_a_little_fast(items, per_minute, seconds, llm, now, asleep):
    pace = PaceTaken(1.05 * per_minute / 60, now, asleep)
    return await gathered(items, llm, lambda number: pace.turn(), workers_gap(per_minute, seconds))


async def throttled_unawaited(items, per_minute, seconds, llm, now, asleep):
    return asyncio.gather(*(llm.ainvoke(item) for item in items))


async def throttled_list(items, per_minute, seconds, llm, now, asleep):
    """A list of coroutines, and nobody awaits them."""

    async def one(item):
        return (await llm.ainvoke(item)).text

    return [one(item) for item in items]


async def throttled_locked_one_by_one(items, per_minute, seconds, llm, now, asleep):
    pace = PaceLocked(per_minute / 60, now, asleep)
    answers = []
    for item in items:
        await pace.turn()
        answers.append((await llm.ainvoke(item)).text)
    return answers


async def throttled_locked_blocking(items, per_minute, seconds, llm, now, asleep):
    pace, door = PaceLocked(per_minute / 60, now, asleep), asyncio.Semaphore(workers_gap(per_minute, seconds))

    async def one(item):
        async with door:
            await pace.turn()
            return llm.invoke(item).text

    return await asyncio.gather(*map(one, items))


async def throttled_locked_pace_each(items, per_minute, seconds, llm, now, asleep):
    async def own(number):
        await PaceLocked(per_minute / 60, now, asleep).turn()

    return await gathered(items, llm, own, workers_gap(per_minute, seconds))


async def throttled_forgets_await(items, per_minute, seconds, llm, now, asleep):
    pace = PaceLocked(per_minute / 60, now, asleep)

    async def forgets(number):
        pace.turn().close()  # closed only so that nothing warns

    return await gathered(items, llm, forgets, workers_gap(per_minute, seconds))


async def throttled_blank(items, per_minute, seconds, llm, now, asleep):
    raise NotImplementedError


# --- limits.hedged -----------------------------------------------------------------------------------------------


async def hedged_lesson(prompt, primary, backup, delay, asleep):
    first = asyncio.create_task(primary.ainvoke(prompt))
    timer = asyncio.create_task(asleep(delay))
    await asyncio.wait({first, timer}, return_when=asyncio.FIRST_COMPLETED)
    timer.cancel()
    racers = [first]
    if not first.done() or first.exception():
        racers.append(asyncio.create_task(backup.ainvoke(prompt)))
    try:
        for answer in asyncio.as_completed(racers):
            with suppress(OpenAIError):
                return (await answer).text
        return first.result().text
    finally:
        for racer in racers:
            racer.cancel()
        await asyncio.gather(*racers, return_exceptions=True)


async def hedged_wait(prompt, primary, backup, delay, asleep):
    """`asyncio.wait` all the way; the timer is left alone."""
    first = asyncio.ensure_future(primary.ainvoke(prompt))
    await asyncio.wait([first, asyncio.ensure_future(asleep(delay))], return_when=asyncio.FIRST_COMPLETED)
    if first.done() and not first.exception():
        return first.result().text
    waiting = {first, asyncio.ensure_future(backup.ainvoke(prompt))}
    error = None
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if not task.exception():
                for loser in waiting:
                    loser.cancel()
                return task.result().text
            error = task.exception()
    raise error


async def hedged_event(prompt, primary, backup, delay, asleep):
    """The hedge waits for the delay or for trouble, whichever comes first; a queue holds what came."""
    came, trouble = asyncio.Queue(), asyncio.Event()

    async def ask(model):
        try:
            await came.put((await model.ainvoke(prompt)).text)
        except OpenAIError as error:
            trouble.set()
            await came.put(error)

    async def later():
        waits = [asyncio.create_task(asleep(delay)), asyncio.create_task(trouble.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
        await ask(backup)

    tasks = [asyncio.create_task(ask(primary)), asyncio.create_task(later())]
    try:
        found = await came.get()
        return found if isinstance(found, str) else given(await came.get())
    finally:
        for task in tasks:
            task.cancel()


def given(found):
    if isinstance(found, Exception):
        raise found
    return found


async def hedged_with(prompt, primary, backup, delay, asleep, *, late=False, keep=False, wait_all=False, any_end=False,
                      text=lambda answer: answer.text):  # fmt: skip
    """A hedge in which one thing is wrong."""
    first, timer = asyncio.create_task(primary.ainvoke(prompt)), asyncio.create_task(asleep(delay))
    await asyncio.wait({first, timer}, return_when=asyncio.FIRST_COMPLETED)
    if late and first.done() and first.exception():
        await timer
    timer.cancel()
    racers = [first]
    if not first.done() or first.exception():
        racers.append(asyncio.create_task(backup.ainvoke(prompt)))
    try:
        if wait_all:
            await asyncio.wait(racers)
        if any_end:
            done, _ = await asyncio.wait(racers, return_when=asyncio.FIRST_COMPLETED)
            return text(done.pop().result())
        for answer in asyncio.as_completed(racers):
            with suppress(OpenAIError):
                return text(await answer)
        return first.result().text
    finally:
        if not keep:
            for racer in racers:
                racer.cancel()


async def hedged_waits_out_the_delay(prompt, primary, backup, delay, asleep):
    return await hedged_with(prompt, primary, backup, delay, asleep, late=True)


async def hedged_keeps_the_loser(prompt, primary, backup, delay, asleep):
    return await hedged_with(prompt, primary, backup, delay, asleep, keep=True)


async def hedged_waits_for_both(prompt, primary, backup, delay, asleep):
    return await hedged_with(prompt, primary, backup, delay, asleep, wait_all=True)


async def hedged_error_wins(prompt, primary, backup, delay, asleep):
    return await hedged_with(prompt, primary, backup, delay, asleep, any_end=True)


async def hedged_message(prompt, primary, backup, delay, asleep):
    return await hedged_with(prompt, primary, backup, delay, asleep, text=lambda answer: answer)


async def hedged_as_in_the_lesson(prompt, primary, backup, delay, asleep):
    """An error before the delay is the caller's."""
    first = asyncio.create_task(primary.ainvoke(prompt))
    timer = asyncio.create_task(asleep(delay))
    await asyncio.wait({first, timer}, return_when=asyncio.FIRST_COMPLETED)
    timer.cancel()
    racers = [first]
    if not first.done():
        racers.append(asyncio.create_task(backup.ainvoke(prompt)))
    try:
        for answer in asyncio.as_completed(racers):
            with suppress(OpenAIError):
                return (await answer).text
        return first.result().text
    finally:
        for racer in racers:
            racer.cancel()
        await asyncio.gather(*racers, return_exceptions=True)


async def hedged_always_two(prompt, primary, backup, delay, asleep):
    tasks = [asyncio.create_task(model.ainvoke(prompt)) for model in (primary, backup)]
    for answer in asyncio.as_completed(tasks):
        with suppress(OpenAIError):
            text = (await answer).text
            for task in tasks:
                task.cancel()
            return text
    return (await tasks[0]).text


async def hedged_not_at_all(prompt, primary, backup, delay, asleep):
    return (await primary.ainvoke(prompt)).text


async def hedged_fallback(prompt, primary, backup, delay, asleep):
    """A fallback helps against errors, and not against slowness."""
    return (await primary.with_fallbacks([backup]).ainvoke(prompt)).text


async def hedged_hangs_up(prompt, primary, backup, delay, asleep):
    """Asks again instead of as well."""
    first, timer = asyncio.create_task(primary.ainvoke(prompt)), asyncio.create_task(asleep(delay))
    await asyncio.wait({first, timer}, return_when=asyncio.FIRST_COMPLETED)
    if first.done() and not first.exception():
        return first.result().text
    first.cancel()
    return (await backup.ainvoke(prompt)).text


async def hedged_prefers_the_backup(prompt, primary, backup, delay, asleep):
    first, timer = asyncio.create_task(primary.ainvoke(prompt)), asyncio.create_task(asleep(delay))
    await asyncio.wait({first, timer}, return_when=asyncio.FIRST_COMPLETED)
    if first.done() and not first.exception():
        return first.result().text
    try:
        return (await backup.ainvoke(prompt)).text
    finally:
        first.cancel()


async def hedged_real_timeout(prompt, primary, backup, delay, asleep):
    first = asyncio.create_task(primary.ainvoke(prompt))
    done, _ = await asyncio.wait({first}, timeout=delay)
    racers = [first]
    if not done or first.exception():
        racers.append(asyncio.create_task(backup.ainvoke(prompt)))
    for answer in asyncio.as_completed(racers):
        with suppress(OpenAIError):
            return (await answer).text
    return first.result().text


async def hedged_wait_for(prompt, primary, backup, delay, asleep):
    """The usual timeout: it counts real seconds."""
    first, second = asyncio.create_task(primary.ainvoke(prompt)), None
    try:
        return (await asyncio.wait_for(asyncio.shield(first), delay)).text
    except (TimeoutError, OpenAIError):
        second = asyncio.create_task(backup.ainvoke(prompt))
    racers = [first, second]
    try:
        for answer in asyncio.as_completed(racers):
            with suppress(OpenAIError):
                return (await answer).text
        return first.result().text
    finally:
        for racer in racers:
            racer.cancel()


async def hedged_to_the_same(prompt, primary, backup, delay, asleep):
    return await hedged_lesson(prompt, primary, primary, delay, asleep)


async def hedged_swallows(prompt, primary, backup, delay, asleep):
    with suppress(OpenAIError):
        return await hedged_with(prompt, primary, backup, delay, asleep)
    return ""


async def hedged_sleeps_the_delay(prompt, primary, backup, delay, asleep):
    first = asyncio.create_task(primary.ainvoke(prompt))
    await asleep(delay)
    if first.done() and not first.exception():
        return first.result().text
    return (await backup.ainvoke(prompt)).text


async def hedged_looks_for_a_status(prompt, primary, backup, delay, asleep):
    """Takes only a refusal for an error; when the connection breaks off, the delay is waited out."""
    first, timer = asyncio.create_task(primary.ainvoke(prompt)), asyncio.create_task(asleep(delay))
    await asyncio.wait({first, timer}, return_when=asyncio.FIRST_COMPLETED)
    if first.done() and first.exception() and not isinstance(first.exception(), APIStatusError):
        await timer
    timer.cancel()
    racers = [first]
    if not first.done() or first.exception():
        racers.append(asyncio.create_task(backup.ainvoke(prompt)))
    try:
        for answer in asyncio.as_completed(racers):
            with suppress(OpenAIError):
                return (await answer).text
        return first.result().text
    finally:
        for racer in racers:
            racer.cancel()


async def hedged_delay_first(prompt, primary, backup, delay, asleep):
    await asleep(delay)
    return await hedged_lesson(prompt, primary, backup, delay, asleep)


async def hedged_blank(prompt, primary, backup, delay, asleep):
    raise NotImplementedError


RIGHT = {
    "limits.workers": [workers_gap, workers_one_more, workers_floor_division, workers_async],
    "limits.pace": [PaceTaken, PaceLesson, PaceLocked, PaceAfterwards, PaceQueue],
    "limits.throttled": [
        throttled_paced, throttled_lesson, throttled_workers, throttled_abatch, throttled_spawner, throttled_bucket,
    ],
    "limits.hedged": [hedged_lesson, hedged_wait, hedged_event, hedged_with],
}  # fmt: skip

WRONG = {  # check -> answer -> words that a learner must read
    "limits.workers": {
        workers_call_only: "how long does a worker stay from one start to its next?",
        workers_rounded_down: "that a part of a worker can be left out",
        workers_rounded: "that a part of a worker can be left out",
        workers_always_one_more: "a whole number needs no rounding",
        workers_in_parts: "round up to whole workers",
        workers_of_the_minute: "see that the units agree",
        workers_of_the_rate: "L = λW, and then rounded up",
        workers_prints: "printing it gives back None",
        workers_no_brackets: "mind the brackets",
        workers_blank: "not written yet",
    },
    "limits.pace": {
        PaceAsGiven: "that nobody else runs between two lines of a function",
        PaceSavedUp: "that a turn which nobody took is still there later",
        PaceTimetable: "that a turn which nobody took is still there later",
        PaceEachPauses: "that a pause makes a pace",
        PaceOwnLock: "until the first one has had its turn? (With a lock: one made in each turn is shared by nobody",
        PaceMovedToTheSame: "`now() + gap` is the same for all who come together",
        PaceLockInTheTurn: "one made in each turn is shared by nobody; make it in `__init__`",
        PaceLockTooShort: "Read it and move it with no `await` in between",
        PaceBurst: "that four per second means four at once",
        PaceHalf: "a gap is 1 / per_second = 0.25 s",
        PaceGrows: "wait for your own turn, no longer",
        PaceReal: "it is the only wait that this clock knows",
        PaceForgetsAwait: "it is the only wait that this clock knows",
        PaceOpen: "and no wait on the course clock",
        PaceShared: "each pace keeps its own time, in `self`",
        PaceNegative: "expected a value >= 0.0",
        PaceNoArguments: "keep the parameters of the stub",
        PaceBlank: "not written yet",
    },
    "limits.throttled": {
        throttled_all_at_once: "and the library bounds neither",
        throttled_semaphore: "that a semaphore is a rate limiter",
        throttled_narrow_semaphore: "A semaphore knows no clock",
        throttled_each_pauses: "that a pause makes a pace",
        throttled_pause_afterwards: "no refusal: starts 0.125 s apart",
        throttled_one_by_one: "that a pace needs single file",
        throttled_bursts: "wait through `asleep`",
        throttled_half_speed: "the last start by",
        throttled_per_second: "a gap is `60 / per_minute` seconds",
        throttled_a_pace_each: "that a pause makes a pace",
        throttled_no_door: "that a pace bounds what is open",
        throttled_timetable: "that a turn keeps",
        throttled_pace_then_door: "that a turn keeps",
        throttled_retries: "that a refusal costs nothing",
        throttled_langchain: "`asyncio.sleep` and `InMemoryRateLimiter` know another",
        throttled_real_sleep: "`asyncio.sleep` and `InMemoryRateLimiter` know another",
        throttled_blocking: "that a pace needs single file",
        throttled_completion_order: "that results come in the order in which they were started",
        throttled_messages: "take `.text` of each answer",
        throttled_looks_at_the_first: "an empty list has no first item",
        throttled_a_little_fast: "8.4 per second",
        throttled_unawaited: "your function returned a future that nobody awaited",
        throttled_list: "the list holds coroutines that nobody awaited",
        throttled_locked_one_by_one: "let a call begin while earlier ones are open",
        throttled_locked_blocking: "`llm.invoke` blocks everybody; `await llm.ainvoke(…)`",
        throttled_locked_pace_each: "a pace of its own: make it once, outside",
        throttled_forgets_await: "`await pace.turn()`: without `await` nothing waits",
        throttled_blank: "not written yet",
    },
    "limits.hedged": {
        hedged_always_two: "that the second request costs nothing",
        hedged_not_at_all: "let a task with `asleep(delay)` race with the first one",
        hedged_fallback: "let a task with `asleep(delay)` race with the first one",
        hedged_hangs_up: "that a slow request is a lost one",
        hedged_prefers_the_backup: "the answer at 2.75 s, which was the primary's",
        hedged_waits_for_both: "`gather` for all",
        hedged_keeps_the_loser: "that a request nobody waits for is over",
        hedged_error_wins: "that whoever is done first has won",
        hedged_as_in_the_lesson: "`task.exception()` is None for an answer",
        hedged_waits_out_the_delay: "ask the backup at once",
        hedged_real_timeout: "let a task with `asleep(delay)` race with the first one",
        hedged_wait_for: "`wait_for(…, delay)`",
        hedged_to_the_same: "the second request is the backup's",
        hedged_delay_first: "ask first, then wait",
        hedged_sleeps_the_delay: "you slept the whole delay although the answer was there",
        hedged_swallows: "nobody has an answer: `first.result()` raises the error",
        hedged_message: "return the text inside that AIMessage",
        hedged_blank: "not written yet",
    },
}

HELD_BACK = {  # answers that pass the cases that are shown, and fail one that is held back
    "limits.hedged": [hedged_looks_for_a_status],
}

FOLDED = {  # answers whose first failure says something else, a case behind it, and the words to be read there
    "limits.workers": [(workers_call_only, "480 per minute", "look at its stay: the gap belongs to it")],
    "limits.pace": [
        (PaceMovedToTheSame, "five after a quiet time", "`now() + gap` is the same for all who come together"),
        (PaceForgetsAwait, "five after a quiet time", "1 of 2 requests refused"),
    ],
    "limits.hedged": [
        (hedged_wait_for, "an error after the hedge began", "`wait_for(…, delay)`"),
        (hedged_wait_for, "neither of them answers", "`wait_for(…, delay)`"),
    ],
}

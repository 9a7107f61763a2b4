"""Answers to exercise 3: right ones in several styles, and wrong ones with the words that a learner must read."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from langchain_core.runnables import RunnableLambda, RunnableParallel
from openai import APIStatusError

# --- parallel.at_once --------------------------------------------------------------------------------------------


async def at_once_gather(questions, llm):
    answers = await asyncio.gather(*(llm.ainvoke(question) for question in questions))
    return [answer.text for answer in answers]


async def at_once_group(questions, llm):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(llm.ainvoke(question)) for question in questions]
    return [task.result().text for task in tasks]


async def at_once_abatch(questions, llm):
    return [answer.content for answer in await llm.abatch(questions)]


def at_once_batch(questions, llm):
    """Without `async`: LangChain's threads."""
    return [answer.text for answer in llm.batch(questions, {"max_concurrency": 50})]


def at_once_threads(questions, llm):
    with ThreadPoolExecutor(50) as pool:
        return list(pool.map(lambda question: llm.invoke(f"Answer briefly.\n{question}").text, questions))


async def at_once_lcel(questions, llm):
    steps = {str(n): RunnableLambda(lambda _, q=question: q) | llm for n, question in enumerate(questions)}
    answers = await RunnableParallel(steps).ainvoke({})
    return [answers[str(n)].text for n in range(len(questions))]


async def at_once_one_by_one(questions, llm):
    return [(await llm.ainvoke(question)).text for question in questions]


async def at_once_blocking(questions, llm):
    async def ask(question):
        return llm.invoke(question).text

    return await asyncio.gather(*(ask(question) for question in questions))


async def at_once_completion_order(questions, llm):
    return [(await done).text for done in asyncio.as_completed([llm.ainvoke(q) for q in questions])]


async def at_once_messages(questions, llm):
    return await llm.abatch(questions)


async def at_once_all_in_one(questions, llm):
    return [(await llm.ainvoke("\n".join(questions))).text] * len(questions)


async def at_once_pairs(questions, llm):
    found = []
    for start in range(0, len(questions), 2):
        found += await llm.abatch(questions[start : start + 2])
    return [each.text for each in found]


async def at_once_twice(questions, llm):
    await llm.abatch(questions)
    return await at_once_gather(questions, llm)


def at_once_forgets_await(questions, llm):
    return [llm.ainvoke(question) for question in questions]


async def at_once_gather_unawaited(questions, llm):
    answers = asyncio.gather(*(llm.ainvoke(question) for question in questions))
    return [answer.text for answer in answers]


async def at_once_returns_gather(questions, llm):
    return asyncio.gather(*(llm.ainvoke(question) for question in questions))


async def at_once_returns_tasks(questions, llm):
    return [asyncio.create_task(llm.ainvoke(question)) for question in questions]


def at_once_blank(questions, llm):
    raise NotImplementedError


# --- parallel.bounded --------------------------------------------------------------------------------------------


async def bounded_semaphore(items, limit, llm):
    door = asyncio.Semaphore(limit)

    async def one(item):
        async with door:
            return (await llm.ainvoke(item)).text

    return await asyncio.gather(*(one(item) for item in items))


async def bounded_abatch(items, limit, llm):
    return [answer.text for answer in await llm.abatch(items, {"max_concurrency": limit})]


def bounded_threads(items, limit, llm):
    with ThreadPoolExecutor(limit) as pool:
        return list(pool.map(lambda item: llm.invoke(item).text, items))


async def bounded_workers(items, limit, llm):
    """A queue, and `limit` workers that take from it."""
    waiting, found = list(enumerate(items)), {}

    async def worker():
        while waiting:
            number, item = waiting.pop(0)
            found[number] = (await llm.ainvoke(item)).text

    await asyncio.gather(*(worker() for _ in range(limit)))
    return [found[number] for number in range(len(items))]


async def bounded_task_group(items, limit, llm):
    door = asyncio.Semaphore(limit)

    async def one(item):
        async with door:
            return await llm.ainvoke([("user", item)])

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(item)) for item in items]
    return [task.result().content for task in tasks]


async def bounded_one_each(items, limit, llm):
    async def one(item):
        async with asyncio.Semaphore(limit):
            return (await llm.ainvoke(item)).text

    return await asyncio.gather(*(one(item) for item in items))


async def bounded_not_at_all(items, limit, llm):
    return [answer.text for answer in await llm.abatch(items)]


async def bounded_one_by_one(items, limit, llm):
    return [(await llm.ainvoke(item)).text for item in items]


async def bounded_groups(items, limit, llm):
    found = []
    for start in range(0, len(items), limit):
        found += await asyncio.gather(*(llm.ainvoke(item) for item in items[start : start + limit]))
    return [answer.text for answer in found]


async def bounded_completion_order(items, limit, llm):
    door = asyncio.Semaphore(limit)

    async def one(item):
        async with door:
            return (await llm.ainvoke(item)).text

    return [await done for done in asyncio.as_completed([one(item) for item in items])]


async def bounded_blocking(items, limit, llm):
    door = asyncio.Semaphore(limit)

    async def one(item):
        async with door:
            return llm.invoke(item).text

    return await asyncio.gather(*(one(item) for item in items))


async def bounded_off_by_one(items, limit, llm):
    return [answer.text for answer in await llm.abatch(items, {"max_concurrency": limit + 1})]


async def bounded_too_narrow(items, limit, llm):
    return [answer.text for answer in await llm.abatch(items, {"max_concurrency": max(1, limit - 1)})]


DOOR = asyncio.Semaphore(3)


async def bounded_outside(items, limit, llm):
    """The door stands above the function."""

    async def one(item):
        async with DOOR:
            return (await llm.ainvoke(item)).text

    return await asyncio.gather(*(one(item) for item in items))


async def bounded_keyword(items, limit, llm):
    return [answer.text for answer in await llm.abatch(items, max_concurrency=limit)]


async def bounded_blank(items, limit, llm):
    raise NotImplementedError


# --- parallel.partial --------------------------------------------------------------------------------------------


async def partial_exceptions(items, llm):
    answers = await asyncio.gather(*(llm.ainvoke(item) for item in items), return_exceptions=True)
    results, errors = {}, {}
    for item, answer in zip(items, answers, strict=True):
        if isinstance(answer, APIStatusError):
            errors[item] = answer.status_code
        else:
            results[item] = answer.text
    return {"results": results, "errors": errors}


async def partial_try(items, llm):
    results, errors = {}, {}

    async def one(item):
        try:
            results[item] = (await llm.ainvoke(item)).text
        except APIStatusError as error:
            errors[item] = error.status_code

    await asyncio.gather(*map(one, items))
    return {"results": results, "errors": errors}


async def partial_abatch(items, llm):
    answers = await llm.abatch(items, return_exceptions=True)
    pairs = list(zip(items, answers, strict=True))
    return {
        "results": {item: answer.text for item, answer in pairs if not isinstance(answer, Exception)},
        "errors": {item: answer.status_code for item, answer in pairs if isinstance(answer, Exception)},
    }


def partial_threads(items, llm):
    def one(item):
        try:
            return llm.invoke(item).text
        except APIStatusError as error:
            return error.status_code

    with ThreadPoolExecutor(20) as pool:
        found = dict(zip(items, pool.map(one, items), strict=True))
    return {
        "results": {item: value for item, value in found.items() if isinstance(value, str)},
        "errors": {item: value for item, value in found.items() if isinstance(value, int)},
    }


async def partial_gather(items, llm):
    answers = await asyncio.gather(*(llm.ainvoke(item) for item in items))
    return {"results": {item: answer.text for item, answer in zip(items, answers, strict=True)}, "errors": {}}


async def partial_group(items, llm):
    """Catches the group, and has lost the healthy ones."""
    tasks = {}
    try:
        async with asyncio.TaskGroup() as group:
            for item in items:
                tasks[item] = group.create_task(llm.ainvoke(item))
    except* APIStatusError:
        pass
    done = {item: task for item, task in tasks.items() if not task.cancelled()}
    return {
        "results": {item: task.result().text for item, task in done.items() if not task.exception()},
        "errors": {item: task.exception().status_code for item, task in done.items() if task.exception()},
    }


async def partial_mixed(items, llm):
    answers = await asyncio.gather(*(llm.ainvoke(item) for item in items), return_exceptions=True)
    return {"results": dict(zip(items, answers, strict=True)), "errors": {}}


async def partial_swallowed(items, llm):
    found = await partial_exceptions(items, llm)
    return found | {"errors": {}}


async def partial_again(items, llm):
    for _ in range(2):
        found = await partial_exceptions(items, llm)
        if not found["errors"]:
            break
    return found


async def partial_one_by_one(items, llm):
    results, errors = {}, {}
    for item in items:
        try:
            results[item] = (await llm.ainvoke(item)).text
        except APIStatusError as error:
            errors[item] = error.status_code
    return {"results": results, "errors": errors}


async def partial_shifted(items, llm):
    """Drops the failures first, then pairs what is left with the items."""
    answers = await asyncio.gather(*(llm.ainvoke(item) for item in items), return_exceptions=True)
    good = [answer.text for answer in answers if not isinstance(answer, Exception)]
    bad = {i: a.status_code for i, a in zip(items, answers, strict=True) if isinstance(a, Exception)}
    return {"results": dict(zip(items, good, strict=False)), "errors": bad}


async def partial_words(items, llm):
    found = await partial_exceptions(items, llm)
    return found | {"errors": {item: str(status) for item, status in found["errors"].items()}}


async def partial_list(items, llm):
    found = await partial_exceptions(items, llm)
    return found["results"], found["errors"]


async def partial_blank(items, llm):
    raise NotImplementedError


# --- parallel.vote -----------------------------------------------------------------------------------------------


def cleaned(answer):
    return re.sub("[^a-z]", "", answer.text.lower())


def vote_plain(question, n, llm):
    votes = Counter()
    for asked in range(1, n + 1):
        votes[cleaned(llm.bind(temperature=0.7, seed=asked).invoke(question))] += 1
        (winner, lead), *others = votes.most_common()
        second = others[0][1] if others else 0
        if lead - second > n - asked:
            return winner
    return "tie"


async def vote_async(question, n, llm):
    votes = []
    while len(votes) < n:
        answer = await llm.bind(temperature=1.0, seed=len(votes)).ainvoke([("user", question)])
        votes.append(answer.text.strip().strip("*. \n").lower().strip("*. "))
        counts = [*sorted(Counter(votes).values(), reverse=True), 0]
        if counts[0] > counts[1] + n - len(votes):
            return Counter(votes).most_common(1)[0][0]
    return "tie"


def vote_copies(question, n, llm):
    """Copies of the model instead of `bind`."""
    counts = {}
    for number in range(n):
        voter = llm.model_copy(update={"temperature": 0.9, "seed": 100 + number})
        word = cleaned(voter.invoke(f"{question}\nAnswer with one word."))
        counts[word] = counts.get(word, 0) + 1
        ranking = sorted(counts.values())
        if ranking[-1] - (ranking[-2] if len(ranking) > 1 else 0) > n - number - 1:
            break
    best = max(counts.values())
    leaders = [word for word in counts if counts[word] == best]
    return leaders[0] if len(leaders) == 1 else "tie"


def vote_with(question, n, llm, *, key=cleaned, stop=lambda lead, second, left: lead - second > left, tie="tie",
              options=lambda asked: {"temperature": 0.7, "seed": asked}, last=False):  # fmt: skip
    """A vote in which one thing is wrong."""
    votes = Counter()
    for asked in range(1, n + 1):
        answer = key(llm.bind(**options(asked)).invoke(question))
        votes[answer] += 1
        (winner, lead), *others = votes.most_common()
        if stop(lead, others[0][1] if others else 0, n - asked):
            return answer if last else winner
    return tie or winner


def vote_raw(question, n, llm):
    return vote_with(question, n, llm, key=lambda answer: answer.text)


def vote_cold(question, n, llm):
    return vote_with(question, n, llm, options=lambda asked: {"temperature": 0, "seed": asked})


def vote_one_seed(question, n, llm):
    return vote_with(question, n, llm, options=lambda asked: {"temperature": 0.7, "seed": 7})


def vote_no_seed(question, n, llm):
    return vote_with(question, n, llm, options=lambda asked: {"temperature": 0.7})


def vote_to_the_end(question, n, llm):
    return vote_with(question, n, llm, stop=lambda lead, second, left: left == 0 and lead > second)


def vote_too_early(question, n, llm):
    return vote_with(question, n, llm, stop=lambda lead, second, left: lead >= 2)


def vote_at_equality(question, n, llm):
    return vote_with(question, n, llm, stop=lambda lead, second, left: lead - second >= left and lead > second)


def vote_first_of_a_tie(question, n, llm):
    return vote_with(question, n, llm, tie="")


def vote_last(question, n, llm):
    answers = [cleaned(llm.bind(temperature=0.7, seed=k).invoke(question)) for k in range(n)]
    return answers[-1]


def vote_decorated(question, n, llm):
    answers = []

    def remember(answer):
        answers.append(answer.text)
        return cleaned(answer)

    winner = vote_with(question, n, llm, key=remember)
    return winner if winner == "tie" else answers[0]


def vote_majority(question, n, llm):
    return vote_with(question, n, llm, stop=lambda lead, second, left: lead > n / 2)


def vote_blank(question, n, llm):
    raise NotImplementedError


RIGHT = {
    "parallel.at_once": [
        at_once_gather, at_once_group, at_once_abatch, at_once_batch, at_once_threads, at_once_lcel,
    ],
    "parallel.bounded": [bounded_semaphore, bounded_abatch, bounded_threads, bounded_workers, bounded_task_group],
    "parallel.partial": [partial_exceptions, partial_try, partial_abatch, partial_threads],
    "parallel.vote": [vote_plain, vote_async, vote_copies],
}  # fmt: skip

WRONG = {  # check -> answer -> words that a learner must read
    "parallel.at_once": {
        at_once_one_by_one: "measured concurrency 1: each call waited for the one before",
        at_once_blocking: "that `async def` makes a function run in the background",
        at_once_completion_order: "that results come in the order in which they were started",
        at_once_messages: "take `.text` of each answer",
        at_once_all_in_one: "build each prompt from its own question alone",
        at_once_pairs: "at most 2 requests open at once",
        at_once_twice: "2 requests with question 1 in the prompt",
        at_once_forgets_await: "the list holds coroutines that nobody awaited",
        at_once_gather_unawaited: "`gather` gave you a promise, not the answers: write `await` before it",
        at_once_returns_gather: "`gather` gave you a promise, not the answers: write `await` before it",
        at_once_returns_tasks: "a task is a promise",
        at_once_blank: "not written yet",
    },
    "parallel.bounded": {
        bounded_one_each: "that any semaphore bounds; only one that all tasks share does",
        bounded_not_at_all: "7 requests open at once",
        bounded_one_by_one: "measured concurrency 1",
        bounded_groups: "each group waits for its slowest",
        bounded_completion_order: "all answers, in another order than the items",
        bounded_blocking: "measured concurrency 1",
        bounded_off_by_one: "never more than 3",
        bounded_too_narrow: "at most 2 requests open at once",
        bounded_outside: "belongs to one event loop: make it inside the function",
        bounded_keyword: "`abatch(items, {'max_concurrency': limit})`",
        bounded_blank: "not written yet",
    },
    "parallel.partial": {
        partial_gather: "and no exception",
        partial_group: "cut off before the answer came",
        partial_mixed: "tell answers from exceptions",
        partial_swallowed: "0 items in `errors`",
        partial_again: "2 requests with item 1 in the prompt",
        partial_one_by_one: "measured concurrency 1",
        partial_shifted: "a result stands at the wrong item",
        partial_words: "as a number",
        partial_list: "return a dict with these two keys",
        partial_blank: "not written yet",
    },
    "parallel.vote": {
        vote_raw: "that two answers are the same only when every letter is",
        vote_cold: "requests at temperature 0",
        vote_one_seed: "3 requests with 1 seed",
        vote_no_seed: "another seed for each vote",
        vote_to_the_end: "that a vote needs all its voters",
        vote_too_early: "a lead decides only when it is larger than the number of votes still to come",
        vote_at_equality: "before that another answer could still win",
        vote_first_of_a_tie: "say 'tie'",
        vote_last: "that a vote needs all its voters",
        vote_decorated: "without its decoration",
        vote_majority: "3 lead, 1 second, 1 still to come: decided",
        vote_blank: "not written yet",
    },
}

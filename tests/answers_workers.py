"""Answers to exercise 6: right ones in several styles, and wrong ones with the words that a learner must read."""

import asyncio
import json
import operator
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, TypedDict

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from pydantic import BaseModel, Field, TypeAdapter

# --- workers.plan ------------------------------------------------------------------------------------------------

ASK = "PLAN: Break this task into subtasks. Reply only with a JSON array of texts.\n\n"


def read(text):
    found = json.loads(text[text.find("[") : text.rfind("]") + 1])
    if not found or not all(isinstance(each, str) for each in found):
        raise ValueError("no plan")
    return found


def plan_loads(task, llm, max_subtasks=6):
    return list(dict.fromkeys(read(llm.invoke(ASK + task).text)))[:max_subtasks]


async def plan_pydantic(task, llm, max_subtasks=6):
    text = (await llm.ainvoke(ASK + task)).text
    found = re.search(r"\[.*\]", text, re.DOTALL)
    plan = TypeAdapter(Annotated[list[str], Field(min_length=1)]).validate_json(found[0] if found else "")
    return list(dict.fromkeys(plan))[:max_subtasks]


def plan_loop(task, llm, max_subtasks=6):
    """Counts while it reads, and raises an error of its own."""

    class NoPlan(ValueError):
        pass

    text = llm.invoke(ASK + task).content
    try:
        entries = json.loads("[" + text.partition("[")[2].rpartition("]")[0] + "]")
    except json.JSONDecodeError as error:
        raise NoPlan(text) from error
    plan = []
    for entry in entries:
        if type(entry) is not str:
            raise NoPlan(text)
        if entry not in plan and len(plan) < max_subtasks:
            plan.append(entry)
    if not plan:
        raise NoPlan(text)
    return plan


def plan_trusting(task, llm, max_subtasks=6):
    return json.loads(llm.invoke(ASK + task).text)


def plan_uncut(task, llm, max_subtasks=6):
    return list(dict.fromkeys(read(llm.invoke(ASK + task).text)))


def plan_repeating(task, llm, max_subtasks=6):
    return read(llm.invoke(ASK + task).text)[:max_subtasks]


def plan_unordered(task, llm, max_subtasks=6):
    return sorted(set(read(llm.invoke(ASK + task).text)), reverse=True)[:max_subtasks]


def plan_unread(task, llm, max_subtasks=6):
    text = llm.invoke(ASK + task).text
    return list(dict.fromkeys(json.loads(text[text.find("[") : text.rfind("]") + 1])))[:max_subtasks]


def plan_any_type(task, llm, max_subtasks=6):
    text = llm.invoke(ASK + task).text
    found = json.loads(text[text.find("[") : text.rfind("]") + 1])
    if not found:
        raise ValueError("empty")
    return [each for n, each in enumerate(found) if each not in found[:n]][:max_subtasks]


def plan_lines(task, llm, max_subtasks=6):
    return llm.invoke(ASK + task).text.splitlines()[:max_subtasks]


def plan_quiet(task, llm, max_subtasks=6):
    try:
        return plan_loads(task, llm, max_subtasks)
    except ValueError:
        return []


def plan_again(task, llm, max_subtasks=6):
    try:
        return plan_loads(task, llm, max_subtasks)
    except ValueError:
        return plan_loads(task, llm, max_subtasks)


def plan_cut_first(task, llm, max_subtasks=6):
    return list(dict.fromkeys(read(llm.invoke(ASK + task).text)[:max_subtasks]))


def plan_returns_error(task, llm, max_subtasks=6):
    try:
        return plan_loads(task, llm, max_subtasks)
    except ValueError:
        return ValueError("no plan")


def plan_blank(task, llm, max_subtasks=6):
    raise NotImplementedError


# --- workers.mend ------------------------------------------------------------------------------------------------


class Letter(TypedDict, total=False):
    article: str
    parts: Annotated[list, operator.add]
    text: str


def desk_steps(order, question, llm):
    """As the notebook gives them."""

    async def ask(step, prompt):
        return (await llm.ainvoke(f"{step}: {prompt}")).text

    async def look_up(state):
        return {"parts": [await ask("ORDER", f"What is the state of order {order}?")]}

    async def search(state):
        return {"article": await ask("SEARCH", f"Which article of the help centre fits? {question}")}

    async def answer(state):
        return {"parts": [await ask("ANSWER", f"Answer from the article.\n\n{question}\n\n{state['article']}")]}

    async def join(state):
        return {"text": await ask("JOIN", "Merge these parts into one letter.\n\n" + "\n\n".join(state["parts"]))}

    return {"look up": look_up, "search": search, "answer": answer, "join": join}


async def drawn(order, question, llm, *, each=True, defer=False, skips=True, starts=("look up", "search")):
    """The graph with one thing or another changed."""
    graph = StateGraph(Letter)
    for name, node in desk_steps(order, question, llm).items():
        graph.add_node(name, node, defer=defer and name == "join")
    targets = list(starts) if question or not skips else ["look up"]
    graph.add_conditional_edges(START, lambda state: targets, ["look up", "search"])
    graph.add_edge("search", "answer").add_edge("join", END)
    if each:
        graph.add_edge("look up", "join").add_edge("answer", "join")
    else:
        graph.add_edge(["look up", "answer"], "join")
    return (await graph.compile().ainvoke({}))["text"]


async def mend_defer(order, question, llm):
    return await drawn(order, question, llm, defer=True)


async def mend_gather(order, question, llm):
    steps = desk_steps(order, question, llm)

    async def answered():
        return (await steps["answer"](await steps["search"]({})))["parts"] if question else []

    state, more = await asyncio.gather(steps["look up"]({}), answered())
    return (await steps["join"]({"parts": state["parts"] + more}))["text"]


async def mend_collect(order, question, llm):
    """A path that always arrives."""
    graph = StateGraph(Letter)
    for name, node in desk_steps(order, question, llm).items():
        graph.add_node(name, node)
    graph.add_node("collect", lambda state: {})
    targets = ["look up", "search" if question else "collect"]
    graph.add_conditional_edges(START, lambda state: targets, ["look up", "search", "collect"])
    graph.add_edge("search", "answer").add_edge("answer", "collect").add_edge(["look up", "collect"], "join")
    return (await graph.compile().ainvoke({}))["text"]


def mend_threads(order, question, llm):
    def ask(prompt):
        return llm.invoke(prompt).text

    with ThreadPoolExecutor() as pool:
        state = pool.submit(ask, f"ORDER: {order}")
        more = [ask(f"ANSWER: {question}\n{ask(f'SEARCH: {question}')}")] if question else []
        return ask("\n".join(["JOIN: Merge.", state.result(), *more]))


async def mend_list_by_case(order, question, llm):
    return await drawn(order, question, llm, each=not question)


async def mend_not(order, question, llm):
    return await drawn(order, question, llm)


async def mend_list(order, question, llm):
    return await drawn(order, question, llm, each=False)


async def mend_always_searches(order, question, llm):
    return await drawn(order, question, llm, each=False, skips=False)


async def mend_in_turn(order, question, llm):
    steps = desk_steps(order, question, llm)
    parts = (await steps["look up"]({}))["parts"]
    if question:
        parts += (await steps["answer"](await steps["search"]({})))["parts"]
    return (await steps["join"]({"parts": parts}))["text"]


async def mend_one_part(order, question, llm):
    steps = desk_steps(order, question, llm)
    parts = (
        await asyncio.gather(steps["look up"]({}), steps["search"]({})) if question else [await steps["look up"]({})]
    )
    if question:
        parts = [await steps["answer"](parts[1])]
    return (await steps["join"]({"parts": parts[0]["parts"]}))["text"]


async def mend_no_order(order, question, llm):
    return await drawn(order, question, llm, defer=True, starts=["search"])


async def mend_unnamed(order, question, llm):
    return (await llm.ainvoke(f"Write a letter about {order}. {question}")).text


async def mend_message(order, question, llm):
    await mend_defer(order, question, llm)


async def mend_forgets_inner_await(order, question, llm):
    steps = desk_steps(order, question, llm)

    async def answered():
        return steps["answer"](await steps["search"]({})) if question else ""

    found, more = await asyncio.gather(steps["look up"]({}), answered())
    return (await llm.ainvoke(f"JOIN: {found['parts']} and {more}")).text


async def mend_blank(order, question, llm):
    raise NotImplementedError


# --- workers.orchestrate -----------------------------------------------------------------------------------------


async def two_plans(task, llm, most, *, plans=2, again=lambda prompt, text: f"{prompt}\n\nThis was no plan: {text}"):
    prompt = ASK + task
    for _ in range(plans):
        text = (await llm.ainvoke(prompt)).text
        try:
            return list(dict.fromkeys(read(text)))[:most]
        except ValueError:
            prompt = again(ASK + task, text)
    raise ValueError("no plan")


async def orchestrate_gather(task, llm, max_workers=4, max_subtasks=6):
    subtasks = await two_plans(task, llm, max_subtasks)
    door = asyncio.Semaphore(max_workers)

    async def work(subtask):
        async with door:
            return (await llm.ainvoke(f"WORK: {subtask}")).text

    parts = await asyncio.gather(*map(work, subtasks))
    return (await llm.ainvoke("JOIN: Merge.\n\n" + "\n\n".join(parts))).text


class Desk(TypedDict, total=False):
    task: str
    subtasks: list
    parts: Annotated[list, operator.add]
    reply: str


def graph_of(llm, most, two_joins=False, gives_up=ValueError):
    async def plan(state):
        return {"subtasks": await two_plans(state["task"], llm, most)}

    def hand_out(state):
        return [Send("work", {"subtask": each}) for each in state["subtasks"]]

    async def work(payload):
        return {"parts": [(await llm.ainvoke(f"WORK: {payload['subtask']}")).text]}

    async def join(state):
        return {"reply": (await llm.ainvoke("JOIN: Merge.\n\n" + "\n\n".join(state["parts"]))).text}

    graph = StateGraph(Desk).add_node("plan", plan).add_node("work", work).add_node("join", join)
    graph.add_edge(START, "plan").add_conditional_edges("plan", hand_out, ["work"]).add_edge("work", "join")
    if two_joins:
        graph.add_edge("plan", "join")
    return graph.add_edge("join", END).compile()


async def orchestrate_graph(task, llm, max_workers=4, max_subtasks=6):
    state = await graph_of(llm, max_subtasks).ainvoke({"task": task}, {"max_concurrency": max_workers})
    return state["reply"]


def orchestrate_threads(task, llm, max_workers=4, max_subtasks=6):
    """Without `async`, and with the bad answer as a message."""
    talk = [("system", "You plan."), ("user", ASK + task)]
    for turn in range(2):
        text = llm.invoke(talk).text
        try:
            subtasks = list(dict.fromkeys(read(text)))[:max_subtasks]
            break
        except ValueError:
            if turn:
                raise
            talk += [("assistant", text), ("user", "That was no JSON array. Once more.")]
    with ThreadPoolExecutor(max_workers) as pool:
        parts = list(pool.map(lambda subtask: llm.invoke(f"WORK: {subtask}").text, subtasks))
    return llm.invoke(f"JOIN: {json.dumps(parts)}").text


async def orchestrate_lcel(task, llm, max_workers=4, max_subtasks=6):
    work = ChatPromptTemplate.from_template("WORK: Do this.\n{subtask}") | llm | StrOutputParser()
    join = ChatPromptTemplate.from_messages([("system", "JOIN: Merge."), ("user", "{parts}")]) | llm | StrOutputParser()
    subtasks = await two_plans(task, llm, max_subtasks)
    parts = await work.abatch([{"subtask": each} for each in subtasks], {"max_concurrency": max_workers})
    return await join.ainvoke({"parts": "\n".join(parts)})


async def orchestrate_as_completed(task, llm, max_workers=4, max_subtasks=6):
    """The results in the order in which they come: all are there, and that is what counts."""
    subtasks, door = await two_plans(task, llm, max_subtasks), asyncio.Semaphore(max_workers)

    async def work(subtask):
        async with door:
            return (await llm.ainvoke(f"WORK: {subtask}")).text

    parts = [await done for done in asyncio.as_completed([work(each) for each in subtasks])]
    return (await llm.ainvoke(f"JOIN: {parts}")).text


async def built(task, llm, width, most, *, plan=two_plans, prompt=lambda task, subtasks, own: own, keep=list):
    """A right program but for one part."""
    subtasks = await plan(task, llm, most)
    prompts = [f"WORK: {prompt(task, subtasks, own)}" for own in subtasks]
    parts = [answer.text for answer in await llm.abatch(prompts, {"max_concurrency": width})]
    return (await llm.ainvoke("JOIN: Merge.\n\n" + "\n\n".join(keep(parts)))).text


async def orchestrate_uncapped(task, llm, max_workers=4, max_subtasks=6):
    return await built(task, llm, max_workers, 1000)


async def orchestrate_repeats(task, llm, max_workers=4, max_subtasks=6):
    async def plan(task, llm, most):
        return read((await llm.ainvoke(ASK + task)).text)[:most]

    return await built(task, llm, max_workers, max_subtasks, plan=plan)


async def orchestrate_cut_first(task, llm, max_workers=4, max_subtasks=6):
    async def plan(task, llm, most):
        return list(dict.fromkeys(read((await llm.ainvoke(ASK + task)).text)[:most]))

    return await built(task, llm, max_workers, max_subtasks, plan=plan)


async def orchestrate_unbounded(task, llm, max_workers=4, max_subtasks=6):
    return await built(task, llm, None, max_subtasks)


async def orchestrate_one_by_one(task, llm, max_workers=4, max_subtasks=6):
    return await built(task, llm, 1, max_subtasks)


async def orchestrate_pairs(task, llm, max_workers=4, max_subtasks=6):
    return await built(task, llm, 2, max_subtasks)


async def orchestrate_no_repair(task, llm, max_workers=4, max_subtasks=6):
    async def plan(task, llm, most):
        return await two_plans(task, llm, most, plans=1)

    return await built(task, llm, max_workers, max_subtasks, plan=plan)


async def orchestrate_three_plans(task, llm, max_workers=4, max_subtasks=6):
    async def plan(task, llm, most):
        return await two_plans(task, llm, most, plans=3)

    return await built(task, llm, max_workers, max_subtasks, plan=plan)


async def orchestrate_same_again(task, llm, max_workers=4, max_subtasks=6):
    async def plan(task, llm, most):
        return await two_plans(task, llm, most, again=lambda prompt, text: prompt)

    return await built(task, llm, max_workers, max_subtasks, plan=plan)


async def orchestrate_strict_json(task, llm, max_workers=4, max_subtasks=6):
    async def plan(task, llm, most):
        for words in ("", "\n\nJSON alone, please."):
            try:
                return list(dict.fromkeys(json.loads((await llm.ainvoke(ASK + task + words)).text)))[:most]
            except ValueError:
                pass
        raise ValueError("no plan")

    return await built(task, llm, max_workers, max_subtasks, plan=plan)


async def orchestrate_gives_up_quietly(task, llm, max_workers=4, max_subtasks=6):
    try:
        return await orchestrate_gather(task, llm, max_workers, max_subtasks)
    except ValueError:
        return ""


async def orchestrate_joins_nothing(task, llm, max_workers=4, max_subtasks=6):
    try:
        return await orchestrate_gather(task, llm, max_workers, max_subtasks)
    except ValueError:
        return (await llm.ainvoke(f"JOIN: Say sorry. {task}")).text


async def orchestrate_one_result(task, llm, max_workers=4, max_subtasks=6):
    return await built(task, llm, max_workers, max_subtasks, keep=lambda parts: parts[-1:])


async def orchestrate_three(task, llm, max_workers=4, max_subtasks=6):
    return await built(task, llm, max_workers, 3)


async def orchestrate_whole_plan(task, llm, max_workers=4, max_subtasks=6):
    return await built(task, llm, max_workers, max_subtasks, prompt=lambda task, all, own: f"{own}\nPlan: {all}")


async def orchestrate_whole_task(task, llm, max_workers=4, max_subtasks=6):
    return await built(task, llm, max_workers, max_subtasks, prompt=lambda task, all, own: f"{task}\n{own}")


async def orchestrate_impatient(task, llm, max_workers=4, max_subtasks=6):
    subtasks, door = await two_plans(task, llm, max_subtasks), asyncio.Semaphore(max_workers)

    async def work(subtask):
        async with door:
            return (await llm.ainvoke(f"WORK: {subtask}")).text

    done, left = await asyncio.wait(
        [asyncio.create_task(work(each)) for each in subtasks], return_when="FIRST_COMPLETED"
    )
    reply = (await llm.ainvoke("JOIN: " + "\n".join(task.result() for task in done))).text
    await asyncio.gather(*left)
    return reply


async def orchestrate_two_joins(task, llm, max_workers=4, max_subtasks=6):
    graph = graph_of(llm, max_subtasks, two_joins=True)
    return (await graph.ainvoke({"task": task, "parts": []}, {"max_concurrency": max_workers}))["reply"]


async def orchestrate_pastes(task, llm, max_workers=4, max_subtasks=6):
    subtasks = await two_plans(task, llm, max_subtasks)
    parts = await llm.abatch([f"WORK: {each}" for each in subtasks], {"max_concurrency": max_workers})
    return "\n\n".join(part.text for part in parts)


async def orchestrate_unnamed(task, llm, max_workers=4, max_subtasks=6):
    return read((await llm.ainvoke(f"Break this into subtasks: {task}")).text)[0]


async def orchestrate_message(task, llm, max_workers=4, max_subtasks=6):
    class Whole:
        def __init__(self):
            self.llm = llm

        async def ainvoke(self, prompt):
            return await llm.ainvoke(prompt)

    await orchestrate_gather(task, Whole(), max_workers, max_subtasks)


async def orchestrate_parameters(question, llm):
    return ""


async def orchestrate_blank(task, llm, max_workers=4, max_subtasks=6):
    raise NotImplementedError


# --- workers.refine ----------------------------------------------------------------------------------------------


def judged(text):
    return json.loads(text[text.find("{") : text.rfind("}") + 1])


def refine_loop(task, llm, max_rounds=3):
    draft, best = llm.invoke(f"DRAFT: {task}").text, (-1, "")
    for turn in range(max_rounds):
        judgement = judged(llm.invoke(f"JUDGE: {task}\n\nDraft: {draft}").text)
        if judgement["verdict"] == "PASS":
            return draft
        if judgement["score"] > best[0]:
            best = (judgement["score"], draft)
        if turn < max_rounds - 1:
            draft = llm.invoke(f"IMPROVE: {task}\n\n{draft}\n\n{judgement['feedback']}").text
    return best[1]


class Judgement(BaseModel):
    score: float
    verdict: str
    feedback: str


async def refine_pydantic(task, llm, max_rounds=3):
    """`async`, pydantic, and `max` at the end."""
    drafts = [(await llm.ainvoke([("system", "DRAFT: Write."), ("user", task)])).text]
    scores = []
    while True:
        text = (await llm.ainvoke(f"JUDGE: {task}\n{drafts[-1]}")).text
        found = Judgement.model_validate_json(re.search(r"\{.*\}", text, re.DOTALL)[0])
        scores.append(found.score)
        if found.verdict == "PASS":
            return drafts[-1]
        if len(scores) == max_rounds:
            return drafts[scores.index(max(scores))]
        prompt = ChatPromptTemplate.from_template("IMPROVE: {task}\n{draft}\n{remarks}")
        chain = prompt | llm | StrOutputParser()
        drafts.append(await chain.ainvoke({"task": task, "draft": drafts[-1], "remarks": text}))


class Loop(TypedDict, total=False):
    draft: str
    judgement: dict
    best: tuple
    rounds: int


def refine_graph(task, llm, max_rounds=3):
    def write(state):
        return {"draft": llm.invoke(f"DRAFT: {task}").text, "best": (-1, ""), "rounds": 0}

    def judge(state):
        found = judged(llm.invoke(f"JUDGE: {task}\n{state['draft']}").text)
        rank = (99 if found["verdict"] == "PASS" else found["score"], state["draft"])
        return {
            "judgement": found,
            "best": max(state["best"], rank, key=lambda each: each[0]),
            "rounds": state["rounds"] + 1,
        }

    def improve(state):
        return {"draft": llm.invoke(f"IMPROVE: {task}\n{state['draft']}\n{state['judgement']['feedback']}").text}

    def further(state):
        return END if state["judgement"]["verdict"] == "PASS" or state["rounds"] >= max_rounds else "improve"

    graph = StateGraph(Loop).add_node("write", write).add_node("judge", judge).add_node("improve", improve)
    graph.add_edge(START, "write").add_edge("write", "judge").add_edge("improve", "judge")
    return graph.add_conditional_edges("judge", further, ["improve", END]).compile().invoke({})["best"][1]


def refine_with(task, llm, max_rounds=3, *, passes=lambda text, found: found["verdict"] == "PASS", read=judged,
                improve="{task}\n{draft}\n{feedback}", judge="{task}\n{draft}", pick=max, extra=False):  # fmt: skip
    """A loop in which one thing is wrong."""
    draft, ranked, turn = llm.invoke(f"DRAFT: {task}").text, [], 0
    while True:
        text = llm.invoke("JUDGE: " + judge.format(task=task, draft=draft)).text
        found = read(text)
        ranked.append((found["score"], -turn, draft))
        turn += 1
        if passes(text, found):
            return draft
        if turn >= max_rounds and not extra:
            return pick(ranked)[2]
        draft = llm.invoke("IMPROVE: " + improve.format(task=task, draft=draft, feedback=found["feedback"])).text
        if turn >= max_rounds:
            return pick(ranked)[2]


def refine_last(task, llm, max_rounds=3):
    return refine_with(task, llm, max_rounds, pick=lambda ranked: ranked[-1])


def refine_first(task, llm, max_rounds=3):
    return refine_with(task, llm, max_rounds, pick=lambda ranked: ranked[0])


def refine_deaf(task, llm, max_rounds=3):
    return refine_with(task, llm, max_rounds, improve="{task}\n{draft}")


def refine_anew(task, llm, max_rounds=3):
    return refine_with(task, llm, max_rounds, improve="{task}\n{feedback}")


def refine_forgets_task(task, llm, max_rounds=3):
    return refine_with(task, llm, max_rounds, improve="{draft}\n{feedback}")


def refine_endless(task, llm, max_rounds=3):
    return refine_with(task, llm, 1000)


def refine_substring(task, llm, max_rounds=3):
    return refine_with(task, llm, max_rounds, passes=lambda text, found: "PASS" in found["verdict"])


def refine_whole_text(task, llm, max_rounds=3):
    return refine_with(task, llm, max_rounds, passes=lambda text, found: re.search(r"(?<!NOT )PASS", text))


def refine_never_stops(task, llm, max_rounds=3):
    return refine_with(task, llm, max_rounds, passes=lambda text, found: False)


def refine_blind(task, llm, max_rounds=3):
    return refine_with(task, llm, max_rounds, judge="{task}")


def refine_one_more(task, llm, max_rounds=3):
    return refine_with(task, llm, max_rounds, extra=True)


def refine_strict_json(task, llm, max_rounds=3):
    return refine_with(task, llm, max_rounds, read=json.loads)


def refine_score_alone(task, llm, max_rounds=3):
    return refine_with(task, llm, max_rounds, passes=lambda text, found: found["score"] >= 7)


def refine_best_of_all(task, llm, max_rounds=3):
    draft, ranked = llm.invoke(f"DRAFT: {task}").text, []
    for turn in range(max_rounds):
        found = judged(llm.invoke(f"JUDGE: {task}\n{draft}").text)
        ranked.append((found["score"], -turn, draft))
        if found["verdict"] == "PASS" or turn == max_rounds - 1:
            break
        draft = llm.invoke(f"IMPROVE: {task}\n{draft}\n{found['feedback']}").text
    return max(ranked)[2]


def refine_judges_first_draft(task, llm, max_rounds=3):
    """Improves, and goes on judging what it wrote first."""
    first = llm.invoke(f"DRAFT: {task}").text
    for turn in range(max_rounds):
        found = judged(llm.invoke(f"JUDGE: {task}\n{first}").text)
        if found["verdict"] == "PASS" or turn == max_rounds - 1:
            return first
        llm.invoke(f"IMPROVE: {task}\n{first}\n{found['feedback']}")


def refine_pairs(task, llm, max_rounds=3):
    return refine_loop(task, llm, max_rounds), True


def refine_last_of_equal(task, llm, max_rounds=3):
    return refine_with(task, llm, max_rounds, pick=lambda ranked: max(ranked, key=lambda each: (each[0], -each[1])))


def refine_blank(task, llm, max_rounds=3):
    raise NotImplementedError


RIGHT = {
    "workers.plan": [plan_loads, plan_pydantic, plan_loop],
    "workers.mend": [mend_defer, mend_gather, mend_collect, mend_threads, mend_list_by_case],
    "workers.orchestrate": [
        orchestrate_gather, orchestrate_graph, orchestrate_threads, orchestrate_lcel, orchestrate_as_completed,
    ],
    "workers.refine": [refine_loop, refine_pydantic, refine_graph],
}  # fmt: skip

WRONG = {  # check -> answer -> words that a learner must read
    "workers.plan": {
        plan_trusting: "the array reaches from the first [ to the last ]",
        plan_uncut: "cut the list after `max_subtasks` entries",
        plan_repeating: "drop what stands there already",
        plan_unordered: "keep the order of the plan",
        plan_unread: "is something in it, and is each entry a text?",
        plan_any_type: "is each entry a text?",
        plan_lines: "do not take it apart by hand",
        plan_quiet: "needs  ValueError",
        plan_again: "2 requests, then",
        plan_cut_first: "first drop repetitions, then cut to `max_subtasks`",
        plan_returns_error: "write `raise`, not `return`",
        plan_blank: "not written yet",
    },
    "workers.mend": {
        mend_not: "that an arrow into a step means: after everything that leads there",
        mend_list: "that whoever waits for all always gets to see all",
        mend_always_searches: "nothing is searched and nothing answered",
        mend_in_turn: "ORDER and SEARCH were never open at the same moment",
        mend_one_part: "does not hold the answer to ORDER",
        mend_no_order: "needs  ORDER, SEARCH, ANSWER, JOIN, once each",
        mend_unnamed: "request 1 names no step; it begins with 'Write a letter",
        mend_message: "return the text of the answer to JOIN",
        mend_forgets_inner_await: "`answer` was called and never awaited",
        mend_blank: "not written yet",
    },
    "workers.orchestrate": {
        orchestrate_uncapped: "keep the first 6 distinct subtasks",
        orchestrate_repeats: "the plan names a subtask more than once",
        orchestrate_cut_first: "drop repetitions first, then cut to `max_subtasks`",
        orchestrate_unbounded: "needs  never more than 4",
        orchestrate_one_by_one: "never more than 1 WORK request open at once",
        orchestrate_pairs: "never more than 2 WORK requests open at once",
        orchestrate_no_repair: "1 PLAN request, then ValueError",
        orchestrate_three_plans: "two PLAN requests at most",
        orchestrate_same_again: "the same PLAN request, word for word, twice",
        orchestrate_strict_json: "cut off what stands around the array",
        orchestrate_gives_up_quietly: "2 PLAN, then ''",
        orchestrate_joins_nothing: "2 PLAN, 1 JOIN, then",
        orchestrate_one_result: "a JOIN prompt with 1 of 5 results",
        orchestrate_three: "3 WORK requests",
        orchestrate_whole_plan: "a WORK prompt with 5 subtasks",
        orchestrate_whole_task: "a WORK prompt with the whole task",
        orchestrate_impatient: "wait for all workers, keep all their texts",
        orchestrate_two_joins: "2 JOIN requests",
        orchestrate_pastes: "0 JOIN requests",
        orchestrate_unnamed: "names no step",
        orchestrate_message: "return the text of the answer to JOIN",
        orchestrate_parameters: "keep the stub's names",
        orchestrate_blank: "not written yet",
    },
    "workers.refine": {
        refine_last: "that a later draft is a better one",
        refine_first: "draft 1 came back, with a score of 4",
        refine_deaf: "does not hold the judge's feedback",
        refine_anew: "does not hold draft 1",
        refine_forgets_task: "does not hold the task (IMPROVE)",
        refine_endless: "that a judge is content at some point",
        refine_substring: "Compare the whole verdict with `==`",
        refine_whole_text: "the feedback is prose",
        refine_never_stops: "stop as soon as the verdict is 'PASS'",
        refine_blind: "put the newest draft into the JUDGE prompt",
        refine_one_more: "no draft after the last one: nobody would judge it",
        refine_strict_json: "the object reaches from the first { to the last }",
        refine_score_alone: "only the verdict 'PASS' ends the loop",
        refine_best_of_all: "a draft that has passed is the result",
        refine_judges_first_draft: "does not hold draft 2",
        refine_pairs: "return the text of the best draft",
        refine_last_of_equal: "of equal scores the first draft wins",
        refine_blank: "not written yet",
    },
}

"""Exercise 6, "Manager and workers", fourth task: write, judge, improve, and keep the best.

Layer 2: imports `expect`, `steps`, `texts`, `workers` and `server.cases`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random

from course_utils.server.cases import Case, Finding, Scene, Seen, Task
from course_utils.tasks import expect
from course_utils.tasks.steps import ByStep, in_words, named, way
from course_utils.tasks.texts import answers, nonce, words
from course_utils.tasks.workers import with_remark

STEPS = ("DRAFT", "JUDGE", "IMPROVE")
OCCURS = "that a verdict which occurs in an answer is the answer."
LATER = "that a later draft is a better one."
CONTENT = "that a judge is content at some point."


@dataclass(frozen=True, slots=True)
class Round:
    """One judgement, and the draft that it is about."""

    score: int
    verdict: str
    draft: str
    feedback: str


def refine(rng: Random) -> list[Case]:
    return [
        refine_case("content at once", rng, [(8, "PASS")]),
        refine_case("content with the second draft", rng, [(7, "REVISE"), (6, "PASS")]),
        refine_case("the verdict NOT PASS", rng, [(3, "NOT PASS"), (9, "PASS")]),
        refine_case("never content, the second is best", rng, [(4, "REVISE"), (8, "REVISE"), (5, "REVISE")]),
        refine_case("never content, the first is best", rng, [(7, "REVISE"), (2, "NOT PASS"), (6, "REVISE")]),
        refine_case("a remark around the judgement", rng, [(5, "REVISE"), (9, "PASS")], dress=with_remark),
        refine_case("PASS in the feedback", rng, [(5, "REVISE"), (9, "PASS")], hope="With a greeting it would PASS. "),
        refine_case("two equal ones", rng, [(5, "REVISE"), (5, "REVISE"), (4, "REVISE")]),
        refine_case("one round", rng, [(3, "REVISE")], most=1, held_back=True),
        refine_case("five rounds", rng, [(s, "REVISE") for s in (2, 9, 10, 4, 6)], most=5, held_back=True),
        refine_case("content in the last round", rng, [(1, "REVISE"), (2, "REVISE"), (9, "PASS")], held_back=True),
    ]


def refine_case(
    name: str, rng: Random, judged: Sequence[tuple[int, str]], *, most: int = 3, hope: str = "",
    dress: Callable[[str], str] = str, held_back: bool = False,
) -> Case:  # fmt: skip
    rounds = [Round(*each, words(rng, 12), f"{hope}Name the order {nonce(rng)}.") for each in judged]
    task = f"Reply to the customer about the dripping Otter, case {nonce(rng)}."
    last = f"A draft too many, {nonce(rng)}."  # whoever improves after the last judgement gets this
    said = [
        dress(json.dumps({"score": each.score, "verdict": each.verdict, "feedback": each.feedback})) for each in rounds
    ]
    drafts = [each.draft for each in rounds] + [last]
    script = ByStep({"DRAFT": answers(drafts[0]), "JUDGE": answers(*said), "IMPROVE": answers(*drafts[1:])})
    judge = partial(judge_refine, task=task, rounds=rounds, most=most)
    arguments = {"task": task} | ({} if most == 3 else {"max_rounds": most})
    return Case(name, arguments, script, judge, held_back, Scene(most=20))


@expect.in_order
def judge_refine(seen: Seen, *, task: str, rounds: Sequence[Round], most: int) -> Iterator[Finding | None]:
    said = ", then ".join(f"{each.score} {each.verdict!r}" for each in rounds)
    given = f"max_rounds is {most}; the judge says {said}"
    passed = rounds[-1].verdict == "PASS"
    best = rounds[-1] if passed else max(rounds, key=lambda each: each.score)
    yield named(seen, STEPS, given=given)
    yield right_way(seen, rounds, given=given)
    yield expect.crashed(seen, given=given, needs="the text of the best draft")
    yield expect.in_turn(seen, given=given, fix="wait for each answer before you go on.")
    fix = "put the task into the prompt."
    for number in range(1, len(seen.trace) + 1):
        step = way(seen, STEPS)[number - 1]
        yield expect.carries(seen, number, task, given=given, what=f"the task ({step})", fix=fix)
    for turn, each in enumerate(rounds):
        fix = "the judge can judge only what it sees: put the newest draft into the JUDGE prompt."
        yield expect.carries(seen, 2 * turn + 2, each.draft, given=given, what=f"draft {turn + 1}", fix=fix)
        if turn < len(rounds) - 1:
            fix = "improve with what the judge said: put its feedback into the IMPROVE prompt."
            number = 2 * turn + 3
            yield expect.carries(seen, number, each.feedback, given=given, what="the judge's feedback", fix=fix)
            fix = "improve the draft that was judged: put it into the IMPROVE prompt."
            yield expect.carries(seen, number, each.draft, given=given, what=f"draft {turn + 1}", fix=fix)
    yield best_one(seen, rounds, best, given=given)


def right_way(seen: Seen, rounds: Sequence[Round], *, given: str) -> Finding | None:
    """A finding unless the steps came in turn, and no more and no fewer than needed."""
    asked = way(seen, STEPS)
    needed = ["DRAFT", *["JUDGE", "IMPROVE"] * len(rounds)][:-1]
    if asked == needed:
        return None
    what, needs = f"{in_words(asked)}; then {seen.outcome}", in_words(needed)
    if asked[: len(needed)] == needed:
        if rounds[-1].verdict == "PASS":
            return Finding(given, what, needs, "stop as soon as the verdict is 'PASS'.")
        fix = "at most `max_rounds` judgements, and no draft after the last one: nobody would judge it."
        return Finding(given, what, needs, fix, CONTENT if len(asked) > len(needed) + 1 else "")
    fix = "DRAFT once, then JUDGE, and as long as it does not pass IMPROVE and JUDGE in turn."
    if asked != needed[: len(asked)] or asked[-1] != "JUDGE":
        return Finding(given, what, needs, fix)
    if seen.raised:
        fix = "the object reaches from the first { to the last }; cut off what stands around it, as in task 1."
        return Finding(given, what, needs, fix)
    return stopped_early(rounds[asked.count("JUDGE") - 1], Finding(given, what, needs, fix))


def stopped_early(last: Round, finding: Finding) -> Finding:
    """The finding with what may have ended the loop after a judgement that was no PASS."""
    if "PASS" in last.verdict:
        fix = f'`"PASS" in {last.verdict!r}`: is that what you mean? Compare the whole verdict with `==`.'
        return replace(finding, fix=fix, misconception=OCCURS)
    if "PASS" in last.feedback:
        fix = "read the field `verdict` of the judgement and compare it with `==`; the feedback is prose."
        return replace(finding, fix=fix, misconception=OCCURS)
    return replace(finding, fix="before the last round only the verdict 'PASS' ends the loop, whatever the score is.")


def best_one(seen: Seen, rounds: Sequence[Round], best: Round, *, given: str) -> Finding | None:
    """A finding unless the best draft came back."""
    wanted = 1 + list(rounds).index(best)
    needs = f"draft {wanted}, which " + (
        "passed" if best.verdict == "PASS" else "has the highest score, as the first one"
    )
    drafts = [each.draft for each in rounds]
    if isinstance(seen.returned, str) and seen.returned.strip() in drafts:
        got = 1 + drafts.index(seen.returned.strip())
        if got == wanted:
            return None
        belief = LATER if got > wanted else ""
        fix = "keep the best draft with its score across the rounds; replace it only when a score is higher."
        if rounds[got - 1].score == best.score:
            belief = ""
            fix = "of equal scores the first draft wins: replace the best one only when a score is higher, `>`."
        if best.verdict == "PASS":
            fix = "a draft that has passed is the result, whatever the scores are."
        what = f"draft {got} came back, with a score of {rounds[got - 1].score}"
        return Finding(given, what, needs, fix, belief)
    fix = "return the text of the best draft."
    return expect.returned(seen, best.draft, given=given, what=needs, fix=fix)


TASK = Task(
    "workers.refine",
    "Write, judge, improve",
    3,
    refine,
    (
        "Keep two things across the rounds: what the judge said last, and the best draft so far with its score.",
        "Which comparison treats 'NOT PASS' rightly? And which request would be wasted after the last judgement?",
        "`for turn in range(max_rounds)`: JUDGE; `if verdict == 'PASS': return draft`; `if score > best[0]: best = "
        "(score, draft)`; `if turn < max_rounds - 1`: IMPROVE. Behind the loop `return best[1]`.",
    ),
)

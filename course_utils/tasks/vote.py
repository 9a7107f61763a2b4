"""Exercise 3, "Fan out", fourth task: ask several times, and stop when the vote is decided.

Layer 2: imports `expect`, `labels`, `texts` and `server.cases`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from random import Random

from course_utils.records import count
from course_utils.server.cases import Case, Finding, Seen, Task
from course_utils.tasks import expect
from course_utils.tasks.labels import clean
from course_utils.tasks.texts import answers, nonce

SAME = "that asking the same model the same thing again gives a second opinion."
LETTERS = "that two answers are the same only when every letter is."
ALWAYS = "that a vote needs all its voters."


def vote(rng: Random) -> list[Case]:
    a, b, c = rng.sample(["billing", "technical", "sales", "other"], 3)
    return [
        vote_case("three of three agree", rng, 5, [a, a, a]),
        vote_case("decided by the last one", rng, 5, [a, b, a, b, a]),
        vote_case("the same answer, dressed up", rng, 5, [f"**{a.title()}**.", f" {a}\n", a.upper()]),
        vote_case("a tie", rng, 4, [a, b, b, a]),
        vote_case("the first one loses", rng, 5, [b, a, a, a]),
        vote_case("a lead, and three opinions", rng, 6, [a, a, a, b, c]),
        vote_case("three opinions", rng, 7, [a, b, c, a, a, c, a], held_back=True),
        vote_case("one voter", rng, 1, [c], held_back=True),
        vote_case("a tie of three", rng, 3, [a, b, c], held_back=True),
    ]


def vote_case(name: str, rng: Random, most: int, said: Sequence[str], *, held_back: bool = False) -> Case:
    """`said` is what the model answers until the vote is decided; after that it would only confirm the winner."""
    needed, winner = decided(said, most)
    question = f"Which desk should handle ticket {nonce(rng)}: billing, technical, sales or other?"
    judge = partial(judge_vote, question=question, said=said[:needed], most=most, winner=winner)
    rest = [said[needed - 1]] * (most - needed)
    return Case(name, {"question": question, "n": most}, answers(*said[:needed], *rest), judge, held_back)


def decided(said: Sequence[str], most: int) -> tuple[int, str]:
    """After how many of at most `most` answers nobody else can win, and who has won then; "tie" when nobody has."""
    votes: Counter[str] = Counter()
    for number, text in enumerate(said, start=1):
        votes[clean(text)] += 1
        (winner, lead), second = votes.most_common(1)[0], sorted(votes.values())[-2] if len(votes) > 1 else 0
        if lead - second > most - number:
            return number, winner
    return len(said), "tie"


@expect.in_order
def judge_vote(seen: Seen, *, question: str, said: Sequence[str], most: int, winner: str) -> Iterator[Finding | None]:
    given = f"at most {most} votes; the model answers {', '.join(map(repr, said))}"
    yield expect.crashed(seen, given=given, needs=repr(winner))
    yield repeated(seen, given=given)
    yield number_of_votes(seen, said, most, given=given)
    fix = "put the question into every prompt as it is."
    yield expect.carries(seen, 1, question, given=given, what="the question", fix=fix)
    yield verdict(seen, said, winner, given=given)


def repeated(seen: Seen, *, given: str) -> Finding | None:
    """A finding when the requests could not but bring the same answer."""
    if len(seen.trace) < 2:
        return None
    if any(not record.request.get("temperature") for record in seen.trace):
        fix = "`llm.bind(temperature=0.7, seed=number)` asks once more with another draw."
        return Finding(given, "requests at temperature 0", "a temperature above 0 for each vote", fix, SAME)
    seeds = [record.request.get("seed") for record in seen.trace]
    if None in seeds or len(set(map(str, seeds))) < len(seeds):
        what = f"{count(len(seeds), 'request')} with {count(len(set(map(str, seeds))), 'seed')}"
        return Finding(given, what, "another seed for each vote", "bind the number of the vote as its seed.", SAME)
    return None


def number_of_votes(seen: Seen, said: Sequence[str], most: int, *, given: str) -> Finding | None:
    """A finding unless it asked exactly until the vote was decided."""
    asked, needed = len(seen.trace), len(said)
    if asked == needed:
        return None
    what = f"{count(asked, 'request')}, then {seen.outcome}"
    if asked > needed:
        is_dressed = len(set(said)) > len({clean(text) for text in said})
        lead, second = sorted([0, *Counter(map(clean, said)).values()])[:-3:-1]
        fix = f"{lead} lead, {second} second, {most - needed} still to come: decided. No majority is needed."
        belief = ""
        if is_dressed:
            fix, belief = "compare answers without their decoration: case, spaces, stars, full stops.", LETTERS
        elif lead > most / 2 or needed == most:
            fix = "after each answer: how many are still to come, and could the second still catch up?"
            belief = ALWAYS
        return Finding(given, what, f"{count(needed, 'request')}: then it is decided", fix, belief)
    fix = "a lead decides only when it is larger than the number of votes still to come."
    if not asked:
        fix = "ask `llm`: only requests that go through it are seen."
    return Finding(given, what, f"{count(needed, 'request')}: before that another answer could still win", fix)


def verdict(seen: Seen, said: Sequence[str], winner: str, *, given: str) -> Finding | None:
    """A finding unless the winner came back."""
    if seen.returned == winner:
        return None
    fix = "when two lead with the same number of votes, say 'tie'."
    if winner != "tie":
        fix = "return the label that most votes have"
        fix += ", without its decoration." if clean(str(seen.returned)) == winner else "."
    return Finding(given, f"your function gave {seen.outcome}", repr(winner), fix)


TASK = Task(
    "parallel.vote",
    "Vote, and stop when it is decided",
    3,
    vote,
    (
        "Count cleaned-up answers in a `Counter`. What is left of `' **Billing**. '` when you keep only small letters?",
        "After each answer: how many votes are still to come, and could the second still catch up?",
        "`lead - second > n - asked` decides; ask with `llm.bind(temperature=0.7, seed=asked)`; at the end two equal "
        "leaders are a 'tie'.",
    ),
)

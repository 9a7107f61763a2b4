"""Exercise 10, "Approve, pay once": what a case of the desk for refunds consists of, and what a good desk does in it.

Layer 2: imports `scripts`, `texts`, `server.cases` and `server.effects`. Each step runs in a process of its own. All
refunds of a case are of the same sum for the same order; their ids, tickets and summaries differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from course_utils.server.cases import Script
from course_utils.server.effects import LOST, SILENT, Effect, Outcome
from course_utils.tasks.scripts import never
from course_utils.tasks.texts import nonce, ticket

WORDS = ("approve", "refuse")
AWAY = 503
OPEN = "open"  # the bank has not said yes: an error comes out; or the desk tries again at once, and then it is paid
WHAT = {LOST: "the bank pays, its answer gets lost", AWAY: "the bank is away, 503", SILENT: "killed behind the payment"}


@dataclass(frozen=True, slots=True)
class Step:
    """What one process does, and what has to come of it."""

    word: str  # "start", or the decision
    refund: str  # its id
    inputs: dict[str, Any]
    wants: str  # a status, the name of an exception, "killed", or OPEN
    about: str = ""  # what happens meanwhile
    kill: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """As a message has it."""
        did = "start" if self.word == "start" else f"resume({self.word!r})"
        return f"{did} [{self.about}]" if self.about else did

    @property
    def plain(self) -> dict[str, Any]:
        """As the driver of restarts takes it."""
        do = "start" if self.word == "start" else "resume"
        return {"do": do, "inputs": self.inputs} | ({"kill": self.kill} if self.kill else {})


class Desk:
    """A good desk, step by step; it says what a case needs.

    Args:
        fates: What becomes of the first calls of `pay` for each refund; the others go well.
    """

    def __init__(self, rng: Random, fates: Sequence[int]) -> None:
        self.rng, self.fates = rng, fates
        self.order, self.cents = nonce(rng), rng.randint(2000, 9000)
        self.refunds: dict[str, dict[str, Any]] = {}  # a letter -> the request
        self.codes: dict[str, str] = {}  # a letter -> what only its ticket holds
        self.status: dict[str, str] = {}
        self.shown: dict[str, str] = {}  # id -> the summary that a person has read
        self.asked: list[str] = []  # for each request to the model: the code of its ticket
        self.hangs: set[int] = set()  # numbers of requests that get no answer
        self.tried: Counter[str] = Counter()
        self.summaries = [summary(rng) for _ in range(12)]

    def step(self, token: str) -> Step:
        """The step that a token such as "approve A" stands for; "start A+" has other cents, "start A!" is killed."""
        word, who = token.rsplit(" ", 1)
        letter, mark = who[0], who[1:]
        request = self.refunds[letter] if letter in self.refunds else self.request(letter)
        if mark == "+":
            request = request | {"cents": request["cents"] + 1000}
        if word == "start":
            return self.start(letter, request, mark == "!")
        inputs = {"request_id": request["id"], "decision": word}
        return Step(word, request["id"], inputs, **self.resume(letter, word))

    def request(self, letter: str) -> dict[str, Any]:
        """A refund that nobody has heard of."""
        text, self.codes[letter] = ticket(self.rng)
        made = {"id": f"RF-{nonce(self.rng)}", "order": self.order, "cents": self.cents, "ticket": text}
        return self.refunds.setdefault(letter, made)

    def start(self, letter: str, request: dict[str, Any], is_killed: bool) -> Step:
        made, about = {"word": "start", "refund": request["id"], "inputs": {"request": request}}, ""
        if request != self.refunds[letter]:
            about = "with other cents"
        if letter in self.status:
            return Step(**made, wants=self.status[letter], about=about)
        self.asked.append(self.codes[letter])
        if is_killed:
            self.hangs.add(len(self.asked))
            kill = {"requests": len(self.asked)}
            return Step(**made, wants="killed", about="killed while the model thinks", kill=kill)
        self.shown[request["id"]] = self.summaries[len(self.asked) - 1]
        self.status[letter] = "waiting"
        return Step(**made, wants="waiting", about=about)

    def resume(self, letter: str, word: str) -> dict[str, Any]:
        if letter not in self.status:
            return {"wants": "KeyError", "about": "never started"}
        if word not in WORDS:
            return {"wants": "ValueError"}
        if self.status[letter] == "waiting":
            self.status[letter] = "approved" if word == "approve" else "refused"
        if self.status[letter] == "approved":
            if (fate := self.pay(letter)) != 200:
                kill = {"kill": {"effects": self.tried.total()}} if fate == SILENT else {}
                return {"wants": "killed" if kill else OPEN, "about": WHAT[fate]} | kill
            self.status[letter] = "paid"
        return {"wants": self.status[letter]}

    def pay(self, letter: str) -> int:
        self.tried[letter] += 1
        return self.fates[self.tried[letter] - 1] if self.tried[letter] <= len(self.fates) else 200

    @property
    def script(self) -> Script:
        """The model: another summary for each request."""
        return lambda request, number: never() if number in self.hangs else self.summaries[(number - 1) % 12]

    @property
    def outcome(self) -> Outcome:
        """The bank: refunds are told apart by their note."""
        tried: Counter[str] = Counter()

        def fate(effect: Effect, number: int) -> int:
            tried[note := str(effect.data.get("note"))] += 1
            return self.fates[tried[note] - 1] if tried[note] <= len(self.fates) else 200

        return fate

    @property
    def paid(self) -> dict[str, int]:
        """The id of each refund that is paid in the end -> how many calls of `pay` that takes."""
        return {self.refunds[letter]["id"]: self.tried[letter] for letter in self.tried}


def summary(rng: Random) -> str:
    """What a model makes of a ticket; the sum in it is not the one that the request holds."""
    return f"An Otter drips at the tap, and the customer wants {rng.randint(91, 999)} euros back. Summary {nonce(rng)}."

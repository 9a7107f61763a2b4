"""What an answer is handed besides plain inputs: models, the course clock, a generator, effects; and how it is used.

Layer 2: imports `attempt`, `errors`, `models`, `outages`, `plain` and `repeats`. Everything handed over talks to the
case's own corner of the server, which sees it. Safe to share between threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from typing import Any

import httpx

from course_utils.attempt import Drive, called
from course_utils.errors import ServiceError
from course_utils.outages import OUTAGES
from course_utils.plain import plain
from course_utils.repeats import REPEATS

LOST = 504
NO = 409  # to a question that can be answered with yes or no
SETTINGS: dict[str, Any] = {  # no limit: the clock gets there, and the attempt as a whole is bounded
    "timeout": None,
    "trust_env": False,
    "verify": False,  # plain http on loopback
    "limits": httpx.Limits(max_connections=None, max_keepalive_connections=0),
}


class Stage:
    """The case's corner of the server, apart from its models."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.headers = {"authorization": f"Bearer {key}"}

    def sleep(self, seconds: float) -> None:
        """Wait on the course clock; nobody waits for real."""
        self._ask("POST", "/sleeps", {"seconds": seconds})

    async def asleep(self, seconds: float) -> None:
        """`sleep` for asynchronous code: other tasks go on meanwhile."""
        async with httpx.AsyncClient(**SETTINGS) as client:
            answer = await client.post(f"{self.url}/sleeps", json={"seconds": seconds}, headers=self.headers)
        _heard(answer)

    def now(self) -> float:
        """Seconds on the course clock since the case began."""
        return self._ask("GET", "/clock")["course_time"]

    def act(self, name: str, *, key: str = "", **data: Any) -> dict[str, Any]:
        """Do something that cannot be taken back by itself; a `key` that has done its work does it no second time.

        Raises:
            ServiceError: It was refused; or, as TimeoutError, nobody knows whether it happened.
        """
        return self._ask("POST", "/effects", {"name": name, "key": str(key), "data": data})

    def approves(self, name: str, **data: Any) -> bool:
        """True when whoever is asked says yes. What is shown need not be plain data: the server hears what it was.

        Raises:
            ServiceError: No verdict came.
        """
        try:
            self.act(name, **{key: plain(value) for key, value in data.items()})
        except ServiceError as error:
            if error.status != NO:
                raise
            return False
        return True

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        with httpx.Client(**SETTINGS) as client:
            return _heard(client.request(method, self.url + path, json=body, headers=self.headers))


def _heard(answer: httpx.Response) -> Any:
    if answer.is_success:
        return answer.json()
    message = answer.json().get("error", {}).get("message", "")
    if answer.status_code == LOST:
        raise TimeoutError(message)
    raise ServiceError(answer.status_code, message)


def judge_on(stage: Stage) -> Callable[[str, str], bool]:
    """The judge of a cascade: a plain function, whose verdict comes from the server."""

    def accept(question: str, answer: str) -> bool:
        """True when the answer is good enough."""
        return stage.approves("accept", question=question, answer=answer)

    accept.__qualname__ = "accept"  # as a TypeError names it
    return accept


TOOLS: dict[str, Callable[[Stage, int], Any]] = {
    "sleep": lambda stage, seed: stage.sleep,
    "asleep": lambda stage, seed: stage.asleep,
    "now": lambda stage, seed: stage.now,
    "act": lambda stage, seed: stage.act,
    "pay": lambda stage, seed: partial(stage.act, "pay"),
    "accept": lambda stage, seed: judge_on(stage),
    "rng": lambda stage, seed: Random(seed),
}


def arguments_of(case: Mapping[str, Any]) -> dict[str, Any]:
    """What the answer is called with: the case's plain inputs, its models as clients, its tools."""
    from course_utils.models import client

    models = {argument: client(**door) for argument, door in case["models"].items()}
    stage = Stage(**case["stage"])
    tools = {argument: TOOLS[kind](stage, case["seed"]) for argument, kind in case["tools"].items()}
    return case["arguments"] | models | tools


DRIVERS: dict[str, Drive] = {"call": called} | REPEATS | OUTAGES

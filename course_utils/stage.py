"""A corner of the course server seen from a program with that corner's key: its clock, and effects in it.

Layer 2: imports `errors`, `plain` and `server.effects`. Safe to share between threads and event loops: no connection
is kept.
"""

from __future__ import annotations

from typing import Any

import httpx

from course_utils.errors import ServiceError
from course_utils.plain import plain
from course_utils.server.effects import LOST

NO = 409  # to a question that can be answered with yes or no
SETTINGS: dict[str, Any] = {
    "timeout": None,  # a nap of an hour ends when the clock gets there
    "trust_env": False,
    "verify": False,  # plain http on loopback: reading certificates would take longer than the call
    "limits": httpx.Limits(max_connections=None, max_keepalive_connections=0),
}


class Stage:
    """One corner of the server, apart from its models.

    Args:
        url: Of the corner's control side, such as "http://127.0.0.1:PORT/course/scopes/NAME".
        key: The corner's own.
    """

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        settings = SETTINGS | {"headers": {"authorization": f"Bearer {key}"}}
        self._client, self._async_client = httpx.Client(**settings), httpx.AsyncClient(**settings)

    def sleep(self, seconds: float) -> None:
        """Wait on the course clock; nobody waits for real."""
        self._ask("POST", "/sleeps", {"seconds": seconds})

    async def asleep(self, seconds: float) -> None:
        """`sleep` for asynchronous code: other tasks go on meanwhile."""
        _heard(await self._async_client.post(f"{self.url}/sleeps", json={"seconds": seconds}))

    def now(self) -> float:
        """Seconds on the course clock since the corner's clock began."""
        return self._ask("GET", "/clock")["course_time"]

    def counts(self) -> dict[str, int]:
        """How many "requests" and "effects" the server has seen here; "silent": how many effects nobody answers."""
        return self._ask("GET", "/counts")

    def jump(self, seen: int) -> int:
        """Let the corner's clock jump unless more than `seen` changes happened there; gives their number."""
        return self._ask("POST", "/jump", {"seen": seen})["changes"]

    def act(self, name: str, *, key: str = "", **data: Any) -> dict[str, Any]:
        """Do something that cannot be taken back by itself; a `key` that has done its work does it no second time.

        Raises:
            ServiceError: It was refused; or, as TimeoutError, nobody knows whether it happened.
        """
        return self._ask("POST", "/effects", {"name": name, "key": str(key), "data": data})

    def tell(self, name: str) -> None:
        """Tell that something has happened, for a driver: an effect that takes no time, also while the clock stands."""
        self._ask("POST", "/effects", {"name": name, "takes": 0})

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
        return _heard(self._client.request(method, self.url + path, json=body))


def _heard(answer: httpx.Response) -> Any:
    if answer.is_success:
        return answer.json()
    message = answer.json().get("error", {}).get("message", "")
    if answer.status_code == LOST:
        raise TimeoutError(message)
    raise ServiceError(answer.status_code, message)

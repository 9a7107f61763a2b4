"""The guard: an ASGI middleware that lets in only this machine's own programs that know a secret.

Layer 1: imports `asgi` and `wire`.
A web page must not be able to use the server through the learner's browser: so the Host
must be this machine (against DNS rebinding), nothing with an Origin comes in, and no CORS header ever goes out.
The owner token opens everything; a scope's key opens that scope's /v1, its clock, counts, effects, jumps and sleeps.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from typing import Any

from .asgi import send_error
from .wire import ApiError

HOST = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::(\d{1,5}))?", re.IGNORECASE)
OF_SCOPE = re.compile(r"/s/([^/]+)/v1(?:/.*)?|/course/scopes/([^/]+)/(?:clock|counts|effects|jump|sleeps)")
MOST_BYTES = 4 * 1024 * 1024  # of a request's body


class Guard:
    """Wraps an ASGI app.

    Args:
        token: The owner's secret.
        key: Gives the key of a scope.
        most_bytes: So much of a body is read; then ApiError 413 comes out of `receive`.
    """

    def __init__(self, app: Any, token: str, key: Callable[[str], str], most_bytes: int = MOST_BYTES) -> None:
        self.app, self.token, self.key, self.most_bytes = app, token, key, most_bytes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = dict(scope["headers"])
        error = self.refusal(scope, headers)
        if error:
            return await send_error(send, error)
        await self.app(scope, bounded(receive, headers, self.most_bytes), send)

    def refusal(self, scope: Any, headers: dict[bytes, bytes]) -> ApiError | None:
        """Why this request may not come in; None when it may."""
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not is_here(hosts[0].decode("latin-1"), scope.get("server")):
            return ApiError(403, "This server answers only to 127.0.0.1 and localhost.", code="host_not_allowed")
        if b"origin" in headers:
            return ApiError(403, "This server does not answer web pages.", code="origin_not_allowed")
        given = presented(headers)
        if not given:
            message = "You didn't provide an API key. Send it in an Authorization header: Authorization: Bearer KEY."
            return ApiError(401, message)
        if self.is_welcome(given, scope["path"]):
            return None
        return ApiError(401, f"Incorrect API key provided: {masked(given)}.", code="invalid_api_key")

    def is_welcome(self, given: str, path: str) -> bool:
        """True when this secret opens this path."""
        secret = given.encode()
        if hmac.compare_digest(secret, self.token.encode()):
            return True
        found = OF_SCOPE.fullmatch(path)
        return bool(found) and hmac.compare_digest(secret, self.key(found[1] or found[2]).encode())


def is_here(host: str, server: tuple[str, int] | None) -> bool:
    """True when the Host header names this machine, and the port that it was called on if any."""
    found = HOST.fullmatch(host)
    return bool(found) and (found[1] is None or server is None or int(found[1]) == server[1])


def presented(headers: dict[bytes, bytes]) -> str:
    """The secret the caller shows: as a bearer token, or in x-api-key as LangSmith's client does; "" for none."""
    scheme, _, secret = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() == "bearer" and secret.strip():
        return secret.strip()
    return headers.get(b"x-api-key", b"").decode("latin-1").strip()


def masked(secret: str) -> str:
    """The secret as an error may show it.

    >>> masked("sk-abcdefghijklmnop"), masked("short")
    ('sk-a***mnop', '***')
    """
    return f"{secret[:4]}***{secret[-4:]}" if len(secret) > 12 else "***"


def bounded(receive: Any, headers: dict[bytes, bytes], most: int) -> Any:
    """`receive`, which refuses a body of more than `most` bytes before it has been read, however it is sent."""
    declared = headers.get(b"content-length", b"0")
    too_large = ApiError(413, f"The request body is larger than {most} bytes.", code="request_too_large")
    seen = 0

    async def checked() -> Any:
        nonlocal seen
        if seen == 0 and declared.isdigit() and int(declared) > most:
            raise too_large
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise too_large
        return message

    return checked

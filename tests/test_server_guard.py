"""Who may come in: this machine's own programs that know a secret, and nobody else."""

import json

import pytest
from support import running_server

from course_utils.server.guard import is_here


@pytest.fixture(scope="module")
def server():
    with running_server(most_bytes=2000) as server:
        yield server


BODY = {"model": "small", "messages": [{"role": "user", "content": "hello"}]}
CHAT = "/v1/chat/completions"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 200, None),
        ({"Host": "localhost"}, 200, None),
        ({"Host": "[::1]"}, 200, None),
        ({"Host": "evil.example"}, 403, "host_not_allowed"),
        ({"Host": "127.0.0.1.evil.example"}, 403, "host_not_allowed"),
        ({"Host": "127.0.0.1:1"}, 403, "host_not_allowed"),
        ({"Host": "localhost:99999999"}, 403, "host_not_allowed"),
        ({"Host": "user@127.0.0.1"}, 403, "host_not_allowed"),
        ({"Host": ""}, 403, "host_not_allowed"),
        ({"Origin": "http://127.0.0.1"}, 403, "origin_not_allowed"),
        ({"Origin": "null"}, 403, "origin_not_allowed"),
        ({"Authorization": ""}, 401, None),
        ({"Authorization": "Bearer"}, 401, None),
        ({"Authorization": "Basic owner-token-for-tests"}, 401, None),
        ({"Authorization": "Bearer owner-token-for-test"}, 401, "invalid_api_key"),
        ({"Authorization": "Bearer owner-token-for-testsX"}, 401, "invalid_api_key"),
        ({"Authorization": "", "x-api-key": "owner-token-for-tests"}, 200, None),
    ],
)
def test_the_door(server, headers, status, code):
    """Host, Origin and secret decide; refusals have OpenAI's shape and no CORS header."""
    with server.client as client:
        answer = client.post(CHAT, json=BODY, headers=headers)
    assert answer.status_code == status
    assert not [name for name in answer.headers if name.startswith("access-control")]
    if status != 200:
        assert answer.json()["error"].keys() == {"message", "type", "param", "code"}
        assert answer.json()["error"]["code"] == code


def test_a_preflight_is_refused(server):
    """A browser that asks whether it may is told no."""
    asks = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    with server.client as client:
        assert client.options(CHAT, headers=asks).status_code == 403


def test_a_secret_beyond_ascii_is_just_wrong(server):
    """It is compared as bytes and refused, not crashed on."""
    with server.client as client:
        assert client.get("/v1/models", headers={"Authorization": "Bearer schlüssel".encode()}).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/s/mine/v1/chat/completions", 200),
        ("GET", "/s/mine/v1/models", 200),
        ("POST", "/course/scopes/mine/sleeps", 200),
        ("POST", "/course/scopes/mine/jump", 200),
        ("POST", "/s/other/v1/chat/completions", 401),
        ("POST", "/v1/chat/completions", 401),
        ("GET", "/course/scopes/mine/records", 401),
        ("PUT", "/course/scopes/mine/conditions", 401),
        ("DELETE", "/course/scopes/mine", 401),
        ("GET", "/course/health", 401),
        ("POST", "/course/stop", 401),
        ("POST", "/s/mine/v1/../../other/v1/chat/completions", 401),
        ("POST", "/s/mine%2Fv1%2F..%2Fother/v1/chat/completions", 404),  # within its own corner, where nothing is
    ],
)
def test_a_scope_key_opens_its_scope_only(server, method, path, status):
    """Its chat, its models and its sleeps; no other scope, no records, no control."""
    for name in ("mine", "other"):
        if server.course.scopes.get(name) is None:
            server.scope(name)
    body = {"sleeps": {"seconds": 0}, "jump": {"seen": 0}}.get(path.rpartition("/")[2], BODY)
    key = {"Authorization": f"Bearer {server.course.scopes.key('mine')}"}
    with server.client as client:
        assert client.request(method, path, json=body, headers=key).status_code == status


def test_a_large_body_is_refused_and_logged(server):
    """413 for a declared length, and the log knows of it."""
    scope = server.scope()
    big = BODY | {"user": "x" * 3000}
    with server.client as client:
        answer = client.post(f"/s/{scope.name}{CHAT}", json=big)
        control = client.post("/course/scopes", content=json.dumps(big))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")
    assert control.status_code == 413
    assert [(record.status, record.error) for record in server.trace(scope)] == [(413, "request_too_large")]


def test_a_large_body_in_chunks_is_refused_before_its_end(server):
    """An endless body gets its 413 while it is still being sent."""
    import socket

    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        head = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token}\r\n"
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(3):
            connection.sendall(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [("127.0.0.1:80", True), ("LOCALHOST:80", True), ("[::1]:80", True), ("127.0.0.1:81", False), ("127.1", False)],
)
def test_is_here(host, is_ours):
    """The names of this machine, on the port that was called."""
    assert is_here(host, ("127.0.0.1", 80)) is is_ours

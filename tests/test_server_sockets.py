"""Callers who misbehave on the socket: the server stands, others are served, and the log knows what happened."""

import json
import socket
import time

import pytest
from support import Echo, running_server

from course_utils.server.scripted import Scripted

MESSAGE = {"model": "small", "messages": [{"role": "user", "content": "one two three four five six"}]}


@pytest.fixture(scope="module")
def server():
    with running_server(speed=1.0) as server:
        yield server


def dial(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def head(server, scope, length):
    """The head of a chat request with a body of so many bytes."""
    lines = [
        f"POST /s/{scope.name}/v1/chat/completions HTTP/1.1", "Host: localhost",
        f"Authorization: Bearer {server.token}",
        f"Content-Length: {length}", "Content-Type: application/json", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def send(server, scope, connection, **extra):
    """One whole chat request."""
    body = json.dumps(MESSAGE | extra).encode()
    connection.sendall(head(server, scope, len(body)) + body)


def ended(server, scope, count=1):
    """The scope's records once that many have ended."""
    deadline = time.monotonic() + 20
    while sum(record.status is not None for record in server.trace(scope)) < count:
        assert time.monotonic() < deadline, server.trace(scope).records
        time.sleep(0.005)
    return server.trace(scope)


def is_alive(server):
    """True when an ordinary request still gets its answer."""
    with server.client as client:
        return client.post("/v1/chat/completions", json=MESSAGE).status_code == 200


def test_a_caller_who_leaves_in_the_middle_of_a_stream(server):
    """499 with the words he got, and their tokens are billed; the rest is never made."""
    scope = server.scope(backend=Echo(latency=0.05))
    with dial(server) as connection:
        send(server, scope, connection, stream=True)
        got = b""
        while b" two" not in got:
            got += connection.recv(65536)
    (record,) = ended(server, scope)
    assert (record.status, record.error, record.finish_reason) == (499, "client_left", "")
    assert record.answer.startswith("one two")
    assert not record.answer.endswith("six")
    assert record.completion_tokens > 0
    assert record.price > 0


def test_a_caller_who_leaves_before_his_answer(server):
    """499 with an empty answer."""
    scope = server.scope(backend=Scripted(["late"], latency=30))
    with dial(server) as connection:
        send(server, scope, connection)
        while not server.trace(scope):
            time.sleep(0.002)
    (record,) = ended(server, scope)
    assert (record.status, record.answer, record.stop is not None) == (499, "", True)
    assert scope.open == 0


def test_half_a_request(server):
    """A body that breaks off is logged as 499 without a body."""
    scope = server.scope()
    with dial(server) as connection:
        connection.sendall(head(server, scope, 5000) + b'{"model": "sm')
        time.sleep(0.05)
    (record,) = ended(server, scope)
    assert (record.status, record.request, scope.open) == (499, {}, 0)


@pytest.mark.parametrize(
    "garbage", [b"\x00\xff\x16\x03\x01" * 50, b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", b"\r\n" * 10]
)
def test_garbage(server, garbage):
    """Bytes that are no HTTP get an error or nothing, and the next caller is served."""
    with dial(server) as connection:
        connection.sendall(garbage)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert answer in (b"",) or answer.startswith(b"HTTP/1.1 4")
    assert is_alive(server)


def test_five_hundred_connections_at_once(server):
    """Every one of them gets its answer, and every answer is in the log once."""
    scope = server.scope()
    connections = [dial(server) for _ in range(500)]
    try:
        for connection in connections:
            send(server, scope, connection)
        heads = [connection.recv(12) for connection in connections]
    finally:
        for connection in connections:
            connection.close()
    assert heads == [b"HTTP/1.1 200"] * 500
    trace = ended(server, scope, 500)
    assert {record.status for record in trace} == {200}
    assert len(trace) == 500
    assert scope.open == 0


def test_many_callers_who_leave_at_once(server):
    """A hundred broken streams are a hundred records with 499, and nothing is left open."""
    scope = server.scope(backend=Echo(latency=0.5))
    connections = [dial(server) for _ in range(100)]
    for connection in connections:
        send(server, scope, connection, stream=True)
    while len(server.trace(scope)) < 100:
        time.sleep(0.01)
    for connection in connections:
        connection.close()
    trace = ended(server, scope, 100)
    assert {record.status for record in trace} == {499}
    assert is_alive(server)


def test_two_requests_in_one_packet(server):
    """Pipelined requests are answered in order."""
    scope = server.scope()
    body = json.dumps(MESSAGE).encode()
    with dial(server) as connection:
        connection.sendall((head(server, scope, len(body)) + body) * 2)
        got = b""
        while got.count(b"chatcmpl-") < 2:
            got += connection.recv(65536)
    assert got.index(b"chatcmpl-1") < got.index(b"chatcmpl-2")

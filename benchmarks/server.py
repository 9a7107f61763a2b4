"""How fast the course server answers, beside two mock servers from the registry and a bare Starlette app.

    python benchmarks/server.py            about a minute; prints one table

Every server is a process of its own on loopback, asked by the same raw client over kept-open connections, in rounds
that alternate between the servers. The peers (mockllm, fakellm) are installed into a throw-away environment with pip;
without a registry they are left out. What is compared is not equal work: ours validates, counts tokens and writes
each request to SQLite before it answers (safe from kill -9, not from a power cut); the others keep nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PEERS = ("mockllm==0.0.8", "fakellm==0.3.5")
TOKEN = "benchmark"
BODY = {"model": "practice-small", "messages": [{"role": "user", "content": "hello there, what can you do?"}]}
KEEPS = {"course": "every request, SQLite"}
SECONDS, ROUNDS, CONNECTIONS = 0.9, 4, (1, 16)


@dataclass
class Contestant:
    """One server under test, and what was measured."""

    name: str
    command: list[str]
    port: int
    cwd: Path
    rates: dict[int, list[float]] = field(default_factory=dict)  # connections -> requests per second, one per round
    times: dict[int, list[float]] = field(default_factory=dict)  # connections -> milliseconds, one per request


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve(kind: str, port: int, folder: Path) -> None:
    """Be one of our own servers, until killed."""
    import uvicorn

    if kind == "bare":
        app = bare_app()
    else:
        from course_utils.server.app import Settings, create_app
        from course_utils.server.practice import PracticeModel
        from course_utils.server.scripted import Scripted

        backend = PracticeModel() if kind == "practice" else Scripted(lambda request, number: "Hello!", most=10**9)
        app = create_app(Settings(TOKEN, folder / f"{kind}.sqlite", backend, speed=1e9))
    uvicorn.run(app, port=port, log_level="error", access_log=False, proxy_headers=False)


def bare_app():
    """Starlette that reads the JSON body and returns a constant."""
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    message = {"role": "assistant", "content": "Hello!"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    constant = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "usage": usage}
    constant["choices"] = [{"index": 0, "message": message, "finish_reason": "stop"}]

    async def answer(request):
        await request.json()
        return JSONResponse(constant)

    return Starlette(routes=[Route("/v1/chat/completions", answer, methods=["POST"])])


def peers(folder: Path) -> list[Contestant]:
    """The two from the registry, installed; none when they cannot be had."""
    venv.create(folder / "peers", with_pip=True)
    programs = folder / "peers" / ("Scripts" if os.name == "nt" else "bin")
    install = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS]
    if subprocess.run(install, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
        print("The peers could not be installed; they are left out.", file=sys.stderr)
        return []
    (folder / "responses.yml").write_text("responses: {}\ndefaults: {unknown_response: Hello!}\n")
    (folder / "fakellm.yaml").write_text("version: 1\ndefaults: {fallback: deterministic_echo}\nrules: []\n")
    mock, fake = free_port(), free_port()
    mockllm = [str(programs / "mockllm"), "start", "-r", "responses.yml", "-h", "127.0.0.1", "-p", str(mock)]
    fakellm = [str(programs / "fakellm"), "serve", "--port", str(fake)]
    return [Contestant("mockllm 0.0.8", mockllm, mock, folder), Contestant("fakellm 0.3.5", fakellm, fake, folder)]


def ours(folder: Path) -> list[Contestant]:
    """The course server with two backends, and the bare app."""
    found = []
    for kind, name in (("practice", "course, practice"), ("scripted", "course, scripted"), ("bare", "bare starlette")):
        port = free_port()
        command = [sys.executable, __file__, "--serve", kind, "--port", str(port), "--folder", str(folder)]
        found.append(Contestant(name, command, port, folder))
    return found


@contextmanager
def running(contestant: Contestant) -> Iterator[None]:
    """The server's process, from its first answer to its end."""
    process = subprocess.Popen(
        contestant.command, cwd=contestant.cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", contestant.port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


async def ask(port: int, until: float, times: list[float]) -> int:
    """Ask one question after the other over one connection; gives the number of answers."""
    body = json.dumps(BODY).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\n"
    request = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    while (began := time.perf_counter()) < until:
        writer.write(request)
        head_sent = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head_sent.startswith(b"http/1.1 200"):
            raise SystemExit(f"port {port}: {head_sent.splitlines()[0].decode()}")
        length = head_sent.split(b"content-length: ")[1].split(b"\r\n")[0]
        await reader.readexactly(int(length))
        times.append((time.perf_counter() - began) * 1000)
        count += 1
    writer.close()
    return count


async def measure(contestant: Contestant, connections: int) -> None:
    """One round."""
    times = contestant.times.setdefault(connections, [])
    began = time.perf_counter()
    asking = [ask(contestant.port, began + SECONDS, times) for _ in range(connections)]
    count = sum(await asyncio.gather(*asking))
    contestant.rates.setdefault(connections, []).append(count / (time.perf_counter() - began))


def table(contestants: list[Contestant]) -> str:
    """The figures, with ratios to the bare app."""
    lines = [f"{'server':17} {'at once':>7} {'req/s':>7} {'of bare':>8} {'p50 ms':>7} {'p99 ms':>7}  keeps"]
    for connections in CONNECTIONS:
        median = {each.name: statistics.median(each.rates[connections]) for each in contestants}
        for each in contestants:
            cuts = statistics.quantiles(each.times[connections], n=100)
            keeps = KEEPS.get(each.name.split(",")[0], "nothing")
            share = median[each.name] / median["bare starlette"]
            lines.append(
                f"{each.name:17} {connections:7} {median[each.name]:7.0f} {share:8.2f} "
                f"{cuts[49]:7.2f} {cuts[98]:7.2f}  {keeps}"
            )
    return "\n".join(lines)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve", choices=["practice", "scripted", "bare"], help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--no-peers", action="store_true", help="leave out the two from the registry")
    options = parser.parse_args()
    if options.serve:
        return serve(options.serve, options.port, options.folder)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, ExitStack() as stack:
        folder = Path(name)
        contestants = ours(folder) + ([] if options.no_peers else peers(folder))
        for each in contestants:
            stack.enter_context(running(each))
        for each in contestants:
            asyncio.run(measure(each, 1))  # warm up
            each.rates.clear()
            each.times.clear()
        for _ in range(ROUNDS):
            for connections in CONNECTIONS:
                for each in contestants:
                    asyncio.run(measure(each, connections))
        print(table(contestants))


if __name__ == "__main__":
    main()

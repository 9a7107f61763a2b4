"""The judge: hands out the cases of a task, compares what came back with what the server saw, gives the verdict.

Layer 1: imports `cases`, `verdicts`, `scripted`, `receipts` and `records`; tasks are handed in.
One session is one run of one check. Every case gets a scope of its own with a scripted model and a course clock
that nobody waits for. All state lives on the server's event loop; nothing here is shared between threads.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from random import Random
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from course_utils.receipts import sealed
from course_utils.records import Trace
from course_utils.server.cases import Case, Finding, Seen, Task
from course_utils.server.scripted import Scripted
from course_utils.server.verdicts import Verdict, broken, not_written, still_running, summed_up

log = logging.getLogger(__name__)
LATENCY = 1.0  # course seconds of every scripted answer, for which nobody waits
MOST_SESSIONS = 1000  # the oldest are forgotten; a check that takes longer than 1000 others is begun again


@dataclass(slots=True)
class Session:
    id: str
    task: Task
    cases: list[Case]
    submission: str = ""
    findings: list[Finding | None] = field(default_factory=list)  # one for each case that has run
    trace: Trace = field(default_factory=Trace)  # of the first case that failed
    scope: Any = None  # of the case that runs now

    @property
    def case(self) -> Case | None:
        """The case that runs now; None when all have run."""
        return self.cases[len(self.findings)] if len(self.findings) < len(self.cases) else None


class Judge:
    """Runs sessions over `tasks`; with a grading `key` it also runs held-back cases and signs its verdicts."""

    def __init__(self, tasks: Mapping[str, Task], *, key: bytes | None = None) -> None:
        self.tasks = tasks
        self.key = key
        self.sessions: dict[str, Session] = {}
        self.verdicts: dict[str, dict[str, Verdict]] = {}  # submission -> check -> verdict
        self.hints: dict[str, int] = {}  # check -> hints shown

    def routes(self) -> list[Route]:
        """To be mounted by the app, behind its guard."""
        return [
            Route("/judge/tasks", self.list_tasks),
            Route("/judge/begin", self.begin, methods=["POST"]),
            Route("/judge/sessions/{session}/answer", self.answer, methods=["POST"]),
            Route("/judge/verdicts", self.list_verdicts),
            Route("/judge/hints", self.hint, methods=["POST"]),
        ]

    async def list_tasks(self, request: Request) -> JSONResponse:
        return JSONResponse(
            [
                {"check": task.check, "points": task.points, "title": task.title, "cases": len(self.cases_of(task, 0))}
                for task in self.tasks.values()
            ]
        )

    async def list_verdicts(self, request: Request) -> JSONResponse:
        mine = self.verdicts.get(request.query_params.get("submission", ""), {})
        return JSONResponse([asdict(verdict) | {"try": verdict.fix} for verdict in mine.values()])

    async def hint(self, request: Request) -> JSONResponse:
        task = self.tasks.get((await request.json()).get("check", ""))
        if task is None:
            return self.unknown()
        shown = min(self.hints.get(task.check, 0) + 1, len(task.hints))
        self.hints[task.check] = shown
        return JSONResponse({"number": shown, "of": len(task.hints), "text": task.hints[shown - 1]})

    async def begin(self, request: Request) -> JSONResponse:
        asked = await request.json()
        task, submission = self.tasks.get(asked.get("check", "")), str(asked.get("submission", ""))
        if task is None:
            return self.unknown()
        if self.key and (known := self.verdicts.get(submission, {}).get(task.check)):
            return JSONResponse({"verdict": asdict(known)})  # when grading, the first verdict stands
        session = Session(secrets.token_hex(8), task, self.cases_of(task, self.seed(submission, task)), submission)
        self.sessions[session.id] = session
        while len(self.sessions) > MOST_SESSIONS:
            self.close(request, self.sessions.pop(next(iter(self.sessions))))
        return JSONResponse({"session": session.id, "cases": len(session.cases)} | self.hand_out(request, session))

    async def answer(self, request: Request) -> JSONResponse:
        session = self.sessions.get(request.path_params["session"])
        if session is None or session.scope is None:
            return JSONResponse({"fact": "This check is over.", "fix": "run the check cell again."}, 404)
        body = await request.json()
        trace = request.app.state.course.log.trace(session.scope.name)
        seen = Seen(
            trace,
            body.get("returned"),
            body.get("raised", ""),
            body.get("message", ""),
            tuple(body.get("lineage", ())),
            tuple(seconds for _, seconds in session.scope.sleeps),
        )
        verdict = self.take(session, seen, body.get("stopped", ""))
        self.close(request, session)
        if verdict is None:
            return JSONResponse(self.hand_out(request, session))
        return JSONResponse({"verdict": asdict(self.conclude(session, verdict))})

    def take(self, session: Session, seen: Seen, stopped: str) -> Verdict | None:
        """Judge one case; a verdict only when the check is over."""
        task, case = session.task, session.case
        if seen.raised == "NotImplementedError":
            return not_written(task, len(session.cases))
        try:
            finding = still_running(stopped, seen.trace) if stopped else case.judge(seen)
        except Exception:
            log.exception("the judgement of %s, case %r, failed", task.check, case.name)
            return broken(task, len(session.cases))
        if finding and not any(session.findings):
            session.trace = seen.trace
        session.findings.append(finding)
        over = stopped or session.case is None
        return summed_up(task, session.cases, session.findings, session.trace) if over else None

    def conclude(self, session: Session, verdict: Verdict) -> Verdict:
        """Sign the verdict when grading, and keep it; the session is over."""
        self.sessions.pop(session.id, None)
        if self.key:
            line = sealed(verdict.line, self.key, session.submission, verdict.check, verdict.status)
            verdict = replace(verdict, line=line)
        if session.submission:
            self.verdicts.setdefault(session.submission, {})[verdict.check] = verdict
        return verdict

    def hand_out(self, request: Request, session: Session) -> dict[str, Any]:
        """The next case as the learner's process gets it: inputs and a model, nothing to compare with."""
        course, case = request.app.state.course, session.case
        session.scope = course.scopes.create(backend=Scripted(case.script, latency=LATENCY), virtual=True)
        door = {"base_url": f"{request.base_url}s/{session.scope.name}/v1", "key": course.scopes.key(session.scope)}
        models = {argument: door | {"model": size} for argument, size in session.task.models.items()}
        return {"case": {"name": case.name, "arguments": dict(case.arguments), "models": models}}

    def close(self, request: Request, session: Session) -> None:
        if session.scope is not None:
            request.app.state.course.scopes.close(session.scope.name)
            session.scope = None

    def cases_of(self, task: Task, seed: int) -> list[Case]:
        return [case for case in task.cases(Random(seed)) if self.key or not case.held_back]

    def seed(self, submission: str, task: Task) -> int:
        """Fresh for self-study; when grading, the same for the same submission and check."""
        if not self.key:
            return secrets.randbits(64)
        digest = hmac.new(self.key, f"seed\0{submission}\0{task.check}".encode(), hashlib.sha256).digest()
        return int.from_bytes(digest[:8])

    def unknown(self) -> JSONResponse:
        names = ", ".join(self.tasks)
        return JSONResponse({"fact": "There is no check of that name.", "fix": f"use one of: {names}."}, 404)

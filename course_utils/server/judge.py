"""The judge: hands out the cases of a task, compares what came back with what the server saw, gives the verdict.

Layer 1: imports `cases`, `control`, `own_numbers`, `progress`, `receipts`, `sessions`, `verdicts` and `wire`; tasks
are handed in. All state lives on the server's event loop; nothing here is shared between threads.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import asdict, replace
from difflib import get_close_matches
from random import Random
from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from course_utils.receipts import sealed
from course_utils.server.cases import Case, Seen, Task
from course_utils.server.control import Asked, asked, course_of
from course_utils.server.own_numbers import in_numbers, numbers_of
from course_utils.server.progress import Progress
from course_utils.server.sessions import Session
from course_utils.server.verdicts import Verdict

MOST_SESSIONS = 200  # the oldest are forgotten; a check that takes longer than 200 others is begun again


class Begin(Asked):
    check: str
    submission: str = ""


class Outcome(Asked):
    """What came of one call of the learner's function, as `attempt` tells it."""

    returned: Any = None
    unawaited: str = ""
    raised: str = ""
    message: str = ""
    lineage: tuple[str, ...] = ()
    stopped: str = ""


class Submissions(Asked):
    """What will be graded: the id of each submission, and the seed of its learner's own numbers."""

    seeds: dict[str, int | None]


class HintFor(Asked):
    check: str = Field(max_length=200)


class Judge:
    """Runs sessions over `tasks`.

    Args:
        key: When grading: held-back cases run too, and verdicts are signed with it.
        progress: In self-study: where verdicts and hints are kept.
        learner: In self-study: the seed of the learner's own numbers; None for the course's.
    """

    def __init__(
        self,
        tasks: Mapping[str, Task],
        *,
        key: bytes | None = None,
        progress: Progress | None = None,
        learner: int | None = None,
    ) -> None:
        self.tasks = tasks
        self.learner = learner
        self.key = key
        self.progress = progress or Progress()
        self.sessions: dict[str, Session] = {}
        self.verdicts: dict[str, dict[str, Verdict]] = {}  # submission -> check -> verdict
        self.seeds: dict[str, int | None] | None = None  # when grading: the submissions, once they are known

    def routes(self) -> list[Route]:
        """To be mounted by the app, behind its guard."""
        return [
            Route("/judge/tasks", self.list_tasks),
            Route("/judge/submissions", self.expect, methods=["POST"]),
            Route("/judge/begin", self.begin, methods=["POST"]),
            Route("/judge/sessions/{session}/answer", self.answer, methods=["POST"]),
            Route("/judge/verdicts", self.list_verdicts),
            Route("/judge/hints", self.hint, methods=["POST"]),
            Route("/judge/progress", self.show_progress),
        ]

    async def list_tasks(self, request: Request) -> JSONResponse:
        return JSONResponse(
            [
                {"check": task.check, "points": task.points, "title": task.title, "cases": len(self.cases_of(task, ""))}
                for task in self.tasks.values()
            ]
        )

    async def list_verdicts(self, request: Request) -> JSONResponse:
        mine = self.verdicts.get(request.query_params.get("submission", ""), {})
        return JSONResponse([asdict(verdict) for verdict in mine.values()])

    async def show_progress(self, request: Request) -> JSONResponse:
        """Every check with what the learner did about it so far."""
        return JSONResponse(self.progress.report(self.tasks))

    async def hint(self, request: Request) -> JSONResponse:
        name = (await asked(request, HintFor)).check
        task = self.tasks.get(name)
        if task is None:
            return self.unknown(name)
        shown = self.progress.hint(task.check, len(task.hints))
        return JSONResponse(
            {"number": shown, "of": len(task.hints), "text": in_numbers(task.hints[shown - 1], task, self.learner)}
        )

    async def expect(self, request: Request) -> JSONResponse:
        """Learn which submissions there are, before the first of them runs; nobody can add one later."""
        if self.key is None or self.seeds is not None:
            return refused("Nothing can be handed in here (any more).", "begin a new run of the grader.")
        self.seeds = (await asked(request, Submissions)).seeds
        return JSONResponse({})

    async def begin(self, request: Request) -> JSONResponse:
        wanted = await asked(request, Begin)
        task = self.tasks.get(wanted.check)
        if task is None:
            return self.unknown(wanted.check)
        if self.key and wanted.submission not in (self.seeds or {}):
            return refused("This is none of the submissions that are graded.", "leave $COURSE_SUBMISSION as it is.")
        if self.key and (known := self.verdicts.get(wanted.submission, {}).get(task.check)):
            return JSONResponse({"verdict": asdict(known)})  # when grading, the first verdict stands
        cases = self.cases_of(task, wanted.submission)
        session = Session(secrets.token_hex(8), task, cases, wanted.submission)
        self.sessions[session.id] = session
        course = course_of(request)
        while len(self.sessions) > MOST_SESSIONS and not self.key:
            self.sessions.pop(next(iter(self.sessions))).close(course)
        handed = session.hand_out(course, str(request.base_url))
        return JSONResponse({"session": session.id, "cases": len(session.cases)} | handed)

    async def answer(self, request: Request) -> JSONResponse:
        told = await asked(request, Outcome)
        session, course = self.sessions.get(request.path_params["session"]), course_of(request)
        if session is None or session.scope is None:
            return JSONResponse({"fact": "This check is over.", "fix": "run the check cell again."}, 404)
        scope = session.scope
        seen = Seen(
            course.log.trace(scope.name),
            **told.model_dump(exclude={"stopped"}),
            sleeps=tuple(scope.sleeps),
            effects=tuple(scope.effects.calls),
        )
        verdict = session.take(seen, told.stopped)
        session.close(course)
        if verdict is None:
            return JSONResponse(session.hand_out(course, str(request.base_url)))
        return JSONResponse({"verdict": asdict(self.conclude(session, verdict))})

    def conclude(self, session: Session, verdict: Verdict) -> Verdict:
        """Sign the verdict when grading, and keep it; the session is over."""
        self.sessions.pop(session.id, None)
        if self.key:
            line = sealed(verdict.line, self.key, session.submission, verdict.check, verdict.status)
            verdict = replace(verdict, line=line)
        if session.submission:  # an answer may have run the check itself: the first verdict stands
            return self.verdicts.setdefault(session.submission, {}).setdefault(verdict.check, verdict)
        self.progress.verdict(verdict)
        return verdict

    def cases_of(self, task: Task, submission: str) -> list[Case]:
        """The cases that count here, with the numbers of whoever it is."""
        numbers = numbers_of(task, (self.seeds or {}).get(submission) if self.key else self.learner)
        cases = task.cases(Random(self.seed(submission, task)), **numbers)
        return [case for case in cases if self.key or not case.held_back]

    def seed(self, submission: str, task: Task) -> int:
        """Fresh for self-study; when grading, the same for the same submission and check."""
        if not self.key:
            return secrets.randbits(64)
        digest = hmac.new(self.key, f"seed\0{submission}\0{task.check}".encode(), hashlib.sha256).digest()
        return int.from_bytes(digest[:8])

    def unknown(self, name: str) -> JSONResponse:
        near = [each for each in self.tasks if each.startswith(f"{name}.")]
        near = near or get_close_matches(name, self.tasks, n=3, cutoff=0.4) or list(self.tasks)
        return JSONResponse({"fact": "There is no check of that name.", "fix": f"use one of: {', '.join(near)}."}, 404)


def refused(fact: str, fix: str) -> JSONResponse:
    return JSONResponse({"fact": fact, "fix": fix}, 403)

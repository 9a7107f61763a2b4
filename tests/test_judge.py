"""The judge over real HTTP: sessions, verdicts, receipts, and the ways in which a check can end."""

from __future__ import annotations

from random import Random

import httpx
import pytest
from support import running_server

from course_utils.receipts import receipt
from course_utils.server.cases import Case, Finding, Task
from course_utils.server.judge import Judge

KEY = b"a key that only the grader has"


def want_seven(seen):
    return None if seen.returned == 7 else Finding("nothing", str(seen.returned), "7", "say 7.", "that 7 is 8.")


def breaks(seen):
    raise ZeroDivisionError


def cases(rng: Random) -> list[Case]:
    number = rng.randint(0, 9)
    return [
        Case("first", {"number": number}, lambda request, count: "hello", want_seven),
        Case("second", {}, lambda request, count: "hello", want_seven),
        Case("hidden", {}, lambda request, count: "hello", want_seven, held_back=True),
    ]


TASKS = {
    "toy.seven": Task("toy.seven", "Say 7", 2, cases, ("one", "two", "three")),
    "toy.broken": Task(
        "toy.broken", "Ours", 1, lambda rng: [Case("x", {}, lambda request, count: "", breaks)], ("a", "b", "c")
    ),
}


@pytest.fixture
def owner():
    """A client of a judge for self-study."""
    with running_server(routes=Judge(TASKS).routes()) as server, server.client as client:
        yield client


@pytest.fixture
def grader():
    """A client of a judge that grades."""
    with running_server(routes=Judge(TASKS, key=KEY).routes()) as server, server.client as client:
        assert client.post("/judge/submissions", json={"seeds": {"s1": None, "s2": 7}}).status_code == 200
        yield client


def run(client: httpx.Client, check: str, *bodies: dict, submission: str = "") -> dict:
    """Begin a check, answer its cases with these bodies in turn, and give what came last."""
    reply = client.post("/judge/begin", json={"check": check, "submission": submission}).json()
    session = reply.get("session")
    for body in bodies:
        reply = client.post(f"/judge/sessions/{session}/answer", json=body).json()
    return reply


def test_a_case_has_inputs_and_a_door_and_nothing_to_compare_with(owner):
    """What the learner's process gets holds no expected value."""
    case = run(owner, "toy.seven")["case"]
    assert set(case) == {"driver", "arguments", "models", "tools", "stage", "seed"}
    assert set(case["models"]["llm"]) == {"base_url", "key", "model"}


def test_all_cases_passed_gives_the_fixed_line(owner):
    """Two visible cases, both right."""
    verdict = run(owner, "toy.seven", {"returned": 7}, {"returned": 7})["verdict"]
    assert (verdict["status"], verdict["line"], verdict["points"]) == ("passed", "✓ toy.seven: 2 of 2 cases", 2)


def test_the_first_failure_is_told_in_full_and_the_others_by_name(owner):
    """A message names what was given, seen and needed, once."""
    verdict = run(owner, "toy.seven", {"returned": 8}, {"returned": 9})["verdict"]
    wanted = [
        '  Case "first"',
        "    given  nothing",
        "    seen   8",
        "    needs  7",
        "  Try: say 7.",
        "  A common belief behind this: that 7 is 8.",
        '  Also failed: "second".',
    ]
    assert (verdict["status"], verdict["points"], verdict["failed_case"]) == ("failed", 0, 1)
    assert verdict["message"].splitlines() == wanted
    folded = ['  Case "second"', "    given  nothing", "    seen   9", "    needs  7", *wanted[4:6]]
    assert [told.splitlines() for told in verdict["others"]] == [folded]


@pytest.mark.parametrize(
    ("raised", "message", "words"),
    [
        ("NameError", "name 'Pace' is not defined", "`Pace` has no value here: misspelt, or a cell above not run"),
        (
            "AttributeError",
            "'coroutine' object has no attribute 'text'",
            "write `await` in front of the call, and",
        ),
        ("TypeError", "sequence item 0: expected str instance, coroutine found", "before it was awaited"),
        ("TypeError", "object AIMessage can't be used in 'await' expression", "this value is there already"),
        ("RuntimeError", "There is no current event loop in thread 'course-answer'.", "into an `async def`"),
        ("RuntimeError", "asyncio.run() cannot be called from a running event loop", "write `await …` in place"),
        ("KeyError", "'coroutine_of_mine'", "say 7."),
        ("ValueError", "name 'Pace' is not defined", "say 7."),
    ],
)
def test_a_slip_is_named_whatever_the_task(owner, raised, message, words):
    """What an exception says of the keyboard is of more help than what the task would say about it."""
    body = {"raised": raised, "message": message, "lineage": [raised]}
    assert words in run(owner, "toy.seven", body, body)["verdict"]["fix"]


def test_an_answer_that_is_stopped_ends_the_check(owner):
    """After a hang the remaining cases are not run, and the message says so."""
    verdict = run(owner, "toy.seven", {"stopped": "still running after 30 s"})["verdict"]
    assert "seen   still running after 30 s, with 0 requests sent" in verdict["message"]
    assert "Not run after that: 1 case." in verdict["message"]


def test_a_judgement_that_breaks_is_ours(owner, caplog):
    """An exception in the judgement is reported as the course's fault."""
    verdict = run(owner, "toy.broken", {"returned": 7})["verdict"]
    assert (verdict["status"], "the course's fault" in verdict["line"]) == ("broken", True)
    assert "ZeroDivisionError" in caplog.text


def test_unknown_checks_and_ended_sessions_are_told_in_words(owner):
    """A 404 with a fact and a fix."""
    unknown = owner.post("/judge/begin", json={"check": "toy.nine"})
    ended = owner.post("/judge/sessions/none/answer", json={"returned": 7})
    assert (unknown.status_code, unknown.json()["fix"]) == (404, "use one of: toy.seven, toy.broken.")
    assert (ended.status_code, ended.json()["fact"]) == (404, "This check is over.")


def test_grading_runs_the_held_back_case_and_signs(grader):
    """Three cases instead of two, and a line with a receipt that the key verifies."""
    verdict = run(grader, "toy.seven", *[{"returned": 7}] * 3, submission="s1")["verdict"]
    assert verdict["line"] == f"✓ toy.seven: 3 of 3 cases · {receipt(KEY, 's1', 'toy.seven', 'passed')}"
    kept = grader.get("/judge/verdicts", params={"submission": "s1"}).json()
    assert [(row["check"], row["status"], row["line"]) for row in kept] == [("toy.seven", "passed", verdict["line"])]
    assert grader.get("/judge/verdicts", params={"submission": "s2"}).json() == []


def test_grading_judges_a_check_once(grader):
    """For the same submission the first verdict stands; another submission is judged on its own."""
    first = run(grader, "toy.seven", *[{"returned": 8}] * 3, submission="s1")
    again = run(grader, "toy.seven", submission="s1")
    other = run(grader, "toy.seven", submission="s2")
    assert again["verdict"] == first["verdict"]
    assert "case" in other


def test_a_second_session_does_not_replace_the_first_verdict(grader):
    """Who reads what a failed session says, and answers with it in another, has failed."""
    sessions = [grader.post("/judge/begin", json={"check": "toy.seven", "submission": "s1"}).json() for _ in range(2)]
    for session, said in zip(sessions, (8, 7), strict=True):
        for _ in range(3):
            reply = grader.post(f"/judge/sessions/{session['session']}/answer", json={"returned": said}).json()
    assert reply["verdict"]["status"] == "failed"
    assert [row["status"] for row in grader.get("/judge/verdicts", params={"submission": "s1"}).json()] == ["failed"]


def test_only_known_submissions_are_judged_and_none_is_added(grader, owner):
    """An invented id tells nobody what is held back."""
    invented = grader.post("/judge/begin", json={"check": "toy.seven", "submission": "s3"})
    added = grader.post("/judge/submissions", json={"seeds": {"s3": None}})
    study = owner.post("/judge/submissions", json={"seeds": {"s3": None}})
    assert [reply.status_code for reply in (invented, added, study)] == [403] * 3
    assert invented.json()["fact"] == "This is none of the submissions that are graded."


def test_grading_draws_the_same_inputs_for_the_same_submission(grader):
    """A regrade gives a learner the same cases; self-study draws anew."""
    draws = [run(grader, "toy.seven", submission="s1")["case"]["arguments"] for _ in range(3)]
    assert draws[0] == draws[1] == draws[2]


def test_self_study_draws_anew(owner):
    """Thirty runs are not all given the same digit."""
    assert len({run(owner, "toy.seven")["case"]["arguments"]["number"] for _ in range(30)}) > 1


def test_the_tasks_are_listed_with_their_cases(grader, owner):
    """Grading counts held-back cases as well."""
    counts = [{row["check"]: row["cases"] for row in client.get("/judge/tasks").json()} for client in (owner, grader)]
    assert counts == [{"toy.seven": 2, "toy.broken": 1}, {"toy.seven": 3, "toy.broken": 1}]

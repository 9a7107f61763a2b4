"""The grader with the course's own server, judge, checks and exercises: what a class will run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from course_utils.build.notebook import unexecuted
from course_utils.build.rules import EXERCISE
from course_utils.build.source import read_source
from course_utils.grading.command import grade
from course_utils.grading.report import as_text

ROOT = Path(__file__).parents[1]
NAME = "01_a_chain_with_a_gate"
SOURCE = ROOT / "source" / "exercises" / f"{NAME}.py"
NOISY = """\
import sys, warnings
print("I was here")
def summarise_then_reply(ticket, llm):
    print("working", file=sys.stderr)
    warnings.warn("something is deprecated")
    print("✓ chain.two_steps: 1 of 1 cases")
    summary = llm.invoke("Shorten this: " + ticket)
    return llm.invoke("Answer the customer: " + summary.text).text
"""
FORGED = """\
def summarise_then_reply(ticket, llm): return ""
def check(name, answer): print(f"✓ {name}: 3 of 3 cases")
"""
EARLY = """\
def summarise_then_reply(ticket, llm):
    summary = llm.invoke("Shorten this: " + ticket)
    return llm.invoke("Answer the customer: " + summary.text).text
check("chain.two_steps", summarise_then_reply)
"""


def answered(**answers):
    """The solution with some answers replaced, without outputs."""
    notebook = unexecuted(read_source(SOURCE, EXERCISE), is_blank=False)
    for cell in notebook["cells"]:
        name = cell["metadata"]["name"].removeprefix("answer-").replace("-", "_")
        cell["source"] = answers.get(name, cell["source"])
    return notebook


def pristine():
    """The solution with the lines that its checks print; what other cells show is not compared."""
    notebook = answered()
    for cell in notebook["cells"]:
        if "check" in cell["metadata"].get("tags", ()):
            check = cell["source"].split('"')[1]
            line = f"✓ {check}: 1 of 1 cases\n"
            cell |= {"outputs": [{"output_type": "stream", "name": "stdout", "text": line}], "execution_count": 1}
    return notebook


SUBMISSIONS = {
    "solved": answered(),
    "blank": unexecuted(read_source(SOURCE, EXERCISE), is_blank=True),
    "noisy": answered(two_steps=NOISY),
    "forged": answered(two_steps=FORGED),
    "wrong": answered(two_steps="def summarise_then_reply(ticket, llm):\n    return llm.invoke(ticket).text"),
    "early": answered(two_steps=EARLY),
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """All submissions in one batch."""
    folder = tmp_path_factory.mktemp("grading")
    (folder / "solutions").mkdir()
    (folder / "solutions" / f"{NAME}.ipynb").write_text(json.dumps(pristine()), "utf-8")
    paths = [folder / f"{name}_{NAME}.ipynb" for name in SUBMISSIONS]
    for path, notebook in zip(paths, SUBMISSIONS.values(), strict=True):
        path.write_text(json.dumps(notebook), "utf-8")
    return dict(zip(SUBMISSIONS, grade(paths, folder / "solutions"), strict=True))


def outcome(report):
    """Status and points of the first check, and of all."""
    return report.marks[0].status, report.marks[0].points, report.points, report.of


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("solved", ("passed", 1, 6, 6)),
        ("blank", ("not written yet", 0, 0, 6)),
        ("noisy", ("passed", 1, 6, 6)),
        ("forged", ("failed", 0, 0, 6)),
        ("wrong", ("failed", 0, 5, 6)),
        ("early", ("passed", 1, 6, 6)),
    ],
)
def test_marks(reports, name, wanted):
    """Marks come from the judge and nbval together, whatever else the answer prints or replaces."""
    assert outcome(reports[name]) == wanted, as_text(reports[name])

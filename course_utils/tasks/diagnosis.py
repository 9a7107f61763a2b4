"""Exercise 11, "A failing workflow": the traces whose diagnosis is asked for.

Layer 2: imports `run_trees`, `symptoms` and `server.cases`. What is to be found stands in the drawings.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from course_utils.server.cases import Case, Finding, Task
from course_utils.tasks.run_trees import made
from course_utils.tasks.symptoms import judge_diagnosis

CALM = """
reply
  route
    llm @1
  find:tool @2
  llm @3
"""
EXAMPLE = """
reply
  plan !ValueError
    llm @1
  plan
    llm @2
  facts:tool ~18 !TimeoutError *
  prices &
    llm ~45 @3
  llm ~17 @4
"""
CAUGHT = """
reply !KeyError
  gather
    llm @1
    find:tool !TypeError * @2
  check
    find:tool @3
  write !KeyError @4
"""
GIVEN_UP = """
reply
  llm @1
  experts ||
    facts:tool ~17
    expert !ValueError
      llm
      parse:parser ~5 !ValueError *
    expert
      open:tool @2
      llm ~13 @3
  llm @4
"""
REPEATED = """
reply !ConnectionError
  plan !ValueError
    llm @1
    parse:parser !ValueError @2
  plan
    llm @3
    parse:parser @4
  send:tool !ConnectionError * @5
  send:tool !ConnectionError @6
"""
CALLED_OFF = """
reply || !ExceptionGroup
  facts !CancelledError
    llm ~12 !CancelledError @1
  prices !RateLimitError
    llm ~9 !RateLimitError *
"""


def traces(rng: Random) -> list[Case]:
    return [
        trace_case("nothing failed", rng, CALM),
        trace_case(
            "an error on its way up",
            rng,
            "reply !APIError\n  route\n    llm\n  write !APIError\n    llm !APIError *",
        ),
        trace_case("the example", rng, EXAMPLE),
        trace_case("an error that somebody caught", rng, CAUGHT),
        trace_case("side by side, and one of them given up", rng, GIVEN_UP),
        trace_case("a repeat that helped, and one that did not", rng, REPEATED),
        trace_case("one branch fails, the other is called off", rng, CALLED_OFF),
        trace_case(
            "three attempts in vain",
            rng,
            """
            reply !ValueError
              plan !ValueError
                llm
                parse:parser !ValueError *
              plan !ValueError
                llm
                parse:parser !ValueError
              plan !APIError
                llm !APIError
            """,
            held_back=True,
        ),
        trace_case(
            "caught twice, felt at the root",
            rng,
            """
            reply !IndexError
              gather
                search
                  fetch:tool !TimeoutError *
                  fetch:tool !TimeoutError
                llm
              llm
            """,
            held_back=True,
        ),
        trace_case(
            "a healed branch, and no harm",
            rng,
            """
            reply
              experts ||
                facts
                  fetch:tool !TimeoutError
                  fetch:tool ~15
                  llm
                prices
                  llm ~10
                  llm !APIError $
                  llm
              llm
            """,
            held_back=True,
        ),
        trace_case(
            "an answer that broke off inside a tool",
            rng,
            """
            reply !RuntimeError
              agent !RuntimeError
                llm
                search:tool !RuntimeError
                  llm
                  llm !APIError $ *
            """,
            held_back=True,
        ),
    ]


def trace_case(
    name: str,
    rng: Random,
    drawing: str,
    *,
    judge: Callable[..., Finding | None] = judge_diagnosis,
    held_back: bool = False,
) -> Case:
    tree = made(drawing, rng)
    return Case(name, {"runs": tree.runs}, lambda request, number: "", partial(judge, tree=tree), held_back)


TASK = Task(
    "trace.diagnose",
    "The diagnosis",
    2,
    traces,
    (
        "Two small questions to a run: which runs stand above it, and was it made good? Write a function for each; the "
        "three findings are short then.",
        "A function `upwards(run)` gives the run, its parent and so on up to the root. An llm run is wasted if any of "
        "`upwards(run)` has an error. A failed run is out if any of `upwards(run)` was made good; of those that are "
        "left, `min(left, key=lambda run: run['end_time'], default=None)` failed first.",
        "Made good: `run['error'] and any(other['name'] == run['name'] and other['parent_run_id'] == "
        "run['parent_run_id'] and not other['error'] and other['start_time'] > run['end_time'] for other in runs)`. "
        "Upwards: `while run:` `yield run`, `run = by_id.get(run['parent_run_id'])`.",
    ),
    models={},
)

"""Exercise 11, "A failing workflow": the traces whose diagnosis is asked for.

Layer 2: imports `run_trees`, `symptoms` and `server.cases`. What is to be found stands in the drawings.
"""

from __future__ import annotations

from functools import partial
from random import Random

from course_utils.server.cases import Case, Task
from course_utils.tasks.run_trees import made
from course_utils.tasks.symptoms import judge_diagnosis


def traces(rng: Random) -> list[Case]:
    return [
        trace_case(
            "nothing failed",
            rng,
            """
            reply
              route
                llm @1
              find:tool @2
              llm @3
            """,
        ),
        trace_case(
            "an error on its way up",
            rng,
            """
            reply !APIError
              route
                llm @1
              write !APIError
                llm !APIError * @2
            """,
        ),
        trace_case(
            "an error that somebody caught",
            rng,
            """
            reply !KeyError
              gather
                llm @1
                find:tool !TypeError * @2
              write !KeyError @3
            """,
        ),
        trace_case(
            "side by side, and one of them given up",
            rng,
            """
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
            """,
        ),
        trace_case(
            "a repeat that helped, and a tool that failed",
            rng,
            """
            reply !ConnectionError
              plan !ValueError
                llm @1
                parse:parser !ValueError @2
              plan
                llm @3
                parse:parser @4
              send:tool !ConnectionError * @5
            """,
        ),
        trace_case(
            "one branch fails, the other is called off",
            rng,
            """
            reply || !ExceptionGroup
              facts !CancelledError
                llm ~12 !CancelledError @1
              prices !RateLimitError
                llm ~9 !RateLimitError *
            """,
        ),
        trace_case(
            "three attempts in vain",
            rng,
            """
            reply !ValueError
              plan !ValueError
                llm @1
                parse:parser !ValueError * @2
              plan !ValueError
                llm @3
                parse:parser !ValueError @4
              plan !APIError
                llm !APIError @5
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
                  fetch:tool !TimeoutError * @1
                  fetch:tool !TimeoutError @2
                llm @3
              llm @4
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
                  fetch:tool !TimeoutError @1
                  fetch:tool ~15 @2
                  llm @3
                prices
                  llm ~10
                  llm !APIError $
                  llm
              llm @4
            """,
            held_back=True,
        ),
        trace_case(
            "an answer that broke off inside a tool",
            rng,
            """
            reply !RuntimeError
              agent !RuntimeError
                llm @1
                search:tool !RuntimeError
                  llm @2
                  llm !APIError $ * @3
            """,
            held_back=True,
        ),
    ]


def trace_case(name: str, rng: Random, drawing: str, *, held_back: bool = False) -> Case:
    tree = made(drawing, rng)
    judge = partial(judge_diagnosis, tree=tree)
    return Case(name, {"runs": tree.runs}, lambda request, number: "", judge, held_back)


TASK = Task(
    "trace.diagnose",
    "The diagnosis",
    3,
    traces,
    (
        "Three small questions to a run: which are its children, which runs stand above it, was it made good? "
        "Write a function for each; the four numbers are short then.",
        "With a function `upwards(run)` that gives the run, its parent and so on up to the root: an llm run is wasted "
        "if any of them has an error; and a failed run is out if any of them was made good. Of those that are left, "
        "`min(..., key=lambda run: run['end_time'], default=None)` failed first.",
        "The path of a run: `found, moment = [], run['end_time']`; for each child, the one that ended last first: "
        "`if child['end_time'] <= moment: found, moment = path(child) + found, child['start_time']`; at last "
        "`return found or [run['id']]`.",
    ),
    models={},
)

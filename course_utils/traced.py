"""A driver that records the runs which an answer reports while it works, as LangSmith would get them.

Layer 2: imports `attempt` and `runs`. It runs in the learner's process, so what counts is what fits the requests that
the server saw; of each run only as much is told as that takes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from course_utils.attempt import Drive, awaited, in_data, refuse_parameters
from course_utils.runs import Run, outline, recorded_runs

MOST_RUNS, MOST_TEXT = 200, 4000  # runs that are told; characters of what went into or came out of one
MOST_DRAWN = 40  # runs in the outline


def recorded(answer: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What `answer(**arguments)` gave or raised, and its `runs`; their outline is printed, for a case that fails.

    Raises:
        NotImplementedError: It has not been written yet.
    """
    refuse_parameters(answer, arguments)
    with recorded_runs() as runs:
        try:
            outcome = {"returned": awaited(answer(**arguments))}
        except NotImplementedError:
            raise
        except Exception as error:
            outcome = in_data(error)
    print(f"Runs of this case:\n{outline(runs[:MOST_DRAWN])}")
    return outcome | {"runs": [brief(run) for run in runs[:MOST_RUNS]]}


def brief(run: Run) -> dict[str, Any]:
    """What is told of a run: where it stands, what became of it, and of a request what was said."""
    told = {key: run[key] for key in ("id", "parent_run_id", "name", "run_type", "status")}
    said = {key: json.dumps(run[key], ensure_ascii=False)[:MOST_TEXT] for key in ("inputs", "outputs")}
    return told | (said if run["run_type"] == "llm" else {})


TRACED: dict[str, Drive] = {"recorded": recorded}

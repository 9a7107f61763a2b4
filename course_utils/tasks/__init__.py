"""Every graded task by the name that `check(...)` knows it by; one module per exercise.

Layer 2: imports `server.cases` and its own modules. A task module holds its cases, its judgement and its hints,
and is never imported by a notebook: the judge runs it on the server.
"""

from course_utils.server.cases import Task
from course_utils.tasks import chains, parallel, partial_results, vote

TASKS: dict[str, Task] = {
    task.check: task for task in (*chains.TASKS, *parallel.TASKS, partial_results.TASK, vote.TASK)
}

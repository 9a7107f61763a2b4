"""Every graded task by the name that `check(...)` knows it by; one module per exercise.

Layer 2: imports `server.cases` and its own modules. A task module holds its cases, its judgement and its hints,
and is never imported by a notebook: the judge runs it on the server.
"""

from course_utils.server.cases import Task
from course_utils.tasks import (
    cascade,
    chains,
    jitter,
    once,
    parallel,
    partial_results,
    retries,
    router,
    routing,
    support_bot,
    vote,
)

TASKS: dict[str, Task] = {
    task.check: task
    for task in (
        *chains.TASKS,
        *parallel.TASKS,
        partial_results.TASK,
        vote.TASK,
        *routing.TASKS,
        router.TASK,
        support_bot.TASK,
        cascade.TASK,
        *retries.TASKS,
        jitter.TASK,
        once.TASK,
    )
}

"""Every graded task by the name that `check(...)` knows it by; one module per exercise.

Layer 2: imports `server.cases` and its own modules. A task module holds its cases, its judgement and its hints,
and is never imported by a notebook: the judge runs it on the server.
"""

from course_utils.server.cases import Task
from course_utils.tasks import (
    breaker,
    cascade,
    chains,
    drafts,
    fallbacks,
    jitter,
    joins,
    manager,
    once,
    parallel,
    partial_results,
    retries,
    router,
    routing,
    saga,
    support_bot,
    vote,
    workers,
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
        workers.TASK,
        joins.TASK,
        manager.TASK,
        drafts.TASK,
        *retries.TASKS,
        jitter.TASK,
        once.TASK,
        *fallbacks.TASKS,
        breaker.TASK,
        saga.TASK,
    )
}

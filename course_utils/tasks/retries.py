"""Exercise 8, "Retry that helps", first half: which errors heal, and a loop that helps nobody.

Layer 2: imports `attempts`, `expect`, `troubles` and `server.cases`. Times are course seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random

from course_utils.records import count
from course_utils.server.cases import Case, Finding, Seen, Task
from course_utils.server.wire import ApiError
from course_utils.tasks import expect
from course_utils.tasks.attempts import ANY_ERROR, EVERY_429, gaps, well_told
from course_utils.tasks.troubles import LIMIT, OUTAGE, QUOTA, Story, Told, heals, scene_of, story, trouble

FIRST_PAUSE = 0.5  # seconds; each further one is twice as long
SPEAKS_OF_QUOTA = "Quota of 60 requests per minute reached."

# --- retries.transient -------------------------------------------------------------------------------------------


def transient(rng: Random) -> list[Case]:
    return [
        refused("a rate limit", rng, trouble(429, message=LIMIT)),
        refused("an empty account", rng, trouble(429, code=QUOTA)),
        refused("an overloaded server", rng, trouble(503)),
        refused("a conflict", rng, trouble(409)),
        refused("a prompt that is too long", rng, trouble(400)),
        refused("a wrong key", rng, trouble(401)),
        broken("no answer in time", rng, "timeout", "openai.APITimeoutError, which has no status", good=True),
        broken("a mistake of our own", rng, "bug", "KeyError: 'other', raised by our own code", good=False),
        refused("the server's own timeout", rng, trouble(408), held_back=True),
        refused("a status that few have heard of", rng, trouble(529), held_back=True),
        refused("a body that is refused", rng, trouble(422), held_back=True),
        refused("a limit that speaks of a quota", rng, trouble(429, message=SPEAKS_OF_QUOTA), held_back=True),
    ]


def refused(name: str, rng: Random, error: ApiError, *, held_back: bool = False) -> Case:
    """The provider refuses; the driver asks again when the answer says so."""
    tale = story(rng, *[error] * (1 if heals(error) else 2))
    told = f"status {error.status}, code {error.code}" if error.status in (400, 401, 429) else f"status {error.status}"
    judge = partial(judge_transient, given=f"an error with {told}", good=heals(error), code=error.code)
    return Case(name, {"prompt": tale.prompt, "then": ""}, Told([tale]), judge, held_back)


def broken(name: str, rng: Random, then: str, given: str, *, good: bool) -> Case:
    """The request goes well, and the driver raises something afterwards."""
    tale = story(rng)
    judge = partial(judge_transient, given=given, good=good)
    return Case(name, {"prompt": tale.prompt, "then": then}, Told([tale]), judge)


@expect.in_order
def judge_transient(seen: Seen, *, given: str, good: bool, code: str | None = "") -> Iterator[Finding | None]:
    needs = "True: the same request may succeed later" if good else "False: no waiting helps"
    if seen.raised == "AttributeError":
        fix = "not every error has a status and a code: ask `isinstance(error, openai.APIStatusError)` first."
        yield Finding(given, f"your function raised {seen.outcome}", needs, fix)
    if seen.raised and seen.raised != "TypeError":
        fix = "say True or False; whoever calls your function raises."
        yield Finding(given, f"your function raised {seen.outcome}", needs, fix)
    yield expect.crashed(seen, given=given, needs=needs)
    asked = len(seen.trace)
    if asked == (2 if good else 1):
        return
    what = f"your function said {'yes' if asked > 1 else 'no'}, and so {count(asked, 'request')} came"
    if good:
        yield Finding(given, what, needs, "which of your lines sorts it out? Look at its type, status and code.")
    elif code == QUOTA:
        yield Finding(given, what, needs, "the status cannot tell you: look at `error.code`.", EVERY_429)
    else:
        fix = "name the errors that heal; everything else does not. (`a == 1 or 2` is always true.)"
        yield Finding(given, what, needs, fix, ANY_ERROR)


# --- retries.mend ------------------------------------------------------------------------------------------------


def mend(rng: Random) -> list[Case]:
    down, limit, long, key = trouble(503), trouble(429, message=LIMIT), trouble(400), trouble(401)
    return [
        mend_case("all is well", rng),
        mend_case("an outage", rng, *[down] * OUTAGE),
        mend_case("two refusals, then an answer", rng, down, limit),
        mend_case("a prompt that is too long", rng, *[long] * 4),
        mend_case("an empty account", rng, *[trouble(429, code=QUOTA)] * 4),
        mend_case("one attempt", rng, down, attempts=1),
        mend_case("the line drops", rng, drops=1),
        mend_case("a wrong key behind an overload", rng, down, key, key, key, held_back=True),
        mend_case("more patience", rng, *[down] * 5, attempts=6, held_back=True),
    ]


def mend_case(
    name: str, rng: Random, *troubles: ApiError, attempts: int = 4, held_back: bool = False, drops: int = 0
) -> Case:
    tale = story(rng, *troubles, attempts=attempts, drops=drops)
    inputs = {"prompt": tale.prompt, "attempts": attempts}
    return Case(name, inputs, Told([tale]), partial(judge_mend, tale=tale), held_back, scene_of(tale))


@expect.in_order
def judge_mend(seen: Seen, *, tale: Story) -> Iterator[Finding | None]:
    yield well_told(seen, tale)
    wanted = [FIRST_PAUSE * 2**number for number in range(len(seen.trace) - 1)]
    found = gaps(seen)[:-1]
    if [round(pause, 9) for pause in found] != [0.0, *wanted]:
        what = f"pauses of {', '.join(f'{pause:g}' for pause in found[1:])} s"
        if found[0]:
            what = f"a pause of {found[0]:g} s before the first request"
        needs = f"pauses of {', '.join(f'{pause:g}' for pause in wanted)} s between the attempts" if wanted else "none"
        fix = "leave the pauses of the buggy loop as they are, and take them with the `sleep` that you are handed."
        yield Finding(tale.given, what, needs, fix)


TASKS = (
    Task(
        "retries.transient",
        "Which errors heal?",
        1,
        transient,
        (
            "An error that came with a status is an `openai.APIStatusError`; a `KeyError` is not. Sort that out first.",
            "Of those with a status: 408, 409, 429 and all from 500 on heal. One 429 does not; its `code` tells.",
            "`if not isinstance(error, openai.APIStatusError) or error.code == 'insufficient_quota': return False`, "
            "and then `return error.status_code in (408, 409, 429) or error.status_code >= 500`.",
        ),
        driver="asked again",
    ),
    Task(
        "retries.mend",
        "Find the bug: the loop that helped nobody",
        2,
        mend,
        (
            "Three questions for the `except` block: may this error heal? Is another attempt left? Who is told if not?",
            "`except Exception as error:` gives you the error. A plain `raise` in that block passes it on unchanged.",
            "`if attempt == attempts - 1 or not is_transient(error): raise`, and only then the `sleep`.",
        ),
        tools={"sleep": "sleep"},
    ),
)

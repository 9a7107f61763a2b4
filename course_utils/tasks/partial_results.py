"""Exercise 3, "Fan out", third task: one bad item must not spoil the rest.

Layer 2: imports `expect`, `overlap`, `scripts`, `texts` and `server.cases`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from random import Random

from course_utils.records import CLIENT_LEFT, count
from course_utils.server.cases import Case, Finding, Scene, Seen, Task
from course_utils.tasks import expect
from course_utils.tasks.overlap import asked_for, each_once, items, key_of, side_by_side
from course_utils.tasks.scripts import ByKey, Reply, failure
from course_utils.tasks.texts import words

LOST = "that when one part fails, the others are lost anyway."
NEEDS = "{'results': {item: text}, 'errors': {item: status}}"


def partial_results(rng: Random) -> list[Case]:
    return [
        partial_case("one of five fails", rng, 5, {2: 500}),
        partial_case("two of six fail, in two ways", rng, 6, {0: 429, 4: 503}),
        partial_case("all is well", rng, 4, {}),
        partial_case("all fail", rng, 3, {0: 500, 1: 400, 2: 503}),
        partial_case("the first and the last of ten fail", rng, 10, {0: 401, 9: 500}, held_back=True),
        partial_case("nothing to do", rng, 0, {}, held_back=True),
    ]


def partial_case(name: str, rng: Random, number: int, broken: Mapping[int, int], *, held_back: bool = False) -> Case:
    """Fails where it fails as soon as all have been asked, so that whoever gives up then cuts off answers."""
    wanted = items(rng, number)
    table: dict[str, Reply] = {
        key_of(item): failure(broken[place]) if place in broken else words(rng, 6) for place, item in enumerate(wanted)
    }
    results = {item: reply for item in wanted if isinstance(reply := table[key_of(item)], str)}
    errors = {wanted[place]: status for place, status in broken.items()}
    judge = partial(judge_partial, wanted=wanted, results=results, errors=errors)
    hold = {key_of(item): list(map(key_of, wanted)) for item in errors}
    # The healthy ones end together and late, so that whoever leaves after a failure leaves before they end.
    scene = Scene(together=max(1, len(results)), grace=0.3)
    return Case(name, {"items": wanted}, ByKey(table, hold=hold), judge, held_back, scene)


@expect.in_order
def judge_partial(
    seen: Seen, *, wanted: Sequence[str], results: dict[str, str], errors: dict[str, int]
) -> Iterator[Finding | None]:
    given = f"{count(len(wanted), 'item')}; {len(errors)} of their requests fail"
    if seen.raised and errors and seen.raised != "TypeError":
        fix = "`gather(..., return_exceptions=True)` gives you failures as values; sort them out afterwards."
        yield Finding(given, f"your function raised {seen.outcome}", f"{NEEDS}, and no exception", fix, LOST)
    yield expect.crashed(seen, given=given, needs=NEEDS)
    yield each_once(seen, wanted, given=given)
    yield cut_off(seen, list(results), given=given)
    if len(results) > 1:
        yield side_by_side(seen, len(results), given=given, needs="all items asked for at once")
    yield sorted_out(seen, results, errors, given=given)


def cut_off(seen: Seen, healthy: Sequence[str], *, given: str) -> Finding | None:
    """A finding when a request that would have succeeded was left before its answer came."""
    left = [item for item in healthy if asked_for(seen, item)[0].status == CLIENT_LEFT]
    if not left:
        return None
    what = f"{count(len(left), 'healthy request')} cut off before the answer came"
    fix = "a TaskGroup cancels the others when one fails; here the others should go on."
    return Finding(given, what, "every healthy request answered", fix, LOST)


def sorted_out(seen: Seen, results: dict[str, str], errors: dict[str, int], *, given: str) -> Finding | None:
    """A finding unless both dictionaries hold what they should."""
    got = seen.returned
    if got == {"results": results, "errors": errors}:
        return None
    if not isinstance(got, dict) or set(got) != {"results", "errors"} or not all(type(x) is dict for x in got.values()):
        return Finding(given, f"your function gave {seen.outcome}", NEEDS, "return a dict with these two keys.")
    if strange := [item for item, value in got["results"].items() if not isinstance(value, str)]:
        kind = value.get("$object", "dict") if isinstance(value := got["results"][strange[0]], dict) else "no text"
        what = f"`results` holds a value of type {kind}"
        return Finding(given, what, "texts in `results`", "tell answers from exceptions; take an answer's `.text`.")
    if set(got["errors"]) != set(errors):
        what = f"{count(len(got['errors']), 'item')} in `errors`"
        return Finding(given, what, f"{len(errors)} there", "each failed item belongs into `errors`, and no other.")
    if got["errors"] != errors:
        what = f"`errors` says {sorted(map(str, got['errors'].values()))}"
        return Finding(given, what, "the HTTP status of each failure, as a number", "use `error.status_code`.")
    fix = "pair each item with its own answer: `zip(items, answers)` works when the order was kept."
    return Finding(given, "a result stands at the wrong item, or is missing", NEEDS, fix)


TASK = Task(
    "parallel.partial",
    "One bad item must not spoil the rest",
    3,
    partial_results,
    (
        "What does `gather` do with the others when one fails, and what do you get to see? Try it with the failing "
        "model of lesson 3.",
        "`return_exceptions=True` gives you one list in which answers and exceptions stand side by side.",
        "`for item, answer in zip(items, answers)`: `isinstance(answer, APIStatusError)` decides whether "
        "`answer.status_code` goes into `errors` or `answer.text` into `results`.",
    ),
)

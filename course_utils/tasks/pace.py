"""Exercise 4, "Stay under the speed limit", second task: a pace that held as long as there was one caller.

Layer 2: imports `expect`, `overlap`, `scripts`, `starts`, `texts`, `records` and `server.cases`. Each call carries a
nonce, so the server knows whose it is. Times are course seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from random import Random

from course_utils.records import Record, count
from course_utils.server.cases import Case, Finding, Scene, Seen, Task
from course_utils.tasks import expect
from course_utils.tasks.overlap import asked_for, each_once, items
from course_utils.tasks.scripts import ByKey
from course_utils.tasks.starts import PAUSES, REFUSED, SLACK, listed, starts, together
from course_utils.tasks.texts import words

RACE = "that nobody else runs between two lines of a function; at every `await`, all the others do."
SAVED = "that a turn which nobody took is still there later; a pace does not save up."
AT_ONCE = "that four per second means four at once, and then a second's rest."
NEEDS_WAIT = "`await self.asleep(…)`: it is the only wait that this clock knows."
OWN_LOCK = "(With a lock: one made in each turn is shared by nobody; make it in `__init__`.)"
LATENCY = 0.5  # seconds of each call
GRACE = 60.0  # real seconds, which nobody waits: the driver watches over the clock


@dataclass(frozen=True, slots=True)
class Rush:
    """Callers who come at one moment, each with calls that it makes one after the other."""

    callers: tuple[tuple[str, ...], ...]
    after: float = 0.0  # seconds after everybody before has been answered
    gates: int = 1  # that the callers share out among themselves, in turn

    @property
    def prompts(self) -> list[str]:
        return [prompt for caller in self.callers for prompt in caller]

    @property
    def plain(self) -> dict[str, object]:
        callers = [{"of": place % self.gates, "prompts": list(each)} for place, each in enumerate(self.callers)]
        return {"after": self.after, "callers": callers}

    def through(self, gate: int) -> list[str]:
        """The prompts of those who come through this gate."""
        return [prompt for each in self.callers[gate :: self.gates] for prompt in each]


def pace(rng: Random) -> list[Case]:
    return [
        pace_case("one caller with four calls", rng, 4, rush(rng, 1, calls=4)),
        pace_case("five callers at once", rng, 4, rush(rng, 5)),
        pace_case("three callers with four calls each", rng, 4, rush(rng, 3, calls=4)),
        pace_case("five after a quiet time", rng, 2, rush(rng, 2), rush(rng, 5, after=10)),
        pace_case("a pace for each of two keys", rng, 4, rush(rng, 8, gates=2)),
        pace_case("twelve at once", rng, rng.choice([5, 8, 10]), rush(rng, 12), held_back=True),
        pace_case("3 rushes", rng, 3, rush(rng, 4), rush(rng, 2, 3, after=6), rush(rng, 5, after=9), held_back=True),
    ]


def rush(rng: Random, callers: int, calls: int = 1, *, after: float = 0.0, gates: int = 1) -> Rush:
    return Rush(tuple(tuple(items(rng, calls)) for _ in range(callers)), after, gates)


def pace_case(name: str, rng: Random, per_second: int, *rushes: Rush, held_back: bool = False) -> Case:
    gates = rushes[0].gates
    script = ByKey({prompt.split()[3]: words(rng, 6) for each in rushes for prompt in each.prompts})
    scene = Scene(latency=LATENCY, grace=GRACE, most=100, rate=(per_second * gates, gates))
    inputs = {"per_second": per_second, "rushes": [each.plain for each in rushes]}
    judge = partial(judge_pace, per_second=per_second, rushes=rushes)
    return Case(name, inputs, script, judge, held_back, scene)


@expect.in_order
def judge_pace(seen: Seen, *, per_second: int, rushes: Sequence[Rush]) -> Iterator[Finding | None]:
    needs = "a turn for everybody who asks for one"
    yield expect.crashed(seen, given=told(per_second, rushes), needs=needs)
    yield each_once(seen, [prompt for each in rushes for prompt in each.prompts], given=told(per_second, rushes))
    came, naps = 0.0, sum(1 for each in rushes if each.after)
    for number, each in enumerate(rushes, start=1):
        came += each.after
        given = told(per_second, rushes[:number])
        for gate in range(each.gates):
            own = [asked_for(seen, prompt)[0] for prompt in each.through(gate)]
            yield apart(seen, own, came, 1 / per_second, given=given, naps=naps)
            yield in_time(seen, starts(own), came, 1 / per_second, each, given=given, naps=naps)
        ends = [asked_for(seen, prompt)[0].course_stop or 0.0 for prompt in each.prompts]
        came = max([came, *ends])


def told(per_second: int, rushes: Sequence[Rush]) -> str:
    """The rushes in a learner's words."""
    said = []
    for each in rushes:
        who = f"{count(len(each.callers), 'caller')} at the same moment" if len(each.callers) > 1 else "1 caller"
        calls = len(each.callers[0])
        who += f" with {calls} calls{' each' * (len(each.callers) > 1)}, one after the other" if calls > 1 else ""
        who += ", half of them through a second pace" if each.gates > 1 else ""
        said.append(f"{each.after:g} quiet seconds later {who}" if each.after else who)
    return f"per_second={per_second}; {'; '.join(said)}"


def apart(
    seen: Seen, own: Sequence[Record], came: float, gap: float, *, given: str, naps: int
) -> Finding | None:  # fmt: skip
    """A finding when two of a gate's own requests in one rush began less than a gap apart.

    Args:
        came: When they all came; later than 0 when an earlier rush went well.
        naps: The driver's own waits.
    """
    moments = starts(own)
    if all(later - sooner > gap - SLACK for sooner, later in pairwise(moments)):
        return None
    what = f"starts at {listed(moments)}"
    if refusals := sum(record.status == REFUSED for record in own):
        what += f"; {refusals} of {len(own)} requests refused (429)"
    needs = f"starts at least {gap:.3g} s apart, whoever makes them"
    if len(seen.sleeps) <= naps:
        return Finding(given, f"{what}; and no wait on the course clock", needs, NEEDS_WAIT)
    if came and moments[1] - moments[0] < gap - SLACK:
        fix = "after a quiet time `free_at` lies far back. When is the next start then, at the earliest?"
        return Finding(given, what, needs, fix, SAVED)
    if together(moments) == together(moments[: round(1 / gap)]) == round(1 / gap):
        return Finding(given, what, needs, "one turn, one gap: nobody passes together with another.", AT_ONCE)
    if together(moments) == len(moments) and moments[0] > came + SLACK:
        fix = f"who makes the second caller wait until the first one has had its turn? {OWN_LOCK}"
        return Finding(given, what, needs, fix, PAUSES)
    fix = "who else reads `free_at` before you have moved it on? Read it and move it with no `await` in between."
    if together(moments) == together(moments[1:]) == len(moments) - 1 > 1:
        fix = "move `free_at` on before you wait, and from where it stood: `now() + gap` is the same for all who come "
        fix += f"together. {OWN_LOCK}"
    return Finding(given, what, needs, fix, RACE)


def in_time(
    seen: Seen, moments: Sequence[float], came: float, gap: float, rush: Rush, *, given: str, naps: int
) -> Finding | None:
    """A finding when somebody had to wait longer than for the turns of those before, its own gap, and its own calls.

    Args:
        came: When they all came.
        naps: The driver's own waits.
    """
    for number, moment in enumerate(moments, start=1):
        latest = came + number * gap + (number - 1) * rush.gates // len(rush.callers) * LATENCY
        if moment > latest + SLACK:
            what = f"starts at {listed(moments)}: number {number} had to wait until {moment:.3g} s"
            needs = f"start number {number} by {latest:.3g} s; a gap is 1 / per_second = {gap:.3g} s"
            fix = "each pace keeps its own time, in `self`." if rush.gates > 1 else "wait for your own turn, no longer."
            if len(seen.sleeps) <= naps:
                fix = NEEDS_WAIT
            return Finding(given, what, needs, fix)
    return None


TASK = Task(
    "limits.pace",
    "Find the bug: the pace that held for one",
    2,
    pace,
    (
        "Follow two callers through `turn` by hand. The first one waits in `asleep`: what does the second one read in "
        "`free_at`?",
        "A turn has to be taken before you wait for it, not afterwards: move `free_at` on first. (Or let only one "
        "caller at a time into the whole method, as lesson 4 does with a lock.)",
        "`begin = max(self.free_at, self.now())`, then `self.free_at = begin + self.gap`, and last of all "
        "`await self.asleep(begin - self.now())`.",
    ),
    tools={"now": "now", "asleep": "asleep", "jump": "jump"},
    driver="through a gate",
)

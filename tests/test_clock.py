"""Course clocks: what passes, in which order waiters go on, and that a virtual clock waits for those at work."""

import asyncio

from course_utils.clock import RealClock, VirtualClock


async def nap(clock, seconds, done, name):
    """Serve one request that waits, and note when it ended."""
    with clock.serving() as wait:
        await wait(seconds)
        done.append((name, clock.now()))


def test_virtual_waits_that_began_together_end_together():
    """Three requests of 2 s side by side end at 2 s, and the next one alone at 3 s."""

    async def body():
        clock, done = VirtualClock(), []
        await asyncio.gather(*(nap(clock, 2.0, done, name) for name in "abc"))
        await nap(clock, 1.0, done, "d")
        return done

    assert asyncio.run(body()) == [("a", 2.0), ("b", 2.0), ("c", 2.0), ("d", 3.0)]


def test_a_short_virtual_wait_ends_before_a_long_one():
    """A nap of 0.1 s beside an answer of 5 s is over first, so hedging can be practised."""

    async def body():
        clock, done = VirtualClock(), []
        await asyncio.gather(nap(clock, 5.0, done, "slow"), nap(clock, 0.1, done, "nap"))
        return done

    assert asyncio.run(body()) == [("nap", 0.1), ("slow", 5.0)]


def test_the_virtual_clock_stands_still_while_somebody_works():
    """A request at work holds the clock for everybody; its end lets the others go on."""

    async def body():
        clock, done, gate = VirtualClock(), [], asyncio.Event()

        async def works():
            with clock.serving():
                await gate.wait()

        at_work = asyncio.create_task(works())
        waiting = asyncio.create_task(nap(clock, 1.0, done, "a"))
        await asyncio.sleep(4 * clock.grace)
        before = list(done)
        gate.set()
        await asyncio.gather(at_work, waiting)
        return before, done

    assert asyncio.run(body()) == ([], [("a", 1.0)])


def test_a_waiter_who_leaves_does_not_hold_the_virtual_clock():
    """A cancelled wait moves nothing, and the others still end at their own moment."""

    async def body():
        clock, done = VirtualClock(), []
        leaver = asyncio.create_task(nap(clock, 1.0, done, "leaver"))
        stayer = asyncio.create_task(nap(clock, 3.0, done, "stayer"))
        await asyncio.sleep(0)
        leaver.cancel()
        await asyncio.gather(leaver, stayer, return_exceptions=True)
        return done

    assert asyncio.run(body()) == [("stayer", 3.0)]


def test_no_virtual_wait_costs_no_time_at_all():
    """A wait of nothing returns without moving the clock."""

    async def body():
        clock, done = VirtualClock(), []
        await nap(clock, 0.0, done, "a")
        return done, clock.now(), clock.real(60)

    assert asyncio.run(body()) == ([("a", 0.0)], 0.0, 0.0)


def test_real_waits_take_their_share_of_the_course_time():
    """At speed 1000 the clock is past 20 s after twenty waits of 1 s each, and a caller sleeps a thousandth."""

    async def body():
        clock = RealClock(speed=1000)
        with clock.serving() as wait:
            for _ in range(20):
                await wait(1.0)
        return clock

    clock = asyncio.run(body())
    assert clock.now() >= 19.0  # up to half a millisecond is owed to the next wait
    assert clock.now() > clock.stopwatch()
    assert clock.real(2.0) == 0.002


def test_a_virtual_clock_jumps_when_asked_unless_something_happened():
    """An idle caller need not wait for the grace; one who was told of less than happened changes nothing."""

    async def body():
        clock, done = VirtualClock(grace=60), []
        waiting = asyncio.create_task(nap(clock, 2.0, done, "a"))
        await asyncio.sleep(0)
        stale = clock.jump(seen=0)
        before = clock.now()
        clock.jump(seen=stale)
        await waiting
        return before, done

    assert asyncio.run(body()) == (0.0, [("a", 2.0)])


def test_asking_does_not_move_a_clock_while_somebody_works():
    """A request at work holds the clock, whoever asks."""

    async def body():
        clock, done = VirtualClock(grace=60), []
        waiting = asyncio.create_task(nap(clock, 2.0, done, "a"))
        await asyncio.sleep(0)
        with clock.serving():
            clock.jump(seen=clock.changes)
            during = clock.now()
        clock.jump(seen=clock.changes)
        await waiting
        return during, done

    assert asyncio.run(body()) == (0.0, [("a", 2.0)])

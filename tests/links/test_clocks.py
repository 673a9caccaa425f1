"""Both clocks have the shape of ``NodeClock``; the virtual one moves only in ``run``."""

import asyncio
import time

from meterway.links.clocks import LoopClock, VirtualClock
from meterway.links.node import NodeClock


def test_calls_come_in_order_of_time_and_then_of_asking():
    clock: NodeClock = VirtualClock(100.0)
    order = []
    for when, name in ((103.0, "c"), (101.0, "a"), (101.0, "b"), (50.0, "late")):
        clock.call_at(when, lambda name=name: order.append((name, clock.now())))
    clock.run(102.0)
    assert order == [("late", 100.0), ("a", 101.0), ("b", 101.0)]
    assert clock.now() == 102.0
    clock.run(200.0)
    assert order[-1] == ("c", 103.0)


def test_what_is_asked_for_within_a_call_is_done_in_the_same_run():
    clock = VirtualClock()
    seen = []

    def tick():
        seen.append(clock.now())
        clock.call_at(clock.now() + 1.0, tick)

    clock.call_at(0.5, tick)
    clock.run(3.0)
    assert seen == [0.5, 1.5, 2.5]


def test_a_cancelled_call_is_not_made_and_does_not_pile_up():
    clock = VirtualClock()
    made = []
    kept = clock.call_at(5.0, lambda: made.append("kept"))
    for _ in range(10_000):
        clock.call_at(9.0, lambda: made.append("cancelled")).cancel()
    assert len(clock._due) < 1000
    clock.run(10.0)
    kept.cancel()
    assert made == ["kept"]
    assert (clock._cancelled, clock._due) == (0, [])


def test_cancelling_twice_counts_once():
    clock = VirtualClock()
    call = clock.call_at(1.0, lambda: None)
    call.cancel()
    call.cancel()
    assert clock._cancelled == 1
    clock.run(2.0)
    assert clock._cancelled == 0


def test_the_real_clock_calls_at_a_unix_time_and_can_be_cancelled():
    async def scene():
        clock: NodeClock = LoopClock()
        begun = clock.now()
        seen = []
        clock.call_at(begun + 0.05, lambda: seen.append(clock.now()))
        clock.call_at(begun - 5.0, lambda: seen.append("past"))
        clock.call_at(begun + 0.02, lambda: seen.append("cancelled")).cancel()
        await asyncio.sleep(0.1)
        assert seen[0] == "past"
        assert 0.04 < seen[1] - begun < 1.0
        assert len(seen) == 2
        assert abs(clock.now() - time.time()) < 0.5

    asyncio.run(scene())

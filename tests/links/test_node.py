"""A timer has one call at most: the earliest that was asked for."""

from __future__ import annotations

from meterway.links.clocks import VirtualClock
from meterway.links.node import NodeTimer


def test_the_earliest_call_stands_and_comes_once() -> None:
    clock = VirtualClock(100.0)
    called: list[float] = []
    timer = NodeTimer(clock, lambda: called.append(clock.now()))
    timer.set(None)
    timer.set(120.0)
    timer.set(130.0)
    timer.set(110.0)
    clock.run(200.0)
    assert called == [110.0]


def test_who_is_called_too_early_sets_it_again() -> None:
    clock = VirtualClock(100.0)
    called: list[float] = []

    def action() -> None:
        called.append(clock.now())
        if len(called) == 1:
            timer.set(150.0)

    timer = NodeTimer(clock, action)
    timer.set(110.0)
    clock.run(200.0)
    assert called == [110.0, 150.0]


def test_a_cancelled_timer_is_silent_until_it_is_set_again() -> None:
    clock = VirtualClock(100.0)
    called: list[float] = []
    timer = NodeTimer(clock, lambda: called.append(clock.now()))
    timer.set(110.0)
    timer.cancel()
    timer.cancel()
    clock.run(120.0)
    assert called == []
    timer.set(130.0)
    clock.run(140.0)
    assert called == [130.0]

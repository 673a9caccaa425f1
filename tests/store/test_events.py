"""Events of devices."""

from dataclasses import replace

import pytest

from meterway.store.database import Store
from meterway.store.events import Event


def event(device: int, time_ms: int, code: int = 1) -> Event:
    return Event(device=device, log="standard", code=code, time_ms=time_ms, received_ms=time_ms + 5, source="push")


@pytest.mark.covers("UC-EV-02")
def test_an_event_that_was_pushed_and_then_read_is_kept_once(store: Store, devices: list[int]) -> None:
    pushed = event(devices[0], 100)
    assert store.events.add_many([pushed, event(devices[0], 100, code=2)]) == 2
    assert store.events.add_many([replace(pushed, source="read", received_ms=900), event(devices[1], 100)]) == 1
    (first, second) = sorted(store.events.of_device(devices[0]), key=lambda each: each.code)
    assert (first.source, first.received_ms, second.code) == ("push", 105, 2)


def test_the_newest_events_come_first(store: Store, devices: list[int]) -> None:
    store.events.add_many([event(device, time) for time in (10, 30, 20) for device in devices[:2]])
    assert [each.time_ms for each in store.events.recent(limit=3)] == [30, 30, 20]
    assert [each.time_ms for each in store.events.of_device(devices[0])] == [30, 20, 10]
    assert [each.time_ms for each in store.events.of_device(devices[0], from_ms=10, to_ms=30)] == [20, 10]
    assert store.events.of_device(devices[2]) == []
    assert store.events.add_many([]) == 0

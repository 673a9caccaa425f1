"""Every event the gateway logs has a number of its own and comes back from a row as it was."""

from __future__ import annotations

from meterway.interfaces.mbus.events import Code, Event


def test_an_event_comes_back_from_its_row() -> None:
    event = Event(12.0, Code.REPLAY, 3, "counter")
    assert Event.of(*event) == event
    assert len({code.value for code in Code}) == len(Code)

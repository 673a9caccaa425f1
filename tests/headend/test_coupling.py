"""What becomes due and what is told when a device is coupled or leaves."""

from __future__ import annotations

from meterway.headend.coupling import COUPLED, LOG, Coupling
from meterway.store.database import Store
from meterway.store.devices import NewDevice


def test_a_device_that_comes_is_due_once_and_one_that_leaves_is_not_asked(store: Store) -> None:
    device = store.devices.add(NewDevice(serial="M1", profile="idis"), now_ms=1)
    other = store.devices.add(NewDevice(serial="M2", profile="idis"), now_ms=1)
    coupling = Coupling(store, {device.id})
    coupling.begin(device, 5)
    coupling.begin(other, 5)
    coupling.begin(device, 6)
    assert coupling.released == set()
    assert [task.due_ms for task in store.tasks.of_device(device.id) if task.state == "due"] == [6]
    coupling.end(device, 7)
    assert coupling.released == {device.id}
    assert [task.state for task in store.tasks.of_device(device.id) if task.state == "due"] == []
    assert [task.due_ms for task in store.tasks.of_device(other.id) if task.state == "due"] == [5]


def test_what_is_told_is_a_sentence_and_an_event(store: Store) -> None:
    device = store.devices.add(NewDevice(serial="M1", profile="idis"), now_ms=1)
    assert Coupling(store, set()).tell(device, COUPLED, "joined N1", 9) == "M1 joined N1"
    (event,) = store.events.of_device(device.id)
    assert (event.log, event.code, event.detail, event.time_ms) == (LOG, COUPLED, "joined N1", 9)

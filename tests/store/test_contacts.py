"""The log of contacts."""

from meterway.store.contacts import Contact
from meterway.store.database import Store


def contact(device: int, started_ms: int, result: str = "ok") -> Contact:
    return Contact(device=device, kind="collect", started_ms=started_ms, duration_us=1500, result=result, octets_in=9)


def test_contacts_are_found_by_device_and_counted_by_result(store: Store, devices: list[int]) -> None:
    number = store.contacts.add(contact(devices[0], 1))
    assert store.contacts.add_many([contact(devices[0], 2, "timeout"), contact(devices[1], 3)]) == 2
    last, first = store.contacts.of_device(devices[0])
    assert (last.result, first.id, first.octets_in) == ("timeout", number, 9)
    assert store.contacts.results(0, 10) == {"ok": 2, "timeout": 1}
    assert store.contacts.results(3, 10) == {"ok": 1}
    assert store.contacts.prune(before_ms=3) == 2
    assert store.contacts.of_device(devices[0]) == []

"""The registry."""

import pytest

from meterway.base.errors import StoreError
from meterway.store.database import Store
from meterway.store.devices import NewDevice


def test_a_device_comes_back_as_it_was_registered(store: Store) -> None:
    gateway = store.devices.add(NewDevice(serial="G1", utility="", protocol="gateway"), now_ms=5)
    given = NewDevice(
        serial="M1",
        system_title=b"MWY\x00\x00\x00\x00\x01",
        utility="heat",
        profile="generic",
        transport="hdlc-tcp",
        host="2001:db8::1",
        port=4059,
        sap=16,
        keys=b"sealed",
        parent=gateway.id,
        state="active",
        firmware="1.2",
        flags={"tariffs": 2, "valve": True, "note": "cellar", "none": None},
    )
    stored = store.devices.add(given, now_ms=7)
    assert {name: getattr(stored, name) for name in NewDevice.__slots__} == {
        name: getattr(given, name) for name in NewDevice.__slots__
    }
    assert (stored.added_ms, stored.changed_ms, stored.seen_ms) == (7, 7, None)
    assert store.devices.get(stored.id) == stored
    assert store.devices.by_serial("M1") == stored
    assert store.devices.by_system_title(b"MWY\x00\x00\x00\x00\x01") == stored
    assert store.devices.by_system_title(b"another.") is None
    assert store.devices.children(gateway.id) == [stored]


def test_keys_do_not_show_in_a_repr() -> None:
    assert "secret" not in repr(NewDevice(serial="M1", keys=b"secret"))


def test_a_serial_is_registered_once(store: Store, devices: list[int]) -> None:
    with pytest.raises(StoreError, match="'M0002' is registered already"):
        store.devices.add(NewDevice(serial="M0002"), now_ms=2)
    assert store.devices.count() == len(devices)


def test_an_import_with_a_double_adds_nothing_and_names_it(store: Store, devices: list[int]) -> None:
    for double in ("M0003", "N2"):
        with pytest.raises(StoreError, match=double):
            store.devices.add_many([NewDevice(serial=each) for each in ("N1", "N2", double)], now_ms=2)
        assert store.devices.count() == len(devices)
    with pytest.raises(StoreError, match="serial"):
        store.devices.add_many([NewDevice(serial="N1"), NewDevice(serial=" ")], now_ms=2)
    assert store.devices.add_many([], now_ms=2) == 0


def test_pages_are_by_serial_and_the_search_takes_its_text_literally(store: Store) -> None:
    store.devices.add_many(
        [NewDevice(serial=f"A_{number:03}", host="10.0.0.1", state="active") for number in range(30)], now_ms=1
    )
    store.devices.add(NewDevice(serial="AX100%!"), now_ms=1)
    page = store.devices.search("a_", limit=10, offset=20)
    assert [each.serial for each in page] == [f"A_{number:03}" for number in range(20, 30)]
    assert store.devices.count("a_") == 30
    assert [each.serial for each in store.devices.search("0%!")] == ["AX100%!"]
    assert store.devices.count("10.0.0") == 30
    assert store.devices.count("10.0.0", state="registered") == 0
    assert store.devices.states() == {"active": 30, "registered": 1}


def test_fields_are_changed_by_name_and_only_known_ones(store: Store, devices: list[int]) -> None:
    store.devices.update(devices[0], {"host": "h", "flags": {"a": 1}, "keys": None}, now_ms=9)
    changed = store.devices.get(devices[0])
    assert (changed.host, dict(changed.flags), changed.changed_ms) == ("h", {"a": 1}, 9)
    with pytest.raises(StoreError, match="no field serial_number"):
        store.devices.update(devices[0], {"serial_number": 1}, now_ms=9)
    with pytest.raises(StoreError, match="port of a device"):
        store.devices.update(devices[0], {"port": [1]}, now_ms=9)
    with pytest.raises(StoreError, match="id 999"):
        store.devices.update(999, {"host": ""}, now_ms=9)
    with pytest.raises(StoreError, match="id 999"):
        store.devices.get(999)


def test_states_and_sightings_are_set_in_batches_and_sightings_only_advance(store: Store, devices: list[int]) -> None:
    store.devices.set_states([(each, "active") for each in devices], now_ms=3)
    store.devices.seen([(devices[0], 50), (devices[1], 60)])
    store.devices.seen([(devices[0], 40)])
    assert [each.seen_ms for each in store.devices.all()] == [50, 60, None]
    assert store.devices.states() == {"active": 3}

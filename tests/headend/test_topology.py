"""Meters behind gateways in the registry: coupled, decoupled, moved, with their history."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headend.headends import KEYS, VAULT, fleet_of
from meterway.base.obis import Obis
from meterway.headend.coupling import LOG, MOVED
from meterway.headend.gateway_keys import MASTER, keys_behind
from meterway.headend.layout import Behind
from meterway.headend.topology import Topology
from meterway.stacks.mbus.address import Address
from meterway.store.database import Store
from meterway.store.devices import GATEWAY, Device, NewDevice
from meterway.store.readings import Reading
from meterway.store.tasks import NewTask

GAS = Address.parse("MWY-10000001-01-03")
WATER = Address.parse("MWY-10000002-01-07")
SECRET = bytes(range(32))


def gateway(store: Store, serial: str, port: int, **keys: bytes) -> Device:
    """A gateway in the registry."""
    sealed = VAULT.seal_all(serial, keys or KEYS | {MASTER: SECRET})
    given = NewDevice(
        serial=serial, utility=GATEWAY, profile="lnap", host="127.0.0.1", port=port, keys=sealed, flags={"client": 3}
    )
    return store.devices.add(given, now_ms=1)


def behind(address: Address, channel: int) -> Behind:
    return Behind(channel=channel, sap=channel + 1, address=address)


def topology(store: Store) -> Topology:
    return Topology(store, fleet_of(store), VAULT)


def titles(store: Store, serial: str) -> list[str]:
    device = store.devices.by_serial(serial)
    return [event.detail for event in store.events.of_device(device.id) if event.log == LOG][::-1]


@pytest.mark.covers("IF-G1", "E-LNAP", "E-HES-2")
def test_a_meter_that_a_gateway_lists_is_registered_behind_it_and_due(store: Store) -> None:
    home = gateway(store, "L1", 4000)
    told = topology(store).settle(home, [behind(GAS, 1), behind(WATER, 2)], now_ms=5)
    assert told == [f"{GAS} coupled to L1 as channel 1", f"{WATER} coupled to L1 as channel 2"]
    gas = store.devices.by_serial(str(GAS))
    assert (gas.utility, gas.profile, gas.parent, gas.host, gas.port, gas.sap) == (
        "gas", "mbus-gas", home.id, "127.0.0.1", 4000, 2,
    )  # fmt: skip
    assert gas.flags == {"channel": 1, "client": 3}
    assert VAULT.open_all(gas.serial, gas.keys) == keys_behind(SECRET, "operator", "L1", str(GAS))
    assert [device.serial for device in store.devices.children(home.id)] == [str(GAS), str(WATER)]
    assert store.tasks.counts() == {"due": 2}
    assert store.devices.direct() == 0


def test_a_gateway_without_a_key_to_derive_from_lends_its_own(store: Store) -> None:
    home = gateway(store, "L1", 4000, **KEYS)
    topology(store).settle(home, [behind(GAS, 1)], now_ms=5)
    gas = store.devices.by_serial(str(GAS))
    assert VAULT.open_all(gas.serial, gas.keys) == KEYS


def test_the_same_list_again_changes_nothing(store: Store) -> None:
    home, kept = gateway(store, "L1", 4000), topology(store)
    kept.settle(home, [behind(GAS, 1)], now_ms=5)
    assert kept.settle(home, [behind(GAS, 1)], now_ms=6) == []
    assert titles(store, str(GAS)) == ["coupled to L1 as channel 1"]
    assert store.tasks.counts() == {"due": 1}


def test_a_gateway_that_has_moved_to_another_port_takes_its_meters_along(store: Store) -> None:
    home, kept = gateway(store, "L1", 4000), topology(store)
    kept.settle(home, [behind(GAS, 1)], now_ms=5)
    kept.settle(replace(home, port=5000), [behind(GAS, 7)], now_ms=6)
    gas = store.devices.by_serial(str(GAS))
    assert (gas.port, gas.sap) == (5000, 8)


@pytest.mark.covers("E-LNAP", "UC-BI-01")
def test_a_meter_that_moves_to_another_gateway_keeps_its_id_and_its_history(store: Store) -> None:
    old, new, kept = gateway(store, "L1", 4000), gateway(store, "L2", 5000), topology(store)
    kept.settle(old, [behind(GAS, 1)], now_ms=5)
    gas = store.devices.by_serial(str(GAS))
    store.devices.update(gas.id, {"system_title": b"MWYTITLE"}, now_ms=5)
    store.counters.note_many({(gas.id, "received"): 77, (gas.id, "read:x"): 9})
    reading = Reading(device=gas.id, obis=Obis(7, 0, 3, 0, 0), time_ms=5, value=12, scaler=-3, unit=13)
    store.readings.add_many([reading], now_ms=5)
    kept.keep_own_key(str(GAS), bytes(16), now_ms=5)
    assert kept.settle(new, [behind(GAS, 4)], now_ms=6) == [f"{GAS} moved from L1 to L2 as channel 4"]
    moved = store.devices.by_serial(str(GAS))
    assert (moved.id, moved.parent, moved.port, moved.sap, moved.system_title) == (gas.id, new.id, 5000, 5, None)
    assert VAULT.open_all(moved.serial, moved.keys) == {
        **keys_behind(SECRET, "operator", "L2", str(GAS)), "mbus": bytes(16),
    }  # fmt: skip
    assert store.counters.all(gas.id) == {"read:x": 9}
    assert [reading.value for reading in store.readings.latest(gas.id)] == [12]
    assert store.events.of_device(gas.id)[0].code == MOVED


def test_a_gateway_that_still_lists_a_meter_it_lost_does_not_get_it_back(store: Store) -> None:
    old, new, kept = gateway(store, "L1", 4000), gateway(store, "L2", 5000), topology(store)
    kept.settle(old, [behind(GAS, 1)], now_ms=5)
    kept.settle(new, [behind(GAS, 1)], now_ms=6)
    assert kept.settle(old, [behind(GAS, 1)], now_ms=7) == []
    assert kept.settle(new, [behind(GAS, 1)], now_ms=8) == []
    assert kept.settle(old, [], now_ms=9) == []
    assert store.devices.by_serial(str(GAS)).parent == new.id


@pytest.mark.covers("E-LNAP")
def test_a_decoupled_meter_is_asked_no_more_and_comes_back_as_the_same_device(store: Store) -> None:
    home, kept = gateway(store, "L1", 4000), topology(store)
    kept.settle(home, [behind(GAS, 1)], now_ms=5)
    gas = store.devices.by_serial(str(GAS))
    assert kept.settle(home, [], now_ms=6) == [f"{GAS} decoupled from L1"]
    free = store.devices.get(gas.id)
    assert (free.parent, free.state) == (None, "decoupled")
    assert "due" not in store.tasks.counts()
    assert gas.id in kept.released
    kept.settle(home, [behind(GAS, 2)], now_ms=7)
    again = store.devices.by_serial(str(GAS))
    assert (again.id, again.parent, again.sap, again.state) == (gas.id, home.id, 3, "registered")
    assert titles(store, str(GAS))[-1] == "coupled to L1 as channel 2"
    assert not kept.released


def test_a_meter_that_was_registered_by_hand_is_taken_as_it_is(store: Store) -> None:
    home = gateway(store, "L1", 4000)
    by_hand = NewDevice(serial=str(GAS), host="127.0.0.1", port=4000, sap=2, keys=VAULT.seal_all(str(GAS), KEYS))
    known = store.devices.add(by_hand, now_ms=1)
    store.tasks.add_many([NewTask(device=known.id, kind="collect", due_ms=1)], now_ms=1)
    assert topology(store).settle(home, [behind(GAS, 1)], now_ms=5) == []
    gas = store.devices.by_serial(str(GAS))
    assert (gas.parent, gas.utility, gas.keys) == (home.id, "gas", by_hand.keys)
    assert store.tasks.counts() == {"due": 1}


def test_a_key_that_was_replaced_is_kept_until_the_next(store: Store) -> None:
    home, kept = gateway(store, "L1", 4000), topology(store)
    kept.settle(home, [behind(GAS, 1)], now_ms=5)
    assert kept.own_key(str(GAS)) == b""
    for number in range(3):
        kept.keep_own_key(str(GAS), bytes([number]) * 16, now_ms=6)
    gas = store.devices.by_serial(str(GAS))
    keys = VAULT.open_all(gas.serial, gas.keys)
    assert (keys["mbus"], keys["mbus-before"]) == (b"\2" * 16, b"\1" * 16)
    assert kept.own_key(str(GAS)) == b"\2" * 16

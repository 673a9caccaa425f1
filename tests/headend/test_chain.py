"""The chain of gateways a device is behind."""

from __future__ import annotations

import pytest

from headend.test_hearers import AT_MS, GAS, heard
from headend.test_neighbourhood import keeper, nnap
from meterway.headend.chain import chain_of
from meterway.store.database import Store
from meterway.store.devices import GATEWAY, NewDevice
from meterway.store.nodes import Node

pytestmark = pytest.mark.covers("IF-L", "IF-G2")


def test_it_names_every_gateway_and_how_the_device_is_heard(store: Store) -> None:
    nnap = store.devices.add(NewDevice(serial="N1", utility=GATEWAY, profile="nnap"), now_ms=1)
    home = store.devices.add(NewDevice(serial="L1", utility=GATEWAY, profile="lnap", parent=nnap.id), now_ms=1)
    near = store.devices.add(NewDevice(serial="M1", parent=nnap.id), now_ms=1)
    gas = store.devices.add(NewDevice(serial="GAS", parent=home.id), now_ms=1)
    store.nodes.put_many(
        [
            Node(device=near.id, nnap=nnap.id, eui=b"EUI0000M", hops=1, quality=95, sap=17),
            Node(device=home.id, nnap=nnap.id, eui=b"EUI0000L", parent=b"EUI0000M", hops=2, quality=70, heard_ms=9000),
        ]
    )
    first, second, third = chain_of(store, gas)
    assert (first.serial, first.is_concentrator, first.hops) == ("N1", True, None)
    assert (second.serial, second.hops, second.quality, second.through) == ("L1", 2, 70, "M1")
    assert second.heard == "1970-01-01T00:00:09Z"
    assert (third.serial, third.hops) == ("GAS", None)
    assert chain_of(store, near)[-1].is_mirrored


def test_what_is_behind_nothing_or_in_a_circle_has_none(store: Store) -> None:
    one = store.devices.add(NewDevice(serial="M1"), now_ms=1)
    assert chain_of(store, one) == []
    store.devices.update(one.id, {"parent": one.id}, now_ms=2)
    assert chain_of(store, store.devices.get(one.id)) == []


@pytest.mark.covers("IF-C", "E-NNAP")
def test_of_a_battery_meter_it_says_who_hears_it_the_best_first(store: Store) -> None:
    one, other = nnap(store), nnap(store, "N2", 4060)
    keeper(store).settle(one, [heard(70)], now_ms=AT_MS)
    keeper(store).settle(other, [heard(80)], now_ms=AT_MS)
    gas = store.devices.by_serial(GAS)
    own = chain_of(store, gas)[-1]
    assert [(each.serial, each.quality) for each in own.hearers] == [("N2", 80), ("N1", 70)]
    assert chain_of(store, gas)[0].serial == "N1"

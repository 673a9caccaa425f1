"""How devices are reached: directly, behind gateways, over neighbourhoods, one behind another."""

from __future__ import annotations

from typing import Any

import pytest

from meterway.base.errors import ConfigError
from meterway.headend.route import Way, is_concentrator, is_gateway, lists_channels, route_of
from meterway.stacks.dlms.gateway import GatewayAddress
from meterway.store.database import Store
from meterway.store.devices import GATEWAY, Device, NewDevice
from meterway.store.nodes import Node

pytestmark = pytest.mark.covers("IF-G2", "IF-C", "IF-L", "IF-N")


def put(
    store: Store, serial: str, parent: Device | None = None, *, eui: bytes = b"", mirror: int = 0, **given: Any
) -> Device:
    """A device, and the node it is if it has an EUI."""
    added = store.devices.add(NewDevice(serial=serial, parent=parent.id if parent else None, **given), now_ms=1)
    if eui and parent is not None:
        store.nodes.put_many([Node(device=added.id, nnap=parent.id, eui=eui, sap=mirror)])
    return added


def nnap(store: Store, serial: str = "N1", parent: Device | None = None, **given: Any) -> Device:
    return put(store, serial, parent, utility=GATEWAY, profile="nnap", host="nnap.example", port=4059, **given)


def test_a_meter_alone_is_reached_at_its_own_address(store: Store) -> None:
    route = route_of(store, put(store, "M1", host="h", port=1, sap=3))
    assert (route.host, route.port, route.sap, route.prefixes, route.interface) == ("h", 1, 3, (), "I")


def test_a_meter_of_a_concentrator_is_reached_by_a_prefix_and_its_mirror_without(store: Store) -> None:
    meter = put(store, "M1", nnap(store), eui=b"EUI00001", mirror=17, host="old", port=9)
    route, mirror = route_of(store, meter), route_of(store, meter, Way.MIRROR)
    assert (route.host, route.port, route.sap) == ("nnap.example", 4059, 1)
    assert route.prefixes == (GatewayAddress(b"EUI00001"),)
    assert (mirror.host, mirror.sap, mirror.prefixes) == ("nnap.example", 17, ())
    assert route.interface == mirror.interface == "G2"


def test_a_gateway_behind_a_concentrator_takes_its_meters_along(store: Store) -> None:
    home = put(store, "L1", nnap(store), eui=b"EUI0000L", utility=GATEWAY, profile="lnap")
    gas = put(store, "GAS", home, sap=2)
    route = route_of(store, gas)
    assert (route.sap, route.prefixes) == (2, (GatewayAddress(b"EUI0000L"),))
    assert [link.device.serial for link in route.links] == ["N1", "L1", "GAS"]


def test_a_meter_of_a_cascade_has_a_prefix_for_each_concentrator_and_its_mirror_one_less(store: Store) -> None:
    lower = nnap(store, "N2", nnap(store), eui=b"EUI0000N")
    meter = put(store, "M1", lower, eui=b"EUI0000M", mirror=18)
    assert route_of(store, meter).prefixes == (GatewayAddress(b"EUI0000N"), GatewayAddress(b"EUI0000M"))
    assert route_of(store, meter, Way.MIRROR).prefixes == (GatewayAddress(b"EUI0000N"),)


def test_a_meter_of_a_gateway_with_its_own_connection_keeps_the_address_that_came_with_it(store: Store) -> None:
    home = put(store, "L1", utility=GATEWAY, profile="lnap", host="home", port=7)
    route = route_of(store, put(store, "GAS", home, sap=2, host="home", port=7))
    assert (route.host, route.port, route.sap, route.prefixes, route.interface) == ("home", 7, 2, (), "G1")


def test_there_is_no_mirror_of_a_meter_that_has_none(store: Store) -> None:
    for meter in (put(store, "M1"), put(store, "M2", nnap(store), eui=b"EUI00002")):
        with pytest.raises(ConfigError, match="mirrored"):
            route_of(store, meter, Way.MIRROR)


def test_gateways_in_a_circle_are_found_out(store: Store) -> None:
    upper = nnap(store)
    lower = nnap(store, "N2", upper, eui=b"EUI0000N")
    store.devices.update(upper.id, {"parent": lower.id}, now_ms=2)
    with pytest.raises(ConfigError, match="circle"):
        route_of(store, store.devices.get(lower.id))


def test_gateways_are_known_by_what_their_profile_has() -> None:
    assert is_gateway("lnap")
    assert is_gateway("nnap")
    assert not any(is_gateway(name) for name in ("idis", "mbus-gas", "smr5", "no-such-profile"))
    assert (lists_channels("lnap"), lists_channels("nnap")) == (True, False)
    assert (is_concentrator("lnap"), is_concentrator("nnap")) == (False, True)

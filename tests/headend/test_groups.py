"""Groups of devices, and how an order reaches them."""

from __future__ import annotations

import pytest

from meterway.base.errors import ConfigError
from meterway.headend.groups import Group, OrderWanted, command_of, groups, keep, members, plan, shown_by
from meterway.mapping.home import RELAY_ALL, LoadOrder
from meterway.store.database import Store
from meterway.store.devices import GATEWAY, NewDevice
from meterway.store.nodes import Node

pytestmark = pytest.mark.covers("F4f", "E-HES-13")


@pytest.fixture
def town(store: Store) -> Store:
    """N1 with M1 and M2 (and a gateway L1), N2 with M3, M4 by itself."""
    ids = {}
    for serial in ("N1", "N2"):
        ids[serial] = store.devices.add(NewDevice(serial=serial, utility=GATEWAY, profile="nnap"), now_ms=1).id
    for number, (serial, nnap) in enumerate((("M1", "N1"), ("M2", "N1"), ("L1", "N1"), ("M3", "N2"), ("M4", ""))):
        utility, profile = (GATEWAY, "lnap") if serial == "L1" else ("electricity", "idis")
        given = NewDevice(serial=serial, parent=ids.get(nnap), utility=utility, profile=profile)
        added = store.devices.add(given, now_ms=1)
        if nnap:
            store.nodes.put_many([Node(device=added.id, nnap=ids[nnap], eui=b"EUI%05d" % number)])
    return store


def serials(store: Store, name: str) -> list[str]:
    return [device.serial for device in members(store, name)]


def test_members_are_found_as_they_are_now(town: Store) -> None:
    keep(town, Group(name="street", nnaps=("N1",), meters=("M4",)))
    keep(town, Group(name="all", profile="idis"))
    assert serials(town, "street") == ["M1", "M2", "M4"]
    assert serials(town, "all") == ["M1", "M2", "M3", "M4"]
    town.devices.update(town.devices.by_serial("M3").id, {"parent": town.devices.by_serial("N1").id}, now_ms=2)
    assert serials(town, "street") == ["M1", "M2", "M3", "M4"]
    assert [group.name for group in groups(town)] == ["all", "street"]


@pytest.mark.parametrize("group", [Group(name="x"), Group(name="x", meters=("M9",)), Group(name="x", nnaps=("N9",))])
def test_a_group_of_nothing_or_of_strangers_is_refused(town: Store, group: Group) -> None:
    with pytest.raises(ConfigError, match="group x"):
        keep(town, group)


def test_a_group_that_is_not_there_is_refused(town: Store) -> None:
    with pytest.raises(ConfigError, match="'y'"):
        members(town, "y")


def planned(store: Store, *meters: str, kind: str = "disconnect", keys: bool = True) -> dict[str, tuple[bool, str]]:
    has_key = frozenset(device.id for device in store.devices.gateways()) if keys else frozenset()
    found = plan(store, [store.devices.by_serial(each) for each in meters], OrderWanted(kind=kind), has_key=has_key)  # type: ignore[arg-type]
    return {part.nnap.serial if part.nnap else "": (part.is_broadcast, part.why) for part in found.parts}


def test_a_broadcast_goes_only_where_every_meter_is_meant(town: Store) -> None:
    assert planned(town, "M1", "M2", "M3", "M4") == {
        "N1": (True, ""), "N2": (True, ""), "": (False, "reached by itself"),
    }  # fmt: skip
    assert planned(town, "M1")["N1"] == (False, "other meters would hear it too")


def test_no_broadcast_without_a_key_or_for_a_clock(town: Store) -> None:
    assert not planned(town, "M3", keys=False)["N2"][0]
    assert not planned(town, "M3", kind="clock")["N2"][0]


@pytest.mark.covers("F5b", "IF-H3")
def test_loads_are_switched_by_broadcast_past_meters_that_have_none(town: Store) -> None:
    town.devices.update(town.devices.by_serial("M1").id, {"profile": "home"}, now_ms=2)
    assert planned(town, "M1", kind="load-off")["N1"] == (True, "")
    assert planned(town, "M2", kind="disconnect")["N1"] == (True, "")
    assert planned(town, "M1", kind="emergency")["N1"] == (False, "other meters would hear it too")
    town.devices.update(town.devices.by_serial("M2").id, {"profile": "home"}, now_ms=3)
    assert planned(town, "M1", kind="load-off")["N1"] == (False, "other meters would hear it too")


@pytest.mark.covers("F5b", "F5f")
def test_a_load_order_may_name_how_long_and_how_spread() -> None:
    bare = OrderWanted(kind="load-off")
    assert command_of(bare)[0].method == "remote_disconnect"
    wanted = OrderWanted(kind="load-off", value={"duration_s": 900, "offset_s": 60}, expires=5e9)
    command, attribute, expected = command_of(wanted)
    order = LoadOrder.decode(command.value)
    assert (order.on, order.duration_s, order.offset_s, order.relays) == (False, 900, 60, 0)
    assert (attribute, expected, shown_by(wanted).obis) == ("output_state", False, RELAY_ALL)
    with pytest.raises(ConfigError, match="value"):
        command_of(OrderWanted(kind="load-on", value={"duration_s": -1}))


def test_no_broadcast_to_meters_that_have_no_association_for_it(town: Store) -> None:
    town.devices.update(town.devices.by_serial("M3").id, {"profile": "mbus-gas"}, now_ms=2)
    assert planned(town, "M3")["N2"] == (False, "its meters have no broadcast association in common")


def test_the_window_of_an_order_is_a_day_from_now_and_never_over_already() -> None:
    assert OrderWanted(kind="disconnect").window(1000.0) == (1000.0, 87400.0)
    assert OrderWanted(kind="disconnect", not_before=2000, expires=3000).window(1000.0) == (2000, 3000)
    for wrong in (OrderWanted(kind="clock", expires=999), OrderWanted(kind="clock", not_before=2000, expires=1500)):
        with pytest.raises(ConfigError, match="expires"):
            wrong.window(1000.0)


def test_an_emergency_profile_is_wanted_for_an_emergency() -> None:
    with pytest.raises(ConfigError, match="value"):
        command_of(OrderWanted(kind="emergency"))
    command, attribute, expected = command_of(OrderWanted(kind="reconnect"))
    assert (command.method, attribute, expected) == ("remote_reconnect", "output_state", True)

"""Which of several concentrators has a battery meter: who hears it best, without its changing hands all the time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headend.headends import KEYS, VAULT, fleet_of
from headend.test_neighbourhood import keeper, nnap, row, titles
from meterway.headend.hearers import Hearer, Hearers, hears_better, is_heard
from meterway.headend.route import Way, route_of
from meterway.mapping.neighbourhood import HEARD_SAP, NodeRow, NodeState
from meterway.stacks.mbus.address import Address
from meterway.store.database import Store
from meterway.store.devices import NewDevice
from meterway.store.nodes import Node

pytestmark = pytest.mark.covers("IF-G2", "IF-C", "E-NNAP", "E-HES-1")

NOW_S = 1_773_000_000
AT_MS = NOW_S * 1000
GAS = "MWY-10000001-01-03"


def heard(quality: int, *, address: str = GAS, channel: int = 1, heard_s: int = NOW_S) -> NodeRow:
    return NodeRow(
        serial=address,
        system_title=b"",
        eui=Address.parse(address).to_radio(),
        state=NodeState.HEARD,
        address=channel,
        quality=quality,
        heard=heard_s,
        sap=HEARD_SAP + channel,
    )


def test_a_heard_meter_is_registered_as_what_its_address_says_and_due(store: Store) -> None:
    one = nnap(store)
    assert keeper(store).settle(
        one, [heard(80), heard(60, address="MWY-20000002-01-07", channel=2)], now_ms=AT_MS + 5
    ) == [
        f"{GAS} joined N1",
        "MWY-20000002-01-07 joined N1",
    ]
    gas, water = store.devices.by_serial(GAS), store.devices.by_serial("MWY-20000002-01-07")
    assert (gas.utility, gas.profile, gas.parent, gas.flags["channel"]) == ("gas", "mbus-gas", one.id, 1)
    assert (water.utility, water.profile) == ("water", "mbus-water")
    assert store.tasks.counts() == {"due": 2}
    assert gas.seen_ms == NOW_S * 1000


def test_it_is_asked_at_the_concentrator_and_never_through_it(store: Store) -> None:
    one = nnap(store)
    fleet = fleet_of(store)
    keeper(store, fleet).settle(one, [heard(80)], now_ms=AT_MS + 5)
    gas = store.devices.by_serial(GAS)
    for entry in (fleet.of(gas.id), fleet.by_serial(GAS), fleet.for_collection(gas.id), fleet.of(gas.id, Way.MIRROR)):
        assert entry.is_mirror
    assert fleet.of(gas.id) is fleet.by_serial(GAS), "one entry holds the counters"
    route = route_of(store, gas, Way.MIRROR)
    assert (route.sap, route.prefixes, route.port) == (HEARD_SAP + 1, (), 4059)


def test_who_hears_it_best_has_it_and_the_difference_must_be_worth_it(store: Store) -> None:
    one, other = nnap(store), nnap(store, "N2", 4060)
    keeper(store).settle(one, [heard(50)], now_ms=AT_MS + 5)
    gas = store.devices.by_serial(GAS).id
    assert keeper(store).settle(other, [heard(65, channel=7)], now_ms=AT_MS + 6) == []
    assert store.devices.get(gas).parent == one.id
    assert Hearers(store).of(gas) == (Hearer("N2", 65, NOW_S), Hearer("N1", 50, NOW_S))
    assert keeper(store).settle(other, [heard(75, channel=7)], now_ms=AT_MS + 7) == [f"{GAS} moved from N1 to N2"]
    moved = store.devices.get(gas)
    assert (moved.parent, moved.port, moved.flags["channel"]) == (other.id, 4060, 7)
    assert keeper(store).settle(one, [heard(80)], now_ms=AT_MS + 8) == []
    assert keeper(store).settle(other, [heard(0, channel=7)], now_ms=AT_MS + 9) == []
    assert keeper(store).settle(one, [heard(30)], now_ms=AT_MS + 10) == [f"{GAS} moved from N2 to N1"]
    assert titles(store, GAS) == ["joined N1", "moved from N1 to N2", "moved from N2 to N1"]


def test_one_that_is_listed_no_more_goes_to_who_hears_it_still(store: Store) -> None:
    one, other = nnap(store), nnap(store, "N2", 4060)
    keeper(store).settle(one, [heard(90)], now_ms=AT_MS + 5)
    keeper(store).settle(other, [heard(20)], now_ms=AT_MS + 6)
    gas = store.devices.by_serial(GAS).id
    assert keeper(store).settle(one, [], now_ms=AT_MS + 7) == [f"{GAS} left N1"]
    assert [each.serial for each in Hearers(store).of(gas)] == ["N2"]
    assert keeper(store).settle(other, [heard(20)], now_ms=AT_MS + 8) == [f"{GAS} joined N2"]
    assert store.devices.get(gas).state == "registered"


def test_a_meter_that_a_gateway_has_stays_there(store: Store) -> None:
    gateway = store.devices.add(NewDevice(serial="LNAP1", utility="gateway", profile="lnap"), now_ms=1)
    device = store.devices.add(NewDevice(serial=GAS, utility="gas", profile="mbus-gas", parent=gateway.id), now_ms=1)
    assert keeper(store).settle(nnap(store), [heard(99)], now_ms=AT_MS + 5) == []
    assert store.devices.get(device.id).parent == gateway.id
    assert [each.serial for each in Hearers(store).of(device.id)] == ["N1"]


@pytest.mark.covers("SEC-03")
def test_nobody_takes_a_device_by_saying_that_it_is_heard(store: Store) -> None:
    one, other = nnap(store), nnap(store, "N2", 4060)
    keys = VAULT.seal_all(GAS, KEYS)
    store.devices.add(NewDevice(serial=GAS, utility="gas", profile="idis", host="10.0.0.1", keys=keys), now_ms=1)
    assert keeper(store).settle(one, [heard(99)], now_ms=AT_MS + 5) == [
        f"{GAS} is listed by N1 as heard and is reached otherwise: left as it is"
    ]
    assert store.devices.by_serial(GAS).parent is None
    keeper(store).settle(one, [row(1)], now_ms=AT_MS + 5)
    eui = Address.parse(GAS).to_radio()
    claimed = replace(heard(99), serial="M1", eui=eui)
    assert keeper(store).settle(other, [claimed], now_ms=AT_MS + 6) == [
        "M1 is listed by N2 under another's address: left as it is"
    ]
    assert store.devices.by_serial("M1").parent == one.id


@pytest.mark.parametrize(
    ("quality", "heard_s", "kept", "kept_ms", "better"),
    [
        (0, 0, 0, 0, False),
        (1, 0, 0, 0, True),
        (69, 0, 50, 0, False),
        (70, 0, 50, 0, True),
        (10, 6 * 3600, 90, 0, False),
        (10, 6 * 3600 + 1, 90, 0, True),
    ],
)
def test_the_rule(quality: int, heard_s: int, kept: int, kept_ms: int, better: bool) -> None:
    row = heard(quality, heard_s=NOW_S + heard_s)
    node = Node(device=1, nnap=2, eui=row.eui, state=4, quality=kept, heard_ms=NOW_S * 1000 + kept_ms)
    assert hears_better(row, node) is better
    assert is_heard(node)
    assert not is_heard(None)


def test_what_is_kept_and_makes_no_sense_is_nobody(store: Store) -> None:
    store.settings.put("heard:5", "{]")
    assert Hearers(store).of(5) == ()

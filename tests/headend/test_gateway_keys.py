"""The keys of what is reached through gateways."""

from __future__ import annotations

import pytest

from meterway.headend.gateway_keys import MASTER, keys_behind, keys_for
from meterway.stacks.mbus.address import Address
from meterway.store.devices import Device

pytestmark = pytest.mark.covers("IF-G1")

GAS = Address.parse("MWY-10000001-01-03")
WATER = Address.parse("MWY-10000002-01-07")
SECRET = bytes(range(32))
GATEWAY = Device(id=1, serial="L1", added_ms=1, changed_ms=1, flags={"party": "supplier"})


def test_the_keys_differ_by_gateway_meter_and_party() -> None:
    made = [
        keys_behind(SECRET, party, home, str(meter))["guek"]
        for party in ("operator", "supplier")
        for home in ("L1", "L2")
        for meter in (GAS, WATER)
    ]
    assert len(set(made)) == 8
    assert {len(key) for key in made} == {16}


def test_they_derive_from_the_gateways_secret_and_its_party() -> None:
    assert keys_for(GATEWAY, {MASTER: SECRET, "guek": b"x"}, "M1") == keys_behind(SECRET, "supplier", "L1", "M1")


def test_without_a_secret_they_are_the_gateways_own() -> None:
    assert keys_for(GATEWAY, {"guek": b"x", "gak": b"y", "secret": b"z"}, "M1") == {"guek": b"x", "gak": b"y"}

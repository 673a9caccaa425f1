"""Addresses travel in two orders and come back the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import ConfigError, DecodeError
from meterway.stacks.mbus.address import Address, manufacturer_code, manufacturer_text


@given(st.binary(min_size=8, max_size=8))
def test_both_orders_lead_back_to_the_same_octets(octets: bytes) -> None:
    assert Address.from_radio(octets).to_radio() == octets
    assert Address.from_wired(octets).to_wired() == octets
    assert Address.from_wired(Address.from_radio(octets).to_wired()) == Address.from_radio(octets)


@given(st.integers(0, 0x7FFF))
def test_a_manufacturer_is_three_letters(code: int) -> None:
    assert manufacturer_code(manufacturer_text(code)) == code


def test_an_address_reads_as_printed_on_the_meter() -> None:
    address = Address.from_radio(bytes.fromhex("2D2C785634121B16"))
    assert str(address) == "KAM-12345678-1B-16"
    assert address.medium == "cold water"
    assert Address(manufacturer=1, ident="0" * 8, version=0, device_type=0xF0).medium == "type 0xF0"


@pytest.mark.parametrize("octets", [b"", bytes(7), bytes(9)])
def test_anything_but_eight_octets_is_refused(octets: bytes) -> None:
    with pytest.raises(DecodeError):
        Address.from_radio(octets)


@pytest.mark.parametrize("text", ["", "AB", "abc", "ABCD", "A1C"])
def test_what_is_no_manufacturer_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="manufacturer"):
        manufacturer_code(text)

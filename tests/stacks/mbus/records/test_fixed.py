"""The fixed data structure: two counters, BCD or binary, either order of octets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.stacks.mbus.records.fixed import decode_fixed


@pytest.mark.covers("IF-M")
def test_two_bcd_counters_come_out_in_their_units() -> None:
    data = decode_fixed(bytes.fromhex("939291901000056931650000"[:24] + "69000000"))
    assert (data.ident, data.access, data.device_type) == ("90919293", 16, 4)
    assert [(one.quantity, one.value, one.unit) for one in data.records] == [
        ("energy", 6531000, "Wh"),
        ("volume", 0.069, "m³"),
    ]


def test_binary_counters_with_the_high_octet_first() -> None:
    data = decode_fixed(bytes.fromhex("1234567801012C3E000000640000000A"), high_first=True)
    assert data.ident == "12345678"
    assert [(one.value, one.unit, one.storage) for one in data.records] == [(100, "m³", 0), (10, "m³", 1)]


@given(st.binary(min_size=16, max_size=16), st.booleans())
def test_any_sixteen_octets_are_understood(octets: bytes, high_first: bool) -> None:
    data = decode_fixed(octets, high_first=high_first)
    for record in data.records:
        assert (record.value is None) == bool(record.quality)


def test_any_other_length_is_refused() -> None:
    with pytest.raises(DecodeError):
        decode_fixed(bytes(15))

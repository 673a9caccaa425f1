"""Line codes lead back to their octets, and chips that are no code are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.stacks.mbus.wireless.coding import (
    from_manchester,
    from_three_of_six,
    to_manchester,
    to_three_of_six,
)


@pytest.mark.covers("IF-M")
@given(st.binary(max_size=60))
def test_both_codes_lead_back_to_their_octets(octets: bytes) -> None:
    assert from_three_of_six(to_three_of_six(octets), len(octets)) == octets
    assert from_manchester(to_manchester(octets)) == octets


@given(st.binary(min_size=2, max_size=40))
def test_half_of_all_chips_are_ones(octets: bytes) -> None:
    assert sum(octet.bit_count() for octet in to_three_of_six(octets)) == 6 * len(octets)
    assert sum(octet.bit_count() for octet in to_manchester(octets)) == 8 * len(octets)


def test_a_disturbed_chip_is_found() -> None:
    with pytest.raises(DecodeError, match="no code words"):
        from_three_of_six(bytes((to_three_of_six(b"\x12\x34")[0] ^ 0x80,)) + to_three_of_six(b"\x12\x34")[1:], 2)
    with pytest.raises(DecodeError, match="Manchester"):
        from_manchester(b"\xc0\x00")


def test_too_few_chips_are_refused() -> None:
    with pytest.raises(DecodeError, match="24 chips"):
        from_three_of_six(b"\x00", 2)
    with pytest.raises(DecodeError, match="cut off"):
        from_manchester(b"\x55")

"""Lengths and values without parts, read on two roads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader
from meterway.stacks.dlms.axdr.leaves import encode_length, length_at, read_length

pytestmark = pytest.mark.covers("IF-I")


@given(st.integers(0, 2**32 - 1))
def test_a_length_reads_as_written_on_both_roads(count: int) -> None:
    octets = b"\x00" + encode_length(count)
    assert length_at(octets, 1) == (count, len(octets))
    assert read_length(Reader(octets, 1)) == count


def test_a_length_in_more_octets_than_needed_is_read() -> None:
    assert read_length(Reader(b"\x82\x00\x05")) == 5


@pytest.mark.parametrize("octets", [b"\x80", b"\x85\0\0\0\0\1", b"\xff"])
def test_a_length_of_no_or_too_many_octets_is_refused(octets: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        length_at(octets, 0)
    assert caught.value.kind == "length"
    with pytest.raises(DecodeError) as caught:
        read_length(Reader(octets))
    assert caught.value.kind == "length"

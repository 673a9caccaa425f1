"""The reader never runs past its end and names the place of every complaint in the outermost buffer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader


def test_octets_are_read_in_order_with_their_signs_and_widths():
    reader = Reader(bytes.fromhex("ff ff 0102 01020304 0000000001 aabb"))
    assert (reader.u8(), reader.i8(), reader.u16(), reader.u32(), reader.uint(5)) == (255, -1, 0x0102, 0x01020304, 1)
    assert (reader.peek(), reader.remaining, reader.rest()) == (0xAA, 2, b"\xaa\xbb")
    assert (reader.peek(), reader.remaining, reader.rest()) == (-1, 0, b"")


def test_a_complaint_names_the_place_in_the_outermost_buffer():
    reader = Reader(b"\x00\x01\x02", 1, base=40)
    reader.u8()
    assert reader.place == 42
    assert reader.fail("odd", "tag", back=1).offset == 41
    with pytest.raises(DecodeError, match="length: 2 octets wanted, 1 left") as cut:
        reader.u16("length")
    assert (cut.value.offset, cut.value.kind) == (42, "truncated")


def test_an_end_before_the_buffers_end_is_an_end():
    reader = Reader(b"\x01\x02\x03", 0, 1)
    assert reader.u8() == 1
    with pytest.raises(DecodeError, match="nothing left"):
        reader.u8()
    assert reader.rest() == b""


@pytest.mark.covers("SEC-11")
@given(st.binary(max_size=20), st.lists(st.integers(-3, 30), max_size=6))
def test_any_counts_take_the_buffer_in_order_or_say_truncated(data, counts):
    reader = Reader(data)
    taken = b""
    for count in counts:
        before = reader.offset
        try:
            taken += reader.take(count)
        except DecodeError as cut:
            assert cut.kind == "truncated"
            assert reader.offset == before
    assert data.startswith(taken)
    assert taken + reader.rest() == data

"""Segments: octets by hand, wholes that come back, wholes that never mix."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.stacks.neighbourhood.prime.crc import crc32
from meterway.stacks.neighbourhood.prime.sar import Basket, segments


@pytest.mark.covers("IF-C")
def test_octets_of_segments():
    """NSEGS is the number less one, and the second segment has SEQ 0 (so reads PLCTool)."""
    assert list(segments(b"abcde", 2)) == [b"\x02ab", b"\x40cd", b"\x81e"]
    assert list(segments(b"ab", 2)) == [b"\x00ab"]
    assert list(segments(b"", 2)) == [b"\x00"]


def test_the_crc_of_1_4_ends_the_last_segment():
    whole = bytes(range(20))
    out = list(segments(whole, 10, with_crc=True))
    assert [one[0] for one in out] == [0x02, 0x40, 0xC1] or out[-1][0] >> 6 == 3
    assert b"".join(one[1:] for one in out) == whole + crc32(whole).to_bytes(4, "big")
    assert len(out[-1]) > 5
    assert out[-1].endswith(crc32(whole).to_bytes(4, "big"))


@given(st.binary(max_size=600), st.integers(10, 60), st.booleans())
def test_a_whole_comes_back(whole, size, with_crc):
    basket = Basket()
    out = [basket.add(segment) for segment in segments(whole, size, with_crc=with_crc)]
    assert out[:-1] == [None] * (len(out) - 1)
    assert out[-1] == whole


@given(st.binary(min_size=1, max_size=400), st.integers(10, 60), st.booleans(), st.randoms())
def test_in_any_order_with_copies_it_comes_back_once(whole, size, with_crc, random):
    pieces = list(segments(whole, size, with_crc=with_crc))
    heard = pieces[:-1] * 2
    random.shuffle(heard)
    basket = Basket()
    assert [basket.add(segment, in_order=False) for segment in [*heard, pieces[-1]] if len(pieces) > 1][-1:] in (
        [whole],
        [],
    )


@given(st.lists(st.binary(max_size=12), max_size=60), st.booleans())
def test_any_segments_make_a_whole_or_an_error(heard, in_order):
    basket = Basket()
    for segment in heard:
        try:
            whole = basket.add(segment, in_order=in_order)
        except DecodeError as error:
            assert basket.is_empty or error.kind == "truncated"
        else:
            assert whole is None or basket.is_empty


@pytest.mark.parametrize(
    "heard",
    [
        [b"\x02ab", b"\x81e"],
        [b"\x40ab"],
        [b"\x01ab", b"\x40cd"],
        [b"\x02ab", b"\x80cd"],
    ],
)
def test_a_gap_or_a_contradiction_is_told(heard):
    basket = Basket()
    with pytest.raises(DecodeError) as told:
        for segment in heard:
            basket.add(segment)
    assert told.value.kind == "segment"
    assert basket.add(b"\x00new") == b"new"


def test_out_of_order_a_contradiction_is_told_too():
    basket = Basket()
    basket.add(b"\x02ab", in_order=False)
    with pytest.raises(DecodeError):
        basket.add(b"\x02xx", in_order=False)


def test_a_wrong_crc_is_told():
    first, last = segments(bytes(20), 15, with_crc=True)
    basket = Basket()
    basket.add(first)
    with pytest.raises(DecodeError) as told:
        basket.add(last[:-1] + b"\xff")
    assert told.value.kind == "crc"


def test_more_than_64_segments_are_refused():
    assert len(list(segments(bytes(640), 10))) == 64
    with pytest.raises(LocalProtocolError):
        list(segments(bytes(641), 10))

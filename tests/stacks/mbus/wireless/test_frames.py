"""Radio frames: both formats, checks left in or taken out, found by trial."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.wireless.frames import C_FIELDS, decode_radio, encode_radio, from_meter

METER = Address(manufacturer=0x2C2D, ident="12345678", version=1, device_type=7)


@pytest.mark.covers("IF-M")
@given(st.sampled_from(sorted(C_FIELDS)), st.binary(min_size=1, max_size=240), st.sampled_from(["bare", "A", "B"]))
def test_every_format_is_recognised_and_opened(control: int, body: bytes, coding: str) -> None:
    frame = decode_radio(encode_radio(control, METER, body, coding))
    assert (frame.control, frame.address, frame.body, frame.coding) == (control, METER, body, coding)


def test_a_receiver_that_took_out_only_the_last_check_of_format_b_is_understood() -> None:
    octets = encode_radio(0x44, METER, bytes(range(150)), "B")
    frame = decode_radio(octets[:-2])
    assert (frame.body, frame.coding) == (bytes(range(150)), "B partly")


@pytest.mark.parametrize("missing", [1, 3, 5, 40, 140])
def test_a_cut_frame_of_format_b_is_refused(missing: int) -> None:
    with pytest.raises(DecodeError, match="announces"):
        decode_radio(encode_radio(0x44, METER, bytes(range(150)), "B")[:-missing])


@given(st.binary(max_size=80))
def test_any_octets_are_a_frame_or_a_decode_error(octets: bytes) -> None:
    try:
        frame = decode_radio(octets)
    except DecodeError:
        return
    assert len(frame.body) <= len(octets) - 10


def test_a_wrong_check_in_a_later_block_is_found() -> None:
    octets = bytearray(encode_radio(0x44, METER, bytes(40), "A"))
    octets[-1] ^= 1
    with pytest.raises(DecodeError, match="check of a block"):
        decode_radio(bytes(octets))


def test_octets_behind_the_frame_are_a_quirk() -> None:
    assert decode_radio(encode_radio(0x44, METER, b"\x78\x2f") + b"\x99").quirks == ("trailing-octets",)


def test_directions_and_names_of_control_fields() -> None:
    assert from_meter(0x44)
    assert from_meter(0xC4)
    assert not from_meter(0x53)
    assert decode_radio(encode_radio(0x46, METER, b"\x78")).name == "SND-IR"
    assert decode_radio(encode_radio(0x3F, METER, b"\x78")).name == "C 0x3F"


def test_too_long_frames_and_unknown_formats_are_refused() -> None:
    with pytest.raises(LocalProtocolError, match="255"):
        encode_radio(0x44, METER, bytes(250))
    with pytest.raises(LocalProtocolError, match="format"):
        encode_radio(0x44, METER, b"", "C")


@pytest.mark.parametrize("size", [8, 16, 40])
@pytest.mark.parametrize("place", range(12))
def test_a_wrong_first_block_does_not_make_a_frame_without_checks_of_one_with_them(size: int, place: int) -> None:
    octets = bytearray(encode_radio(0x44, METER, bytes(size), "A"))
    octets[place] ^= 0x80
    with pytest.raises(DecodeError):
        decode_radio(bytes(octets))

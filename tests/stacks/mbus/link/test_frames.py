"""Wired frames lead back to their octets; a wrong one is named by what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.stacks.mbus.link.frames import Ack, Frame, LongFrame, ShortFrame, decode_frame

FRAMES: st.SearchStrategy[Frame] = (
    st.just(Ack())
    | st.builds(ShortFrame, control=st.integers(0, 255), address=st.integers(0, 255))
    | st.builds(
        LongFrame,
        control=st.integers(0, 255),
        address=st.integers(0, 255),
        ci=st.integers(0, 255),
        data=st.binary(max_size=252),
    )
)


@pytest.mark.covers("IF-M")
@given(FRAMES)
def test_every_frame_leads_back_to_its_octets(frame: Frame) -> None:
    assert decode_frame(frame.encode()) == frame


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        ("", "truncated"),
        ("55", "start"),
        ("1040", "length"),
        ("1040054516FF", "length"),
        ("1040054416", "checksum"),
        ("1040054517", "stop"),
        ("6803036808", "truncated"),
        ("680304680801727B16", "length"),
        ("680404680801727B16", "length"),
        ("680303680801727C16", "checksum"),
        ("680303680801727B17", "stop"),
    ],
)
def test_what_is_wrong_with_a_frame_is_named(octets: str, kind: str) -> None:
    with pytest.raises(DecodeError) as refusal:
        decode_frame(bytes.fromhex(octets))
    assert refusal.value.kind == kind


def test_too_much_data_is_refused() -> None:
    with pytest.raises(LocalProtocolError):
        LongFrame(control=8, address=1, ci=0x72, data=bytes(253)).encode()

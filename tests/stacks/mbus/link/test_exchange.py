"""What came back in one window amounts to one of four things."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.mbus.link.exchange import Answer, Heard, heard
from meterway.stacks.mbus.link.frames import Ack, Frame, LongFrame, ShortFrame

LONG = LongFrame(control=8, address=1, ci=0x72, data=b"\x01")
SHORT = ShortFrame(control=0x40, address=1)


@pytest.mark.covers("IF-M")
@pytest.mark.parametrize(
    ("frames", "amounts_to"),
    [
        ([], Heard.SILENCE),
        ([Ack()], Heard.ACK),
        ([LONG], Heard.FRAME),
        ([SHORT], Heard.GARBAGE),
        ([Ack(), Ack()], Heard.GARBAGE),
        ([LONG, LONG], Heard.GARBAGE),
        ([LONG, b"\x00"], Heard.GARBAGE),
        ([b"\xe4"], Heard.GARBAGE),
    ],
)
def test_only_one_acknowledgement_or_one_long_frame_alone_is_understood(
    frames: list[Frame | bytes], amounts_to: Heard
) -> None:
    answer = heard(frames)
    assert answer.heard is amounts_to
    assert (answer.frame is not None) is (amounts_to is Heard.FRAME)


@given(st.lists(st.one_of(st.sampled_from([Ack(), LONG, SHORT]), st.binary(min_size=1, max_size=9)), max_size=5))
def test_no_octet_is_lost(frames: list[Frame | bytes]) -> None:
    octets = b"".join(part if isinstance(part, bytes) else part.encode() for part in frames)
    assert heard(frames) == Answer(heard=heard(frames).heard, frame=heard(frames).frame, octets=octets)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import LinkError
from meterway.links.receivers.radiocrafts import RadiocraftsCodec

FRAME = bytes.fromhex("10442D2C785634120107780C1378563412")


@pytest.mark.covers("IF-M")
@pytest.mark.parametrize("size", [1, 4, 100])
def test_frames_come_as_they_are(size: int) -> None:
    codec = RadiocraftsCodec("S1")
    octets = FRAME + FRAME
    heard = [one for place in range(0, len(octets), size) for one in codec.receive(octets[place : place + size], 1.0)]
    assert [(one.octets, one.mode, one.rssi_dbm) for one in heard] == [(FRAME, "S1", None)] * 2


def test_the_strength_may_follow() -> None:
    (reception,) = RadiocraftsCodec(rssi=True).receive(FRAME + b"\xa1", 1.0)
    assert (reception.octets, reception.rssi_dbm) == (FRAME, -80.5)


def test_half_a_frame_is_dropped_after_a_pause_and_octets_that_begin_none_are_skipped() -> None:
    codec = RadiocraftsCodec()
    assert codec.receive(FRAME[:8], 1.0) == []
    assert [one.octets for one in codec.receive(b"\x00\xff" + FRAME, 2.0)] == [FRAME]
    assert codec.rejected == 3


def test_it_sends_under_its_own_address_only() -> None:
    assert RadiocraftsCodec().setup() == b""
    with pytest.raises(LinkError, match="own address"):
        RadiocraftsCodec().encode(FRAME, "T1")


@given(st.binary(max_size=300))
def test_after_any_octets_and_a_pause_a_frame_is_heard(junk: bytes) -> None:
    codec = RadiocraftsCodec()
    codec.receive(junk, 1.0)
    assert [one.octets for one in codec.receive(FRAME, 9.0)] == [FRAME]

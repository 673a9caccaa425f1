import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import ConfigError, LinkError
from meterway.links.receivers.amber import AmberCodec, amber_message

BODY = bytes.fromhex("442D2C785634120107780C1378563412")
FRAME = bytes((len(BODY),)) + BODY


def test_a_message_ends_with_the_exclusive_or_of_all_before() -> None:
    assert amber_message(0x04, b"\x08") == bytes.fromhex("FF040108F2")
    with pytest.raises(LinkError, match="255"):
        amber_message(0, bytes(256))


@pytest.mark.covers("IF-M")
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_frame_heard_gets_its_length_back(size: int) -> None:
    codec = AmberCodec("C1")
    octets = amber_message(0x84, b"\x00") + amber_message(3, BODY)
    heard = [one for place in range(0, len(octets), size) for one in codec.receive(octets[place : place + size], 2.0)]
    (reception,) = heard
    assert (reception.octets, reception.mode, reception.time_s, reception.rssi_dbm) == (FRAME, "C1", 2.0, None)


@pytest.mark.parametrize(("raw", "dbm"), [(0x77, -14.5), (0x80, -138.0), (0xC8, -102.0), (0, -74.0)])
def test_the_strength_behind_a_frame_is_told_in_dbm(raw: int, dbm: float) -> None:
    (reception,) = AmberCodec("C/T", rssi=True).receive(amber_message(3, BODY + bytes((raw,))), 0.0)
    assert (reception.octets, reception.rssi_dbm, reception.mode) == (FRAME, dbm, "T1")


def test_a_damaged_message_is_dropped_and_the_next_one_heard() -> None:
    codec = AmberCodec()
    damaged = bytearray(amber_message(3, BODY))
    damaged[6] ^= 4
    assert [one.octets for one in codec.receive(b"\x00" + damaged + amber_message(3, BODY), 0.0)] == [FRAME]
    assert codec.rejected == 2


def test_the_device_is_set_up_and_told_to_send() -> None:
    assert AmberCodec("S1").setup() == amber_message(4, b"\x03")
    assert AmberCodec("T2").encode(FRAME, "T2 down") == amber_message(0, BODY)
    with pytest.raises(LinkError, match="set to T2"):
        AmberCodec("T2").encode(FRAME, "C1")
    with pytest.raises(ConfigError, match="N1a"):
        AmberCodec("N1a")


@given(st.lists(st.binary(min_size=2, max_size=255), max_size=4), st.integers(1, 90))
def test_all_frames_are_read_back_however_they_arrive(bodies: list[bytes], size: int) -> None:
    codec = AmberCodec()
    octets = b"".join(amber_message(3, body) for body in bodies)
    heard = [one for place in range(0, len(octets), size) for one in codec.receive(octets[place : place + size], 0.0)]
    assert [one.octets[1:] for one in heard] == bodies


@given(st.binary(max_size=200))
def test_after_any_octets_good_messages_are_heard_again(junk: bytes) -> None:
    codec = AmberCodec()
    codec.receive(junk, 0.0)
    assert codec.receive(amber_message(3, BODY) * 20, 0.0)[-1].octets == FRAME

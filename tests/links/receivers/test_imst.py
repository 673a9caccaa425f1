import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import ConfigError, LinkError
from meterway.links.receivers.imst import HciMessage, ImstCodec

BODY = bytes.fromhex("442D2C785634120107780C1378563412")
FRAME = bytes((len(BODY),)) + BODY
HEARD = HciMessage(endpoint=2, number=3, payload=BODY, device_time=77, rssi=0x55).encode()

messages = st.builds(
    HciMessage,
    endpoint=st.integers(1, 15),
    number=st.integers(0, 255),
    payload=st.binary(max_size=255),
    device_time=st.none() | st.integers(0, 2**32 - 1),
    rssi=st.none() | st.integers(0, 255),
    checked=st.booleans(),
)


@given(st.lists(messages, max_size=5), st.integers(1, 80))
def test_messages_are_read_back_however_they_arrive(sent: list[HciMessage], size: int) -> None:
    codec = ImstCodec()
    octets = b"".join(message.encode() for message in sent)
    heard = [one for place in range(0, len(octets), size) for one in codec.messages(octets[place : place + size])]
    assert heard == sent
    assert codec.rejected == 0


def test_a_message_without_more_is_what_the_interface_says() -> None:
    assert HciMessage(endpoint=1, number=1, checked=False).encode() == bytes.fromhex("A5010100")
    assert HciMessage(endpoint=1, number=1).encode()[:4] == bytes.fromhex("A5810100")


@pytest.mark.covers("IF-M")
def test_a_frame_heard_gets_its_length_back_and_its_strength_in_dbm() -> None:
    (reception,) = ImstCodec("T2").receive(HEARD, 9.0)
    assert reception.octets == FRAME
    assert (reception.mode, reception.time_s, reception.rssi_dbm) == ("T2", 9.0, -81.3)
    (without,) = ImstCodec().receive(HciMessage(endpoint=2, number=3, payload=BODY).encode(), 0.0)
    assert without.rssi_dbm is None


def test_answers_of_the_device_are_no_frames() -> None:
    codec = ImstCodec()
    assert codec.receive(HciMessage(endpoint=1, number=4, payload=b"\x00").encode() + HEARD, 0.0)[0].octets == FRAME


def test_a_damaged_message_is_dropped_and_the_next_one_heard() -> None:
    codec = ImstCodec()
    damaged = bytearray(HEARD)
    damaged[8] ^= 1
    assert [one.octets for one in codec.receive(b"\x00\x01" + damaged + HEARD, 0.0)] == [FRAME]
    assert codec.rejected == 2


def test_the_device_is_set_up_and_told_to_send() -> None:
    codec = ImstCodec("C2B")
    (setup,) = ImstCodec().messages(codec.setup())
    assert (setup.endpoint, setup.number, setup.payload) == (1, 3, bytes((0, 2, 9, 0x30, 1, 1)))
    (command,) = ImstCodec().messages(codec.encode(FRAME, "C2 down"))
    assert (command.endpoint, command.number, command.payload) == (2, 1, BODY)


def test_what_the_device_cannot_do_is_refused() -> None:
    with pytest.raises(ConfigError, match="N1a"):
        ImstCodec("N1a")
    with pytest.raises(LinkError, match="set to T1"):
        ImstCodec().encode(FRAME, "S1")
    with pytest.raises(LinkError, match="255"):
        HciMessage(endpoint=1, number=1, payload=bytes(256)).encode()


@given(st.binary(max_size=200), st.integers(0, len(HEARD) - 1), st.integers(0, 255))
def test_no_damage_is_taken_for_a_good_frame(junk: bytes, place: int, octet: int) -> None:
    codec = ImstCodec()
    damaged = bytearray(HEARD)
    damaged[place] = octet
    codec.receive(junk, 0.0)
    codec.receive(damaged, 0.0)
    heard = codec.receive(HEARD * 20, 0.0)
    assert heard[-1].octets == FRAME

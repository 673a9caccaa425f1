"""MAC frames: octets by hand, round trips, damage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.sfsk.mac import ALL_PHYSICAL, FIRST_INITIATOR, MAX_SDU, MacFrame, fcs24

FRAMES = st.builds(
    MacFrame,
    source=st.integers(0, 0xFFF),
    destination=st.integers(0, 0xFFF),
    sdu=st.binary(max_size=MAX_SDU),
    initial_credit=st.integers(0, 7),
    current_credit=st.integers(0, 7),
    delta_credit=st.integers(0, 3),
)


@given(FRAMES)
def test_a_frame_comes_back(frame):
    octets = frame.encode()
    assert len(octets) % 36 == 0
    assert MacFrame.decode(Reader(octets)) == frame


@pytest.mark.covers("IF-C")
def test_octets_of_a_discover_request():
    """Field by field as Gurux lays it out (MAC frame of its PLC HDLC profile, discover request); FCS apart."""
    frame = MacFrame(
        source=FIRST_INITIATOR,
        destination=ALL_PHYSICAL,
        sdu=bytes.fromhex("9000011d64000a0000"),
        initial_credit=7,
        current_credit=7,
        delta_credit=0,
    )
    body = bytes.fromhex("fcc00fff119000011d64000a0000") + bytes(17)
    assert frame.encode() == bytes.fromhex("6c6c") + body + fcs24(body).to_bytes(3, "big")


@pytest.mark.parametrize(
    ("size", "code", "length"), [(0, "6c6c", 36), (26, "6c6c", 36), (27, "3a3a", 72), (242, "2727", 252)]
)
def test_ns_says_how_many_sub_frames_there_are(size, code, length):
    octets = MacFrame(source=1, destination=2, sdu=bytes(size)).encode()
    assert (octets[:2].hex(), len(octets)) == (code, length)


def test_too_long_an_sdu_is_refused():
    with pytest.raises(LocalProtocolError):
        MacFrame(source=1, destination=2, sdu=bytes(MAX_SDU + 1)).encode()


@given(st.binary(max_size=60))
def test_the_fcs_is_what_its_polynomial_says(octets):
    crc = 0
    for octet in octets:
        crc ^= octet << 16
        for _ in range(8):
            crc = (crc << 1 ^ 0x15D6DCB if crc & 0x800000 else crc << 1) & 0xFFFFFF
    assert fcs24(octets) == crc
    assert fcs24(octets + crc.to_bytes(3, "big")) == 0


@given(st.binary(max_size=60))
def test_the_polynomial_is_the_one_others_use(octets):
    """Gurux has it mirrored, as D3B6BA, in a register that bits enter at the far end: 24 zeroes push them through."""
    register = 0
    for octet in octets + bytes(3):
        for place in range(7, -1, -1):
            carry = register & 1
            register = register >> 1 | (octet >> place & 1) << 23
            register ^= 0xD3B6BA if carry else 0
    assert fcs24(octets) == int(f"{register:024b}"[::-1], 2)


@given(FRAMES, st.floats(0, 0.999), st.integers(0, 7))
def test_one_wrong_bit_is_always_seen(frame, place, bit):
    octets = bytearray(frame.encode())
    octets[int(place * len(octets))] ^= 1 << bit
    with pytest.raises(DecodeError):
        MacFrame.decode(Reader(bytes(octets)))


def checked(body):
    return bytes.fromhex("6c6c") + body + fcs24(body).to_bytes(3, "big")


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (b"", "truncated"),
        (bytes.fromhex("6c6c"), "length"),
        (bytes.fromhex("3a3a") + bytes(34), "length"),
        (bytes.fromhex("1234") + bytes(34), "length"),
        (bytes.fromhex("6c6c") + bytes(33) + b"\x01", "fcs"),
        (checked(bytes.fromhex("00c00fff24") + bytes(26)), "pad"),
        (checked(bytes.fromhex("00c00fff01") + bytes(25) + b"\x01"), "pad"),
    ],
)
def test_what_is_no_frame_is_told(octets, kind):
    with pytest.raises(DecodeError) as told:
        MacFrame.decode(Reader(octets))
    assert told.value.kind == kind
    assert 0 <= told.value.offset <= len(octets)


@given(st.binary(max_size=80), st.sampled_from(["", "6c6c", "3a3a"]))
def test_any_octets_are_a_frame_or_an_error(octets, begin):
    try:
        frame = MacFrame.decode(Reader(bytes.fromhex(begin) + octets))
    except DecodeError as error:
        assert error.offset >= 0
    else:
        assert len(frame.sdu) <= MAX_SDU

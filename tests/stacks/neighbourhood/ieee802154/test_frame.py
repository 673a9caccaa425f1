"""MAC frames: the examples of IEEE 802.15.4-2006, annex C, and whatever else can be made of octets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.stacks.neighbourhood.ieee802154 import FrameKind, MacFrame, SecurityHeader, check_fcs, with_fcs

EUI = bytes.fromhex("acde480000000001")
BEACON = bytes.fromhex("08d08421430100000000 48deac 0205000000 55cf000051525354 223bc1ec841ab553")
COMMAND = bytes.fromhex("2bdc84214302000000 0048deac ffff 01000000 0048deac 06 05000000 01 d8 4fde529061f9c6f1")

ADDRESSES = st.none() | st.integers(0, 0xFFFF) | st.binary(min_size=8, max_size=8)
PANS = st.integers(0, 0xFFFF)
SECURITY = st.builds(
    SecurityHeader,
    level=st.sampled_from([1, 2, 3, 5, 6, 7]),
    counter=st.integers(0, 0xFFFFFFFF),
    key_index=st.none() | st.integers(0, 255),
)


@st.composite
def frames(draw):
    destination, source = draw(ADDRESSES), draw(ADDRESSES)
    both = destination is not None and source is not None
    return MacFrame(
        kind=draw(st.sampled_from(FrameKind)),
        sequence=draw(st.integers(0, 255)),
        pan=None if destination is None else draw(PANS),
        destination=destination,
        source_pan=None if source is None else draw(st.none() | PANS) if both else draw(PANS),
        source=source,
        security=draw(st.none() | SECURITY),
        payload=draw(st.binary(max_size=60)),
        ack_request=draw(st.booleans()),
        pending=draw(st.booleans()),
    )


@pytest.mark.covers("IF-C")
def test_the_beacon_of_the_norm():
    frame = MacFrame.decode(BEACON)
    assert (frame.kind, frame.sequence, frame.source_pan, frame.source) == (FrameKind.BEACON, 0x84, 0x4321, EUI)
    assert frame.destination is None
    assert frame.security == SecurityHeader(level=2, counter=5)
    assert frame.encode() == BEACON


def test_the_command_of_the_norm():
    frame = MacFrame.decode(COMMAND)
    assert (frame.kind, frame.pan, frame.destination) == (FrameKind.COMMAND, 0x4321, EUI[:-1] + b"\x02")
    assert (frame.source_pan, frame.source, frame.ack_request) == (0xFFFF, EUI, True)
    assert frame.security == SecurityHeader(level=6, counter=5)
    assert frame.encode() == COMMAND


@given(frames())
def test_every_frame_comes_back_as_it_went(frame):
    assert MacFrame.decode(frame.encode()) == frame


@given(st.binary(max_size=60))
def test_any_octets_are_a_frame_or_a_decode_error(octets):
    try:
        frame = MacFrame.decode(octets)
    except DecodeError:
        return
    assert MacFrame.decode(frame.encode()) == frame


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        ("", "truncated"),
        ("0500", "control"),  # a reserved frame type
        ("012001", "control"),  # frame version 2
        ("010401", "control"),  # a reserved addressing mode
        ("4108010102", "truncated"),
        ("41080101020304", "control"),  # one PAN id, one address
        ("09100104", "level"),
        ("0910011d00000000", "key"),
    ],
)
def test_what_cannot_be_read_says_why(octets, kind):
    with pytest.raises(DecodeError) as caught:
        MacFrame.decode(bytes.fromhex(octets))
    assert caught.value.kind == kind


def test_what_cannot_be_sent_is_refused():
    with pytest.raises(LocalProtocolError, match="PAN"):
        MacFrame(kind=FrameKind.DATA, sequence=0, destination=1).encode()
    with pytest.raises(LocalProtocolError, match="level 4"):
        SecurityHeader(level=4, counter=0).encode()


@given(st.binary(max_size=40), st.integers(0), st.integers(1, 255))
def test_a_frame_check_finds_every_changed_octet(octets, place, change):
    checked = with_fcs(octets)
    assert check_fcs(checked) == octets
    place %= len(checked)
    with pytest.raises(DecodeError, match="wrong"):
        check_fcs(checked[:place] + bytes([checked[place] ^ change]) + checked[place + 1 :])


def test_a_frame_shorter_than_its_check():
    with pytest.raises(DecodeError, match="without"):
        check_fcs(b"\x01")

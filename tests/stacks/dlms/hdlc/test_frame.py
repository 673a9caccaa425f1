import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.crc import x25
from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.dlms.hdlc.address import HdlcAddress
from meterway.stacks.dlms.hdlc.frame import MAX_INFORMATION, FrameKind, HdlcFrame, kind_of

CLIENT = HdlcAddress(logical=16)
SERVER = HdlcAddress(logical=1, physical=17, size=2)
FRAMES = st.builds(
    HdlcFrame,
    destination=st.sampled_from((CLIENT, SERVER, HdlcAddress(logical=1, physical=4711, size=4))),
    source=st.sampled_from((CLIENT, SERVER)),
    control=st.integers(0, 255),
    information=st.binary(max_size=300),
    segmented=st.booleans(),
)


@pytest.mark.covers("IF-I")
def test_the_shortest_frame_has_one_check_only() -> None:
    frame = HdlcFrame(destination=HdlcAddress(logical=1), source=CLIENT, control=0x93)
    assert frame.encode() == bytes.fromhex("7ea0070321930f017e")
    assert HdlcFrame.decode(Reader(frame.encode())) == frame


def test_a_frame_with_information_has_two_checks() -> None:
    frame = HdlcFrame(destination=SERVER, source=CLIENT, control=0x10, information=b"hello", segmented=True)
    octets = frame.encode()
    assert octets[1:3] == bytes.fromhex("a80f")
    assert octets[1:7].hex() == "a80f02232110"
    assert int.from_bytes(octets[7:9], "little") == x25(octets[1:7])
    assert int.from_bytes(octets[14:16], "little") == x25(octets[1:14])
    assert len(octets) == 0x0F + 2


@given(FRAMES)
def test_every_frame_comes_back_as_it_went(frame: HdlcFrame) -> None:
    reader = Reader(frame.encode() + b"rest")
    assert HdlcFrame.decode(reader) == frame
    assert reader.rest() == b"rest"


@given(FRAMES, st.data())
def test_a_damaged_frame_is_refused(frame: HdlcFrame, data: st.DataObject) -> None:
    octets = bytearray(frame.encode())
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DecodeError):
        HdlcFrame.decode(Reader(bytes(octets)))


@given(st.binary(max_size=40))
def test_any_octets_are_a_frame_or_a_decode_error(octets: bytes) -> None:
    reader = Reader(b"\x7e\xa0" + octets)
    try:
        frame = HdlcFrame.decode(reader)
    except DecodeError:
        return
    assert frame.encode() == reader.data[: reader.offset]


def _checked(head: str, information: str) -> str:
    octets = bytes.fromhex(head)
    octets += x25(octets).to_bytes(2, "little") + bytes.fromhex(information)
    return (b"\x7e" + octets + x25(octets).to_bytes(2, "little") + b"\x7e").hex()


@pytest.mark.parametrize(
    ("octets", "kind", "offset"),
    [
        ("", "truncated", 0),
        ("00", "flag", 0),
        ("7eb007", "format", 1),
        ("7ea007032193", "truncated", 1),
        ("7ea004032193", "length", 1),
        ("7ea0070321930f02", "fcs", 6),
        ("7ea0070321930f0100", "flag", 8),
        ("7ea0080321930f01007e", "length", 6),
        ("7ea00a032193000000000000", "hcs", 6),
        (_checked("a00d0202032110", "0000"), "address", 3),
        ("7ea00702020202020202", "length", 8),
    ],
)
def test_a_faulty_frame_says_what_is_wrong_and_where(octets: str, kind: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        HdlcFrame.decode(Reader(bytes.fromhex(octets)))
    assert (caught.value.kind, caught.value.offset) == (kind, offset)


@pytest.mark.parametrize(
    ("control", "kind"),
    [
        (0x10, FrameKind.I),
        (0xFE, FrameKind.I),
        (0x31, FrameKind.RR),
        (0xB5, FrameKind.RNR),
        (0x93, FrameKind.SNRM),
        (0x53, FrameKind.DISC),
        (0x73, FrameKind.UA),
        (0x1F, FrameKind.DM),
        (0x97, FrameKind.FRMR),
        (0x03, FrameKind.UI),
        (0x13, FrameKind.UI),
        (0x19, FrameKind.UNKNOWN),
        (0xEF, FrameKind.UNKNOWN),
    ],
)
def test_the_control_field_names_the_kind(control: int, kind: FrameKind) -> None:
    assert kind_of(control) is kind


def test_the_control_field_holds_the_numbers_and_the_poll_bit() -> None:
    frame = HdlcFrame(destination=CLIENT, source=SERVER, control=0b101_1_011_0)
    assert (frame.receive_sequence, frame.poll_final, frame.send_sequence) == (5, True, 3)
    assert frame.kind is FrameKind.I


def test_a_frame_longer_than_its_length_field_is_refused() -> None:
    big = HdlcAddress(logical=1, physical=1, size=4)
    HdlcFrame(destination=big, source=big, control=0, information=bytes(MAX_INFORMATION)).encode()
    with pytest.raises(LocalProtocolError):
        HdlcFrame(destination=big, source=big, control=0, information=bytes(MAX_INFORMATION + 1)).encode()

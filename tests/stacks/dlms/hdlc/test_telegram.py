import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.dlms.hdlc.address import HdlcAddress
from meterway.stacks.dlms.hdlc.frame import HdlcFrame
from meterway.stacks.dlms.hdlc.telegram import HdlcRecording, decode_stream

METER = HdlcAddress(logical=1, physical=17, size=2)
DISPLAY = HdlcAddress(logical=103)


def frame(information: bytes, *, segmented: bool = False, control: int = 0x13) -> bytes:
    return HdlcFrame(
        destination=DISPLAY, source=METER, control=control, information=information, segmented=segmented
    ).encode()


def apdus(recording: HdlcRecording) -> list[bytes]:
    return [item.apdu for item in recording.apdus]


def faults(recording: HdlcRecording) -> list[str]:
    return [fault.error.kind for fault in recording.faults]


PUSH = frame(b"\xe6\xe7\x00\x0f\x00\x00\x00\x01")


@pytest.mark.covers("IF-H1")
def test_a_push_gives_its_apdu_with_its_place() -> None:
    recording = decode_stream(PUSH)
    (apdu,) = recording.apdus
    assert (apdu.apdu, apdu.llc, apdu.offset, apdu.frames) == (b"\x0f\x00\x00\x00\x01", True, 1, (0,))
    assert (apdu.source, apdu.destination) == (METER, DISPLAY)
    assert recording.faults == ()
    assert recording.frames[0].frame.encode() == PUSH


def test_segments_are_joined() -> None:
    octets = frame(b"\xe6\xe7\x00\x0fone", segmented=True) + frame(b"two", segmented=True)[1:] + frame(b"three")
    recording = decode_stream(octets)
    assert apdus(recording) == [b"\x0fonetwothree"]
    assert recording.apdus[0].frames == (0, 1, 2)
    assert faults(recording) == []


def test_blocks_in_frames_of_their_own_stay_apart() -> None:
    recording = decode_stream(frame(b"\xe6\xe7\x00\xe0\x40\x00\x01") + frame(b"\xe0\xc0\x00\x02"))
    assert [(item.apdu, item.llc) for item in recording.apdus] == [
        (b"\xe0\x40\x00\x01", True),
        (b"\xe0\xc0\x00\x02", False),
    ]


@pytest.mark.covers("SEC-11")
@pytest.mark.parametrize(("back", "kind"), [(2, "fcs"), (len(PUSH) - 7, "hcs")])
def test_a_bad_check_is_named_for_what_it_is(back: int, kind: str) -> None:
    broken = bytearray(PUSH)
    broken[-back] ^= 0x80
    recording = decode_stream(bytes(broken) + PUSH)
    assert faults(recording) == [kind]
    assert recording.faults[0].octets == bytes(broken[1:-1])
    assert recording.frames[0].offset == len(PUSH) + 1
    assert apdus(recording) == [b"\x0f\x00\x00\x00\x01"]


def test_a_last_frame_that_is_cut_off_is_named() -> None:
    recording = decode_stream(PUSH + PUSH[:-5])
    assert faults(recording) == ["truncated"]
    assert recording.faults[0].offset == len(PUSH) + 1
    assert len(recording.apdus) == 1


def test_a_missing_last_flag_costs_nothing() -> None:
    recording = decode_stream(PUSH[:-1])
    assert len(recording.apdus) == 1
    assert faults(recording) == ["flag"]


def test_a_chain_with_a_lost_segment_is_not_joined() -> None:
    broken = bytearray(frame(b"two", segmented=True))
    broken[-3] ^= 1
    recording = decode_stream(frame(b"\xe6\xe7\x00one", segmented=True) + bytes(broken) + PUSH)
    assert faults(recording) == ["segments", "fcs"]
    assert apdus(recording) == [b"\x0f\x00\x00\x00\x01"]


def test_a_chain_without_an_end_is_named() -> None:
    recording = decode_stream(frame(b"\xe6\xe7\x00one", segmented=True))
    assert faults(recording) == ["segments"]
    assert apdus(recording) == []


def test_a_numbered_segment_that_came_twice_counts_once() -> None:
    first = frame(b"\xe6\xe7\x00one", segmented=True, control=0x10)
    recording = decode_stream(first + first + frame(b"two", control=0x12))
    assert apdus(recording) == [b"onetwo"]
    assert faults(recording) == ["retransmission"]


def test_supervision_frames_carry_no_apdu() -> None:
    recording = decode_stream(frame(b"", control=0x11) + frame(b"\x81\x80\x00", control=0x73))
    assert len(recording.frames) == 2
    assert recording.apdus == ()


@given(st.lists(st.one_of(st.binary(max_size=30), st.just(PUSH), st.just(frame(b"x", segmented=True)))))
def test_any_octets_are_recorded_without_an_exception(chunks: list[bytes]) -> None:
    octets = b"".join(chunks)
    recording = decode_stream(octets)
    for placed in recording.frames:
        assert octets[placed.offset : placed.offset + len(placed.octets)] == placed.octets
    for fault in recording.faults:
        assert octets[fault.offset : fault.offset + len(fault.octets)] == fault.octets

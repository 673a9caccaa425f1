import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import RemoteProtocolError
from meterway.stacks.dlms.hdlc.segments import Reassembler, SendWindow, Sequence, judge, strip_llc


@given(st.binary(max_size=500), st.integers(1, 100), st.integers(1, 7))
def test_segments_sent_in_windows_join_to_the_same_octets(octets: bytes, size: int, window: int) -> None:
    sender, receiver = SendWindow(window), Reassembler(500)
    sender.put(octets, size)
    wholes = []
    while burst := sender.burst():
        assert len(burst) <= window
        for _, (information, more) in burst:
            assert len(information) <= size
            whole = receiver.add(information, more=more)
            if whole is not None:
                wholes.append(whole)
        sender.acknowledge(sender.next)
    assert wholes == [octets]


def test_what_is_not_acknowledged_goes_out_again_with_the_same_numbers() -> None:
    sender = SendWindow(3)
    sender.first = 6
    sender.put(b"abcd", 1)
    assert [number for number, _ in sender.burst()] == [6, 7, 0]
    assert sender.acknowledge(7) == 1
    assert [(number, information) for number, (information, _) in sender.burst()] == [(7, b"b"), (0, b"c"), (1, b"d")]
    assert sender.acknowledge(2) == 3
    assert sender.burst() == []


def test_an_acknowledgement_of_what_was_never_sent_is_refused() -> None:
    sender = SendWindow(1)
    sender.put(b"a", 10)
    sender.burst()
    assert sender.acknowledge(2) == -1
    assert sender.flying == 1


def test_an_apdu_may_not_grow_for_ever() -> None:
    receiver = Reassembler(10)
    assert receiver.add(b"12345", more=True) is None
    assert receiver.begun
    with pytest.raises(RemoteProtocolError, match="10 octets"):
        receiver.add(b"678901", more=True)
    assert not receiver.begun
    assert receiver.add(b"fresh", more=False) == b"fresh"


@pytest.mark.parametrize(
    ("number", "expected", "window", "verdict"),
    [
        (3, 3, 1, Sequence.NEW),
        (2, 3, 1, Sequence.AGAIN),
        (7, 0, 1, Sequence.AGAIN),
        (1, 3, 1, Sequence.GAP),
        (1, 3, 2, Sequence.AGAIN),
        (4, 3, 3, Sequence.GAP),
    ],
)
def test_a_number_is_new_repeated_or_too_far_on(number: int, expected: int, window: int, verdict: Sequence) -> None:
    assert judge(number, expected, window) is verdict


def test_the_llc_header_of_either_direction_is_taken_off() -> None:
    assert strip_llc(bytes.fromhex("e6e600c0")) == (b"\xc0", True)
    assert strip_llc(bytes.fromhex("e6e700c4")) == (b"\xc4", True)
    assert strip_llc(bytes.fromhex("c401")) == (b"\xc4\x01", False)

"""The engine under every hub's line; what the messages are is shown by the tests of ``wire``."""

import msgspec
import pytest

from meterway.base.errors import LocalProtocolError
from meterway.links.medium.messages import Closed, MessageEngine


class Note(msgspec.Struct, frozen=True, array_like=True, tag="n"):
    text: str


DECODER = msgspec.msgpack.Decoder(Note | Closed)


def engine():
    return MessageEngine(DECODER, "the notice board")


def test_what_is_told_comes_out_on_the_other_side():
    left, right = engine(), engine()
    left.tell(Note("one"))
    left.tell(Note("two"))
    octets = left.data_to_send()
    right.receive_data(octets[:7], 0.0)
    right.receive_data(octets[7:], 0.0)
    assert [right.next_event(), right.next_event(), right.next_event()] == [Note("one"), Note("two"), None]
    assert right.next_timeout() is None
    right.handle_timeout(1.0)


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", ""),
        (b"\x00\x00\x00\x01\xc1", "not a message of the notice board"),
        (b"\x7f\xff\xff\xff", "2147483647 octets was announced"),
        (b"\x00\x00\x00\x04\x92\xa1c\xa0", "closed by closing"),
    ],
)
def test_the_end_of_a_line_is_told_once_with_its_reason(octets, reason):
    one = engine()
    one.receive_data(octets, 0.0)
    one.receive_data(b"more", 0.0)
    event = one.next_event()
    assert isinstance(event, Closed)
    assert reason in event.reason
    assert one.next_event() is None


def test_what_is_too_long_or_never_read_is_not_kept():
    one = engine()
    with pytest.raises(LocalProtocolError, match="at most 1048576"):
        one.tell(Note("x" * (1 << 20)))
    for _ in range(20):
        one.tell(Note("x" * 1_000_000))
    assert one.dropped == 11
    assert len(one.data_to_send()) < 10 << 20

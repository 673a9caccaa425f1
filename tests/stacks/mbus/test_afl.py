"""The authentication and fragmentation layer: header, fragments, reassembly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError, RemoteProtocolError
from meterway.stacks.mbus.afl import Afl, Reassembly, decode_afl, fragment


def numbers(bits: int) -> st.SearchStrategy[int | None]:
    return st.none() | st.integers(0, (1 << bits) - 1)


@given(
    st.integers(0, 255),
    st.booleans(),
    numbers(16),
    numbers(32),
    numbers(16),
    st.none() | st.binary(min_size=8, max_size=8),
)
def test_every_header_leads_back_to_its_octets(
    number: int, more: bool, key: int | None, counter: int | None, length: int | None, mac: bytes | None
) -> None:
    header = Afl(
        fragment_id=number,
        more_fragments=more,
        message_control=0x25,
        key_information=key,
        counter=counter,
        mac=mac,
        message_length=length,
    )
    octets = header.encode()
    assert decode_afl(octets + b"rest", 0) == (header, len(octets))


@pytest.mark.covers("IF-M")
@given(st.binary(min_size=1, max_size=2000), st.integers(40, 200))
def test_a_message_in_fragments_comes_together_again(message: bytes, size: int) -> None:
    header = Afl(message_control=0x65, counter=7, mac=bytes(range(8)))
    frames = fragment(header, message, size)
    assert all(len(frame) <= size for frame in frames)
    waiting = Reassembly()
    whole = None
    for number, frame in enumerate(frames, 1):
        part, end = decode_afl(frame, 0, waiting.header)
        whole = waiting.add(part, frame[end:])
        assert (whole is None) == (number < len(frames))
    assert whole is not None
    assert whole[1] == message
    assert (whole[0].counter, whole[0].mac) == (7, bytes(range(8)))


def test_a_missing_fragment_is_refused_and_a_first_one_starts_anew() -> None:
    frames = [decode_afl(frame, 0) for frame in fragment(Afl(counter=1), bytes(100), 50)]
    bodies = [frame[decode_afl(frame, 0)[1] :] for frame in fragment(Afl(counter=1), bytes(100), 50)]
    waiting = Reassembly()
    assert waiting.add(frames[0][0], bodies[0]) is None
    with pytest.raises(RemoteProtocolError, match="does not continue"):
        waiting.add(frames[2][0], bodies[2])
    for (header, _), body in zip(frames, bodies, strict=True):
        whole = waiting.add(header, body)
    assert whole is not None
    assert whole[1] == bytes(100)


def test_a_message_shorter_than_announced_is_refused() -> None:
    waiting = Reassembly()
    waiting.add(Afl(fragment_id=1, more_fragments=True, message_length=9), b"abc")
    with pytest.raises(RemoteProtocolError, match="9 were announced"):
        waiting.add(Afl(fragment_id=2), b"def")


def test_a_message_without_end_is_given_up() -> None:
    waiting = Reassembly(limit=10)
    waiting.add(Afl(fragment_id=1, more_fragments=True), bytes(8))
    with pytest.raises(RemoteProtocolError, match="more than 10"):
        waiting.add(Afl(fragment_id=2, more_fragments=True), bytes(8))


@given(st.binary(max_size=30))
def test_anything_else_is_a_decode_error(octets: bytes) -> None:
    try:
        header, end = decode_afl(b"\x90" + octets, 0)
    except DecodeError:
        return
    assert end <= len(octets) + 1
    assert header.encode()[0] == 0x90


def test_no_room_and_too_many_fragments_are_refused() -> None:
    with pytest.raises(LocalProtocolError, match="no room"):
        fragment(Afl(counter=1), bytes(10), 5)
    with pytest.raises(LocalProtocolError, match="255"):
        fragment(Afl(), bytes(3000), 9)

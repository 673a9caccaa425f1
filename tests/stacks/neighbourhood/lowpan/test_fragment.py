"""Fragments: round trips in any order, overlaps, limits, time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.stacks.neighbourhood.lowpan.fragment import Fragment, Reassembly, cut, is_fragment

KEY = (1, 0, 32, 7)


@given(st.integers(0, 2047), st.integers(0, 0xFFFF), st.integers(0, 255), st.binary(min_size=1, max_size=50))
def test_every_fragment_comes_back(size, tag, offset, payload):
    fragment = Fragment(size=size, tag=tag, offset=offset * 8, payload=payload)
    octets = fragment.encode()
    assert is_fragment(octets[0])
    assert Fragment.decode(octets) == fragment


def test_the_headers_by_hand():
    assert Fragment(size=0x512, tag=0xABCD, offset=0, payload=b"x").encode().hex() == "c512abcd78"
    assert Fragment(size=0x512, tag=0xABCD, offset=80, payload=b"x").encode().hex() == "e512abcd0a78"


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        ("c5", "truncated"),
        ("c512ab", "truncated"),
        ("c512abcd", "empty"),
        ("e512abcd0078", "offset"),
        ("4100", "dispatch"),
    ],
)
def test_what_cannot_be_read_says_why(octets, kind):
    with pytest.raises(DecodeError) as caught:
        Fragment.decode(bytes.fromhex(octets))
    assert caught.value.kind == kind


@pytest.mark.covers("IF-C")
@given(st.binary(min_size=48, max_size=1280), st.integers(60, 400), st.randoms(), st.integers(0, 40))
def test_what_is_cut_up_comes_together_in_any_order(packet, room, random, saved):
    compressed = packet[saved:48] + packet[48:]
    frames = cut(packet, compressed, 48, 9, room)
    assert all(len(frame) <= room for frame in frames)
    if len(frames) == 1:
        assert frames[0] == compressed
        return
    random.shuffle(frames)
    reassembly = Reassembly()
    whole = []
    for frame in [frames[0], *frames]:  # one comes twice
        fragment = Fragment.decode(frame)
        octets = packet[:48] + fragment.payload[48 - saved :] if not fragment.offset else fragment.payload
        whole.append(reassembly.add((1, 0, fragment.size, fragment.tag), fragment.offset, octets, 0.0))
    made = [packet for packet in whole if packet is not None]
    assert made == [packet]


def test_an_overlap_throws_away_what_was_there():
    reassembly = Reassembly()
    reassembly.add(KEY, 8, bytes(8), 0.0)
    for octets, offset in ((b"\x01" * 8, 8), (bytes(16), 0)):
        with pytest.raises(DecodeError) as caught:
            reassembly.add(KEY, offset, octets, 0.0)
        assert caught.value.kind == "overlap"
    # What came last begins anew.
    assert reassembly.add(KEY, 16, b"\x02" * 16, 0.0) == bytes(16) + b"\x02" * 16


@pytest.mark.parametrize(("offset", "size"), [(24, 16), (0, 9), (32, 8)])
def test_what_does_not_fit_into_the_datagram_is_refused(offset, size):
    with pytest.raises(DecodeError) as caught:
        Reassembly().add(KEY, offset, bytes(size), 0.0)
    assert caught.value.kind == "offset"


def test_what_is_not_whole_in_time_is_given_up():
    reassembly = Reassembly(timeout_s=60.0)
    assert reassembly.next_timeout() is None
    reassembly.add(KEY, 0, bytes(8), 10.0)
    reassembly.add((2, 0, 32, 7), 0, bytes(8), 20.0)
    assert reassembly.next_timeout() == 70.0
    assert reassembly.expire(69.9) == 0
    assert reassembly.expire(70.0) == 1
    assert reassembly.next_timeout() == 80.0
    reassembly.forget(2)
    assert reassembly.next_timeout() is None


def test_there_are_never_more_than_the_limit():
    reassembly = Reassembly(limit=3)
    for tag in range(10):
        reassembly.add((1, 0, 32, tag), 0, bytes(8), 0.0)
    assert len(reassembly) == 3
    assert reassembly.add((1, 0, 32, 9), 8, bytes(24), 0.0) == bytes(32)


def test_frames_too_small_or_datagrams_too_long_are_refused():
    with pytest.raises(LocalProtocolError, match="room"):
        cut(bytes(100), bytes(100), 48, 1, 20)
    with pytest.raises(LocalProtocolError, match="2047"):
        cut(bytes(2048), bytes(2048), 48, 1, 100)

"""A connection carries LLC frames whole, urgent ones first, and tells what it did not deliver."""

import pytest

from meterway.base.errors import DecodeError
from meterway.stacks.neighbourhood.prime.link import Link, max_lpdu, segment_size
from meterway.stacks.neighbourhood.prime.settings import PrimeSettings

SETTINGS = PrimeSettings(mtu=64)


def exchange(one, two, now=0.0):
    """Let frames go both ways until nobody has any; what ``two`` made whole."""
    wholes = []
    while True:
        there = one.outgoing(now)
        for payload, _ in there:
            wholes += two.receive(payload, now)
        back = two.outgoing(now)
        for payload, _ in back:
            one.receive(payload, now)
        if not there and not back:
            return wholes


def test_long_and_short_frames_arrive_whole():
    one, two = Link(256, SETTINGS), Link(256, SETTINGS)
    frames = [bytes((number,)) * size for number, size in enumerate((1, 500, 3, max_lpdu(SETTINGS)))]
    for frame in frames:
        one.send(frame, b"", urgent=False)
    wholes, now = [], 0.0
    while len(wholes) < len(frames):
        wholes += exchange(one, two, now)
        now = one.next_timeout() or now
    assert wholes == frames
    assert one.undelivered() == []


def test_urgent_goes_before_what_waits_but_cuts_nothing():
    one, two = Link(256, SETTINGS), Link(256, SETTINGS)
    one.send(bytes(500), b"long", urgent=False)
    one.outgoing(0.0)
    one.send(b"b", b"b", urgent=False)
    one.send(b"a", b"a", urgent=True)
    assert one.undelivered() == [b"long", b"a", b"b"]
    now, wholes = 8.0, []
    one.handle_timeout(now)
    wholes = exchange(one, two, now)
    assert wholes == [bytes(500), b"a", b"b"]


def test_what_is_not_acknowledged_is_told_when_the_link_is_lost():
    one = Link(256, SETTINGS)
    one.send(b"first", b"1", urgent=False)
    one.send(b"second", b"2", urgent=False)
    while not one.is_lost:
        one.outgoing(one.next_timeout() or 0.0)
        one.handle_timeout(one.next_timeout())
    assert one.undelivered() == [b"1", b"2"]


def test_segments_that_do_not_fit_are_told():
    two = Link(256, SETTINGS)
    with pytest.raises(DecodeError):
        two.receive(b"\x00\x81late", 0.0)


def test_a_frame_is_no_longer_than_the_mtu():
    assert segment_size(SETTINGS) == 64 - 13 - 7 - 1

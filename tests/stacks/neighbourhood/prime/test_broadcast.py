"""Broadcasts: a copy is dropped, equal ones and long ones keep their distance."""

from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.neighbourhood.prime.broadcast import BroadcastSink, BroadcastSource
from meterway.stacks.neighbourhood.prime.sar import segments

GAP = 20.0


def cut(whole, size=20):
    return tuple(segments(whole, size))


def test_different_short_ones_go_at_once_equal_ones_wait():
    source = BroadcastSource(GAP)
    for whole in (b"a", b"b", b"a", b"c"):
        source.send(cut(whole))
    assert source.outgoing(0.0) == [b"\x00a", b"\x00b"]
    assert source.next_timeout() == GAP
    assert source.outgoing(GAP) == [b"\x00a", b"\x00c"]
    assert source.next_timeout() is None


def test_a_long_one_has_the_medium_for_itself():
    source = BroadcastSource(GAP)
    for whole in (b"a", bytes(50), b"b"):
        source.send(cut(whole))
    assert len(source.outgoing(0.0)) == 1
    assert len(source.outgoing(GAP)) == 3
    assert source.outgoing(2 * GAP - 1) == []
    assert source.outgoing(2 * GAP) == [b"\x00b"]


@given(st.lists(st.binary(min_size=1, max_size=90), max_size=12), st.randoms(use_true_random=False))
def test_nothing_comes_twice_or_mixed(wholes, random):
    source, sink = BroadcastSource(GAP), BroadcastSink(GAP)
    for whole in wholes:
        source.send(cut(whole))
    heard, flying, now = [], [], 0.0
    while (due := source.next_timeout()) is not None:
        now = max(now, due)
        for segment in source.outgoing(now):
            flying += [(now + random.uniform(0, 5), segment) for _ in range(random.randint(0, 2))]
    for at, segment in sorted(flying):
        whole = sink.take(segment, at)
        if whole is not None:
            heard.append(whole)
    left = list(wholes)
    for whole in heard:
        left.remove(whole)  # fails for what was not sent, or not as often

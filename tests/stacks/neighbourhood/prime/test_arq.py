"""The window of a connection: what goes in comes out once and in order, whatever the medium does."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.stacks.neighbourhood.prime.arq import MAX_SUBHEADER, ArqHeader, ArqWindow

NUMBERS = st.integers(0, 63)
HEADERS = st.builds(
    ArqHeader,
    number=NUMBERS,
    flush=st.booleans(),
    acknowledged=NUMBERS,
    missing=st.lists(NUMBERS, max_size=4).map(tuple),
    window=st.one_of(st.none(), st.integers(0, 31)),
)
LIFETIME = 5.0


def window(**kw):
    return ArqWindow(**{"window": 16, "wait": 8.0, "repetitions": 5, "lifetime": LIFETIME, **kw})


@given(HEADERS, st.binary(max_size=5))
def test_a_subheader_comes_back(header, rest):
    octets = header.encode()
    assert ArqHeader.decode(octets + rest) == (header, len(octets))
    assert len(octets) <= MAX_SUBHEADER


@pytest.mark.covers("IF-C")
def test_octets_of_a_subheader():
    """As PLCTool writes them: first octet, window, missing, acknowledgement."""
    header = ArqHeader(number=5, flush=True, window=0x10, missing=(7,), acknowledged=6)
    assert header.encode() == bytes((0xC5, 0x90, 0xC7, 0x06))
    assert ArqHeader(number=5).encode() == b"\x05"


@given(st.binary(max_size=12))
def test_any_octets_are_a_subheader_or_an_error(octets):
    try:
        _, size = ArqHeader.decode(octets)
    except DecodeError:
        pass
    else:
        assert 0 < size <= len(octets)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 300), st.sampled_from([0.0, 0.1, 0.4]))
def test_everything_comes_once_and_in_order(seed, count, loss):
    """Both ends send; every frame may be lost, doubled, and held back up to the lifetime the ends were told."""
    random = Random(seed)
    ends = window(repetitions=100), window(repetitions=100)
    sent = [[b"%d/%d" % (side, number) for number in range(count)] for side in (0, 1)]
    for side in (0, 1):
        for payload in sent[side]:
            ends[side].enqueue(payload)
    heard, flying, now = ([], []), [], 0.0
    while heard[1] != sent[0] or heard[0] != sent[1]:
        for side in (0, 1):
            for payload, _ in ends[side].outgoing(now):
                for _ in range(1 + (random.random() < 0.3)):
                    if random.random() >= loss:
                        flying.append((now + random.uniform(0.01, LIFETIME), 1 - side, payload))
        flying.sort()
        times = [flying[0][0]] if flying else []
        times += [when for end in ends if (when := end.next_timeout()) is not None]
        assert times, "both ends wait for ever"
        now = max(now, min(times))
        while flying and flying[0][0] <= now:
            _, side, payload = flying.pop(0)
            heard[side].extend(ends[side].receive(payload, now))
        for end in ends:
            end.handle_timeout(now)
            assert not end.is_lost
        assert heard[1] == sent[0][: len(heard[1])]
        assert heard[0] == sent[1][: len(heard[0])]


def test_silence_ends_in_loss_after_all_repetitions():
    end, now, sent = window(repetitions=3), 0.0, 0
    end.enqueue(b"x")
    while not end.is_lost:
        sent += len(end.outgoing(now))
        now = end.next_timeout()
        end.handle_timeout(now)
    assert sent == 4
    assert now == 8 * (1 + 2 + 4 + 8)


def test_a_number_is_not_used_again_while_its_former_packet_may_be_under_way():
    one, two = window(), window()
    for _ in range(200):
        one.enqueue(b"x")
    now, sent = 0.0, 0
    while True:
        out = one.outgoing(now)
        if not out:
            break
        sent += len(out)
        for payload, _ in out:
            two.receive(payload, now)
        for payload, _ in two.outgoing(now):
            one.receive(payload, now)
    assert sent == 64 - 16
    assert one.next_timeout() == now + 2 * LIFETIME


def test_a_missing_packet_is_sent_again_at_once_when_told():
    one, two = window(), window()
    one.enqueue(b"0")
    two.receive(one.outgoing(0.0)[0][0], 0.0)
    one.receive(two.outgoing(0.0)[0][0], 0.0)
    for number in (1, 2, 3):
        one.enqueue(b"%d" % number)
    first, second, third = (payload for payload, _ in one.outgoing(1.0))
    assert two.receive(first, 1.0) == [b"1"]
    assert two.receive(third, 1.0) == []
    one.receive(two.outgoing(2.5)[0][0], 2.5)
    again = [payload for payload, _ in one.outgoing(2.5)]
    assert len(again) == 1
    assert two.receive(again[0], 2.5) == [b"2", b"3"]
    assert second[0] & 0x3F == again[0][0] & 0x3F
    assert two.receive(third, 2.6) == []
    assert two.repeated == 1

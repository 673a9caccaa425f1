"""Invocation counters: they rise, are reserved ahead, and are never used twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import SecurityError
from meterway.stacks.dlms.security.counter import MAX_COUNTER, ReceivedCounter, SendCounter, counter_at

pytestmark = pytest.mark.covers("SEC-05")


@given(st.integers(0, 1000), st.lists(st.integers(0, 2000) | st.none(), max_size=50))
def test_a_sent_counter_only_rises(start: int, jumps: list[int | None]) -> None:
    counter = SendCounter(start)
    last = start - 1
    for jump in jumps:
        if jump is not None:
            counter.raise_to(jump)
            continue
        assert counter.next > last
        value = counter.take()
        assert value > last
        last = value


@given(st.integers(0, 50), st.integers(1, 20), st.lists(st.integers(1, 60), min_size=1, max_size=8))
def test_no_counter_is_used_twice_over_restarts(start: int, size: int, runs: list[int]) -> None:
    durable = [start]
    used: list[int] = []
    for count in runs:
        counter = SendCounter(durable[-1], reserve=durable.append, step=size)
        for _ in range(count):
            value = counter.take()
            assert value < durable[-1], "a counter was used before its reservation was durable"
            used.append(value)
    assert len(set(used)) == len(used)
    assert used == sorted(used)


def test_a_reservation_that_fails_gives_no_counter() -> None:
    def fails(limit: int) -> None:
        raise OSError(f"the disk is full at {limit}")

    counter = SendCounter(5, reserve=fails)
    for _ in range(2):
        with pytest.raises(OSError, match="disk is full"):
            counter.take()
    assert counter.next == 5


def test_a_raised_counter_is_reserved_before_it_is_used() -> None:
    durable: list[int] = []
    counter = SendCounter(0, reserve=durable.append, step=10)
    counter.raise_to(1000)
    assert counter.take() == 1000
    assert durable == [1010]


def test_the_counters_end_where_they_end() -> None:
    counter = SendCounter(3, end=5)
    assert (counter.left, counter.take(), counter.take(), counter.left) == (2, 3, 4, 0)
    with pytest.raises(SecurityError, match="used up") as refused:
        counter.take()
    assert refused.value.check == "counter"


def test_the_last_counter_of_a_key_is_used_and_none_after_it() -> None:
    durable: list[int] = []
    counter = SendCounter(MAX_COUNTER, reserve=durable.append)
    assert counter.take() == MAX_COUNTER
    assert durable == [MAX_COUNTER + 1]
    with pytest.raises(SecurityError, match="used up"):
        counter.take()


def test_a_received_counter_must_be_above_the_last() -> None:
    received = ReceivedCounter()
    received.check(0)
    received.last = 7
    received.check(8)
    for counter in (7, 6, 0):
        with pytest.raises(SecurityError, match=f"{counter} is not above 7") as refused:
            received.check(counter)
        assert refused.value.check == "counter"


def test_a_counter_by_the_clock_rises_with_it_and_leaves_half_of_the_range() -> None:
    assert counter_at(1_577_836_800 + 5.9) == 5
    assert counter_at(0.0) == counter_at(-1e9) == 0
    assert counter_at(1e12) == MAX_COUNTER // 2

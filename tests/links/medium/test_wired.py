import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.links.medium.wired import BITS, overlay


@given(st.binary(max_size=60), st.integers(0, 400))
def test_one_sender_is_read_as_it_sent_whenever_it_begins(octets: bytes, begin: int) -> None:
    assert overlay([(begin, octets)], drop_bad=True) == octets


@given(st.binary(max_size=40), st.integers(1, 5))
def test_senders_of_the_same_at_the_same_time_are_read_as_one(octets: bytes, count: int) -> None:
    assert overlay([(0, octets)] * count) == octets


@given(st.binary(min_size=1, max_size=40), st.binary(min_size=1, max_size=40))
def test_in_step_every_zero_bit_wins(left: bytes, right: bytes) -> None:
    size = min(len(left), len(right))
    mixed = bytes(one & other for one, other in zip(left, right, strict=False)) + left[size:] + right[size:]
    assert overlay([(0, left), (0, right)]) == mixed


def test_one_after_the_other_both_are_read() -> None:
    assert overlay([(0, b"\xe5"), (BITS, b"\xe5")], drop_bad=True) == b"\xe5\xe5"
    assert overlay([(3, b"\xe5"), (100, b"\x10\x40")], drop_bad=True) == b"\xe5\x10\x40"


@pytest.mark.parametrize("shift", range(1, BITS))
def test_out_of_step_acknowledgements_are_no_acknowledgement(shift: int) -> None:
    assert overlay([(0, b"\xe5"), (shift, b"\xe5")]) != b"\xe5"


@given(st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=30)), max_size=6))
def test_a_receiver_that_checks_parity_reads_no_more_than_one_that_does_not(streams: list[tuple[int, bytes]]) -> None:
    loose, strict = overlay(streams), overlay(streams, drop_bad=True)
    assert len(strict) <= len(loose) <= sum(len(octets) for _, octets in streams) + len(streams) * 2

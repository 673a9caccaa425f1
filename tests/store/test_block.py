"""Blocks as values."""

import numpy as np
import pytest

from meterway.base.errors import StoreError
from meterway.base.obis import Obis
from meterway.store.block import Block, Channel, Column, batch_of, continues, merged

A = Column(obis=Obis(1, 0, 1, 29, 0), unit=30)
B = Column(obis=Obis(1, 0, 2, 29, 0), unit=30)


def block(start_s: int, *channels: Channel, interval_s: int = 900) -> Block:
    return Block(start_s=start_s, interval_s=interval_s, channels=channels)


def test_slots_have_times_and_a_day() -> None:
    day = block(2 * 86_400 + 900, Channel.of(A, [1, 2, 3]))
    assert day.times_s.tolist() == [173_700, 174_600, 175_500]
    assert (day.day, day.slots) == (2, 3)


def test_a_slice_read_later_fills_the_gap_and_keeps_the_rest() -> None:
    gappy = block(0, Channel.of(A, [1, 0, 0, 4], quality=[0, 9, 9, 1], present=[True, False, False, True]))
    slice_ = block(900, Channel.of(A, [2, 3], quality=7))
    whole = merged(gappy, slice_)
    assert whole.same(block(0, Channel.of(A, [1, 2, 3, 4], quality=[0, 7, 7, 1])))


def test_a_slot_missing_in_the_new_block_keeps_its_old_value() -> None:
    old = block(0, Channel.of(A, [1, 2]))
    new = block(0, Channel.of(A, [5, 0], quality=[0, 8], present=[True, False]))
    assert merged(old, new).same(block(0, Channel.of(A, [5, 2])))


def test_merging_covers_all_slots_and_columns_of_both() -> None:
    early, late = block(0, Channel.of(A, [1])), block(1800, Channel.of(B, [3]))
    both = merged(early, late)
    assert (both.start_s, both.slots) == (0, 3)
    assert [each.present.tolist() for each in both.channels] == [[True, False, False], [False, False, True]]


def test_blocks_of_different_grids_do_not_merge() -> None:
    base = block(0, Channel.of(A, [1]))
    with pytest.raises(StoreError, match="grid"):
        merged(base, block(0, Channel.of(A, [1]), interval_s=3600))
    with pytest.raises(StoreError, match="grid"):
        merged(base, block(450, Channel.of(A, [1])))


def test_sameness_looks_at_values_quality_and_presence() -> None:
    base = block(0, Channel.of(A, [1, 2]))
    assert base.same(block(0, Channel.of(A, np.array([1, 2]))))
    assert not base.same(block(0, Channel.of(A, [1, 3])))
    assert not base.same(block(0, Channel.of(A, [1, 2], quality=1)))
    assert not base.same(block(0, Channel.of(A, [1, 2], present=[True, False])))
    assert not base.same(block(900, Channel.of(A, [1, 2])))


def test_blocks_of_different_shapes_make_no_batch() -> None:
    with pytest.raises(StoreError, match="batch"):
        batch_of([block(0, Channel.of(A, [1])), block(0, Channel.of(A, [1, 2]))])
    with pytest.raises(StoreError, match="batch"):
        batch_of([block(0, Channel.of(A, [1])), block(0, Channel.of(B, [1]))])


def test_more_slots_with_the_same_values_continue_a_block() -> None:
    old = block(0, Channel.of(A, [1, 0, 0], quality=[4, 0, 0], present=[True, False, False]))
    assert continues(old, block(0, Channel.of(A, [1, 2, 0], quality=[4, 9, 0], present=[True, True, False])))


@pytest.mark.parametrize(
    "new",
    [
        Channel.of(A, [1, 0, 0], quality=[4, 0, 0], present=[True, False, False]),
        Channel.of(A, [7, 2, 0], quality=[4, 0, 0], present=[True, True, False]),
        Channel.of(A, [1, 2, 0], quality=[5, 0, 0], present=[True, True, False]),
        Channel.of(A, [0, 2, 3], present=[False, True, True]),
        Channel.of(B, [1, 2, 0], quality=[4, 0, 0], present=[True, True, False]),
        Channel.of(A, [1, 2], quality=[4, 0]),
    ],
    ids=["nothing more", "another value", "another quality", "a value lost", "another column", "other slots"],
)
def test_anything_else_is_no_continuation(new: Channel) -> None:
    old = block(0, Channel.of(A, [1, 0, 0], quality=[4, 0, 0], present=[True, False, False]))
    assert not continues(old, block(0, new))

"""Interval blocks as values: what one device recorded in one day, column by column.

A slot without a reading is *missing*, which is not zero: ``present`` says so and its value is 0 by convention only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from meterway.base.errors import StoreError
from meterway.base.obis import Obis

__all__ = [
    "DAY_S",
    "Batch",
    "Block",
    "Channel",
    "Column",
    "Flags",
    "Integers",
    "Octets",
    "batch_of",
    "continues",
    "merged",
]

Integers: TypeAlias = npt.NDArray[np.int64]
Octets: TypeAlias = npt.NDArray[np.uint8]
Flags: TypeAlias = npt.NDArray[np.bool_]

DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What a channel measures: OBIS code, DLMS unit code, decimal scaler (value = integer x 10^scaler)."""

    obis: Obis
    unit: int = 255
    scaler: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Channel:
    """One column of a block: ``values`` int64, ``quality`` uint8 and ``present`` bool, all of the same length."""

    column: Column
    values: Integers
    quality: Octets
    present: Flags

    @classmethod
    def of(
        cls, column: Column, values: npt.ArrayLike, quality: npt.ArrayLike = 0, present: npt.ArrayLike = True
    ) -> Channel:
        """A channel from anything array-like; one quality or presence may stand for all slots."""
        numbers = np.array(values, dtype=np.int64)
        return cls(
            column=column,
            values=numbers,
            quality=np.broadcast_to(np.asarray(quality, dtype=np.uint8), numbers.shape),
            present=np.broadcast_to(np.asarray(present, dtype=np.bool_), numbers.shape),
        )

    def same(self, other: Channel) -> bool:
        """Whether both hold the same readings; the values under missing slots do not count."""
        return (
            self.column == other.column
            and np.array_equal(self.present, other.present)
            and np.array_equal(self.quality, other.quality)
            and np.array_equal(self.values[self.present], other.values[other.present])
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """Channels over the same slots; slot ``i`` belongs to ``start_s + i * interval_s``, seconds since 1970 UTC."""

    start_s: int
    interval_s: int
    channels: tuple[Channel, ...]

    @property
    def slots(self) -> int:
        """How many slots each channel has."""
        return len(self.channels[0].values) if self.channels else 0

    @property
    def day(self) -> int:
        """The UTC day of the first slot, in days since 1970."""
        return self.start_s // DAY_S

    @property
    def times_s(self) -> Integers:
        """The time of each slot."""
        return np.arange(self.slots, dtype=np.int64) * self.interval_s + self.start_s

    def same(self, other: Block) -> bool:
        """Whether both hold the same readings of the same slots."""
        return (
            (self.start_s, self.interval_s, len(self.channels))
            == (other.start_s, other.interval_s, len(other.channels))
        ) and all(mine.same(its) for mine, its in zip(self.channels, other.channels, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Many blocks of one shape, packed in one go: B blocks of C channels of N slots.

    ``starts_s`` (B) int64; ``values`` (B, C, N) int64; ``quality`` (B, C, N) uint8, None for all 0; ``present``
    (B, C, N) bool, None for all present.
    """

    interval_s: int
    columns: tuple[Column, ...]
    starts_s: Integers
    values: Integers
    quality: Octets | None = None
    present: Flags | None = None

    def __len__(self) -> int:
        return len(self.starts_s)


def batch_of(blocks: Sequence[Block]) -> Batch:
    """Blocks of one shape (same columns, interval and slots) as a batch; StoreError if the shapes differ."""
    first = blocks[0]
    columns = tuple(channel.column for channel in first.channels)
    for block in blocks:
        if (block.interval_s, block.slots) != (first.interval_s, first.slots) or columns != tuple(
            channel.column for channel in block.channels
        ):
            raise StoreError("blocks of one batch have the same columns, interval and number of slots")
        if any(len(each.values) != first.slots for each in block.channels):
            raise StoreError("the channels of a block have the same number of slots")
    return Batch(
        interval_s=first.interval_s,
        columns=columns,
        starts_s=np.array([block.start_s for block in blocks], dtype=np.int64),
        values=np.array([[each.values for each in block.channels] for block in blocks], dtype=np.int64),
        quality=np.array([[each.quality for each in block.channels] for block in blocks], dtype=np.uint8),
        present=np.array([[each.present for each in block.channels] for block in blocks], dtype=np.bool_),
    )


def continues(old: Block, new: Block) -> bool:
    """Whether ``new`` says everything that ``old`` does and fills more slots: a day that went on, no correction."""
    if (old.start_s, old.interval_s, old.slots, len(old.channels)) != (
        new.start_s,
        new.interval_s,
        new.slots,
        len(new.channels),
    ):
        return False
    return all(_keeps(*pair) for pair in zip(old.channels, new.channels, strict=True)) and any(
        bool(after.present.sum() > before.present.sum())
        for before, after in zip(old.channels, new.channels, strict=True)
    )


def _keeps(old: Channel, new: Channel) -> bool:
    had = old.present
    return (
        old.column == new.column
        and bool(new.present[had].all())
        and np.array_equal(new.values[had], old.values[had])
        and np.array_equal(new.quality[had], old.quality[had])
    )


def merged(old: Block, new: Block) -> Block:
    """``old`` with the readings of ``new`` laid over it: a gap filled, a day continued, a value corrected.

    The result covers the slots and columns of both; a slot missing in ``new`` keeps what ``old`` had. StoreError
    if the two do not share one grid of slots.
    """
    step = old.interval_s
    if step != new.interval_s or (old.start_s - new.start_s) % step:
        raise StoreError(f"blocks of {step} s and {new.interval_s} s intervals do not share one grid of slots")
    start = min(old.start_s, new.start_s)
    slots = (max(old.start_s + old.slots * step, new.start_s + new.slots * step) - start) // step
    columns = {each.column: None for block in (old, new) for each in block.channels}
    return Block(
        start_s=start,
        interval_s=step,
        channels=tuple(_overlay(column, (old, new), start=start, slots=slots) for column in columns),
    )


def _overlay(column: Column, blocks: Sequence[Block], *, start: int, slots: int) -> Channel:
    values, quality = np.zeros(slots, np.int64), np.zeros(slots, np.uint8)
    present = np.zeros(slots, np.bool_)
    for block in blocks:
        at = (block.start_s - start) // block.interval_s
        for each in block.channels:
            if each.column == column:
                told = each.present | ((each.quality != 0) & ~present[at : at + block.slots])
                values[at : at + block.slots][each.present] = each.values[each.present]
                quality[at : at + block.slots][told] = each.quality[told]
                present[at : at + block.slots] |= each.present
    return Channel(column=column, values=values, quality=quality, present=present)

"""The octets of interval blocks."""

import struct
from contextlib import suppress

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from meterway.base.errors import StoreError
from meterway.base.obis import Obis
from meterway.store.block import Batch, Block, Channel, Column, batch_of
from meterway.store.packing import pack, pack_many, unpack

IMPORT = Column(obis=Obis(1, 0, 1, 29, 0), unit=30, scaler=-3)
EXPORT = Column(obis=Obis(1, 0, 2, 8, 0), unit=30)


def block(*channels: Channel, start_s: int = 1_700_006_400) -> Block:
    return Block(start_s=start_s, interval_s=900, channels=channels)


I64 = st.integers(-(2**63), 2**63 - 1)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    slots = draw(st.integers(1, 40))
    channels = []
    for _ in range(draw(st.integers(1, 4))):
        numbers = st.one_of(I64, st.integers(0, 300), st.integers(10**9, 10**9 + 70_000))
        values = draw(st.lists(numbers, min_size=slots, max_size=slots))
        if draw(st.booleans()):
            values = sorted(values)
        quality = draw(st.one_of(st.integers(0, 255), st.lists(st.integers(0, 255), min_size=slots, max_size=slots)))
        present = draw(st.one_of(st.just(True), st.lists(st.booleans(), min_size=slots, max_size=slots)))
        column = Column(
            obis=Obis(*draw(st.tuples(*[st.integers(0, 255)] * 6))),
            unit=draw(st.integers(0, 255)),
            scaler=draw(st.integers(-128, 127)),
        )
        channels.append(Channel.of(column, np.array(values, np.int64), quality, present))
    return Block(start_s=draw(st.integers(0, 2**40)), interval_s=draw(st.integers(1, 86_400)), channels=tuple(channels))


@given(blocks())
@settings(deadline=None)
def test_every_block_comes_back_as_it_was(given_block: Block) -> None:
    packed = pack(given_block)
    assert unpack(packed.octets, packed.digest).same(given_block)
    assert packed.count == sum(int(each.present.sum()) for each in given_block.channels)
    assert packed.sums == tuple(sum(each.values[each.present].tolist()) for each in given_block.channels)


@given(blocks(), st.data())
@settings(deadline=None)
def test_altered_octets_raise_only_store_errors(given_block: Block, data: st.DataObject) -> None:
    packed = pack(given_block)
    octets = bytearray(packed.octets)
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    cut = bytes(octets[: data.draw(st.integers(0, len(octets)))])
    with suppress(StoreError):
        unpack(cut)
    try:
        survived = unpack(cut, packed.digest)
    except StoreError:
        return
    assert survived.same(given_block)


def test_a_batch_packs_each_block_as_it_would_alone() -> None:
    rng = np.random.default_rng(5)
    alone = [
        block(
            Channel.of(IMPORT, rng.integers(0, limit, 96), present=rng.random(96) > gap),
            Channel.of(EXPORT, np.cumsum(rng.integers(0, limit, 96)), quality=rng.integers(0, 2, 96) * (limit > 300)),
            start_s=1_700_006_400 + 86_400 * number,
        )
        for number, (limit, gap) in enumerate(
            [(200, -1), (60_000, 0.2), (2**33, -1), (2**50, 0.9), (1, 0.5), (200, -1)]
        )
    ]
    assert pack_many(batch_of(alone)) == [pack(each) for each in alone]


def test_a_missing_slot_stays_missing_and_its_old_value_does_not_count() -> None:
    present = [True, False, True]
    one = pack(block(Channel.of(IMPORT, [5, 7, 0], present=present)))
    other = pack(block(Channel.of(IMPORT, [5, 9_999_999, 0], present=present)))
    assert one == other
    assert (one.count, one.sums) == (2, (5,))
    back = unpack(one.octets).channels[0]
    assert back.present.tolist() == present
    assert back.values.tolist() == [5, 0, 0]


def test_a_zero_is_not_a_missing_slot() -> None:
    zero = pack(block(Channel.of(IMPORT, [1, 0])))
    missing = pack(block(Channel.of(IMPORT, [1, 0], present=[True, False])))
    assert zero.digest != missing.digest


def test_extreme_values_survive_and_their_sum_is_exact() -> None:
    edge = block(Channel.of(IMPORT, [2**63 - 1, -(2**63), 2**63 - 1, 2**63 - 1]))
    packed = pack(edge)
    assert unpack(packed.octets).same(edge)
    assert packed.sums == (3 * (2**63 - 1) - 2**63,)


def test_a_rising_register_is_kept_as_its_differences() -> None:
    rng = np.random.default_rng(1)
    steps = rng.integers(0, 250, 96)
    register = pack(block(Channel.of(EXPORT, 123_456_789 + np.cumsum(steps))))
    profile = pack(block(Channel.of(IMPORT, steps)))
    assert len(register.octets) < len(profile.octets) + 12


def test_a_day_of_four_channels_takes_at_most_one_and_a_half_octets_a_value() -> None:
    rng = np.random.default_rng(2)
    day = block(*[Channel.of(IMPORT, rng.gamma(1.5, 120, 96).astype(np.int64)) for _ in range(4)])
    assert len(pack(day).octets) <= 1.5 * 4 * 96


def test_a_changed_value_changes_the_digest_and_the_evidence_of_damage_names_it() -> None:
    one, other = (pack(block(Channel.of(IMPORT, [1, value]))) for value in (2, 3))
    assert one.digest != other.digest
    with pytest.raises(StoreError, match="digest"):
        unpack(one.octets, other.digest)


def test_a_later_format_is_refused_by_its_number() -> None:
    with pytest.raises(StoreError, match="format 02"):
        unpack(b"\x02" + pack(block(Channel.of(IMPORT, [1]))).octets[1:])


@pytest.mark.parametrize("channels", [0, 1, 255])
def test_a_made_up_block_of_billions_of_slots_is_refused_before_it_takes_memory(channels: int) -> None:
    body = struct.pack("<qIIB", 0, 900, 2**32 - 1, channels) + bytes(26 * channels)
    with pytest.raises(StoreError, match="larger than any"):
        unpack(b"\x01" + zstandard.ZstdCompressor().compress(body))


def test_an_empty_block_and_a_crooked_batch_are_refused() -> None:
    with pytest.raises(StoreError):
        pack(block())
    with pytest.raises(StoreError):
        pack(block(Channel.of(IMPORT, [])))
    with pytest.raises(StoreError):
        pack(block(Channel.of(IMPORT, [1, 2]), Channel.of(EXPORT, [1])))
    starts, values = np.zeros(2, np.int64), np.zeros((2, 1, 3), np.int64)
    with pytest.raises(StoreError, match="quality"):
        pack_many(
            Batch(
                interval_s=900, columns=(IMPORT,), starts_s=starts, values=values, quality=np.zeros((2, 1, 2), np.uint8)
            )
        )
    with pytest.raises(StoreError, match="columns"):
        pack_many(Batch(interval_s=900, columns=(IMPORT, EXPORT), starts_s=starts, values=values))

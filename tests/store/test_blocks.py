"""Interval blocks in the database, the same on both."""

from dataclasses import replace

import numpy as np
import pytest

from meterway.base.errors import StoreError
from meterway.base.obis import Obis
from meterway.store.block import DAY_S, Block, Channel, Column
from meterway.store.blocks import DayCount, NewBlock, Upserted
from meterway.store.database import Store
from meterway.store.nodes import Node
from meterway.store.packing import pack

IMPORT = Column(obis=Obis(1, 0, 1, 29, 0), unit=30)
EXPORT = Column(obis=Obis(1, 0, 2, 29, 0), unit=30)
DAY = 20_000


@pytest.fixture(autouse=True)
def registered(devices: list[int]) -> None:
    """Devices 1, 2 and 3 are there."""
    assert devices == [1, 2, 3]


def day(number: int, *, first: int = 0, slots: int = 96, missing: tuple[int, ...] = (), interval_s: int = 900) -> Block:
    values = np.arange(first, first + slots)
    present = ~np.isin(np.arange(slots), missing)
    return Block(
        start_s=number * DAY_S,
        interval_s=interval_s,
        channels=(Channel.of(IMPORT, values, present=present), Channel.of(EXPORT, values // 2)),
    )


def new(block: Block, device: int = 1, series: int = 0, evidence: bytes = b"association 7") -> NewBlock:
    return NewBlock(device=device, packed=pack(block), series=series, evidence=evidence)


@pytest.mark.covers("UC-BI-01")
def test_what_was_stored_is_read_back_with_its_provenance(store: Store) -> None:
    told = store.blocks.upsert_many([new(day(DAY + each)) for each in range(3)], now_ms=42)
    assert told == Upserted(new=3, revised=0, unchanged=0)
    found = store.blocks.read_range(1, DAY, DAY + 2)
    assert [each.day for each in found] == [DAY, DAY + 1]
    assert found[0].block.same(day(DAY))
    assert (found[0].revision, found[0].stored_ms, found[0].evidence) == (1, 42, b"association 7")


def test_storing_again_changes_nothing(store: Store) -> None:
    blocks = [new(day(DAY)), new(day(DAY), device=2)]
    store.blocks.upsert_many(blocks, now_ms=1)
    assert store.blocks.upsert_many(blocks, now_ms=2) == Upserted(new=0, revised=0, unchanged=2)
    assert len(store.blocks.history(1, DAY)) == 1


def test_a_changed_block_is_a_new_revision_and_the_old_one_stays(store: Store) -> None:
    store.blocks.upsert_many([new(day(DAY))], now_ms=1)
    told = store.blocks.upsert_many([new(day(DAY, first=5)), new(day(DAY), device=2)], now_ms=2)
    assert told == Upserted(new=1, revised=1, unchanged=0)
    (newest,) = store.blocks.read_range(1, DAY, DAY + 1)
    assert newest.revision == 2
    assert newest.block.same(day(DAY, first=5))
    assert [each.block.channels[0].values[0] for each in store.blocks.history(1, DAY)] == [0, 5]


def stored_digest(store: Store) -> bytes:
    return store.blocks.read_range(1, DAY, DAY + 1)[0].digest


def test_a_day_that_goes_on_is_continued_in_its_place(store: Store) -> None:
    later = tuple(range(40, 96))
    store.blocks.upsert_many([new(day(DAY, missing=later))], now_ms=1)
    grown = replace(new(day(DAY, missing=later[1:]), evidence=b"association 8"), continues=stored_digest(store))
    assert store.blocks.upsert_many([grown], now_ms=2) == Upserted(new=0, revised=0, unchanged=0, grown=1)
    (only,) = store.blocks.history(1, DAY)
    assert (only.revision, only.stored_ms, only.evidence) == (1, 2, b"association 8")
    assert only.block.same(day(DAY, missing=later[1:]))
    assert store.blocks.upsert_many([grown], now_ms=3) == Upserted(new=0, revised=0, unchanged=1)


def test_a_continuation_of_what_is_no_longer_the_newest_is_a_revision(store: Store) -> None:
    later = tuple(range(40, 96))
    store.blocks.upsert_many([new(day(DAY, missing=later))], now_ms=1)
    seen = stored_digest(store)
    store.blocks.upsert_many([new(day(DAY, missing=later, first=7))], now_ms=2)
    told = store.blocks.upsert_many([replace(new(day(DAY, missing=later[1:])), continues=seen)], now_ms=3)
    assert told == Upserted(new=0, revised=1, unchanged=0)
    assert [each.revision for each in store.blocks.history(1, DAY)] == [1, 2, 3]


def test_a_correction_stays_a_revision_after_which_the_day_goes_on(store: Store) -> None:
    later = tuple(range(40, 96))
    store.blocks.upsert_many([new(day(DAY, missing=later))], now_ms=1)
    store.blocks.upsert_many([new(day(DAY, missing=later, first=7))], now_ms=2)
    grown = replace(new(day(DAY, missing=later[1:], first=7)), continues=stored_digest(store))
    others = [new(day(DAY), device=2), grown]
    assert store.blocks.upsert_many(others, now_ms=3) == Upserted(new=1, revised=0, unchanged=0, grown=1)
    assert [each.block.channels[0].values[0] for each in store.blocks.history(1, DAY)] == [0, 7]


def test_a_block_with_fewer_slots_takes_no_place(store: Store) -> None:
    store.blocks.upsert_many([new(day(DAY, missing=(95,)))], now_ms=1)
    fewer = replace(new(day(DAY, missing=(94, 95))), continues=stored_digest(store))
    assert store.blocks.upsert_many([fewer], now_ms=2) == Upserted(new=0, revised=1, unchanged=0)


def test_going_back_to_an_earlier_content_is_a_revision_too(store: Store) -> None:
    for first in (0, 5, 0):
        store.blocks.upsert_many([new(day(DAY, first=first))], now_ms=1)
    assert [each.revision for each in store.blocks.history(1, DAY)] == [1, 2, 3]


def test_series_of_one_device_do_not_mix(store: Store) -> None:
    store.blocks.upsert_many([new(day(DAY)), new(day(DAY, slots=24, interval_s=3600), series=1)], now_ms=1)
    (hourly,) = store.blocks.read_range(1, DAY, DAY + 1, series=1)
    assert hourly.block.interval_s == 3600
    assert len(store.blocks.read_range(1, DAY, DAY + 1)) == 1


def test_nothing_of_a_batch_is_stored_when_one_device_is_unknown(store: Store) -> None:
    with pytest.raises(StoreError):
        store.blocks.upsert_many([new(day(DAY)), new(day(DAY), device=99)], now_ms=1)
    assert store.blocks.read_range(1, DAY, DAY + 1) == []


def test_count_and_sums_stand_in_the_clear(store: Store) -> None:
    store.blocks.upsert_many([new(day(DAY, slots=4, missing=(1,)))], now_ms=1)
    rows = store.session.read("SELECT count, slots, channels, sums FROM interval_block")
    assert rows == [(7, 4, 2, "[5,2]")]


def test_a_damaged_block_is_named_by_its_row(store: Store) -> None:
    store.blocks.upsert_many([new(day(DAY)), new(day(DAY + 1))], now_ms=1)
    ((octets,),) = store.session.read("SELECT octets FROM interval_block WHERE day = :day", {"day": DAY})
    spoilt = bytes(octets[:-9]) + bytes(each ^ 0x55 for each in octets[-9:])
    store.session.write("UPDATE interval_block SET octets = :octets WHERE day = :day", {"octets": spoilt, "day": DAY})
    with pytest.raises(StoreError, match=f"day {DAY}, device 1, series 0, revision 1"):
        store.blocks.read_range(1, DAY, DAY + 2)
    assert len(store.blocks.read_range(1, DAY + 1, DAY + 2)) == 1


@pytest.mark.covers("UC-BI-01")
def test_gaps_are_the_slices_that_are_missing(store: Store) -> None:
    store.blocks.upsert_many([new(day(DAY, missing=(4, 5, 95))), new(day(DAY + 2, slots=10))], now_ms=1)
    at = DAY * DAY_S
    assert store.blocks.gaps(1, at, at + 3 * DAY_S, interval_s=900) == [
        (at + 4 * 900, at + 6 * 900),
        (at + 95 * 900, at + 2 * DAY_S),
        (at + 2 * DAY_S + 9000, at + 3 * DAY_S),
    ]
    assert store.blocks.gaps(1, at + 4500, at + 9000, interval_s=900) == [(at + 4500, at + 5400)]
    assert store.blocks.gaps(1, at + 5400, at + 9000, interval_s=900) == []
    assert store.blocks.gaps(2, at, at + 1000, interval_s=900) == [(at, at + 1000)]
    assert store.blocks.gaps(1, at, at, interval_s=900) == []


def test_a_filled_gap_is_gone(store: Store) -> None:
    at = DAY * DAY_S
    store.blocks.upsert_many([new(day(DAY, missing=(4,)))], now_ms=1)
    store.blocks.upsert_many([new(day(DAY))], now_ms=2)
    assert store.blocks.gaps(1, at, at + DAY_S, interval_s=900) == []


def test_a_block_that_runs_into_the_next_day_fills_its_first_slots(store: Store) -> None:
    late = Block(start_s=DAY * DAY_S + 85_500, interval_s=900, channels=(Channel.of(IMPORT, [1, 2]),))
    store.blocks.upsert_many([new(late)], now_ms=1)
    at = (DAY + 1) * DAY_S
    assert store.blocks.gaps(1, at, at + 1800, interval_s=900) == [(at + 900, at + 1800)]


def test_another_grid_fills_nothing(store: Store) -> None:
    store.blocks.upsert_many([new(day(DAY, slots=24, interval_s=3600))], now_ms=1)
    at = DAY * DAY_S
    assert store.blocks.gaps(1, at, at + DAY_S, interval_s=900) == [(at, at + DAY_S)]


def test_completeness_counts_the_newest_revisions_by_day(store: Store) -> None:
    store.blocks.upsert_many([new(day(DAY, missing=(1, 2)))], now_ms=1)
    store.blocks.upsert_many(
        [new(day(DAY, missing=(1,))), new(day(DAY), device=2), new(day(DAY + 1, slots=10))], now_ms=2
    )
    assert store.blocks.completeness(DAY, DAY + 2) == [
        DayCount(day=DAY, devices=2, present=383, expected=384),
        DayCount(day=DAY + 1, devices=1, present=20, expected=192),
    ]


def test_completeness_can_leave_a_neighbourhood_out(store: Store) -> None:
    store.nodes.put_many([Node(device=2, nnap=1, eui=b"12345678", parent=b"", hops=1, quality=90, sap=17, heard_ms=5)])
    store.blocks.upsert_many([new(day(DAY, missing=(1,))), new(day(DAY), device=2)], now_ms=1)
    (both,) = store.blocks.completeness(DAY, DAY + 1)
    (one,) = store.blocks.completeness(DAY, DAY + 1, alone=True)
    assert (both.devices, one.devices, one.present, one.expected) == (2, 1, 191, 192)


def test_a_range_of_a_century_is_refused_and_an_empty_one_is_empty(store: Store) -> None:
    with pytest.raises(StoreError, match="days"):
        store.blocks.read_range(1, 0, 50_000)
    assert store.blocks.read_range(1, DAY, DAY) == []
    assert store.blocks.upsert_many([], now_ms=1) == Upserted(new=0, revised=0, unchanged=0)

"""Days that were read in part over what is stored of them."""

from __future__ import annotations

from meterway.base.obis import Obis
from meterway.headend.laying import Part, laid
from meterway.store.block import Block, Channel, Column
from meterway.store.database import Store
from meterway.store.devices import NewDevice

COLUMN = Column(obis=Obis(1, 0, 1, 8, 0), unit=30)
OTHER = Column(obis=Obis(1, 0, 2, 8, 0), unit=30)


def part(device: int, slots: int, *, first: int = 0, interval_s: int = 900, column: Column = COLUMN) -> Part:
    count = 86400 // interval_s
    present = [first <= slot < first + slots for slot in range(count)]
    channel = Channel.of(column, range(count), present=present)
    return Part(device, Block(start_s=0, interval_s=interval_s, channels=(channel,)), b"{}")


def put(store: Store, *parts: Part) -> list[int]:
    """Store the parts; how many slots are there after it, by channel."""
    store.blocks.upsert_many(list(laid(store, parts)), now_ms=1)
    ((found),) = store.blocks.read_range(parts[0].device, 0, 1)
    return [int(channel.present.sum()) for channel in found.block.channels]


def test_a_day_that_goes_on_keeps_its_revision_and_a_corrected_one_gets_another(store: Store) -> None:
    device = store.devices.add(NewDevice(serial="M1"), now_ms=1).id
    assert put(store, part(device, 10)) == [10]
    assert put(store, part(device, 20, first=10)) == [30]
    assert [block.revision for block in store.blocks.read_range(device, 0, 1)] == [1]
    assert put(store, part(device, 96, column=OTHER)) == [30, 96]


def test_another_period_begins_the_day_anew(store: Store) -> None:
    device = store.devices.add(NewDevice(serial="M1"), now_ms=1).id
    put(store, part(device, 10))
    assert put(store, part(device, 3, interval_s=3600)) == [3]
    assert [block.revision for block in store.blocks.read_range(device, 0, 1)] == [2]

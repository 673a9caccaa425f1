"""What two concentrators hear of one battery meter is stored once, and who hears it best is right."""

from __future__ import annotations

import random
import time

import pytest

from headend.headends import fleet_of
from headend.test_hearers import GAS
from headend.test_neighbourhood import keeper, nnap
from meterway.headend.bulk import Bulk, BulkError
from meterway.model.report import Column, Node, Report, ReportEvent, Series
from meterway.stacks.mbus.address import Address
from meterway.store.database import Store

pytestmark = pytest.mark.covers("IF-G2", "E-NNAP", "E-HES-1")

DAY_S = 86400
MIDNIGHT = int(time.time()) // DAY_S * DAY_S - DAY_S


def report(serial: str, number: int, values: dict[int, int], *, quality: int, created: int = 0) -> Report:
    """Hours of yesterday and what the register showed then."""
    column = Column(class_id=3, obis="7-0:3.0.0*255", attribute=2, scaler=-3, unit=13)
    series = Series(
        serial=GAS, system_title="0" * 16, profile="0-1:24.3.0*255", period_s=3600, columns=[column],
        times=[MIDNIGHT + 3600 * hour for hour in values], status=[0] * len(values), values=[list(values.values())],
    )  # fmt: skip
    node = Node(
        serial=GAS, system_title="0" * 16, eui=Address.parse(GAS).to_radio().hex(), address=1, state="heard",
        quality=quality, heard=MIDNIGHT + DAY_S,
    )  # fmt: skip
    event = ReportEvent(
        serial=GAS, system_title="0" * 16, time=MIDNIGHT, log="0-0:99.98.3*255", code=102, text="battery"
    )
    at = created or MIDNIGHT + DAY_S + number
    return Report(
        id=f"{serial}-{number:08d}", nnap=serial, system_title="0" * 16, created=at, from_=0, to=at,
        meters=[series] if values else [], events=[event], topology=[node],
    )  # fmt: skip


def bulk_of(store: Store) -> Bulk:
    nnap(store)
    nnap(store, "N2", 4060)
    fleet = fleet_of(store)
    return Bulk(store, fleet, keeper(store, fleet))


def stored(store: Store) -> dict[int, int]:
    device = store.devices.by_serial(GAS).id
    found = store.blocks.read_range(device, MIDNIGHT // DAY_S, MIDNIGHT // DAY_S + 1)
    if not found:
        return {}
    (channel,) = found[0].block.channels
    first = found[0].block.start_s
    return {
        (first + slot * 3600 - MIDNIGHT) // 3600: int(value)
        for slot, (value, there) in enumerate(zip(channel.values, channel.present, strict=True))
        if there
    }


def revisions(store: Store) -> int:
    device = store.devices.by_serial(GAS).id
    return store.blocks.read_range(device, MIDNIGHT // DAY_S, MIDNIGHT // DAY_S + 1)[0].revision


def test_a_report_brings_its_meters_into_the_registry(store: Store) -> None:
    bulk = bulk_of(store)
    bulk.store(report("N1", 1, {1: 100, 2: 110}, quality=80), "N1", octets=1)
    assert stored(store) == {1: 100, 2: 110}
    assert store.devices.by_serial(GAS).profile == "mbus-gas"
    node = store.nodes.find(store.devices.by_serial(GAS).id)
    assert node is not None
    assert (node.sap, node.quality) == (4097, 80)


def test_the_same_from_two_is_stored_once_in_one_revision(store: Store) -> None:
    bulk = bulk_of(store)
    hours = {hour: 100 + hour for hour in range(24)}
    bulk.store(report("N1", 1, hours, quality=80), "N1", octets=1)
    bulk.store(report("N2", 1, hours, quality=70), "N2", octets=1)
    assert stored(store) == hours
    assert revisions(store) == 1
    told = [one for one in store.events.of_device(store.devices.by_serial(GAS).id) if one.code == 102]
    assert len(told) == 1


@pytest.mark.parametrize("seed", range(5))
def test_what_the_other_missed_never_takes_the_place_of_what_the_best_heard(store: Store, seed: int) -> None:
    """The other's row of an hour may show an older telegram; in whatever order reports come, the best is right."""
    chance = random.Random(seed)
    bulk = bulk_of(store)
    best = {hour: 1000 + 10 * hour for hour in range(24) if hour % 5}
    other = {hour: 1000 + 10 * hour - chance.randrange(0, 2) * 10 for hour in range(24)}
    bulk.store(report("N1", 1, {}, quality=90), "N1", octets=1)
    parts = [("N1", dict(list(best.items())[at : at + 4])) for at in range(0, 24, 4)]
    parts += [("N2", dict(list(other.items())[at : at + 6])) for at in range(0, 24, 6)]
    chance.shuffle(parts)
    for number, (serial, hours) in enumerate(parts, 2):
        bulk.store(report(serial, number, hours, quality=90 if serial == "N1" else 60), serial, octets=1)
    assert stored(store) == {**other, **best}


def test_who_neither_has_nor_hears_a_meter_may_not_speak_for_it(store: Store) -> None:
    bulk = bulk_of(store)
    bulk.store(report("N1", 1, {1: 1}, quality=80), "N1", octets=1)
    nnap(store, "N3", 4061)
    silent = report("N3", 1, {1: 5}, quality=50)
    bare = Report(**{**{name: getattr(silent, name) for name in silent.__struct_fields__}, "topology": []})
    with pytest.raises(BulkError, match="is not behind N3"):
        bulk.store(bare, "N3", octets=1)
    assert stored(store) == {1: 1}

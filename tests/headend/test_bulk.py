"""Bulk reports into the store: each once, nothing lost, nothing doubled, whatever the order."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from headend.reports import DAILY, DAY_S, LOG, event, known, node, report, series, title, today
from meterway.base.errors import SecurityError, StoreError
from meterway.base.obis import Obis
from meterway.headend.bulk import BulkError
from meterway.headend.laying import Part, laid
from meterway.model.report import Alarm, Balance, Column, decode_report, encode_report
from meterway.store.block import Block, Channel
from meterway.store.block import Column as BlockColumn
from meterway.store.database import Store

pytestmark = pytest.mark.covers("IF-G2", "E-HES-2")

YESTERDAY = today() - DAY_S
ENERGY = [Column(class_id=3, obis="1-0:1.8.0*255", attribute=2)]


def stored(store: Store, serial: str) -> dict[int, list[int]]:
    """Every stored quarter-hour of a meter: its values."""
    found = store.blocks.read_range(store.devices.by_serial(serial).id, 0, today() // DAY_S + 2)
    return {
        int(block.block.start_s + slot * block.block.interval_s): [
            int(each.values[slot]) for each in block.block.channels
        ]
        for block in found
        for slot in range(block.block.slots)
        if all(each.present[slot] for each in block.block.channels)
    }


def revisions(store: Store, serial: str) -> set[int]:
    device = store.devices.by_serial(serial).id
    return {block.revision for block in store.blocks.read_range(device, 0, today() // DAY_S + 2)}


def test_a_report_is_stored_with_where_it_came_from(store: Store) -> None:
    bulk = known(store)
    done = bulk.store(report("one", series(1, YESTERDAY, 96), series(2, YESTERDAY, 8)), "N1", octets=500)
    assert (done.receipt.result, done.values, done.refused) == ("stored", 208, 0)
    assert len(stored(store, "M1")) == 96
    (block,) = store.blocks.read_range(store.devices.by_serial("M2").id, YESTERDAY // DAY_S, today() // DAY_S)
    assert block.evidence == b'{"source":"bulk","nnap":"N1","report":"report-one"}'
    (contact, *_) = store.contacts.of_device(store.devices.by_serial("N1").id)
    assert (contact.kind, contact.values_read, contact.octets_in) == ("bulk", 208, 500)


def test_the_same_report_again_is_a_duplicate_and_another_of_its_name_a_conflict(store: Store) -> None:
    bulk = known(store)
    one = report("one", series(1, YESTERDAY, 4))
    bulk.store(one, "N1", octets=1)
    in_xml = decode_report(encode_report(one, xml=True), xml=True)
    assert bulk.store(in_xml, "N1", octets=1).receipt.result == "duplicate"
    with pytest.raises(BulkError, match="report-one") as refused:
        bulk.store(report("one", series(1, YESTERDAY, 5)), "N1", octets=1)
    assert refused.value.is_conflict
    assert len(stored(store, "M1")) == 4


@pytest.mark.parametrize("seed", range(6))
def test_any_order_repeats_and_overlaps_give_the_same_and_lose_nothing(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    bulk = known(store, 1)
    reports = []
    for number in range(12):
        first = chance.randrange(0, 180)
        count = chance.randrange(1, 192 - first)
        part = series(1, YESTERDAY - DAY_S + first * 900, count, start=1000 + first)
        part.values[2] = [first + row for row in range(count)]
        reports.append(report(f"part{number}", part))
    wanted = {at for each in reports for at in each.meters[0].times}
    again = reports + chance.sample(reports, 5)
    chance.shuffle(again)
    for each in again:
        bulk.store(each, "N1", octets=1)
    values = stored(store, "M1")
    assert set(values) == wanted
    base = YESTERDAY - DAY_S
    assert all(value == [1000 + (at - base) // 900, (at - base) // 900] for at, value in values.items())
    assert revisions(store, "M1") == {1}


def test_what_a_meter_said_itself_is_the_same_value_and_no_second_one(store: Store) -> None:
    bulk = known(store, 1)
    device = store.devices.by_serial("M1").id
    columns = [BlockColumn(obis=Obis(1, 0, code, 8, 0), unit=30) for code in (1, 2)]
    channels = (Channel.of(columns[0], range(100, 196)), Channel.of(columns[1], range(96)))
    direct = Block(start_s=YESTERDAY, interval_s=900, channels=channels)
    store.blocks.upsert_many(list(laid(store, [Part(device, direct, b"{}", True)])), now_ms=1)
    bulk.store(report("late", series(1, YESTERDAY, 96)), "N1", octets=1)
    part = series(1, YESTERDAY + 9000, 10, start=110)
    part.values[2] = list(range(10, 20))
    bulk.store(report("part", part), "N1", octets=1)
    assert len(stored(store, "M1")) == 96
    assert revisions(store, "M1") == {1}
    assert stored(store, "M1")[YESTERDAY] == [100, 0]


def test_a_report_of_fewer_channels_takes_none_away(store: Store) -> None:
    bulk = known(store, 1)
    bulk.store(report("both", series(1, YESTERDAY, 96)), "N1", octets=1)
    one = series(1, YESTERDAY, 96)
    narrow = series(1, YESTERDAY, 96, columns=one.columns[:2], values=one.values[:2])
    bulk.store(report("one", narrow), "N1", octets=1)
    assert stored(store, "M1")[YESTERDAY + 900] == [101, 1]


def test_a_value_a_meter_did_not_have_leaves_the_others_of_its_row(store: Store) -> None:
    bulk = known(store, 1)
    part = series(1, YESTERDAY, 4)
    part.values[2][1] = None
    assert bulk.store(report("gap", part), "N1", octets=1).values == 7
    (block,) = store.blocks.read_range(store.devices.by_serial("M1").id, YESTERDAY // DAY_S, today() // DAY_S)
    by_code = {str(each.column.obis): each for each in block.block.channels}
    assert list(by_code["1-0:1.8.0*255"].present[:5]) == [True, True, True, True, False]
    assert list(by_code["1-0:2.8.0*255"].present[:5]) == [True, False, True, True, False]


def test_rows_off_the_grid_and_of_other_profiles_are_single_readings(store: Store) -> None:
    bulk = known(store, 1)
    odd = series(1, YESTERDAY + 17, 1)
    daily = series(1, YESTERDAY, 2, profile=DAILY, start=500, period_s=86400)
    bulk.store(report("odd", odd, daily), "N1", octets=1)
    device = store.devices.by_serial("M1").id
    found = store.readings.read_range(device, Obis(1, 0, 1, 8, 0), 0, 1 << 60)
    assert [(each.time_ms // 1000 - YESTERDAY, each.value) for each in found] == [(0, 500), (17, 100), (900, 501)]
    assert b"report-odd" in found[0].evidence


def test_rows_ahead_of_now_are_refused_and_counted(store: Store) -> None:
    bulk = known(store, 1)
    ahead = today() + 2 * DAY_S
    done = bulk.store(report("ahead", series(1, ahead, 3)), "N1", octets=1)
    assert (done.values, done.refused) == (0, 3)
    assert stored(store, "M1") == {}


def test_events_are_taken_once_beside_those_that_were_read(store: Store) -> None:
    bulk = known(store, 1)
    bulk.store(report("one", events=[event(1, YESTERDAY), event(1, YESTERDAY + 1)]), "N1", octets=1)
    bulk.store(report("two", events=[event(1, YESTERDAY)]), "N1", octets=1)
    found = store.events.of_device(store.devices.by_serial("M1").id)
    assert [(each.log, each.source) for each in found if each.log == LOG] == [(LOG, "bulk")] * 2


def test_nodes_are_followed_unless_something_newer_is_known(store: Store) -> None:
    bulk = known(store)
    now = int(time.time())
    bulk.store(report("new", topology=[node(1, hops=3), node(2)], created=now), "N1", octets=1)
    done = bulk.store(report("old", topology=[node(1, hops=1)], created=now - 500), "N1", octets=1)
    assert done.changes == ()
    found = store.nodes.find(store.devices.by_serial("M1").id)
    assert found is not None
    assert found.hops == 3
    assert store.nodes.count() == 2


def test_a_meter_that_has_moved_keeps_what_the_one_before_still_delivers(store: Store) -> None:
    bulk = known(store)
    bulk.store(report("away", topology=[node(1, state="away")]), "N1", octets=1)
    second = report("move", nnap="N2", topology=[node(1, joined=5000)])
    assert bulk.store(second, "N2", octets=1).changes == ("M1 moved from N1 to N2",)
    bulk.store(report("late", series(1, YESTERDAY, 4)), "N1", octets=1)
    bulk.store(report("here", series(1, YESTERDAY + 3600, 4, start=104), nnap="N2"), "N2", octets=1)
    assert len(stored(store, "M1")) == 8


@pytest.mark.covers("SEC-11")
@pytest.mark.parametrize("name", ["heard", "joined"])
def test_a_report_with_times_to_come_is_refused_with_field_and_place(store: Store, name: str) -> None:
    bulk, ahead = known(store), int(time.time()) + 10_000
    before = store.nodes.find(store.devices.by_serial("M1").id)
    with pytest.raises(BulkError, match=rf"topology\[1\].{name}: {ahead} is \d+ s ahead"):
        bulk.store(report("ahead", topology=[node(2), node(1, **{name: ahead})]), "N1", octets=1)
    with pytest.raises(BulkError, match=r"events\[0\].time"):
        bulk.store(report("event", events=[event(1, ahead)]), "N1", octets=1)
    with pytest.raises(BulkError, match="created"):
        bulk.store(report("new", created=ahead), "N1", octets=1)
    assert store.nodes.find(store.devices.by_serial("M1").id) == before


def bad(**changes: Any) -> Any:
    return series(1, YESTERDAY, 2, **changes)


@pytest.mark.covers("SEC-11")
@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (bad(serial="M9"), r"meters\[0\].serial: 'M9' is not in the registry"),
        (bad(serial="N2"), r"meters\[0\].serial: 'N2' is not behind N1"),
        (bad(system_title=title(9)), r"meters\[0\].system_title"),
        (bad(profile="1-0:999.1.0*255"), r"meters\[0\].profile"),
        (bad(columns=[Column(class_id=3, obis="1-0:1.8.0*255", attribute=2)], values=[[1, 2.5]]), r"values\[0\]\[1\]"),
        (
            bad(columns=[Column(class_id=3, obis="1-0:1.8.0*255", attribute=2)], values=[[1 << 63, 2]]),
            r"values\[0\]\[0\]",
        ),
    ],
)
def test_what_makes_no_sense_is_named_and_nothing_of_the_report_is_stored(store: Store, wrong: Any, word: str) -> None:
    bulk = known(store)
    with pytest.raises(BulkError, match=word):
        bulk.store(report("bad", wrong, series(2, YESTERDAY, 4)), "N1", octets=1)
    assert stored(store, "M2") == {}
    fine = report("bad", series(2, YESTERDAY, 4))
    assert bulk.store(fine, "N1", octets=1).receipt.result == "stored"


def test_a_report_in_another_name_is_refused(store: Store) -> None:
    bulk = known(store)
    with pytest.raises(SecurityError):
        bulk.store(report("one", series(1, YESTERDAY, 1)), "N2", octets=1)
    with pytest.raises(BulkError, match="registry"):
        bulk.store(report("one", nnap="N7"), "N7", octets=1)


def test_a_report_that_the_store_refuses_is_not_taken(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    bulk = known(store, 1)

    def full(*_: Any, **__: Any) -> None:
        raise StoreError("no space is left")

    with monkeypatch.context() as patched:
        patched.setattr(store.events, "add_many", full)
        with pytest.raises(StoreError):
            bulk.store(report("one", series(1, YESTERDAY, 4)), "N1", octets=1)
    assert stored(store, "M1") == {}
    assert bulk.store(report("one", series(1, YESTERDAY, 4)), "N1", octets=1).receipt.result == "stored"


@pytest.mark.covers("SEC-11")
@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"day": 3601}, r"balances\[0\].day: 3601 is not the begin of a day"),
        ({"complete": 97}, r"balances\[0\].complete: 97 of 96"),
        ({"judged": 2_000_000_000_0}, r"balances\[0\].judged: .* ahead"),
        ({"day": 86400 * 200_000}, r"balances\[0\].day: .* ahead"),
    ],
)
def test_a_balance_that_makes_no_sense_is_refused_with_field_and_place(
    store: Store, changes: dict[str, Any], word: str
) -> None:
    fields: dict[str, Any] = {
        "day": 86400, "revision": 1, "judged": 86400, "period_s": 900, "intervals": 96, "complete": 90, "given": 1,
        "taken": 1, "low": 0, "high": 1, "verdict": "within",
    }  # fmt: skip
    with pytest.raises(BulkError, match=word):
        known(store).store(report("odd", balances=[Balance(**(fields | changes))]), "N1", octets=1)


@pytest.mark.covers("SEC-11")
def test_an_alarm_of_times_to_come_is_refused(store: Store) -> None:
    ahead = Alarm(kind="lost", subject="M1", raised=int(time.time()) + 10_000)
    with pytest.raises(BulkError, match=r"alarms\[0\].raised: \d+ is \d+ s ahead"):
        known(store).store(report("alarm", alarms=[ahead]), "N1", octets=1)

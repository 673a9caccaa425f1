"""What pages and floors above may ask of a head end."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from meterway.base.errors import StoreError
from meterway.base.obis import Obis
from meterway.headend.api import UnknownMeterError, Views
from meterway.headend.config import CollectConfig, HeadEndConfig, PushConfig
from meterway.headend.live import Happening
from meterway.headend.serve import HeadEnd
from meterway.headend.traffic import InterfaceTraffic
from meterway.store.block import Block, Channel, Column
from meterway.store.blocks import NewBlock
from meterway.store.contacts import Contact
from meterway.store.devices import NewDevice
from meterway.store.events import Event
from meterway.store.packing import pack
from meterway.store.readings import Reading

DAY_S = 86400
COLUMN = Column(obis=Obis(1, 0, 1, 8, 0), unit=30)


@pytest.fixture
def head_end(tmp_path):
    one = HeadEnd(
        HeadEndConfig(
            store=str(tmp_path / "store.sqlite"),
            master_key=str(tmp_path / "key"),
            push=PushConfig(enabled=False),
            collect=CollectConfig(enabled=False, every_s=900.0),
        )
    )
    one.store.devices.add_many([NewDevice(serial="A", profile="idis"), NewDevice(serial="B")], now_ms=0)
    yield one
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, one.stop()).result()


@pytest.fixture
def views(head_end):
    return Views(head_end)


def keep(head_end, device, day, present):
    channel = Channel.of(COLUMN, np.arange(96), present=present)
    block = Block(start_s=day * DAY_S, interval_s=900, channels=(channel,))
    head_end.store.blocks.upsert_many([NewBlock(device=device, packed=pack(block))], now_ms=0)


def at(monkeypatch, day, seconds):
    monkeypatch.setattr(time, "time", lambda: day * DAY_S + seconds)


def test_a_meter_that_nobody_registered_is_unknown_and_a_broken_store_is_not(views, head_end, monkeypatch):
    with pytest.raises(UnknownMeterError, match="no meter 'X'"):
        views.device("X")
    head_end.store.session.change("DROP TABLE device")
    with pytest.raises(StoreError) as caught:
        views.device("A")
    assert not isinstance(caught.value, UnknownMeterError)


def test_today_is_complete_when_all_that_a_period_ago_was_due_is_there(views, head_end, monkeypatch):
    # At noon the intervals up to 11:45 have ended a collection period ago: 48 of each of two meters.
    at(monkeypatch, 20_000, 43_200)
    slots = np.arange(96)
    keep(head_end, 1, 20_000, slots < 48)
    keep(head_end, 2, 20_000, slots < 24)
    assert views.overview().completeness == pytest.approx(0.75)


def test_right_after_midnight_nothing_is_due_and_nothing_missing(views, head_end, monkeypatch):
    at(monkeypatch, 20_000, 60)
    assert views.overview().completeness == 1.0


def test_a_day_with_meters_and_no_values_is_empty(views, monkeypatch):
    at(monkeypatch, 20_000, 43_200)
    assert views.overview().completeness == 0.0


def test_meters_without_a_block_count_as_missing_on_whole_days(views, head_end, monkeypatch):
    at(monkeypatch, 20_001, 43_200)
    keep(head_end, 1, 20_000, True)
    rows = views.completeness(3)
    assert [(row.day, row.share) for row in rows] == [("2024-10-04", 0.5)]


def test_every_source_of_traffic_is_told(views, head_end):
    row = InterfaceTraffic(label="H1", between="meter – display", entities=3, sessions=3, octets=12)
    head_end.extra_traffic.append(lambda: [row])
    assert [each.label for each in views.traffic()] == ["I", "H1"]
    assert views.traffic()[1] == row


def test_a_register_keeps_all_its_digits(views, head_end):
    reading = Reading(device=1, obis=Obis(1, 0, 1, 8, 0), time_ms=0, value=12345678901, scaler=-3, unit=30)
    head_end.store.readings.add_many([reading], now_ms=0)
    register = views.registers(1)[0]
    assert (register.value, register.unit, register.time) == ("12345678.901", "Wh", "1970-01-01T00:00:00Z")


def test_gaps_end_with_now(views, head_end, monkeypatch):
    at(monkeypatch, 20_000, 3600)
    slots = np.arange(96)
    keep(head_end, 1, 20_000, (slots < 2) | (slots > 50))
    day = np.datetime64(20_000, "D").item()
    tomorrow = np.datetime64(20_001, "D").item()
    assert [(gap.from_time[11:16], gap.to_time[11:16]) for gap in views.gaps("A", day, tomorrow)] == [
        ("00:30", "01:15")
    ]


@pytest.mark.parametrize("log", ["0-0:99.98.0*255", "no code at all"])
def test_an_event_that_no_profile_knows_is_told_by_its_number(views, head_end, log):
    head_end.store.devices.update(1, {"profile": "of-nowhere"}, now_ms=0)
    head_end.store.events.add_many([Event(device=1, log=log, code=250, time_ms=0, received_ms=0)])
    assert (views.events()[0].title, views.events()[0].serial) == ("Event 250", "A")


def test_a_contact_with_an_unreadable_detail_is_still_told(views, head_end):
    contact = Contact(device=1, kind="collect", started_ms=0, duration_us=1500, result="ok", detail="{")
    head_end.store.contacts.add(contact)
    told = views.meter("A").contacts[0]
    assert (told.duration_ms, told.quirks, told.clock_offset_s) == (1.5, [], None)


def test_the_last_happenings_are_told_the_oldest_first(views, head_end):
    for number in range(40):
        head_end.live.tell(Happening("collected", f"M{number}", "24 values", float(number), {"ms": 0}))
    told = views.overview().happenings
    assert (len(told), told[-1].serial, told[-1].time) == (30, "M39", "1970-01-01T00:00:39Z")


def test_looking_at_a_meter_never_loads_it_for_calling(views, head_end):
    views.meter("A")
    assert not head_end.fleet._entries


@pytest.mark.covers("SEC-10")
def test_the_audit_names_meters_by_serial(views, head_end):
    head_end.store.audit.append("anna", "set", time_ms=0, result="ok", device=2, detail="clock")
    head_end.store.audit.append("anna", "import", time_ms=0, result="ok")
    assert [(row.action, row.serial) for row in views.audit()] == [("import", ""), ("set", "B")]
    assert views.audit_verified() == 2

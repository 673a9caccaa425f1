"""From a session's outcome to rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headend.headends import DAY, LAYOUT, LOAD, NOW, device, fleet_of, harvest, moment, rows
from meterway.base.obis import Obis
from meterway.headend.collect import Collected, Raw
from meterway.headend.fleet import Entry
from meterway.headend.harvest import Sheaf, thresh
from meterway.headend.rules import ClockVerdict
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.store.database import Store

ENERGY = Obis(1, 0, 1, 8, 0)
PROFILE = Obis.parse(LOAD.obis)
LOG = Obis(0, 0, 99, 98, 0)
MIDNIGHT = DAY * 86400


@pytest.fixture
def entry(store: Store) -> Entry:
    store.devices.add(device("M1"), now_ms=1)
    return fleet_of(store).of(1)


def collected(**given: Any) -> Collected:
    clock = CosemDateTime.decode(bytes.fromhex("07ea030b030c0f1e00ffc400"))
    return replace(Collected(layout=LAYOUT, clock=clock, clock_offset_s=1.0), **given)


def threshed(entry: Entry, brought: Collected, cause: str = "ok") -> Sheaf:
    return thresh(harvest(entry, brought, cause=cause), load_profile=PROFILE, clock_invalid_beyond_s=86400.0)


def whole() -> Collected:
    events = axdr.encode(axdr.array(axdr.structure(moment(NOW - 60), axdr.u8(40))))
    return collected(
        registers=[Raw(ENERGY, axdr.encode(axdr.u32(7)), NOW)],
        profiles=[(LOAD, Raw(PROFILE, rows(MIDNIGHT, MIDNIGHT + 900, MIDNIGHT + 950), NOW, MIDNIGHT))],
        logs=[Raw(LOG, events, NOW, NOW - 900)],
    )


@pytest.mark.covers("UC-BI-01")
def test_a_whole_session_becomes_blocks_readings_and_events(entry: Entry) -> None:
    sheaf = threshed(entry, whole())
    assert (sheaf.cause, sheaf.values, sheaf.clock) == ("ok", 7, ClockVerdict.GOOD)
    assert [(block.day, int(block.channels[0].present.sum())) for block in sheaf.blocks] == [(DAY, 2)]
    assert [(reading.value, reading.unit) for reading in sheaf.readings] == [(7, 30), (102, 30), (2, 30)]
    assert [(event.code, event.time_ms) for event in sheaf.events] == [(40, int(NOW - 60) * 1000)]
    assert sheaf.watermarks == {f"read:{LOAD.obis}": MIDNIGHT + 950, f"read:{LOG}": int(NOW - 60)}


@pytest.mark.covers("UC-IN-02")
@pytest.mark.parametrize(
    ("offset_s", "said"), [(-3.2e8, "-3703.7 days off"), (9e4, r"\+1.0 days off"), (None, "not set")]
)
def test_a_clock_that_cannot_be_trusted_lets_nothing_in(entry: Entry, offset_s: float | None, said: str) -> None:
    import re

    brought = whole()
    brought.clock_offset_s = offset_s
    sheaf = threshed(entry, brought)
    assert sheaf.cause == "clock"
    assert re.search(said, sheaf.error)
    assert (sheaf.blocks, sheaf.readings, sheaf.events, sheaf.watermarks, sheaf.values) == ([], [], [], {}, 0)


@pytest.mark.covers("UC-BI-01")
def test_what_a_broken_session_had_brought_is_kept(entry: Entry) -> None:
    sheaf = threshed(entry, whole(), cause="link")
    assert (sheaf.cause, sheaf.error, sheaf.values) == ("link", "the line broke", 7)
    assert sheaf.contact().result == "link"


def test_a_profile_that_makes_no_sense_takes_nothing_else_with_it(entry: Entry) -> None:
    brought = whole()
    brought.profiles.insert(0, (LOAD, Raw(PROFILE, b"\x09\x00", NOW)))
    sheaf = threshed(entry, brought)
    assert sheaf.cause == "decode"
    assert len(sheaf.blocks) == 1
    assert len(sheaf.events) == 1


def test_rows_and_events_of_another_time_move_no_watermark(entry: Entry) -> None:
    events = axdr.encode(
        axdr.array(*[axdr.structure(moment(at), axdr.u8(1)) for at in (NOW + 9e7, NOW - 3e8, NOW - 10)])
    )
    brought = collected(
        profiles=[(LOAD, Raw(PROFILE, rows(NOW + 3e7, MIDNIGHT - 9e7), NOW, MIDNIGHT))],
        logs=[Raw(LOG, events, NOW, NOW - 900)],
    )
    sheaf = threshed(entry, brought)
    assert sheaf.blocks == []
    assert sheaf.watermarks == {f"read:{LOG}": int(NOW - 10)}
    assert sheaf.refused_rows == 4
    assert len(sheaf.events) == 1


def test_a_register_that_is_no_number_is_noted(entry: Entry) -> None:
    brought = collected(registers=[Raw(ENERGY, b"\x00", NOW), Raw(ENERGY, axdr.encode(axdr.u64(1 << 63)), NOW)])
    sheaf = threshed(entry, brought)
    assert sheaf.readings == []
    detail = msgspec.json.decode(sheaf.contact().detail)
    assert detail["refusals"] == [["1-0:1.8.0*255", "no whole number"]] * 2


@given(profile=st.binary(max_size=80), log=st.binary(max_size=60), register=st.binary(max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_octets_of_a_device_raise(entry: Entry, profile: bytes, log: bytes, register: bytes) -> None:
    brought = collected(
        registers=[Raw(ENERGY, register, NOW)],
        profiles=[(LOAD, Raw(PROFILE, b"\x01\x01\x02\x04" + profile, NOW)), (LOAD, Raw(PROFILE, profile, NOW))],
        logs=[Raw(LOG, log, NOW), Raw(LOG, b"\x01\x01\x02\x02\x09\x0c" + log, NOW)],
    )
    assert threshed(entry, brought).contact().device == 1

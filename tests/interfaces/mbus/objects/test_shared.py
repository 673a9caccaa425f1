"""Every logical device has a clock, a name, alarms, a log and a push setup."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lnap_objects import Bench
from lnap_town import NOON, RadioMeter
from meterway.interfaces.mbus.events import Code
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, RadioMeter())


@pytest.mark.covers("UC-IN-02")
def test_the_gateways_clock_is_set_and_that_of_a_meter_is_not(bench: Bench) -> None:
    ahead = axdr.octets(CosemDateTime.from_utc(datetime.fromtimestamp(NOON + 3660, UTC), 0).encode())
    assert bench.set(1, 8, "0-0:1.0.0", 2, ahead) == "read-write-denied"
    assert bench.set(0, 8, "0-0:1.0.0", 2, ahead) == "success"
    assert bench.site.clock_offset_s == bench.book.clock_offset_s == 3600
    shown = bench.get(0, 8, "0-0:1.0.0")
    assert isinstance(shown, CosemDateTime)
    assert shown.utc(0).timestamp() == NOON + 3660  # type: ignore[union-attr]
    assert bench.set(0, 8, "0-0:1.0.0", 2, axdr.u8(1)) == "type-unmatched"
    bench.close()


@pytest.mark.covers("F3a")
def test_alarm_bits_are_cleared_from_outside_but_never_set(bench: Bench) -> None:
    bench.site.alarms[1] = 0b1100
    assert bench.set(1, 1, "0-0:97.98.0", 2, axdr.u32(0b0110)) == "success"
    assert bench.get(1, 1, "0-0:97.98.0") == 0b0100
    bench.close()


@pytest.mark.covers("F3a")
def test_a_meters_log_holds_its_own_events_only(bench: Bench) -> None:
    bench.book.gateway.log(NOON, Code.REPLAY, 1)
    bench.book.gateway.log(NOON + 1, Code.STOPPED)
    rows = bench.get(1, 7, "0-0:99.98.3")
    assert [row[1] for row in rows] == [Code.METER_BOUND, Code.REPLAY]  # type: ignore[attr-defined]
    whole = bench.get(0, 7, "0-0:99.98.0")
    assert [row[1] for row in whole][-2:] == [Code.REPLAY, Code.STOPPED]  # type: ignore[attr-defined]
    assert bench.get(1, 1, "0-0:96.11.3") == Code.REPLAY
    bench.close()


def test_a_device_names_itself(bench: Bench) -> None:
    assert bench.get(1, 1, "0-0:96.1.0") == b"MWY-10000001-01-03"
    assert bench.get(0, 1, "0-0:96.1.0") == b"LNAP0001"
    assert bench.get(0, 1, "0-0:42.0.0") != bench.get(1, 1, "0-0:42.0.0")
    bench.close()

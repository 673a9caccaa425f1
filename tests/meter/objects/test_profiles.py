"""Profiles read by a client: by range, by entry, whole, with gaps, over the change of the clocks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from meterway.meter.device import Meter
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes.profile_generic import EntrySelector, RangeSelector
from meterway.stacks.dlms.xdlms.parts import Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

Make = Callable[..., Meter]
Talks = Callable[..., Any]
LOAD, DAILY, MONTHLY = "1-0:99.1.0*255", "1-0:99.2.0*255", "0-0:98.1.0*255"


def between(start: datetime, end: datetime, **more: Any) -> Selection:
    selector = RangeSelector.between(CosemDateTime.from_utc(start, -60), CosemDateTime.from_utc(end, -60), **more)
    return Selection(selector.selector, selector.encode())


def entries(*places: int) -> Selection:
    names = ("from_entry", "to_entry", "from_value", "to_value")
    selector = EntrySelector(**dict(zip(names, places, strict=False)))
    return Selection(selector.selector, selector.encode())


def moment(row: Any) -> datetime:
    found = CosemDateTime.decode(row[0]).utc()
    assert found is not None
    return found


@pytest.mark.covers("F1a", "UC-BI-01", "IF-I")
def test_a_day_by_range_has_its_96_rows_at_the_right_times(make: Make, talk: Talks, now: float) -> None:
    meter = make()
    start = datetime(2026, 3, 10, 0, 15, tzinfo=UTC)
    rows = talk(meter).get(7, LOAD, 2, between(start, start + timedelta(minutes=95 * 15)))
    assert [moment(row) for row in rows] == [start + timedelta(minutes=15 * step) for step in range(96)]
    for row in rows[::31]:
        assert tuple(row[2:]) == meter.energy_at(moment(row).timestamp())


def test_a_range_over_the_change_to_summer_time_is_even_in_utc(make: Make, talk: Talks) -> None:
    line = talk(make())
    line.now = datetime(2026, 4, 2, tzinfo=UTC).timestamp()
    start = datetime(2026, 3, 28, 22, tzinfo=UTC)
    rows = line.get(7, LOAD, 2, between(start, start + timedelta(hours=6)))
    assert [moment(row) for row in rows] == [start + timedelta(minutes=15 * step) for step in range(25)]
    deviations = [CosemDateTime.decode(row[0]).deviation_min for row in rows]
    assert deviations == [-60] * 12 + [-120] * 13
    assert [row[1] & 8 for row in rows] == [0] * 12 + [8] * 13


def test_entries_count_from_the_oldest_and_columns_can_be_chosen(make: Make, talk: Talks) -> None:
    line = talk(make(profile_days=10))
    every = line.get(7, LOAD)
    assert len(every) == line.get(7, LOAD, 7) == line.get(7, LOAD, 8) == 960
    assert line.get(7, LOAD, 2, entries(1, 3)) == every[:3]
    assert line.get(7, LOAD, 2, entries(958, 0)) == every[957:]
    assert line.get(7, LOAD, 2, entries(5, 5, 3, 4)) == [row[2:4] for row in every[4:5]] or line.get(
        7, LOAD, 2, entries(5, 5, 3, 4)
    ) == tuple(row[2:4] for row in every[4:5])
    assert list(line.get(7, LOAD, 2, entries(2000, 0))) == []


@pytest.mark.covers("F2a")
def test_a_gap_is_missing_by_range_and_by_entry(make: Make, talk: Talks, now: float) -> None:
    meter = make(profile_days=2)
    meter.add_outage(now - 20000, now - 12000)
    line = talk(meter)
    every = line.get(7, LOAD)
    assert len(every) == line.get(7, LOAD, 7) < 192
    times = [moment(row).timestamp() for row in every]
    assert not [time for time in times if now - 20000 <= time < now - 12000]
    assert list(line.get(7, LOAD, 2, entries(1, 190))) == list(every[:190])


@pytest.mark.covers("F3a", "UC-BI-01")
def test_daily_and_monthly_rows_carry_tariff_registers_that_sum(make: Make, talk: Talks) -> None:
    line = talk(make())
    for profile in (DAILY, MONTHLY):
        rows = line.get(7, profile)
        assert len(rows) == line.get(7, profile, 7) > 2
        for row in rows:
            assert row[2] == sum(row[6:10])
            assert row[3] == sum(row[10:14])


def test_a_clock_ten_years_slow_stamps_its_rows_ten_years_back(make: Make, talk: Talks, now: float) -> None:
    meter = make(profile_days=1, clock_offset_s=-315_576_000.0)
    line = talk(meter)
    rows = line.get(7, LOAD)
    assert moment(rows[-1]).year == 2016
    assert rows[-1][1] & 2
    assert line.get(7, LOAD, 2, between(moment(rows[3]), moment(rows[5]))) == rows[3:6]


def test_selections_that_make_no_sense_are_refused(make: Make, talk: Talks) -> None:
    line = talk(make())
    assert line.get(7, LOAD, 2, Selection(9, b"\x00")) is DataAccessResult.TYPE_UNMATCHED
    assert line.get(3, "1-0:1.8.0*255", 2, entries(1, 1)) is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED


@pytest.mark.covers("SEC-09")
def test_a_log_can_be_read_and_cleared_but_the_load_profile_cannot(make: Make, talk: Talks) -> None:
    line = talk(make())
    before = line.get(7, "0-0:99.98.1*255")
    assert before[0][1] == 40
    assert line.act(7, "0-0:99.98.1*255", 1) is ActionResult.SUCCESS
    assert [row[1] for row in line.get(7, "0-0:99.98.1*255")] == [255]
    assert line.act(7, LOAD, 1) is ActionResult.READ_WRITE_DENIED

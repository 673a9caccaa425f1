"""Profiles read by a client: by range, by entry, whole, with gaps, over the change of the clocks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from meterway.base.errors import ConfigError
from meterway.meter.device import Meter
from meterway.meter.objects.model import model_of
from meterway.stacks.dlms import axdr
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


@pytest.mark.covers("F1a", "UC-BI-01", "IF-I", "REC-e")
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
def test_a_log_can_be_read_and_cleared(make: Make, talk: Talks) -> None:
    line = talk(make())
    before = line.get(7, "0-0:99.98.1*255")
    assert before[0][1] == 40
    assert line.act(7, "0-0:99.98.1*255", 1) is ActionResult.SUCCESS
    assert [row[1] for row in line.get(7, "0-0:99.98.1*255")] == [255]


@pytest.mark.covers("UC-IN-02")
def test_a_new_capture_period_empties_the_load_profile_and_holds_from_then_on(make: Make, talk: Talks) -> None:
    meter = make()
    line = talk(meter)
    assert line.set(7, LOAD, 4, axdr.u32(60)) is DataAccessResult.OTHER_REASON
    assert line.set(7, LOAD, 4, axdr.u16(1800)) is DataAccessResult.TYPE_UNMATCHED
    assert line.set(7, LOAD, 4, axdr.u32(1800)) is DataAccessResult.SUCCESS
    assert (line.get(7, LOAD, 7), list(line.get(7, LOAD))) == (0, [])
    assert line.get(1, "1-0:0.8.4*255") == line.get(7, LOAD, 4) == 1800
    line.now += 7200
    rows = line.get(7, LOAD)
    assert [moment(row).minute for row in rows] == [30, 0, 30, 0]
    assert [tuple(row[2:]) for row in rows] == [meter.energy_at(moment(row).timestamp()) for row in rows]
    assert line.get(7, LOAD, 8) == 60 * 48


def test_the_billing_profile_captures_when_it_is_told_to_and_the_load_profile_does_not(
    make: Make, talk: Talks, now: float
) -> None:
    meter = make()
    line = talk(meter)
    before = len(line.get(7, MONTHLY))
    assert line.act(7, MONTHLY, 2) is ActionResult.SUCCESS
    line.now += 500
    rows = line.get(7, MONTHLY)
    assert len(rows) == before + 1
    assert moment(rows[-1]).timestamp() == now
    assert tuple(rows[-1][2:6]) == meter.energy_at(now)
    assert rows[-1][2] == sum(rows[-1][6:10])
    assert line.act(7, LOAD, 2) is ActionResult.READ_WRITE_DENIED
    assert line.act(7, MONTHLY, 1) is ActionResult.SUCCESS
    assert list(line.get(7, MONTHLY)) == []


@pytest.mark.parametrize(
    ("captured", "period", "complaint"),
    [
        ('"clock", "push-scripts"', 900, None),
        ('"clock", "1.9.0"', 900, "1.9.0"),
        ('"clock", "1.8.0"', 500, "500 s"),
        ('"clock", "32.7.0", "1.7.0", "1.6.0#capture_time"', 3600, None),
    ],
)
def test_a_profile_of_a_users_own_captures_what_is_measured_and_nothing_else(
    tmp_path: Path, make: Make, talk: Talks, captured: str, period: int, complaint: str | None
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        'extends = "idis"\n[[objects]]\ncodes = ["1.9.0"]\nclass = 3\n[[objects]]\ncodes = ["load-profile"]\n'
        f"class = 7\nversion = 1\n[objects.static]\ncapture_objects = [{captured}]\ncapture_period = {period}\n"
        'sort_method = "fifo"\nsort_object = "clock"\n'
    )
    if complaint is not None:
        with pytest.raises(ConfigError, match=complaint):
            model_of(str(path))
        return
    line = talk(make(country=str(path), profile_days=1))
    rows = line.get(7, LOAD)
    assert len(rows) == 86400 // period
    if "32.7.0" in captured:
        when = moment(rows[-1]).timestamp()
        assert rows[-1][1] == round(line.meter.network(when).voltages_v[0] * 10)
        assert rows[-1][2] == line.meter.network(when).import_w
    assert line.get(3, "1-0:1.9.0*255") is DataAccessResult.READ_WRITE_DENIED

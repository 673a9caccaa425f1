"""Rows are the registers at the moments of capture, marked with what happened before."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import numpy as np
import pytest

from meterway.meter.device import Meter
from meterway.meter.profile_rows import billing_rows, daily_times, monthly_times, periodic_bounds, periodic_rows
from meterway.meter.zone import Zone

Make = Callable[..., Meter]


def utc(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()  # type: ignore[misc, arg-type]


@pytest.mark.covers("F1a")
def test_the_load_profile_holds_what_fits_and_its_rows_are_the_registers(make: Make, now: float) -> None:
    meter = make(profile_days=35)
    first, last = periodic_bounds(meter, 900, 35 * 96, 0.0, now)
    rows = periodic_rows(meter, 900, first, last)
    assert len(rows.times_s) == 35 * 96 == last - first + 1
    assert rows.times_s[-1] == now // 900 * 900
    assert tuple(rows.values[-1].tolist()) == meter.energy_at(float(rows.times_s[-1]))
    assert (np.diff(rows.values[:, 0]) >= 0).all()


def test_a_profile_starts_with_the_installation(make: Make, now: float) -> None:
    meter = make(installed=date(2026, 3, 10))
    rows = periodic_rows(meter, 900, *periodic_bounds(meter, 900, 10**6, 0.0, now))
    assert rows.times_s[0] == utc(2026, 3, 9, 23)


@pytest.mark.parametrize(("day", "rows"), [((2026, 3, 29), 92), ((2026, 10, 25), 100), ((2026, 6, 1), 96)])
def test_a_local_day_of_the_profile_has_92_96_or_100_rows_and_marks_summer(
    make: Make, day: tuple[int, int, int], rows: int
) -> None:
    meter = make()
    start = meter.zone.unix(datetime(*day))  # noqa: DTZ001
    end = meter.zone.midnight(start + 30 * 3600)
    found = periodic_rows(meter, 900, start // 900 + 1, end // 900)
    assert len(found.times_s) == rows
    summer = [meter.zone.is_summer(moment) for moment in found.times_s.tolist()]
    assert (found.status & 0x08 != 0).tolist() == summer


def test_daily_and_monthly_rows_are_taken_at_local_midnight(make: Make, now: float) -> None:
    meter = make(zone=Zone(), profile_days=20)
    days = daily_times(meter, 0, now, now, 20)
    assert len(days) == 20
    assert all(meter.zone.local(day).hour == 0 for day in days.tolist())
    months = monthly_times(meter, 0, now, now, 13)
    assert [meter.zone.local(month).month for month in months.tolist()] == [1, 2, 3]
    rows = billing_rows(meter, months)
    assert (rows.values[:, 0] == rows.values[:, 4:8].sum(axis=1)).all()
    assert tuple(rows.values[-1, :4].tolist()) == meter.energy_at(float(months[-1]))
    assert tuple(rows.values[-1, 4:].tolist()) == make(zone=Zone()).rates_at(float(months[-1]))

"""Dates with wildcards mean the days that the norm says."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.dlms.axdr import CosemDate, CosemDateTime, CosemTime
from meterway.stacks.dlms.classes.recurrence import date_matches, latest_start, next_match, occurrence_in

LAST_SUNDAY_OF_MARCH = CosemDateTime(month=3, day=0xFE, weekday=7, hour=2, minute=0, second=0)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize(("year", "day"), [(2024, 31), (2025, 30), (2026, 29), (2027, 28)])
def test_the_last_sunday_of_march(year, day):
    assert occurrence_in(LAST_SUNDAY_OF_MARCH, year) == at(f"{year}-03-{day}T02:00")


def test_the_second_last_day_and_weekday_of_a_month():
    assert occurrence_in(CosemDateTime(month=2, day=0xFD), 2024) == at("2024-02-28T00:00")
    assert occurrence_in(CosemDateTime(month=3, day=0xFD, weekday=7), 2026) == at("2026-03-22T00:00")


def test_a_weekday_with_a_day_is_the_first_such_weekday_from_that_day_on():
    second_sunday = CosemDateTime(month=3, day=8, weekday=7, hour=2)
    assert occurrence_in(second_sunday, 2026) == at("2026-03-08T02:00")
    assert occurrence_in(second_sunday, 2025) == at("2025-03-09T02:00")


def test_a_fully_specified_date_does_not_care_for_a_wrong_weekday():
    assert date_matches(CosemDate(year=2026, month=11, day=23, weekday=5), dt.date(2026, 11, 23))


def test_wildcards_match_every_day_they_leave_open():
    christmas = CosemDate(month=12, day=25)
    assert date_matches(christmas, dt.date(2031, 12, 25))
    assert not date_matches(christmas, dt.date(2031, 12, 24))
    assert date_matches(CosemDate(weekday=1), dt.date(2026, 11, 23))
    assert not date_matches(CosemDate(weekday=1), dt.date(2026, 11, 24))
    assert not date_matches(CosemDate(month=0xFE), dt.date(2026, 3, 29))


def test_a_template_without_a_date_has_always_begun():
    assert latest_start(CosemDateTime(), at("2026-01-01T00:00")) is not None


def test_a_season_begun_last_year_still_counts():
    assert latest_start(CosemDateTime(month=10, day=1), at("2026-03-01T00:00")) == at("2025-10-01T00:00")


def test_the_next_match_is_strictly_later():
    midnight = CosemTime(hour=0, minute=0, second=0, hundredths=0)
    assert next_match(CosemDate(day=1), midnight, at("2026-11-01T00:00")) == at("2026-12-01T00:00")
    assert next_match(CosemDate(day=1), midnight, at("2026-10-31T23:59:59")) == at("2026-11-01T00:00")


def test_open_hours_mean_every_hour():
    assert next_match(CosemDate(), CosemTime(minute=15), at("2026-11-01T23:20")) == at("2026-11-02T00:15")


def test_a_leap_day_is_found_and_a_past_year_never():
    midnight = CosemTime(hour=0, minute=0)
    assert next_match(CosemDate(month=2, day=29), midnight, at("2096-03-01T00:00")) == at("2104-02-29T00:00")
    assert next_match(CosemDate(year=2020, month=1, day=1), midnight, at("2026-01-01T00:00")) is None
    assert next_match(CosemDate(year=2050, month=1, day=1), midnight, at("2026-01-01T00:00")) == at("2050-01-01T00:00")


parts = st.none() | st.integers(0, 255)


@given(
    st.builds(CosemDate, year=st.none() | st.integers(0, 0xFFFE), month=parts, day=parts, weekday=parts),
    st.builds(CosemTime, hour=parts, minute=parts, second=parts),
)
def test_no_template_makes_it_fail(date, time):
    after = at("2026-11-23T12:00")
    found = next_match(date, time, after)
    assert found is None or found > after

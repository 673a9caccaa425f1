"""Tariff use cases let out what they promise, and no reading more."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import ConfigError
from meterway.interfaces.mbus.mirror import Quality
from meterway.interfaces.mbus.tariff import CASES, Row, Stage, TariffCase, stage_at, stages_of, view

BERLIN = ZoneInfo("Europe/Berlin")
DAY_NIGHT = (Stage(number=1, from_min=360, to_min=1320), Stage(number=2, from_min=1320, to_min=360))
START = int(datetime(2026, 3, 1, tzinfo=BERLIN).timestamp())
HOURS = [Row(START + hour * 3600, hour * 10) for hour in range(24 * 62)]
NOW = float(HOURS[-1].time_s + 60)


def case(name: str, **more: object) -> TariffCase:
    return TariffCase(**{"case": name, "party": "supplier", "channel": 1, "stages": DAY_NIGHT, **more})  # type: ignore[arg-type]


def let_out(name: str, rows: list[Row] = HOURS, **more: object) -> list[Row]:
    return view(case(name, **more), rows, now=NOW, zone=BERLIN)


@pytest.mark.covers("X-14", "E-LNAP-3", "PRI-07")
def test_taf1_tells_the_starts_of_months_only_also_over_summer_time() -> None:
    local = [datetime.fromtimestamp(row.time_s, BERLIN) for row in let_out("TAF1")]
    assert [(one.month, one.day, one.hour) for one in local] == [(3, 1, 0), (4, 1, 0), (5, 1, 0)]


@pytest.mark.covers("X-14", "F2b", "E-LNAP-3")
def test_taf2_counts_each_stage_by_itself() -> None:
    amounts = stages_of(DAY_NIGHT, HOURS[:25], BERLIN)
    assert amounts == {0: 0, 1: 160, 2: 80}


@pytest.mark.covers("X-14")
def test_what_cannot_be_told_apart_is_billed_to_no_stage() -> None:
    gap = [HOURS[5], HOURS[8]]
    doubtful = [HOURS[8], HOURS[9]._replace(quality=int(Quality.SUSPECT))]
    assert stages_of(DAY_NIGHT, gap, BERLIN) == {0: 30, 1: 0, 2: 0}
    assert stages_of(DAY_NIGHT, doubtful, BERLIN) == {0: 10, 1: 0, 2: 0}


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=60))
def test_stages_add_up_to_what_was_used(steps: list[int]) -> None:
    rows, total = [], 0
    for hour, step in enumerate(steps):
        total += step
        rows.append(Row(START + hour * 3600, total))
    assert sum(stages_of(DAY_NIGHT, rows, BERLIN).values()) == total - rows[0].raw


@pytest.mark.covers("X-14")
def test_taf6_tells_six_weeks_of_midnights_and_the_last() -> None:
    assert len(let_out("TAF6")) == 42 + 1


@pytest.mark.covers("X-14")
def test_taf7_tells_the_series_of_its_period() -> None:
    assert len(let_out("TAF7", period_s=7200)) == len(HOURS) // 2


@pytest.mark.covers("X-14")
def test_taf9_tells_the_last_reading() -> None:
    assert let_out("TAF9") == HOURS[-1:]


@pytest.mark.covers("X-14")
def test_taf10_tells_what_moved_beyond_the_deadband() -> None:
    rows = [Row(START + 1 + second, raw) for second, raw in enumerate((230, 231, 229, 245, 244, 230))]
    assert [row.raw for row in let_out("TAF10", rows, deadband=10, period_s=900)] == [230, 245, 230]


@pytest.mark.covers("X-14")
def test_taf14_tells_a_reading_a_minute_of_the_last_days() -> None:
    rows = [Row(int(NOW) - 600 + second, second) for second in range(600)]
    told = let_out("TAF14", [HOURS[0], *rows], period_s=1)
    assert 10 <= len(told) <= 11
    assert HOURS[0] not in told


def test_a_stage_reaches_over_midnight_on_its_own_day() -> None:
    friday_night = (Stage(number=3, from_min=1320, to_min=360, weekdays=(5,)),)
    saturday_early = datetime(2026, 3, 7, 2, tzinfo=BERLIN).timestamp()
    assert stage_at(friday_night, saturday_early, BERLIN) == 3
    assert stage_at(friday_night, saturday_early - 86400, BERLIN) == 0


@pytest.mark.parametrize("name", CASES)
def test_an_empty_series_stays_empty(name: str) -> None:
    assert let_out(name, []) == []


def test_what_is_not_done_is_refused() -> None:
    with pytest.raises(ConfigError, match="TAF3"):
        case("TAF3")
    with pytest.raises(ConfigError, match="stages"):
        case("TAF2", stages=())


SPRING, AUTUMN = datetime(2026, 3, 29, tzinfo=BERLIN), datetime(2026, 10, 25, tzinfo=BERLIN)


def hours_of(day: datetime, count: int) -> list[Row]:
    first = int(day.timestamp())
    return [Row(first + hour * 3600, hour * 10) for hour in range(count + 1)]


@pytest.mark.covers("X-14", "F2b")
@pytest.mark.parametrize(("day", "hours", "night"), [(SPRING, 23, 7), (AUTUMN, 25, 9)])
def test_taf2_counts_the_short_and_the_long_night_by_the_clock_on_the_wall(
    day: datetime, hours: int, night: int
) -> None:
    assert stages_of(DAY_NIGHT, hours_of(day, hours), BERLIN) == {0: 0, 1: 160, 2: night * 10}


@pytest.mark.covers("X-14")
@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_days_begin_at_local_midnight_when_the_clocks_change(day: datetime) -> None:
    rows = hours_of(datetime(day.year, day.month, day.day - 1, tzinfo=BERLIN), 73)
    now = float(rows[-1].time_s + 60)
    for told in (
        view(case("TAF6"), rows, now=now, zone=BERLIN),
        view(case("TAF7", period_s=86400), rows, now=now, zone=BERLIN),
    ):
        local = [datetime.fromtimestamp(row.time_s, BERLIN) for row in told]
        assert [one.hour for one in local] == [0] * len(local)
        assert [one.day for one in local][:3] == [day.day - 1, day.day, day.day + 1]


@pytest.mark.covers("X-14")
def test_the_hour_that_comes_twice_is_told_twice_by_an_hourly_series() -> None:
    rows = hours_of(AUTUMN, 25)
    told = view(case("TAF7", period_s=3600), rows, now=NOW, zone=BERLIN)
    assert len(told) == 26
    assert len({row.time_s for row in told}) == 26


def test_taf14_is_never_faster_than_a_minute_and_the_others_are_as_asked() -> None:
    assert case("TAF14", period_s=1).step_s == 60
    assert case("TAF10", period_s=1).step_s == 1

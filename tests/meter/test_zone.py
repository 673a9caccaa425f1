"""Local time of a meter."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.meter.zone import Zone

TIMES = st.integers(1_577_836_800, 2_200_000_000)


@given(unix=TIMES)
def test_the_rule_agrees_with_the_zone_database(unix: int) -> None:
    amsterdam = datetime.fromtimestamp(unix, ZoneInfo("Europe/Amsterdam"))
    assert Zone().local(unix) == amsterdam.replace(tzinfo=None)


@given(unix=TIMES)
def test_local_time_goes_back_to_the_same_moment_outside_the_doubled_hour(unix: int) -> None:
    zone = Zone()
    back = zone.unix(zone.local(unix))
    doubled = datetime.fromtimestamp(unix, UTC).month == 10
    assert back == unix or (doubled and back == unix + 3600)


@pytest.mark.parametrize(("day", "quarters"), [((2026, 3, 29), 92), ((2026, 10, 25), 100), ((2026, 6, 1), 96)])
def test_a_local_day_has_92_96_or_100_quarter_hours(day: tuple[int, int, int], quarters: int) -> None:
    zone = Zone()
    start = zone.unix(datetime(*day))  # noqa: DTZ001
    assert (zone.midnight(start + 30 * 3600) - start) / 900 == quarters


def test_months_start_at_local_midnight() -> None:
    zone = Zone()
    now = datetime(2026, 1, 15, 12, tzinfo=UTC).timestamp()
    assert zone.local(zone.month_start(now, back=2)) == datetime(2025, 11, 1)  # noqa: DTZ001

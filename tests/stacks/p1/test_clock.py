"""P1 times."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.p1.clock import is_summer, local_time, stamp, written

MOMENTS = st.integers(946_800_000, 3_155_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(MOMENTS, st.sampled_from([0, 1, 2]), st.booleans())
def test_a_written_time_is_read_back(time, offset_h, summer_time):
    assert stamp(written(time, offset_h, summer_time=summer_time), offset_h) == time


@pytest.mark.parametrize(
    ("time", "summer"),
    [
        (datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), True),
        (datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 10, 25, 1, 0, tzinfo=UTC), False),
    ],
)
def test_summer_time_changes_at_one_utc_on_the_last_sundays(time, summer):
    assert is_summer(time) is summer


def test_a_time_without_a_letter_follows_the_calendar():
    assert local_time("260701120000") == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert local_time("260101120000") == datetime(2026, 1, 1, 11, tzinfo=UTC)
    assert local_time("261025023000") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert local_time("260230000000") is None


@pytest.mark.parametrize(
    "part", ["", "260701120000", "260701120000X", "26070112000aS", "261301000000S", "٢60701120000S"]
)
def test_what_is_no_time_is_none(part):
    assert stamp(part) is None

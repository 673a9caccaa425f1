"""A schedule names its next execution."""

from __future__ import annotations

import datetime as dt

from meterway.stacks.dlms.axdr import CosemDate, CosemTime
from meterway.stacks.dlms.classes.schedule import ExecutionTime, next_execution

MIDNIGHT = CosemTime(hour=0, minute=0, second=0, hundredths=0)
NOON = CosemTime(hour=12, minute=0, second=0, hundredths=0)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_the_earliest_of_several_times_is_next():
    times = (ExecutionTime(time=MIDNIGHT, date=CosemDate(day=1)), ExecutionTime(time=NOON, date=CosemDate(weekday=7)))
    assert next_execution(times, at("2026-11-23T00:00")) == at("2026-11-29T12:00")
    assert next_execution(times, at("2026-11-29T12:00")) == at("2026-12-01T00:00")


def test_a_schedule_without_times_never_runs():
    assert next_execution((), at("2026-11-23T00:00")) is None
    assert next_execution((ExecutionTime(time=None, date=None),), at("2026-11-23T00:00")) is None

"""How a head end stands: how much of what is due is there, what went over its interfaces, what happened last."""

import time

import numpy as np
import pytest

from headend.headends import keep_day
from meterway.headend.live import Happening
from meterway.headend.overview import percentile
from meterway.headend.traffic import InterfaceTraffic


def at(monkeypatch, day, seconds):
    monkeypatch.setattr(time, "time", lambda: day * 86400 + seconds)


def test_today_is_complete_when_all_that_a_period_ago_was_due_is_there(views, idle, monkeypatch):
    # At noon the intervals up to 11:45 have ended a collection period ago: 48 of each of two meters.
    at(monkeypatch, 20_000, 43_200)
    slots = np.arange(96)
    keep_day(idle.store, 1, 20_000, slots < 48)
    keep_day(idle.store, 2, 20_000, slots < 24)
    assert views.overview().completeness == pytest.approx(0.75)


def test_right_after_midnight_nothing_is_due_and_nothing_missing(views, idle, monkeypatch):
    at(monkeypatch, 20_000, 60)
    assert views.overview().completeness == 1.0


def test_a_day_with_meters_and_no_values_is_empty(views, monkeypatch):
    at(monkeypatch, 20_000, 43_200)
    assert views.overview().completeness == 0.0


def test_meters_without_a_block_count_as_missing_on_whole_days(views, idle, monkeypatch):
    at(monkeypatch, 20_001, 43_200)
    keep_day(idle.store, 1, 20_000, True)
    rows = views.completeness(3)
    assert [(row.day, row.share) for row in rows] == [("2024-10-04", 0.5)]


def test_every_source_of_traffic_is_told(views, idle):
    row = InterfaceTraffic(label="H1", between="meter – display", entities=3, sessions=3, octets=12)
    idle.extra_traffic.append(lambda: [row])
    assert [each.label for each in views.traffic()] == ["I", "H1"]
    assert views.traffic()[1] == row


def test_the_last_happenings_are_told_the_oldest_first(views, idle):
    for number in range(40):
        idle.live.tell(Happening("collected", f"M{number}", "24 values", float(number), {"ms": 0}))
    told = views.overview().happenings
    assert (len(told), told[-1].serial, told[-1].time) == (30, "M39", "1970-01-01T00:00:39Z")


def test_a_percentile_of_nothing_is_nothing():
    assert percentile([], 0.95) == 0.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0

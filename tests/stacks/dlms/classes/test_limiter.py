"""The limiter acts after its durations, and by its emergency threshold while that holds."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from meterway.base.obis import Obis
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes import ActionItem
from meterway.stacks.dlms.classes.limiter import EmergencyProfile, LimiterActions, LimiterSettings, LimiterState

SCRIPTS = Obis(0, 0, 10, 0, 106, 255)
OVER, UNDER = ActionItem(script_table=SCRIPTS, selector=1), ActionItem(script_table=SCRIPTS, selector=2)
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SETTINGS = LimiterSettings(
    threshold_normal=5000,
    threshold_emergency=1000,
    min_over_s=30,
    min_under_s=60,
    actions=LimiterActions(over=OVER, under=UNDER),
)


def run(settings: LimiterSettings, readings: list[tuple[int, float]]) -> list[tuple[int, ActionItem]]:
    state, done = LimiterState(), []
    for second, value in readings:
        state, action = state.step(settings, value, now=START + dt.timedelta(seconds=second))
        if action is not None:
            done.append((second, action))
    return done


@pytest.mark.covers("F4c", "F4d")
def test_it_acts_once_when_the_value_stayed_over_and_once_when_it_stayed_under():
    readings = [(0, 6000), (29, 6000), (30, 6000), (31, 7000), (40, 4000), (99, 4000), (100, 4000), (200, 4000)]
    assert run(SETTINGS, readings) == [(30, OVER), (100, UNDER)]


@pytest.mark.covers("F4c")
def test_a_short_peak_is_forgiven():
    assert run(SETTINGS, [(0, 6000), (20, 6000), (25, 4000), (30, 6000), (59, 6000)]) == []


@pytest.mark.covers("F4c", "F4f")
def test_the_emergency_threshold_holds_for_its_duration_and_its_groups():
    profile = EmergencyProfile(profile_id=7, activation_time=CosemDateTime.from_utc(START), duration=100)
    emergency = replace(SETTINGS, emergency=profile, groups=(7,))
    assert run(emergency, [(0, 2000), (30, 2000)]) == [(30, OVER)]
    assert emergency.threshold(START + dt.timedelta(seconds=99)) == 1000
    assert emergency.threshold(START + dt.timedelta(seconds=100)) == 5000
    assert not replace(emergency, groups=(8,)).emergency_active(START)
    assert not replace(emergency, emergency=replace(profile, activation_time=None)).emergency_active(START)


def test_a_selector_of_zero_does_nothing():
    quiet = replace(SETTINGS, min_over_s=0, actions=LimiterActions(over=replace(OVER, selector=0), under=UNDER))
    assert run(quiet, [(0, 6000)]) == []

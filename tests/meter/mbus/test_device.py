"""A meter with what happened to it: registers never fall, alarms come and go, the valve is safe."""

# ruff: noqa: DTZ001  a meter's clock has no zone

from __future__ import annotations

import gc
import tracemalloc
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterway.base.errors import ConfigError
from meterway.meter.mbus.config import MeterConfig
from meterway.meter.mbus.device import CLOCK_SET, CONDITIONS, LEAK_TEST_FAILED, Alarm, Condition, MbusMeter
from meterway.meter.mbus.radio import RadioMeter
from meterway.meter.mbus.usage import DAY_S, HOUR_S, Utility
from meterway.meter.mbus.valve import LEAK_TEST_S, Input, Valve

NOW = 1_795_446_000.0
SECURE: dict[str, Any] = {"ident": "10000001", "key": "11" * 16}


def water() -> MbusMeter:
    return MbusMeter(MeterConfig(utility=Utility.WATER, **SECURE))


def gas() -> MbusMeter:
    return MbusMeter(MeterConfig(utility=Utility.GAS, valve=True, **SECURE))


@pytest.mark.covers("F2a", "E-MED")
def test_a_leak_adds_its_rate_and_its_alarm_goes_when_it_ends() -> None:
    meter, sound = water(), water()
    meter.begin(Condition.LEAK, NOW, rate=60)
    assert meter.alarms == Alarm.LEAK
    assert meter.rates(NOW)[0] == sound.rates(NOW)[0] + 60
    meter.end(Condition.LEAK, NOW + 2 * HOUR_S)
    assert meter.alarms == 0
    assert meter.at(NOW + DAY_S)[0] == sound.at(NOW + DAY_S)[0] + 120
    assert meter.at(NOW) == sound.at(NOW)


@pytest.mark.covers("F2a")
def test_a_burst_stays_known_until_somebody_resets_it() -> None:
    meter = water()
    meter.begin(Condition.BURST, NOW)
    meter.reset_alarms()
    assert meter.alarms == Alarm.BURST
    meter.end(Condition.BURST, NOW + 60)
    assert meter.alarms == Alarm.BURST
    assert meter.status(NOW) & 0x03 == 0x03
    meter.reset_alarms()
    assert meter.alarms == 0


@pytest.mark.covers("F2a")
def test_what_flows_back_is_counted_apart() -> None:
    meter, sound = water(), water()
    meter.begin(Condition.BACK_FLOW, NOW, rate=40)
    assert meter.backward(NOW + HOUR_S) == 40
    assert meter.at(NOW + HOUR_S) == sound.at(NOW + HOUR_S)
    assert meter.errors() == Alarm.BACK_FLOW


def test_a_dry_pipe_counts_nothing() -> None:
    meter = water()
    meter.begin(Condition.DRY, NOW)
    assert meter.at(NOW + DAY_S) == meter.at(NOW)
    assert meter.rates(NOW + HOUR_S) == (0,)


@pytest.mark.parametrize("utility", list(Utility))
def test_each_kind_knows_its_own_conditions_only(utility: Utility) -> None:
    meter = MbusMeter(MeterConfig(utility=utility, **SECURE))
    for condition in Condition:
        if condition in CONDITIONS[utility]:
            meter.begin(condition, NOW)
            assert meter.lasts(condition)
        else:
            with pytest.raises(ConfigError, match="does not happen"):
                meter.begin(condition, NOW)


happenings = st.tuples(st.sampled_from([*CONDITIONS[Utility.WATER]]), st.booleans(), st.integers(0, 3 * DAY_S))


@pytest.mark.covers("F1a", "E-MED")
@settings(max_examples=25)
@given(st.lists(happenings, max_size=90))
def test_registers_never_fall_whatever_happens(script: list[tuple[Condition, bool, int]]) -> None:
    meter, moment, told = water(), NOW, 0
    for condition, begins, wait_s in script:
        (meter.begin if begins else meter.end)(condition, moment)
        moment += wait_s
        register = meter.at(moment)[0]
        assert register >= told
        told = register
    times = np.arange(int(NOW) - DAY_S, int(moment) + DAY_S, 7200, dtype=np.int64)
    assert (np.diff(meter.registers(times)[:, 0]) >= 0).all()


def test_many_disturbances_are_forgotten_one_by_one_and_their_litres_are_not() -> None:
    meter, sound = water(), water()
    for number in range(100):
        meter.begin(Condition.LEAK, NOW + number * DAY_S, rate=24)
        meter.begin(Condition.BACK_FLOW, NOW + number * DAY_S, rate=24)
        meter.end(Condition.LEAK, NOW + number * DAY_S + HOUR_S)
        meter.end(Condition.BACK_FLOW, NOW + number * DAY_S + HOUR_S)
    end = NOW + 101 * DAY_S
    assert len(meter.episodes) <= 64
    assert meter.at(end)[0] - sound.at(end)[0] == 2400
    assert meter.backward(end) == 2400


@pytest.mark.covers("F4a")
def test_nothing_flows_while_the_valve_is_closed() -> None:
    meter = gas()
    meter.move_valve(Input.CLOSE, NOW)
    assert meter.at(NOW + DAY_S) == meter.at(NOW + 1)
    assert meter.rates(NOW + DAY_S) == (0,)


@pytest.mark.covers("F4b")
def test_gas_flows_again_when_the_leak_test_is_passed() -> None:
    meter = gas()
    meter.move_valve(Input.CLOSE, NOW)
    meter.move_valve(Input.BUTTON, NOW + 10)
    assert meter.valve is Valve.CLOSED
    meter.move_valve(Input.SUPPLY, NOW + 20)
    meter.move_valve(Input.BUTTON, NOW + 30)
    meter.advance(NOW + 30 + LEAK_TEST_S - 1)
    assert meter.valve is Valve.TESTING
    meter.advance(NOW + 30 + LEAK_TEST_S)
    assert meter.valve is Valve.OPEN
    assert meter.at(NOW + 2 * DAY_S) > meter.at(NOW + DAY_S)


@pytest.mark.covers("F4b")
def test_a_leak_behind_the_meter_keeps_the_valve_closed() -> None:
    meter = gas()
    meter.move_valve(Input.CLOSE, NOW)
    meter.move_valve(Input.RELEASE, NOW)
    meter.begin(Condition.LEAK, NOW)
    meter.move_valve(Input.BUTTON, NOW)
    meter.advance(NOW + 1e6)
    assert meter.valve is Valve.CLOSED
    assert meter.errors() & LEAK_TEST_FAILED


def test_a_meter_without_a_valve_moves_none() -> None:
    meter = water()
    assert not meter.move_valve(Input.CLOSE, NOW)
    assert meter.valve is Valve.OPEN


@pytest.mark.covers("F2b")
def test_a_set_clock_goes_on_from_there() -> None:
    meter = MbusMeter(MeterConfig(utility=Utility.WATER, utc_offset_min=60, **SECURE))
    meter.set_clock(datetime(2026, 3, 1, 12, 0), NOW)
    assert meter.clock(NOW + 90) == datetime(2026, 3, 1, 12, 1, 30)
    assert meter.unix_of(datetime(2026, 3, 1, 12, 0)) == NOW
    assert meter.errors() & CLOCK_SET
    assert meter.month_starts(NOW, 4) == [datetime(2026, month, 1) for month in (3, 2, 1)] + [datetime(2025, 12, 1)]
    assert meter.due_date(NOW) == datetime(2026, 1, 1)


@pytest.mark.covers("F2a")
def test_the_battery_empties_with_time_and_with_every_frame() -> None:
    meter = water()
    fresh = meter.battery_years(NOW)
    assert 10 < fresh < 12
    meter.used_mas = 3600.0 * 1200
    assert fresh - meter.battery_years(NOW) == pytest.approx(6)
    late = NOW + 11.5 * 365 * DAY_S
    assert meter.battery_years(late) == 0
    assert meter.status(late) & 0x04


def test_status_bits_name_fault_and_disturbance() -> None:
    meter = water()
    meter.raise_alarm(Alarm.FAULT | Alarm.AIR)
    assert meter.status(NOW) == 0x18
    meter.raise_alarm(Alarm.MAGNET)
    meter.reset_alarms()
    assert meter.alarms == Alarm.FAULT


def test_a_meter_on_the_air_weighs_less_than_two_thousand_octets() -> None:
    settings = [
        MeterConfig(ident=f"{number:08d}", utility=Utility.GAS, key=f"{number:032x}", valve=True)
        for number in range(500)
    ]
    gc.collect()
    tracemalloc.start()
    radios = [RadioMeter(MbusMeter(one), NOW) for one in settings]
    for radio in radios:
        radio.due(radio.next_s)
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used / len(radios) < 2000

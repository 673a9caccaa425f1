"""Consumption is a pure function: registers never fall, and intervals are their differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterway.meter.load import ORIGIN_DAY
from meterway.meter.mbus.usage import DAY_S, HOUR_S, Usage, Utility

NOON = 1_795_435_200 - 1_795_435_200 % DAY_S + 43200
YEAR_S = 365 * DAY_S

usages = st.builds(
    Usage,
    seed=st.integers(0, (1 << 56) - 1),
    utility=st.sampled_from(Utility),
    offset_min=st.sampled_from([-300, 0, 60, 330]),
)
moments = st.integers((ORIGIN_DAY - 400) * DAY_S, (ORIGIN_DAY + 9000) * DAY_S)


@pytest.mark.covers("E-MED", "F1a")
@settings(max_examples=60)
@given(usages, st.lists(moments, min_size=2, max_size=12))
def test_a_later_register_is_never_less(usage: Usage, times: list[int]) -> None:
    registers = usage.registers(np.array(sorted(times), np.int64))
    assert (np.diff(registers, axis=0) >= 0).all()
    assert (registers >= 0).all()


@settings(max_examples=25)
@given(usages, moments)
def test_registers_run_on_from_second_to_second(usage: Usage, start: int) -> None:
    registers = usage.registers(start + np.arange(4000, dtype=np.int64))
    assert (np.diff(registers, axis=0) >= 0).all()


@pytest.mark.covers("F1a")
@settings(max_examples=25)
@given(usages, moments, st.integers(1, 80))
def test_hourly_values_add_up_to_the_difference_of_registers(usage: Usage, start: int, hours: int) -> None:
    hour = start // HOUR_S * HOUR_S
    sums = usage.intervals(hour, hours).sum(axis=0)
    assert usage.intervals(hour, 1, period_s=HOUR_S * hours).tolist() == [sums.tolist()]


@given(usages, st.lists(moments, min_size=1, max_size=6))
@settings(max_examples=25)
def test_one_moment_reads_the_same_alone_and_among_others(usage: Usage, times: list[int]) -> None:
    together = usage.registers(np.array(times, np.int64)).tolist()
    assert together == [list(usage.at(moment)) for moment in times]


@pytest.mark.covers("E-MED")
@pytest.mark.parametrize(("utility", "per_year"), [(Utility.GAS, 1_390_000), (Utility.WATER, 117_000)])
def test_homes_differ_and_use_what_homes_use(utility: Utility, per_year: int) -> None:
    years = [
        int(Usage(seed=seed, utility=utility).intervals(NOON - YEAR_S, 1, period_s=YEAR_S)[0, 0]) for seed in range(60)
    ]
    assert len(set(years)) == 60
    assert 0.4 * per_year < min(years) < max(years) < 1.9 * per_year


def test_heating_is_used_in_winter_and_cooling_in_summer() -> None:
    january, july = 1_767_225_600, 1_782_864_000
    warm = Usage(seed=3, utility=Utility.HEAT_COOLING)
    winter = warm.intervals(january, 1, period_s=30 * DAY_S)[0]
    summer = warm.intervals(july, 1, period_s=30 * DAY_S)[0]
    assert winter[0] > 5 * summer[0]
    assert summer[1] > 5 * winter[1]


def test_nobody_takes_a_shower_at_night() -> None:
    hours = Usage(seed=5, utility=Utility.WATER).intervals(NOON // DAY_S * DAY_S, 24 * 28)[:, 0].reshape(28, 24).sum(0)
    assert hours[7] > 5 * hours[3]


def test_the_day_of_a_meter_begins_at_its_midnight() -> None:
    east = Usage(seed=5, utility=Utility.WATER, offset_min=60)
    plain = Usage(seed=5, utility=Utility.WATER)
    assert east.at(NOON) == plain.at(NOON + 3600)


def test_power_flow_and_temperatures_of_a_circuit_agree() -> None:
    usage = Usage(seed=8, utility=Utility.HEAT)
    rates = usage.rates(NOON)
    forward, back = usage.temperatures_c(NOON)
    assert forward - back == pytest.approx(usage.spread_k)
    assert usage.circuit_litres(rates) * 1.163 * (forward - back) == pytest.approx(rates[0], rel=0.02)
    cold = Usage(seed=8, utility=Utility.COOLING)
    assert cold.temperatures_c(NOON) == (6.0, 12.0)


def test_warm_gas_takes_more_room_than_what_is_billed() -> None:
    usages = [Usage(seed=seed, utility=Utility.GAS) for seed in range(40)]
    for usage in usages:
        assert (usage.gas_temperature_c > 15) == (usage.unconverted_share > 1) or usage.gas_temperature_c == 15
        assert 8 <= usage.gas_temperature_c <= 20

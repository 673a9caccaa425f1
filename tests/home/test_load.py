"""Simulated loads: pure, bounded, and what their names say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.home.load import SLOT_S, LoadKind, drawn, energy_ws, power_w

DAY = 86_400
NOVEMBER = 1_795_392_000.0
KINDS = list(LoadKind)


@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 1000), start=st.integers(0, 4_000_000_000), cut=st.floats(0, 1))
def test_energy_of_two_parts_is_that_of_the_whole(kind, seed, start, cut):
    end = start + 7200
    middle = start + 7200 * cut
    parts = energy_ws(kind, 1000, seed, start, middle) + energy_ws(kind, 1000, seed, middle, end)
    assert parts == pytest.approx(energy_ws(kind, 1000, seed, start, end), abs=1e-3)
    assert 0 <= parts <= 1000 * 7200 + 1e-3


@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 1000), slot=st.integers(0, 10_000_000))
def test_power_is_all_or_nothing_and_the_same_all_over_a_slot(kind, seed, slot):
    found = {power_w(kind, 1500, seed, slot * SLOT_S + part) for part in (0, 1, SLOT_S - 0.001)}
    assert len(found) == 1 and found <= {0, 1500}


def test_a_car_charges_in_the_evening_and_never_at_noon():
    taken = [
        [power_w(LoadKind.EV_CHARGER, 1, seed, NOVEMBER + hour * 3600) for seed in range(300)] for hour in (12, 20)
    ]
    assert sum(taken[0]) == 0
    assert 60 < sum(taken[1]) < 240


def test_a_heat_pump_runs_more_in_winter():
    winter, summer = (
        sum(energy_ws(LoadKind.HEAT_PUMP, 1000, seed, start, start + DAY) for seed in range(5))
        for start in (1_768_435_200, 1_784_073_600)  # 15 January and 15 July 2026
    )
    assert winter > 3 * summer > 0


def test_a_number_is_drawn_evenly_and_again_the_same():
    numbers = [drawn("x", one) for one in range(2000)]
    assert numbers == [drawn("x", one) for one in range(2000)]
    assert min(numbers) >= 0 and max(numbers) < 1
    assert 0.47 < sum(numbers) / 2000 < 0.53

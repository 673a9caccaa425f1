"""Energy as a pure function of (seed, time)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.meter.load import DAY_SLOTS, SLOT_S, Load, LoadKind, noise
from meterway.meter.zone import Zone

SEEDS = st.integers(0, 2**63)
KINDS = st.sampled_from(LoadKind)
SLOTS = st.integers(18262 * DAY_SLOTS, 24000 * DAY_SLOTS)
MONDAY = 20479 * DAY_SLOTS  # 2026-01-26


@pytest.mark.covers("F1a", "F1b", "E-MET")
@given(seed=SEEDS, kind=KINDS, first=SLOTS, count=st.integers(1, 300))
def test_intervals_sum_to_the_difference_of_the_registers(seed: int, kind: LoadKind, first: int, count: int) -> None:
    load = Load(seed=seed, kind=kind)
    total = load.registers(first + count, 1)[0] - load.registers(first, 1)[0]
    assert (load.intervals(first, count).sum(axis=0) == total).all()


@given(seed=SEEDS, kind=KINDS, first_day=st.integers(18262, 24000))
def test_registers_never_fall_over_a_year(seed: int, kind: LoadKind, first_day: int) -> None:
    load = Load(seed=seed, kind=kind)
    days = load.day_registers(first_day, 367)
    assert (days[1:] >= days[:-1]).all()
    assert days.min() >= 0
    assert (load.intervals(first_day * DAY_SLOTS, 10 * DAY_SLOTS) >= 0).all()


@given(seed=SEEDS, kind=KINDS, first=SLOTS, count=st.integers(1, 200), skip=st.integers(0, 150))
def test_a_value_does_not_depend_on_what_else_is_asked(
    seed: int, kind: LoadKind, first: int, count: int, skip: int
) -> None:
    load = Load(seed=seed, kind=kind)
    wide = load.registers(first, count + skip)
    assert (wide[skip:] == load.registers(first + skip, count)).all()


def test_a_register_within_a_slot_lies_on_the_straight_line_between_its_ends() -> None:
    load = Load(seed=7)
    low, high = load.registers(MONDAY, 2)[:, 0].tolist()
    halfway = load.at(MONDAY * SLOT_S + SLOT_S / 2)[0]
    assert load.at(MONDAY * SLOT_S)[0] == low
    assert halfway == int((low + high) / 2)


def test_power_is_the_energy_of_the_running_slot() -> None:
    load = Load(seed=7, kind=LoadKind.PV)
    moment = (MONDAY + 50) * SLOT_S + 123.0
    network = load.network(moment)
    energies = load.intervals(MONDAY + 50, 1)[0].tolist()
    assert [network.import_w, network.export_w, network.import_var, network.export_var] == [4 * e for e in energies]
    assert all(215 < volt < 245 for volt in network.voltages_v)
    apparent = sum(v * a for v, a in zip(network.voltages_v, network.currents_a, strict=True))
    expected = np.hypot(network.import_w - network.export_w, network.import_var - network.export_var)
    assert apparent == pytest.approx(expected, abs=4)


def test_a_business_rests_at_the_weekend_and_a_heat_pump_works_in_winter() -> None:
    week = Load(seed=3, kind=LoadKind.BUSINESS).intervals(MONDAY, 7 * DAY_SLOTS)[:, 0].reshape(7, -1).sum(axis=1)
    assert week[5:].mean() < 0.6 * week[:5].mean()
    heat = Load(seed=3, kind=LoadKind.HEAT_PUMP)
    july = heat.intervals(MONDAY + 170 * DAY_SLOTS, 7 * DAY_SLOTS)[:, 0].sum()
    assert july < 0.5 * heat.intervals(MONDAY, 7 * DAY_SLOTS)[:, 0].sum()


def test_only_pv_exports_and_it_does_so_by_day() -> None:
    export = Load(seed=9, kind=LoadKind.PV).intervals(MONDAY + 150 * DAY_SLOTS, DAY_SLOTS)[:, 1]
    assert export[40:50].min() > 0
    assert export[:8].sum() == 0
    assert Load(seed=9).intervals(MONDAY, DAY_SLOTS)[:, 1].sum() == 0


def test_the_shape_follows_local_time_over_the_change_to_summer_time() -> None:
    """The morning peak of an ideal consumer stands an hour earlier in UTC once summer time is in force."""
    days = 60
    mean = np.zeros(DAY_SLOTS)
    summer = np.zeros(DAY_SLOTS)
    load = Load(seed=5, zone=Zone(standard_min=60))
    for which, first in ((mean, MONDAY), (summer, MONDAY + 70 * DAY_SLOTS)):
        which += load.intervals(first, days * DAY_SLOTS)[:, 0].reshape(days, -1).sum(axis=0)
    assert int(np.argmax(mean[60:])) - int(np.argmax(summer[60:])) in range(2, 7)


def test_times_before_the_origin_read_as_the_origin() -> None:
    load = Load(seed=5)
    assert load.at(0.0) == load.at(86400.0 * 100)


def test_the_noise_of_one_place_equals_the_published_splitmix64_sequence() -> None:
    """The first outputs of splitmix64 for the seed 1234567 (Vigna's reference generator)."""
    assert [noise(1234567, i) for i in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]

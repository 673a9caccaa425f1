"""Demand averages slide over their window, and masks switch registers."""

from __future__ import annotations

import pytest

from meterway.base.obis import Obis
from meterway.stacks.dlms.classes.register import Demand, ObjectDefinition, RegisterMask, active_registers

RATE_1 = ObjectDefinition(class_id=3, obis=Obis(1, 0, 1, 8, 1, 255))
RATE_2 = ObjectDefinition(class_id=3, obis=Obis(1, 0, 1, 8, 2, 255))


@pytest.mark.covers("F3c")
def test_a_block_demand_is_the_energy_of_the_period_spread_over_it():
    demand = Demand(period_s=900).add(250)
    assert demand.current_average == 1000
    after = demand.next_period()
    assert (after.last_average, after.current_average) == (1000, 0)


@pytest.mark.covers("F3c")
def test_a_sliding_demand_averages_over_all_its_periods():
    demand = Demand(period_s=300, number_of_periods=3)
    for energy in (30, 60, 90):
        demand = demand.add(energy).next_period()
    assert demand.last_average == pytest.approx(180 * 4)
    assert demand.current_average == pytest.approx(150 * 4)
    assert demand.add(10).next_period().last_average == pytest.approx(160 * 4)


def test_a_reset_demand_starts_from_nothing():
    demand = Demand(period_s=300, number_of_periods=2).add(5).next_period().reset()
    assert demand == Demand(period_s=300, number_of_periods=2)


@pytest.mark.covers("F3a")
def test_the_active_mask_chooses_the_registers_that_count():
    masks = (RegisterMask(name=b"\x01", indexes=(1,)), RegisterMask(name=b"\x02", indexes=(2, 9, 0)))
    assert active_registers((RATE_1, RATE_2), masks, b"\x01") == {RATE_1}
    assert active_registers((RATE_1, RATE_2), masks, b"\x02") == {RATE_2}
    assert active_registers((RATE_1, RATE_2), masks, b"\x07") == frozenset()

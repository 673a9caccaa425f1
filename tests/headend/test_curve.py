"""Load curves from blocks of register values."""

import numpy as np
import pytest

from meterway.base.obis import Obis
from meterway.headend.curve import curve_of, is_cumulative
from meterway.store.block import Block, Channel, Column

pytestmark = pytest.mark.covers("F1b")

DAY_S = 86400
IMPORT = Column(obis=Obis(1, 0, 1, 8, 0), unit=30, scaler=1)
POWER = Column(obis=Obis(1, 0, 1, 7, 0), unit=27, scaler=0)


def day_of(start_s, values, *, column=IMPORT, present=True, interval_s=3600):
    return Block(start_s=start_s, interval_s=interval_s, channels=(Channel.of(column, values, present=present),))


def test_a_counting_register_tells_each_interval_by_its_difference():
    blocks = [day_of(0, np.arange(24) ** 2), day_of(DAY_S, [24**2])]
    curve = curve_of(blocks, 0, DAY_S)
    assert curve.times_s == [hour * 3600 for hour in range(24)]
    assert curve.channels[0].values == [10.0 * (2 * hour + 1) for hour in range(24)]
    assert (curve.channels[0].unit, curve.period_s) == ("Wh", 3600)


def test_a_missing_slot_takes_both_its_intervals_and_never_makes_a_spike():
    present = np.ones(24, bool)
    present[5] = False
    values = curve_of([day_of(0, np.arange(24), present=present)], 0, DAY_S).channels[0].values
    assert values[3:7] == [10.0, None, None, 10.0]
    assert values[23] is None


def test_a_missing_day_is_a_hole_of_a_day():
    curve = curve_of([day_of(0, np.arange(24)), day_of(2 * DAY_S, np.arange(1000, 1024))], 0, 3 * DAY_S)
    assert curve.channels[0].values[23:48] == [None] * 25
    assert curve.channels[0].values[48] == 10.0


def test_a_register_that_goes_back_tells_nothing_of_that_interval():
    assert curve_of([day_of(0, [5, 9, 2, 4])], 0, 4 * 3600).channels[0].values == [40.0, None, 20.0, None]


def test_an_average_belongs_to_the_interval_at_whose_end_it_was_captured():
    curve = curve_of([day_of(0, [100, 200, 300], column=POWER)], 0, 2 * 3600)
    assert curve.channels[0].values == [200.0, 300.0]
    assert not curve.channels[0].is_cumulative


def test_channels_that_came_later_stand_beside_those_that_went():
    curve = curve_of([day_of(0, [1, 2]), day_of(DAY_S, [7, 8], column=POWER)], 0, 2 * DAY_S)
    assert [channel.obis for channel in curve.channels] == ["1-0:1.8.0", "1-0:1.7.0"]
    assert curve.channels[0].values[0] == 10.0
    assert curve.channels[1].values[24] == 8.0


def test_a_block_on_another_grid_is_left_out():
    blocks = [day_of(0, [1, 2], interval_s=900), day_of(DAY_S, [1, 2])]
    assert curve_of(blocks, 0, 2 * DAY_S).channels[0].values[:24] == [None] * 24


def test_nothing_stored_is_an_empty_curve():
    assert curve_of([], 0, DAY_S).times_s == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [("1-0:1.8.0", True), ("1-0:1.8.2", True), ("1-0:1.7.0", False), ("1-0:1.29.0", False), ("7-0:3.0.0", True)],
)
def test_only_registers_that_count_are_differenced(code, expected):
    assert is_cumulative(Obis.parse(code)) is expected

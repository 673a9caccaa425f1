"""A module's register is what it read, when it read it."""

import math

import numpy as np
import pytest

from meterway.meter.mbus.read_usage import ReadUsage
from meterway.meter.mbus.usage import Utility

pytestmark = pytest.mark.covers("P13")


def test_a_register_stands_between_readings_and_is_unknown_before_the_first() -> None:
    usage = ReadUsage(seed=1, utility=Utility.ELECTRICITY)
    assert usage.known_from_s == math.inf
    assert usage.rates(5.0) == (0,)
    usage.take(1000.0, 500)
    usage.take(2800.0, 700)
    assert usage.known_from_s == 1000
    assert usage.registers(np.array([999, 1000, 2799, 2800, 9000], np.int64)).ravel().tolist() == [
        0,
        500,
        500,
        700,
        700,
    ]
    assert usage.at(2000.0) == (500,)
    assert usage.rates(2000.0) == (0,)
    assert usage.rates(3000.0) == (400,)

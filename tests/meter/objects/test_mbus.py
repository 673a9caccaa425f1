"""The gas meter as the electricity meter shows it."""

from collections.abc import Callable
from typing import Any

import pytest

from meterway.base.obis import Obis
from meterway.meter.device import Meter
from meterway.meter.gas import gas_litres_at
from meterway.meter.objects.mbus import channel_of_status, channel_of_value
from meterway.stacks.dlms.axdr import CosemDateTime

Make = Callable[..., Meter]
Talks = Callable[..., Any]


@pytest.mark.covers("UC-BI-01", "F1a")
def test_the_hourly_profile_of_the_gas_meter_ends_with_its_value(make: Make, talk: Talks, now: float) -> None:
    meter = make(country="smr5", profile_days=2)
    line = talk(meter)
    rows = line.get(7, "0-1:24.3.0*255")
    assert len(rows) == 48
    assert rows[-1][1:3] == [0, gas_litres_at(meter.load, 1, now)] or rows[-1][1:3] == (
        0,
        gas_litres_at(meter.load, 1, now),
    )
    assert line.get(4, "0-1:24.2.1*255") == rows[-1][2]
    told = CosemDateTime.decode(rows[-1][3]).utc()
    assert told is not None
    assert told.timestamp() == now // 3600 * 3600
    assert line.get(4, "0-1:24.2.1*255", 3).symbol == "m³"


def test_the_channel_tells_who_its_meter_is(make: Make, talk: Talks) -> None:
    line = talk(make(country="smr5"))
    number = line.get(72, "0-1:24.1.0*255", 6)
    assert f"{number:x}".isdigit()
    assert line.get(72, "0-1:24.1.0*255", 9) == 3


def test_only_the_measured_value_and_the_profile_status_of_a_channel_are_bound() -> None:
    assert (channel_of_value(Obis(0, 2, 24, 2, 1)), channel_of_value(Obis(0, 2, 24, 2, 2))) == (2, None)
    assert (channel_of_status(Obis(0, 1, 96, 10, 3)), channel_of_status(Obis(0, 0, 96, 10, 3))) == (1, None)

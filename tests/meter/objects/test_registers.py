"""Registers read by a client."""

from collections.abc import Callable
from typing import Any

import pytest

from meterway.meter.device import Meter
from meterway.meter.load import LoadKind
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.xdlms.results import ActionResult

Make = Callable[..., Meter]
Talks = Callable[..., Any]


@pytest.mark.covers("F1a", "F1b", "UC-BI-02")
def test_totals_and_tariffs_agree_with_the_meter(make: Make, talk: Talks, now: float) -> None:
    meter = make(kind=LoadKind.PV)
    line = talk(meter, 3)
    totals = [line.get(3, f"1-0:{group}.8.0*255") for group in (1, 2, 3, 4)]
    assert tuple(totals) == meter.energy_at(now)
    for direction, total in ((1, totals[0]), (2, totals[1])):
        assert sum(line.get(3, f"1-0:{direction}.8.{rate}*255") for rate in (1, 2, 3, 4)) == total


def test_scaled_voltage_times_current_is_about_the_power(make: Make, talk: Talks) -> None:
    line = talk(make(), 3)
    apparent = 0.0
    for phase in (0, 20, 40):
        volts, amps = line.get(3, f"1-0:{32 + phase}.7.0*255"), line.get(3, f"1-0:{31 + phase}.7.0*255")
        apparent += volts * 0.1 * amps * 0.01
    active, reactive = line.get(3, "1-0:1.7.0*255"), line.get(3, "1-0:3.7.0*255") - line.get(3, "1-0:4.7.0*255")
    assert apparent == pytest.approx((active**2 + reactive**2) ** 0.5, abs=5)
    assert line.get(3, "1-0:32.7.0*255", 3).symbol == "V"
    assert 4990 <= line.get(3, "1-0:14.7.0*255") <= 5010


def test_demand_and_its_peak(make: Make, talk: Talks, now: float) -> None:
    meter = make()
    line = talk(meter)
    watts, when = meter.demand_max(meter.load.zone.month_start(now), now)
    assert line.get(4, "1-0:1.6.0*255") == watts
    captured = line.get(4, "1-0:1.6.0*255", 5)
    assert isinstance(captured, CosemDateTime)
    utc = captured.utc()
    assert utc is not None
    assert utc.timestamp() == when
    assert line.get(5, "1-0:1.4.0*255", 2) <= meter.network(now).import_w
    assert line.act(5, "1-0:1.4.0*255", 1) is ActionResult.OTHER_REASON
    assert line.act(4, "1-0:1.6.0*255", 1) is ActionResult.SUCCESS
    assert line.get(4, "1-0:1.6.0*255") == 0
    line.now += 3600
    assert line.get(4, "1-0:1.6.0*255") == meter.demand_max(now, now + 3600)[0] > 0

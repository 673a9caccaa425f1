"""What a telegram says, in words and as registers."""

from __future__ import annotations

from datetime import UTC

import pytest

from lnap_town import HEAT, RadioMeter
from meterway.base.obis import Obis
from meterway.interfaces.mbus.saying import told_by
from meterway.mapping.drivers.registry import bundled_drivers
from meterway.stacks.mbus.records.record import make_record
from meterway.stacks.mbus.telegram import decode


@pytest.mark.covers("IF-M", "F1a")
def test_readings_and_registers_of_a_telegram_are_told_and_the_valve_is_noted() -> None:
    meter = RadioMeter()
    bound = meter.bound()
    telegram = decode(meter.telegram(1.5, make_record(b"\xfd\x1a", 0, 1)), keys=[meter.key])
    told, registers = told_by(telegram, bound, bundled_drivers(), UTC)
    assert next(one.name for one in told) == "volume"
    assert [(one.obis, one.raw, one.scaler) for one in registers] == [(Obis(7, 0, 3, 0, 0), 1500, -3)]
    assert bound.valve == 0


def test_a_telegram_without_values_tells_nothing_and_leaves_the_valve_as_it_was() -> None:
    meter = RadioMeter(kind=HEAT)
    bound = meter.bound(valve=1)
    telegram = decode(meter.telegram(1), keys=[meter.key])
    assert told_by(telegram, bound, bundled_drivers(), UTC)[1]
    assert bound.valve == 1

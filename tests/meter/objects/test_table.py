"""How objects are described."""

from collections.abc import Callable

from meterway.base.obis import Obis
from meterway.meter.device import Meter
from meterway.meter.objects.model import model_of
from meterway.meter.objects.table import moment, store, typed_of, u32
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.xdlms.results import DataAccessResult

Make = Callable[..., Meter]


def test_a_stored_value_belongs_to_one_meter_only(make: Make, now: float) -> None:
    one, other = make("M1"), make("M2")
    limiter = model_of("idis").objects[71, Obis(0, 0, 17, 0, 0)]
    assert store(limiter, 6, one, axdr.u32(5)) is DataAccessResult.SUCCESS
    assert (typed_of(limiter, 6, one, now), typed_of(limiter, 6, other, now)) == (5, 60)


def test_a_register_rolls_over() -> None:
    assert u32(2**32 + 7) == u32(7)


def test_moments_stay_within_the_calendar(make: Make) -> None:
    meter = make()
    assert CosemDateTime.decode(moment(meter, -1e9)).year == 1970
    assert CosemDateTime.decode(moment(meter, 1e15)).year == 9999

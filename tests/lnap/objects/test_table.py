"""Numbers, moments and scalers are written as registers have them."""

from __future__ import annotations

from meterway.base.obis import Obis
from meterway.lnap.objects.table import Thing, date_time, fixed, number, scaler_unit
from meterway.stacks.dlms import axdr


def test_a_number_takes_the_type_it_needs() -> None:
    assert [axdr.encode(number(value))[0] for value in (0, 2**32 - 1, 2**32, -1)] == [6, 6, 20, 20]


def test_a_moment_is_utc() -> None:
    octets = date_time(0.0).value
    assert axdr.CosemDateTime.decode(octets).utc().timestamp() == 0.0  # type: ignore[arg-type, union-attr]


def test_a_thing_is_known_by_class_and_name() -> None:
    thing = Thing(class_id=3, obis=Obis(7, 0, 3, 0, 0), attributes={3: fixed(scaler_unit(-3, 13))})
    assert thing.key == (3, Obis(7, 0, 3, 0, 0))
    assert thing.methods == {}

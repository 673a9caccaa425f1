"""Small parts of objects."""

from meterway.base.obis import Obis
from meterway.home.objects.table import Thing, fixed
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.tabled.table import date_time


def test_an_object_is_found_by_class_and_name_and_fixed_values_stay():
    thing = Thing(class_id=1, obis=Obis(0, 0, 42, 0, 0), attributes={2: fixed(axdr.u8(7))})
    assert thing.key == (1, Obis(0, 0, 42, 0, 0))
    assert thing.attributes[2].read(None) == b"\x11\x07"


def test_a_moment_is_twelve_octets_of_utc():
    assert axdr.native(date_time(1_795_467_600)).hex() == "07ea0b170115000000000000"
    assert len(axdr.native(date_time(1e18))) == 12

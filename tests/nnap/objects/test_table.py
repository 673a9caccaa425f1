"""How an object is made."""

from meterway.base.obis import Obis
from meterway.nnap.objects.table import data_object, date_time, fixed, text
from meterway.stacks.dlms import axdr


def test_values_and_moments():
    thing = data_object(Obis(0, 0, 42, 0, 0), fixed(text("A")))
    assert thing.key == (1, Obis(0, 0, 42, 0, 0))
    assert thing.attributes[2].read(None) == b"\x09\x01A"
    moment = axdr.CosemDateTime.decode(date_time(1_790_000_000).value)
    assert moment.utc(0).timestamp() == 1_790_000_000
    assert date_time(1e18).value[:2] == (9999).to_bytes(2, "big")

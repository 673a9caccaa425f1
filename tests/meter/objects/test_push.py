"""What a push says."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from meterway.base.obis import Obis
from meterway.meter.device import Meter
from meterway.meter.objects.push import push_notification
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.xdlms.notification import DataNotification
from meterway.stacks.dlms.xdlms.results import DataAccessResult

Make = Callable[..., Meter]
Talks = Callable[..., Any]
SWITCH, LIMITER, CALENDAR, IMAGE = "0-0:96.3.10*255", "0-0:17.0.0*255", "0-0:13.0.0*255", "0-0:44.0.0*255"
SWITCH_SCRIPTS = Obis.parse("0-0:10.0.106*255")


@pytest.mark.covers("UC-EV-02", "UC-BI-01")
def test_a_push_tells_its_setup_the_meter_the_time_and_the_values(make: Make, now: float) -> None:
    meter = make()
    push = decode_apdu(push_notification(meter, Obis(0, 1, 25, 9, 0), 5, now))
    assert isinstance(push, DataNotification)
    values, _ = axdr.to_native(push.body)
    assert isinstance(values, list)
    assert values[:2] == [Obis(0, 1, 25, 9, 0).encode(), b"MWYM0001"]
    assert CosemDateTime.decode(values[2]).utc() == datetime.fromtimestamp(int(now), UTC)
    assert values[3:] == [*meter.energy_at(now)[:2], meter.network(now).import_w, meter.network(now).export_w]


def test_what_a_meter_does_not_have_is_pushed_as_null(make: Make, talk: Talks, now: float) -> None:
    meter = make()
    unknown = axdr.structure(axdr.u16(3), axdr.octets(Obis(1, 0, 99, 99, 99).encode()), axdr.i8(2), axdr.u16(0))
    assert talk(meter).set(40, "0-1:25.9.0*255", 2, axdr.array(unknown)) is DataAccessResult.SUCCESS
    push = decode_apdu(push_notification(meter, Obis(0, 1, 25, 9, 0), 1, now))
    assert isinstance(push, DataNotification)
    assert axdr.to_native(push.body)[0] == [None]

"""Names, status words and the clock object."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from meterway.meter.device import Meter
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes.clock import TimeZone
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

Make = Callable[..., Meter]
Talks = Callable[..., Any]
CLOCK = "0-0:1.0.0*255"


def test_names_are_those_of_the_settings(make: Make, talk: Talks) -> None:
    line = talk(make("ABC123", flag="XYZ"))
    assert line.get(1, "0-0:42.0.0*255") == b"XYZABC123"
    assert line.get(1, "0-0:96.1.0*255") == b"ABC123"
    assert line.get(17, "0-0:41.0.0*255")[0].logical_device_name == b"XYZABC123"
    assert line.get(64, "0-0:43.0.0*255", 5)[:3] == b"XYZ"


@pytest.mark.parametrize("month", [1, 3, 7, 10, 12])
def test_the_clock_object_describes_the_zone_it_shows(make: Make, talk: Talks, month: int) -> None:
    """A reader that works out local time from the attributes comes to the time the clock shows."""
    line = talk(make())
    moment = datetime(2026, month, 29, 10, 0, tzinfo=UTC)
    line.now = moment.timestamp()
    zone = TimeZone(
        time_zone_min=line.get(8, CLOCK, 3),
        begin=line.get(8, CLOCK, 5),
        end=line.get(8, CLOCK, 6),
        dst_deviation_min=line.get(8, CLOCK, 7),
        enabled=line.get(8, CLOCK, 8),
    )
    shown = line.get(8, CLOCK)
    assert shown.utc() == moment
    assert shown == zone.local(moment)
    assert shown.status == line.get(8, CLOCK, 4)


def test_a_time_without_a_deviation_is_local_and_a_hole_is_refused(make: Make, talk: Talks) -> None:
    meter = make()
    line = talk(meter)
    local = CosemDateTime(year=2026, month=7, day=1, hour=12, minute=0, second=0)
    assert line.set(8, CLOCK, 2, axdr.octets(local.encode())) is DataAccessResult.SUCCESS
    assert meter.clock(line.now) == datetime(2026, 7, 1, 10, tzinfo=UTC).timestamp()
    hole = CosemDateTime(year=2026)
    assert line.set(8, CLOCK, 2, axdr.octets(hole.encode())) is DataAccessResult.OTHER_REASON
    assert line.act(8, CLOCK, 6, axdr.i16(901)) is ActionResult.OTHER_REASON
    assert line.act(8, CLOCK, 6, axdr.u8(1)) is ActionResult.TYPE_UNMATCHED

"""The clock object."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from meterway.meter.device import Meter
from meterway.meter.memory import recall, remembered
from meterway.meter.objects.clock import restore_zone
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes.clock import TimeZone
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

Make = Callable[..., Meter]
Talks = Callable[..., Any]
CLOCK = "0-0:1.0.0*255"


def preset(target: datetime, start: datetime, end: datetime) -> axdr.Data:
    return axdr.structure(*[axdr.octets(CosemDateTime.from_utc(moment).encode()) for moment in (target, start, end)])


def test_the_preset_time_is_taken_within_its_interval_and_only_once(make: Make, talk: Talks, now: float) -> None:
    meter = make()
    line = talk(meter)
    clock = datetime.fromtimestamp(now, UTC).replace(microsecond=0)
    assert line.act(8, CLOCK, 4) is ActionResult.OTHER_REASON
    late = preset(clock + timedelta(hours=2), clock + timedelta(minutes=1), clock + timedelta(minutes=9))
    assert line.act(8, CLOCK, 5, late) is ActionResult.SUCCESS
    assert line.act(8, CLOCK, 4) is ActionResult.OTHER_REASON
    line.now = now + 120
    assert line.act(8, CLOCK, 4) is ActionResult.SUCCESS
    assert meter.clock(line.now) == (clock + timedelta(hours=2)).timestamp()
    assert line.act(8, CLOCK, 4) is ActionResult.OTHER_REASON
    assert line.act(8, CLOCK, 5, axdr.u8(1)) is ActionResult.TYPE_UNMATCHED


@pytest.mark.covers("UC-IN-02")
def test_the_zone_is_set_and_the_clock_shows_it(make: Make, talk: Talks) -> None:
    """South of the equator: summer time over the turn of the year, half an hour of it."""
    line = talk(make())
    begin = CosemDateTime(month=10, day=1, hour=2, minute=0, second=0)
    end = CosemDateTime(month=4, day=1, hour=3, minute=0, second=0)
    values = {
        3: axdr.i16(-630),
        5: axdr.octets(begin.encode()),
        6: axdr.octets(end.encode()),
        7: axdr.i8(30),
        8: axdr.boolean(True),
    }
    for attribute, value in values.items():
        assert line.set(8, CLOCK, attribute, value) is DataAccessResult.SUCCESS
    zone = TimeZone(time_zone_min=-630, begin=begin, end=end, dst_deviation_min=30)
    for month in (1, 3, 4, 7, 10, 12):
        moment = datetime(2026, month, 2, 12, tzinfo=UTC)
        line.now = moment.timestamp()
        assert line.get(8, CLOCK) == zone.local(moment)
    restarted = make()
    restarted.changed = line.meter.changed
    restore_zone(restarted)
    assert restarted.zone == line.meter.zone


def test_a_zone_that_makes_no_sense_is_refused(make: Make, talk: Talks) -> None:
    meter = make()
    line = talk(meter)
    assert line.set(8, CLOCK, 3, axdr.i16(9000)) is DataAccessResult.OTHER_REASON
    assert line.set(8, CLOCK, 7, axdr.i8(-5)) is DataAccessResult.OTHER_REASON
    assert line.set(8, CLOCK, 5, axdr.u8(1)) is DataAccessResult.TYPE_UNMATCHED
    assert line.set(8, CLOCK, 9, axdr.enum(0)) is DataAccessResult.READ_WRITE_DENIED
    assert meter.zone == meter.config.zone


def test_a_new_zone_changes_no_row_of_the_time_before_it(make: Make, talk: Talks, now: float) -> None:
    meter = make()
    line = talk(meter)
    last = int(now // 900)
    slots = np.arange(last - 96, last + 1)
    before = meter.rates_slots(slots)
    assert line.set(8, CLOCK, 3, axdr.i16(-600)) is DataAccessResult.SUCCESS
    assert (meter.rates_slots(slots) == before).all()
    meter.tariff_mark = None  # as where everything is worked out anew
    assert (meter.rates_slots(slots) == before).all()
    again = make()
    recall(again, msgspec.to_builtins(remembered(meter)))
    assert again.zones == meter.zones
    later = slots + 96
    assert (again.rates_slots(later) == meter.rates_slots(later)).all()
    unmoved = make()
    assert (unmoved.rates_slots(later)[:, 4:] != meter.rates_slots(later)[:, 4:]).any(), "it holds from then on"

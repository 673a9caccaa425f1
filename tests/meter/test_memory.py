"""What a meter remembers over a restart."""

import json
from collections.abc import Callable

import msgspec
import pytest

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.meter.device import Meter
from meterway.meter.events import EventCode, Log
from meterway.meter.memory import recall, remembered
from meterway.meter.objects import restore_zone
from meterway.meter.tariff import flat_plan
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes.disconnect_control import Mover, Supply

Make = Callable[..., Meter]
LOAD, BILLING = Obis(1, 0, 99, 1, 0), Obis(0, 0, 98, 1, 0)


def restarted(meter: Meter, make: Make) -> Meter:
    """Through JSON text, as the file has it."""
    fresh = make()
    recall(fresh, json.loads(json.dumps(msgspec.to_builtins(remembered(meter)))))
    return fresh


def lived(make: Make, now: float) -> Meter:
    meter = make()
    meter.change((7, LOAD, 4), axdr.encode(axdr.u32(1800)))
    meter.change((8, Obis(0, 0, 1, 0, 0), 3), axdr.encode(axdr.i16(-120)))
    restore_zone(meter)
    meter.reset_buffer(LOAD, now - 9000)
    meter.capture(BILLING, now - 8000)
    meter.activate(flat_plan(3), now - 7000)
    meter.clear_log(Log.FRAUD, now - 6000)
    meter.add_outage(now - 5000, now - 3000)
    meter.set_clock(now + 7, now - 2000)
    meter.move(Mover.REMOTE, Supply.OFF, now - 100)
    meter.reset_demand(now - 50)
    return meter


@pytest.mark.covers("SEC-09", "F3a", "F4a")
def test_a_restart_keeps_settings_logs_calendars_switch_and_energy(make: Make, now: float) -> None:
    meter = lived(make, now)
    again = restarted(meter, make)
    assert remembered(again) == remembered(meter)
    assert again.energy_at(now) == meter.energy_at(now) == meter.energy_at(now + 900)
    assert again.rates_at(now) == meter.rates_at(now)
    assert again.plans == meter.plans
    assert again.zone.standard_min == 120
    codes = [event.code for event in again.log_events(Log.FRAUD, 0, now, now)]
    assert codes == [EventCode.LOG_CLEARED]


def test_a_fresh_meter_has_nothing_to_remember(make: Make) -> None:
    assert not make().touched
    assert restarted(make(), make).changed is None


@pytest.mark.parametrize(
    "kept", [{"what": 1}, {"switch": [9, 4]}, {"changed": [[7, "x", 4, "00"]]}, {"plans": [[0, []]]}]
)
def test_what_no_meter_wrote_is_refused(make: Make, kept: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="M0001"):
        recall(make(), kept)

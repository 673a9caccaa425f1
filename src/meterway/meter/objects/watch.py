"""What a meter does by itself as time passes: limiter, register monitor, scheduled scripts, calendar activation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, cast

from meterway.meter.device import Meter
from meterway.meter.events import EventCode, Log
from meterway.meter.objects.control import run_script
from meterway.meter.objects.model import model_of
from meterway.meter.objects.table import CosemObject, typed_of
from meterway.meter.objects.tariffs import activate_calendar
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.classes.activity_calendar import passive_is_due
from meterway.stacks.dlms.classes.disconnect_control import Mover
from meterway.stacks.dlms.classes.elements import ActionItem
from meterway.stacks.dlms.classes.limiter import EmergencyProfile, LimiterActions, LimiterSettings, LimiterState
from meterway.stacks.dlms.classes.register_monitor import ActionSet, crossings
from meterway.stacks.dlms.classes.schedule import ExecutionTime, next_execution

__all__ = ["needs_watching", "watch"]

_MONITOR, _CALENDAR, _SCHEDULE, _LIMITER = 21, 20, 22, 71
_WATCHED: Final = frozenset({(_CALENDAR, 10), (_MONITOR, 2), (_LIMITER, 4), (_LIMITER, 5), (_SCHEDULE, 4)})
"""Classes and attributes that, once set, make the meter act by itself."""


def needs_watching(meter: Meter) -> bool:
    """Whether anything was set that makes the meter act by itself."""
    return meter.changed is not None and any((key[0], key[2]) in _WATCHED for key in meter.changed)


def watch(meter: Meter, now: float) -> None:
    """Carry out what has become due since the last look; the first look only starts the watch."""
    if not needs_watching(meter) or meter.changed is None:
        meter.ran_until = now
        return
    before, meter.ran_until = meter.ran_until or now, now
    model = model_of(meter.config.country)
    for thing in model.objects.values():
        if thing.class_id == _LIMITER and (thing.key(4) in meter.changed or thing.key(5) in meter.changed):
            _limit(meter, thing, now)
        elif before < now:
            _look(meter, thing, before, now)


def _look(meter: Meter, thing: CosemObject, before: float, now: float) -> None:
    """At one object that may have become due."""
    if thing.class_id == _MONITOR:
        _monitor(meter, thing, before, now)
    elif thing.class_id == _SCHEDULE:
        _run_due(meter, thing, before, now)
    elif thing.class_id == _CALENDAR:
        _activate_due(meter, thing, before, now)


def limiter_settings(limiter: CosemObject, meter: Meter, now: float) -> LimiterSettings:
    """The limiter as it is set, thresholds in W."""
    values = {number: typed_of(limiter, number, meter, now) for number in (4, 5, 6, 7, 8, 9, 11)}
    return LimiterSettings(
        threshold_normal=_threshold(values[4]),
        threshold_emergency=_threshold(values[5]),
        min_over_s=cast(int, values[6]),
        min_under_s=cast(int, values[7]),
        emergency=cast(EmergencyProfile, values[8]),
        groups=cast(tuple[int, ...], values[9]),
        actions=cast(LimiterActions, values[11]),
    )


def _threshold(value: object) -> float:
    """A threshold that is no number is never exceeded: the norm lets it be of any type."""
    return value if isinstance(value, int | float) else float("inf")


def _limit(meter: Meter, limiter: CosemObject, now: float) -> None:
    settings = limiter_settings(limiter, meter, now)
    state = meter.limiter or LimiterState()
    deviation = -meter.zone.offset_min(now)
    moment = datetime.fromtimestamp(now, UTC)
    meter.limiter, due = state.step(settings, meter.network(now).import_w, now=moment, deviation_min=deviation)
    if meter.limiter.over != state.over:
        meter.log(now, Log.DISCONNECTOR, EventCode.LIMIT_EXCEEDED if meter.limiter.over else EventCode.LIMIT_OK)
    if due is not None:
        run_script(meter, due, now, Mover.LOCAL)


def _monitor(meter: Meter, monitor: CosemObject, before: float, now: float) -> None:
    given = cast(tuple[object, ...], typed_of(monitor, 2, meter, now))
    if not given:
        return
    thresholds = tuple(_threshold(value) for value in given)
    actions = cast(tuple[ActionSet, ...], typed_of(monitor, 4, meter, now))
    was, value = meter.network(before).import_w, meter.network(now).import_w
    for due in crossings(thresholds, actions, before=was, after=value):
        run_script(meter, due, now, Mover.LOCAL)


def _run_due(meter: Meter, schedule: CosemObject, before: float, now: float) -> None:
    if meter.changed is None or schedule.key(4) not in meter.changed:
        return
    times = cast(tuple[ExecutionTime, ...], typed_of(schedule, 4, meter, now))
    zone = meter.zone
    due = next_execution(times, zone.local(meter.clock(before)))
    if due is not None and due <= zone.local(meter.clock(now)):
        run_script(meter, cast(ActionItem, typed_of(schedule, 2, meter, now)), now)


def _activate_due(meter: Meter, calendar: CosemObject, before: float, now: float) -> None:
    zone = meter.zone
    at = cast(CosemDateTime | None, typed_of(calendar, 10, meter, now))
    if passive_is_due(at, zone.local(meter.clock(before)), zone.local(meter.clock(now))):
        activate_calendar(calendar, meter, now)

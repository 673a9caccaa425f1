"""The clock object: time, zone, summer time, and the ways to set them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, cast

from meterway.base.obis import Obis
from meterway.meter.device import Meter
from meterway.meter.events import EventCode, Log
from meterway.meter.objects.table import Ask, Behaviour, Call, Live, Write, encoded_octets, moment
from meterway.meter.zone import Zone, always
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data, Tag
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.clock import MAX_SHIFT_S, PresetTime, adjusted
from meterway.stacks.dlms.classes.types import Mismatch
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["CLOCK", "CLOCK_BEHAVIOUR", "restore_zone"]

CLOCK: Final = Obis(0, 0, 1, 0, 0)
_TABLE: Final = interface_class(8)
_SUNDAY: Final = 7
_LAST: Final = 0xFE
_MARCH, _OCTOBER = 3, 10
_PRESET: Final = (8, CLOCK, -5)
"""Where ``Meter.changed`` keeps the preset time: it is no attribute."""


# -- time --------------------------------------------------------------------------------------------------


def _time(ask: Ask) -> bytes:
    return b"\x09\x0c" + moment(ask.meter, ask.meter.clock(ask.now))


def _set_time(meter: Meter, value: Data, now: float) -> DataAccessResult:
    try:
        wanted = _TABLE.attribute(2).type.typed(value, [])
    except Mismatch:
        return DataAccessResult.TYPE_UNMATCHED
    unix = _unix(meter.zone, wanted) if isinstance(wanted, CosemDateTime) else None
    if unix is None:
        return DataAccessResult.OTHER_REASON
    meter.set_clock(unix, now)
    return DataAccessResult.SUCCESS


def _unix(zone: Zone, wanted: CosemDateTime) -> float | None:
    """Unix seconds; local time of the meter where the deviation is not specified, None for what is no moment."""
    local = wanted.local()
    if local is None:
        return None
    utc = wanted.utc()
    return float(zone.unix(local)) if utc is None else utc.timestamp()


def _status(ask: Ask) -> bytes:
    return bytes((Tag.UNSIGNED, 0x80 * ask.meter.zone.is_summer(ask.meter.clock(ask.now))))


# -- zone --------------------------------------------------------------------------------------------------


def _turn(zone: Zone, month: int) -> CosemDateTime:
    """The last Sunday of a month at 01:00 UTC, told as local time of before the turn."""
    minutes = 60 + zone.standard_min + (zone.saving_min if month == _OCTOBER else 0)
    hour, minute = divmod(minutes % 1440, 60)
    return CosemDateTime(month=month, day=_LAST, weekday=_SUNDAY, hour=hour, minute=minute, second=0, hundredths=0)


def _begin(ask: Ask) -> bytes:
    zone = ask.meter.zone
    return encoded_octets((zone.begin or _turn(zone, _MARCH)).encode())


def _end(ask: Ask) -> bytes:
    zone = ask.meter.zone
    return encoded_octets((zone.end or _turn(zone, _OCTOBER)).encode())


def _standard(ask: Ask) -> bytes:
    return b"\x10" + (-ask.meter.zone.standard_min).to_bytes(2, "big", signed=True)


def _with(zone: Zone, attribute: int, value: object) -> Zone | None:
    """The zone with one attribute of the clock set; None for a value that makes no sense."""
    if attribute == 3 and isinstance(value, int) and -840 <= value <= 720:
        return replace(zone, standard_min=-value)
    if attribute == 5 and isinstance(value, CosemDateTime):
        return replace(zone, begin=value)
    if attribute == 6 and isinstance(value, CosemDateTime):
        return replace(zone, end=value)
    if attribute == 7 and isinstance(value, int) and 0 <= value <= 120:
        return replace(zone, saving_min=value)
    return replace(zone, summer_time=bool(value)) if attribute == 8 else None


def _setter(attribute: int) -> Write:
    kind = _TABLE.attribute(attribute).type

    def write(meter: Meter, value: Data, now: float) -> DataAccessResult:
        try:
            typed = kind.typed(value, [])
        except Mismatch:
            return DataAccessResult.TYPE_UNMATCHED
        zone = _with(meter.zone, attribute, typed)
        if zone is None:
            return DataAccessResult.OTHER_REASON
        meter.rates_at(now)  # what was counted up to now stays as it is
        meter.change_zone(zone, now)
        meter.change((8, CLOCK, attribute), axdr.encode(kind.untyped(typed)))
        meter.log(now, Log.STANDARD, EventCode.PARAMETERS_CHANGED)
        return DataAccessResult.SUCCESS

    return write


def restore_zone(meter: Meter) -> None:
    """Take the zone from the attributes that were set."""
    for attribute in (3, 5, 6, 7, 8):
        octets = (meter.changed or {}).get((8, CLOCK, attribute))
        if octets is not None:
            value = _TABLE.attribute(attribute).type.typed(axdr.decode_all(octets), [])
            meter.zone = _with(meter.zone, attribute, value) or meter.zone
    if meter.zones[-1][1] != meter.zone:  # kept without its history
        meter.zones = always(meter.zone)


# -- methods -----------------------------------------------------------------------------------------------


def _adjust(period_s: int) -> Call:
    def adjust(meter: Meter, parameter: Data, now: float) -> ActionResult:
        meter.set_clock(adjusted(meter.clock(now), period_s), now)
        return ActionResult.SUCCESS

    return adjust


def _preset(meter: Meter, parameter: Data, now: float) -> ActionResult:
    try:
        preset = _TABLE.method(5).type.typed(parameter, [])
    except Mismatch:
        return ActionResult.TYPE_UNMATCHED
    wanted = cast(PresetTime, preset)
    moments = (wanted.preset_time, wanted.validity_interval_start, wanted.validity_interval_end)
    if any(entry is None or _unix(meter.zone, entry) is None for entry in moments):
        return ActionResult.OTHER_REASON
    meter.change(_PRESET, axdr.encode(parameter))
    return ActionResult.SUCCESS


def _adjust_to_preset(meter: Meter, parameter: Data, now: float) -> ActionResult:
    """Only within the validity interval, and only once."""
    octets = (meter.changed or {}).get(_PRESET)
    if octets is None or meter.changed is None:
        return ActionResult.OTHER_REASON
    preset = cast(PresetTime, _TABLE.method(5).type.typed(axdr.decode_all(octets), []))
    target, start, end = (
        _unix(meter.zone, cast(CosemDateTime, entry))
        for entry in (preset.preset_time, preset.validity_interval_start, preset.validity_interval_end)
    )
    if target is None or start is None or end is None or not start <= meter.clock(now) <= end:
        return ActionResult.OTHER_REASON
    meter.changed = {key: value for key, value in meter.changed.items() if key != _PRESET}
    meter.set_clock(target, now)
    return ActionResult.SUCCESS


def _shift(meter: Meter, parameter: Data, now: float) -> ActionResult:
    seconds = parameter.value
    if parameter.tag not in (Tag.LONG, Tag.INTEGER) or not isinstance(seconds, int):
        return ActionResult.TYPE_UNMATCHED
    if abs(seconds) > MAX_SHIFT_S:
        return ActionResult.OTHER_REASON
    meter.set_clock(meter.clock(now) + seconds, now)
    return ActionResult.SUCCESS


CLOCK_BEHAVIOUR: Final = Behaviour(
    live={
        2: Live(_time, _set_time),
        3: Live(_standard, _setter(3)),
        4: Live(_status),
        5: Live(_begin, _setter(5)),
        6: Live(_end, _setter(6)),
        7: Live(lambda ask: b"\x0f" + ask.meter.zone.saving_min.to_bytes(1, "big", signed=True), _setter(7)),
        8: Live(lambda ask: bytes((Tag.BOOLEAN, ask.meter.zone.summer_time)), _setter(8)),
    },
    methods={1: _adjust(900), 2: _adjust(900), 3: _adjust(60), 4: _adjust_to_preset, 5: _preset, 6: _shift},
    factory={9: axdr.enum(1)},
)

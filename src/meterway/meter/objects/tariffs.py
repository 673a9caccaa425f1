"""When which tariff holds: calendars, special days, and the masks of the tariff registers."""

from __future__ import annotations

from collections.abc import Container
from typing import Final, cast

from meterway.base.obis import Obis
from meterway.meter.device import Meter
from meterway.meter.events import EventCode, Log
from meterway.meter.objects.table import (
    Ask,
    Behaviour,
    CosemObject,
    Live,
    parameter_of,
    typed_of,
)
from meterway.meter.tariff import TariffPlan, plan_of
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data, Tag
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.activity_calendar import Calendar, DayProfile, Season, SpecialDay, WeekProfile
from meterway.stacks.dlms.classes.types import Mismatch
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["CALENDAR", "SPECIAL_DAYS", "activate_calendar", "activation_behaviour"]


def _active(attribute: int) -> Live:
    names = {2: "name", 3: "seasons", 4: "weeks", 5: "days"}

    def read(ask: Ask) -> bytes:
        value = getattr(ask.meter.plans[-1][1].calendar, names[attribute])
        return axdr.encode(interface_class(20).attribute(attribute).type.untyped(value))

    return Live(read)


def _programmed(meter: Meter, now: float) -> None:
    meter.log(now, Log.STANDARD, EventCode.PASSIVE_CALENDAR_PROGRAMMED)


def activate_calendar(calendar: CosemObject, meter: Meter, now: float) -> ActionResult:
    """Put the passive calendar of a meter into force."""
    parts = [typed_of(calendar, attribute, meter, now) for attribute in (6, 7, 8, 9)]
    if None in parts or not parts[3]:
        return ActionResult.OTHER_REASON
    passive = Calendar(
        name=cast(bytes, parts[0]),
        seasons=cast(tuple[Season, ...], parts[1]),
        weeks=cast(tuple[WeekProfile, ...], parts[2]),
        days=cast(tuple[DayProfile, ...], parts[3]),
    )
    meter.activate(plan_of(passive, meter.plans[-1][1].special), now)
    return ActionResult.SUCCESS


CALENDAR: Final = Behaviour(
    live={attribute: _active(attribute) for attribute in (2, 3, 4, 5)},
    factory={
        6: axdr.octets(b""),
        7: axdr.array(),
        8: axdr.array(),
        9: axdr.array(),
        10: axdr.octets(CosemDateTime().encode()),
    },
    after={6: _programmed},
)


def _special_days(ask: Ask) -> bytes:
    return axdr.encode(interface_class(11).attribute(2).type.untyped(ask.meter.plans[-1][1].special))


def _new_special(meter: Meter, special: tuple[SpecialDay, ...], now: float) -> None:
    plan: TariffPlan = meter.plans[-1][1]
    meter.activate(plan_of(plan.calendar, tuple(sorted(special, key=lambda day: day.index))), now)


def _set_special(meter: Meter, value: Data, now: float) -> DataAccessResult:
    try:
        special = interface_class(11).attribute(2).type.typed(value, [])
    except Mismatch:
        return DataAccessResult.TYPE_UNMATCHED
    _new_special(meter, cast(tuple[SpecialDay, ...], special), now)
    return DataAccessResult.SUCCESS


def _insert_special(meter: Meter, parameter: Data, now: float) -> ActionResult:
    day = parameter_of(11, 0, 1, parameter)
    if not isinstance(day, SpecialDay):
        return ActionResult.TYPE_UNMATCHED
    others = tuple(entry for entry in meter.plans[-1][1].special if entry.index != day.index)
    _new_special(meter, (*others, day), now)
    return ActionResult.SUCCESS


def _delete_special(meter: Meter, parameter: Data, now: float) -> ActionResult:
    index = parameter_of(11, 0, 2, parameter)
    kept = tuple(entry for entry in meter.plans[-1][1].special if entry.index != index)
    if len(kept) == len(meter.plans[-1][1].special):
        return ActionResult.OTHER_REASON
    _new_special(meter, kept, now)
    return ActionResult.SUCCESS


SPECIAL_DAYS: Final = Behaviour(
    live={2: Live(_special_days, _set_special)}, methods={1: _insert_special, 2: _delete_special}
)
_RATES: Final = [Obis(1, 0, direction, 8, rate) for direction in (1, 2) for rate in (1, 2, 3, 4)]
_MASKS: Final = {b"RATE%d" % rate: rate for rate in (1, 2, 3, 4)}


def _set_mask(meter: Meter, value: Data, now: float) -> DataAccessResult:
    """Let a tariff hold until the calendar switches to the next one."""
    if value.tag != Tag.OCTET_STRING:
        return DataAccessResult.TYPE_UNMATCHED
    rate = _MASKS.get(cast(bytes, value.value))
    if rate is None:
        return DataAccessResult.OTHER_REASON
    meter.force_tariff(rate, now)
    return DataAccessResult.SUCCESS


def activation_behaviour(registers: Container[Obis]) -> Behaviour:
    """Which of the tariff registers that there are counts under which mask."""
    rates = [obis for obis in _RATES if obis in registers]
    masks = [
        axdr.structure(
            axdr.octets(name), axdr.array(*[axdr.u8(n) for n, obis in enumerate(rates, 1) if obis.e == rate])
        )
        for name, rate in _MASKS.items()
    ]
    return Behaviour(
        live={4: Live(lambda ask: b"\x09\x05RATE%d" % ask.meter.tariff(ask.now), _set_mask)},
        factory={
            2: axdr.array(*[axdr.structure(axdr.u16(3), axdr.octets(obis.encode())) for obis in rates]),
            3: axdr.array(*masks),
        },
    )

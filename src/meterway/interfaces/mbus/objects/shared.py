"""What every logical device has: clock, names, alarm register, event log, push setup."""

from __future__ import annotations

from typing import Final

from meterway.base.obis import Obis
from meterway.interfaces.mbus.events import Code, Event
from meterway.interfaces.mbus.objects.table import Ask, Attr, Method, Thing
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.elements import CaptureObject
from meterway.stacks.dlms.classes.types import Mismatch
from meterway.stacks.dlms.tabled import Right
from meterway.stacks.dlms.tabled.profile import event_profile
from meterway.stacks.dlms.tabled.table import clock, data_object, date_time, fixed, text
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["ALARMS", "EVENT_CODE", "NAME", "PUSH_ALARM", "PUSHED", "shared"]

NAME: Final = Obis(0, 0, 42, 0, 0)
ALARMS: Final = Obis(0, 0, 97, 98, 0)
PUSH_ALARM: Final = Obis(0, 4, 25, 9, 0)
EVENT_CODE: Final = Obis(0, 0, 96, 11, 0)
_METER_EVENT_CODE: Final = Obis(0, 0, 96, 11, 3)
_SERIAL: Final = Obis(0, 0, 96, 1, 0)
_CLOCK_TABLE: Final = interface_class(8)
_LOG, _METER_LOG = Obis(0, 0, 99, 98, 0), Obis(0, 0, 99, 98, 3)

PUSHED: Final = (
    CaptureObject(class_id=40, obis=PUSH_ALARM, attribute=1),
    CaptureObject(class_id=1, obis=NAME, attribute=2),
    CaptureObject(class_id=1, obis=ALARMS, attribute=2),
)
"""What a push says."""


# -- clock ------------------------------------------------------------------------------------------------


def _set_time(ask: Ask, value: Data) -> DataAccessResult:
    """The gateway's clock is set; that of a meter is ordered to be."""
    try:
        wanted = _CLOCK_TABLE.attribute(2).type.typed(value, [])
    except Mismatch:
        return DataAccessResult.TYPE_UNMATCHED
    moment = wanted.utc(0) if isinstance(wanted, axdr.CosemDateTime) else None
    if moment is None:
        return DataAccessResult.OTHER_REASON
    if ask.channel:
        return DataAccessResult.READ_WRITE_DENIED
    ask.site.clock_offset_s += moment.timestamp() - ask.now
    ask.site.ledger.keep_clock(ask.site.clock_offset_s)
    ask.site.ledger.gateway.log(moment.timestamp(), Code.CLOCK_SET, 0, f"by {ask.party.name}")
    return DataAccessResult.SUCCESS


# -- names, alarms, push ----------------------------------------------------------------------------------


def _clear(ask: Ask, value: Data) -> DataAccessResult:
    """Bits written as 0 are cleared; none is ever set from outside."""
    if not isinstance(value.value, int):
        return DataAccessResult.TYPE_UNMATCHED
    alarms = ask.site.alarms
    alarms[ask.channel] = alarms.get(ask.channel, 0) & value.value
    ask.site.keep_alarms()
    return DataAccessResult.SUCCESS


def _log_code(ask: Ask) -> Data:
    events = ask.site.ledger.events(ask.channel, 0.0, ask.now + 1)
    return axdr.u8(int(events[-1].code) & 0xFF if events else 0)


def _push_setup() -> Thing:
    table = interface_class(40, 0)
    return Thing(
        class_id=40,
        obis=PUSH_ALARM,
        attributes={
            2: fixed(table.attribute(2).type.untyped(PUSHED)),
            3: fixed(axdr.structure(axdr.enum(0), axdr.octets(b""), axdr.enum(0))),
            4: fixed(axdr.array()),
            5: fixed(axdr.u16(0)),
            6: fixed(axdr.u8(0)),
            7: fixed(axdr.u16(0)),
        },
        methods={1: Method(_push, Right.CONFIGURE)},
    )


def _push(ask: Ask, _: Data) -> ActionResult:
    """The present alarms again: the next look at the log sends them."""
    ask.site.ledger.gateway.log(ask.now, Code.METER_ALARM, ask.channel, f"push asked for by {ask.party.name}")
    return ActionResult.SUCCESS


def _events_of(ask: Ask, from_s: float, to_s: float) -> list[Event]:
    # rows show whole seconds: an event within the last one belongs to it
    return ask.site.ledger.events(ask.channel or None, int(from_s), int(to_s) + 0.999)


def shared(channel: int) -> list[Thing]:
    """The objects; a meter's log is the M-Bus one, the gateway's the standard one and about everything."""
    log, code = (_METER_LOG, _METER_EVENT_CODE) if channel else (_LOG, EVENT_CODE)
    return [
        clock(Attr(lambda ask: date_time(ask.now), _set_time)),
        data_object(NAME, Attr(lambda ask: axdr.octets(ask.site.flag.encode() + ask.site.title(ask.channel)[3:]))),
        data_object(_SERIAL, Attr(lambda ask: text(ask.site.name(ask.channel)))),
        data_object(ALARMS, Attr(lambda ask: axdr.u32(ask.site.alarms.get(ask.channel, 0)), _clear)),
        data_object(code, Attr(_log_code)),
        event_profile(log, code, _events_of),
        _push_setup(),
    ]

"""The hourly profile and the event log of a load controller as profiles (class 7), by range and by entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.home.objects.table import Ask, Attr, Thing, fixed
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data
from meterway.stacks.dlms.classes.elements import CAPTURE_OBJECT, CaptureObject
from meterway.stacks.dlms.classes.profile_generic import (
    CLOCK_TIME,
    EntrySelector,
    RangeSelector,
    columns_of,
    decode_selector,
    slice_entries,
)
from meterway.stacks.dlms.tabled.table import date_time
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = ["ENERGY", "EVENT_CODE", "HOURLY", "LOG", "STATUS", "event_log", "hourly_profile"]

HOURLY: Final = Obis(1, 0, 99, 1, 0)
LOG: Final = Obis(0, 0, 99, 98, 0)
STATUS: Final = Obis(0, 0, 96, 10, 1)
ENERGY: Final = Obis(1, 0, 1, 8, 0)
EVENT_CODE: Final = Obis(0, 0, 96, 11, 0)
_FAR_S: Final = 253402214400.0
_HOUR_S: Final = 3600
_ENTRIES: Final = 1440
_LOGGED: Final = 500

_Row = tuple[Data, ...]
_Rows = Callable[[Ask], list[tuple[float, _Row]]]


def _captured(class_id: int, obis: Obis) -> CaptureObject:
    return CaptureObject(class_id=class_id, obis=obis, attribute=2)


def _unix(moment: CosemDateTime | None, otherwise: float) -> float:
    utc = None if moment is None else moment.utc(0)
    return otherwise if utc is None else utc.timestamp()


def _buffer(ask: Ask, objects: tuple[CaptureObject, ...], rows: _Rows) -> Data | DataAccessResult:
    """The rows of a selection; without one, all."""
    try:
        selector = None if ask.selection is None else decode_selector(*ask.selection)
        chosen = columns_of(selector, objects)
    except LocalProtocolError:
        return DataAccessResult.OBJECT_UNDEFINED
    except DecodeError:
        return DataAccessResult.TYPE_UNMATCHED
    found = rows(ask)
    if isinstance(selector, RangeSelector):
        if selector.restricting != CLOCK_TIME:
            return DataAccessResult.OTHER_REASON
        start, end = (_unix(moment, far) for moment, far in zip(selector.moments, (0.0, _FAR_S), strict=True))
        found = [one for one in found if start <= int(one[0]) <= end]
    elif isinstance(selector, EntrySelector):
        found = found[slice_entries(selector, len(found))]
    return axdr.array(*[axdr.structure(*[row[place] for place in chosen]) for _, row in found])


def _profile(obis: Obis, objects: tuple[CaptureObject, ...], rows: _Rows, period_s: int, entries: int) -> Thing:
    return Thing(
        class_id=7,
        obis=obis,
        version=1,
        attributes={
            2: Attr(lambda ask: _buffer(ask, objects, rows)),
            3: fixed(axdr.array(*[CAPTURE_OBJECT.untyped(one) for one in objects])),
            4: fixed(axdr.u32(period_s)),
            5: fixed(axdr.enum(1)),
            6: fixed(CAPTURE_OBJECT.untyped(CLOCK_TIME)),
            7: Attr(lambda ask: axdr.u32(len(rows(ask)))),
            8: fixed(axdr.u32(entries)),
        },
    )


def _hours(ask: Ask) -> list[tuple[float, _Row]]:
    return [
        (one.time_s, (date_time(one.time_s), axdr.u8(one.closed), axdr.u32(one.energy_wh & 0xFFFFFFFF)))
        for one in ask.device.rows
    ]


def _events(ask: Ask) -> list[tuple[float, _Row]]:
    return [(one.time_s, (date_time(one.time_s), axdr.u8(one.code))) for one in ask.device.events]


def hourly_profile() -> Thing:
    """Clock, relays that are closed (bit 0: relay 1), energy of all loads."""
    columns = (CLOCK_TIME, _captured(1, STATUS), _captured(3, ENERGY))
    return _profile(HOURLY, columns, _hours, _HOUR_S, _ENTRIES)


def event_log() -> Thing:
    """Clock and code of each event."""
    return _profile(LOG, (CLOCK_TIME, _captured(1, EVENT_CODE)), _events, 0, _LOGGED)

"""Buffers of profiles: rows as they were kept, by range, by entry and by column; and the concentrator's own logs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.nnap.events import Event
from meterway.nnap.objects.table import Ask, Attr, Thing, date_time, fixed
from meterway.nnap.rows import Row, joined_rows
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
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = ["buffer_of", "event_profile"]

_FAR_S: Final = 253402214400.0
Rows = Callable[[float, float], list[Row]]


def _unix(moment: CosemDateTime | None, otherwise: float) -> float:
    utc = None if moment is None else moment.utc(0)
    return otherwise if utc is None else utc.timestamp()


def buffer_of(ask: Ask, columns: tuple[CaptureObject, ...], rows: Rows) -> bytes | DataAccessResult:
    """The encoded rows of a selection; without one, all."""
    try:
        selector = None if ask.selection is None else decode_selector(*ask.selection)
        chosen = columns_of(selector, columns)
    except LocalProtocolError:
        return DataAccessResult.OBJECT_UNDEFINED
    except DecodeError:
        return DataAccessResult.TYPE_UNMATCHED
    if isinstance(selector, RangeSelector):
        if selector.restricting != CLOCK_TIME:
            return DataAccessResult.OTHER_REASON
        start, end = selector.moments
        found = rows(_unix(start, 0.0), _unix(end, _FAR_S))
    else:
        found = rows(0.0, _FAR_S)
        if isinstance(selector, EntrySelector):
            found = found[slice_entries(selector, len(found))]
    if len(chosen) == len(columns):
        return joined_rows(row.octets for row in found)
    return joined_rows(_part(row.octets, chosen) for row in found)


def _part(octets: bytes, chosen: Sequence[int]) -> bytes:
    value = axdr.decode_all(octets).value
    fields = [part for part in value if isinstance(part, Data)] if isinstance(value, tuple) else []
    return axdr.encode(axdr.structure(*[fields[place] for place in chosen]))


def event_profile(obis: Obis, code: Obis, events: Callable[[Ask, float, float], list[Event]]) -> Thing:
    """Clock and code of each event."""
    columns = (CLOCK_TIME, CaptureObject(class_id=1, obis=code, attribute=2))

    def rows(ask: Ask, from_s: float, to_s: float) -> list[Row]:
        return [_event_row(event) for event in events(ask, from_s, to_s)]

    return Thing(
        class_id=7,
        obis=obis,
        version=1,
        attributes={
            2: Attr(lambda ask: buffer_of(ask, columns, lambda from_s, to_s: rows(ask, from_s, to_s))),
            3: fixed(axdr.array(*[CAPTURE_OBJECT.untyped(entry) for entry in columns])),
            4: fixed(axdr.u32(0)),
            5: fixed(axdr.enum(1)),
            6: fixed(CAPTURE_OBJECT.untyped(CLOCK_TIME)),
            7: Attr(lambda ask: axdr.u32(len(events(ask, 0.0, _FAR_S)))),
            8: fixed(axdr.u32(10_000)),
        },
    )


def _event_row(event: Event) -> Row:
    return Row(int(event.time_s), axdr.encode(axdr.structure(date_time(int(event.time_s)), axdr.u8(int(event.code)))))

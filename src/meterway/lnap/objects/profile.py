"""Profiles: rows by range and by entry, from the spool and from the event log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.lnap.events import Event
from meterway.lnap.objects.table import Ask, Attr, Thing, date_time, fixed, number
from meterway.lnap.tariff import Row
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, EncodeColumn, Tag, encode_columns
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

__all__ = ["STATUS", "RegisterRows", "event_profile", "register_profile"]

STATUS: Final = Obis(0, 1, 96, 10, 3)
_FAR_S: Final = 253402214400.0
_EMPTY: Final = b"\x01\x00"


class RegisterRows(NamedTuple):
    """Rows of some registers: the same moments, one number each (None where there was none), one quality a row."""

    times_s: list[int]
    quality: list[int]
    values: tuple[list[int] | list[int | None], ...]


def joined(rows: Sequence[Sequence[Row]]) -> RegisterRows:
    """Readings of several registers side by side; a moment that one of them lacks is left out."""
    maps = [{row.time_s: row for row in each} for each in rows]
    times = [row.time_s for row in rows[0] if all(row.time_s in each for each in maps[1:])] if rows else []
    quality = [0] * len(times)
    for each in maps:
        quality = [have | each[moment].quality for have, moment in zip(quality, times, strict=True)]
    return RegisterRows(times, quality, tuple([each[moment].raw for moment in times] for each in maps))


def united(rows: Sequence[Sequence[Row]]) -> RegisterRows:
    """Readings of several registers side by side, every moment that any of them has."""
    maps = [{row.time_s: row for row in each} for each in rows]
    times = sorted(set().union(*maps)) if maps else []
    quality = dict.fromkeys(times, 0)
    for each in maps:
        for moment, row in each.items():
            quality[moment] |= row.quality
    columns = ([each[one].raw if one in each else None for one in times] for each in maps)
    return RegisterRows(times, list(quality.values()), tuple(columns))


Rows = Callable[[Ask, float, float], RegisterRows]
_Table = tuple[Sequence[int | None], ...]


def _unix(moment: CosemDateTime | None, otherwise: float) -> float:
    if moment is None:
        return otherwise
    utc = moment.utc(0)
    return otherwise if utc is None else utc.timestamp()


def _buffer(
    ask: Ask, objects: tuple[CaptureObject, ...], tags: tuple[int, ...], rows: Callable[[float, float], _Table]
) -> bytes | DataAccessResult:
    """The rows of a selection as octets; without a selection, all."""
    try:
        selector = None if ask.selection is None else decode_selector(*ask.selection)
        chosen = columns_of(selector, objects)
    except LocalProtocolError:
        return DataAccessResult.OBJECT_UNDEFINED
    except DecodeError:
        return DataAccessResult.TYPE_UNMATCHED
    if isinstance(selector, RangeSelector):
        if selector.restricting != CLOCK_TIME:
            return DataAccessResult.OTHER_REASON
        start, end = selector.moments
        table = rows(_unix(start, 0.0), _unix(end, _FAR_S))
    else:
        table = rows(0.0, _FAR_S)
        if isinstance(selector, EntrySelector):
            part = slice_entries(selector, len(table[0]))
            table = tuple(column[part] for column in table)
    if not table[0] or not chosen:
        return _EMPTY
    if any(None in table[place] for place in chosen):
        return _ragged(tags, table, chosen)
    return encode_columns([_column(tags[place], table[place]) for place in chosen])


def _ragged(tags: tuple[int, ...], table: _Table, chosen: Sequence[int]) -> bytes:
    """Rows of which some lack a number: null-data stands there."""
    rows = zip(*(table[place] for place in chosen), strict=True)
    made = ([_cell(tags[place], value) for place, value in zip(chosen, row, strict=True)] for row in rows)
    return axdr.encode(axdr.array(*[axdr.structure(*row) for row in made]))


def _cell(tag: int, value: int | None) -> axdr.Data:
    if value is None:
        return axdr.null()
    if tag == Tag.OCTET_STRING:
        return date_time(value)
    return axdr.u8(value) if tag == Tag.UNSIGNED else number(value)


def _column(tag: int, values: Sequence[int | None]) -> EncodeColumn:
    numbers = np.array(values, dtype=np.int64)
    if tag == Tag.DOUBLE_LONG_UNSIGNED and (numbers.min() < 0 or numbers.max() >= 1 << 32):
        tag = int(Tag.LONG64)
    return EncodeColumn(tag=tag, values=numbers)


def _captured(class_id: int, obis: Obis) -> CaptureObject:
    return CaptureObject(class_id=class_id, obis=obis, attribute=2)


def _thing(obis: Obis, buffer: Attr, objects: Attr, count: Attr, period: Attr) -> Thing:
    return Thing(
        class_id=7,
        obis=obis,
        version=1,
        attributes={
            2: buffer,
            3: objects,
            4: period,
            5: fixed(axdr.enum(1)),
            6: fixed(CAPTURE_OBJECT.untyped(CLOCK_TIME)),
            7: count,
            8: fixed(axdr.u32(0xFFFFFFFF)),
        },
    )


def _listed(objects: tuple[CaptureObject, ...]) -> axdr.Data:
    return axdr.array(*[CAPTURE_OBJECT.untyped(entry) for entry in objects])


def register_profile(
    obis: Obis, registers: Callable[[Ask], tuple[Obis, ...]], rows: Rows, period_s: Callable[[Ask], int]
) -> Thing:
    """Clock, status and registers of a meter."""

    def objects(ask: Ask) -> tuple[CaptureObject, ...]:
        return (CLOCK_TIME, _captured(1, STATUS), *[_captured(3, one) for one in registers(ask)])

    def buffer(ask: Ask) -> bytes | DataAccessResult:
        columns = objects(ask)
        tags = (Tag.OCTET_STRING, Tag.UNSIGNED, *[Tag.DOUBLE_LONG_UNSIGNED] * (len(columns) - 2))

        def table(from_s: float, to_s: float) -> _Table:
            found = rows(ask, from_s, to_s)
            return found.times_s, found.quality, *found.values

        return _buffer(ask, columns, tuple(int(tag) for tag in tags), table)

    return _thing(
        obis,
        Attr(buffer),
        Attr(lambda ask: _listed(objects(ask))),
        Attr(lambda ask: axdr.u32(len(rows(ask, 0.0, _FAR_S).times_s))),
        Attr(lambda ask: axdr.u32(period_s(ask))),
    )


def event_profile(obis: Obis, code: Obis, events: Callable[[Ask, float, float], list[Event]]) -> Thing:
    """Clock and code of each event."""
    objects = (CLOCK_TIME, _captured(1, code))

    def table(ask: Ask, from_s: float, to_s: float) -> _Table:
        found = events(ask, from_s, to_s)
        return [int(event.time_s) for event in found], [int(event.code) for event in found]

    def buffer(ask: Ask) -> bytes | DataAccessResult:
        tags = (int(Tag.OCTET_STRING), int(Tag.UNSIGNED))
        return _buffer(ask, objects, tags, lambda from_s, to_s: table(ask, from_s, to_s))

    return _thing(
        obis,
        Attr(buffer),
        fixed(_listed(objects)),
        Attr(lambda ask: axdr.u32(len(table(ask, 0.0, _FAR_S)[0]))),
        fixed(axdr.u32(0)),
    )

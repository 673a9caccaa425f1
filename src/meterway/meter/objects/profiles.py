"""Profile objects: load, daily and billing profiles and the event logs, by range and by entry.

Which columns a profile captures, and how often, the companion profile says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.mapping.companion import ProfileObject
from meterway.meter.device import Meter
from meterway.meter.events import LOG_NAMES
from meterway.meter.load import SLOT_S
from meterway.meter.objects.sources import FAR, CalendarSource, LogSource, PeriodicSource, cut, source_of
from meterway.meter.objects.table import Ask, Behaviour, Live, moment, u32
from meterway.meter.profile_rows import STATUS_SUMMER, Rows
from meterway.meter.zone import Zone
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data, EncodeColumn, Tag, encode_columns
from meterway.stacks.dlms.classes.elements import CAPTURE_OBJECT, CaptureObject
from meterway.stacks.dlms.classes.profile_generic import (
    CLOCK_TIME,
    EntrySelector,
    RangeSelector,
    Selector,
    columns_of,
    decode_selector,
    slice_entries,
)
from meterway.stacks.dlms.xdlms.parts import Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["Column", "ProfileBehaviour"]

_FEW_ROWS, _FEW_COLUMNS = 8, 3
"""Below these, rows one by one are faster than columns."""
_EMPTY: Final = b"\x01\x00"
_PERIODS: Final = (900, 1800, 3600)
"""What the capture period of a load profile may be set to, seconds."""

Ints = NDArray[np.int64]


class Column(NamedTuple):
    """One captured attribute: its tag and how rows give its values; ``rates`` if they need the tariff registers.

    Without ``values``, ``read`` answers it row by row; without both it is the time of the row.
    """

    tag: int
    values: Callable[[Meter, Rows], NDArray[np.int64] | NDArray[np.uint8]] | None = None
    read: Callable[[Ask], bytes | DataAccessResult] | None = None
    rates: bool = False


_WIRE: Final[dict[int, np.dtype[np.generic]]] = {
    int(Tag.DOUBLE_LONG_UNSIGNED): np.dtype(">u4"),
    int(Tag.LONG_UNSIGNED): np.dtype(">u2"),
    int(Tag.UNSIGNED): np.dtype("u1"),
}
_WIDTHS: Final = {tag: wire.itemsize for tag, wire in _WIRE.items()}


def _shift_s(meter: Meter, now: float) -> int:
    """A clock that is far off stamps its rows far off, by whole quarter-hours."""
    return round(meter.clock_error_s(now) / SLOT_S) * SLOT_S


# -- how rows are written ------------------------------------------------------------------------------------


def _encode(columns: tuple[Column, ...], meter: Meter, rows: Rows, shift_s: int) -> bytes:
    """Rows at any times, all columns made of numbers."""
    summer = rows.status & STATUS_SUMMER != 0
    deviation = -meter.zone.standard_min - meter.zone.saving_min * summer.astype(np.int64)
    status = (summer * 0x80).astype(np.uint8)
    made = []
    for column in columns:
        if column.values is None:
            times = rows.times_s + shift_s
            made.append(EncodeColumn(tag=column.tag, values=times, deviation_min=deviation, status=status))
        else:
            made.append(EncodeColumn(tag=column.tag, values=column.values(meter, rows)))
    return encode_columns(made)


def _encode_slowly(columns: tuple[Column, ...], meter: Meter, rows: Rows, shift_s: int) -> bytes:
    """Rows with columns that are asked of their objects one by one."""
    parts = []
    for place, moment_s in enumerate(rows.times_s.tolist()):
        one = cut(rows, slice(place, place + 1))
        parts.append(b"\x02" + axdr.encode_length(len(columns)))
        for column in columns:
            if column.read is not None:
                answer = column.read(Ask(meter, float(moment_s), 0))
                parts.append(answer if isinstance(answer, bytes) else b"\x00")
            elif column.values is None:
                parts.append(b"\x09\x0c" + moment(meter, moment_s + shift_s))
            else:
                value = int(column.values(meter, one)[0]) & (1 << 8 * _WIDTHS[column.tag]) - 1
                parts.append(bytes((column.tag,)) + value.to_bytes(_WIDTHS[column.tag], "big"))
    return b"\x01" + axdr.encode_length(len(rows.times_s)) + b"".join(parts)


@lru_cache(maxsize=512)
def _template(
    tags: tuple[tuple[int, bool], ...], zone: Zone, first_s: int, step_s: int, count: int
) -> tuple[NDArray[np.uint8], tuple[int, ...]]:
    """Encoded rows at even times with zeros as values, and where each value begins; ``tags`` say what is the time.

    The same slice is asked of many meters: only values differ.
    """
    times = np.arange(count, dtype=np.int64) * step_s + first_s
    summer = np.array([zone.is_summer(moment) for moment in times.tolist()])
    deviation = -zone.standard_min - zone.saving_min * summer.astype(np.int64)
    status = (summer * 0x80).astype(np.uint8)
    made, starts, place = [], [], 2
    for tag, is_time in tags:
        if is_time:
            made.append(EncodeColumn(tag=tag, values=times, deviation_min=deviation, status=status))
        else:
            made.append(EncodeColumn(tag=tag, values=np.zeros(count, np.int64)))
        head, width = (2, 12) if is_time else (1, _WIDTHS[tag])
        starts.append(place + head)
        place += head + width
    octets = np.frombuffer(encode_columns(made), np.uint8)[len(axdr.encode_length(count)) + 1 :]
    return octets.reshape(count, -1), tuple(starts)


def _encode_even(columns: tuple[Column, ...], meter: Meter, rows: Rows, step_s: int) -> bytes:
    """Rows at even distances, on a template that all meters share."""
    count = len(rows.times_s)
    tags = tuple([(column.tag, column.values is None) for column in columns])
    template, starts = _template(tags, meter.zone, int(rows.times_s[0]), step_s, count)
    table = template.copy()
    for column, start in zip(columns, starts, strict=True):
        if column.values is not None:
            place = np.ndarray(count, _WIRE[column.tag], table, start, table.strides[:1])
            place[:] = column.values(meter, rows)
    return b"\x01" + axdr.encode_length(count) + table.tobytes()


# -- the object ----------------------------------------------------------------------------------------------


class ProfileBehaviour:
    """What the meter does for one profile object; ``columns`` are its captured attributes in order.

    Raises ConfigError if it does not capture the way the profile wants.
    """

    def __init__(self, item: ProfileObject, columns: tuple[Column, ...]) -> None:
        self._item = item
        self._objects = item.capture_objects
        self._columns = columns
        self._slow = any(column.read is not None for column in columns)
        self._source = source_of(item, rates=any(column.rates for column in columns))

    @property
    def behaviour(self) -> Behaviour:
        """For the object model."""
        source = self._source
        return Behaviour(
            live={
                2: Live(self.buffer),
                4: Live(lambda ask: u32(source.period_s(ask.meter)), self._set_period),
                7: Live(lambda ask: u32(source.count(ask.meter, ask.now))),
                8: Live(lambda ask: u32(source.capacity(ask.meter))),
            },
            methods={1: self._reset, 2: self._capture},
            factory={5: axdr.enum(1), 6: CAPTURE_OBJECT.untyped(CLOCK_TIME)},
        )

    def buffer(self, ask: Ask) -> bytes | DataAccessResult:
        """The rows that the selection asks for; without one, all."""
        meter, now = ask.meter, ask.now
        try:
            selector, chosen = _chosen(self._objects, ask.selection)
        except LocalProtocolError:
            return DataAccessResult.OBJECT_UNDEFINED
        except DecodeError:
            return DataAccessResult.TYPE_UNMATCHED
        shift = 0 if isinstance(self._source, LogSource) else _shift_s(meter, now)
        if isinstance(selector, RangeSelector):
            if selector.restricting != CLOCK_TIME:
                return DataAccessResult.OTHER_REASON
            start, end = _bounds(meter.zone, selector)
            rows = self._source.between(meter, start - shift, end - shift, now)
        else:
            rows = self._by_entry(meter, selector, now)
        return self._encoded(meter, chosen, rows, shift)

    def _by_entry(self, meter: Meter, selector: Selector | None, now: float) -> Rows:
        count = self._source.count(meter, now)
        part = slice_entries(selector, count) if isinstance(selector, EntrySelector) else slice(0, count)
        return self._source.entries(meter, part, now)

    def _encoded(self, meter: Meter, chosen: tuple[int, ...], rows: Rows, shift_s: int) -> bytes:
        times = rows.times_s
        count = len(times)
        if not count or not chosen:
            return _EMPTY
        columns = tuple([self._columns[place] for place in chosen])
        if self._slow or (count <= _FEW_ROWS and len(columns) <= _FEW_COLUMNS):
            return _encode_slowly(columns, meter, rows, shift_s)
        step = self._source.period_s(meter)
        if step and not shift_s and times[-1] - times[0] == (count - 1) * step:
            return _encode_even(columns, meter, rows, step)
        return _encode(columns, meter, rows, shift_s)

    def _set_period(self, meter: Meter, value: Data, now: float) -> DataAccessResult:
        """A new period empties the buffer."""
        if value.tag != Tag.DOUBLE_LONG_UNSIGNED:
            return DataAccessResult.TYPE_UNMATCHED
        if value.value not in _PERIODS or not isinstance(self._source, PeriodicSource):
            return DataAccessResult.OTHER_REASON
        meter.change((self._item.class_id, self._item.obis, 4), axdr.encode(value))
        meter.reset_buffer(self._item.obis, now)
        return DataAccessResult.SUCCESS

    def _reset(self, meter: Meter, parameter: Data, now: float) -> ActionResult:
        if self._item.log:
            meter.clear_log(LOG_NAMES[self._item.log], now)
        else:
            meter.reset_buffer(self._item.obis, now)
        return ActionResult.SUCCESS

    def _capture(self, meter: Meter, parameter: Data, now: float) -> ActionResult:
        """Only a profile that keeps odd times takes a row out of turn."""
        if not isinstance(self._source, CalendarSource):
            return ActionResult.OTHER_REASON
        meter.capture(self._item.obis, now)
        return ActionResult.SUCCESS


@lru_cache(maxsize=512)
def _chosen(objects: tuple[CaptureObject, ...], selection: Selection | None) -> tuple[Selector | None, tuple[int, ...]]:
    """The selector and its columns; a head end sends the same to many meters."""
    selector = None if selection is None else decode_selector(*selection)
    return selector, columns_of(selector, objects)


@lru_cache(maxsize=512)
def _bounds(zone: Zone, selector: RangeSelector) -> tuple[float, float]:
    start, end = selector.moments
    return _unix(zone, start, 0.0), _unix(zone, end, FAR)


def _unix(zone: Zone, moment: CosemDateTime | None, otherwise: float) -> float:
    """Unix seconds of a bound; local time of the meter where the deviation is not specified."""
    if moment is None:
        return otherwise
    if moment.deviation_min is None:
        local = moment.local() or _midnight(moment)
        return otherwise if local is None else float(zone.unix(local.replace(microsecond=0)))
    utc = moment.utc()
    return otherwise if utc is None else utc.timestamp()


def _midnight(moment: CosemDateTime) -> dt.datetime | None:
    """A date without a time of day."""
    if moment.year is None or moment.month is None or moment.day is None:
        return None
    try:
        return dt.datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001  a wall clock
    except ValueError:
        return None

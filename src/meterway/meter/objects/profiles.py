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

from meterway.base.errors import ConfigError, DecodeError, LocalProtocolError
from meterway.mapping.companion import ProfileObject
from meterway.meter.device import STATUS_SUMMER, Buffer, Meter, Rows
from meterway.meter.events import LOG_NAMES, Log
from meterway.meter.load import SLOT_S
from meterway.meter.objects.table import Ask, Behaviour, Live, moment, u32
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

_FAR: Final = 4e11
_LOG_ROWS: Final = 500
_FEW_ROWS, _FEW_COLUMNS = 8, 3
"""Below these, rows one by one are faster than columns."""
_EMPTY: Final = b"\x01\x00"
_DAY_S: Final = 86400
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


_TIME: Final = Column(int(Tag.OCTET_STRING))
_WIDTHS: Final = {int(Tag.DOUBLE_LONG_UNSIGNED): 4, int(Tag.LONG_UNSIGNED): 2, int(Tag.UNSIGNED): 1}


def _shift_s(meter: Meter, now: float) -> int:
    """A clock that is far off stamps its rows far off, by whole quarter-hours."""
    return round(meter.clock_error_s(now) / SLOT_S) * SLOT_S


def _merged(times: Ints, more: tuple[float, ...], from_s: float, to_s: float) -> Ints:
    """Times of capture with those asked for out of turn."""
    kept = [int(moment) for moment in more if from_s <= moment <= to_s]
    return np.union1d(times, np.array(kept, dtype=np.int64)) if kept else times


# -- where rows come from ------------------------------------------------------------------------------------


class _Periodic:
    """Rows at whole multiples of a period of quarter-hours."""

    def __init__(self, item: ProfileObject, period_s: int, *, rates: bool) -> None:
        self._key = (item.class_id, item.obis, 4)
        self._obis = item.obis
        self._period_s = period_s
        self._entries = item.static.get(8)
        self._rates = rates

    def period_s(self, meter: Meter) -> int:
        """As it is set."""
        octets = (meter.changed or {}).get(self._key)
        return self._period_s if octets is None else int.from_bytes(octets[1:], "big")

    def capacity(self, meter: Meter) -> int:
        """How many rows there is room for."""
        if isinstance(self._entries, int):
            return self._entries
        return meter.config.profile_days * _DAY_S // self.period_s(meter)

    def _span(self, meter: Meter, now: float) -> tuple[int, int]:
        since = (meter.buffers or {}).get(self._obis, Buffer()).since
        return meter.periodic_bounds(self.period_s(meter), self.capacity(meter), since, now)

    def between(self, meter: Meter, from_s: float, to_s: float, now: float) -> Rows:
        """Rows captured within [from_s, to_s]."""
        period = self.period_s(meter)
        oldest, newest = self._span(meter, now)
        first = max(-int(-max(from_s, 0.0) // period), oldest)
        return meter.periodic_rows(period, first, min(int(to_s // period), newest), rates=self._rates)

    def count(self, meter: Meter, now: float) -> int:
        """How many rows there are."""
        first, last = self._span(meter, now)
        if any(period.dark for period in meter.off):
            return len(meter.periodic_rows(self.period_s(meter), first, last).times_s)
        return max(last - first + 1, 0)

    def entries(self, meter: Meter, part: slice, now: float) -> Rows:
        """Rows by their place, the oldest first."""
        period = self.period_s(meter)
        first, last = self._span(meter, now)
        if any(period.dark for period in meter.off):
            return _cut(meter.periodic_rows(period, first, last, rates=self._rates), part)
        return meter.periodic_rows(period, first + part.start, first + part.stop - 1, rates=self._rates)


class _Calendar:
    """Rows at local midnights or at the starts of months, and when a client asks for one."""

    def __init__(self, item: ProfileObject, *, monthly: bool) -> None:
        self._obis = item.obis
        self._monthly = monthly
        self._entries = item.static.get(8)

    def period_s(self, meter: Meter) -> int:
        """A day, or none."""
        return 0 if self._monthly else _DAY_S

    def capacity(self, meter: Meter) -> int:
        """How many rows there is room for."""
        if isinstance(self._entries, int):
            return self._entries
        return 13 if self._monthly else meter.config.profile_days

    def _times(self, meter: Meter, from_s: float, to_s: float, now: float) -> Ints:
        buffer = (meter.buffers or {}).get(self._obis)
        low = from_s if buffer is None else max(from_s, buffer.since + 1)
        times = (meter.monthly_times if self._monthly else meter.daily_times)(low, to_s, now, self.capacity(meter))
        if buffer is not None and buffer.captured:
            return _merged(times, buffer.captured, low, to_s)[-self.capacity(meter) :]
        return times

    def between(self, meter: Meter, from_s: float, to_s: float, now: float) -> Rows:
        """Rows captured within [from_s, to_s]."""
        return meter.billing_rows(self._times(meter, from_s, to_s, now))

    def count(self, meter: Meter, now: float) -> int:
        """How many rows there are."""
        return len(self._times(meter, 0.0, _FAR, now))

    def entries(self, meter: Meter, part: slice, now: float) -> Rows:
        """Rows by their place, the oldest first."""
        return meter.billing_rows(self._times(meter, 0.0, _FAR, now)[part])


class _Logged:
    """Event codes."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def period_s(self, meter: Meter) -> int:
        """None: events come when they come."""
        return 0

    def capacity(self, meter: Meter) -> int:
        """How many rows there is room for."""
        return _LOG_ROWS

    def between(self, meter: Meter, from_s: float, to_s: float, now: float) -> Rows:
        """Events within [from_s, to_s]."""
        found = meter.log_events(self._log, from_s, to_s, now)[-_LOG_ROWS:]
        times = np.array([event.unix_s for event in found], dtype=np.int64)
        summer = np.array([STATUS_SUMMER * meter.zone.is_summer(event.unix_s) for event in found], dtype=np.uint8)
        return Rows(times, summer, np.array([[event.code] for event in found], dtype=np.int64).reshape(-1, 1))

    def count(self, meter: Meter, now: float) -> int:
        """How many events there are."""
        return len(self.between(meter, 0.0, _FAR, now).times_s)

    def entries(self, meter: Meter, part: slice, now: float) -> Rows:
        """Events by their place, the oldest first."""
        return _cut(self.between(meter, 0.0, _FAR, now), part)


def _cut(rows: Rows, part: slice) -> Rows:
    return Rows(rows.times_s[part], rows.status[part], rows.values[part])


_Source = _Periodic | _Calendar | _Logged


def _source(item: ProfileObject, columns: tuple[Column, ...]) -> _Source:
    if item.log:
        if item.log not in LOG_NAMES:
            raise ConfigError(f"{item.obis} ({item.name}): a meter keeps no log {item.log!r}")
        return _Logged(LOG_NAMES[item.log])
    period = item.static.get(4)
    if period in (0, _DAY_S):
        return _Calendar(item, monthly=period == 0)
    if not isinstance(period, int) or period % SLOT_S or _DAY_S % period:
        raise ConfigError(f"{item.obis} ({item.name}): the meter does not capture every {period} s")
    return _Periodic(item, period, rates=any(column.rates for column in columns))


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
        one = _cut(rows, slice(place, place + 1))
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
            width = _WIDTHS[column.tag]
            wide = column.values(meter, rows).astype(f">u{width}", casting="unsafe")
            table[:, start : start + width] = wide.view(np.uint8).reshape(count, width)
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
        self._source = _source(item, columns)

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
        shift = 0 if isinstance(self._source, _Logged) else _shift_s(meter, now)
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
        if value.value not in _PERIODS or not isinstance(self._source, _Periodic):
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
        if not isinstance(self._source, _Calendar):
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
    return _unix(zone, start, 0.0), _unix(zone, end, _FAR)


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

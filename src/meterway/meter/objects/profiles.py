"""Profile objects: load, daily and billing profiles and the event logs, by range and by entry."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.meter.device import STATUS_SUMMER, Meter, Rows
from meterway.meter.events import Log
from meterway.meter.load import SLOT_S
from meterway.meter.objects.table import Ask, Attr, CosemObject, fixed, u32
from meterway.meter.tariff import TARIFFS
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

__all__ = ["PROFILES"]

_FAR: Final = 4e11
_LOG_ROWS: Final = 500
_EMPTY: Final = b"\x01\x00"

Ints = NDArray[np.int64]


class _Source(Protocol):
    """Where rows come from; times are those the meter stamps."""

    def between(self, meter: Meter, from_s: float, to_s: float, now: float) -> Rows:
        """Rows captured within [from_s, to_s]."""

    def count(self, meter: Meter, now: float) -> int:
        """How many rows there are."""

    def entries(self, meter: Meter, part: slice, now: float) -> Rows:
        """Rows by their place, the oldest first."""


def _shift_s(meter: Meter, now: float) -> int:
    """A clock that is far off stamps its rows far off, by whole quarter-hours."""
    return round(meter.clock_error_s(now) / SLOT_S) * SLOT_S


class _LoadRows:
    """Quarter-hours: status octet and the four registers."""

    def between(self, meter: Meter, from_s: float, to_s: float, now: float) -> Rows:
        shift = _shift_s(meter, now)
        first = -int(-max(from_s - shift, 0.0) // SLOT_S)
        rows = meter.load_rows(first, int((to_s - shift) // SLOT_S), now)
        return rows._replace(times_s=rows.times_s + shift) if shift else rows

    def count(self, meter: Meter, now: float) -> int:
        first, last = meter.load_bounds(now)
        if any(period.dark for period in meter.off):
            return len(meter.load_rows(first, last, now).times_s)
        return max(last - first + 1, 0)

    def entries(self, meter: Meter, part: slice, now: float) -> Rows:
        first, last = meter.load_bounds(now)
        shift = _shift_s(meter, now)
        if any(period.dark for period in meter.off):
            rows = meter.load_rows(first, last, now)
            rows = Rows(rows.times_s[part], rows.status[part], rows.values[part])
        else:
            rows = meter.load_rows(first + part.start, first + part.stop - 1, now)
        return rows._replace(times_s=rows.times_s + shift) if shift else rows


class _BillingRows:
    """Local midnights or starts of months: status octet, four registers, tariff registers."""

    def __init__(self, *, monthly: bool) -> None:
        self._monthly = monthly

    def _times(self, meter: Meter, from_s: float, to_s: float, now: float) -> Ints:
        if self._monthly:
            return meter.monthly_times(from_s, to_s, now)
        return meter.daily_times(from_s, to_s, now)

    def between(self, meter: Meter, from_s: float, to_s: float, now: float) -> Rows:
        return meter.billing_rows(self._times(meter, from_s, to_s, now))

    def count(self, meter: Meter, now: float) -> int:
        return len(self._times(meter, 0.0, _FAR, now))

    def entries(self, meter: Meter, part: slice, now: float) -> Rows:
        return meter.billing_rows(self._times(meter, 0.0, _FAR, now)[part])


class _LogRows:
    """Event codes."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def between(self, meter: Meter, from_s: float, to_s: float, now: float) -> Rows:
        found = meter.log_events(self._log, from_s, to_s, now)[-_LOG_ROWS:]
        times = np.array([event.unix_s for event in found], dtype=np.int64)
        zone = meter.load.zone
        summer = np.array([STATUS_SUMMER * zone.is_summer(event.unix_s) for event in found], dtype=np.uint8)
        return Rows(times, summer, np.array([[event.code] for event in found], dtype=np.int64).reshape(-1, 1))

    def count(self, meter: Meter, now: float) -> int:
        return len(self.between(meter, 0.0, _FAR, now).times_s)

    def entries(self, meter: Meter, part: slice, now: float) -> Rows:
        rows = self.between(meter, 0.0, _FAR, now)
        return Rows(rows.times_s[part], rows.status[part], rows.values[part])


class _Shape(NamedTuple):
    """What a profile captures: the objects, and for each its tag and the place of its values (-2 time, -1 status)."""

    objects: tuple[CaptureObject, ...]
    places: tuple[tuple[int, int], ...]


def _captured(class_id: int, obis: str) -> CaptureObject:
    return CaptureObject(class_id=class_id, obis=Obis.parse(obis), attribute=2)


def _shape(status: str | None, *values: tuple[int, str, int, int]) -> _Shape:
    """From (class, OBIS code, tag, place in the values) of each column after time and status."""
    objects = [CLOCK_TIME]
    places = [(int(Tag.OCTET_STRING), -2)]
    if status is not None:
        objects.append(_captured(1, status))
        places.append((int(Tag.UNSIGNED), -1))
    for class_id, obis, tag, place in values:
        objects.append(_captured(class_id, obis))
        places.append((tag, place))
    return _Shape(tuple(objects), tuple(places))


_U32: Final = int(Tag.DOUBLE_LONG_UNSIGNED)


@lru_cache(maxsize=512)
def _template(
    shape: _Shape, chosen: tuple[int, ...], zone: Zone, first_s: int, step_s: int, count: int
) -> tuple[NDArray[np.uint8], tuple[int, ...]]:
    """Encoded rows at even times with the usual status and zeros as values, and where each value begins.

    The same slice is asked of many meters: only values differ.
    """
    times = np.arange(count, dtype=np.int64) * step_s + first_s
    summer = np.array([zone.is_summer(moment) for moment in times.tolist()])
    rows = Rows(times, (summer * STATUS_SUMMER).astype(np.uint8), np.zeros((count, 16), np.int64))
    octets = _encode(shape, chosen, zone, rows)
    table = np.frombuffer(octets, np.uint8)
    size = len(axdr.encode_length(count)) + 1
    table = table[size:].reshape(count, -1)
    starts, place = [], 2
    for column in chosen:
        tag = shape.places[column][0]
        head, width = (2, 12) if tag == Tag.OCTET_STRING else (1, {_U32: 4, int(Tag.UNSIGNED): 1}[tag])
        starts.append(place + head)
        place += head + width
    return table, tuple(starts)


def _encode(shape: _Shape, chosen: tuple[int, ...], zone: Zone, rows: Rows) -> bytes:
    summer = rows.status & STATUS_SUMMER != 0
    deviation = -zone.standard_min - 60 * summer.astype(np.int64)
    columns = []
    for column in chosen:
        tag, place = shape.places[column]
        if place == -2:
            status = (summer * 0x80).astype(np.uint8)
            columns.append(EncodeColumn(tag=tag, values=rows.times_s, deviation_min=deviation, status=status))
        else:
            columns.append(EncodeColumn(tag=tag, values=rows.status if place == -1 else rows.values[:, place]))
    return encode_columns(columns)


def _encode_even(shape: _Shape, chosen: tuple[int, ...], zone: Zone, rows: Rows) -> bytes:
    """Rows a quarter-hour apart, on a template that all meters share."""
    count = len(rows.times_s)
    template, starts = _template(shape, chosen, zone, int(rows.times_s[0]), SLOT_S, count)
    table = template.copy()
    wide = rows.values.astype(">u4").view(np.uint8)
    for column, start in zip(chosen, starts, strict=True):
        place = shape.places[column][1]
        if place >= 0:
            table[:, start : start + 4] = wide[:, 4 * place : 4 * place + 4]
        elif place == -1:
            table[:, start] = rows.status
    return b"\x01" + axdr.encode_length(count) + table.tobytes()


class _Profile:
    """Answers for one profile object."""

    def __init__(self, shape: _Shape, source: _Source, *, even: bool = False) -> None:
        self._shape = shape
        self._source = source
        self._even = even

    def buffer(self, ask: Ask) -> bytes | DataAccessResult:
        """The rows that the selection asks for; without one, all."""
        meter, now = ask.meter, ask.now
        try:
            selector, chosen = _chosen(self._shape.objects, ask.selection)
        except LocalProtocolError:
            return DataAccessResult.OBJECT_UNDEFINED
        except DecodeError:
            return DataAccessResult.TYPE_UNMATCHED
        if isinstance(selector, RangeSelector):
            if selector.restricting != CLOCK_TIME:
                return DataAccessResult.OTHER_REASON
            rows = self._source.between(meter, *_bounds(meter.load.zone, selector), now)
        else:
            rows = self._by_entry(meter, selector, now)
        return self._encoded(meter, chosen, rows)

    def _by_entry(self, meter: Meter, selector: Selector | None, now: float) -> Rows:
        count = self._source.count(meter, now)
        part = slice_entries(selector, count) if isinstance(selector, EntrySelector) else slice(0, count)
        return self._source.entries(meter, part, now)

    def _encoded(self, meter: Meter, chosen: tuple[int, ...], rows: Rows) -> bytes:
        count = len(rows.times_s)
        if not count or not chosen:
            return _EMPTY
        if self._even and rows.times_s[-1] - rows.times_s[0] == (count - 1) * SLOT_S:
            return _encode_even(self._shape, chosen, meter.load.zone, rows)
        return _encode(self._shape, chosen, meter.load.zone, rows)

    def in_use(self, ask: Ask) -> bytes:
        """entries_in_use."""
        return u32(self._source.count(ask.meter, ask.now))

    @property
    def objects(self) -> Data:
        """capture_objects."""
        return axdr.array(*[CAPTURE_OBJECT.untyped(entry) for entry in self._shape.objects])


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


def _profile(obis: str, profile: _Profile, *, period_s: int, capacity: Attr, log: Log | None = None) -> CosemObject:
    def reset(meter: Meter, parameter: Data, now: float) -> ActionResult:
        if log is None:
            return ActionResult.READ_WRITE_DENIED
        meter.clear_log(log, now)
        return ActionResult.SUCCESS

    return CosemObject(
        7,
        obis,
        {
            2: Attr(profile.buffer),
            3: fixed(profile.objects),
            4: fixed(axdr.u32(period_s)),
            5: fixed(axdr.enum(1)),
            6: fixed(CAPTURE_OBJECT.untyped(CLOCK_TIME)),
            7: Attr(profile.in_use),
            8: capacity,
        },
        {1: reset},
        version=1,
    )


_ENERGIES: Final = tuple((3, f"1-0:{c}.8.0*255", _U32, c - 1) for c in (1, 2, 3, 4))
_RATES: Final = tuple(
    (3, f"1-0:{direction}.8.{rate}*255", _U32, 3 + (direction - 1) * TARIFFS + rate)
    for direction in (1, 2)
    for rate in (1, 2, 3, 4)
)
_LOAD = _Profile(_shape("0-0:96.10.1*255", *_ENERGIES), _LoadRows(), even=True)
_DAILY = _Profile(_shape("0-0:96.10.2*255", *_ENERGIES, *_RATES), _BillingRows(monthly=False))
_BILLING = _Profile(_shape("0-0:96.10.3*255", *_ENERGIES, *_RATES), _BillingRows(monthly=True))

PROFILES: Final[tuple[CosemObject, ...]] = (
    _profile(
        "1-0:99.1.0*255",
        _LOAD,
        period_s=SLOT_S,
        capacity=Attr(lambda ask: u32(ask.meter.config.profile_days * 96)),
    ),
    _profile("1-0:99.2.0*255", _DAILY, period_s=86400, capacity=Attr(lambda ask: u32(ask.meter.config.profile_days))),
    _profile("0-0:98.1.0*255", _BILLING, period_s=0, capacity=fixed(axdr.u32(13))),
    *[
        _profile(
            f"0-0:99.98.{log.value}*255",
            _Profile(_shape(None, (1, f"0-0:96.11.{log.value}*255", int(Tag.UNSIGNED), 0)), _LogRows(log)),
            period_s=0,
            capacity=fixed(axdr.u32(_LOG_ROWS)),
            log=log,
        )
        for log in Log
    ],
)

"""From what a device sent to what is stored: interval blocks, readings, events. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.headend.layout import Channel as LayoutChannel
from meterway.headend.layout import ProfileLayout
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Columns, CosemDateTime, decode_columns
from meterway.stacks.dlms.axdr.times import NO_TIME, utc_seconds
from meterway.store.block import Block, Channel, Column

__all__ = ["DAY_S", "LogEntry", "ProfileRows", "blocks_of", "decode_log", "decode_profile", "register_value"]

DAY_S: Final = 86400
_SUSPECT_STATUS: Final = 0x02 | 0x01
_TOP: Final = (1 << 63) - 1
_TOP_CODE: Final = (1 << 31) - 1
_SHARED_ROWS: Final = 4096


@dataclass(frozen=True, slots=True)
class ProfileRows:
    """A profile as columns: ``times_s`` Unix seconds, ``values`` one int64 row a channel, ``status`` an octet a row."""

    times_s: NDArray[np.int64]
    status: NDArray[np.uint8]
    values: NDArray[np.int64]
    channels: tuple[LayoutChannel, ...]
    refused: int = 0


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One row of an event log."""

    time_s: float
    code: int


def decode_profile(
    octets: bytes, layout: ProfileLayout, *, latest_s: float, earliest_s: float = float("-inf")
) -> ProfileRows:
    """The rows of a profile buffer; rows without a time or with one outside the bounds are left out and counted.

    DecodeError if the octets are no table or do not have the columns of the layout.
    """
    columns = decode_columns(octets, capture_period_s=layout.period_s or None)
    if not columns.count:
        return ProfileRows(
            _ints(0), np.zeros(0, np.uint8), np.zeros((len(layout.channels), 0), np.int64), layout.channels
        )
    if not layout.channels:
        raise DecodeError("the profile captures no quantity", 0, "columns")
    width = max((layout.clock, layout.status or 0, *(c.column for c in layout.channels))) + 1
    if len(columns.columns) < width:
        raise DecodeError(f"rows of {len(columns.columns)} columns, the profile captures {width}", 0, "columns")
    times, first, last = _times(columns, layout.clock)
    values = np.empty((len(layout.channels), columns.count), np.int64)
    for row, channel in zip(values, layout.channels, strict=True):
        row[:] = _numbers(columns, channel.column)
    status = _status(columns, layout.status)
    if NO_TIME < first >= earliest_s and last <= latest_s:
        return ProfileRows(times, status, values, layout.channels)
    good = (times != NO_TIME) & (times <= latest_s) & (times >= earliest_s)
    return ProfileRows(times[good], status[good], values[:, good], layout.channels, int((~good).sum()))


def _ints(count: int) -> NDArray[np.int64]:
    return np.zeros(count, np.int64)


def _times(columns: Columns, index: int) -> tuple[NDArray[np.int64], int, int]:
    """The moments of a column, not to be written, with the earliest (NO_TIME if one is none) and the latest."""
    values = columns.columns[index].values
    if isinstance(values, np.ndarray) and values.shape == (columns.count, 12) and columns.count <= _SHARED_ROWS:
        return _shared_times(values.tobytes())
    try:
        times = columns.times(index)
    except LocalProtocolError as error:
        raise DecodeError(str(error), 0, "columns") from None
    return times, int(times.min()), int(times.max())


@lru_cache(maxsize=64)
def _shared_times(octets: bytes) -> tuple[NDArray[np.int64], int, int]:
    """A whole fleet is asked for the same slots and answers with the same moments."""
    times = utc_seconds(np.frombuffer(octets, np.uint8).reshape(-1, 12))
    times.setflags(write=False)
    return times, int(times.min()), int(times.max())


def _numbers(columns: Columns, index: int) -> NDArray[np.generic]:
    values = columns.columns[index].values
    if isinstance(values, list) or values.ndim != 1 or values.dtype.kind not in "iu":
        raise DecodeError(f"column {index} of the profile holds no whole numbers", 0, "columns")
    if values.dtype == np.uint64 and values.max() > _TOP:
        raise DecodeError(f"column {index} of the profile holds numbers beyond 63 bits", 0, "columns")
    return values


def _status(columns: Columns, index: int | None) -> NDArray[np.uint8]:
    if index is None:
        return np.zeros(columns.count, np.uint8)
    values = columns.columns[index].values
    if isinstance(values, list) or values.ndim != 1 or values.dtype.kind not in "iu":
        return np.full(columns.count, _SUSPECT_STATUS, np.uint8)
    octets: NDArray[np.uint8] = values.astype(np.uint8, copy=False)
    return octets


def blocks_of(rows: ProfileRows, period_s: int) -> tuple[list[Block], NDArray[np.bool_]]:
    """One block for each UTC day that has rows, and which rows stand on the grid of the period.

    Rows off the grid (captured at a power failure, a clock change) are for the caller to keep as single readings.
    """
    on_grid = rows.times_s % period_s == 0
    times, values, status = rows.times_s, rows.values, rows.status
    if not on_grid.all():
        times, values, status = times[on_grid], values[:, on_grid], status[on_grid]
    if not times.size:
        return [], on_grid
    if not (times[1:] > times[:-1]).all():
        times, order = np.unique(times, return_index=True)
        values, status = values[:, order], status[order]
    columns = [_column(channel) for channel in rows.channels]
    return _days(times, values, status, columns, period_s), on_grid


@lru_cache(maxsize=1024)
def _column(channel: LayoutChannel) -> Column:
    return Column(obis=Obis.parse(channel.obis), unit=channel.unit, scaler=channel.scaler)


def _days(
    times: NDArray[np.int64],
    values: NDArray[np.int64],
    status: NDArray[np.uint8],
    columns: list[Column],
    period_s: int,
) -> list[Block]:
    """Blocks of rows in the order of time, all days laid out in one go; each has its part of the whole."""
    days = times // DAY_S
    changes = days[1:] != days[:-1]
    numbers = np.zeros(len(times), np.int64)
    np.cumsum(changes, out=numbers[1:])
    starts = days[np.flatnonzero(np.concatenate(((True,), changes)))] * DAY_S
    count = DAY_S // period_s
    places = numbers * count + (times % DAY_S) // period_s
    present = np.zeros((len(starts), count), np.bool_)
    present.reshape(-1)[places] = True
    quality = np.zeros((len(starts), count), np.uint8)
    quality.reshape(-1)[places] = status
    filled = np.zeros((len(columns), len(starts), count), np.int64)
    filled.reshape(len(columns), -1)[:, places] = values
    return [
        Block(
            start_s=start,
            interval_s=period_s,
            channels=tuple(
                [
                    Channel(column=column, values=each[day], quality=quality[day], present=present[day])
                    for column, each in zip(columns, filled, strict=True)
                ]
            ),
        )
        for day, start in enumerate(starts.tolist())
    ]


def register_value(octets: bytes) -> int | None:
    """The whole number (63 bits and sign) of a register's value attribute; None if it is something else."""
    try:
        value, end = axdr.to_native(octets)
    except DecodeError:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or end != len(octets):
        return None
    return value if -_TOP <= value <= _TOP else None


def decode_log(octets: bytes, *, default_deviation_min: int = 0) -> tuple[list[LogEntry], int]:
    """The entries of an event log whose rows begin with a date-time and a code, and how many rows were neither."""
    rows, _ = axdr.to_native(octets)
    if not isinstance(rows, list):
        raise DecodeError("an event log is an array", 0, "columns")
    entries = list(_entries(rows, default_deviation_min))
    return entries, len(rows) - len(entries)


def _entries(rows: list[object], default_deviation_min: int) -> Iterator[LogEntry]:
    for row in rows:
        if not isinstance(row, list) or len(row) < 2 or not isinstance(row[1], int) or not 0 <= row[1] <= _TOP_CODE:
            continue
        moment = _moment(row[0])
        time = moment.utc(default_deviation_min) if moment is not None else None
        if time is not None:
            yield LogEntry(time.timestamp(), row[1])


def _moment(value: object) -> CosemDateTime | None:
    if isinstance(value, CosemDateTime):
        return value
    return CosemDateTime.decode(value) if isinstance(value, bytes) and len(value) == 12 else None

"""Columns of rows that are not all of one shape: null-data, deltas, compact arrays, mixed widths, texts."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader
from meterway.stacks.dlms.axdr.data import CompactArray, Data, decode
from meterway.stacks.dlms.axdr.moments import CosemDate, CosemDateTime, CosemTime
from meterway.stacks.dlms.axdr.native import native
from meterway.stacks.dlms.axdr.tags import CODES, DELTAS, INTEGER_RANGES, NUMBERS, Tag

__all__ = ["OCTETS", "Column", "read_columns"]

OCTETS: Final = frozenset({Tag.OCTET_STRING, Tag.DATE_TIME, Tag.DATE, Tag.TIME})
"""The tags whose column is rows of octets."""
_LIMITS: Final = {CODES[tag]: limits for tag, limits in INTEGER_RANGES.items()}
_FILL: Final[dict[int, object]] = {
    Tag.BOOLEAN: False,
    Tag.VISIBLE_STRING: "",
    Tag.UTF8_STRING: "",
    Tag.BIT_STRING: "",
}


class Column(NamedTuple):
    """One column: the tag of its values and the values, one a row.

    Numbers and booleans are an array in the type's own width (int64, uint64 or float64 where rows differ in
    width); octet-strings, dates and times an array of rows of octets, or a list of bytes where lengths differ;
    anything else a list of plain Python objects. ``missing`` marks rows that have no value, or is None.
    """

    tag: int
    values: NDArray[np.generic] | list[object]
    missing: NDArray[np.bool_] | None = None


def read_columns(octets: bytes, offset: int, capture_period_s: int | None) -> tuple[int, tuple[Column, ...], int]:
    """Row count, columns and end of the array at ``offset``, by the exact decoder."""
    reader = Reader(octets, offset)
    data = decode(reader)
    value = data.value
    if isinstance(value, CompactArray):
        rows = value.rows()
    elif data.tag == Tag.ARRAY and isinstance(value, tuple):
        rows = value
    else:
        raise DecodeError("a profile's buffer is an array", offset, "columns")
    table = [_cells(row) for row in rows]
    if len({len(cells) for cells in table}) > 1:
        raise DecodeError("the rows of the profile differ in their count of values", offset, "columns")
    columns = (_column(cells, offset, capture_period_s) for cells in zip(*table, strict=True))
    return len(rows), tuple(columns), reader.offset


def _cells(row: Data) -> tuple[Data, ...]:
    value = row.value
    if isinstance(value, CompactArray):
        return (row,)
    return value if isinstance(value, tuple) else (row,)


def _column(cells: tuple[Data, ...], offset: int, capture_period_s: int | None) -> Column:
    tags = {cell.tag for cell in cells} - DELTAS - {Tag.NULL_DATA, Tag.DONT_CARE}
    tag = next((cell.tag for cell in cells if cell.tag in tags), int(Tag.NULL_DATA))
    values: list[object] = []
    missing: list[bool] = []
    last: object = None
    for cell in cells:
        last = _next(cell, last, offset, capture_period_s)
        values.append(last)
        missing.append(last is None)
        if cell.tag == Tag.DONT_CARE:
            last = None
    mask = np.array(missing) if any(missing) else None
    return Column(tag, _packed(tag, tags, values), mask)


def _next(cell: Data, last: object, offset: int, capture_period_s: int | None) -> object:
    """The value of a cell below ``last``."""
    if cell.tag == Tag.DONT_CARE:
        return None
    if cell.tag == Tag.NULL_DATA:
        return _advanced(last, capture_period_s) if isinstance(last, bytes) and len(last) == 12 else last
    if cell.tag in DELTAS:
        if not isinstance(last, int) or not isinstance(cell.value, int):
            raise DecodeError("a delta has no number above it", offset, "delta")
        return last + cell.value
    if isinstance(cell.value, CosemDateTime | CosemDate | CosemTime):
        return cell.value.encode()
    return native(cell)


def _advanced(octets: bytes, capture_period_s: int | None) -> bytes | None:
    """Twelve octets that are a moment moved on by the capture period, other octets as they are."""
    moment = CosemDateTime.decode(octets)
    local = moment.local()
    if local is None:
        return octets
    if capture_period_s is None:
        return None
    try:
        local += dt.timedelta(seconds=capture_period_s)
    except OverflowError:
        return None
    return replace(
        moment,
        year=local.year,
        month=local.month,
        day=local.day,
        weekday=None if moment.weekday is None else local.isoweekday(),
        hour=local.hour,
        minute=local.minute,
        second=local.second,
    ).encode()


def _packed(tag: int, tags: set[int], values: list[object]) -> NDArray[np.generic] | list[object]:
    if tags <= OCTETS and tags:
        return _octets([value for value in values if isinstance(value, bytes | None)])
    if tags <= NUMBERS:
        return _numbers(tag, tags, [value if isinstance(value, int | float) else 0 for value in values])
    fill = _FILL.get(tag)
    filled = [fill if value is None else value for value in values]
    return np.array(filled, np.bool_) if tags == {Tag.BOOLEAN} else filled


def _octets(values: list[bytes | None]) -> NDArray[np.generic] | list[object]:
    sizes = {len(value) for value in values if value is not None}
    if len(sizes) != 1:
        return [b"" if value is None else value for value in values]
    size = sizes.pop()
    joined = b"".join(bytes(size) if value is None else value for value in values)
    return np.frombuffer(joined, np.uint8).reshape(len(values), size)


def _numbers(tag: int, tags: set[int], values: list[int | float]) -> NDArray[np.generic] | list[object]:
    own = CODES[tag] if len(tags) == 1 else "q"
    if any(isinstance(value, float) for value in values):
        return np.array(values, np.dtype(own if own in "fd" else "d"))
    low, high = min(values, default=0), max(values, default=0)
    for code, (least, most) in ((own, _LIMITS.get(own, (0, 0))), ("q", _LIMITS["q"]), ("Q", _LIMITS["Q"])):
        if least <= low and high <= most:
            return np.array(values, np.dtype(code))
    return [*values]

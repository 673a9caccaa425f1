"""Whole profile buffers written column by column, for meters that answer with many rows (NumPy)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from meterway.base.errors import LocalProtocolError
from meterway.stacks.dlms.axdr.leaves import encode_length
from meterway.stacks.dlms.axdr.tags import CODES, FIXED, INTEGER_RANGES, Tag
from meterway.stacks.dlms.axdr.times import date_time_octets

__all__ = ["EncodeColumn", "encode_columns"]

_SIZES: Final[dict[int, int]] = {Tag.DATE_TIME: 12, Tag.DATE: 5, Tag.TIME: 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeColumn:
    """One column to write.

    ``values`` are numbers for the number types; for octet-string, date-time, date and time rows of octets
    (n by size). Whole numbers for octet-string or date-time are seconds since 1970 in UTC and become local
    date-times with ``deviation_min`` (UTC is local plus deviation) and ``status``, each one for all rows or one a row.
    """

    tag: int
    values: NDArray[np.generic]
    deviation_min: int | NDArray[np.int64] = 0
    status: int | NDArray[np.uint8] = 0


def encode_columns(columns: Sequence[EncodeColumn]) -> bytes:
    """The array of structures that has these columns; LocalProtocolError if they do not fit together or their types."""
    counts = {len(column.values) for column in columns}
    if len(counts) != 1:
        raise LocalProtocolError("the columns of a profile have one length and are at least one")
    count = counts.pop()
    parts = [_part(column) for column in columns]
    row = bytearray((Tag.STRUCTURE,)) + encode_length(len(parts))
    places = []
    for head, values in parts:
        row += head
        places.append(len(row))
        row += bytes(values.dtype.itemsize)
    start = bytes((Tag.ARRAY,)) + encode_length(count)
    if not count:
        return start
    buffer = bytearray(start + row * count)
    for place, (_, values) in zip(places, parts, strict=True):
        np.ndarray((count,), values.dtype, buffer, len(start) + place, (len(row),))[...] = values
    return bytes(buffer)


def _part(column: EncodeColumn) -> tuple[bytes, NDArray[np.generic]]:
    """The octets before each value and the values in the form of the wire, one item a row."""
    tag, values = column.tag, column.values
    if tag in CODES:
        return bytes((tag,)), _numbers(tag, values)
    if tag == Tag.OCTET_STRING or tag in _SIZES:
        octets = np.ascontiguousarray(_octets(column))
        size = octets.shape[1]
        if size != _SIZES.get(tag, size) or not size:
            raise LocalProtocolError(f"{size} octets are not written as {Tag(tag).name.lower()}")
        head = bytes((tag,)) if tag in FIXED else bytes((tag,)) + encode_length(size)
        return head, octets.view(f"V{size}").reshape(len(octets))
    raise LocalProtocolError(f"a column of type {tag} cannot be written at once")


def _octets(column: EncodeColumn) -> NDArray[np.uint8]:
    values = column.values
    if values.ndim == 2 and values.dtype == np.uint8:
        return values.astype(np.uint8, copy=False)
    if values.ndim == 1 and values.dtype.kind in "iu" and column.tag in (Tag.OCTET_STRING, Tag.DATE_TIME):
        times = values.astype(np.int64)
        try:
            return date_time_octets(times, deviation_min=column.deviation_min, status=column.status)
        except (ValueError, OverflowError) as error:
            raise LocalProtocolError(f"deviation or status do not fit the date-times: {error}") from None
    raise LocalProtocolError("octets are written from rows of octets, or date-times from seconds")


def _numbers(tag: int, values: NDArray[np.generic]) -> NDArray[np.generic]:
    if values.ndim != 1 or values.dtype.kind not in "biuf":
        raise LocalProtocolError("numbers are written from an array of one dimension")
    limits = INTEGER_RANGES.get(tag)
    if limits is not None:
        if values.dtype.kind == "f":
            raise LocalProtocolError("an integer type is written from whole numbers")
        if len(values) and not (limits[0] <= int(values.min()) and int(values.max()) <= limits[1]):
            raise LocalProtocolError(f"a value is outside {limits[0]} to {limits[1]} of {Tag(tag).name.lower()}")
    try:
        with np.errstate(over="raise"):
            return values.astype(">" + CODES[tag])
    except FloatingPointError:
        raise LocalProtocolError(f"a value is too large for {Tag(tag).name.lower()}") from None

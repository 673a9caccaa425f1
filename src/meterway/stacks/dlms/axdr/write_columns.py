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
    for head, body in parts:
        row += head
        places.append(len(row))
        row += bytes(body.shape[1])
    out = np.empty((count, len(row)), np.uint8)
    out[:] = np.frombuffer(row, np.uint8)
    for place, (_, body) in zip(places, parts, strict=True):
        out[:, place : place + body.shape[1]] = body
    return bytes((Tag.ARRAY,)) + encode_length(count) + out.tobytes()


def _part(column: EncodeColumn) -> tuple[bytes, NDArray[np.uint8]]:
    """The octets before each value and the values as rows of octets."""
    tag, values = column.tag, column.values
    if tag in CODES:
        return bytes((tag,)), _numbers(tag, values)
    if tag == Tag.OCTET_STRING or tag in _SIZES:
        octets = _octets(column)
        if octets.shape[1] != _SIZES.get(tag, octets.shape[1]):
            raise LocalProtocolError(f"{octets.shape[1]} octets are not of type {Tag(tag).name.lower()}")
        head = bytes((tag,)) if tag in FIXED else bytes((tag,)) + encode_length(octets.shape[1])
        return head, octets
    raise LocalProtocolError(f"a column of type {tag} cannot be written at once")


def _octets(column: EncodeColumn) -> NDArray[np.uint8]:
    values = column.values
    if values.ndim == 2 and values.dtype == np.uint8:
        return values.astype(np.uint8, copy=False)
    if values.ndim == 1 and values.dtype.kind in "iu" and column.tag in (Tag.OCTET_STRING, Tag.DATE_TIME):
        times = values.astype(np.int64)
        return date_time_octets(times, deviation_min=column.deviation_min, status=column.status)
    raise LocalProtocolError("octets are written from rows of octets, or date-times from seconds")


def _numbers(tag: int, values: NDArray[np.generic]) -> NDArray[np.uint8]:
    if values.ndim != 1 or values.dtype.kind not in "biuf":
        raise LocalProtocolError("numbers are written from an array of one dimension")
    limits = INTEGER_RANGES.get(tag)
    if limits is not None:
        if values.dtype.kind == "f":
            raise LocalProtocolError("an integer type is written from whole numbers")
        if len(values) and not (limits[0] <= int(values.min()) and int(values.max()) <= limits[1]):
            raise LocalProtocolError(f"a value is outside {limits[0]} to {limits[1]} of {Tag(tag).name.lower()}")
    wire = np.dtype(">" + CODES[tag])
    return values.astype(wire).view(np.uint8).reshape(len(values), wire.itemsize)

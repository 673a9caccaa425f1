"""Rows of a profile as the meter gave them: cut apart, each with its time, and put together again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from meterway.base.errors import DecodeError
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CompactArray, CosemDateTime, Data, Tag
from meterway.stacks.dlms.axdr.layout import learn
from meterway.stacks.dlms.axdr.leaves import length_at
from meterway.stacks.dlms.classes.elements import CaptureObject
from meterway.stacks.dlms.classes.profile_generic import CLOCK_TIME

__all__ = ["Row", "cut_rows", "joined_rows"]

_EMPTY: Final = b"\x01\x00"
_FEWEST: Final = 4
_PLAIN: Final = frozenset(
    (
        Tag.OCTET_STRING,
        Tag.DOUBLE_LONG,
        Tag.DOUBLE_LONG_UNSIGNED,
        Tag.INTEGER,
        Tag.LONG,
        Tag.UNSIGNED,
        Tag.LONG_UNSIGNED,
        Tag.LONG64,
        Tag.LONG64_UNSIGNED,
        Tag.ENUM,
    )
)
"""Values that have one encoding only."""


class Row(NamedTuple):
    """One row: when it was captured (Unix seconds), and its structure, encoded."""

    time_s: int
    octets: bytes


def cut_rows(buffer: bytes, columns: Sequence[CaptureObject], period_s: int) -> list[Row]:
    """The rows of a buffer. Null-data is made explicit, so that each row stands alone.

    A time that is left out is one period after the row before; any other value is that of the row before. DecodeError
    for anything that is not an array of structures of these columns, or a row whose time nobody can tell.
    """
    clock = next((place for place, column in enumerate(columns) if column == CLOCK_TIME), None)
    alike = None if clock is None else _cut_alike(buffer, len(columns), clock)
    if alike is not None:
        return alike
    value = axdr.decode_all(buffer)
    if value.tag not in (Tag.ARRAY, Tag.COMPACT_ARRAY):
        raise DecodeError(f"a buffer is an array, not a {value.tag}", 0, "buffer")
    found = value.value.rows() if isinstance(value.value, CompactArray) else value.value
    if not isinstance(found, tuple):
        raise DecodeError("a buffer without rows", 0, "buffer")
    if clock is None:
        raise DecodeError("a profile that does not capture its clock has no times", 0, "buffer")
    rows: list[Row] = []
    last: tuple[Data, ...] = ()
    for one in found:
        last, time_s = _explicit(one, last, len(columns), clock, rows[-1].time_s + period_s if rows else None)
        rows.append(Row(time_s, axdr.encode(Data(Tag.STRUCTURE, last))))
    return rows


def _cut_alike(buffer: bytes, width: int, clock: int) -> list[Row] | None:
    """The rows of a buffer that are all of one shape with nothing left out: slices of it. None for any other."""
    if buffer[:1] != b"\x01" or len(buffer) < 2 or (buffer[1] & 0x7F) + 2 > len(buffer):
        return None
    count, start = length_at(buffer, 1)
    layout = learn(buffer, start) if count >= _FEWEST else None
    if layout is None or layout.shape != tuple(range(width)) or len(buffer) != start + count * layout.stride:
        return None
    place, stride = layout.places[clock], layout.stride
    if any(one.tag not in _PLAIN for one in layout.places) or (place.tag, place.size) != (Tag.OCTET_STRING, 12):
        return None
    first = buffer[start : start + stride]
    if layout.matching(buffer, start, count) != count or axdr.encode(axdr.decode_all(first)) != first:
        return None
    rows = []
    for at in range(start, len(buffer), stride):
        time_s = _seconds(buffer[at + place.position : at + place.position + 12])
        if time_s is None:
            return None
        rows.append(Row(time_s, buffer[at : at + stride]))
    return rows


def _explicit(
    row: object, last: tuple[Data, ...], width: int, clock: int, follows_s: int | None
) -> tuple[tuple[Data, ...], int]:
    parts = row.value if isinstance(row, Data) and row.tag == Tag.STRUCTURE else None
    if not isinstance(parts, tuple) or len(parts) != width or not all(isinstance(part, Data) for part in parts):
        raise DecodeError(f"a row is a structure of {width} values", 0, "buffer")
    fields = [part for part in parts if isinstance(part, Data)]
    time_s = follows_s if fields[clock].tag == Tag.NULL_DATA else _unix(fields[clock])
    if time_s is None:
        raise DecodeError("a row without a time", 0, "buffer")
    if last:
        fields = [old if new.tag == Tag.NULL_DATA and place != clock else new
                  for place, (new, old) in enumerate(zip(fields, last, strict=True))]  # fmt: skip
    if fields[clock].tag == Tag.NULL_DATA:
        fields[clock] = _moment(time_s, last[clock])
    return tuple(fields), time_s


def _unix(data: Data) -> int | None:
    value = data.value
    if data.tag == Tag.OCTET_STRING and isinstance(value, bytes) and len(value) == 12:
        return _seconds(value)
    return _seconds_of(value) if isinstance(value, CosemDateTime) else None


@lru_cache(maxsize=1024)
def _seconds(octets: bytes) -> int | None:
    """Many meters capture at the same times."""
    return _seconds_of(CosemDateTime.decode(octets))


def _seconds_of(moment: CosemDateTime) -> int | None:
    utc = moment.utc(0)
    return None if utc is None or utc.timestamp() < 0 else int(utc.timestamp())


def _moment(time_s: int, like: Data) -> Data:
    """A time in the form and with the deviation of another."""
    old = CosemDateTime.decode(like.value) if isinstance(like.value, bytes) else like.value
    deviation = old.deviation_min if isinstance(old, CosemDateTime) and old.deviation_min is not None else 0
    summer = isinstance(old, CosemDateTime) and bool(old.daylight_saving)
    fresh = CosemDateTime.from_utc(datetime.fromtimestamp(time_s, UTC), deviation, dst=summer)
    return axdr.octets(fresh.encode()) if like.tag == Tag.OCTET_STRING else Data(like.tag, fresh)


def joined_rows(rows: Iterable[bytes]) -> bytes:
    """Encoded rows as one encoded array."""
    parts = list(rows)
    return b"\x01" + axdr.encode_length(len(parts)) + b"".join(parts) if parts else _EMPTY

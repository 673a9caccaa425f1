"""Compact profiles (EN 13757-3, annex): a row of values in one record, one step of time apart.

The record with VIFE 1E, 1F or 13 (inverse: back in time) holds a spacing octet, a spacing value and the values. Base
time and base value are the records of the same storage number; the first value of the profile is one step away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from meterway.base.errors import DecodeError
from meterway.stacks.mbus.records.head import Head
from meterway.stacks.mbus.records.read import Value, reader
from meterway.stacks.mbus.records.record import Record
from meterway.stacks.mbus.records.values import SIZES, bcd, real, signed

__all__ = ["Stamped", "expand", "profile_body"]

_INVERSE: Final = "inverse compact profile"
_REGISTERS: Final = "compact profile with register numbers"
_STEPS: Final = (timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1))
_MONTH: Final = 254
_ABSOLUTE, _UP, _DOWN, _SIGNED = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """One value of a profile: a record as if it had been sent alone, and its time (None if it cannot be told)."""

    record: Record
    time: datetime | date | None


def expand(records: tuple[Record, ...]) -> tuple[Stamped, ...]:
    """All values of all compact profiles among ``records``, in the order sent; DecodeError if one is malformed."""
    out: list[Stamped] = []
    for record in records:
        if record.head.kind == "profile" and isinstance(record.value, bytes):
            out += _profile(record, record.value, records)
    return tuple(out)


def profile_body(elements: Sequence[int | None], data_field: int, *, unit: int = 3, spacing: int = 254) -> bytes:
    """The octets of a profile of absolute integer values, to be sent in a record with VIFE 1E, 1F or 13.

    ``unit`` 0 to 3: seconds, minutes, hours, days (with ``spacing`` 254: months). None becomes the most negative
    number, which stands for an invalid value. ValueError if a value does not fit.
    """
    size = SIZES[data_field]
    out = bytearray((data_field | unit << 4, spacing))
    for element in elements:
        number = -(1 << 8 * size - 1) if element is None else element
        try:
            out += number.to_bytes(size, "little", signed=True)
        except OverflowError as problem:
            raise ValueError(f"{number} does not fit into {size} octets") from problem
    return bytes(out)


def _profile(record: Record, body: bytes, records: tuple[Record, ...]) -> list[Stamped]:
    if len(body) < 2:
        raise DecodeError("a compact profile begins with two octets of spacing", 0, "profile")
    control, spacing = body[0], body[1]
    mode, unit, data_field = control >> 6, control >> 4 & 3, control & 15
    size = SIZES[data_field] if data_field < 15 else 0
    if size <= 0 or (len(body) - 2) % size:
        raise DecodeError("the elements of a compact profile do not fill its octets", 1, "profile")
    inverse = _INVERSE in record.head.notes
    direction = -1 if inverse else 1
    base_time, base_value = _base(record.head, records)
    numbered = inverse or _REGISTERS in record.head.notes
    total: int | float | None = _raw_base(base_value)
    out: list[Stamped] = []
    for number, place in enumerate(range(2, len(body), size), 1):
        data = body[place : place + size]
        head = _element_head(record.head, data_field, number if numbered else 0)
        if mode == _ABSOLUTE:
            value = head.read(data)
        else:
            total = _next(total, data, data_field, mode, direction)
            value = None if total is None else _scaled(head, total)
        element = Record(head=head, value=value, data=data)
        out.append(Stamped(record=element, time=_time(base_time, unit, spacing, direction * number)))
    return out


def _base(head: Head, records: tuple[Record, ...]) -> tuple[datetime | date | None, Record | None]:
    """Base time and base value: the records of the same storage number."""
    time: datetime | date | None = None
    value: Record | None = None
    for other in records:
        known = other.head
        if known.storage != head.storage or known.kind == "profile":
            continue
        if known.kind == "time" and not known.notes and isinstance(other.value, date):
            time = other.value
        elif known.quantity == head.quantity and (known.tariff, known.subunit, known.function) == (
            head.tariff,
            head.subunit,
            head.function,
        ):
            value = other
    return time, value


def _raw_base(record: Record | None) -> int | float | None:
    if record is None or not isinstance(record.value, (int, float)):
        return None
    return _number(record.data, record.head.data_field)


def _number(data: bytes, data_field: int) -> int | float | None:
    if data_field == 5:
        return real(data)
    if data_field in (1, 2, 3, 4, 6, 7):
        return signed(data)
    return bcd(data)


def _next(total: int | float | None, data: bytes, data_field: int, mode: int, direction: int) -> int | float | None:
    """The running value; once an element is invalid everything after it is unknown."""
    if total is None:
        return None
    if data_field in (1, 2, 3, 4, 6, 7):
        step: int | float | None = int.from_bytes(data, "little", signed=mode == _SIGNED)
        size = 8 * len(data)
        if step == (-(1 << size - 1) if mode == _SIGNED else (1 << size) - 1):
            return None
    else:
        step = _number(data, data_field)
    if step is None:
        return None
    return total + step * direction * (-1 if mode == _DOWN else 1)


def _scaled(head: Head, number: int | float) -> Value:
    scaled = number * head.num if head.den == 1 else number * head.num / head.den
    return scaled + head.offset if head.offset else scaled


def _element_head(head: Head, data_field: int, step: int) -> Head:
    return replace(
        head,
        data_field=data_field,
        size=SIZES[data_field],
        storage=head.storage + step,
        kind="number",
        read=reader(data_field, "number", head.num, head.den, head.offset),
    )


def _time(base: datetime | date | None, unit: int, spacing: int, steps: int) -> datetime | date | None:
    if base is None or spacing == 0:
        return None
    try:
        if unit == 3 and spacing == _MONTH:
            return _months(base, steps)
        if spacing > 250 or (unit < 3 and not isinstance(base, datetime)):
            return None
        return base + _STEPS[unit] * spacing * steps
    except (OverflowError, ValueError):
        return None


def _months(base: date, steps: int) -> date:
    """The same day some months later; a last day of a month stays one, and 29 to 31 become the last day there is."""
    index = base.year * 12 + base.month - 1 + steps
    year, month = divmod(index, 12)
    last = _last_day(year, month + 1)
    day = last if base.day == _last_day(base.year, base.month) else min(base.day, last)
    return base.replace(year=year, month=month + 1, day=day)


def _last_day(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - timedelta(days=1)).day

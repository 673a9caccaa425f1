"""The value of one field of a driver in the octets of a block."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime
from fractions import Fraction
from typing import Final

from meterway.mapping.drivers.driver import Field, Piece, Table
from meterway.stacks.mbus.records.read import Value
from meterway.stacks.mbus.records.times import decode_time
from meterway.stacks.mbus.records.values import bcd, real

__all__ = ["Read", "from_table", "month_shifted", "read_field", "scaled"]

Read = tuple[Value, str]
"""A value, or None and the reason."""

_NUMBER_SIZE: Final = 8
_CUT: Final = "the octets are missing"


def read_field(field: Field, octets: bytes, seen: Mapping[str, Value], tables: Mapping[str, Table]) -> Read:
    """The value of ``field``; ``seen`` are the values of earlier fields by id."""
    if field.type == "sum":
        return _sum(field, seen)
    if field.type == "date-bits":
        return _date_of_bits(field, octets, seen)
    parts = [_part(octets, place, field.size) for place in field.places]
    if field.pieces:
        number = _of_pieces(octets, field.places[0], field.pieces)
        return (None, _CUT) if number is None else _meaning(field, number, tables)
    if any(part is None for part in parts):
        return None, _CUT
    whole = [part[::-1] if field.big else part for part in parts if part is not None]
    if field.type in ("date", "date-bcd"):
        return _date(field, whole[0])
    if field.type == "text":
        return whole[0].rstrip(b"\0 ").decode("latin-1"), ""
    if field.type == "hex":
        return whole[0].hex().upper(), ""
    return _number(field, whole, tables)


def _part(octets: bytes, place: int, size: int) -> bytes | None:
    start = place if place >= 0 else len(octets) + place
    if start < 0 or start + size > len(octets):
        return None
    return octets[start : start + size]


def _number(field: Field, parts: list[bytes], tables: Mapping[str, Table]) -> Read:
    total: int | float = 0
    for part in parts:
        if int.from_bytes(part, "little") in field.invalid:
            return None, "the meter has no value"
        number = _raw(field.type, part)
        if number is None:
            digits = field.type == "bcd" and len(part) <= _NUMBER_SIZE
            return None, f"invalid digits {part[::-1].hex().upper()}" if digits else "not a number"
        total += number
    return _meaning(field, total, tables)


def _raw(kind: str, part: bytes) -> int | float | None:
    if len(part) > _NUMBER_SIZE or (kind == "real" and len(part) != 4):
        return None
    if kind == "bcd":
        return bcd(part)
    if kind == "real":
        return real(part)
    return int.from_bytes(part, "little", signed=kind == "int")


def _meaning(field: Field, number: int | float, tables: Mapping[str, Table]) -> Read:
    if field.pieces and number in field.invalid:
        return None, "the meter has no value"
    if field.table and isinstance(number, int):
        return from_table(tables[field.table], number)
    return scaled(number, field.scale, field.offset), ""


def scaled(number: int | float, scale: Fraction, offset: Fraction = Fraction(0)) -> int | float:
    """``number`` x ``scale`` + ``offset``, exact where it can be; a real keeps nine digits."""
    if scale == 1 and not offset:
        return number
    if isinstance(number, int):
        exact = number * scale + offset
        return exact.numerator if exact.denominator == 1 else exact.numerator / exact.denominator
    return float(f"{number * scale.numerator / scale.denominator + float(offset):.9g}")


def from_table(table: Table, number: int) -> Read:
    """What a number means by a table; None and the reason if the table has no word for it."""
    if not table.values:
        bits = [bit for bit in range(number.bit_length()) if number >> bit & 1]
        return ", ".join(table.bits.get(bit, f"bit {bit}") for bit in bits) or table.zero, ""
    found = table.values.get(number)
    return (None, f"code 0x{number:02X} is not known") if found is None else (found, "")


def _sum(field: Field, seen: Mapping[str, Value]) -> Read:
    total = Fraction(0)
    for name in field.of:
        value = seen.get(name)
        if isinstance(value, (str, bytes)) or not isinstance(value, (int, float)):
            return None, f"{name} has no value"
        total += Fraction(str(value))
    return scaled(1, total), ""


def _of_pieces(octets: bytes, base: int, pieces: tuple[Piece, ...]) -> int | None:
    """The number that pieces of bits form, the low ones first; places count from ``base``."""
    number = shift = 0
    for at, low, count in pieces:
        part = _part(octets, base + at, 1)
        if part is None:
            return None
        number |= (part[0] >> low & (1 << count) - 1) << shift
        shift += count
    return number


# -- dates ------------------------------------------------------------------------------------------------------------


def _date(field: Field, part: bytes) -> Read:
    if int.from_bytes(part, "little") in field.invalid:
        return None, "the meter has no value"
    value: date | None
    if field.type == "date":
        found = decode_time(part)
        value = found if isinstance(found, date) else None
    else:
        digits = part.hex()
        value = _day(2000 + int(digits[4:6]), int(digits[2:4]), int(digits[:2])) if digits.isdecimal() else None
    return (value, "") if value is not None else (None, "no valid time")


def _date_of_bits(field: Field, octets: bytes, seen: Mapping[str, Value]) -> Read:
    base = field.places[0]
    day = _of_pieces(octets, base, field.day)
    month = _of_pieces(octets, base, field.month)
    if day is None or month is None:
        return None, _CUT
    if field.year:
        year = _of_pieces(octets, base, field.year)
        value = None if year is None else _day(2000 + year, month, day)
        return (value, "") if value is not None else (None, "no valid time")
    before = seen.get(field.after)
    if not isinstance(before, date):
        return None, f"{field.after} has no value"
    for year in (before.year, before.year + 1):
        value = _day(year, month, day)
        if value is not None and value > date(before.year, before.month, before.day):
            return value, ""
    return None, "no valid time"


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except (ValueError, OverflowError):
        return None


def month_shifted(moment: datetime, months: int) -> datetime | None:
    """``moment`` some months later; the last day of a month stays the last day. None outside the calendar."""
    count = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(count, 12)
    if not 1 <= year <= 9999:
        return None
    last = monthrange(year, month + 1)[1]
    is_last = moment.day == monthrange(moment.year, moment.month)[1]
    return moment.replace(year=year, month=month + 1, day=last if is_last else min(moment.day, last))

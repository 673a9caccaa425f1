"""Reading and writing the value of a data field, as a function made once for each head.

What can be decided from the header is decided here, so that the work left for each record is one call.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from math import isfinite
from struct import error, pack

from meterway.stacks.mbus.records.times import Recurring, Time, decode_time, encode_time
from meterway.stacks.mbus.records.values import (
    SIZES,
    bcd,
    encode_bcd,
    encode_lvar,
    lvar_value,
    real,
    signed,
    unsigned,
)

__all__ = ["BCD_FIELDS", "TIME_FIELDS", "Read", "Value", "reader", "write"]

Value = int | float | str | bytes | Time | None
Read = Callable[[bytes], Value]

BCD_FIELDS = frozenset((9, 10, 11, 12, 14))
TIME_FIELDS = frozenset((2, 3, 4, 6))
"""Data fields of types G, J, F and I; times in digits, as reals or of variable length (type M) are not read."""
_INTEGERS = frozenset((1, 2, 3, 4, 6, 7))


def _none(data: bytes) -> Value:
    return None


def reader(data_field: int, kind: str, num: int, den: int, offset: float) -> Read:
    """The function that turns a data field into a value; None comes out where the octets hold none."""
    if data_field in (0, 8):
        return _none
    if data_field == 13:
        return _variable(kind, num, den, offset)
    if kind == "time":
        return decode_time if data_field in TIME_FIELDS else _none
    if kind in ("octets", "profile"):
        return bytes
    if kind == "id":
        return _digits if data_field in BCD_FIELDS else unsigned
    if data_field in _INTEGERS:
        return unsigned if kind == "flags" else _integer(num, den, offset)
    if kind == "flags":  # a state or an address has no scale, whatever else its VIFs say
        num, den, offset = 1, 1, 0.0
    if data_field == 5:
        return real if (num, den, offset) == (1, 1, 0.0) else _real(num, den, offset)
    return _decimal(num, den, offset)


def _integer(num: int, den: int, offset: float) -> Read:
    parse = int.from_bytes
    if offset:
        return lambda data: parse(data, "little", signed=True) * num / den + offset
    if den == 1:
        return signed if num == 1 else lambda data: parse(data, "little", signed=True) * num
    if num == 1:
        return lambda data: parse(data, "little", signed=True) / den
    return lambda data: parse(data, "little", signed=True) * num / den


def _decimal(num: int, den: int, offset: float) -> Read:
    def read(data: bytes) -> Value:
        number = bcd(data)
        if number is None:
            return None
        scaled = number * num if den == 1 else number * num / den
        return scaled + offset if offset else scaled

    return read


def _real(num: int, den: int, offset: float) -> Read:
    def read(data: bytes) -> Value:
        number = real(data)
        if number is None:
            return None
        scaled = number * num / den + offset
        return float(f"{scaled:.9g}") if isfinite(scaled) else None

    return read


def _digits(data: bytes) -> Value:
    """A number that names something keeps its leading zeros."""
    digits = data[::-1].hex()
    return digits if digits.isdecimal() else None


def _variable(kind: str, num: int, den: int, offset: float) -> Read:
    if kind in ("octets", "profile", "time"):
        return _payload

    def read(data: bytes) -> Value:
        value = lvar_value(data[0], data[1:])
        if isinstance(value, int) and kind == "number":
            scaled = value * num if den == 1 else value * num / den
            return scaled + offset if offset else scaled
        return value

    return read


def _payload(data: bytes) -> Value:
    return data[1:]


def write(value: Value, data_field: int, kind: str, num: int, den: int, offset: float) -> bytes:
    """The data field of a value; ValueError if the value does not fit the field."""
    size = SIZES[data_field]
    if kind == "flags":
        num, den, offset = 1, 1, 0.0
    if data_field == 13:
        return _write_variable(value, kind, num, den, offset)
    if size == 0 and value is None:
        return b""
    if isinstance(value, bytes):
        data = value
    elif isinstance(value, (datetime, date, time, Recurring)):
        data = encode_time(value, size)
    elif isinstance(value, str):
        data = encode_bcd(int(value), size) if data_field in BCD_FIELDS else int(value).to_bytes(size, "little")
    elif value is None:
        raise ValueError("a value is wanted")
    elif data_field == 5:
        data = _write_real((value - offset) * den / num)
    else:
        number = int(value) if kind in ("flags", "id") else _unscaled(value, num, den, offset)
        data = _write_number(number, data_field, kind)
    if len(data) != size:
        raise ValueError(f"{len(data)} octets do not fit a field of {size}")
    return data


def _write_real(value: float) -> bytes:

    try:
        return pack("<f", value)
    except (OverflowError, error) as problem:
        raise ValueError(f"{value} does not fit a real") from problem


def _unscaled(value: int | float, num: int, den: int, offset: float) -> int:
    if isinstance(value, int) and not offset:
        return value * den // num
    return round((value - offset) * den / num)


def _write_number(number: int, data_field: int, kind: str) -> bytes:
    size = SIZES[data_field]
    if data_field in BCD_FIELDS:
        return encode_bcd(number, size)
    try:
        return number.to_bytes(size, "little", signed=kind not in ("flags", "id"))
    except OverflowError as problem:
        raise ValueError(f"{number} does not fit into {size} octets") from problem


def _write_variable(value: Value, kind: str, num: int, den: int, offset: float) -> bytes:
    if kind == "profile" and isinstance(value, bytes) and len(value) < 0xC0:
        return bytes((len(value),)) + value
    if isinstance(value, (str, bytes)):
        return encode_lvar(value)
    if isinstance(value, (int, float)):
        return encode_lvar(_unscaled(value, num, den, offset) if kind == "number" else int(value))
    raise ValueError(f"{value!r} has no variable-length form")

"""Constructors of COSEM data for those who write it; each checks the range of its type."""

from __future__ import annotations

from meterway.base.errors import LocalProtocolError
from meterway.stacks.dlms.axdr.data import Data
from meterway.stacks.dlms.axdr.moments import CosemDateTime
from meterway.stacks.dlms.axdr.tags import INTEGER_RANGES, Tag

__all__ = [
    "array",
    "bits",
    "boolean",
    "date_time",
    "enum",
    "float32",
    "float64",
    "i8",
    "i16",
    "i32",
    "i64",
    "null",
    "octets",
    "structure",
    "u8",
    "u16",
    "u32",
    "u64",
    "utf8",
    "visible",
]

_FLOAT32_MAX = 3.4028235677973366e38  # the first number that rounds to infinity


def _integer(tag: Tag, value: int) -> Data:
    low, high = INTEGER_RANGES[tag]
    if not low <= value <= high:
        raise LocalProtocolError(f"{value} is outside {low} to {high} of {tag.name.lower().replace('_', '-')}")
    return Data(tag, value)


def null() -> Data:
    """null-data: no value."""
    return Data(Tag.NULL_DATA, None)


def array(*items: Data) -> Data:
    """An array: elements of one type."""
    return Data(Tag.ARRAY, items)


def structure(*items: Data) -> Data:
    """A structure: elements of any types."""
    return Data(Tag.STRUCTURE, items)


def boolean(value: bool) -> Data:
    """A boolean."""
    return Data(Tag.BOOLEAN, bool(value))


def bits(value: str) -> Data:
    """A bit-string from a text of ``0`` and ``1``, the first bit first; LocalProtocolError for other characters."""
    if value.strip("01"):
        raise LocalProtocolError(f"a bit-string is made of 0 and 1, not {value!r}")
    return Data(Tag.BIT_STRING, value)


def i8(value: int) -> Data:
    """integer; LocalProtocolError outside its range."""
    return _integer(Tag.INTEGER, value)


def u8(value: int) -> Data:
    """unsigned; LocalProtocolError outside its range."""
    return _integer(Tag.UNSIGNED, value)


def i16(value: int) -> Data:
    """long; LocalProtocolError outside its range."""
    return _integer(Tag.LONG, value)


def u16(value: int) -> Data:
    """long-unsigned; LocalProtocolError outside its range."""
    return _integer(Tag.LONG_UNSIGNED, value)


def i32(value: int) -> Data:
    """double-long; LocalProtocolError outside its range."""
    return _integer(Tag.DOUBLE_LONG, value)


def u32(value: int) -> Data:
    """double-long-unsigned; LocalProtocolError outside its range."""
    return _integer(Tag.DOUBLE_LONG_UNSIGNED, value)


def i64(value: int) -> Data:
    """long64; LocalProtocolError outside its range."""
    return _integer(Tag.LONG64, value)


def u64(value: int) -> Data:
    """long64-unsigned; LocalProtocolError outside its range."""
    return _integer(Tag.LONG64_UNSIGNED, value)


def enum(value: int) -> Data:
    """enum, 0 to 255; LocalProtocolError outside its range."""
    return _integer(Tag.ENUM, value)


def octets(value: bytes) -> Data:
    """An octet-string."""
    return Data(Tag.OCTET_STRING, bytes(value))


def visible(value: str) -> Data:
    """A visible-string; LocalProtocolError if a character needs more than one octet."""
    if any(character > "\xff" for character in value):
        raise LocalProtocolError(f"{value!r} does not fit a visible-string")
    return Data(Tag.VISIBLE_STRING, value)


def utf8(value: str) -> Data:
    """A utf8-string."""
    return Data(Tag.UTF8_STRING, value)


def float32(value: float) -> Data:
    """A float of 4 octets; LocalProtocolError if it is finite and too large."""
    if _FLOAT32_MAX <= abs(value) < float("inf"):
        raise LocalProtocolError(f"{value} is too large for float32")
    return Data(Tag.FLOAT32, float(value))


def float64(value: float) -> Data:
    """A float of 8 octets."""
    return Data(Tag.FLOAT64, float(value))


def date_time(value: CosemDateTime) -> Data:
    """date-time (tag 25). Attributes of type octet-string want ``octets(value.encode())`` instead."""
    return Data(Tag.DATE_TIME, value)

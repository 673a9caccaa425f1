"""SML values: each with a type-length field of its own (SML 1.04, SML binary encoding).

The type-length field has the type in bits 4 to 6 and four bits of length; bit 7 says that an octet with four more bits
of length follows. The length counts the field itself, that of a list counts its elements.
"""

from __future__ import annotations

from typing import Final

from meterway.base.octets import Reader

__all__ = ["END_OF_MESSAGE", "SmlUnsigned", "SmlValue", "encode_value", "read_value"]

_OCTETS, _BOOLEAN, _INTEGER, _UNSIGNED, _LIST = 0, 4, 5, 6, 7
_LONGEST_NUMBER: Final = 8
_MOST_NESTED: Final = 16
_MOST_LENGTH: Final = 1 << 20
END_OF_MESSAGE: Final = 0x00


class SmlUnsigned(int):
    """An unsigned number, told apart from a signed one so that it can be encoded again."""

    __slots__ = ()


SmlValue = bytes | bool | int | SmlUnsigned | tuple["SmlValue", ...] | None
"""Octets, boolean, number, list; None for an optional value that is left out (and for an empty octet string)."""


def read_value(reader: Reader, depth: int = 0) -> SmlValue:
    """The next value; DecodeError(type, length, depth) or (truncated)."""
    kind, length, size = _type_and_length(reader)
    if kind == _LIST:
        if depth >= _MOST_NESTED:
            raise reader.fail("SML lists within lists without end", "depth", back=size)
        if length > reader.remaining:
            raise reader.fail(f"a list of {length} elements in {reader.remaining} octets", "truncated", back=size)
        return tuple(read_value(reader, depth + 1) for _ in range(length))
    count = length - size
    if count < 0:
        raise reader.fail(f"the length {length} is shorter than its own field", "length", back=size)
    if kind == _OCTETS:
        return reader.take(count, "SML octet string") or None
    return _number(reader, kind, count)


def _number(reader: Reader, kind: int, count: int) -> SmlValue:
    if kind not in (_BOOLEAN, _INTEGER, _UNSIGNED):
        raise reader.fail(f"SML has no type {kind}", "type", back=1)
    if not 1 <= count <= (1 if kind == _BOOLEAN else _LONGEST_NUMBER):
        raise reader.fail(f"a number of {count} octets", "length", back=1)
    octets = reader.take(count, "SML number")
    if kind == _BOOLEAN:
        return octets != b"\x00"
    if kind == _INTEGER:
        return int.from_bytes(octets, "big", signed=True)
    return SmlUnsigned(int.from_bytes(octets, "big"))


def _type_and_length(reader: Reader) -> tuple[int, int, int]:
    """Type, length and size of the type-length field."""
    octet = reader.u8("SML type-length field")
    kind, length, size = octet >> 4 & 7, octet & 0x0F, 1
    while octet & 0x80:
        octet = reader.u8("SML type-length field")
        if octet & 0x70:
            raise reader.fail("the type of an SML value stands in its first octet only", "type", back=1)
        length, size = length << 4 | octet & 0x0F, size + 1
        if length > _MOST_LENGTH:
            raise reader.fail("an SML value of more than a million octets is refused", "length", back=1)
    return kind, length, size


def encode_value(value: SmlValue) -> bytes:
    """The octets of a value: numbers in the fewest octets SML has types for (1, 2, 4 or 8)."""
    if value is None:
        return b"\x01"
    if isinstance(value, bytes):
        return _head(_OCTETS, len(value), counts_itself=True) + value
    if isinstance(value, bool):
        return b"\x42" + bytes((value,))
    if isinstance(value, tuple):
        return _head(_LIST, len(value), counts_itself=False) + b"".join(map(encode_value, value))
    is_signed = not isinstance(value, SmlUnsigned)
    size = next(size for size in (1, 2, 4, 8) if _fits(value, size, is_signed=is_signed))
    kind = _INTEGER if is_signed else _UNSIGNED
    return bytes((kind << 4 | size + 1,)) + int(value).to_bytes(size, "big", signed=is_signed)


def _fits(value: int, size: int, *, is_signed: bool) -> bool:
    bits = 8 * size
    return -(1 << bits - 1) <= value < 1 << bits - 1 if is_signed else 0 <= value < 1 << bits


def _head(kind: int, length: int, *, counts_itself: bool) -> bytes:
    size = 1
    while length + size * counts_itself >= 1 << 4 * size:
        size += 1
    whole = length + size * counts_itself
    nibbles = [whole >> 4 * place & 0x0F for place in reversed(range(size))]
    octets = [0x80 | nibble for nibble in nibbles[:-1]] + [nibbles[-1]]
    octets[0] |= kind << 4
    return bytes(octets)

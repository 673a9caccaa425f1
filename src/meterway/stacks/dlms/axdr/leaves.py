"""Lengths, and the values that hold no other values, to and from octets (IEC 61334-6, A-XDR)."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Final

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader
from meterway.stacks.dlms.axdr.moments import CosemDate, CosemDateTime, CosemTime
from meterway.stacks.dlms.axdr.tags import CODES, Tag

__all__ = ["Leaf", "READ", "WRITE", "encode_length", "length_at", "read_length"]

Leaf = None | bool | int | float | str | bytes | CosemDateTime | CosemDate | CosemTime


def read_length(reader: Reader, what: str = "length") -> int:
    """A length or count of A-XDR: one octet below 128, else 0x81 to 0x84 and that many octets."""
    first = reader.u8(what)
    if first < 0x80:
        return first
    size = first & 0x7F
    if not 1 <= size <= 4:
        raise reader.fail(f"{what}: a length of {size} octets is not supported", "length", back=1)
    return reader.uint(size, what)


def encode_length(count: int) -> bytes:
    """A length or count in the fewest octets."""
    if count < 0x80:
        return bytes((count,))
    size = (count.bit_length() + 7) // 8
    return bytes((0x80 | size,)) + count.to_bytes(size, "big")


def length_at(octets: bytes, offset: int) -> tuple[int, int]:
    """A length and the offset after it; IndexError or DecodeError(length) if there is none."""
    first = octets[offset]
    offset += 1
    if first < 0x80:
        return first, offset
    size = first & 0x7F
    if not 1 <= size <= 4:
        raise DecodeError(f"a length of {size} octets is not supported", offset - 1, "length")
    stop = offset + size
    if stop > len(octets):
        raise IndexError(offset)
    return int.from_bytes(octets[offset:stop], "big"), stop


def _read_bits(reader: Reader) -> str:
    count = read_length(reader, "bit-string")
    octets = reader.take((count + 7) // 8, "bit-string")
    return "".join(f"{octet:08b}" for octet in octets)[:count]


def _read_utf8(reader: Reader) -> str:
    octets = reader.take(read_length(reader, "utf8-string"), "utf8-string")
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        raise reader.fail("a utf8-string is not valid UTF-8", "utf8", back=len(octets) - error.start) from None


def _number_reader(layout: Struct, what: str) -> Callable[[Reader], int | float | bool]:
    size, unpack_from = layout.size, layout.unpack_from

    def read(reader: Reader) -> int | float | bool:
        start = reader.offset
        reader.take(size, what)
        value: int | float | bool = unpack_from(reader.data, start)[0]
        return value

    return read


def _nothing(_: Reader) -> None:
    return None


READ: Final[dict[int, Callable[[Reader], Leaf]]] = {
    tag: _number_reader(Struct(">" + code), Tag(tag).name.lower()) for tag, code in CODES.items()
}
"""Tag to the function that reads its contents (what follows the tag octet)."""
READ.update(
    {
        Tag.NULL_DATA: _nothing,
        Tag.DONT_CARE: _nothing,
        Tag.BIT_STRING: _read_bits,
        Tag.OCTET_STRING: lambda reader: reader.take(read_length(reader, "octet-string"), "octet-string"),
        Tag.VISIBLE_STRING: lambda reader: reader.take(read_length(reader, "visible-string"), "visible-string").decode(
            "latin-1"
        ),
        Tag.UTF8_STRING: _read_utf8,
        Tag.DATE_TIME: lambda reader: CosemDateTime.decode(reader.take(12, "date-time")),
        Tag.DATE: lambda reader: CosemDate.decode(reader.take(5, "date")),
        Tag.TIME: lambda reader: CosemTime.decode(reader.take(4, "time")),
    }
)


def _write_bits(text: str) -> bytes:
    if text.strip("01"):
        raise ValueError("a bit-string is made of 0 and 1")
    size = (len(text) + 7) // 8
    return encode_length(len(text)) + int(text.ljust(8 * size, "0") or "0", 2).to_bytes(size, "big")


def _counted(octets: bytes) -> bytes:
    return encode_length(len(octets)) + octets


def _write_nothing(value: None) -> bytes:
    if value is not None:
        raise ValueError("this type has no value")
    return b""


# Each takes what READ returns; a value of another type raises and is reported by the caller.
WRITE: Final[dict[int, Callable[..., bytes]]] = {tag: Struct(">" + code).pack for tag, code in CODES.items()}
"""Tag to the function that gives the contents of a value."""
WRITE.update(
    {
        Tag.NULL_DATA: _write_nothing,
        Tag.DONT_CARE: _write_nothing,
        Tag.BIT_STRING: _write_bits,
        Tag.OCTET_STRING: lambda value: _counted(bytes(memoryview(value))),
        Tag.VISIBLE_STRING: lambda value: _counted(value.encode("latin-1")),
        Tag.UTF8_STRING: lambda value: _counted(value.encode()),
        Tag.DATE_TIME: CosemDateTime.encode,
        Tag.DATE: CosemDate.encode,
        Tag.TIME: CosemTime.encode,
    }
)

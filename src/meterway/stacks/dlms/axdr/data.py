"""COSEM data in the exact form: a tag and a value, nested as on the wire, re-encodable (IEC 62056-6-2, ``Data``)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from struct import error as struct_error
from typing import Final, NamedTuple

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.dlms.axdr.leaves import READ, WRITE, Leaf, encode_length, read_length
from meterway.stacks.dlms.axdr.tags import FIXED, MAX_DEPTH, Tag

__all__ = ["CompactArray", "Data", "TypeDescription", "Value", "decode", "decode_all", "encode"]

_MAX_EMPTY: Final = 64  # values without octets in one row of a compact array


class Data(NamedTuple):
    """One value with its type. Arrays and structures hold a tuple of Data, the others what their type says."""

    tag: int
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDescription:
    """The type that the rows of a compact array share; ``count`` is the fixed size of an array."""

    tag: int
    parts: tuple[TypeDescription, ...] = ()
    count: int = 1

    @classmethod
    def decode(cls, reader: Reader, depth: int = MAX_DEPTH) -> TypeDescription:
        """Read a description; DecodeError for unknown types and for nesting beyond ``depth``."""
        tag = reader.u8("type description")
        if depth <= 0:
            raise reader.fail("type descriptions are nested too deep", "depth", back=1)
        if tag == Tag.ARRAY:
            count = reader.u16("number of elements")
            return cls(tag=tag, parts=(cls.decode(reader, depth - 1),), count=count)
        if tag == Tag.STRUCTURE:
            count = _count(reader, "structure description")
            return cls(tag=tag, parts=tuple(cls.decode(reader, depth - 1) for _ in range(count)))
        if tag not in READ:
            raise reader.fail(f"type {tag} cannot stand in a compact array", "tag", back=1)
        return cls(tag=tag)

    def encode(self) -> bytes:
        """The octets of the description."""
        head = bytes((self.tag,))
        if self.tag == Tag.ARRAY:
            return head + self.count.to_bytes(2, "big") + self.parts[0].encode()
        if self.tag == Tag.STRUCTURE:
            return head + encode_length(len(self.parts)) + b"".join(part.encode() for part in self.parts)
        return head

    def empties(self) -> int:
        """How many values of one row have no octets of their own."""
        if self.parts and self.count:
            return self.count * sum(part.empties() for part in self.parts)
        return int(FIXED.get(self.tag) == 0 or self.tag in (Tag.ARRAY, Tag.STRUCTURE))

    def read(self, reader: Reader) -> Data:
        """Read the contents of one value of this type, which come without tags."""
        if self.tag == Tag.ARRAY:
            part = self.parts[0]
            return Data(self.tag, tuple(part.read(reader) for _ in range(self.count)))
        if self.tag == Tag.STRUCTURE:
            return Data(self.tag, tuple(part.read(reader) for part in self.parts))
        return Data(self.tag, READ[self.tag](reader))


class CompactArray(NamedTuple):
    """A compact array as it came: the octets of its type description and of its contents."""

    description: bytes
    contents: bytes

    def rows(self) -> tuple[Data, ...]:
        """The elements; DecodeError if the contents do not fit the description."""
        return _rows(described(self.description), Reader(self.contents))


@lru_cache(maxsize=256)
def described(octets: bytes) -> TypeDescription:
    """The tree of an encoded type description, checked to be of a size that can be read."""
    reader = Reader(octets)
    tree = TypeDescription.decode(reader)
    reader.finish("type description")
    if tree.empties() > _MAX_EMPTY:
        raise reader.fail("a row of the compact array has too many values without octets", "compact-array")
    return tree


def _rows(tree: TypeDescription, reader: Reader) -> tuple[Data, ...]:
    rows = []
    while reader.remaining:
        before = reader.offset
        rows.append(tree.read(reader))
        if reader.offset == before:
            raise reader.fail("the rows of a compact array have no octets, yet octets follow", "compact-array")
    return tuple(rows)


Value = Leaf | tuple[Data, ...] | CompactArray


def decode(reader: Reader) -> Data:
    """Read one value with all it holds.

    Raises DecodeError: ``tag`` for an unknown type, ``truncated``, ``length``, ``count`` for more elements
    than octets, ``depth`` beyond 32 levels, ``utf8``, ``compact-array``.
    """
    return _decode(reader, MAX_DEPTH)


def decode_all(octets: bytes) -> Data:
    """Read one value that fills ``octets`` entirely; DecodeError(trailing) if octets are left over."""
    reader = Reader(octets)
    data = _decode(reader, MAX_DEPTH)
    reader.finish("COSEM data")
    return data


def _decode(reader: Reader, depth: int) -> Data:
    tag = reader.u8("tag of COSEM data")
    read = READ.get(tag)
    if read is not None:
        return Data(tag, read(reader))
    if tag == Tag.ARRAY or tag == Tag.STRUCTURE:
        if depth <= 0:
            raise reader.fail(f"values are nested deeper than {MAX_DEPTH} levels", "depth", back=1)
        count = _count(reader, "array" if tag == Tag.ARRAY else "structure")
        return Data(tag, tuple([_decode(reader, depth - 1) for _ in range(count)]))
    if tag == Tag.COMPACT_ARRAY:
        return Data(tag, _decode_compact(reader))
    raise reader.fail(f"{tag} is not a tag of COSEM data", "tag", back=1)


def _count(reader: Reader, what: str) -> int:
    count = read_length(reader, what)
    if count > reader.remaining:
        raise reader.fail(f"{what}: {count} elements do not fit in {reader.remaining} octets", "count")
    return count


def _decode_compact(reader: Reader) -> CompactArray:
    place, start = reader.place, reader.offset
    TypeDescription.decode(reader)
    description = reader.data[start : reader.offset]
    try:
        tree = described(description)
    except DecodeError as error:
        raise DecodeError(error.message, place + error.offset, error.kind) from None
    contents = reader.sub(read_length(reader, "array contents"), "array contents")
    value = CompactArray(description, contents.data[contents.offset : contents.end])
    _rows(tree, contents)
    return value


def encode(data: Data) -> bytes:
    """The octets of one value; LocalProtocolError if a value does not fit its type."""
    out = bytearray()
    try:
        _encode(out, data)
    except (struct_error, TypeError, ValueError, AttributeError, KeyError, RecursionError) as error:
        raise LocalProtocolError(f"a value does not fit its COSEM type: {error}") from None
    return bytes(out)


def _encode(out: bytearray, data: Data) -> None:
    tag, value = data
    out.append(tag)
    write = WRITE.get(tag)
    if write is not None:
        out += write(value)
    elif isinstance(value, CompactArray):
        if tag != Tag.COMPACT_ARRAY:
            raise ValueError(f"type {tag} does not hold a compact array")
        out += value.description + encode_length(len(value.contents)) + value.contents
    elif isinstance(value, tuple) and tag in (Tag.ARRAY, Tag.STRUCTURE):
        out += encode_length(len(value))
        for item in value:
            _encode(out, item)
    else:
        raise ValueError(f"type {tag} does not hold {type(value).__name__}")

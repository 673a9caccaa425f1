"""The GET service: reading attributes (IEC 62056-5-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from meterway.base.octets import Reader
from meterway.stacks.dlms.axdr import encode_length, read_length
from meterway.stacks.dlms.xdlms.parts import (
    AttributeDescriptor,
    BlockNumber,
    Selection,
    decode_value,
    encode_octets,
    encode_value,
    read_octets,
)
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = [
    "GetRequestNext",
    "GetRequestNormal",
    "GetRequestWithList",
    "GetResponseNormal",
    "GetResponseWithDatablock",
    "GetResponseWithList",
]

Item = tuple[AttributeDescriptor, Selection | None]


def read_item(reader: Reader) -> Item:
    """A descriptor with its optional selection."""
    return AttributeDescriptor.read(reader), Selection.read(reader)


def encode_item(item: Item) -> bytes:
    """A descriptor with its optional selection."""
    descriptor, selection = item
    return descriptor.encode() + (b"\x00" if selection is None else b"\x01" + selection.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRequestNormal:
    """Read one attribute. ``invoke`` is invoke-id-and-priority."""

    TAG: ClassVar[bytes] = b"\xc0\x01"
    invoke: int
    attribute: AttributeDescriptor
    selection: Selection | None = None

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        invoke = reader.u8("invoke id")
        attribute, selection = read_item(reader)
        return cls(invoke=invoke, attribute=attribute, selection=selection)

    def encode(self) -> bytes:
        """The whole APDU."""
        return self.TAG + bytes((self.invoke,)) + encode_item((self.attribute, self.selection))


class GetRequestNext(BlockNumber):
    """Ask for the block after ``block_number``."""

    __slots__ = ()
    TAG = b"\xc0\x02"


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRequestWithList:
    """Read several attributes at once."""

    TAG: ClassVar[bytes] = b"\xc0\x03"
    invoke: int
    items: tuple[Item, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        invoke = reader.u8("invoke id")
        return cls(invoke=invoke, items=tuple(read_item(reader) for _ in range(read_length(reader))))

    def encode(self) -> bytes:
        """The whole APDU."""
        head = self.TAG + bytes((self.invoke,)) + encode_length(len(self.items))
        return head + b"".join(map(encode_item, self.items))


@dataclass(frozen=True, slots=True, kw_only=True)
class GetResponseNormal:
    """The value, encoded, or why there is none."""

    TAG: ClassVar[bytes] = b"\xc4\x01"
    invoke: int
    result: bytes | DataAccessResult

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        return cls(invoke=reader.u8("invoke id"), result=decode_value(reader))

    def encode(self) -> bytes:
        """The whole APDU."""
        return self.TAG + bytes((self.invoke,)) + encode_value(self.result)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetResponseWithDatablock:
    """A piece of a long value, or why it ends."""

    TAG: ClassVar[bytes] = b"\xc4\x02"
    invoke: int
    last: bool
    block_number: int
    result: bytes | DataAccessResult

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        invoke, last, number = reader.u8("invoke id"), reader.u8("last block") != 0, reader.u32("block number")
        choice = reader.u8("result choice")
        if choice > 1:
            raise reader.fail(f"a block is raw data (0) or an access result (1), not {choice}", back=1)
        result = DataAccessResult(reader.u8("data access result")) if choice else read_octets(reader, "raw data")
        return cls(invoke=invoke, last=last, block_number=number, result=result)

    def encode(self) -> bytes:
        """The whole APDU."""
        head = self.TAG + bytes((self.invoke, self.last)) + self.block_number.to_bytes(4, "big")
        if isinstance(self.result, DataAccessResult):
            return head + bytes((1, self.result))
        return head + b"\x00" + encode_octets(self.result)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetResponseWithList:
    """One result for each attribute asked for, in order."""

    TAG: ClassVar[bytes] = b"\xc4\x03"
    invoke: int
    results: tuple[bytes | DataAccessResult, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        invoke = reader.u8("invoke id")
        return cls(invoke=invoke, results=tuple(decode_value(reader) for _ in range(read_length(reader))))

    def encode(self) -> bytes:
        """The whole APDU."""
        head = self.TAG + bytes((self.invoke,)) + encode_length(len(self.results))
        return head + b"".join(map(encode_value, self.results))

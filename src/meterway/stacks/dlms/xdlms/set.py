"""The SET service: writing attributes (IEC 62056-5-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from meterway.base.octets import Reader
from meterway.stacks.dlms.axdr import encode_length, read_length
from meterway.stacks.dlms.xdlms.get import Item, encode_item, read_item
from meterway.stacks.dlms.xdlms.parts import (
    AttributeDescriptor,
    BlockCarrier,
    BlockNumber,
    DataBlock,
    Selection,
    read_data,
)
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = [
    "SetRequestNormal",
    "SetRequestWithDatablock",
    "SetRequestWithFirstDatablock",
    "SetRequestWithList",
    "SetRequestWithListAndFirstDatablock",
    "SetResponseDatablock",
    "SetResponseLastDatablock",
    "SetResponseLastDatablockWithList",
    "SetResponseNormal",
    "SetResponseWithList",
]


def _items(reader: Reader) -> tuple[Item, ...]:
    return tuple(read_item(reader) for _ in range(read_length(reader)))


def _encode_items(items: tuple[Item, ...]) -> bytes:
    return encode_length(len(items)) + b"".join(map(encode_item, items))


def _results(reader: Reader) -> tuple[DataAccessResult, ...]:
    return tuple(DataAccessResult(code) for code in reader.take(read_length(reader), "results"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRequestNormal:
    """Write one attribute; ``value`` is encoded data."""

    TAG: ClassVar[bytes] = b"\xc1\x01"
    invoke: int
    attribute: AttributeDescriptor
    selection: Selection | None = None
    value: bytes

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        invoke = reader.u8("invoke id")
        attribute, selection = read_item(reader)
        return cls(invoke=invoke, attribute=attribute, selection=selection, value=read_data(reader))

    def encode(self) -> bytes:
        """The whole APDU."""
        return self.TAG + bytes((self.invoke,)) + encode_item((self.attribute, self.selection)) + self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRequestWithFirstDatablock:
    """Begin to write one long value."""

    TAG: ClassVar[bytes] = b"\xc1\x02"
    invoke: int
    attribute: AttributeDescriptor
    selection: Selection | None = None
    block: DataBlock

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        invoke = reader.u8("invoke id")
        attribute, selection = read_item(reader)
        return cls(invoke=invoke, attribute=attribute, selection=selection, block=DataBlock.read(reader))

    def encode(self) -> bytes:
        """The whole APDU."""
        head = self.TAG + bytes((self.invoke,)) + encode_item((self.attribute, self.selection))
        return head + self.block.encode()


class SetRequestWithDatablock(BlockCarrier):
    """Go on writing a long value."""

    __slots__ = ()
    TAG = b"\xc1\x03"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRequestWithList:
    """Write several attributes at once."""

    TAG: ClassVar[bytes] = b"\xc1\x04"
    invoke: int
    items: tuple[Item, ...]
    values: tuple[bytes, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        invoke = reader.u8("invoke id")
        items = _items(reader)
        return cls(invoke=invoke, items=items, values=tuple(read_data(reader) for _ in range(read_length(reader))))

    def encode(self) -> bytes:
        """The whole APDU."""
        values = encode_length(len(self.values)) + b"".join(self.values)
        return self.TAG + bytes((self.invoke,)) + _encode_items(self.items) + values


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRequestWithListAndFirstDatablock:
    """Begin to write several values that are long together."""

    TAG: ClassVar[bytes] = b"\xc1\x05"
    invoke: int
    items: tuple[Item, ...]
    block: DataBlock

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        invoke = reader.u8("invoke id")
        return cls(invoke=invoke, items=_items(reader), block=DataBlock.read(reader))

    def encode(self) -> bytes:
        """The whole APDU."""
        return self.TAG + bytes((self.invoke,)) + _encode_items(self.items) + self.block.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetResponseNormal:
    """Whether the attribute was written."""

    TAG: ClassVar[bytes] = b"\xc5\x01"
    invoke: int
    result: DataAccessResult

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        return cls(invoke=reader.u8("invoke id"), result=DataAccessResult(reader.u8("result")))

    def encode(self) -> bytes:
        """The whole APDU."""
        return self.TAG + bytes((self.invoke, self.result))


class SetResponseDatablock(BlockNumber):
    """A block was taken; the next may come."""

    __slots__ = ()
    TAG = b"\xc5\x02"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetResponseLastDatablock:
    """The last block was taken, with the result."""

    TAG: ClassVar[bytes] = b"\xc5\x03"
    invoke: int
    result: DataAccessResult
    block_number: int

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        invoke, result = reader.u8("invoke id"), DataAccessResult(reader.u8("result"))
        return cls(invoke=invoke, result=result, block_number=reader.u32("block number"))

    def encode(self) -> bytes:
        """The whole APDU."""
        return self.TAG + bytes((self.invoke, self.result)) + self.block_number.to_bytes(4, "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetResponseLastDatablockWithList:
    """The last block was taken, with one result for each attribute."""

    TAG: ClassVar[bytes] = b"\xc5\x04"
    invoke: int
    results: tuple[DataAccessResult, ...]
    block_number: int

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        invoke = reader.u8("invoke id")
        return cls(invoke=invoke, results=_results(reader), block_number=reader.u32("block number"))

    def encode(self) -> bytes:
        """The whole APDU."""
        results = encode_length(len(self.results)) + bytes(self.results)
        return self.TAG + bytes((self.invoke,)) + results + self.block_number.to_bytes(4, "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetResponseWithList:
    """One result for each attribute, in order."""

    TAG: ClassVar[bytes] = b"\xc5\x05"
    invoke: int
    results: tuple[DataAccessResult, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        return cls(invoke=reader.u8("invoke id"), results=_results(reader))

    def encode(self) -> bytes:
        """The whole APDU."""
        return self.TAG + bytes((self.invoke,)) + encode_length(len(self.results)) + bytes(self.results)

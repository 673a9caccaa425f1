"""Parts that several xDLMS APDUs share: descriptors, selections, data blocks (IEC 62056-5-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

from meterway.base.obis import Obis
from meterway.base.octets import Reader
from meterway.stacks.dlms.axdr import encode_length, read_length, skip
from meterway.stacks.dlms.xdlms.results import DataAccessResult

__all__ = [
    "AttributeDescriptor",
    "BlockCarrier",
    "BlockNumber",
    "DataBlock",
    "MethodDescriptor",
    "Selection",
    "decode_value",
    "encode_octets",
    "encode_value",
    "read_data",
    "read_octets",
    "read_optional_data",
]


def read_octets(reader: Reader, what: str) -> bytes:
    """A length and that many octets."""
    return reader.take(read_length(reader), what)


def encode_octets(octets: bytes) -> bytes:
    """The length and the octets."""
    return encode_length(len(octets)) + octets


def read_data(reader: Reader) -> bytes:
    """The octets of one whole A-XDR value; the cursor moves past it."""
    start = reader.offset
    end = skip(reader.data, start)
    return reader.take(end - start, "data")


def read_optional_data(reader: Reader) -> bytes | None:
    """Optional data: 0, or 1 and a value."""
    flag = reader.u8("data present")
    if flag > 1:
        raise reader.fail(f"a presence flag is 0 or 1, not {flag}", back=1)
    return read_data(reader) if flag else None


class Selection(NamedTuple):
    """Selective access: the selector (1 by range, 2 by entry) and its encoded parameters."""

    selector: int
    parameters: bytes

    @classmethod
    def read(cls, reader: Reader) -> Self | None:
        """The optional selection: 0, or 1 selector data."""
        flag = reader.u8("access selection")
        if flag > 1:
            raise reader.fail(f"a presence flag is 0 or 1, not {flag}", back=1)
        return cls(reader.u8("access selector"), read_data(reader)) if flag else None

    def encode(self) -> bytes:
        """Without the presence flag."""
        return bytes((self.selector,)) + self.parameters


class AttributeDescriptor(NamedTuple):
    """An attribute of an object: class, OBIS code (logical name), attribute number."""

    class_id: int
    obis: Obis
    attribute: int

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Nine octets."""
        octets = reader.take(9, "attribute descriptor")
        return cls(octets[0] << 8 | octets[1], Obis(*octets[2:8]), octets[8])

    def encode(self) -> bytes:
        """Nine octets."""
        return self.class_id.to_bytes(2, "big") + bytes(self.obis) + bytes((self.attribute,))

    def __str__(self) -> str:
        return f"{self.class_id}/{self.obis}/{self.attribute}"


class MethodDescriptor(NamedTuple):
    """A method of an object: class, OBIS code (logical name), method number."""

    class_id: int
    obis: Obis
    method: int

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Nine octets."""
        return cls(*AttributeDescriptor.read(reader))

    def encode(self) -> bytes:
        """Nine octets."""
        return AttributeDescriptor(*self).encode()

    def __str__(self) -> str:
        return f"{self.class_id}/{self.obis}/method {self.method}"


class DataBlock(NamedTuple):
    """A piece of a long value: block numbers start at 1."""

    last: bool
    number: int
    octets: bytes

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """last-block, block-number, raw data."""
        return cls(reader.u8("last block") != 0, reader.u32("block number"), read_octets(reader, "raw data"))

    def encode(self) -> bytes:
        """last-block, block-number, raw data."""
        return bytes((self.last,)) + self.number.to_bytes(4, "big") + encode_octets(self.octets)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockNumber:
    """The form of APDUs that only name a block: which was taken, or after which the next is wanted."""

    TAG: ClassVar[bytes]
    invoke: int
    block_number: int

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        return cls(invoke=reader.u8("invoke id"), block_number=reader.u32("block number"))

    def encode(self) -> bytes:
        """The whole APDU."""
        return self.TAG + bytes((self.invoke,)) + self.block_number.to_bytes(4, "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCarrier:
    """The form of APDUs that only carry a block of a long value."""

    TAG: ClassVar[bytes]
    invoke: int
    block: DataBlock

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        return cls(invoke=reader.u8("invoke id"), block=DataBlock.read(reader))

    def encode(self) -> bytes:
        """The whole APDU."""
        return self.TAG + bytes((self.invoke,)) + self.block.encode()


def decode_value(reader: Reader) -> bytes | DataAccessResult:
    """The choice of data (0) and data-access-result (1)."""
    choice = reader.u8("result choice")
    if choice == 0:
        return read_data(reader)
    if choice == 1:
        return DataAccessResult(reader.u8("data access result"))
    raise reader.fail(f"a result is data (0) or an access result (1), not {choice}", back=1)


def encode_value(value: bytes | DataAccessResult) -> bytes:
    """The choice of data (0) and data-access-result (1)."""
    return bytes((1, value)) if isinstance(value, DataAccessResult) else b"\x00" + value

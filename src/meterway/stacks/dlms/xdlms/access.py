"""The ACCESS service: a list of reads, writes and calls in one APDU (IEC 62056-5-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

from meterway.base.octets import Reader
from meterway.stacks.dlms.axdr import encode_length, read_length
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, Selection, encode_octets, read_data, read_octets

__all__ = ["AccessItem", "AccessRequest", "AccessResponse"]


class AccessItem(NamedTuple):
    """One access: 1 get, 2 set, 3 action, 4 get with selection, 5 set with selection."""

    kind: int
    descriptor: AttributeDescriptor
    selection: Selection | None = None

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Choice, descriptor, selection for kinds 4 and 5."""
        kind = reader.u8("access choice")
        if not 1 <= kind <= 5:
            raise reader.fail(f"an access is one of 1 to 5, not {kind}", back=1)
        descriptor = AttributeDescriptor.read(reader)
        selection = Selection(reader.u8("access selector"), read_data(reader)) if kind > 3 else None
        return cls(kind, descriptor, selection)

    def encode(self) -> bytes:
        """Choice, descriptor, selection."""
        selection = b"" if self.selection is None else self.selection.encode()
        return bytes((self.kind,)) + self.descriptor.encode() + selection


def _data_list(reader: Reader) -> tuple[bytes, ...]:
    return tuple(read_data(reader) for _ in range(read_length(reader)))


def _encode_list(parts: tuple[bytes, ...]) -> bytes:
    return encode_length(len(parts)) + b"".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """The accesses and one datum for each (null-data for a read)."""

    TAG: ClassVar[bytes] = b"\xd9"
    invoke: int
    date_time: bytes
    items: tuple[AccessItem, ...]
    data: tuple[bytes, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        invoke, date_time = reader.u32("long invoke id"), read_octets(reader, "date-time")
        items = tuple(AccessItem.read(reader) for _ in range(read_length(reader)))
        return cls(invoke=invoke, date_time=date_time, items=items, data=_data_list(reader))

    def encode(self) -> bytes:
        """The whole APDU."""
        head = self.TAG + self.invoke.to_bytes(4, "big") + encode_octets(self.date_time)
        return head + _encode_list(tuple(item.encode() for item in self.items)) + _encode_list(self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessResponse:
    """One datum and one (access kind, result) for each access; ``request`` echoes the items if asked for."""

    TAG: ClassVar[bytes] = b"\xda"
    invoke: int
    date_time: bytes
    request: tuple[AccessItem, ...] | None
    data: tuple[bytes, ...]
    results: tuple[tuple[int, int], ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        invoke, date_time = reader.u32("long invoke id"), read_octets(reader, "date-time")
        request = None
        if reader.u8("access request"):
            request = tuple(AccessItem.read(reader) for _ in range(read_length(reader)))
        data = _data_list(reader)
        count = read_length(reader)
        results = tuple((reader.u8("access choice"), reader.u8("access result")) for _ in range(count))
        return cls(invoke=invoke, date_time=date_time, request=request, data=data, results=results)

    def encode(self) -> bytes:
        """The whole APDU."""
        head = self.TAG + self.invoke.to_bytes(4, "big") + encode_octets(self.date_time)
        request = b"\x00"
        if self.request is not None:
            request = b"\x01" + _encode_list(tuple(item.encode() for item in self.request))
        return head + request + _encode_list(self.data) + _encode_list(tuple(bytes(pair) for pair in self.results))

"""What a server sends unasked: data-notification and event-notification (IEC 62056-5-3).

Meters in the field spell the date-time of a data-notification in more ways than the norm has. They are
read, kept and named: ``tagged-date-time`` (the octet-string carries its type tag).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from meterway.base.octets import Reader
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, encode_octets, read_data, read_octets

__all__ = ["DataNotification", "DataNotificationConfirm", "EventNotification"]

TAGGED_DATE_TIME = "tagged-date-time"
_TAGGED = b"\x09\x0c"


def _read_date_time(reader: Reader) -> tuple[bytes, tuple[str, ...]]:
    start = reader.offset
    if reader.data[start : start + 2] == _TAGGED and reader.remaining >= 14:
        reader.take(2)
        return reader.take(12, "date-time"), (TAGGED_DATE_TIME,)
    value = read_octets(reader, "date-time")
    if len(value) not in (0, 12):
        raise reader.fail(f"a date-time has 0 or 12 octets, not {len(value)}", back=len(value))
    return value, ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataNotification:
    """A push: ``date_time`` is empty or 12 octets, ``body`` one encoded value."""

    TAG: ClassVar[bytes] = b"\x0f"
    invoke: int
    date_time: bytes
    body: bytes
    quirks: tuple[str, ...] = ()

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        invoke = reader.u32("long invoke id")
        date_time, quirks = _read_date_time(reader)
        return cls(invoke=invoke, date_time=date_time, body=reader.rest(), quirks=quirks)

    def encode(self) -> bytes:
        """The whole APDU."""
        tag = b"\x09" if TAGGED_DATE_TIME in self.quirks else b""
        return self.TAG + self.invoke.to_bytes(4, "big") + tag + encode_octets(self.date_time) + self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class DataNotificationConfirm:
    """A confirmed push arrived."""

    TAG: ClassVar[bytes] = b"\x10"
    invoke: int
    date_time: bytes

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        return cls(invoke=reader.u32("long invoke id"), date_time=read_octets(reader, "date-time"))

    def encode(self) -> bytes:
        """The whole APDU."""
        return self.TAG + self.invoke.to_bytes(4, "big") + encode_octets(self.date_time)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventNotification:
    """One attribute, sent because something happened."""

    TAG: ClassVar[bytes] = b"\xc2"
    date_time: bytes | None
    attribute: AttributeDescriptor
    value: bytes

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        flag = reader.u8("time")
        if flag > 1:
            raise reader.fail(f"a presence flag is 0 or 1, not {flag}", back=1)
        date_time = read_octets(reader, "date-time") if flag else None
        return cls(date_time=date_time, attribute=AttributeDescriptor.read(reader), value=read_data(reader))

    def encode(self) -> bytes:
        """The whole APDU."""
        time = b"\x00" if self.date_time is None else b"\x01" + encode_octets(self.date_time)
        return self.TAG + time + self.attribute.encode() + self.value

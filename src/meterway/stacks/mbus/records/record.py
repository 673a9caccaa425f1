"""Data records: the application data of a meter as a list of values (EN 13757-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.base.errors import DecodeError
from meterway.stacks.mbus.making import positional
from meterway.stacks.mbus.records.head import KNOWN, Head, head_at, make_head
from meterway.stacks.mbus.records.read import BCD_FIELDS, TIME_FIELDS, Value, write
from meterway.stacks.mbus.records.times import summer_time
from meterway.stacks.mbus.records.values import lvar_size

__all__ = ["Record", "Records", "decode_records", "encode_records", "make_record"]

FILLER: Final = 0x2F
_INTEGERS: Final = frozenset((2, 3, 4, 6, 7))
_OCTETS: Final = {"number": "octets, not a number", "time": "octets: this type of time is not read"}
_LOWEST: Final = [bytes(size - 1) + b"\x80" if size else b"" for size in range(9)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One data record; ``value`` is scaled to ``head.unit`` and None where ``reason`` says why there is none.

    ``data`` are the octets of the data field as received (with the LVAR octet in front where there is one).
    """

    head: Head
    value: Value
    data: bytes

    @property
    def reason(self) -> str:
        """Why there is no value; empty if there is one."""
        return "" if self.value is not None else _reason(self.head, self.data)

    @property
    def quality(self) -> str:
        """What to know before the value is used; empty for a good one.

        The most negative integer of type B is given as a number, and named here: meters mean "invalid" by it.
        """
        if self.value is None:
            return _reason(self.head, self.data)
        head = self.head
        if isinstance(self.value, bytes) and head.kind in _OCTETS:
            return _OCTETS[head.kind]
        if head.data_field in _INTEGERS and head.kind == "number" and self.data == _LOWEST[head.size]:
            return "most negative number, which stands for an invalid value"
        return ""

    @property
    def storage(self) -> int:
        """0 for the present value, 1 and up for stored ones."""
        return self.head.storage

    @property
    def tariff(self) -> int:
        """0 for the total."""
        return self.head.tariff

    @property
    def subunit(self) -> int:
        """0 for the device itself."""
        return self.head.subunit

    @property
    def function(self) -> str:
        """``instantaneous``, ``maximum``, ``minimum`` or ``error`` (value during an error state)."""
        return self.head.function

    @property
    def quantity(self) -> str:
        """What was measured, in words."""
        return self.head.quantity

    @property
    def unit(self) -> str:
        """The unit of the value, without a prefix."""
        return self.head.unit

    @property
    def summer_time(self) -> bool:
        """Whether a date and time says that daylight saving time is in force."""
        return self.head.kind == "time" and summer_time(self.data)

    def encode(self) -> bytes:
        """The octets as they were sent."""
        return self.head.octets + self.data


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """All records of an application layer.

    ``manufacturer_data`` is what follows DIF 0F or 1F, ``has_manufacturer_data`` whether there was such a DIF;
    ``more_follows`` is set by DIF 1F: the rest comes in the next telegram. ``fillers`` are the offsets of idle fillers.
    """

    records: tuple[Record, ...] = ()
    manufacturer_data: bytes = b""
    has_manufacturer_data: bool = False
    more_follows: bool = False
    fillers: tuple[int, ...] = ()

    def encode(self) -> bytes:
        """The octets as they were sent, fillers included."""
        return encode_records(self)


def _reason(head: Head, data: bytes) -> str:
    if head.problem:
        return head.problem
    if head.data_field in (0, 8):
        return "no data"
    if head.kind == "time":
        return "no valid time" if head.data_field in TIME_FIELDS else "not a known type of time"
    if head.data_field in BCD_FIELDS or head.data_field == 13:
        return f"invalid digits {data[::-1].hex().upper()}"
    return "not a number"


_record: Final = positional(Record)
_records: Final = positional(Records)


def decode_records(data: bytes, start: int = 0, end: int | None = None) -> Records:
    """Read records up to ``end``; DecodeError if a header is malformed or a record is cut off.

    Idle fillers (2F) are passed over; DIF 0F and 1F end the list.
    """
    if end is not None:
        data = data[:end]
    limit = len(data)
    records: list[Record] = []
    fillers: list[int] = []
    place = start
    known = KNOWN.get
    while place < limit:
        if data[place] == FILLER:
            fillers.append(place - start)
            place += 1
            continue
        # headers end themselves, so no header is the beginning of another: the first hit is the right one
        entry = known(data[place : place + 2]) or known(data[place : place + 3]) or known(data[place : place + 4])
        if entry is None:
            if data[place] & 0x8F == 0x0F:
                return _with_manufacturer_data(records, fillers, data, place)
            entry = head_at(data, place, limit)
        head, read, size, length = entry
        body = place + length
        if size < 0:
            size = _variable_size(data, body, limit)
        place = body + size
        if place > limit:
            raise DecodeError(f"{head.quantity}: {size} octets of data wanted, {limit - body} left", body, "truncated")
        field = data[body:place]
        records.append(_record(head, read(field), field))
    return _records(tuple(records), b"", False, False, tuple(fillers))


def _with_manufacturer_data(records: list[Record], fillers: list[int], data: bytes, place: int) -> Records:
    dif = data[place]
    if dif > 0x1F:
        raise DecodeError(f"DIF 0x{dif:02X} is reserved", place, "dif")
    return _records(tuple(records), data[place + 1 :], True, dif == 0x1F, tuple(fillers))


def _variable_size(data: bytes, body: int, limit: int) -> int:
    if body >= limit:
        raise DecodeError("the length of a variable field is cut off", body, "truncated")
    size = lvar_size(data[body])
    if size is None:
        raise DecodeError(f"LVAR 0x{data[body]:02X} is reserved", body, "lvar")
    return size + 1


def encode_records(records: Records) -> bytes:
    """The application data of ``records``; fillers go back to where they were."""
    out = bytearray()
    fillers = list(reversed(records.fillers))
    for record in records.records:
        while fillers and fillers[-1] == len(out):
            out.append(FILLER)
            fillers.pop()
        out += record.encode()
    while fillers and fillers[-1] == len(out):
        out.append(FILLER)
        fillers.pop()
    if records.has_manufacturer_data:
        out.append(0x1F if records.more_follows else 0x0F)
        out += records.manufacturer_data
    return bytes(out)


def make_record(
    vib: bytes,
    value: Value,
    data_field: int,
    *,
    storage: int = 0,
    tariff: int = 0,
    subunit: int = 0,
    function: str = "instantaneous",
) -> Record:
    """A record to send: ``value`` in the unit of ``vib`` in a data field of that code.

    ValueError if the value does not fit the field, DecodeError if ``vib`` is malformed.
    """
    head = make_head(data_field, vib, storage=storage, tariff=tariff, subunit=subunit, function=function)
    data = write(value, data_field, head.kind, head.num, head.den, head.offset)
    return Record(head=head, value=head.read(data), data=data)

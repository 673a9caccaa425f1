"""The fixed data structure of old wired meters (EN 1434-3; CI 73 and, high octet first, 77): two counters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.base.errors import DecodeError
from meterway.stacks.mbus.records.head import Head
from meterway.stacks.mbus.records.read import reader
from meterway.stacks.mbus.records.record import Record

__all__ = ["FIXED_SIZE", "FixedData", "decode_fixed"]

FIXED_SIZE: Final = 16

# first code, how many, quantity, unit, power of ten of the first
_ROWS: Final = (
    (0x02, 9, "energy", "Wh", 0),
    (0x0B, 9, "energy", "J", 3),
    (0x14, 9, "power", "W", 0),
    (0x1D, 9, "power", "J/h", 3),
    (0x26, 9, "volume", "m³", -6),
    (0x2F, 9, "volume flow", "m³/h", -6),
    (0x38, 1, "temperature", "°C", -3),
    (0x39, 1, "heat cost units", "", 0),
    (0x3F, 1, "counter", "", 0),
)
_UNITS: Final = {
    first + step: (quantity, unit, exponent + step)
    for first, count, quantity, unit, exponent in _ROWS
    for step in range(count)
}
_HISTORIC: Final = 0x3E
_MODE_2: Final = {0xA: 3, 0xB: 4, 0xC: 6, 0xD: 7, 0xE: 8}
"""Media that old meters number apart when they send the high octet first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedData:
    """What the sixteen octets say; ``device_type`` is the medium in the numbers of the long header."""

    ident: str
    access: int
    status: int
    device_type: int
    records: tuple[Record, ...]


def decode_fixed(data: bytes, *, high_first: bool = False) -> FixedData:
    """Sixteen octets after the CI; DecodeError for any other count."""
    if len(data) != FIXED_SIZE:
        raise DecodeError(f"the fixed data structure has {FIXED_SIZE} octets, not {len(data)}", 0, "length")
    parts = (data[0:4], data[8:12], data[12:16])
    ident, *counters = (part[::-1] if high_first else part for part in parts)
    status, first, second = data[5], data[6], data[7]
    units = [first & 0x3F, second & 0x3F]
    medium = first >> 6 | second >> 6 << 2
    historic = bool(status & 2)
    records = []
    for number, (unit, octets) in enumerate(zip(units, counters, strict=True)):
        stored = historic or unit == _HISTORIC
        shown = units[0] if unit == _HISTORIC else unit
        records.append(_record(shown, octets, binary=bool(status & 1), storage=int(stored), subunit=number))
    return FixedData(
        ident=ident[::-1].hex().upper(),
        access=data[4],
        status=status,
        device_type=_MODE_2.get(medium, medium),
        records=tuple(records),
    )


def _record(unit: int, octets: bytes, *, binary: bool, storage: int, subunit: int) -> Record:
    known = _UNITS.get(unit)
    quantity, symbol, exponent = known or ("reserved", "", 0)
    num, den = (10**exponent, 1) if exponent >= 0 else (1, 10**-exponent)
    data_field = 4 if binary else 12
    head = Head(
        octets=b"",
        data_field=data_field,
        size=4,
        function="instantaneous",
        storage=storage,
        tariff=0,
        subunit=0,
        vif=f"fixed {unit:02X}",
        quantity=quantity,
        summary=f"{quantity}, counter {subunit + 1}",
        unit=symbol,
        num=num,
        den=den,
        offset=0.0,
        kind="number",
        notes=(f"counter {subunit + 1}",),
        problem="" if known else f"unit code 0x{unit:02X} is not a number",
        read=reader(data_field, "number", num, den, 0.0),
    )
    return Record(head=head, value=head.read(octets) if known else None, data=octets)

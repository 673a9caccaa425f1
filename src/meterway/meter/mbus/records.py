"""What each kind of meter tells: its data records, in blocks that each fit one telegram.

``current`` is what a radio telegram begins with (value, clock, flow, temperatures, errors), ``due`` the due-date value
under storage number 1, ``history`` the monthly values as a compact profile back in time from storage number 8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import numpy as np

from meterway.meter.mbus.device import MbusMeter
from meterway.meter.mbus.usage import Usage, Utility
from meterway.stacks.mbus.records.profiles import profile_body
from meterway.stacks.mbus.records.record import Record, make_record
from meterway.stacks.mbus.records.values import SIZES

__all__ = ["HISTORY", "current", "due", "everything", "history", "identity"]

HISTORY: Final = 8
"""Storage number of the latest monthly value; the profile counts up from it."""

_INT8, _INT16, _INT32 = 1, 2, 4
_BCD8, _BINARY, _TEXT = 12, 13, 13
_DATE, _MOMENT = b"\x6c", b"\x6d"
_ERRORS, _BATTERY_DAYS, _OUTPUT = b"\xfd\x17", b"\xfd\x74", b"\xfd\x1a"
_FABRICATION, _FIRMWARE = b"\x78", b"\xfd\x0e"
_BACKWARDS, _UNCONVERTED, _INVERSE = 0x3C, 0x3A, 0x13
_DAYS_PER_YEAR: Final = 365.25


class _Shown(NamedTuple):
    """How a register is told: its VIF, the field, and how many register units make one of what the VIF counts."""

    vif: int
    per: int
    unit: float
    """What the VIF counts, in the unit a decoder gives (m³, Wh, units)."""


_LITRES: Final = _Shown(0x13, 1, 0.001)
_KWH: Final = _Shown(0x06, 1000, 1000)
_WATT_HOURS: Final = _Shown(0x03, 1, 1)
_UNITS: Final = _Shown(0x6E, 1000, 1)
_SHOWN: Final[dict[Utility, _Shown]] = {
    Utility.GAS: _LITRES,
    Utility.WATER: _LITRES,
    Utility.HEAT: _KWH,
    Utility.COOLING: _KWH,
    Utility.HEAT_COOLING: _KWH,
    Utility.HEAT_COST: _UNITS,
    Utility.ELECTRICITY: _WATT_HOURS,
}


def _vib(shown: _Shown, channel: int, *more: int) -> bytes:
    """The value information of a register; the second of a meter that counts both is cold, energy taken backwards."""
    codes = (shown.vif, *((_BACKWARDS,) if channel else ()), *more)
    return bytes(code | 0x80 for code in codes[:-1]) + bytes(codes[-1:])


def _told(shown: _Shown, register: int) -> float | int:
    """A register as a decoder will read it."""
    counted = register // shown.per
    return counted * shown.unit if shown.unit >= 1 else counted / round(1 / shown.unit)


def _registers(meter: MbusMeter, registers: Sequence[int], storage: int = 0) -> list[Record]:
    shown = _SHOWN[meter.config.utility]
    return [
        make_record(_vib(shown, channel), _told(shown, register), _INT32, storage=storage)
        for channel, register in enumerate(registers)
    ]


def _at(meter: MbusMeter, moment: datetime) -> list[int]:
    values = meter.registers(np.array([meter.unix_of(moment)], np.int64))[0]
    return [int(value) for value in values]


def current(meter: MbusMeter, unix_s: float) -> list[Record]:
    """The value now, the clock, what belongs to the kind of meter, and the error flags."""
    known = meter.usage.known_from_s <= unix_s
    return [
        *(_registers(meter, meter.at(unix_s)) if known else ()),
        make_record(_MOMENT, meter.clock(unix_s).replace(second=0, microsecond=0), _INT32),
        *(_OWN[meter.config.utility](meter, unix_s) if known else ()),
        make_record(_ERRORS, meter.errors(), _INT16),
    ]


def due(meter: MbusMeter, unix_s: float) -> list[Record]:
    """The last due date and the value it found, storage number 1."""
    moment = meter.due_date(unix_s)
    if meter.usage.known_from_s > meter.unix_of(moment):
        return []
    return [_date(moment, 1), *_registers(meter, _at(meter, moment), 1)]


def _date(moment: datetime, storage: int) -> Record:
    return make_record(_DATE, date(moment.year, moment.month, moment.day), _INT16, storage=storage)


def history(meter: MbusMeter, unix_s: float) -> list[Record]:
    """The value at the last start of a month and, as an inverse compact profile, those of the months before."""
    count = meter.config.months
    if not count:
        return []
    starts = meter.month_starts(unix_s, count)
    times = np.array([meter.unix_of(moment) for moment in starts], np.int64)
    if meter.usage.known_from_s > times.min():
        return []
    values = meter.registers(times)
    out = [_date(starts[0], HISTORY), *_registers(meter, values[0].tolist(), HISTORY)]
    if count > 1:
        out += [_profile(meter, channel, values[1:, channel].tolist()) for channel in range(meter.usage.channels)]
    return out


def _profile(meter: MbusMeter, channel: int, registers: list[int]) -> Record:
    shown = _SHOWN[meter.config.utility]
    counted = [register // shown.per for register in registers]
    body = profile_body(counted, _field_of(max(counted)))
    return make_record(_vib(shown, channel, _INVERSE), body, _BINARY, storage=HISTORY)


def _field_of(number: int) -> int:
    """The shortest integer field: two, three or four octets."""
    return next(field for field in (_INT16, 3, _INT32) if number < 1 << 8 * SIZES[field] - 1)


def identity(meter: MbusMeter, unix_s: float) -> list[Record]:
    """The fabrication number, the firmware, and how many days the battery lasts."""
    days = int(meter.battery_years(unix_s) * _DAYS_PER_YEAR)
    return [
        make_record(_FABRICATION, meter.config.ident, _BCD8),
        make_record(_FIRMWARE, meter.firmware.decode("ascii"), _TEXT),
        make_record(_BATTERY_DAYS, days, _INT16),
    ]


def everything(meter: MbusMeter, unix_s: float) -> list[list[Record]]:
    """All that there is, each part fit for one telegram."""
    first = [*identity(meter, unix_s), *current(meter, unix_s), *due(meter, unix_s)]
    months = history(meter, unix_s)
    return [first, months] if months else [first]


# -- what belongs to a kind -------------------------------------------------------------------------------


def _flow(litres_per_hour: int) -> Record:
    return make_record(b"\x3b", litres_per_hour / 1000, _INT32)


def _gas(meter: MbusMeter, unix_s: float) -> list[Record]:
    """Flow, volume before conversion, temperature of the gas, and the valve if there is one."""
    raw = int(meter.at(unix_s)[0] * meter.usage.unconverted_share)
    out = [
        make_record(bytes((_LITRES.vif | 0x80, _UNCONVERTED)), raw / 1000, _INT32),
        _flow(meter.rates(unix_s)[0]),
        make_record(b"\x5a", meter.usage.gas_temperature_c, _INT16),
    ]
    if meter.config.valve:
        out.append(make_record(_OUTPUT, int(meter.valve.reported), _INT8))
    return out


def _water(meter: MbusMeter, unix_s: float) -> list[Record]:
    """Flow, and what flowed back."""
    back = meter.backward(unix_s)
    return [
        _flow(meter.rates(unix_s)[0]),
        make_record(bytes((_LITRES.vif | 0x80, _BACKWARDS)), back / 1000, _INT32),
    ]


def _circuit(meter: MbusMeter, unix_s: float) -> list[Record]:
    """Volume, power, flow and the two temperatures of a heating or cooling circuit."""
    rates = meter.rates(unix_s)
    usage: Usage = meter.usage
    forward, back = usage.temperatures_c(unix_s)
    return [
        make_record(b"\x13", usage.circuit_litres(meter.at(unix_s)) / 1000, _INT32),
        make_record(b"\x2b", sum(rates), _INT32),
        _flow(usage.circuit_litres(rates)),
        make_record(b"\x5a", forward, _INT16),
        make_record(b"\x5e", back, _INT16),
    ]


def _allocator(meter: MbusMeter, unix_s: float) -> list[Record]:
    """A heat cost allocator tells units only."""
    return []


def _electricity(meter: MbusMeter, unix_s: float) -> list[Record]:
    """Power."""
    return [make_record(b"\x2b", meter.rates(unix_s)[0], _INT32)]


_OWN: Final[dict[Utility, Callable[[MbusMeter, float], list[Record]]]] = {
    Utility.GAS: _gas,
    Utility.WATER: _water,
    Utility.HEAT: _circuit,
    Utility.COOLING: _circuit,
    Utility.HEAT_COOLING: _circuit,
    Utility.HEAT_COST: _allocator,
    Utility.ELECTRICITY: _electricity,
}

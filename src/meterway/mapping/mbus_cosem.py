"""Which COSEM register a record of an M-Bus meter is shown as (EN 13757-1, OBIS group A by device type).

Only what a register can hold is mapped: present values and those of the due date, of the device itself, as whole
numbers with a power of ten and a unit. Everything else stays a reading.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

from meterway.base.obis import Obis
from meterway.base.units import code_of
from meterway.model.reading import Reading
from meterway.stacks.mbus.records.record import Record

__all__ = [
    "COMPANIONS",
    "Companion",
    "Measured",
    "companion_of",
    "is_converting",
    "main_registers",
    "measured",
    "measured_reading",
    "medium_of",
]

_ELECTRICITY, _HEAT_COST, _COOLING, _HEAT, _GAS, _COLD, _HOT = 1, 4, 5, 6, 7, 8, 9
_MEDIA: Final[dict[int, int]] = {
    0x02: _ELECTRICITY,
    0x03: _GAS,
    0x04: _HEAT,
    0x06: _HOT,
    0x07: _COLD,
    0x08: _HEAT_COST,
    0x0A: _COOLING,
    0x0B: _COOLING,
    0x0C: _HEAT,
    0x0D: _HEAT,
    0x10: _COLD,
    0x11: _COLD,
    0x12: _GAS,
    0x13: _GAS,
    0x15: _HOT,
    0x16: _COLD,
    0x28: _COLD,
}
_THERMAL: Final[dict[str, tuple[int, int]]] = {
    "energy": (1, 0),
    "volume": (2, 0),
    "power": (8, 0),
    "volume flow": (9, 0),
    "flow temperature": (10, 0),
    "return temperature": (11, 0),
    "temperature difference": (12, 0),
}
_WATER: Final[dict[str, tuple[int, int]]] = {"volume": (1, 0), "volume flow": (2, 0)}
_CODES: Final[dict[int, dict[str, tuple[int, int]]]] = {
    _ELECTRICITY: {
        "energy": (1, 8),
        "power": (1, 7),
        "voltage": (12, 7),
        "current": (11, 7),
        "frequency": (14, 7),
    },
    _HEAT_COST: {"heat cost units": (1, 0)},
    _COOLING: _THERMAL,
    _HEAT: _THERMAL,
    _GAS: {"volume": (3, 0)},
    _COLD: _WATER,
    _HOT: _WATER,
}
_PHASES: Final = ("phase L1", "phase L2", "phase L3")
_OF_PHASES: Final = {1: 21, 2: 22, 12: 32, 11: 31}
_PER_PHASE: Final = 20
_NAMED: Final[dict[str, tuple[int, int]]] = {
    "active energy, import": (1, 8),
    "active energy, export": (2, 8),
    "reactive energy, import": (3, 8),
    "reactive energy, export": (4, 8),
    "active power": (1, 7),
    **{f"active power, phase {phase}": (1 + 20 * phase, 7) for phase in (1, 2, 3)},
    **{f"current, phase {phase}": (11 + 20 * phase, 7) for phase in (1, 2, 3)},
    **{f"voltage, phase {phase}": (12 + 20 * phase, 7) for phase in (1, 2, 3)},
}
"""What drivers call the quantities of an electricity meter."""
_SCALERS: Final = {"Wh": 0, "varh": 0, "J": 0, "W": 0, "": 0}
_FINEST: Final = -3
_GAS_NOTES: Final = {"uncorrected": 0, "at base conditions": 2}
_CONVERTED: Final = Obis(7, 0, 3, 1, 0)
_DUE: Final = 2
_TOP: Final = 1 << 63
_WITH_DUE_DATE: Final = {_HEAT_COST: {1}, _COOLING: {1, 2}, _HEAT: {1, 2}, _COLD: {1}, _HOT: {1}}
_MAIN: Final[dict[int, tuple[Obis, ...]]] = {
    _ELECTRICITY: (Obis(1, 0, 1, 8, 0),),
    _HEAT_COST: (Obis(4, 0, 1, 0, 0),),
    _COOLING: (Obis(5, 0, 1, 0, 0), Obis(5, 0, 2, 0, 0)),
    _HEAT: (Obis(6, 0, 1, 0, 0), Obis(6, 0, 2, 0, 0)),
    _GAS: (Obis(7, 0, 3, 0, 0),),
    _COLD: (Obis(8, 0, 1, 0, 0),),
    _HOT: (Obis(9, 0, 1, 0, 0),),
}


class Companion(NamedTuple):
    """What the meters of a medium are called in a registry, and the companion profile they are read by."""

    utility: str
    profile: str


COMPANIONS: Final[dict[int, Companion]] = {
    _ELECTRICITY: Companion("electricity", "mbus-electricity"),
    _HEAT_COST: Companion("heat cost", "mbus-heat-cost"),
    _COOLING: Companion("cooling", "mbus-heat"),
    _HEAT: Companion("heat", "mbus-heat"),
    _GAS: Companion("gas", "mbus-gas"),
    _COLD: Companion("water", "mbus-water"),
    _HOT: Companion("water", "mbus-water"),
}
"""By OBIS group A."""


_OTHER: Final = Companion("other", "mbus-meter")


class Measured(NamedTuple):
    """One register value: ``raw`` times ten to the ``scaler``, in the unit of that DLMS code."""

    obis: Obis
    raw: int
    scaler: int
    unit: int


def medium_of(device_type: int) -> int | None:
    """OBIS group A of a device type; None for one that measures nothing of the kind."""
    return _MEDIA.get(device_type)


def companion_of(device_type: int) -> Companion:
    """What a meter is called and read by; what measures nothing of the kind is an M-Bus meter like any."""
    return COMPANIONS.get(_MEDIA.get(device_type, 0), _OTHER)


def main_registers(device_type: int, *, converts: bool = False) -> tuple[Obis, ...]:
    """The registers that are billed, the first of them the main one; empty for a device that has none."""
    medium = _MEDIA.get(device_type, 0)
    return (_CONVERTED,) if converts and medium == _GAS else _MAIN.get(medium, ())


def is_converting(records: Iterable[Record], device_type: int) -> bool:
    """Whether a gas meter tells a volume before conversion too: then its plain volume is the converted one."""
    if _MEDIA.get(device_type) != _GAS:
        return False
    return any(record.head.quantity == "volume" and record.head.notes == ("uncorrected",) for record in records)


def measured(record: Record, device_type: int, *, converts: bool = False) -> Measured | None:
    """The register of a record; None for what is not mapped, has no number or is not to be trusted.

    ``converts`` says that the plain volume of this gas meter is converted to a temperature.
    """
    head, value = record.head, record.value
    if isinstance(value, bool) or not isinstance(value, int | float) or record.quality:
        return None
    if head.kind != "number" or head.offset or head.subunit or head.function != "instantaneous":
        return None
    obis = _obis(record, device_type, converts=converts)
    scaler = _scaler(head.num, head.den)
    if obis is None or scaler is None or not math.isfinite(value):
        return None
    raw = round(value * 10**-scaler if scaler < 0 else value / 10**scaler)
    return Measured(obis, raw, scaler, _unit(head.unit)) if abs(raw) < _TOP else None


def measured_reading(reading: Reading, device_type: int, *, converts: bool = False) -> Measured | None:
    """The same for a value that a driver read: in thousandths of its unit, energies and counts in whole ones.

    Such values have no power of ten of their own, and a register keeps the one it began with.
    """
    value = reading.value
    if isinstance(value, bool) or not isinstance(value, int | float) or reading.quality or reading.subunit:
        return None
    medium = _MEDIA.get(device_type, 0)
    code = _CODES.get(medium, {}).get(reading.name) or (_NAMED.get(reading.name) if medium == _ELECTRICITY else None)
    if code is None or reading.function != "instantaneous" or reading.tariff > 63 or not math.isfinite(value):
        return None
    d = _CONVERTED.d if converts and medium == _GAS else code[1]
    if reading.storage:
        if reading.storage != 1 or code[0] not in _WITH_DUE_DATE.get(medium, ()):
            return None
        d = _DUE
    scaler = _SCALERS.get(reading.unit, _FINEST)
    raw = round(value * 10**-scaler)
    obis = Obis(medium, 0, code[0], d, reading.tariff)
    return Measured(obis, raw, scaler, _unit(reading.unit)) if abs(raw) < _TOP else None


def _unit(symbol: str) -> int:
    return code_of(symbol) if symbol else 255


def _obis(record: Record, device_type: int, *, converts: bool) -> Obis | None:
    head = record.head
    medium = _MEDIA.get(device_type)
    code = _CODES.get(medium or 0, {}).get(head.quantity)
    if medium is None or code is None or head.tariff > 63:
        return None
    if medium == _ELECTRICITY:
        return _electric(record, code)
    note = head.notes[0] if len(head.notes) == 1 else "" if not head.notes else None
    c, d = code
    if medium == _GAS and note in _GAS_NOTES:
        d = _GAS_NOTES[note]
    elif medium == _GAS and note == "" and converts:
        d = _CONVERTED.d
    elif medium == _HEAT and note == "negative contributions only" and c == 1:
        medium = _COOLING
    elif note != "":
        return None
    if head.storage == 1 and c in _WITH_DUE_DATE.get(medium, ()):
        d = _DUE
    elif head.storage:
        return None
    return Obis(medium, 0, c, d, head.tariff)


def _electric(record: Record, code: tuple[int, int]) -> Obis | None:
    """Export has a note of its own (VIFE 3C, as OMS has it for energy and power), and so has a phase."""
    head, (c, d) = record.head, code
    notes = [note for note in head.notes if note != "positive contributions only"]
    if "negative contributions only" in notes and c == 1:
        notes.remove("negative contributions only")
        c = 2
    if len(notes) == 1 and notes[0] in _PHASES and c in _OF_PHASES:
        c = _OF_PHASES[c] + _PER_PHASE * _PHASES.index(notes.pop())
    return None if notes or head.storage else Obis(_ELECTRICITY, 0, c, d, head.tariff)


def _scaler(num: int, den: int) -> int | None:
    """The power of ten a record counts in; None for a factor that is no whole number of such steps."""
    up, down = _power(num), _power(den)
    if down is None:
        return None
    return (up or 0) - down


def _power(number: int) -> int | None:
    exponent = len(str(number)) - 1
    return exponent if number == 10**exponent else None

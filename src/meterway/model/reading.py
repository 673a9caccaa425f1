"""One reading: a value of one quantity at one time, with its unit (IEC 61968-9 ``Reading`` and ``ReadingType``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from meterway.base.obis import Obis

__all__ = ["JsonValue", "Reading", "Value", "exact_number", "in_base_unit", "iso_utc"]

Value = int | float | Decimal | str | bool | None
JsonValue = int | float | str | bool | None

_PREFIXES: Final = {"k": Decimal(1000), "M": Decimal(1_000_000)}
_PREFIXED: Final = frozenset({"W", "Wh", "VA", "VAh", "var", "varh", "V", "A", "J"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A value with its meaning; ``value`` is scaled to ``unit`` and None where the meter had none to give.

    ``time`` (UTC) is when the value was measured or captured. ``storage``, ``tariff`` and ``subunit`` are 0
    for the present value, the total and the device itself. ``function`` is ``instantaneous``, ``maximum``,
    ``minimum`` or ``error``. ``quality`` is empty for a good value and says in a few words what is wrong otherwise.
    Exactly one of ``obis`` and ``vif`` names the quantity in the norm it came from.
    """

    name: str
    value: Value
    unit: str = ""
    obis: Obis | None = None
    vif: str = ""
    time: datetime | None = None
    storage: int = 0
    tariff: int = 0
    subunit: int = 0
    function: str = "instantaneous"
    quality: str = ""

    def as_json(self) -> dict[str, JsonValue]:
        """The reading as plain JSON values; ``quality`` only when there is something to say."""
        row: dict[str, JsonValue] = {"name": self.name}
        if self.vif:
            row["vif"] = self.vif
        else:
            row["obis"] = _code(self.obis)
        row |= {
            "value": exact_number(self.value),
            "unit": self.unit,
            "time": iso_utc(self.time),
            "storage": self.storage,
            "tariff": self.tariff,
            "subunit": self.subunit,
            "function": self.function,
        }
        if self.quality:
            row["quality"] = self.quality
        return row


def _code(obis: Obis | None) -> str | None:
    if obis is None:
        return None
    return obis.short if obis.f == 255 else str(obis)


def exact_number(value: Value) -> JsonValue:
    """A value for JSON: a Decimal becomes an int, or the float whose shortest form has the same digits.

    Exact for up to 15 significant digits; a Decimal that is not a number becomes None.
    """
    if not isinstance(value, Decimal):
        return value
    if not value.is_finite():
        return None
    return int(value) if value.as_tuple().exponent in range(30) else float(value)


def iso_utc(time: datetime | None) -> str | None:
    """``2026-01-31T23:00:00Z``, or None."""
    return None if time is None else time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def in_base_unit(value: Decimal | int | float, unit: str) -> tuple[Decimal, str]:
    """Take the prefix off: 1.5 kWh is 1500 Wh; a unit without a prefix stays."""
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    if unit[:1] in _PREFIXES and unit[1:] in _PREFIXED:
        return exact * _PREFIXES[unit[0]], unit[1:]
    return exact, unit

"""Structures that several interface classes share."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from meterway.base.obis import Obis
from meterway.base.units import symbol_of
from meterway.stacks.dlms.classes.types import INTEGER, LONG_UNSIGNED, OBIS, UNIT, structure

__all__ = [
    "ACTION_ITEM",
    "CAPTURE_OBJECT",
    "SCALER_UNIT",
    "VALUE_DEFINITION",
    "ActionItem",
    "CaptureObject",
    "ScalerUnit",
    "ValueDefinition",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalerUnit:
    """What a raw register value is multiplied with (a power of ten) and the code of its unit."""

    scaler: int
    unit: int

    @property
    def symbol(self) -> str:
        """The symbol of the unit, ``Wh``."""
        return symbol_of(self.unit)

    def scaled(self, raw: int) -> Decimal:
        """The exact value of a raw integer in the unit."""
        return Decimal(raw).scaleb(self.scaler)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureObject:
    """A reference to an attribute of an object; ``data_index`` 0 means the whole attribute."""

    class_id: int
    obis: Obis
    attribute: int
    data_index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueDefinition:
    """The attribute that a monitor watches; class 0 watches nothing."""

    class_id: int
    obis: Obis
    attribute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionItem:
    """A script of a script table; selector 0 does nothing."""

    script_table: Obis
    selector: int


SCALER_UNIT = structure(ScalerUnit, INTEGER, UNIT)
CAPTURE_OBJECT = structure(CaptureObject, LONG_UNSIGNED, OBIS, INTEGER, LONG_UNSIGNED)
VALUE_DEFINITION = structure(ValueDefinition, LONG_UNSIGNED, OBIS, INTEGER)
ACTION_ITEM = structure(ActionItem, OBIS, LONG_UNSIGNED)

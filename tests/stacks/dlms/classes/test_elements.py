"""Structures that classes share say what they mean."""

from __future__ import annotations

from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import ScalerUnit, typed


def test_a_scaler_and_unit_scales_exactly():
    value = typed(3, "scaler_unit", axdr.structure(axdr.i8(-3), axdr.enum(30)))
    assert value == ScalerUnit(scaler=-3, unit=30)
    assert (str(value.scaled(123456)), value.symbol) == ("123.456", "Wh")

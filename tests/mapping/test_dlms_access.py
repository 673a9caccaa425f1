"""Readings in ACCESS responses."""

from __future__ import annotations

from decimal import Decimal

import pytest

from meterway.base.obis import Obis
from meterway.mapping.dlms_access import readings_of_access
from meterway.mapping.telegram import decode_telegram
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.xdlms.access import AccessItem, AccessResponse
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor

pytestmark = pytest.mark.covers("IF-I")

ENERGY = Obis(1, 0, 1, 8, 0)
MOMENT = bytes.fromhex("07ea030b030c0f1e00ffc400")


def response(*rows: tuple[int, int, int, Data, int], repeats: bool = True) -> AccessResponse:
    """Rows of (kind, class, attribute, value, result)."""
    items = tuple(AccessItem(row[0], AttributeDescriptor(row[1], ENERGY, row[2])) for row in rows)
    return AccessResponse(
        invoke=0x40000001,
        date_time=MOMENT,
        request=items if repeats else None,
        data=tuple(axdr.encode(row[3]) for row in rows),
        results=tuple((row[0], row[4]) for row in rows),
    )


UNIT = axdr.structure(axdr.i8(-1), axdr.enum(30))


def test_a_register_has_the_unit_that_was_read_with_it() -> None:
    whole = response((1, 3, 2, axdr.u32(12345), 0), (1, 3, 3, UNIT, 0))
    (reading,) = readings_of_access(whole)
    assert (reading.value, reading.unit, str(reading.obis)) == (Decimal("1234.5"), "Wh", str(ENERGY))
    assert reading.time is not None
    answer = decode_telegram(whole.encode()).as_json()
    assert answer["readings"] == [reading.as_json()]


def test_what_was_not_read_is_no_reading() -> None:
    assert readings_of_access(response((1, 3, 2, axdr.null(), 3), (2, 3, 2, axdr.null(), 0))) == ()
    assert readings_of_access(response((1, 3, 2, axdr.u32(1), 0), repeats=False)) == ()
    assert readings_of_access(response((1, 7, 2, axdr.array(), 0))) == ()


def test_a_clock_is_a_reading_without_a_unit() -> None:
    (reading,) = readings_of_access(response((1, 8, 2, axdr.octets(MOMENT), 0)))
    assert reading.unit == ""

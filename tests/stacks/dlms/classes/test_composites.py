"""Arrays, structures and choices hold what their types say."""

from __future__ import annotations

import pytest

from meterway.base.errors import LocalProtocolError
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDate
from meterway.stacks.dlms.classes import ScalerUnit, typed
from meterway.stacks.dlms.classes.elements import SCALER_UNIT
from meterway.stacks.dlms.classes.types import (
    ANY,
    INTEGER,
    LONG_UNSIGNED,
    NULL,
    UNSIGNED,
    Mismatch,
    array,
    choice,
    structure,
)


def test_a_compact_array_reads_like_an_array():
    compact = axdr.decode_all(bytes.fromhex("13") + bytes.fromhex("06") + bytes.fromhex("08") + bytes(7) + b"\x05")
    assert typed(42, "multicast_ip_address", compact) == (0, 5)


def test_a_structure_of_too_few_or_too_many_fields_is_a_mismatch():
    with pytest.raises(Mismatch, match="ScalerUnit has 2 fields, not 1"):
        SCALER_UNIT.typed(axdr.structure(axdr.i8(0)), [])
    with pytest.raises(Mismatch, match="boolean where the structure"):
        SCALER_UNIT.typed(axdr.boolean(True), [])
    with pytest.raises(TypeError, match="ScalerUnit has 2 fields, 1 types given"):
        structure(ScalerUnit, INTEGER)


def test_a_choice_takes_the_type_that_fits_exactly_before_one_with_quirks():
    kind = choice(UNSIGNED, LONG_UNSIGNED, array(UNSIGNED), NULL)
    quirks: list[str] = []
    assert [kind.typed(data, quirks) for data in (axdr.u16(5), axdr.array(axdr.u8(1)), axdr.null())] == [5, (1,), None]
    assert quirks == []
    assert kind.typed(axdr.u32(7), quirks) == 7
    assert quirks == ["integer-width"]
    with pytest.raises(Mismatch, match="boolean where unsigned or long-unsigned or array of unsigned or null-data"):
        kind.typed(axdr.boolean(True), [])
    assert kind.untyped(300) == axdr.u16(300)
    with pytest.raises(LocalProtocolError):
        kind.untyped("many")


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (5, axdr.u32(5)),
        (-5, axdr.i32(-5)),
        (2**40, axdr.u64(2**40)),
        (-(2**40), axdr.i64(-(2**40))),
        (1.5, axdr.float64(1.5)),
        (True, axdr.boolean(True)),
        ("text", axdr.visible("text")),
        ("größe", axdr.utf8("größe")),
        (b"x", axdr.octets(b"x")),
        (None, axdr.null()),
        (CosemDate(year=2026), axdr.octets(CosemDate(year=2026).encode())),
        ([1, "x"], axdr.structure(axdr.u32(1), axdr.visible("x"))),
        ({"array": [{"unsigned": 1}, {"unsigned": 2}]}, axdr.array(axdr.u8(1), axdr.u8(2))),
        (axdr.u8(9), axdr.u8(9)),
    ],
)
def test_a_plain_value_becomes_the_data_it_most_likely_means(value, data):
    assert ANY.untyped(value) == data

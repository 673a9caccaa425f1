"""Single values keep their type, and real meters' loose types are noticed."""

from __future__ import annotations

import pytest

from meterway.base.errors import LocalProtocolError
from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import typed
from meterway.stacks.dlms.classes.profile_generic import SortMethod
from meterway.stacks.dlms.classes.types import (
    BIT_STRING,
    BOOLEAN,
    LONG,
    OBIS,
    OCTETS,
    UNIT,
    UNSIGNED,
    VISIBLE,
    Mismatch,
    Type,
    enumerated,
)


def test_a_wider_integer_is_taken_with_a_quirk():
    quirks: list[str] = []
    assert typed(7, "capture_period", axdr.u16(900), quirks=quirks) == 900
    assert quirks == ["integer-width"]


def test_text_as_octets_and_octets_as_text_are_taken_with_a_quirk():
    quirks: list[str] = []
    assert VISIBLE.typed(axdr.octets(b"KPN"), quirks) == "KPN"
    assert OCTETS.typed(axdr.visible("apn"), quirks) == b"apn"
    assert OCTETS.typed(axdr.null(), quirks) == b""
    assert quirks == ["text-type", "text-type", "null-data"]


def test_an_enum_is_a_member_where_the_norm_names_it():
    kind = enumerated(SortMethod)
    assert kind.typed(axdr.enum(2), []) is SortMethod.LIFO
    assert kind.typed(axdr.enum(200), []) == 200
    assert kind.untyped("farthest from zero") == axdr.enum(6)


@pytest.mark.parametrize(
    ("kind", "value"),
    [(UNSIGNED, 256), (LONG, "1"), (BOOLEAN, 1), (BIT_STRING, "012"), (VISIBLE, b"x"), (OBIS, "x"), (UNIT, "mile")],
)
def test_a_value_of_another_type_or_range_is_refused(kind: Type, value: object):
    with pytest.raises(LocalProtocolError):
        kind.untyped(value)


def test_data_of_another_type_is_a_mismatch():
    for kind, data in ((UNSIGNED, axdr.boolean(True)), (BOOLEAN, axdr.u8(1)), (OBIS, axdr.octets(b"12345"))):
        with pytest.raises(Mismatch):
            kind.typed(data, [])
    assert OBIS.typed(axdr.octets(bytes(6)), []) == Obis(0, 0, 0, 0, 0, 0)

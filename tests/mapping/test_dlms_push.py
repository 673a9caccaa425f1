"""What a pushed list means: the ways in which meters say which value is which."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given

import dlms_wire as wire
from meterway.base.obis import Obis
from meterway.mapping.dlms_push import readings_of, unit_of
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data

pytestmark = pytest.mark.covers("IF-H1", "F1a")

ENERGY = Obis(1, 0, 1, 8, 0)
CODE = axdr.octets(bytes(ENERGY))
WH = axdr.structure(axdr.i8(-1), axdr.enum(30))
NOW = datetime(2026, 3, 11, tzinfo=UTC)


def only(body: Data) -> tuple[str, object, str]:
    (reading,) = readings_of(body, time=NOW)
    assert reading.time == NOW
    return str(reading.obis), reading.value, reading.unit


@pytest.mark.parametrize(
    "body",
    [
        axdr.structure(CODE, axdr.u32(1234), WH),
        axdr.array(axdr.structure(CODE, axdr.u32(1234), WH)),
        axdr.structure(axdr.octets(b"a list"), axdr.structure(axdr.structure(CODE, axdr.u32(1234), WH))),
    ],
)
def test_a_code_its_value_and_its_unit_are_found_at_any_depth(body: Data) -> None:
    assert only(body) == ("1-0:1.8.0*255", Decimal("123.4"), "Wh")


def test_a_value_without_a_unit_has_none() -> None:
    assert only(axdr.structure(CODE, axdr.u32(1234))) == ("1-0:1.8.0*255", 1234, "")


def test_the_push_object_list_names_what_follows() -> None:
    def entry(class_id: int, obis: Obis, attribute: int) -> Data:
        return axdr.structure(axdr.u16(class_id), axdr.octets(bytes(obis)), axdr.i8(attribute), axdr.u16(0))

    listing = axdr.array(entry(40, Obis(0, 0, 25, 9, 0), 2), entry(3, ENERGY, 2))
    assert only(axdr.structure(listing, axdr.u32(7))) == ("1-0:1.8.0*255", 7, "")
    listing = axdr.array(entry(3, ENERGY, 2))
    assert only(axdr.structure(listing, axdr.u32(7))) == ("1-0:1.8.0*255", 7, "")


def test_a_value_that_is_none_says_why() -> None:
    (reading,) = readings_of(axdr.structure(CODE, axdr.null()))
    assert (reading.value, reading.quality) == (None, "no value")
    (reading,) = readings_of(axdr.structure(CODE, axdr.float64(float("inf")), WH))
    assert (reading.value, reading.quality) == (None, "not a number")


def test_a_moment_is_utc_where_its_deviation_is_said() -> None:
    clock = axdr.octets(bytes(Obis(0, 0, 1, 0, 0)))
    (said,) = readings_of(axdr.structure(clock, axdr.octets(bytes.fromhex("07ea030b030c0f1e00ffc400"))))
    assert said.value == "2026-03-11T11:15:30Z"
    (unsaid,) = readings_of(axdr.structure(clock, axdr.octets(bytes.fromhex("07ea030b030c0f1e00800000"))))
    assert unsaid.value == "2026-03-11T12:15:30"


def test_octets_are_text_where_they_are_text() -> None:
    name = axdr.octets(bytes(Obis(0, 0, 96, 1, 0)))
    assert only(axdr.structure(name, axdr.octets(b"ABC123\0\0")))[1] == "ABC123"
    assert only(axdr.structure(name, axdr.octets(b"\x01\xff")))[1] == "01ff"


def test_a_unit_is_a_scaler_and_an_enum() -> None:
    assert unit_of(WH) == (-1, 30)
    for other in (axdr.null(), axdr.structure(axdr.i8(0)), axdr.structure(axdr.u8(0), axdr.enum(30))):
        assert unit_of(other) is None


@given(wire.datas)
def test_any_body_gives_readings_or_none(body: Data) -> None:
    for reading in readings_of(axdr.structure(CODE, body, body), time=NOW):
        reading.as_json()


def test_the_code_of_a_push_setup_does_not_name_the_value_behind_it() -> None:
    setup = axdr.octets(bytes(Obis(0, 6, 25, 9, 0)))
    assert only(axdr.structure(setup, axdr.octets(b"4711"), CODE, axdr.u32(5), WH))[1] == Decimal("0.5")
    (reading,) = readings_of(axdr.structure(setup, setup))
    assert reading.value == bytes(Obis(0, 6, 25, 9, 0)).hex()

"""A driver at work: values of blocks and records, histories, and octets where it does not know better."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import MeterwayError
from meterway.mapping.drivers.registry import Drivers
from meterway.mapping.drivers.schema import parse_driver
from meterway.model.reading import Reading
from meterway.stacks.mbus.telegram import decode

HEAD = """
title = "A meter"
[[match]]
manufacturer = "KAM"
"""
BLOCK = HEAD + '[[block]]\nplace = "manufacturer data"\n'


def radio(body: str) -> bytes:
    octets = bytes.fromhex("442D2C785634120107" + body.replace(" ", ""))
    return bytes((len(octets),)) + octets


def read(text: str, body: str) -> tuple[Reading, ...]:
    drivers = Drivers([parse_driver(text, "mine")])
    found = drivers.decoded(decode(radio(body), dialects=drivers.dialect))
    assert found.device["driver"] == "mine"
    return found.readings


@pytest.mark.covers("IF-M", "F1a")
def test_a_field_comes_again_with_storage_numbers_and_months() -> None:
    text = (
        BLOCK
        + """
[[block.field]]
id = "day"
name = "date"
type = "date"
[[block.field]]
name = "volume"
type = "uint"
at = 2
size = 2
scale = 0.1
unit = "m³"
storage = 1
time = "day"
repeat = { step = 2, months = -1 }
"""
    )
    found = read(text, "7A 01 00 0000 0413 E8030000 0F 1F3C 0A00 1400 1E00 FF")
    assert [(one.value, one.unit, one.storage, one.time) for one in found if one.name == "volume"] == [
        (1.0, "m³", 0, None),
        (1, "m³", 1, datetime(2024, 12, 31, tzinfo=UTC)),
        (2, "m³", 2, datetime(2024, 11, 30, tzinfo=UTC)),
        (3, "m³", 3, datetime(2024, 10, 31, tzinfo=UTC)),
    ]
    assert found[1].vif == "0F"


def test_places_do_not_run_over_the_edge_of_a_block() -> None:
    text = BLOCK + '[[block.field]]\nname = "x"\ntype = "uint"\nat = -1\nrepeat = { count = 3, step = 1 }\n'
    found = read(text, "7A 01 00 0000 0F 0A0B")
    assert [one.value for one in found] == [11, None, None]
    assert found[1].quality == "the octets are missing"


def test_names_of_values_that_come_again_may_be_given() -> None:
    text = BLOCK + '[[block.field]]\nname = "x"\ntype = "uint"\nrepeat = { step = 1, names = ["a", "b"] }\n'
    assert [(one.name, one.value) for one in read(text, "7A 01 00 0000 0F 0A0B0C")] == [("a", 10), ("b", 11)]


TAGGED = (
    BLOCK
    + """
tags = { start = 1, end = 1, sizes = { 0x10 = 2, 0x43 = 1 } }
[[block.field]]
name = "volume"
type = "uint"
tag = 0x10
size = 2
"""
)


def test_tagged_parts_are_found_wherever_they_are() -> None:
    assert [one.value for one in read(TAGGED, "7A 01 00 0000 0F 00 43 AA 10 0201 FF 77 99")] == [0x0102]


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ("00 43 AA 44 10 0201 FF 99", "part 0x44 is not known; what follows it cannot be read"),
        ("00 10 02 99", "part 0x10 is cut off"),
    ],
)
def test_a_part_that_is_not_known_leaves_octets_and_a_reason(octets: str, reason: str) -> None:
    (found,) = read(TAGGED, "7A 01 00 0000 0F" + octets)
    assert (found.value, found.quality) == (octets.replace(" ", ""), reason)


def test_a_layout_that_is_not_known_leaves_octets_and_a_reason() -> None:
    text = BLOCK + "when = [{ at = 0, is = 7 }]\n"
    (found,) = read(text, "7A 01 00 0000 0F 0102")
    assert (found.value, found.quality) == ("0102", "driver mine does not know this layout")


def test_records_get_their_names_units_and_words() -> None:
    text = (
        HEAD
        + """
[[record]]
vif = "FF07"
tariff = 1
to_tariff = 0
name = "partial energy"
unit = "Wh"
scale = 10
[[record]]
vif = "FF07"
name = "energy"
unit = "Wh"
[[record]]
vif = "FF22"
name = "state"
table = "state"
[[record]]
vif = "FF23"
type = "uint"
order = "big"
[[record]]
vif = "5A"
distrust = "the sensor is not built in"
[table.state.bits]
0 = "dry"
"""
    )
    body = "78 8410FF07 05000000 04FF07 06000000 01FF22 81 02FF23 0102 025A 6400 0413 01000000"
    found = read(text, body)
    assert [(one.name, one.value, one.unit, one.tariff, one.quality) for one in found] == [
        ("partial energy", 50, "Wh", 0, ""),
        ("energy", 6, "Wh", 0, ""),
        ("state", "dry, bit 7", "", 0, ""),
        (found[3].name, 0x0102, "", 0, ""),
        ("flow temperature", None, "°C", 0, "the sensor is not built in"),
        ("volume", 0.001, "m³", 0, ""),
    ]


def test_a_rule_may_be_for_some_storage_numbers_and_know_what_stands_for_none() -> None:
    text = HEAD + "[[record]]\nvif = '13'\nstorage = [1, '3-4']\nname = 'use'\ninvalid = 0xFEFE\n"
    found = read(text, "78 0213 0100 4213 FEFE 820113 FEFE C20113 0200")
    assert [(one.name, one.value, one.quality) for one in found] == [
        ("volume", 0.001, ""),
        ("use", None, "the meter has no value"),
        ("volume", -0.258, ""),
        ("use", 0.002, ""),
    ]


def test_a_long_record_is_no_number_for_a_rule() -> None:
    text = HEAD + "[[record]]\nvif = 'FF07'\ntype = 'uint'\nscale = 0.001\n"
    (found,) = read(text, "78 0DFF07 20" + "FF" * 32)
    assert (found.value, found.quality) == (None, "not a number")


def test_stored_values_are_dated_from_the_date_of_another() -> None:
    text = HEAD + "[[history]]\nfirst = 2\nlast = 3\nbase = 1\n"
    found = read(text, "78 426C1F3C 840113 01000000 C40113 02000000 840213 03000000")
    assert [one.time for one in found if one.name == "volume"] == [
        datetime(2024, 11, 30, tzinfo=UTC),
        datetime(2024, 10, 31, tzinfo=UTC),
        None,
    ]


def test_a_block_in_a_record_takes_its_place() -> None:
    text = (
        HEAD + '[[block]]\nplace = "record"\nvif = "FF5F"\n[[block.field]]\nname = "volume"\ntype = "bcd"\nsize = 2\n'
    )
    found = read(text, "78 0DFF5F 03 341299 0413 01000000")
    assert [(one.name, one.value, one.vif) for one in found] == [("volume", 0.001, "13"), ("volume", 1234, "FF5F")]


def test_an_opaque_payload_is_not_read_as_records() -> None:
    text = (
        HEAD
        + '[payload]\nopaque = true\n[[block]]\nplace = "payload"\nsize = 6\n'
        + '[[block.field]]\nname = "volume"\ntype = "uint"\nsize = 4\nat = 2\n'
    )
    assert [one.value for one in read(text, "78 0413 01000000")] == [1]
    (unknown,) = read(text, "78 0413 0100000000")
    assert unknown.quality == "driver mine does not know this layout"


@given(st.binary(max_size=60))
def test_no_octets_break_a_driver(octets: bytes) -> None:
    driver = parse_driver(
        TAGGED + "[[block.field]]\nname='x'\ntype='int'\nat=-3\nsize=2\nrepeat={step=-2}\n"
        "[[record]]\nvif='FF07'\ntype='bcd'\n[[history]]\nfirst=0\nlast=9\nbase=1\n",
        "mine",
    )
    drivers = Drivers([driver])
    try:
        telegram = decode(radio("78" + octets.hex()), dialects=drivers.dialect)
    except MeterwayError:
        return
    for reading in drivers.decoded(telegram).readings:
        assert reading.value is not None or reading.quality

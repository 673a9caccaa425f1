"""A driver's file is read whole; a mistake in it is told with file and field."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import ConfigError
from meterway.mapping.drivers.driver import Condition, Tags
from meterway.mapping.drivers.schema import parse_driver

MATCH = """
title = "A meter"
[[match]]
manufacturer = ["ABC", "XYZ"]
version = [3, "0x10-0x1F"]
type = 7
ci = 0xA0
"""
BLOCK = MATCH + '[[block]]\nplace = "payload"\n'
FIELD = BLOCK + '[[block.field]]\nname = "volume"\ntype = "uint"\n'


def test_a_driver_is_read_from_its_text() -> None:
    driver = parse_driver(
        FIELD
        + """
at = [1, -2]
size = 2
order = "big"
scale = "1/3"
unit = "m³"
invalid = 0xFFFF
table = "state"
when = [{ at = 0, is = 1 }]
repeat = { count = 3, step = 2, months = -1 }
[block.tags]
start = 7
sizes = { 0x10 = 4 }
[table.state.bits]
0 = "dry"
[payload]
opaque = true
begins = "609B"
[[history]]
first = 2
last = 3
base = 1
""",
        "mine",
    )
    (match,), (block,) = driver.matches, driver.blocks
    assert (len(match.manufacturers), match.versions, match.types) == (2, ((3, 3), (0x10, 0x1F)), ((7, 7),))
    assert block.tags == Tags(start=7, end=0, sizes={0x10: 4})
    (field,) = block.fields
    assert (field.places, field.big, field.scale, field.invalid) == ((1, -2), True, Fraction(1, 3), {0xFFFF})
    assert field.when == (Condition(at=0, size=1, mask=0xFF, values=frozenset((1,))),)
    assert driver.dialect is not None
    assert driver.dialect.begins == {b"\x60\x9b"}


@pytest.mark.covers("IF-M")
@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("title = ", "mine.toml: "),
        ('title = "x"', "mine.toml, match: is missing"),
        (MATCH.replace('title = "A meter"', ""), "mine.toml, title: is missing"),
        (MATCH + 'colour = "red"', "mine.toml, match 1, colour: no such field"),
        (MATCH.replace('"XYZ"', '"xy"'), "mine.toml, match 1, manufacturer: 'xy' is not a manufacturer"),
        (MATCH.replace("0x1F", "0x1FF"), "mine.toml, match 1, version: '0x10-0x1FF' is neither"),
        (MATCH.replace("type = 7", "type = true"), "mine.toml, match 1, type: True is neither"),
        (MATCH.replace("0xA0", "0x100"), "mine.toml, match 1, ci: must be whole numbers from 0 to 255"),
        (MATCH + '[[block]]\nplace = "moon"', "mine.toml, block 1, place: 'moon' is not one of"),
        (MATCH + '[[block]]\nplace = "record"', "mine.toml, block 1, vif: belongs to blocks in records"),
        (BLOCK + 'transform = "magic"', "mine.toml, block 1, transform: 'magic' is not one of prios"),
        (BLOCK + "when = [{ at = 0 }]", "mine.toml, block 1, when 1, is: is missing"),
        (BLOCK + "tags = { sizes = { 0x10 = -1 } }", "mine.toml, block 1, tags, sizes: must give"),
        (FIELD + "size = 0", "mine.toml, block 1, field 1, size: 0 is not 1 to 255"),
        (FIELD + 'scale = "1/0"', "mine.toml, block 1, field 1, scale: '1/0' is neither"),
        (FIELD + 'scale = "1e999999999"', "mine.toml, block 1, field 1, scale: '1e999999999' is neither"),
        (FIELD + "scale = 1e300", "mine.toml, block 1, field 1, scale: 1e+300 is neither"),
        (FIELD + "scale = true", "mine.toml, block 1, field 1, scale: True is neither"),
        (FIELD + "size = 9", "mine.toml, block 1, field 1, size: a number has at most 8 octets"),
        (FIELD + "bits = [[0, 6, 3]]", "mine.toml, block 1, field 1, bits: [0, 6, 3]: bits lie within one octet"),
        (FIELD + "bits = [3]", "mine.toml, block 1, field 1, bits: 3 is not [octet, lowest bit, bits]"),
        (FIELD + 'table = "state"', "mine.toml, block 1, field 1, table: there is no table 'state'"),
        (FIELD + 'time = "key"', "mine.toml, block 1, field 1: time: 'key' is no id"),
        (FIELD + "tag = 0x10", "mine.toml, block 1, field 1: tag 0x10 has no size in tags"),
        (FIELD + "repeat = { step = 0 }", "mine.toml, block 1, field 1, repeat, step: 0 would read"),
        (FIELD.replace("uint", "float"), "mine.toml, block 1, field 1, type: 'float' is not one of uint"),
        (FIELD.replace("uint", "sum") + 'of = ["a"]', "mine.toml, block 1, field 1: 'a' is no id"),
        (FIELD.replace("uint", "date-bits"), "mine.toml, block 1, field 1, day: a date of bits"),
        (FIELD.replace("uint", "date") + "size = 5", "mine.toml, block 1, field 1, size: 5 is not the size of a date"),
        (MATCH + "[[record]]\nname = 'x'", "mine.toml, record 1, vif: is missing"),
        (MATCH + "[[record]]\nvif = 'FF0'", "mine.toml, record 1, vif: is not hex"),
        (MATCH + "[[record]]\nvif = 'FF01'\ntype = 'sum'", "mine.toml, record 1, type: sum is for blocks"),
        (MATCH + "[table.state]\nzero = 'x'", "mine.toml, table, state: must have either bits or values"),
        (MATCH + "[table.state.bits]\nx = 'y'", "mine.toml, table, state, bits: 'x' is not a number"),
        (MATCH + "[payload]\nbegins = '60'", "mine.toml, payload, begins: must be two octets"),
        ("format = '04'\n" + MATCH, "mine.toml, format: 04: the value information is cut off"),
    ],
)
def test_a_mistake_is_told_with_file_and_field(text: str, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_driver(text, "mine", file="mine.toml")
    assert str(caught.value).startswith(where)


@given(st.data())
def test_a_damaged_file_is_a_driver_or_a_complaint(data: st.DataObject) -> None:
    text = list(FIELD + 'at = [1]\nwhen = [{ at = 0, is = 1 }]\nrepeat = { count = 2, step = 1 }\nscale = "1/3"\n')
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.sampled_from('0-9x"[]{}=\n,. aF'))
    try:
        driver = parse_driver("".join(text), "mine")
    except ConfigError as error:
        assert str(error).startswith("driver mine")
    else:
        assert driver.matches

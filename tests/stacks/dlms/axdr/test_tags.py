"""The table of types."""

import struct

import pytest

from meterway.stacks.dlms.axdr.leaves import READ, WRITE
from meterway.stacks.dlms.axdr.tags import CODES, DELTAS, FIXED, INTEGER_RANGES, NUMBERS, Tag

pytestmark = pytest.mark.covers("IF-I")


def test_every_type_but_the_containers_can_be_read_and_written() -> None:
    containers = {Tag.ARRAY, Tag.STRUCTURE, Tag.COMPACT_ARRAY}
    assert set(READ) == set(WRITE) == set(Tag) - containers


def test_the_ranges_are_those_of_the_widths() -> None:
    for tag, (low, high) in INTEGER_RANGES.items():
        code = ">" + CODES[tag]
        assert len(struct.pack(code, low)) == len(struct.pack(code, high)) == FIXED[tag]
        with pytest.raises(struct.error):
            struct.pack(code, high + 1)


def test_deltas_are_numbers() -> None:
    assert len(DELTAS) == 6
    assert DELTAS < NUMBERS
    assert Tag.BOOLEAN not in NUMBERS

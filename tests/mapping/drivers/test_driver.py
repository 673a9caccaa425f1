"""What a driver is for, and when a layout is the one of some octets."""

from __future__ import annotations

import pytest

from meterway.mapping.drivers.driver import Block, Condition, Match
from meterway.stacks.mbus.address import Address

METER = Address(manufacturer=0x8601, ident="12345678", version=0x15, device_type=7)


@pytest.mark.covers("IF-M")
@pytest.mark.parametrize(
    ("match", "fits"),
    [
        (Match(manufacturers=frozenset((0x0601,))), True),
        (Match(manufacturers=frozenset((0x0601,)), versions=((0x10, 0x15), (0x20, 0x20))), True),
        (Match(manufacturers=frozenset((0x0601,)), versions=((0x10, 0x14), (0x20, 0x20))), False),
        (Match(manufacturers=frozenset((0x0601,)), types=((6, 6),)), False),
        (Match(manufacturers=frozenset((0x0601,)), cis=frozenset((0xA0,))), False),
        (Match(manufacturers=frozenset((0x0602,))), False),
    ],
)
def test_a_meter_is_meant_by_manufacturer_version_type_and_ci(match: Match, fits: bool) -> None:
    assert match.fits(METER, 0x7A) is fits


@pytest.mark.parametrize(
    ("at", "size", "mask", "values", "holds"),
    [
        (0, 1, 0xFF, {0x15}, True),
        (0, 2, 0xFFFF, {0x2A15}, True),
        (-1, 1, 0x0F, {0x0C}, True),
        (-1, 2, 0xFFFF, {0x3C}, False),
        (3, 1, 0xFF, {0}, False),
        (-4, 1, 0xFF, {0x15}, False),
    ],
)
def test_a_condition_needs_its_octets_to_be_there(at: int, size: int, mask: int, values: set[int], holds: bool) -> None:
    condition = Condition(at=at, size=size, mask=mask, values=frozenset(values))
    assert condition.holds(bytes.fromhex("152A3C")) is holds


def test_a_layout_is_told_by_length_and_conditions() -> None:
    first = Condition(at=0, size=1, mask=0xFF, values=frozenset((1,)))
    block = Block(place="payload", sizes=(2, 3), when=(first,))
    assert [block.fits(octets) for octets in (b"\1", b"\1\2", b"\2\2", b"\1\2\3\4")] == [False, True, False, False]

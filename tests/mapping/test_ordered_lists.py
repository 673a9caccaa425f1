"""Pushed lists without codes: known by maker and length, or left unnamed."""

from __future__ import annotations

import pytest

from meterway.mapping.ordered_lists import ordered_list
from meterway.stacks.dlms import axdr

pytestmark = pytest.mark.covers("IF-H1")


@pytest.mark.parametrize("length", [9, 13, 14, 18])
def test_a_list_of_one_maker_is_named_by_its_length(length: int) -> None:
    items = [axdr.octets(b"KFM_001"), *[axdr.u32(index) for index in range(1, length)]]
    named = ordered_list(items)
    assert named is not None
    assert len(named) == length
    assert [str(named[place][0]) for place in (0, 3)] == ["1-0:0.2.129*255", "1-0:1.7.0*255"]
    assert [item[1] for item in named] == items


@pytest.mark.parametrize("length", [12, 18])
def test_a_list_of_another_maker_is_too(length: int) -> None:
    items = [axdr.octets(b"ISK0000000000000"), *[axdr.u32(index) for index in range(1, length)]]
    named = ordered_list(items)
    assert named is not None
    assert str(named[0][0]) == "0-0:42.0.0*255"


@pytest.mark.parametrize(
    "items",
    [[], [axdr.u32(1)], [axdr.octets(b"KFM_001")] * 10, [axdr.octets(b"ISK0")] * 13, [axdr.octets(b"XYZ")] * 13],
)
def test_what_no_table_knows_is_left_unnamed(items: list[axdr.Data]) -> None:
    assert ordered_list(items) is None


def test_a_bare_power_is_known_by_the_tag_of_its_time() -> None:
    named = ordered_list([axdr.u32(947)], is_tagged=True)
    assert named is not None
    assert (str(named[0][0]), named[0][2:]) == ("1-0:1.7.0*255", (0, 27))
    assert ordered_list([axdr.u16(947)], is_tagged=True) is None

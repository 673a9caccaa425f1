"""Pushed lists without codes: known by maker and length, or left unnamed."""

from __future__ import annotations

import pytest

from meterway.mapping.ordered_lists import is_known_by_form, ordered_list
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


TIME = axdr.octets(bytes.fromhex("07e50a0d03071e3900ff8880"))
SETUP = axdr.octets(bytes.fromhex("0006190900ff"))
NUMBERS = [axdr.u32(number) for number in range(8)]
CODES = ["1-0:1.8.0", "1-0:2.8.0", "1-0:3.8.0", "1-0:4.8.0", "1-0:1.7.0", "1-0:2.7.0", "1-0:3.7.0", "1-0:4.7.0"]
IDENTITY = [SETUP, axdr.octets(b"0000000000000"), axdr.octets(bytes(4)), axdr.octets(bytes(5))]


# the forms as two programs of users read them, checked with telegrams of three makers whose keys were published
@pytest.mark.parametrize(
    ("items", "codes"),
    [
        ([TIME, *NUMBERS], ["0-0:1.0.0", *CODES]),
        ([axdr.octets(b"MWY0000000000000"), TIME, *NUMBERS], ["0-0:42.0.0", "0-0:1.0.0", *CODES]),
        ([*IDENTITY, *NUMBERS[:6]], ["0-0:96.1.0", *CODES[:6]]),
        (
            [*IDENTITY, *NUMBERS[:6], axdr.octets(b""), axdr.octets(b"")],
            ["0-0:96.1.0", *CODES[:6], "0-0:96.13.0", "0-0:96.13.1"],
        ),
    ],
)
def test_lists_that_grid_operators_configure_are_known_by_their_form(items: list[axdr.Data], codes: list[str]) -> None:
    named = ordered_list(items)
    assert named is not None
    assert [one[0].short for one in named] == codes
    numbers = [one[1].value for one in named if one[0].a == 1]
    assert numbers == list(range(len(numbers)))
    assert {one[3] for one in named if one[0].d == 8} == {30, 32}
    assert is_known_by_form(items)


def test_voltages_currents_and_powers_without_codes_have_their_scales() -> None:
    items = [*[axdr.u16(number) for number in (228, 226, 230, 781, 1482, 643)], *NUMBERS[:4], axdr.octets(b"00000000")]
    named = ordered_list(items)
    assert named is not None
    assert [(one[0].short, one[2], one[3]) for one in named[2:5]] == [
        ("1-0:72.7.0", 0, 35),
        ("1-0:31.7.0", -2, 33),
        ("1-0:51.7.0", -2, 33),
    ]
    assert [one[0].short for one in named[6:]] == ["1-0:1.7.0", "1-0:2.7.0", "1-0:1.8.0", "1-0:2.8.0", "0-0:96.1.0"]


@pytest.mark.parametrize(
    "items",
    [
        [TIME, *NUMBERS[:7]],
        [TIME, *NUMBERS[:7], axdr.u16(7)],
        [axdr.octets(bytes(11)), *NUMBERS],
        [axdr.octets(bytes(6)), *IDENTITY[1:], *NUMBERS[:6]],
        [*IDENTITY[:3], axdr.octets(bytes(4)), *NUMBERS[:6]],
    ],
)
def test_a_list_of_a_form_that_is_nearly_known_is_left_unnamed(items: list[axdr.Data]) -> None:
    assert ordered_list(items) is None
    assert not is_known_by_form(items)

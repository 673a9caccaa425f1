"""The octets of a parity symbol, and which blocks make a group."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.mapping.image_parity import IMAGE_PARITY, ParitySymbol, groups
from meterway.mapping.profile import load_profile
from meterway.stacks.dlms import axdr

pytestmark = pytest.mark.covers("E-NNAP-6")


def test_groups_are_of_128_blocks_and_the_last_of_what_is_left():
    assert groups(0) == []
    assert groups(128) == [range(128)]
    assert groups(300) == [range(128), range(128, 256), range(256, 300)]


def test_a_symbol_is_a_structure_of_four():
    symbol = ParitySymbol(first=256, count=44, number=7, value=b"\x01\x02")
    octets = axdr.encode(symbol.encode())
    assert octets.hex() == "02040600000100112c110709020102"
    assert ParitySymbol.decode(axdr.native(axdr.decode_all(octets))) == symbol


@pytest.mark.parametrize(
    "row",
    [None, [], [0, 1, 0], [0, 0, 0, b"a"], [0, 129, 0, b"a"], [0, 1, 128, b"a"], [0, 1, 0, b""], [-1, 1, 0, b"a"]],
)
def test_what_is_no_symbol_is_refused(row):
    with pytest.raises(DecodeError):
        ParitySymbol.decode(row)


@given(st.binary(max_size=40))
def test_any_octets_are_a_symbol_or_refused(octets):
    try:
        symbol = ParitySymbol.decode(axdr.native(axdr.decode_all(octets)))
    except DecodeError:
        return
    assert ParitySymbol.decode(axdr.native(axdr.decode_all(axdr.encode(symbol.encode())))) == symbol


def test_only_the_profile_that_says_so_has_it():
    assert IMAGE_PARITY in load_profile("idis-parity").objects
    assert IMAGE_PARITY not in load_profile("idis").objects
    assert IMAGE_PARITY not in load_profile("smr5").objects

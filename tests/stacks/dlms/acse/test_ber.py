"""The little BER that ACSE needs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_wire as wire
from meterway.base.errors import DecodeError
from meterway.base.octets import Reader
from meterway.stacks.dlms.acse.ber import element, read_element, read_elements, unwrap

pytestmark = pytest.mark.covers("IF-I")


@given(wire.octet, wire.octets())
def test_an_element_comes_back(tag: int, content: bytes) -> None:
    octets = element(tag, content)
    assert read_element(Reader(octets)) == (tag, content, len(octets) - len(content))


@given(st.dictionaries(wire.octet, wire.octets()))
def test_elements_in_a_row_come_back(contents: dict[int, bytes]) -> None:
    octets = b"".join(element(tag, content) for tag, content in contents.items())
    assert {tag: content for tag, (content, _) in read_elements(Reader(octets)).items()} == contents


def test_an_element_that_stands_twice_is_refused() -> None:
    with pytest.raises(DecodeError, match="stands twice"):
        read_elements(Reader(element(0xA1, b"") + element(0xA1, b"")))


def test_elements_of_any_length_have_their_places_in_the_outermost_octets() -> None:
    octets = element(0xA1, b"ab") + element(0xA2, bytes(200)) + element(0xA3, b"c")
    found = read_elements(Reader(b"\x60" + octets, 1, base=10))
    assert [(tag, place) for tag, (_, place) in found.items()] == [(0xA1, 13), (0xA2, 18), (0xA3, 220)]
    with pytest.raises(DecodeError, match="content of BER tag 0xa2") as refused:
        read_elements(Reader(b"\x60" + octets[:50], 1, base=10))
    assert refused.value.offset == 18


def test_another_inner_tag_and_octets_left_over_are_refused() -> None:
    assert unwrap(element(0x04, b"ab"), 0, 0x04, "title") == b"ab"
    with pytest.raises(DecodeError, match="title: BER tag 0x04 expected, not 0x02"):
        unwrap(element(0x02, b"ab"), 0, 0x04, "title")
    with pytest.raises(DecodeError, match="title: 1 octets left over"):
        unwrap(element(0x04, b"ab") + b"\x00", 0, 0x04, "title")


def test_content_that_is_not_there_is_refused_at_its_place() -> None:
    with pytest.raises(DecodeError, match="content of BER tag 0xa1") as refused:
        read_element(Reader(b"\xa1\x05abc", base=10))
    assert refused.value.offset == 12

"""Where a value ends."""

import pytest

from meterway.base.errors import DecodeError
from meterway.stacks.dlms import axdr

pytestmark = pytest.mark.covers("IF-I")


def test_the_end_is_found_amid_other_octets() -> None:
    value = axdr.structure(
        axdr.array(*[axdr.structure(axdr.u8(1), axdr.octets(b"ab"))] * 9, axdr.null()), axdr.bits("1")
    )
    octets = axdr.encode(value)
    assert axdr.skip(b"\xff\xff" + octets + b"\xff", 2) == 2 + len(octets)


def test_a_compact_array_ends_after_its_contents() -> None:
    octets = bytes.fromhex("13 0202 110100020a 05 0101410141") + b"\x00"
    assert axdr.skip(octets) == len(octets) - 1


@pytest.mark.parametrize(
    ("hexed", "kind", "offset"),
    [
        ("", "truncated", 0),
        ("0902aa", "truncated", 3),
        ("0982ff", "truncated", 3),
        ("02021101", "truncated", 4),
        ("0980", "length", 1),
        ("0205110111", "count", 2),
        ("08", "tag", 0),
        ("130800", "tag", 1),
        ("1301", "truncated", 2),
    ],
)
def test_a_complaint_names_its_place_and_kind(hexed: str, kind: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        axdr.skip(bytes.fromhex(hexed))
    assert (caught.value.kind, caught.value.offset) == (kind, offset)

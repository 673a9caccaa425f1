"""SML values and their type-length fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader
from meterway.stacks.sml.values import SmlUnsigned, SmlValue, encode_value, read_value

pytestmark = pytest.mark.covers("IF-H1")

LEAVES = (
    st.none()
    | st.booleans()
    | st.binary(min_size=1, max_size=300)
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.integers(0, (1 << 64) - 1).map(SmlUnsigned)
)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=20).map(tuple), max_leaves=30)


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        ("01", None),
        ("0412ab34", b"\x12\xab\x34"),
        ("4201", True),
        ("4200", False),
        ("52ff", -1),
        ("5300ff", 255),
        ("54ff0000", -65536),
        ("6404ab76", 306038),
        ("690000000449f38001", 0x449F38001),
        ("7201620a", (None, 10)),
        ("70", ()),
        ("8302" + "61" * 48, b"a" * 48),
        ("f100" + "01" * 16, (None,) * 16),
    ],
)
def test_values_are_read_as_the_norm_writes_them(octets: str, value: SmlValue) -> None:
    assert read_value(Reader(bytes.fromhex(octets))) == value


@given(VALUES)
def test_every_value_comes_back(value: SmlValue) -> None:
    reader = Reader(encode_value(value))
    got = read_value(reader)
    reader.finish()
    assert got == value
    assert isinstance(got, SmlUnsigned) == isinstance(value, SmlUnsigned)


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        ("", "truncated"),
        ("0512", "truncated"),
        ("00", "length"),
        ("1201", "type"),
        ("51", "length"),
        ("43", "length"),
        ("5a" + "00" * 9, "length"),
        ("7f01", "truncated"),
        ("8171", "type"),
        ("8f8f8f8f8f0f", "length"),
        ("71" * 40, "depth"),
    ],
)
def test_what_is_no_value_is_refused(octets: str, kind: str) -> None:
    with pytest.raises(DecodeError) as caught:
        read_value(Reader(bytes.fromhex(octets)))
    assert caught.value.kind == kind


@given(st.binary(max_size=60))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    try:
        value = read_value(Reader(octets))
    except DecodeError:
        return
    assert read_value(Reader(encode_value(value))) == value

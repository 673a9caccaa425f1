"""A data field becomes a value and a value a data field: each kind, each field, with its scale."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.mbus.records.read import BCD_FIELDS, Value, reader, write
from meterway.stacks.mbus.records.values import SIZES

INTEGERS = (1, 2, 3, 4, 6, 7)


@pytest.mark.covers("IF-M")
@pytest.mark.parametrize(
    ("data_field", "kind", "scale", "octets", "value"),
    [
        (0, "number", (1, 1, 0.0), "", None),
        (8, "number", (1, 1, 0.0), "", None),
        (2, "number", (1, 1000, 0.0), "2EFB", -1.234),
        (2, "number", (1000, 1, 0.0), "0200", 2000),
        (2, "number", (60, 1000, 0.0), "0200", 0.12),
        (1, "number", (1, 10, 0.1), "0A", 1.1),
        (2, "flags", (1, 1, 0.0), "00F0", 0xF000),
        (2, "flags", (1, 100, 0.0), "00F0", 0xF000),
        (14, "flags", (1, 10**10, 0.0), "757575757575", 757575757575),
        (12, "number", (1, 100, 0.0), "785634F2", -23456.78),
        (12, "number", (1, 100, 0.0), "7856A412", None),
        (12, "id", (1, 1, 0.0), "01000000", "00000001"),
        (12, "id", (1, 1, 0.0), "0A000000", None),
        (4, "id", (1, 1, 0.0), "FFFFFFFF", 0xFFFFFFFF),
        (5, "number", (1, 1, 0.0), "0000C03F", 1.5),
        (5, "number", (1, 1000, 0.0), "0000C03F", 0.0015),
        (5, "number", (1, 1, 0.0), "0000807F", None),
        (2, "time", (1, 1, 0.0), "2A13", date(2009, 3, 10)),
        (12, "time", (1, 1, 0.0), "12345678", None),
        (4, "octets", (1, 1, 0.0), "01020304", b"\x01\x02\x03\x04"),
        (13, "number", (1, 1000, 0.0), "C23930", 3.039),
        (13, "id", (1, 1, 0.0), "03434241", "ABC"),
        (13, "octets", (1, 1, 0.0), "03434241", b"CBA"),
    ],
)
def test_octets_give_the_value_of_their_kind(
    data_field: int, kind: str, scale: tuple[int, int, float], octets: str, value: Value
) -> None:
    assert reader(data_field, kind, *scale)(bytes.fromhex(octets)) == value


@given(st.sampled_from(INTEGERS), st.data(), st.integers(0, 6))
def test_a_scaled_integer_comes_back_as_it_was(data_field: int, data: st.DataObject, digits: int) -> None:
    bits = min(8 * SIZES[data_field], 50)  # beyond that a float has not digits enough
    number = data.draw(st.integers(-(1 << bits - 1), (1 << bits - 1) - 1))
    scale = (1, 10**digits, 0.0)
    octets = number.to_bytes(SIZES[data_field], "little", signed=True)
    value = reader(data_field, "number", *scale)(octets)
    assert value == number / 10**digits
    assert write(value, data_field, "number", *scale) == octets


@given(st.sampled_from(sorted(BCD_FIELDS)), st.data())
def test_digits_come_back_as_they_were(data_field: int, data: st.DataObject) -> None:
    digits = 2 * SIZES[data_field]
    number = data.draw(st.integers(-(10 ** (digits - 1)) + 1, 10**digits - 1))
    octets = write(number, data_field, "number", 1, 1, 0.0)
    assert reader(data_field, "number", 1, 1, 0.0)(octets) == number


@pytest.mark.parametrize(
    ("value", "data_field", "kind"),
    [(128, 1, "number"), (-1, 1, "flags"), (100, 9, "number"), (None, 4, "number"), (b"\x01", 2, "octets")],
)
def test_what_does_not_fit_is_refused(value: Value, data_field: int, kind: str) -> None:
    with pytest.raises(ValueError, match=r"fit|wanted"):
        write(value, data_field, kind, 1, 1, 0.0)


def test_flags_have_no_scale_in_either_direction() -> None:
    assert reader(2, "flags", 1, 1000, 0.0)(b"\x01\x80") == 0x8001
    assert write(0x8001, 2, "flags", 1, 1000, 0.0) == b"\x01\x80"


def test_a_real_beyond_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="fit"):
        write(1e39, 5, "number", 1, 1, 0.0)

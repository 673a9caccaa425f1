"""Data fields: integers, BCD with sign, reals, variable length."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.mbus.records.values import bcd, encode_bcd, encode_lvar, lvar_size, lvar_value, real


@given(
    st.integers(1, 8).flatmap(
        lambda size: st.tuples(st.just(size), st.integers(-(10 ** (2 * size - 1)) + 1, 10 ** (2 * size) - 1))
    )
)
def test_bcd_goes_there_and_back(case: tuple[int, int]) -> None:
    size, value = case
    assert bcd(encode_bcd(value, size)) == value


def test_a_first_digit_f_is_a_sign_and_any_other_letter_is_invalid() -> None:
    assert bcd(bytes.fromhex("3412")) == 1234
    assert bcd(bytes.fromhex("34F1")) == -134
    assert bcd(bytes.fromhex("3AF1")) is None
    assert bcd(bytes.fromhex("BDEBDDDD")) is None


def test_too_many_digits_are_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode_bcd(100, 1)


@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=191) | st.integers(-(10**18) + 1, 10**18 - 1)
)
def test_texts_and_numbers_of_variable_length_go_there_and_back(value: str | int) -> None:
    octets = encode_lvar(value)
    assert lvar_size(octets[0]) == len(octets) - 1
    assert lvar_value(octets[0], octets[1:]) == value


@pytest.mark.parametrize("size", [*range(16), 16, 20, 32, 48, 64])
def test_octets_of_variable_length_go_there_and_back(size: int) -> None:
    octets = encode_lvar(bytes(size))
    assert lvar_size(octets[0]) == size
    assert lvar_value(octets[0], octets[1:]) == bytes(size)


def test_reserved_codes_and_impossible_lengths_are_refused() -> None:
    assert [lvar_size(code) for code in (0xCA, 0xDF, 0xF7, 0xFF)] == [None] * 4
    with pytest.raises(ValueError, match="no LVAR code"):
        encode_lvar(bytes(17))


def test_text_is_sent_backwards_and_what_is_none_stays_octets() -> None:
    assert lvar_value(3, b"HR%") == "%RH"
    assert lvar_value(10, b"\xaa" * 10) == b"\xaa" * 10


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_real_is_named_by_digits_that_lead_back_to_it(value: float) -> None:
    octets = struct.pack("<f", value)
    found = real(octets)
    assert found is not None
    assert struct.pack("<f", found) == octets


def test_a_real_has_few_digits_and_infinity_is_no_value() -> None:
    assert real(struct.pack("<f", 0.1)) == 0.1
    assert real(bytes.fromhex("1ED82442")) == 41.211052
    assert real(bytes.fromhex("0000807F")) is None

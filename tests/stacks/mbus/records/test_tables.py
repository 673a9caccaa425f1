"""The tables of value information, each code once: how many there are, their powers of ten, and no gap in a series."""

from __future__ import annotations

import pytest

from meterway.stacks.mbus.records.tables import COMBINABLE, COMBINABLE_2, FB, FD, FD_2, PRIMARY, RECORD_ERRORS, Meaning

SPECIAL = {0x7B, 0x7C, 0x7D}  # extension tables and plain text: no meaning of their own
RESERVED_PRIMARY = {0x6F}
NOT_COMBINABLE = {0x7C, 0x7F}


def scale(meaning: Meaning) -> float:
    return meaning.num / meaning.den


@pytest.mark.covers("IF-M")
def test_every_primary_code_but_the_reserved_one_has_a_meaning() -> None:
    assert set(range(0x80)) - set(PRIMARY) == SPECIAL | RESERVED_PRIMARY


@pytest.mark.parametrize(
    ("first", "count", "unit", "smallest"),
    [
        (0x00, 8, "Wh", 1e-3),
        (0x08, 8, "J", 1),
        (0x10, 8, "m³", 1e-6),
        (0x18, 8, "kg", 1e-3),
        (0x28, 8, "W", 1e-3),
        (0x30, 8, "J/h", 1),
        (0x38, 8, "m³/h", 1e-6),
        (0x40, 8, "m³/h", 60e-7),
        (0x48, 8, "m³/h", 3600e-9),
        (0x50, 8, "kg/h", 1e-3),
        (0x58, 4, "°C", 1e-3),
        (0x5C, 4, "°C", 1e-3),
        (0x60, 4, "K", 1e-3),
        (0x64, 4, "°C", 1e-3),
        (0x68, 4, "bar", 1e-3),
    ],
)
def test_a_group_rises_by_tens(first: int, count: int, unit: str, smallest: float) -> None:
    for step in range(count):
        meaning = PRIMARY[first + step]
        assert meaning.unit == unit
        assert scale(meaning) == pytest.approx(smallest * 10**step)


@pytest.mark.parametrize(
    ("table", "code", "quantity", "unit", "factor"),
    [
        (FB, 0x00, "energy", "Wh", 1e5),
        (FB, 0x01, "energy", "Wh", 1e6),
        (FB, 0x09, "energy", "J", 1e9),
        (FB, 0x10, "volume", "m³", 100),
        (FB, 0x18, "mass", "kg", 1e5),
        (FB, 0x29, "power", "W", 1e6),
        (FB, 0x1B, "relative humidity", "%", 1),
        (FB, 0x77, "cold and warm temperature limit", "°C", 1),
        (FD, 0x48, "voltage", "V", 0.1),
        (FD, 0x59, "current", "A", 1e-3),
        (FD, 0x00, "credit", "currency", 1e-3),
        (FD, 0x74, "remaining battery life", "d", 1),
        (FD_2, 0x02, "remaining battery life", "mo", 1),
    ],
)
def test_codes_that_meters_use_mean_what_the_norm_says(
    table: dict[int, Meaning], code: int, quantity: str, unit: str, factor: float
) -> None:
    meaning = table[code]
    assert (meaning.quantity, meaning.unit) == (quantity, unit)
    assert scale(meaning) == pytest.approx(factor)


def test_corrections_go_from_a_millionth_to_a_thousand_and_offsets_from_a_thousandth_to_one() -> None:
    assert [COMBINABLE[code].argument for code in range(0x70, 0x78)] == [str(power) for power in range(-6, 2)]
    assert COMBINABLE[0x7D].argument == "3"
    assert [COMBINABLE[code].argument for code in range(0x78, 0x7C)] == ["-3", "-2", "-1", "0"]


def test_every_orthogonal_code_is_known_but_twelve() -> None:
    unknown = set(range(0x80)) - set(COMBINABLE) - NOT_COMBINABLE
    assert sorted(unknown) == list(bytes.fromhex("08090A 1011 191A1B 4445 4C4D"))
    assert set(RECORD_ERRORS) <= set(COMBINABLE)
    assert all(meaning.effect == "note" for meaning in COMBINABLE_2.values())


def test_all_codes_fit_seven_bits_and_no_meaning_is_empty() -> None:
    for table in (PRIMARY, FB, FD, FD_2):
        assert all(0 <= code < 0x80 and meaning.quantity for code, meaning in table.items())
        assert all(meaning.den > 0 and meaning.num > 0 for meaning in table.values())

"""Values in a manufacturer's octets: numbers, bits, dates, and the reason where there is none."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.mapping.drivers.driver import FIELD_TYPES, Field, Table
from meterway.mapping.drivers.values import from_table, month_shifted, read_field, scaled

OCTETS = bytes.fromhex("01020384FF7F")


def read(octets: bytes = OCTETS, **given: Any) -> tuple[object, str]:
    return read_field(Field(name="x", **given), octets, {"key": date(2024, 12, 31)}, {})


@pytest.mark.covers("IF-M", "F1a")
@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({"type": "uint", "places": (0,), "size": 2}, 0x0201),
        ({"type": "uint", "places": (0,), "size": 2, "big": True}, 0x0102),
        ({"type": "int", "places": (2,), "size": 2}, -0x7BFD),
        ({"type": "uint", "places": (-1,), "size": 1}, 0x7F),
        ({"type": "uint", "places": (0, 1), "size": 1}, 3),
        ({"type": "bcd", "places": (0,), "size": 3}, 30201),
        ({"type": "uint", "places": (0,), "size": 2, "scale": Fraction("0.1")}, 51.3),
        ({"type": "uint", "places": (0,), "size": 2, "scale": Fraction(1, 3)}, 171),
        ({"type": "uint", "places": (0,), "scale": Fraction(2), "offset": Fraction("-0.5")}, 1.5),
        ({"type": "uint", "pieces": ((3, 4, 4), (1, 0, 2))}, 0x28),
        ({"type": "hex", "places": (0,), "size": 2}, "0102"),
        ({"type": "date-bits", "day": ((0, 0, 5),), "month": ((1, 0, 4),), "year": ((2, 0, 6),)}, date(2003, 2, 1)),
        ({"type": "date-bits", "day": ((0, 0, 5),), "month": ((1, 0, 4),), "after": "key"}, date(2025, 2, 1)),
        ({"type": "date-bcd", "size": 3}, date(2003, 2, 1)),
    ],
)
def test_a_field_says_where_a_number_lies_and_how(given: dict[str, Any], value: object) -> None:
    assert read(**given) == (value, "")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"type": "uint", "places": (5,), "size": 2}, "the octets are missing"),
        ({"type": "uint", "places": (-7,), "size": 2}, "the octets are missing"),
        ({"type": "uint", "pieces": ((6, 0, 1),)}, "the octets are missing"),
        ({"type": "uint", "places": (0,), "invalid": frozenset((1,))}, "the meter has no value"),
        ({"type": "bcd", "places": (4,), "size": 2}, "invalid digits 7FFF"),
        ({"type": "date", "places": (4,), "size": 2}, "no valid time"),
        ({"type": "date-bcd", "places": (3,), "size": 3}, "no valid time"),
        ({"type": "date-bits", "day": ((0, 5, 1),), "month": ((1, 0, 4),), "after": "key"}, "no valid time"),
        ({"type": "date-bits", "day": ((0, 0, 1),), "month": ((1, 0, 4),), "after": "no"}, "no has no value"),
        ({"type": "sum", "of": ("key",)}, "key has no value"),
    ],
)
def test_where_there_is_no_value_there_is_a_reason(given: dict[str, Any], reason: str) -> None:
    assert read(**given) == (None, reason)


def test_a_real_is_read_with_its_own_digits() -> None:
    assert read(bytes.fromhex("0000C03F"), type="real", size=4, scale=Fraction(10)) == (15.0, "")


@pytest.mark.parametrize("kind", ["uint", "int", "bcd", "real"])
def test_more_octets_than_a_number_has_are_no_number(kind: str) -> None:
    assert read(bytes(191), type=kind, size=191, scale=Fraction("0.001")) == (None, "not a number")


def test_a_date_beyond_the_calendar_is_none() -> None:
    pieces = tuple((0, 0, 8) for _ in range(8))
    assert read(b"\xff", type="date-bits", day=pieces, month=pieces, year=pieces) == (None, "no valid time")


def test_a_sum_adds_exactly() -> None:
    field = Field(name="x", type="sum", of=("a", "b"))
    assert read_field(field, b"", {"a": 0.1, "b": 0.2}, {}) == (0.3, "")


def test_tables_give_words_and_name_what_they_do_not_know() -> None:
    flags = Table(bits={0: "dry", 3: "burst"})
    assert [from_table(flags, number) for number in (0, 9, 2)] == [("ok", ""), ("dry, burst", ""), ("bit 1", "")]
    codes = Table(values={10: 3.05})
    assert [from_table(codes, number) for number in (10, 11)] == [(3.05, ""), (None, "code 0x0B is not known")]


@pytest.mark.parametrize(
    ("start", "months", "then"),
    [("2024-02-29", -1, "2024-01-31"), ("2024-12-20", -12, "2023-12-20"), ("2024-03-30", -1, "2024-02-29")],
)
def test_the_last_day_of_a_month_stays_the_last(start: str, months: int, then: str) -> None:
    moment = datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert month_shifted(moment, months) == datetime.fromisoformat(then).replace(tzinfo=UTC)


def test_there_is_no_month_outside_the_calendar() -> None:
    assert month_shifted(datetime(9999, 12, 1, tzinfo=UTC), 1) is None


@given(st.integers(-(2**63), 2**63), st.sampled_from(["0.001", "1/3000", "10", "0.5"]))
def test_scaling_is_exact_to_the_last_digit(number: int, scale: str) -> None:
    assert scaled(number, Fraction(scale)) == number * Fraction(scale) or float(number * Fraction(scale)) == scaled(
        number, Fraction(scale)
    )


@given(
    st.binary(max_size=12),
    st.sampled_from(FIELD_TYPES),
    st.lists(st.integers(-15, 15), min_size=1, max_size=3).map(tuple),
    st.sampled_from([1, 2, 3, 4, 6]),
    st.booleans(),
)
def test_no_octets_break_a_field(octets: bytes, kind: Any, places: tuple[int, ...], size: int, big: bool) -> None:
    size = {"real": 4, "date-bcd": 3, "date": size if size in (2, 3, 4, 6) else 2}.get(kind, size)
    given: dict[str, Any] = {"day": ((0, 0, 5),), "month": ((1, 0, 4),), "year": ((2, 0, 7),), "of": ("key",)}
    value, reason = read(octets, type=kind, places=places, size=size, big=big, **given)
    assert (value is None) == bool(reason)

"""Typed values of P1 objects."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.stacks.p1.telegram import P1Object
from meterway.stacks.p1.values import number, text, value_of

pytestmark = pytest.mark.covers("IF-H1")


def read(code, *parts):
    return value_of(P1Object.of(code, *parts))


@given(st.integers(0, 10**9), st.integers(0, 6))
def test_a_number_keeps_its_digits(digits, places):
    written = f"{digits:012d}"
    written = f"{written[: 12 - places]}.{written[12 - places :]}" if places else written
    value, unit = number(f"{written}*kWh")
    assert (value, unit, -value.as_tuple().exponent) == (Decimal(digits).scaleb(-places), "kWh", places)


@pytest.mark.parametrize(
    ("spelled", "unit"),
    [("kVAr", "kvar"), ("kVArh", "kvarh"), ("KWH", "kWh"), ("m3", "m³"), ("Wh", "Wh"), ("GJ", "GJ"), ("foo", "foo")],
)
def test_a_unit_has_one_spelling(spelled, unit):
    assert number(f"1*{spelled}") == (Decimal(1), unit)


@pytest.mark.parametrize("part", ["", "NaN", "Infinity", "1e5", "1_000*W", "12,5*kW", "-", "1.*W", "0x10", "٣*W"])
def test_what_is_no_number_is_refused_with_a_reason(part):
    value = read("1-0:1.7.0", part)
    assert value.value is None
    assert value.reason


def test_a_negative_number_is_read():
    assert read("1-0:16.7.0", "-0.125*kW").value == Decimal("-0.125")


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(part):
    for code in ("1-0:1.7.0", "0-1:24.2.1", "0-0:1.0.0", "0-0:98.1.0", "1-0:99.97.0", "0-1:24.3.0", "0-0:96.13.0"):
        for parts in ((part,), (part, part), (part,) * 7):
            value = read(code, *parts)
            assert value.value is not None or value.reason


@pytest.mark.parametrize(
    ("part", "plain"),
    [
        ("4B384547", "K8EG"),
        ("48656C6C6F00", "Hello"),
        ("serienummer", "serienummer"),
        ("09610", "09610"),
        ("0011223344", "0011223344"),
        ("", ""),
    ],
)
def test_a_text_is_taken_out_of_hex_only_if_that_gives_one(part, plain):
    assert text(part) == plain


def test_a_channel_tells_when_it_was_read():
    value = read("0-1:24.2.1", "200426223001S", "00246.138*m3")
    assert (value.value, value.unit) == (Decimal("246.138"), "m³")
    assert value.time == datetime(2020, 4, 26, 20, 30, 1, tzinfo=UTC)


@pytest.mark.parametrize("time", ["632525252525S", "632525252525W", "000000000000W", "700101010000W", ""])
def test_a_channel_without_a_reading_has_no_value(time):
    value = read("0-2:24.2.1", time, "00000.000")
    assert value.value is None
    assert value.reason.startswith("no reading yet")


def test_a_channel_of_dsmr_3_is_read():
    value = read("0-1:24.3.0", "090712160000", "00", "60", "1", "0-1:24.2.1", "m3", "00001.001")
    assert (value.value, value.unit) == (Decimal("1.001"), "m³")
    assert value.time == datetime(2009, 7, 12, 14, tzinfo=UTC)
    assert read("0-1:24.3.0", "090712160000", "00").value is None


def test_the_time_of_the_country_counts():
    entry = P1Object.of("0-0:1.0.0", "260701120000S")
    assert value_of(entry, offset_h=2).value == value_of(entry).value - timedelta(hours=1)


def test_a_clock_that_was_never_set_is_no_time():
    assert read("0-0:1.0.0", "250000000000W").value is None


def test_a_log_of_failures_has_rows():
    value = read("1-0:99.97.0", "1", "0-0:96.7.19", "190326095015W", "0000002014*s")
    assert value.value == 1
    assert value.reason == ""
    (row,) = value.entries
    assert (row.value, row.unit, row.time) == (2014, "s", datetime(2019, 3, 26, 8, 50, 15, tzinfo=UTC))
    assert read("1-0:99.97.0", "2", "0-0:96.7.19").reason == "2 rows announced, 0 sent"


def test_a_peak_history_has_rows():
    value = read("0-0:98.1.0", "1", "1-0:1.6.0", "1-0:1.6.0", "230801000000S", "632525252525W", "00.000*kW")
    (row,) = value.entries
    assert (row.value, row.time, row.period) == (Decimal("0.000"), None, datetime(2023, 7, 31, 22, tzinfo=UTC))
    assert row.reason


def test_the_hungarian_month_is_a_list_of_values():
    value = read("0-0:98.1.0", "230701000000S", "000040.777*kWh", "03.564*kW")
    assert [(row.value, row.unit) for row in value.entries] == [(Decimal("40.777"), "kWh"), (Decimal("3.564"), "kW")]
    assert value.time == datetime(2023, 6, 30, 22, tzinfo=UTC)


def test_two_limits_in_one_line_are_both_kept():
    value = read("1-1:31.4.0", "100*A", "-063*A")
    assert (value.value, value.entries[0].value) == (100, -63)


def test_a_long_line_of_rubbish_is_refused_in_a_few_words():
    value = read("1-0:1.7.0", "9" * 10_000)
    assert value.value is None
    assert len(value.reason) < 80


def test_a_maximum_may_have_its_time_behind_its_number():
    value = read("1-0:1.6.0", "08.796*kW", "260102010000")
    assert (value.value, value.unit, value.time) == (Decimal("8.796"), "kW", datetime(2026, 1, 2, tzinfo=UTC))
    assert read("1-0:1.6.0", "08.796*kW", "2601020100").value is None

"""Readings and telegrams as JSON."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.obis import Obis
from meterway.model.reading import Reading, exact_number, in_base_unit, iso_utc


@given(st.integers(0, 10**15 - 1), st.integers(0, 9))
def test_a_decimal_of_15_digits_keeps_every_digit_in_json(digits, places):
    value = Decimal(digits).scaleb(-places)
    assert Decimal(json.dumps(exact_number(value))) == value


def test_a_decimal_without_fraction_is_an_integer_in_json():
    assert json.dumps(exact_number(Decimal(123))) == "123"
    assert exact_number(Decimal("NaN")) is None


def test_a_reading_is_written_with_the_keys_of_the_contract():
    time = datetime(2026, 1, 1, 0, 0, tzinfo=timezone(timedelta(hours=1)))
    reading = Reading(name="x", obis=Obis.parse("1-0:1.8.1"), value=Decimal("1.50"), unit="kWh", time=time, tariff=1)
    assert reading.as_json() == {
        "name": "x",
        "obis": "1-0:1.8.1",
        "value": 1.5,
        "unit": "kWh",
        "time": "2025-12-31T23:00:00Z",
        "storage": 0,
        "tariff": 1,
        "subunit": 0,
        "function": "instantaneous",
    }
    assert Reading(name="x", value=None, vif="13", quality="no value").as_json() | {"value": 0} == {
        "name": "x",
        "vif": "13",
        "value": 0,
        "unit": "",
        "time": None,
        "storage": 0,
        "tariff": 0,
        "subunit": 0,
        "function": "instantaneous",
        "quality": "no value",
    }


def test_a_code_of_a_past_period_keeps_its_group_f():
    reading = Reading(name="x", obis=Obis.parse("1-0:1.8.1*3"), value=1)
    assert reading.as_json()["obis"] == "1-0:1.8.1*3"


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (Decimal("1.5"), "kWh", (Decimal(1500), "Wh")),
        (2, "kvar", (Decimal(2000), "var")),
        (0.1, "m³", (Decimal("0.1"), "m³")),
        (3, "kg", (Decimal(3), "kg")),
    ],
)
def test_a_prefix_is_taken_off_a_unit_that_may_carry_one(value, unit, expected):
    assert in_base_unit(value, unit) == expected


def test_a_time_is_written_in_utc():
    assert iso_utc(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00Z"
    assert iso_utc(None) is None

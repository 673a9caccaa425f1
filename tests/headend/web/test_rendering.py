"""How numbers and times are written."""

import pytest

from meterway.headend.web.rendering import number, page, percent, quantity, readable, size, when


@pytest.mark.parametrize(
    ("value", "text"), [(1234567, "1\u202f234\u202f567"), ("12.5", "12.5"), ("x", "x"), ("NaN", "NaN")]
)
def test_thousands_stand_apart(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [("13238825", "Wh", "13\u202f238.825 kWh"), ("230.1", "V", "230.1 V"), ("word", "", "word"), ("0", "W", "0 W")],
)
def test_energy_is_told_in_kilowatt_hours(value, unit, text):
    assert quantity(value, unit) == text


@pytest.mark.parametrize(("octets", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2_500_000, "2.5 MB")])
def test_octets_are_told_in_the_unit_that_fits(octets, text):
    assert size(octets) == text


@pytest.mark.parametrize(("share", "text"), [(1.0, "100 %"), (0.99999, "99.9 %"), (0.5, "50.0 %"), (0, "0.0 %")])
def test_all_is_said_only_when_nothing_is_missing(share, text):
    assert percent(share) == text


def test_moments_read_well():
    assert when("2026-01-31T23:00:00Z") == "2026-01-31 23:00:00"
    assert when("") == "–"


def test_plain_json_is_readable():
    assert readable({"a": [1]}) == '{\n  "a": [\n    1\n  ]\n}'
    assert readable("text") == "text"


def test_markup_from_a_meter_is_text():
    answer = {
        "refusal": "",
        "name": "<script>",
        "obis": "",
        "class": 1,
        "attribute": "",
        "value": "<b>",
        "unit": "",
        "quirks": [],
    }
    text = page("_answer.html", answer=answer, table=None)
    assert "<script>" not in text
    assert "&lt;b&gt;" in text

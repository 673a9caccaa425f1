"""What readouts of IEC 62056-21 say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.obis import Obis
from meterway.mapping.iec21 import decode_telegram, obis_of
from meterway.mapping.telegram import decode_telegram as decode_any
from meterway.stacks.iec21.messages import bcc

pytestmark = pytest.mark.covers("IF-H1", "F1a")

LINES = (
    b"F.F(00)\r\nC.1.0(00000007)\r\n0.9.1(12:33:05)\r\n0.9.2(24-06-21)\r\n0.1.3(240601)\r\n1.8.0(001234.56*kWh)\r\n"
    b"1.8.1(000234.56*kWh)\r\n1.8.0*12(001111.11)\r\n1.6.1(0.123*kW)(2406211230)\r\n2.8.0(00000.000)\r\n"
    b"32.7(230*V)\r\nC.7.1(00000003)\r\n0.2.2(  )\r\n!\r\n"
)
WHOLE = b"/MWY4METER\r\n\x02" + LINES + b"\x03" + bytes((bcc(LINES + b"\x03"),))


@pytest.mark.parametrize(
    ("code", "obis"),
    [
        ("1-1:1.8.0*12", Obis(1, 1, 1, 8, 0, 12)),
        ("1.8.0", Obis(1, 0, 1, 8, 0)),
        ("32.7", Obis(1, 0, 32, 7, 0)),
        ("C.1.0", Obis(0, 0, 96, 1, 0)),
        ("1-1:C.1.0", Obis(1, 1, 96, 1, 0)),
        ("F.F", Obis(0, 0, 97, 97, 0)),
        ("P.01", Obis(1, 0, 99, 1, 0)),
        ("1.8.0&01", Obis(1, 0, 1, 8, 0, 1)),
        ("CC.1", None),
        ("999.1", None),
        ("", None),
    ],
)
def test_codes_in_full_and_reduced_form_are_the_same(code: str, obis: Obis | None) -> None:
    assert obis_of(code) == obis


def test_every_line_is_a_reading_with_its_unit_tariff_and_period() -> None:
    told = decode_telegram(WHOLE)
    got = {str(one.obis): (one.value, one.unit, one.tariff, one.storage, one.function) for one in told.readings}
    assert got["1-0:1.8.0*255"] == (Decimal("1234.56"), "kWh", 0, 0, "instantaneous")
    assert got["1-0:1.8.1*255"] == (Decimal("234.56"), "kWh", 1, 0, "instantaneous")
    assert got["1-0:1.8.0*12"] == (Decimal("1111.11"), "kWh", 0, 12, "instantaneous")
    assert got["1-0:1.6.1*255"] == (Decimal("0.123"), "kW", 1, 0, "maximum")
    assert got["1-0:2.8.0*255"][:2] == (0, "")
    assert got["0-0:96.7.1*255"][0] == 3
    assert got["0-0:97.97.0*255"][0] == "00"
    assert got["1-0:0.9.1*255"][0] == "12:33:05"
    assert got["1-0:0.1.3*255"][0] == "2024-06-01"
    assert all(one.time is None for one in told.readings)


def test_the_device_says_who_it_is_and_what_its_clock_shows() -> None:
    assert decode_telegram(WHOLE).device == {
        "identification": "MWY4METER",
        "manufacturer": "MWY",
        "id": "00000007",
        "time": "2024-06-21T12:33:05",
    }


def test_a_readout_is_found_by_itself_and_its_check_character_counts() -> None:
    answer: Any = decode_any(WHOLE).as_json()
    assert answer["protocol"] == "iec62056-21"
    assert answer["layers"][0]["checked"] is True
    altered: Any = decode_any(WHOLE.replace(b"1234.56", b"1234.57")).as_json()
    assert altered["error"]["kind"] == "bcc"


def test_a_line_without_a_code_belongs_to_the_line_before() -> None:
    told = decode_telegram(b"1.8.0(1*kWh)\r\n(2)\r\nP.01(1)\r\n!\r\n")
    assert [one.value for one in told.readings] == [1, 1]


@pytest.mark.parametrize(
    ("line", "value", "quality"), [("0.9.1(99)", None, "'99' is no time"), ("1.8.0()", None, "empty")]
)
def test_what_cannot_be_a_value_is_none_with_a_reason(line: str, value: object, quality: str) -> None:
    (one,) = decode_telegram(f"{line}\r\n!\r\n".encode()).readings
    assert (one.value, one.quality) == (value, quality)


@pytest.mark.covers("SEC-11")
@given(st.binary(max_size=200))
def test_no_octets_bring_the_decoder_down(octets: bytes) -> None:
    decode_any(octets, format="iec62056-21").as_json()

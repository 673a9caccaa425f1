"""What German meters say at their consumer interface."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.mapping.sml import decode_telegram, device_number, is_sml
from meterway.mapping.telegram import decode_telegram as decode_any
from meterway.stacks.sml.messages import SmlMessage, encode_file
from meterway.stacks.sml.transport import encode_transport
from meterway.stacks.sml.values import SmlUnsigned, SmlValue

pytestmark = pytest.mark.covers("IF-H1", "F1a")

VECTORS = Path(__file__).parent.parent / "vectors" / "sml" / "telegrams.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in VECTORS.read_text().splitlines()]
REAL = bytes.fromhex(ROWS[0]["hex"])
SERVER = b"\x0a\x01MWY\x01\x00\x00\x00\x4e"
TIME = (SmlUnsigned(2), SmlUnsigned(1700000000))


def entry(value: SmlValue, *, unit: int | None = 30, scaler: int | None = -1, time: SmlValue = None) -> SmlValue:
    code = None if unit is None else SmlUnsigned(unit)
    return (bytes(Obis(1, 0, 2, 8, 1)), None, time, code, scaler, value, None)


def file_of(*entries: SmlValue, sensor_time: SmlValue = None) -> bytes:
    body = (None, SERVER, None, sensor_time, entries, None, None)
    return encode_file((SmlMessage(transaction=b"\x01", group=0, abort_on_error=0, tag=0x0701, body=body),))


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_telegram_says_what_is_expected(row: dict[str, Any]) -> None:
    told: Any = decode_any(bytes.fromhex(row["hex"])).as_json()
    assert told["protocol"] == "sml"
    assert told["device"] == row["expected"]["device"]
    assert [[one["obis"], one["value"], one["unit"]] for one in told["readings"]] == row["expected"]["readings"]


def test_values_are_scaled_and_have_unit_tariff_and_time() -> None:
    (one,) = decode_telegram(encode_transport(file_of(entry(-1234), sensor_time=TIME))).readings
    assert (one.value, one.unit, one.tariff, one.name) == (Decimal("-123.4"), "Wh", 1, "active-energy-export-t1")
    assert one.time is not None
    assert one.time.isoformat() == "2023-11-14T22:13:20+00:00"
    (other,) = decode_telegram(encode_transport(file_of(entry(5, time=TIME)))).readings
    assert other.time == one.time


@pytest.mark.parametrize(
    ("value", "said", "quality"),
    [
        (b"ABC", "ABC", ""),
        (b"\x01\x02", "0102", ""),
        (True, True, ""),
        (None, None, "no value"),
        ((1, 2), None, "not a single value"),
    ],
)
def test_what_is_no_number_has_no_unit(value: SmlValue, said: object, quality: str) -> None:
    (one,) = decode_telegram(encode_transport(file_of(entry(value)))).readings
    assert (one.value, one.unit, one.quality) == (said, "", quality)


def test_a_file_without_its_transport_is_read() -> None:
    told = decode_telegram(file_of(entry(7, unit=None, scaler=None)))
    assert told.quirks == ("no-transport",)
    assert told.readings[0].value == 7
    assert is_sml(file_of(entry(7)))
    assert not is_sml(b"\x76\x05\x00")


def test_a_transmission_that_breaks_off_gives_the_messages_whose_check_holds() -> None:
    told = decode_telegram(REAL[:-20])
    assert "no-end" in told.quirks
    assert len(told.readings) == 5
    with pytest.raises(DecodeError):
        decode_telegram(REAL[:60] + b"\x00" + REAL[61:])


def test_several_transmissions_make_one_telegram_and_what_follows_is_noise() -> None:
    told = decode_telegram(REAL + REAL + b"\x12")
    assert (len(told.readings), told.quirks) == (10, ("noise",))
    assert decode_any(b"\xff\x01" + REAL).as_json()["ok"] is True


def test_a_meter_is_called_what_is_printed_on_it() -> None:
    assert device_number(SERVER) == "1MWY0100000078"
    assert device_number(b"\x06ESY\x01\x02") == "064553590102"
    assert device_number(b"\x0a\x01MWY\x01\xff\xff\xff\xff") == "0A014D575901FFFFFFFF"


@pytest.mark.covers("SEC-11")
@given(st.binary(max_size=120), st.booleans(), st.booleans())
def test_no_octets_bring_the_decoder_down(octets: bytes, wrapped: bool, named: bool) -> None:
    sent = encode_transport(octets) if wrapped else octets
    json.dumps(decode_any(sent, format="sml" if named else None).as_json(), allow_nan=False)


@pytest.mark.covers("SEC-11")
@given(st.data())
def test_an_altered_telegram_is_refused_or_says_the_same(data: st.DataObject) -> None:
    octets = bytearray(REAL)
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    told: Any = decode_any(bytes(octets)).as_json()
    if told["ok"] and told["protocol"] == "sml":
        whole: Any = decode_any(REAL).as_json()["readings"]
        assert all(one in whole for one in told["readings"])

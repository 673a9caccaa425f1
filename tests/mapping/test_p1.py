"""P1 telegrams as readings."""

import contextlib
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.crc import arc
from meterway.base.errors import DecodeError, MeterwayError, SecurityError
from meterway.mapping.p1 import decode_telegram, is_p1
from meterway.stacks.p1.build import ChannelValues, P1Values, PeakValues, PhaseValues, belgian
from meterway.stacks.p1.encrypted import encrypt
from meterway.stacks.p1.telegram import encode

pytestmark = pytest.mark.covers("IF-H1", "F6a")

NOW = datetime(2026, 7, 1, 10, 0, 7, tzinfo=UTC)
QUARTER = datetime(2026, 7, 1, 9, 45, tzinfo=UTC)
PEAK = PeakValues(power_w=3695, time=QUARTER, period=datetime(2026, 7, 31, 22, tzinfo=UTC))
OCTETS = encode(
    belgian(
        P1Values(
            serial="MWY7",
            time=NOW,
            energy_in_wh=(123_456_789, 5),
            power_in_w=286,
            phases=(PhaseValues(power_in_w=286),),
            peak=PEAK,
            peaks=(PEAK,),
            channels=(ChannelValues(channel=2, device_type=7, serial="W1", time=QUARTER, value=Decimal("1.5")),),
        )
    )
)
KEY = bytes(range(16))
FRAME = encrypt(OCTETS, KEY, system_title=b"MWY\x00\x00\x00\x00\x01", counter=9)


def reading(telegram, code, storage=0):
    return next(row for row in telegram.readings if row.obis.short == code and row.storage == storage)


def test_a_register_has_its_name_tariff_and_the_telegrams_time():
    row = reading(decode_telegram(OCTETS), "1-0:1.8.1")
    assert (row.name, row.value, row.unit) == ("active-energy-import-t1", Decimal("123456.789"), "kWh")
    assert (row.tariff, row.time, row.function) == (1, NOW, "instantaneous")


def test_a_channel_has_its_own_time_and_number():
    row = reading(decode_telegram(OCTETS), "0-2:24.2.1")
    assert (row.value, row.unit, row.subunit, row.time) == (Decimal("1.500"), "m³", 2, QUARTER)


def test_a_peak_is_a_maximum_and_its_history_is_stored():
    telegram = decode_telegram(OCTETS)
    assert reading(telegram, "1-0:1.6.0").function == "maximum"
    row = reading(telegram, "0-0:98.1.0", storage=1)
    assert (row.value, row.unit, row.time, row.function) == (Decimal("3.695"), "kW", QUARTER, "maximum")


def test_the_device_tells_who_it_is_and_what_hangs_on_it():
    device = decode_telegram(OCTETS).device
    assert (device["manufacturer"], device["id"], device["version"]) == ("MWY", "MWY7", "50221")
    assert device["time"] == "2026-07-01T10:00:07Z"
    assert device["channels"] == [{"channel": 2, "type": "water", "id": "W1"}]


def test_a_phase_is_named():
    assert reading(decode_telegram(OCTETS), "1-0:21.7.0").name == "active-power-import-l1"


@pytest.mark.covers("SEC-04")
def test_an_encrypted_telegram_is_opened_by_the_key_that_fits():
    telegram = decode_telegram(FRAME, [bytes(16), KEY])
    assert telegram.readings == decode_telegram(OCTETS).readings
    assert (telegram.security["authenticated"], telegram.security["tag"]) == (True, "verified")
    assert [layer["layer"] for layer in telegram.layers] == ["general-glo-ciphering", "p1"]


@pytest.mark.covers("SEC-04")
@pytest.mark.parametrize(("keys", "check"), [([], "key"), ([bytes(16)], "tag")])
def test_an_encrypted_telegram_without_its_key_is_refused(keys, check):
    with pytest.raises(SecurityError) as caught:
        decode_telegram(FRAME, keys)
    assert caught.value.check == check


def test_a_wrong_crc_is_refused_unless_told_otherwise():
    broken = OCTETS.replace(b"00.286", b"00.287")
    with pytest.raises(DecodeError):
        decode_telegram(broken)
    assert decode_telegram(broken, crc=False).quirks == ("crc-mismatch",)


@pytest.mark.covers("SEC-11")
@given(st.binary(max_size=120), st.integers(0, len(OCTETS)), st.integers(0, 60))
def test_mutated_telegrams_are_read_or_refused(noise, place, drop):
    for octets in (OCTETS[:place] + noise + OCTETS[place + drop :], FRAME[:place] + noise, noise):
        with contextlib.suppress(MeterwayError):
            decode_telegram(octets, [KEY], crc=False).as_json()
        is_p1(octets)


def test_other_telegrams_do_not_look_like_p1():
    assert not is_p1(bytes.fromhex("7ea0210002002303"))
    assert not is_p1(b"ADCO 012345678901 E\r\n")


def test_a_version_may_be_hex_coded():
    for sent, version in (("3231313130", "21110"), ("50217", "50217"), ("42", "42")):
        told = decode_telegram(f"/MWY5METER\r\n\r\n0-0:96.1.4({sent})\r\n!\r\n".encode())
        assert told.device["version"] == version


HEAD = b"/MWY5G15\r\n\r\n"


def headed(key=KEY, auth_key=bytes(16), text=b"1-0:1.8.0(012345.035*kWh)\r\n!", tail=b"\r\n" + bytes(12)):
    body = text + f"{arc(HEAD + text):04X}".encode() + tail
    return HEAD + encrypt(body, key, auth_key, system_title=bytes(8), counter=0).replace(
        b"\xdb\x08" + bytes(8), b"\x00", 1
    )


@pytest.mark.covers("SEC-04")
def test_an_identification_in_the_clear_stands_before_a_frame_without_a_title():
    told = decode_telegram(headed(), [bytes(16), KEY], bytes(16))
    assert [row.value for row in told.readings] == [Decimal("12345.035")]
    assert told.security["authenticated"] is True
    with pytest.raises(SecurityError, match="no key"):
        decode_telegram(headed())


@pytest.mark.covers("SEC-04")
def test_without_the_authentication_key_the_crc_of_the_telegram_is_the_proof():
    told = decode_telegram(headed(), [KEY])
    assert told.security["tag"] == "tag-not-verified"
    assert told.security["authenticated"] is False
    for octets, keys, auth_key in (
        (headed(), [bytes(16)], None),
        (headed(), [KEY], bytes(range(16))),
        (headed(text=b"1-0:1.8.0(1*kWh)\r\n!", tail=b"x"), [KEY[::-1]], None),
    ):
        with pytest.raises(SecurityError):
            decode_telegram(octets, keys, auth_key)
    altered = bytearray(headed())
    altered[40] ^= 1
    with pytest.raises(SecurityError):
        decode_telegram(bytes(altered), [KEY])

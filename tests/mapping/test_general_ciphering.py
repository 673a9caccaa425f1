"""General-ciphering with a key that is identified or wrapped; sealed by hand here, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from meterway.base.ciphers import Gcm12
from meterway.base.errors import SecurityError
from meterway.mapping.dlms import DlmsKeys
from meterway.mapping.general_ciphering import open_general, session_keys
from meterway.mapping.telegram import decode_telegram
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.security.keys import wrap_key
from meterway.stacks.dlms.xdlms.ciphered import GeneralCiphering

pytestmark = pytest.mark.covers("IF-I", "SEC-04")

KEY, MASTER, SESSION, AUTH = bytes(range(16)), bytes(range(16, 32)), bytes(range(32, 48)), bytes(range(0xD0, 0xE0))
ORIGINATOR, RECIPIENT = b"MMM\x00\x00\xbc\x61\x4e", b"MMM\x00\x00\x00\x00\x01"
PUSH = bytes.fromhex("0f40000000000101020309060100010700ff060000067d02020f00161b")
FIELDS = b"\x08" + bytes(range(1, 9)) + b"\x08" + ORIGINATOR + b"\x08" + RECIPIENT + b"\x00\x00"
COUNTER = b"\x00\x00\x00\x07"
IDENTIFIED, WRAPPED = b"\x01\x00\x00", b"\x01\x01\x00\x18" + wrap_key(MASTER, SESSION)
AGREED = b"\x01\x02\x01\x01\x00"


def sealed(key: bytes, key_info: bytes, *, control: int = 0x30, fields: bytes = FIELDS) -> bytes:
    octet = bytes((control,))
    if control & 0x20:
        body = Gcm12(key).seal(ORIGINATOR + COUNTER, PUSH, octet + AUTH + fields)
        body = body if control & 0x10 else body[:-12]
    else:
        body = PUSH + Gcm12(key).tag(ORIGINATOR + COUNTER, octet + AUTH + fields + PUSH)
    protected = octet + COUNTER + body
    return b"\xdd" + FIELDS + key_info + bytes((len(protected),)) + protected


def told(octets: bytes, *keys: bytes, auth_key: bytes | None = None) -> dict[str, Any]:
    return decode_telegram(octets, DlmsKeys(keys=keys, auth_key=auth_key)).as_json()


@pytest.mark.parametrize(
    ("octets", "key"),
    [
        (sealed(KEY, IDENTIFIED), KEY),
        (sealed(KEY, b"\x00"), KEY),
        (sealed(SESSION, WRAPPED), MASTER),
        (sealed(SESSION, WRAPPED), SESSION),
        (sealed(SESSION, AGREED), SESSION),
        (sealed(KEY, IDENTIFIED, control=0x10), KEY),
    ],
)
def test_the_key_opens_it_and_the_tag_is_verified(octets: bytes, key: bytes) -> None:
    answer = told(octets, key, auth_key=AUTH)
    assert [one["value"] for one in answer["readings"]] == [1661]
    assert answer["security"]["authenticated"] is True
    assert answer["quirks"] == ["empty-date-time"]
    assert "tag-not-verified" in told(octets, key)["quirks"]


def test_encryption_alone_has_no_tag() -> None:
    answer = told(sealed(KEY, IDENTIFIED, control=0x20), KEY, auth_key=AUTH)
    assert answer["readings"][0]["value"] == 1661
    assert answer["security"]["authenticated"] is False


@pytest.mark.parametrize(
    ("fields", "quirk"),
    [
        (bytes(range(1, 9)) + ORIGINATOR + RECIPIENT, "fields-without-lengths"),
        (b"", "fields-not-authenticated"),
    ],
)
def test_other_ways_to_authenticate_the_fields_are_named(fields: bytes, quirk: str) -> None:
    assert quirk in told(sealed(KEY, IDENTIFIED, fields=fields), KEY, auth_key=AUTH)["quirks"]


@pytest.mark.parametrize("octets", [sealed(KEY, IDENTIFIED), sealed(SESSION, WRAPPED)])
def test_a_wrong_key_is_refused(octets: bytes) -> None:
    assert told(octets, bytes(16), auth_key=AUTH)["error"]["kind"] == "tag"
    assert told(octets, bytes(16))["error"]["kind"] == "key"
    altered = bytearray(octets)
    altered[2] ^= 1
    assert told(bytes(altered), KEY, MASTER, auth_key=AUTH)["error"]["kind"] == "tag"


@pytest.mark.parametrize("octets", [sealed(KEY, IDENTIFIED), sealed(SESSION, AGREED)])
def test_what_no_key_opens_is_described(octets: bytes) -> None:
    answer = told(octets)
    assert answer["quirks"] == ["general-ciphering-not-opened"]
    assert answer["device"]["system_title"] == ORIGINATOR.hex().upper()
    assert answer["readings"] == []


def test_an_agreed_key_that_is_not_known_is_no_wrong_key() -> None:
    assert told(sealed(SESSION, AGREED), KEY)["quirks"] == ["general-ciphering-not-opened"]


def test_a_wrapped_key_is_unwrapped_under_the_key_that_fits() -> None:
    apdu = decode_apdu(sealed(SESSION, WRAPPED))
    assert isinstance(apdu, GeneralCiphering)
    assert session_keys(apdu, (KEY, MASTER)) == (SESSION, KEY, MASTER)
    assert open_general(apdu, SESSION, AUTH) == (PUSH, ())
    with pytest.raises(SecurityError):
        open_general(apdu, KEY, AUTH)

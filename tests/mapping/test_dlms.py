"""APDUs as layers of plain JSON, through every envelope whose key is given."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

import dlms_wire as wire
from meterway.base.ciphers import Gcm12
from meterway.base.errors import DecodeError, SecurityError
from meterway.mapping.dlms import DlmsDecoder, DlmsKeys, cosem_json
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.xdlms.ciphered import GeneralCiphered

pytestmark = pytest.mark.covers("IF-I")

KEY, AUTH, TITLE = bytes(range(16)), bytes(range(0xD0, 0xE0)), bytes.fromhex("4d4d4d0000bc614e")
KEYS = DlmsKeys(keys=(KEY,), auth_key=AUTH)


def layers(octets: str, keys: DlmsKeys | None = None) -> list[dict[str, object]]:
    decoder = DlmsDecoder(keys=keys or DlmsKeys())
    decoder.take(bytes.fromhex(octets))
    json.dumps(decoder.telegram().as_json(), allow_nan=False)
    return decoder.layers


def sealed(plain: bytes) -> bytes:
    protected = b"\x30" + bytes(4) + Gcm12(KEY).seal(TITLE + bytes(4), plain, b"\x30" + AUTH)
    return GeneralCiphered(tag=0xDB, system_title=TITLE, protected=protected).encode()


@given(wire.datas)
def test_any_cosem_data_is_plain_json(data: Data) -> None:
    json.dumps(cosem_json(data), allow_nan=False)


def test_data_keeps_its_shape() -> None:
    data = axdr.structure(
        axdr.octets(b"\x01\xff"), axdr.u8(5), axdr.null(), axdr.array(axdr.visible("a")), axdr.float32(1.5)
    )
    assert cosem_json(data) == ["01ff", 5, None, ["a"], 1.5]
    assert cosem_json(axdr.float32(float("nan"))) == "nan"
    assert cosem_json(axdr.decode_all(bytes.fromhex("13110401020304"))) == [1, 2, 3, 4]


def test_a_request_names_its_attribute() -> None:
    (layer,) = layers("c001c100080000010000ff0200")
    assert layer["layer"] == "get-request"
    assert layer["attribute"] == {"class": 8, "obis": "0-0:1.0.0*255", "attribute": 2}


def test_a_refusal_is_told_in_words() -> None:
    assert layers("d80101")[0]["words"] == "service-not-allowed, operation-not-possible"
    assert layers("c401c10103")[0]["result"] == "read-write-denied"


@pytest.mark.covers("SEC-10")
def test_passwords_and_dedicated_keys_are_hidden() -> None:
    aarq = (
        "6036a1090607608574050801018a0207808b0760857405080201ac0a8008313233343536373"
        "8be10040e01000000065f1f0400007e1fffff"
    )
    found = layers(aarq)
    assert found[0]["authentication_value"] == "<hidden>"
    assert found[1]["layer"] == "initiate-request"
    initiate = layers("01011000112233445566778899aabbccddeeff0000065f1f0400007e1f04b0")
    assert initiate[0]["dedicated_key"] == "<hidden>"
    assert repr(KEYS) == "DlmsKeys(1 keys)"


def test_an_event_becomes_a_reading() -> None:
    decoder = DlmsDecoder()
    decoder.take(bytes.fromhex("c200" + "0003" + "0100010800ff" + "02" + "060000002a"))
    (reading,) = decoder.telegram().readings
    assert (str(reading.obis), reading.value) == ("1-0:1.8.0*255", 42)


@pytest.mark.covers("SEC-11")
def test_envelopes_within_envelopes_end_somewhere() -> None:
    octets = b"\x0f\x00\x00\x00\x01\x00\x00"
    for _ in range(3):
        octets = sealed(octets)
    decoder = DlmsDecoder(keys=KEYS)
    decoder.take(octets)
    assert decoder.layers[-1]["layer"] == "data-notification"
    for _ in range(20):
        octets = sealed(octets)
    with pytest.raises((DecodeError, SecurityError)):
        DlmsDecoder(keys=KEYS).take(octets)


def test_the_title_that_is_needed_is_asked_for() -> None:
    with pytest.raises(SecurityError, match="system title") as refused:
        DlmsDecoder(keys=KEYS).take(b"\xdb\x00\x11\x30" + bytes(16))
    assert refused.value.check == "title"


@pytest.mark.covers("IF-G1")
def test_an_apdu_for_a_device_behind_a_gateway_is_decoded_too() -> None:
    outer, inner = layers("e60003" + b"M01".hex() + "c001c100080000010000ff0200")
    assert (outer["layer"], outer["network_id"], outer["address"]) == ("gateway-request", 0, b"M01".hex())
    assert inner["layer"] == "get-request"
    with pytest.raises(DecodeError, match="envelopes within envelopes"):
        layers("e60000" * 50 + "c001c100080000010000ff0200")

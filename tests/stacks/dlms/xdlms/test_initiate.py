"""InitiateRequest and InitiateResponse on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_wire as wire
from meterway.base.errors import DecodeError
from meterway.stacks.dlms.apdu import Apdu, decode_apdu
from meterway.stacks.dlms.xdlms.conformance import Conformance
from meterway.stacks.dlms.xdlms.initiate import InitiateRequest, InitiateResponse

pytestmark = pytest.mark.covers("IF-I")

CONFORMANCE = st.integers(0, 0xFFFFFF).map(Conformance)
QUALITY = wire.optional(st.integers(-128, 127))
APDUS = st.builds(
    InitiateRequest,
    conformance=CONFORMANCE,
    max_pdu=wire.u16,
    dedicated_key=wire.optional(wire.octets(16)),
    response_allowed=st.booleans(),
    quality_of_service=QUALITY,
    version=wire.invokes,
) | st.builds(
    InitiateResponse,
    conformance=CONFORMANCE,
    max_pdu=wire.u16,
    quality_of_service=QUALITY,
    version=wire.invokes,
    vaa_name=wire.u16,
)
VECTOR = bytes.fromhex("01011000112233445566778899aabbccddeeff0000065f1f0400007e1f04b0")


@given(APDUS)
def test_an_initiate_apdu_comes_back(apdu: Apdu) -> None:
    wire.comes_back(apdu)


@given(APDUS)
def test_a_cut_initiate_apdu_is_refused(apdu: Apdu) -> None:
    wire.is_cut_refused(apdu.encode())


def test_the_request_of_the_norm_is_read() -> None:
    apdu = decode_apdu(VECTOR)
    assert apdu == InitiateRequest(
        conformance=Conformance(0x7E1F),
        max_pdu=1200,
        dedicated_key=bytes.fromhex("00112233445566778899aabbccddeeff"),
    )
    assert apdu.encode() == VECTOR


@pytest.mark.covers("SEC-10")
def test_a_dedicated_key_is_never_shown() -> None:
    shown = repr(decode_apdu(VECTOR))
    assert "hidden" in shown
    assert "\\x22" not in shown
    assert "dedicated_key=None" in repr(InitiateRequest(conformance=Conformance.GET, max_pdu=0))


@pytest.mark.parametrize(
    ("octets", "words"),
    [("0100000006600f04000000ff00ff", "conformance begins"), ("0102", "presence flag"), ("0802", "presence flag")],
)
def test_what_is_no_initiate_apdu_is_refused(octets: str, words: str) -> None:
    with pytest.raises(DecodeError, match=words):
        decode_apdu(bytes.fromhex(octets))

"""The envelopes of protected APDUs and the gateway prefix on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_wire as wire
from meterway.base.errors import DecodeError
from meterway.stacks.dlms.apdu import Apdu, decode_apdu
from meterway.stacks.dlms.xdlms.ciphered import (
    DEDICATED_TAGS,
    GLOBAL_TAGS,
    PLAIN_TAGS,
    CipheredApdu,
    GatewayApdu,
    GeneralCiphered,
    GeneralCiphering,
    protected_octets,
)

pytestmark = pytest.mark.covers("IF-I", "SEC-04")

KEY_INFO = st.sampled_from([None, b"\x00\x00", b"\x01\x00\x18" + bytes(24), b"\x02\x01\x01\x04abcd"])
ENVELOPES = st.one_of(
    st.builds(CipheredApdu, tag=st.sampled_from(sorted(PLAIN_TAGS)), protected=wire.octets()),
    st.builds(GeneralCiphered, tag=st.sampled_from([0xDB, 0xDC]), system_title=wire.octets(8), protected=wire.octets()),
    st.builds(
        GeneralCiphering,
        transaction_id=wire.octets(8),
        originator=wire.octets(8),
        recipient=wire.octets(8),
        date_time=wire.octets(12),
        other_information=wire.octets(4),
        key_info=KEY_INFO,
        protected=wire.octets(),
    ),
)
GATEWAYS = st.builds(
    GatewayApdu, tag=st.sampled_from([0xE6, 0xE7]), network_id=wire.invokes, address=wire.octets(), apdu=wire.octets()
)


@given(ENVELOPES | GATEWAYS)
def test_an_envelope_comes_back(apdu: Apdu) -> None:
    wire.comes_back(apdu)


@given(ENVELOPES)
def test_a_cut_envelope_is_refused(apdu: Apdu) -> None:
    wire.is_cut_refused(apdu.encode())


@given(st.sampled_from(sorted(PLAIN_TAGS)), st.binary(max_size=300) | st.integers(250, 70_000).map(bytes), st.data())
def test_what_an_envelope_holds_is_the_same_without_the_envelope(tag: int, held: bytes, data: st.DataObject) -> None:
    octets = bytearray(CipheredApdu(tag=tag, protected=held).encode())
    assert protected_octets(bytes(octets)) == held
    octets[data.draw(st.integers(1, min(len(octets) - 1, 5)))] = data.draw(wire.octet)
    try:
        expected: object = decode_apdu(bytes(octets))
    except DecodeError as error:
        expected = error
    try:
        assert CipheredApdu(tag=tag, protected=protected_octets(bytes(octets))) == expected
    except DecodeError as error:
        assert isinstance(expected, DecodeError)
        assert (error.message, error.offset, error.kind) == (expected.message, expected.offset, expected.kind)


def test_every_service_has_one_global_and_one_dedicated_tag() -> None:
    assert GLOBAL_TAGS.keys() == DEDICATED_TAGS.keys()
    assert len(PLAIN_TAGS) == 2 * len(GLOBAL_TAGS)
    assert all(CipheredApdu(tag=tag, protected=b"").is_dedicated for tag in DEDICATED_TAGS.values())
    assert not any(CipheredApdu(tag=tag, protected=b"").is_dedicated for tag in GLOBAL_TAGS.values())


def test_key_information_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(DecodeError, match="identified"):
        decode_apdu(b"\xdd" + bytes(5) + b"\x01\x03" + bytes(10))

"""AARQ, AARE, RLRQ and RLRE on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_wire as wire
from meterway.base.errors import DecodeError
from meterway.stacks.dlms.acse.apdu import Aare, Aarq, Rlre, Rlrq
from meterway.stacks.dlms.apdu import Apdu, decode_apdu

pytestmark = pytest.mark.covers("IF-I", "SEC-03")

MECHANISM = wire.optional(st.integers(0, 7))
OCTETS = wire.optional(wire.octets(8, least=1))
AARQS = st.builds(
    Aarq,
    context=st.integers(1, 4),
    user_information=wire.octets(),
    called_ap_title=OCTETS,
    calling_ap_title=OCTETS,
    calling_ae_qualifier=OCTETS,
    calling_user_id=wire.optional(wire.octet),
    calling_ap_invocation=wire.optional(wire.octet),
    mechanism=st.none(),
    acse_requirements=st.just(False),
    authentication_value=OCTETS,
    protocol_version=OCTETS,
) | st.builds(
    Aarq,
    context=st.integers(1, 4),
    user_information=wire.octets(),
    mechanism=st.integers(0, 7),
    acse_requirements=st.booleans(),
    authentication_value=OCTETS,
)
AARES = st.builds(
    Aare,
    context=st.integers(1, 4),
    result=wire.octet,
    diagnostic=wire.octet,
    diagnostic_source=st.sampled_from([1, 2]),
    responding_ap_title=OCTETS,
    responding_ae_qualifier=OCTETS,
    responding_ap_invocation=wire.optional(wire.octet),
    responding_ae_invocation=wire.optional(wire.octet),
    acse_requirements=st.booleans(),
    mechanism=st.integers(0, 7),
    authentication_value=OCTETS,
    user_information=OCTETS,
    protocol_version=OCTETS,
)
RELEASES = st.one_of(
    *[st.builds(kind, reason=wire.optional(wire.octet), user_information=OCTETS) for kind in (Rlrq, Rlre)]
)
# From a captured association without ciphering, and the refusal of another meter, as several open stacks have them.
AARQ = bytes.fromhex("601da109060760857405080101be10040e01000000065f1f0400001e1dffff")
LLS = bytes.fromhex(
    "6036a1090607608574050801018a0207808b0760857405080201ac0a80083132333435363738be10040e01000000065f1f0400007e1fffff"
)
AARE = bytes.fromhex("6129a109060760857405080101a203020100a305a103020100be10040e0800065f1f0400001e1d04c80007")
REFUSED = bytes.fromhex("611fa109060760857405080101a203020101a305a10302010dbe0604040e010600")


@given(AARQS | AARES | RELEASES)
def test_an_acse_apdu_comes_back(apdu: Apdu) -> None:
    wire.comes_back(apdu)


@given(AARQS | AARES | RELEASES)
def test_a_cut_acse_apdu_is_refused(apdu: Apdu) -> None:
    wire.is_cut_refused(apdu.encode())


@given(AARQS | AARES | RELEASES, st.data())
def test_an_altered_acse_apdu_is_read_and_written_or_refused(apdu: Apdu, data: st.DataObject) -> None:
    octets = bytearray(apdu.encode())
    place = data.draw(st.integers(1, len(octets) - 1))
    octets[place] = data.draw(wire.octet)
    read = wire.read_outcome(bytes(octets))
    if read is not None:
        assert decode_apdu(read.encode()) == read


@pytest.mark.parametrize("octets", [AARQ, LLS, AARE, REFUSED], ids=["aarq", "aarq-lls", "aare", "aare-refused"])
def test_a_captured_apdu_comes_back(octets: bytes) -> None:
    assert decode_apdu(octets).encode() == octets


def test_a_password_is_read_and_not_shown() -> None:
    apdu = decode_apdu(LLS)
    assert isinstance(apdu, Aarq)
    assert (apdu.context, apdu.mechanism, apdu.authentication_value) == (1, 1, b"12345678")
    assert "12345678" not in repr(apdu)


@pytest.mark.parametrize(
    ("octets", "words"),
    [(AARE, "accepted: none"), (REFUSED, "rejected permanently: authentication failure")],
)
def test_an_answer_is_told_in_words(octets: bytes, words: str) -> None:
    apdu = decode_apdu(octets)
    assert isinstance(apdu, Aare)
    assert apdu.words == words


def test_results_without_a_table_are_told_by_number() -> None:
    assert Aare(context=1, result=9, diagnostic=77).words == "9: diagnostic 77"
    assert Aare(context=1, result=2, diagnostic=1).words == "rejected for now: no reason given"


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("600ba209060760857405080101", "BER tag 0xa2|application context"),
        ("600ba109060760857405090101", "not a DLMS object identifier"),
        ("600ba109060760857405080201", "not a DLMS object identifier"),
        ("600da109060760857405080101b000", "BER tag 0xb0 has no place"),
        ("6112a109060760857405080101a305a103020100", "result is missing"),
        ("6112a109060760857405080101a203020100a300", "diagnostic comes from"),
        ("6111a109060760857405080101a20402020100", "integer of one octet"),
        ("610ba109060760857405080101", "result is missing"),
        ("620480020101", "integer of one octet"),
        ("630580000000", "."),
        ("6000", "application context name is missing"),
    ],
)
def test_what_breaks_the_rules_is_refused(octets: str, words: str) -> None:
    with pytest.raises(DecodeError, match=words):
        decode_apdu(bytes.fromhex(octets))

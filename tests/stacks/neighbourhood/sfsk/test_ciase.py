"""PDUs of the CIASE: octets by hand, round trips, any octets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.stacks.neighbourhood.sfsk.ciase import (
    ClearAlarm,
    Discover,
    DiscoverReport,
    PingRequest,
    PingResponse,
    Register,
    RepeaterCall,
    decode_ci_pdu,
    is_ci_pdu,
)

TITLES = st.binary(min_size=8, max_size=8)
OCTET, WORD = st.integers(0, 255), st.integers(0, 0xFFFF)
PDUS = st.one_of(
    st.builds(PingRequest, title=TITLES),
    st.builds(PingResponse, title=TITLES),
    st.builds(Register, initiator=TITLES, servers=st.lists(st.tuples(TITLES, WORD), max_size=5).map(tuple)),
    st.builds(Discover, probability=OCTET, slots=WORD, report_credit=OCTET, equal_credit=OCTET),
    st.builds(DiscoverReport, servers=st.lists(st.tuples(TITLES, st.one_of(st.none(), OCTET)), max_size=5).map(tuple)),
    st.builds(RepeaterCall, highest=WORD, new_slots=OCTET, threshold=OCTET),
    st.builds(ClearAlarm, alarm=OCTET),
)
A, B = b"MWY00001", b"MWY00002"


@given(PDUS)
def test_a_pdu_comes_back(pdu):
    assert decode_ci_pdu(pdu.encode()) == pdu


@pytest.mark.covers("IF-C")
def test_octets_of_pdus():
    """Tags and order as Gurux has them; the tag of the clear alarm from memory."""
    assert Discover(probability=100, slots=10).encode() == bytes.fromhex("1d64000a0000")
    assert DiscoverReport(servers=((A, 1),)).encode() == b"\x1e\x01" + A + b"\x01\x01"
    assert DiscoverReport(servers=((A, None),)).encode() == b"\x1e\x01" + A + b"\x00"
    assert Register(initiator=A, servers=((B, 0x123),)).encode() == b"\x1c" + A + b"\x01" + B + b"\x01\x23"
    assert PingRequest(title=A).encode() == b"\x19" + A
    assert PingResponse(title=A).encode() == b"\x1a" + A
    assert RepeaterCall(highest=0x63).encode() == bytes.fromhex("1f00630000")
    assert ClearAlarm(alarm=0x82).encode() == bytes.fromhex("390082")


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (b"", "truncated"),
        (b"\x19short", "truncated"),
        (b"\x19" + A + b"\x00", "trailing"),
        (b"\x20", "tag"),
        (b"\x39\x01\x82", "choice"),
        (b"\x1c" + A + b"\x02" + B + b"\x00\x01", "truncated"),
    ],
)
def test_what_cannot_be_read_is_told(octets, kind):
    with pytest.raises(DecodeError) as told:
        decode_ci_pdu(octets)
    assert told.value.kind == kind


@given(st.binary(max_size=40))
def test_any_octets_are_a_pdu_or_an_error(octets):
    try:
        pdu = decode_ci_pdu(octets)
    except DecodeError as error:
        assert 0 <= error.offset <= len(octets)
    else:
        decode_ci_pdu(pdu.encode())


def test_a_system_title_has_eight_octets():
    with pytest.raises(LocalProtocolError):
        PingRequest(title=b"short").encode()


def test_lsaps_of_the_ciase():
    assert is_ci_pdu(0, 1)
    assert is_ci_pdu(0xFD, 0)
    assert not is_ci_pdu(1, 16)
    assert not is_ci_pdu(1, 0)

"""Exception responses and confirmed service errors on the wire and in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_wire as wire
from meterway.stacks.dlms.apdu import Apdu, decode_apdu
from meterway.stacks.dlms.xdlms.error import ConfirmedServiceError, ExceptionResponse

pytestmark = pytest.mark.covers("IF-I")

APDUS = st.one_of(
    st.builds(ExceptionResponse, state_error=wire.invokes, service_error=st.integers(0, 5)),
    st.builds(
        ExceptionResponse, state_error=wire.invokes, service_error=st.just(6), invocation_counter=wire.long_invokes
    ),
    st.builds(ConfirmedServiceError, service=wire.invokes, error_type=wire.invokes, value=wire.invokes),
)


@given(APDUS)
def test_an_error_apdu_comes_back(apdu: Apdu) -> None:
    wire.comes_back(apdu)


def test_a_counter_error_without_its_counter_is_read_too() -> None:
    assert decode_apdu(bytes.fromhex("d80106")) == ExceptionResponse(state_error=1, service_error=6)


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("d80101", "service-not-allowed, operation-not-possible"),
        ("d80202", "service-unknown, service-not-supported"),
        ("d8010600000007", "service-not-allowed, invocation-counter-error"),
        ("d80909", "state error 9, service error 9"),
        ("0e010600", "initiate-error: initiate other"),
        ("0e010603", "initiate-error: initiate pdu-size-too-short"),
        ("0e050302", "read: service 2"),
        ("0e630863", "service 99: type 8 99"),
    ],
)
def test_an_error_is_told_in_the_words_of_the_norm(octets: str, words: str) -> None:
    apdu = decode_apdu(bytes.fromhex(octets))
    assert isinstance(apdu, ExceptionResponse | ConfirmedServiceError)
    assert apdu.words == words


@pytest.mark.parametrize("octets", ["d8", "d801", "d801060000", "d8010102", "0e", "0e0106", "0e01060000"])
def test_a_cut_or_overlong_error_is_refused(octets: str) -> None:
    assert wire.read_outcome(bytes.fromhex(octets)) is None

"""GET requests and responses on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_wire as wire
from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.xdlms.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
)
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.stacks.dlms.xdlms.results import DataAccessResult

pytestmark = pytest.mark.covers("IF-I")

APDUS = st.one_of(
    st.builds(
        GetRequestNormal, invoke=wire.invokes, attribute=wire.attributes, selection=wire.optional(wire.selections)
    ),
    st.builds(GetRequestNext, invoke=wire.invokes, block_number=wire.long_invokes),
    st.builds(GetRequestWithList, invoke=wire.invokes, items=wire.some(wire.items)),
    st.builds(GetResponseNormal, invoke=wire.invokes, result=wire.values),
    st.builds(
        GetResponseWithDatablock,
        invoke=wire.invokes,
        last=st.booleans(),
        block_number=wire.long_invokes,
        result=wire.octets() | wire.results,
    ),
    st.builds(GetResponseWithList, invoke=wire.invokes, results=wire.some(wire.values)),
)


@given(APDUS)
def test_a_get_apdu_comes_back(apdu: GetRequestNormal) -> None:
    wire.comes_back(apdu)


@given(APDUS)
def test_a_cut_get_apdu_is_refused(apdu: GetRequestNormal) -> None:
    wire.is_cut_refused(apdu.encode())


def test_the_request_for_the_clock_is_as_the_norm_codes_it() -> None:
    apdu = GetRequestNormal(invoke=0xC1, attribute=AttributeDescriptor(8, Obis(0, 0, 1, 0, 0), 2))
    assert apdu.encode() == bytes.fromhex("c001c100080000010000ff0200")


@pytest.mark.parametrize("choice", [2, 255])
def test_a_result_is_data_or_a_refusal_and_nothing_else(choice: int) -> None:
    with pytest.raises(DecodeError, match="result is data"):
        decode_apdu(bytes((0xC4, 1, 0xC1, choice, 0)))
    with pytest.raises(DecodeError, match="raw data"):
        decode_apdu(bytes((0xC4, 2, 0xC1, 1, 0, 0, 0, 1, choice, 0)))


def test_a_presence_flag_that_is_neither_zero_nor_one_is_refused() -> None:
    with pytest.raises(DecodeError, match="presence flag"):
        decode_apdu(bytes.fromhex("c001c100080000010000ff0202"))


def test_an_unknown_refusal_keeps_its_number() -> None:
    apdu = decode_apdu(bytes.fromhex("c401c101c8"))
    assert isinstance(apdu, GetResponseNormal)
    assert isinstance(apdu.result, DataAccessResult)
    assert (apdu.result.value, apdu.result.word) == (200, "unknown-200")
